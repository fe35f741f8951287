"""What recorded graphs keep in memory: which saved tensor, for which operation, from which line."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gpugrad import backend
from gpugrad.backend.batched import all_of
from gpugrad.graph import LEAF, Line, Node, SavedOutput, TensorBase, below, edge_of
from gpugrad.op.attribute import SAVED, names_of
from gpugrad.op.observed import Packed


@dataclass(frozen=True)
class Saved:
    """One piece of memory that a recorded graph keeps.

    Attributes:
        bytes: How large the memory is, all of it, also where a part of it was saved.
        operation: The name of the node that saved it first, as in ``MulBackward0``.
        name: What it is to that operation: ``self``, ``other``, ``result``.
        shape: That of the array.
        dtype: Its type, by name.
        device: Where it is.
        line: The user's line that called the operation, as ``file.py:12, in step``; ``""`` where it
            was not noted, as for small arrays.
        leaf: Whether it is a leaf that requires grad, which the program holds as well.
        users: How many saved values lie in it.
    """

    bytes: int
    operation: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    device: str
    line: str
    leaf: bool
    users: int


@dataclass(frozen=True)
class MemoryReport:
    """What :func:`memory_report` found, the largest first; it prints as a table.

    Attributes:
        saved: A row for each piece of memory.
        nodes: How many recorded calls were looked at.
    """

    saved: tuple[Saved, ...]
    nodes: int

    @property
    def bytes(self) -> int:
        """How much it is in all."""
        return sum(s.bytes for s in self.saved)

    def __len__(self) -> int:
        return len(self.saved)

    def __iter__(self) -> Iterator[Saved]:
        return iter(self.saved)

    def __getitem__(self, index: Any) -> Any:
        return self.saved[index]

    def text(self, most: int | None = None) -> str:
        """Return the table, of the ``most`` largest rows only."""
        calls = "1 recorded call keeps" if self.nodes == 1 else f"{self.nodes} recorded calls keep"
        head = f"{calls} {size(self.bytes)}"
        rows = [_cells(s) for s in self.saved[:most]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].rjust(widths[0]), *map(str.ljust, row[1:], widths[1:])]).rstrip()
            for row in rows
        ]
        rest = self.saved[len(rows) :]
        if rest:
            lines.append(f"and {len(rest)} more, {size(sum(s.bytes for s in rest))}")
        return "\n".join([head + (":" if lines else ""), *lines])

    def __repr__(self) -> str:
        return self.text(40)

    def _repr_html_(self) -> str:
        from html import escape  # its table of names is long

        largest = max((s.bytes for s in self.saved), default=0) or 1
        rows = "".join(
            "<tr>"
            + "".join(f'<td style="text-align:left">{escape(c)}</td>' for c in _cells(s))
            + '<td style="text-align:left;width:120px"><div style="background:#4c78a8;height:9px;'
            f'border-radius:3px;width:{100 * s.bytes / largest:.1f}%"></div></td></tr>'
            for s in self.saved[:40]
        )
        head = escape(self.text(0).splitlines()[0].rstrip(":"))
        more = len(self.saved) - 40
        foot = f"<div>and {more} more</div>" if more > 0 else ""
        return f"<div><b>{head}</b><table>{rows}</table>{foot}</div>"


def size(count: float) -> str:
    """Return a number of bytes as text.

    >>> size(12), size(3 * 2**20)
    ('12 B', '3.00 MiB')
    """
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024 or unit == "GiB":
            break
    return f"{count:.2f} {unit}"


def _cells(s: Saved) -> list[str]:
    what = f"{s.operation}.{s.name}" if s.name else s.operation
    notes = ["a leaf"] * s.leaf + [f"saved {s.users} times"] * (s.users > 1)
    described = f"{s.dtype}[{', '.join(map(str, s.shape))}] {s.device}"
    return [size(s.bytes), what, described, s.line, ", ".join(notes)]


def memory_report(*roots: Any) -> MemoryReport:
    """Return what recorded graphs have saved for their backward, by operation and source line.

    Each piece of memory is counted once, for the oldest call that saved it, however many saved
    values lie in it.  Nothing is noted for this while a program computes: the graphs are searched
    when they are asked for.  The line is known of large arrays, and of those that a call in its
    general form saved; the others' rows are without.

    Args:
        roots: Tensors, below which to look; without any, all recorded calls that are alive in this
            process, of all threads.

    Raises:
        TypeError: A root is no tensor.
    """
    for root in roots:
        if not isinstance(root, TensorBase):
            raise TypeError(f"memory_report(): roots are tensors, got {type(root).__name__}")
    if roots:
        nodes = list(below([e for e in map(edge_of, roots) if e is not None]).values())
    else:
        # an object's type is asked, since others may do something when asked for their class
        nodes = [n for n in gc.get_objects() if issubclass(type(n), Node)]
    return _report(nodes)


def _report(nodes: Iterable[Node]) -> MemoryReport:
    found: dict[tuple[str, int], list[Any]] = {}
    count = 0
    for node in sorted(nodes, key=lambda n: getattr(n, "sequence", -1)):
        count += 1
        for name, array, leaf in saved_arrays(node):
            try:
                door = backend.of(array)
                low, high = door.memory(array)
                where = str(door.device_of(array))
            except (TypeError, AttributeError, NotImplementedError):
                continue  # of another library
            key = where, low
            row = found.get(key)
            if row is None:
                found[key] = [high - low, node, name, array, where, leaf, 1]
            else:
                row[0], row[5], row[6] = max(row[0], high - low), row[5] or leaf, row[6] + 1
    rows = [
        Saved(
            length, node.name().split("::")[-1], name, tuple(array.shape), array.dtype.name, where,
            line_of(node), leaf, users,
        )
        for length, node, name, array, where, leaf, users in found.values()
        if length
    ]  # fmt: skip
    rows.sort(key=lambda s: -s.bytes)
    return MemoryReport(tuple(rows), count)


def saved_arrays(node: Node) -> Iterator[tuple[str, Any, bool]]:
    """Yield the arrays that a node keeps: under which name, and whether each is a leaf's."""
    values = getattr(node, "saved", None) or ()
    try:
        names = [(n or "").removeprefix(SAVED) for n in names_of(node)]
    except (AttributeError, TypeError, RuntimeError):  # a rule without names of what it saved
        names = []
    for k, value in enumerate(values):
        name = names[k] if k < len(names) else ""
        if value.__class__ is Packed:
            value = value.value
        if isinstance(value, SavedOutput):
            yield name or "result", all_of(value.array), False
        elif isinstance(value, TensorBase):
            yield name, all_of(value._array), value._edge is LEAF
        elif backend.is_array(value) and value.shape:
            yield name, all_of(value), False
    params = getattr(node, "params", None)
    if isinstance(params, tuple) and len(params) == 3 and isinstance(params[2], dict):
        for name, value in params[2].items():
            for part in value if isinstance(value, tuple | list) else (value,):
                if not isinstance(part, TensorBase) and backend.is_array(part) and part.shape:
                    yield name, all_of(part), False


def line_of(node: Node) -> str:
    """Return the user's line that a node was recorded by; empty where it was not noted."""
    noted: Line | None = getattr(node, "_line", None)
    if noted is None:
        return ""
    code, place = noted
    line = next((n for a, b, n in code.co_lines() if n is not None and a <= place < b), None)
    return f"{code.co_filename}:{line or code.co_firstlineno}, in {code.co_name}"

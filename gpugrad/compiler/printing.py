"""Programs as text: what is read and written by each step, and what its formulas are."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from gpugrad.compiler.access import Access, Shape, access, without_ones
from gpugrad.compiler.loop import Loop
from gpugrad.compiler.memory import lives, placed, size_of
from gpugrad.compiler.program import Program, Step, Value, values_in


def text(program: Program) -> str:
    """Return a program as text: its inputs, its steps in their order, its outputs, its memory.

    Values are numbered as they appear.
    """
    names: dict[str, str] = {}
    whole = "\n".join(_lines(program))
    return re.sub(r"\bv\d+", lambda m: names.setdefault(m[0], f"v{len(names)}"), whole)


def _lines(program: Program) -> Iterator[str]:
    for value in program.inputs:
        yield f"input     {_declared(value)}"
    for value, _ in program.constants:
        yield f"constant  {_declared(value)}"
    for step in program.steps:
        yield from _loop(step) if isinstance(step, Loop) else _call(step)
    yield f"output    {', '.join(map(_declared, program.outputs))}"
    moved = [_traffic(step) for step in program.steps]
    read, written = (sum(found) for found in zip(*moved, strict=True)) if moved else (0, 0)
    count = len(program.steps)
    yield f"{count} step{'s' * (count != 1)}, which read {_bytes(read)} and write {_bytes(written)}"
    made, needed = _memory(program)
    if made:
        yield f"what they leave to each other is {_bytes(made)}, in {_bytes(needed)} of memory"


def _declared(value: Value) -> str:
    dimensions = ", ".join(map(str, value.shape))
    view = f" in {value.root}" if value.is_view else ""
    return f"{value}: {value.dtype}[{dimensions}]{view}"


def _call(step: Step) -> Iterator[str]:
    name = step.name
    if step.function is not None:
        name = getattr(step.function, "__name__", type(step.function).__name__)
    args = [_argument(a) for a in step.args]
    args += [f"{key}={_argument(a)}" for key, a in step.kwargs.items()]
    outputs = ", ".join(
        _declared(v) if isinstance(v, Value) else str(v) for v in step.outputs if v is not None
    )
    written = f"  # writes {', '.join(map(str, step.writes))}" if step.writes else ""
    target = f"{outputs} = " if outputs else ""
    yield f"call      {target}{name}({', '.join(args)}){written}"


def _argument(found: Any) -> str:
    if isinstance(found, Value):
        return f"{found} in {found.root}" if found.is_view else str(found)
    if isinstance(found, list | tuple):
        inside = ", ".join(map(_argument, found))
        return f"[{inside}]" if isinstance(found, list) else f"({inside})"
    words = str(found)
    return words if len(words) < 60 else f"<{type(found).__name__}>"


def _loop(loop: Loop) -> Iterator[str]:
    read, written = _traffic(loop)
    over = " x ".join(map(str, loop.sizes)) or "one element"
    yield f"loop      over {over}: reads {_bytes(read)}, writes {_bytes(written)}"
    names = _names(loop.inputs, loop.sizes)
    for name, a in zip(names, loop.inputs, strict=True):
        if name != str(a.root):
            yield f"          {name} = {_place(a)}"
    if names:
        statements, results = loop.formula.python_lines(names)
    else:
        statements, results = [], [str(e) for e in loop.formula.outputs]
    for statement in statements:
        yield f"          {statement}"
    ways = [""] * len(loop.stores)
    for _, way, axes in loop.reductions:
        along = (
            "" if len(axes) == len(loop.sizes) else f" along {', '.join(map(str, sorted(axes)))}"
        )
        ways.append(f"{way}{along} of ")
    for (a, _), way, result in zip(loop.targets(), ways, results, strict=True):
        yield f"          {_target(a, loop)} = {way}{_plain(result)}"


def _plain(result: str) -> str:
    """Return what an output is without the copy that makes it memory of its own."""
    if result.startswith("copy(") and result.endswith(")"):
        return result[5:-1]
    if result.startswith("full_like("):
        return result.removesuffix(", '?')").removesuffix(")").split(", ", 1)[1]
    return result


def _names(accesses: Sequence[Access], sizes: Shape) -> list[str]:
    names: list[str] = []
    for a in accesses:
        name = str(a.root)
        while name in names or (name == str(a.root) and not _is_whole(a, sizes)):
            name += "_"
        names.append(name)
    return names


def _is_whole(a: Access, sizes: Shape) -> bool:
    """Tell whether an access goes over all of a root in the order of its indices."""
    plain = access(a.root, a.root.shape)
    own, theirs = (
        _joined(*found) for found in ((sizes, a.strides), (_sizes(a.root), plain.strides))
    )
    return a.dtype == a.root.dtype and not a.offset and own == theirs


def _sizes(value: Value) -> Shape:
    return without_ones(value.shape)


def _joined(sizes: Shape, strides: Shape) -> list[tuple[int, int]]:
    """Return sizes and strides, with dimensions that lie as one joined."""
    found: list[tuple[int, int]] = []
    for n, stride in zip(sizes, strides, strict=True):
        if found and found[-1][1] == stride * n:
            found[-1] = found[-1][0] * n, stride
        else:
            found.append((n, stride))
    return found


def _place(a: Access) -> str:
    offset = f" from byte {a.offset} on" if a.offset else ""
    strides = ", ".join(map(str, a.strides))
    kind = "" if a.dtype == a.root.dtype else f" as {a.dtype}"
    return f"{a.root}{kind}{offset} by strides of ({strides}) bytes"


def _target(a: Access, loop: Loop) -> str:
    if a.root in loop.outputs:
        return _declared(a.root)
    return f"{a.root}, in place" if a.root in {i.root for i in loop.inputs} else f"{a.root}"


def _traffic(step: Step) -> tuple[int, int]:
    """Return the bytes that a step reads and writes, each element once."""
    if isinstance(step, Loop):
        read = {a: _footprint(a, step.sizes) for a in step.inputs}
        written = [_footprint(a, kept) for a, kept in step.targets()]
        return sum(read.values()), sum(written)
    outputs = [*values_in(step.outputs), *step.writes]
    return sum(map(_size, set(step.reads))), sum(map(_size, outputs))


def _footprint(a: Access, sizes: Shape) -> int:
    count = math.prod([n for n, s in zip(sizes, a.strides, strict=True) if s])
    return count * a.dtype.itemsize


def _size(value: Value) -> int:
    counts = [n for n, s in zip(value.shape, value.strides, strict=True) if s]
    return math.prod(counts) * value.dtype.itemsize


def _memory(program: Program) -> tuple[int, int]:
    """Return the bytes of what no one has after a run, and of the memory that it lies in."""
    lasting = {v.root for v in (*program.inputs, *program.outputs)}
    alive = lives(program.steps)
    roots = [
        v for step in program.steps for v in values_in(step.outputs) if v not in lasting
    ]  # fmt: skip
    blocks = [(size_of(root), alive[root]) for root in roots]
    return sum(size for size, _ in blocks), placed(blocks)[1]


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"

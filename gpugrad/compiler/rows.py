"""Loops that go along the same rows, one row at a time.

What such loops leave to each other within a row stays in a first cache, and where nobody else reads
it, it has no memory but that of one row.  Softmax, which is a maximum, a sum and a quotient along
rows, reads each row from memory once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gpugrad.backend.arrays import lie_apart
from gpugrad.compiler.access import Access, Shape
from gpugrad.compiler.loop import Loop
from gpugrad.compiler.program import Value

_SHORTEST, _LONGEST = 64, 1 << 14  # elements of a row
_MOST_LOCAL = 1 << 18  # bytes of a row's own memory


class Local(NamedTuple):
    """Memory of one row: how much, and where in its root's memory the first row begins."""

    size: int
    start: int


class Group:
    """Loops that are computed row by row; the first ``depth`` dimensions of each are the rows."""

    def __init__(self, rows: Shape):
        """Begin with no loop."""
        self.rows = rows
        self.depth = len(rows)
        self.loops: list[Loop] = []
        self.spans: dict[Value, tuple[Shape, int, int]] = {}

    def takes(self, loop: Loop) -> bool:
        """Take a loop in if it goes along the same rows, and reads of each what is of that row."""
        if not _goes_along(loop, self.rows) or (self.loops and not _touches(loop, self.loops)):
            return False
        found = self._seen(loop)
        if found is None:
            return False
        self.loops.append(loop)
        self.spans = found
        return True

    def _seen(self, loop: Loop) -> dict[Value, tuple[Shape, int, int]] | None:
        """Return how rows lie in all memory that is written; ``None``: not as rows.

        For each root: the strides of rows, and the first and the last byte of the first row.
        """
        written = {a.root for one in (*self.loops, loop) for a, _ in one.targets()}
        found = dict(self.spans)
        for one in (*self.loops, loop):
            for a in _accesses(one):
                if a.root not in written:
                    continue
                low, high = _reach(a, one.sizes, self.depth)
                rows = a.strides[: self.depth]
                before = found.get(a.root)
                if before is not None:
                    if before[0] != rows:
                        return None
                    low, high = min(low, before[1]), max(high, before[2])
                found[a.root] = rows, low, high
        for rows, low, high in found.values():
            steps = [(abs(s), n) for s, n in zip(rows, self.rows, strict=True)]
            if 0 in rows or not lie_apart([(1, high - low), *steps]):
                return None
        return found

    def locals(self, users: Mapping[Value, set[int]], lasting: set[Value]) -> dict[Value, Local]:
        """Return the memory that only these loops use, of which there need be one row."""
        own = {id(loop) for loop in self.loops}
        found, total = {}, 0
        for root, (_, low, high) in self.spans.items():
            size = high - low
            if root in lasting or not users[root] <= own or total + size > _MOST_LOCAL:
                continue
            made = next(loop for loop in self.loops if root in {a.root for a in _accesses(loop)})
            if root in made.outputs:  # it is written before it is read
                found[root] = Local(size, low)
                total += size
        return found


def _accesses(loop: Loop) -> Iterator[Access]:
    yield from loop.inputs
    yield from (a for a, _ in loop.targets())


def _reach(a: Access, sizes: Shape, depth: int) -> tuple[int, int]:
    """Return where the first row of an access begins, and where it ends, in bytes."""
    moves = [(n - 1) * s for n, s in zip(sizes[depth:], a.strides[depth:], strict=True)]
    low = a.offset + sum(m for m in moves if m < 0)
    return low, a.offset + sum(m for m in moves if m > 0) + a.dtype.itemsize


def _goes_along(loop: Loop, rows: Shape) -> bool:
    depth = len(rows)
    length = math.prod(loop.sizes[depth:])
    return (
        loop.sizes[:depth] == rows
        and (length == 1 or _SHORTEST <= length <= _LONGEST)
        and not any(k < depth for _, _, axes in loop.reductions for k in axes)
    )


def _touches(loop: Loop, others: Sequence[Loop]) -> bool:
    own = {a.root for a in _accesses(loop)}
    return any(a.root in own for other in others for a in _accesses(other))


def grouped(loops: Sequence[Loop]) -> list[Loop | Group]:
    """Return loops in an order in which as many as possible are in groups."""
    found: list[Loop | Group] = []
    rest = list(loops)
    while rest:
        first, *others = rest
        group = _seed(first)
        if group is None:
            found.append(first)
            rest = others
            continue
        rest = []
        for loop in others:
            if _conflicts(loop, rest) or not group.takes(loop):
                rest.append(loop)
        found.append(group if len(group.loops) > 1 else first)
    return found


def _seed(loop: Loop) -> Group | None:
    """Return a group of a loop that reduces rows, ``None`` where it does not."""
    if not loop.reductions:
        return None
    depth = min(loop.reductions[0][2])
    if not depth or loop.reductions[0][2] != frozenset(range(depth, len(loop.sizes))):
        return None
    group = Group(loop.sizes[:depth])
    return group if group.takes(loop) else None


def _conflicts(loop: Loop, others: Sequence[Loop]) -> bool:
    read = {a.root for a in loop.inputs}
    written = {a.root for a, _ in loop.targets()}
    for other in others:
        theirs = {a.root for a, _ in other.targets()}
        if theirs & (read | written) or written & {a.root for a in other.inputs}:
            return True
    return False


def parted(loops: Sequence[Loop]) -> list[tuple[Loop, list[Loop]]]:
    """Return each loop with what takes its place: itself, or one that stores and one that reduces.

    What a small loop stores may be part of a group before it, along its places.
    """
    found, rows = [], set[Shape]()
    for loop in loops:
        splits = loop.sizes in rows and _separates(loop)
        found.append((loop, loop.halves() if splits else [loop]))
        group = _seed(loop)
        if group is not None:
            rows.add(group.rows)
    return found


def _separates(loop: Loop) -> bool:
    """Tell whether a loop stores and puts all together, and reads nothing that it stores."""
    return (
        bool(loop.stores and loop.reductions)
        and all(len(axes) == len(loop.sizes) for _, _, axes in loop.reductions)
        and not {a.root for a in loop.inputs} & {a.root for a in loop.stores}
    )

"""What is computed again in a backward must read what the first computation has read.

A checkpoint keeps no values, so that there are no versions to compare.  Instead each write in place
has a place in the order of all calls, and while something is computed again, what it reads of
older memory is followed: values written since the first computation, and what is computed from
them, may not be saved for backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from gpugrad import backend
from gpugrad.graph import (
    Counter,
    Detachment,
    Moment,
    Node,
    SavedOutput,
    TensorBase,
    Write,
    begin_marking,
    end_marking,
    mode,
    moment,
)
from gpugrad.op.observed import begin
from gpugrad.op.saved import overwritten


class Stale(NamedTuple):
    """A tensor that is not what it was, and the write that changed it."""

    tensor: Any
    write: Write


def replayable() -> Callable[[], Replay]:
    """Return what makes, each time, a :class:`Replay` of what is computed from now on."""
    return partial(Replay, moment(), mode.replay)


class Replay:
    """While it is entered, this thread computes again what was first computed at some time.

    Args:
        first: When that began, as :func:`gpugrad.graph.moment` gives it.
        within: What was being computed again at that time, if anything was.
    """

    def __init__(self, first: Moment, within: Replay | None):
        self.first = first
        self.within = within
        self.results: dict[Counter, Stale] = {}  # memory made here, of values that changed
        # those made here, and whether what they wrote has changed; to keep them would keep memory
        self.writes: WeakKeyDictionary[Write, Stale | None] = WeakKeyDictionary()

    def __enter__(self) -> None:
        self.second = moment()
        self.outer = mode.replay
        mode.replay = self
        begin_marking(self)
        begin()

    def __exit__(self, *exception: object) -> None:
        end_marking(self)
        mode.replay = self.outer
        del self.second
        begin()

    def stale(self, tensor: Any, until: float = inf) -> Stale | None:
        """Return what was overwritten of all that the values of an operand were computed from.

        Writes count that came before some time.
        """
        if not isinstance(tensor, TensorBase) or tensor._counter is None:
            return None
        counter, array = tensor._counter, tensor._array
        for write in reversed(getattr(counter, "writes", ())):
            if write.time < self.first.time:
                break
            if write.time >= until or isinstance(write, Detachment):
                continue
            if not backend.of(array).overlap(write.array, array):
                continue
            if write not in self.writes:
                return Stale(tensor, write)
            found = self.writes[write]
            if found is not None or _same(write.array, array):
                return found
        found = self.results.get(counter)
        if found is None and self.within is not None:
            return self.within.stale(tensor, self.first.time)
        return found

    def first_stale(self, operands: Sequence[Any]) -> Stale | None:
        """Return the same for the first of several operands that has it."""
        return next((found for o in operands if (found := self.stale(o)) is not None), None)

    def made(self, result: TensorBase, operands: Sequence[Any]) -> None:
        """Note that a tensor was computed from others; a view's memory is known already."""
        found = self.first_stale(operands)
        if found is None:
            return
        if result._counter is None:
            result._counter = Counter()
        elif any(isinstance(o, TensorBase) and o._counter is result._counter for o in operands):
            return
        self.results[result._counter] = found

    def all_made(self, results: Sequence[TensorBase], operands: Sequence[Any]) -> None:
        """Note the same of several."""
        for result in results:
            self.made(result, operands)

    def kept(self, before: Counter | None, output: SavedOutput) -> None:
        """Note that a result is saved by its own node, and has another counter."""
        if before is not None and before in self.results:
            self.results[output] = self.results[before]

    def check(self, tensor: Any) -> None:
        """Refuse that Python reads values, which may decide anything.

        Raises:
            RuntimeError: They were overwritten.
        """
        found = self.stale(tensor)
        if found is not None:
            raise overwritten(None, found.tensor, None, found.write.first - 1, found.write)

    def recorded(self, node: Node) -> None:
        """Look at the values that a new node saved.

        Raises:
            RuntimeError: One was overwritten.
        """
        for s in node.saved or ():
            found = self.results.get(s) if isinstance(s, SavedOutput) else self.stale(s)
            if found is not None:
                raise overwritten(node, found.tensor, None, found.write.first - 1, found.write)


def _same(a: Any, b: Any) -> bool:
    """Tell whether two overlapping arrays have the same elements."""
    door = backend.of(a)
    same = a.shape == b.shape and a.strides == b.strides
    return a is b or (same and door.address(a) == door.address(b))

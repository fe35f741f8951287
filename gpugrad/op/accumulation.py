"""How gradients are added: on their way, and into the ``.grad`` of a leaf."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad.backend import cpu
from gpugrad.graph import Captured, Pending, Target, TensorBase, Terms, mode, walk
from gpugrad.op.saved import wrap

Array = Any

_ACCUMULATING = threading.Lock()  # several threads may add to one leaf


class _Engine:
    """The arithmetic of a walk: over tensors where it is recorded, and over arrays where not."""

    def __init__(self, floating_point: Any):
        self.floating_point = floating_point  # NumPy's error state outside of the walk

    def meet(self, total: Any, grad: Any) -> Any:
        """Return the sum of two gradients, or its terms while they are few enough for a kernel."""
        if mode.enabled:
            return total + grad
        if total.__class__ is not Terms:
            total = Terms(total)
        total.grads.append(grad)
        door = backend.of(grad)
        if len(total.grads) == door.MOST_TERMS:
            total.grads = [door.add_all(total.grads, total.added)]
            total.added = True
        return total

    def total(self, terms: Terms) -> Array:
        """Return the sum of all terms."""
        first, *others = terms.grads
        return backend.of(first).add_all(terms.grads, terms.added) if others else first

    def call(self, hook: Callable[[Sequence[Any]], None], grads: Sequence[Any]) -> None:
        """Call a user's function with the gradients as tensors, in the user's error state."""
        tensors = grads if mode.enabled else [None if g is None else wrap(g) for g in grads]
        token = cpu.enter(self.floating_point)
        try:
            hook(tensors)
        finally:
            cpu.leave(token)


def differentiate(
    roots: Sequence[tuple[Target, Any]],
    keep: bool,
    recorded: bool,
    wanted: Sequence[TensorBase] | None,
    accumulates: bool,
) -> list[Any]:
    """Walk from the roots, whose gradients are tensors, and return those of the wanted tensors.

    With ``accumulates`` those of leaves are added to ``.grad`` instead; ``wanted=None`` stands for
    all leaves.
    After an error those leaves have received their gradients to which nothing else would have come.
    """
    before = mode.enabled
    pending = Pending(_Engine(cpu.error_state()))
    captured = None if wanted is None else Captured(wanted)
    token = cpu.enter(cpu.QUIET)
    mode.enabled = recorded
    try:
        if not recorded:
            roots = [(edge, g._array) for edge, g in roots]
        try:
            walk(roots, pending, keep, captured)
        except BaseException:
            if captured is None:
                _accumulate_all(pending, pending.complete())
            raise
        if captured is None:
            _accumulate_all(pending, pending.leaves)
            return []
        if accumulates:
            leaves = {t: pending.leaves[t] for t in captured.wanted if t in pending.leaves}
            _accumulate_all(pending, leaves)
            return []
        return [_tensor(pending.settled(g)) for g in captured.results(pending.leaves)]
    finally:
        mode.enabled = before
        cpu.leave(token)


def _tensor(grad: Any) -> Any:
    return grad if grad is None or mode.enabled else wrap(grad)


def _accumulate_all(pending: Pending, leaves: dict[TensorBase, Any]) -> None:
    for leaf in tuple(leaves):
        accumulate(leaf, pending.settled(leaves.pop(leaf)))


def accumulate(leaf: Any, grad: Any) -> None:
    """Add to the ``.grad`` of a leaf, in place unless it is recorded.

    The first gradient is kept if nobody else holds it and its memory, and copied otherwise.
    """
    with _ACCUMULATING:
        total = leaf._grad
        own = _holders(grad) <= _ONE
        if mode.enabled:
            own = own and grad._array.base is None and _holders(grad._array) <= _ONE
            if total is not None:
                leaf._grad = total + grad
            else:
                leaf._grad = grad if own else grad.clone()
        elif total is None:
            leaf._grad = wrap(_laid_out(grad, leaf._array, own and grad.base is None))
        elif isinstance(total._array, np.generic):
            total._array = total._array + grad
        else:
            backend.of(total._array).add_into(total._array, grad)
            if total._counter is not None:
                total._counter.value += 1


def _holders(value: Any) -> int:
    """Return how many references there are to a value, its own included."""
    return getrefcount(value)


def _held_once(value: Any) -> int:
    return _holders(value)


_ONE = _held_once(object())  # what a value counts that only a caller's variable holds


def _laid_out(array: Array, leaf: Array, own: bool) -> Array:
    """Return a gradient in memory of its own, with the strides of its leaf where it is dense."""
    if array.ndim > 1 and array.strides != leaf.strides and array.size:
        door = backend.of(leaf)
        order = "K" if leaf.size == array.size and 0 not in leaf.strides else "C"
        result = door.empty_like(leaf, order)
        if result.strides != array.strides or not own:
            door.assign(result, array)
            return result
    return array if own else backend.of(array).copy(array)

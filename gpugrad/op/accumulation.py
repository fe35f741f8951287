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
from gpugrad.op.dual import unrecorded
from gpugrad.op.saved import wrap

Array = Any

_ACCUMULATING = threading.Lock()  # several threads may add to one leaf


class _Gradients(Pending):
    """The gradients of a walk: tensors where they are recorded, and arrays where not."""

    __slots__ = ("error_state", "forgets", "recorded")

    def __init__(self, recorded: bool, forgets: bool = False) -> None:
        super().__init__()
        self.recorded = recorded
        self.forgets = forgets  # whether the record is not to outlive the walk
        self.error_state = cpu.error_state()  # NumPy's, outside of the walk

    def meet(self, total: Any, grad: Any) -> Any:
        """Return the sum of two gradients, or its terms while they are few enough for a kernel."""
        if self.recorded:
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
        tensors = grads if self.recorded else [None if g is None else wrap(g) for g in grads]
        token = cpu.enter(self.error_state)
        try:
            hook(tensors)
        finally:
            cpu.leave(token)


def differentiate(
    edges: Sequence[Target],
    grads: Sequence[Any],
    keep: bool,
    recorded: bool,
    wanted: Sequence[TensorBase] | None,
    accumulates: bool,
) -> list[Any]:
    """Walk from the edges of roots, whose gradients are tensors, and return the wanted ones'.

    With ``accumulates`` those of leaves are added to ``.grad`` instead; ``wanted=None`` stands for
    all leaves.
    After an error those leaves have received their gradients to which nothing else would have come.
    """
    before = mode.enabled
    forgets = bool(mode.levels) and not recorded  # in forward mode gradients move, as tensors
    recorded = recorded or forgets
    pending = _Gradients(recorded, forgets)
    captured = None if wanted is None else Captured(wanted)
    if not recorded:
        grads = [g._array for g in grads]
    token = cpu.enter(cpu.QUIET)
    mode.enabled = recorded
    try:
        try:
            walk(edges, grads, pending, keep, captured)
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
        found = [pending.settled(g) for g in captured.results(pending.leaves)]
        if forgets:
            return [None if g is None else unrecorded(g) for g in found]
        return found if recorded else [None if g is None else wrap(g) for g in found]
    finally:
        mode.enabled = before
        cpu.leave(token)


def _accumulate_all(pending: _Gradients, leaves: dict[TensorBase, Any]) -> None:
    add = _accumulate_recorded if pending.recorded and not pending.forgets else _accumulate
    for leaf in tuple(leaves):
        # no name for the gradient: whom only the call holds, the leaf keeps without a copy
        if pending.forgets:
            add(leaf, pending.settled(leaves.pop(leaf))._array)
        else:
            add(leaf, pending.settled(leaves.pop(leaf)))


def _accumulate(leaf: Any, grad: Array) -> None:
    """Add to the ``.grad`` of a leaf, in place.

    The first gradient is kept if nobody else holds its memory, and copied otherwise.
    """
    with _ACCUMULATING:
        total = leaf._grad
        if total is None:
            own = grad.base is None and _holders(grad) <= _ONE
            if grad.ndim > 1 and grad.strides != leaf._array.strides and grad.size:
                leaf._grad = wrap(_laid_out(grad, leaf._array, own))
            else:
                leaf._grad = wrap(grad if own else backend.of(grad).copy(grad))
        elif isinstance(total._array, np.generic):
            total._array = total._array + grad
        else:
            backend.of(total._array).add_into(total._array, grad)
            if total._counter is not None:
                total._counter.value += 1


def _accumulate_recorded(leaf: Any, grad: Any) -> None:
    """Add to the ``.grad`` of a leaf, out of place and so that it can be differentiated."""
    with _ACCUMULATING:
        if leaf._grad is not None:
            leaf._grad = leaf._grad + grad
        elif _holders(grad) <= _ONE and grad._array.base is None and _holders(grad._array) <= _ONE:
            leaf._grad = grad
        else:
            leaf._grad = grad.clone()


def _holders(value: Any) -> int:
    """Return how many references there are to a value, its own included."""
    return getrefcount(value)


def _held_once(value: Any) -> int:
    return _holders(value)


_ONE = _held_once(object())  # what a value counts that only a caller's variable holds


def _laid_out(array: Array, leaf: Array, own: bool) -> Array:
    """Return a gradient in memory of its own, with the strides of its leaf if that is dense."""
    door = backend.of(leaf)
    order = "K" if leaf.size == array.size and 0 not in leaf.strides else "C"
    result = door.xp.empty_like(leaf, order=order)
    if result.strides == array.strides and own:
        return array
    door.assign(result, array)
    return result

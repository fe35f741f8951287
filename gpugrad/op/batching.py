"""The way into ``vmap`` and out of it: operations that hide an axis of a tensor, and show it again.

What lies between computes with :class:`gpugrad.backend.batched.Batched` arrays and is recorded as
ever, in the one graph: the way in is an operation of which the way out is the gradient.  A tensor
that is the same for every example is lifted where it meets one that is not
(:func:`gpugrad.op.operation.together`), and the gradient of that is a sum over the examples.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gpugrad import backend, errors
from gpugrad.backend.batched import (
    BatchedBackend,
    Level,
    door_for,
    hidden,
    levels_of,
    one_of,
    shown,
)
from gpugrad.graph import TensorBase, View, below, mode
from gpugrad.op.follower import follower_of, following
from gpugrad.op.operation import expand_to, lift, lifted, linear
from gpugrad.op.saved import own_array, shared_counter, wrap

Array = Any


@linear("BatchBackward0", view=True)
def hide(door: backend.Backend, input: Array, *, axis: int, level: Level) -> Array:
    """View an axis as the hidden one of a level."""
    return hidden(input, door, axis, level)


@hide.gradient
def input(g: Any, axis: int, level: Level) -> Any:
    return show(g, axis=axis, level=level)


@linear("UnbatchBackward0")
def show(door: backend.Backend, input: Array, *, axis: int, level: Level) -> Array:
    """View the hidden axis of a level as an axis."""
    return shown(input, door, axis, level)


@show.gradient
def input(g: Any, axis: int, level: Level) -> Any:
    return hide(g, axis=axis, level=level)


@linear("SelectBackward0", view=True)
def _one(door: backend.Backend, input: Array, *, level: Level) -> Array:
    return one_of(input, door, level)


@_one.gradient
def input(g: Any, level: Level) -> Any:
    return lift(g, levels=(level,)) / level.size  # of each example a part


@contextmanager
def batching(size: int, randomness: str = "error") -> Iterator[Level]:
    """Open a level of ``vmap`` for the block, inside those that are open, and yield it."""
    before = mode.batches
    level = Level(size, randomness)
    try:
        mode.batches = (*before, level)
        yield level
    finally:
        mode.batches = before
        level.ended = True
        for lifted_one in level.lifted:
            if (tensor := lifted_one()) is not None:
                _lower_itself(tensor, level)


def lift_itself(tensor: TensorBase, door: BatchedBackend) -> None:
    """Give a tensor hidden axes of length 1, which it has while their levels are open."""
    array = tensor._array = door.lifted(own_array(tensor))
    for level in levels_of(array):
        level.lifted.append(weakref.ref(tensor))


def _lower_itself(tensor: TensorBase, level: Level) -> None:
    array = tensor._array
    axes = [k for k, other in enumerate(levels_of(array)) if other is level]
    if axes and array.array.shape[axes[0]] == 1:
        tensor._array = array.without(axes)


def is_batched(tensor: TensorBase, level: Level) -> bool:
    """Tell whether a tensor has the hidden axis of a level."""
    return level in levels_of(tensor._array)


def batched(tensor: Any, axis: int, level: Level) -> Any:
    """Return a view of a tensor with one of its axes hidden."""
    return hide(tensor, axis=axis, level=level)


def unbatched(tensor: Any, axis: int, level: Level, bases: dict[int, Any]) -> Any:
    """Return a tensor with the hidden axis of a level at ``axis``: all examples together.

    A view stays the view of a base, which is shown too, if it was computed inside; ``bases`` holds
    those of one call of ``vmap`` by the ids of the hidden ones, which live as long as the views.
    """
    if not is_batched(tensor, level):
        shape = list(tensor._array.shape)
        shape.insert(axis, 1)
        wide = [*shape[:axis], level.size, *shape[axis + 1 :]]
        return expand_to(tensor.reshape(shape), shape=tuple(wide))
    follower = follower_of(tensor)
    if follower is not None and follower._array is tensor._array:  # all of it
        source = unbatched(follower.source, axis, level, bases)
        return following(follower.function, source, source)
    base = tensor if tensor._view is None else tensor._view.base
    if is_batched(base, level):
        if id(base) not in bases:
            bases[id(base)] = _shown(base, 0, level)
        base = bases[id(base)]
        if tensor._view is None and axis == 0:
            return base
    result = _shown(tensor, axis, level)
    result._view = View(base, "", base._edge, shared_counter(base).value)
    return result


def _shown(tensor: Any, axis: int, level: Level) -> Any:
    result = show(tensor, axis=axis, level=level)
    result._counter = shared_counter(tensor)
    return result


def unlifted(tensor: Any, level: Level) -> Any:
    """Return a view of a tensor without the hidden axis of a level that it was lifted to."""
    result = _one(tensor, level=level)
    result._counter = shared_counter(tensor)
    return result


def every_example(tensor: Any, recurse: bool) -> Any:
    """Return all examples of a tensor without history: of all levels, or of the innermost.

    Raises:
        TypeError: ``tensor`` is none.
    """
    if not isinstance(tensor, TensorBase):
        raise errors.must_be_tensor("debug_unwrap", "tensor", 1, tensor)
    array = tensor._array
    for level in reversed(levels_of(array)):
        array = shown(array, backend.of(array), 0, level)
        if not recurse:
            break
    return tensor if array is tensor._array else wrap(array)


def in_every_example(tensor: Any) -> Any:
    """Return a tensor with the hidden axes of all levels that are open.

    Its gradient then differs by example: it is not summed.
    """
    if not mode.batches:
        return tensor
    levels = (*levels_of(tensor._array), *mode.batches)
    return lifted(tensor, door_for(backend.of(tensor._array), levels))


def levels_at(edge: Any) -> tuple[Level, ...]:
    """Return the levels that are open of the tensor whose gradient passes through an edge."""
    if isinstance(edge, TensorBase):
        return levels_of(edge._array)
    found: set[Level] = set()
    for node in below([edge]).values():
        if node.op is hide.op:
            found.add(node.params[2]["level"])
        elif node.op is lift.op:
            found.update(node.params[2]["levels"])
        for end in node.inputs:
            if isinstance(end, TensorBase):
                found.update(levels_of(end._array))
    return tuple([level for level in mode.batches if level in found])


def check_ends(outputs: Sequence[Sequence[Level]], wanted: Sequence[Sequence[Level]]) -> None:
    """Raise where gradients would be summed over the examples of a level that is open.

    Args:
        outputs: The levels of each tensor that is differentiated.
        wanted: The levels of each that it is differentiated by.

    Raises:
        RuntimeError: An output is batched, and what it is differentiated by is not.
    """
    for k, levels in enumerate(outputs):
        inside = set(levels) & set(mode.batches)
        if any(inside - set(others) for others in wanted):
            error = RuntimeError(
                f"element {k} of tensors does not require grad and does not have a grad_fn"
            )
            error.add_note(
                "It is computed inside vmap, and differentiated by a tensor from outside. "
                "Use gpugrad.func.grad, vjp or jacrev there, or differentiate outside."
            )
            raise error

"""How a walk calls the hooks of nodes and leaves, what it gives them, and what it takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from gpugrad import backend
from gpugrad._device import device
from gpugrad.backend import cpu
from gpugrad.backend.batched import all_of
from gpugrad.graph import LEAF, Node, Rule, TensorBase, mode, restore
from gpugrad.hooks import has_grad_dtype
from gpugrad.op.attribute import edges_of
from gpugrad.op.dual import attach
from gpugrad.op.rule import nothing
from gpugrad.op.saved import type_name, wrap

Array = Any
Shape = tuple[int, ...]


def call_user(function: Callable[..., Any], *values: Any) -> Any:
    """Return what a function of the user's gives, called in NumPy's error state outside a walk."""
    walk: Any = mode.walk
    if walk is None:
        return function(*values)
    before = mode.__dict__.copy()
    try:
        cpu.enter(walk.error_state)
        return function(*values)
    except BaseException:  # which may have come while it was leaving a mode
        restore(before)
        raise
    finally:
        cpu.enter(cpu.QUIET)
        mode.walk = walk  # it may have walked itself


# The 1 that walks on a GPU start with lies in memory that nobody writes, so that none launches a
# kernel to fill it: users are given copies, and what is added up in place asks whose memory it is.
_ones: dict[tuple[Any, Shape, np.dtype[Any], device], Array] = {}  # by backend
_addresses: dict[int, Any] = {}  # where these are, and of which backend


def one(door: Any, shape: Shape, kind: np.dtype[Any], where: device) -> Array:
    """Return 1 in some dimensions, which is not to be written."""
    if where.type == "cpu":
        return door.full(shape, 1, kind, where)
    found = _ones.get((door, shape, kind, where))
    if found is not None:
        return found
    if door is not backend.cuda_backend():  # that of a batch, or one that records
        return door.full(shape, 1, kind, where)
    found = _ones[door, shape, kind, where] = cast("Any", door).lasting(np.ones(shape, kind), where)
    _addresses[door.address(found)] = door
    return found


def is_shared(array: Array) -> bool:
    """Tell whether an array lies where walks start."""
    if not _addresses:
        return False
    array = all_of(array)
    door = backend.of(array)
    return door.type == "cuda" and _addresses.get(door.address(array)) is door


def handed(grad: Any) -> Any:
    """Return a gradient of a walk, a tensor, as the user may have it: each element can be written.

    Within a walk the gradient of a mean, or of a sum, is one number under many elements, and the
    first one may be that of other walks, too.
    """
    array = grad._array
    if grad._edge is LEAF or not (_repeats(array) or is_shared(array)):  # that is the user's own
        return grad
    copy = wrap(backend.of(array).copy(array, "C"))
    copy._edge = grad._edge
    for level, tangent in getattr(grad, "_tangents", {}).items():
        attach(copy, level, handed(tangent))
    return copy


def _repeats(array: Any) -> bool:
    """Tell whether one number is under several elements."""
    if not array.ndim or 0 not in array.strides:
        return False
    return any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True))


def tensors(grads: Sequence[Any]) -> tuple[Any, ...]:
    """Return the gradients of a walk, which are arrays where nothing is recorded, for the user."""
    recorded = mode.enabled
    return tuple([None if g is None else handed(g if recorded else wrap(g)) for g in grads])


def untensored(grads: Sequence[Any]) -> list[Any]:
    """Return gradients as a walk carries them, the inverse of :func:`tensors`."""
    if mode.enabled:
        return list(grads)
    return [None if g is None else g._array for g in grads]


def converted(edge: Any, grad: Any) -> Any:
    """Return a gradient of a walk in the type that was chosen for the leaf, if it is at one."""
    if grad is None or not has_grad_dtype(edge) or edge._hooks.grad_dtype is None:
        return grad
    dtype = edge._hooks.grad_dtype
    if isinstance(grad, TensorBase):
        tensor: Any = grad
        return tensor.to(dtype)
    return grad if grad.dtype == dtype.numpy else backend.of(grad).astype(grad, dtype.numpy)


def arrived(node: Node, grads: Any) -> Any:
    """Return the gradients of a node's outputs in the form that a rule takes them."""
    return grads[0] if node.rule.outputs == 1 else list(grads)


def on_outputs(node: Node, g: Any) -> Any:
    """Call the hooks on a node's outputs, then fill the ``.grad`` of those that retain it."""
    hooks = node.hooks
    assert hooks is not None
    if not hooks.tensor and not hooks.retained:
        return g
    grads = list(tensors(g if g.__class__ is list else [g]))
    for index, hook in tuple(hooks.tensor.values()):
        result = call_user(hook, grads[index])
        if result is not None:
            _check(hook, grads[index], result)
            grads[index] = result
    for index, owner in hooks.retained.items():
        tensor, grad = owner(), grads[index]
        if tensor is not None and grad is not None:
            walk: Any = mode.walk
            if walk.forgets:
                grad = wrap(grad._array)
            # out of place, and in memory of its own: what arrived goes on to others
            tensor._grad = grad.clone() if tensor._grad is None else tensor._grad + grad
    return arrived(node, untensored(grads))


class Surrounded:
    """A rule with the hooks that run just before and just after it."""

    __slots__ = ("needs", "op", "outputs", "rule")

    always = True

    def __init__(self, rule: Rule):
        self.rule = rule
        self.op, self.needs, self.outputs = rule.op, rule.needs, rule.outputs

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Return what the rule and then the hooks make of the gradients."""
        hooks = node.hooks
        assert hooks is not None
        arriving = tensors(g if g.__class__ is list else [g])
        for hook in tuple(hooks.before.values()):
            result = call_user(hook, arriving)
            if result is not None:
                _check_all(hook, arriving, result)
                arriving = result
        if self.rule.always or any(t is not None for t in arriving):
            found = self.rule.backward(node, arrived(node, untensored(arriving)))
        else:
            found = nothing(node)
        if not hooks.after:
            return found
        places = edges_of(node)
        leaving = tensors([converted(node.inputs[k], found[k]) for k in places])
        for hook in tuple(hooks.after.values()):
            result = call_user(hook, leaving, arriving)
            if result is not None:
                _check_all(hook, leaving, result)
                leaving = result
        results = list(found)
        for k, g in zip(places, untensored(leaving), strict=True):
            results[k] = g
        return results

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule for some of these inputs, with the same hooks."""
        return Surrounded(self.rule.narrowed(needs))


def surrounded(node: Node, rule: Rule | None) -> Rule | None:
    """Return a node's rule with the hooks around it, where there are any."""
    hooks = node.hooks
    assert hooks is not None
    return Surrounded(rule) if rule is not None and (hooks.before or hooks.after) else rule


def _name(hook: Any) -> str:
    return getattr(hook, "__name__", "<unknown>")


def _check_all(hook: Any, before: Sequence[Any], after: Any) -> None:
    if not isinstance(after, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(after).__name__}'")
    if len(after) != len(before):
        raise RuntimeError(
            f"hook '{_name(hook)}' has returned an incorrect number of values (got {len(after)}, "
            f"but expected {len(before)})"
        )
    for old, new in zip(before, after, strict=True):
        if new is not None:
            _check(hook, old, new)


def _check(hook: Any, before: Any, after: Any) -> None:
    """Refuse what cannot take the place of a gradient.

    Raises:
        TypeError: It is no tensor.
        RuntimeError: It has another type, device or shape, or there was no gradient.
    """
    if not isinstance(after, TensorBase):
        raise TypeError(f"expected Variable, but hook returned '{type(after).__name__}'")
    if before is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if type_name(before) != type_name(after):
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the type of value (was {type_name(before)} got "
            f"{type_name(after)})"
        )
    if before._array.shape != after._array.shape:
        raise RuntimeError(f"hook '{_name(hook)}' has changed the size of value")


def on_accumulated(leaf: Any) -> None:
    """Call the hooks of a leaf whose ``.grad`` was added to.

    Raises:
        RuntimeError: One returned another tensor, which has no place to go.
        TypeError: One returned something else.
    """
    given = leaf
    for hook in tuple(leaf._hooks.accumulated.values()):
        result = call_user(hook, given)
        if result is not None:
            if not isinstance(result, TensorBase):
                raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
            given = result
    if given is not leaf:
        raise RuntimeError("Tensor post accumulate grad hooks should return None.")

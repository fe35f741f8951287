"""The same elements in memory of their own, of another type, on another device."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad._layout import contiguous_format, memory_format, order_of, preserve_format
from gpugrad.graph import TensorBase
from gpugrad.op import cast, linear, move, public
from gpugrad.op.follower import detached, follower_of
from gpugrad.op.kind import Value
from gpugrad.op.saved import descended, door_of, own_array, shared_counter, wrap

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@linear("CloneBackward0")
def _clone(door: backend.Backend, input: Array, *, order: str | tuple[int, ...]) -> Array:
    if isinstance(order, str):
        return door.copy(input, order)
    return door.copy(input.transpose(order), "C").transpose(inverse(order))


@_clone.gradient
def input(g: Any) -> Any:
    return g


@functools.cache
def cloned_as(name: str) -> Any:
    """Return the copying operation whose node has another name."""
    return _clone.named(name)


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """Return how dimensions in an order are brought back to their own."""
    return tuple([order.index(k) for k in range(len(order))])


@public()
def clone(input: Tensor, *, memory_format: memory_format | None = None) -> Tensor:
    """Return a copy with memory of its own; the gradient passes through.

    Raises:
        RuntimeError: The format is of another number of dimensions.
    """
    if memory_format is None or memory_format is preserve_format:
        return _clone(input, order="K")
    return _clone(input, order=order_of(memory_format, input._array.shape) or "C")


@public(function=False)
def contiguous(input: Tensor, *, memory_format: memory_format | None = None) -> Tensor:
    """Return the tensor itself if its memory is in the order of a format, else a copy that is.

    Without a format it is plain order: that of the indices.

    Raises:
        RuntimeError: The format is of another number of dimensions.
    """
    if lies_in(input, memory_format or contiguous_format):
        return input
    return _clone(input, order=order_of(memory_format, input._array.shape) or "C")


def lies_in(input: Tensor, form: memory_format) -> bool:
    """Tell whether the memory of a tensor is in the order of a format."""
    array = input._array
    if form is contiguous_format:
        return array.ndim == 0 or bool(array.flags.c_contiguous)
    if form is preserve_format:
        return True
    if len(form.order) != array.ndim:
        return False
    return bool(array.transpose(form.order).flags.c_contiguous)


@public(function=False)
def to(
    input: Tensor, *args: Value, other: Tensor | None = None, dtype: dtype | None = None,
    device: Any = None, copy: bool = False, non_blocking: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return the tensor with another dtype or on another device; itself where nothing changes.

    Called as ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)``, with
    ``copy=True`` to have a copy in any case; ``non_blocking`` is accepted and has no effect.

    Raises:
        RuntimeError: The format is of another number of dimensions.
        TypeError: An argument is none of these.
    """
    where, wanted = _destination(args if other is None else (other, *args), device, dtype)
    copy = copy or [a for a in args if isinstance(a, bool)][1:] == [True]  # behind non_blocking
    result = input
    door = backend.of(input._array)
    here = door.device_of(input._array)
    if where is not None and not (
        where == here or (where.type == here.type and where.index is None)
    ):
        backend.of_device(where)
        result = move(result, where=where)
    if wanted is not None and result._array.dtype != wanted.numpy:
        result = cast(result, dtype=wanted.numpy)
    if result is input and not copy:
        if memory_format is None or not memory_format.order or lies_in(input, memory_format):
            return input
        return clone(input, memory_format=memory_format)
    if memory_format is not None:
        return clone(result, memory_format=memory_format)
    return cast(input, dtype=input._array.dtype) if result is input else result


def _destination(
    args: tuple[Any, ...], where: Any, wanted: dtype | None
) -> tuple[device | None, dtype | None]:
    for a in args:
        if isinstance(a, dtype):
            wanted = a
        elif isinstance(a, TensorBase):
            wanted = _dtype.of(a._array.dtype)
            where = backend.of(a._array).device_of(a._array)
        elif isinstance(a, str | device) or (isinstance(a, int) and not isinstance(a, bool)):
            where = a
        elif not isinstance(a, bool) and a is not None:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({type(a).__name__}), but expected a dtype, a device or a Tensor"
            )
    return None if where is None else device(where), wanted


@public(method=False)
def detach(input: Tensor) -> Any:
    """Return a tensor on the same memory without history; writes to either are seen by both."""
    if input._view is None and input._array.__class__ is np.ndarray:
        result = wrap(input._array)
    else:
        door_of(input._array)
        if (base := follower_of(input)) is not None:
            return detached(input, base)
        result = wrap(own_array(input))
    result._counter = shared_counter(input)
    return descended(result, (input,))

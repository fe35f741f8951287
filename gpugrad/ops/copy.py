"""The same elements in memory of their own, of another type, on another device."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad.graph import TensorBase
from gpugrad.op import cast, linear, move, public
from gpugrad.op.follower import detached, follower_of
from gpugrad.op.saved import descended, door_of, own_array, shared_counter, wrap

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@linear("CloneBackward0")
def _clone(door: backend.Backend, input: Array, *, order: str) -> Array:
    return door.copy(input, order)


@_clone.gradient
def input(g: Any) -> Any:
    return g


@functools.cache
def cloned_as(name: str) -> Any:
    """Return the copying operation whose node has another name."""
    return _clone.named(name)


@public()
def clone(input: Tensor) -> Tensor:
    """Return a copy with memory of its own; the gradient passes through."""
    return _clone(input, order="K")


@public(function=False)
def contiguous(input: Tensor) -> Tensor:
    """Return the tensor itself if its memory is in plain order, else a copy that is."""
    array = input._array
    return input if array.ndim == 0 or array.flags.c_contiguous else _clone(input, order="C")


@public(function=False)
def to(
    input: Tensor, *args: Any, other: Tensor | None = None, dtype: dtype | None = None,
    device: Any = None, copy: bool = False, non_blocking: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Return the tensor with another dtype or on another device; itself where nothing changes.

    Called as ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)``, with
    ``copy=True`` to have a copy in any case; ``non_blocking`` is accepted and has no effect.
    """
    where, wanted = _destination(args if other is None else (other, *args), device, dtype)
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
    return cast(input, dtype=input._array.dtype) if copy and result is input else result


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
    door_of(input._array)
    if (base := follower_of(input)) is not None:
        return detached(input, base)
    result = wrap(own_array(input))
    result._counter = shared_counter(input)
    return descended(result, (input,))

"""The memory of a tensor given another size, or exchanged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._layout import memory_format, order_of
from gpugrad.backend.batched import Batched
from gpugrad.errors import size as text_of
from gpugrad.graph import Counter, TensorBase
from gpugrad.op import public
from gpugrad.op.saved import own_array, shared_counter, wrap
from gpugrad.op.writable import check_scope
from gpugrad.ops.shape import as_shape
from gpugrad.ops.strided import as_strided

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


def _check_free(function: str, self: TensorBase) -> None:
    """Raise where another memory would be unseen by a history, or by other examples.

    Raises:
        RuntimeError: The tensor requires grad, or belongs to a ``vmap``.
    """
    check_scope(self)
    if self._edge is not None:
        raise RuntimeError(f"cannot {function.strip('_')} variables that require grad")
    if self._array.__class__ is Batched:
        raise RuntimeError(f"{function} is not supported under vmap")


def _exchange(self: Any, array: Array, counter: Counter) -> None:
    """Give a tensor another array, of memory whose writes a counter counts.

    What saved the tensor must notice, whatever memory it looks at: which writes there were is
    forgotten, so each may have been one.
    """
    counter.value = max(counter.value, shared_counter(self).value) + 1
    counter.latest = None
    if hasattr(counter, "writes"):
        del counter.writes
    self._array = array
    self._counter = counter


@public(function=False)
def resize_(input: Tensor, *size: Any, memory_format: memory_format | None = None) -> Tensor:
    """Give the tensor another shape, of the elements that lie in its memory from its first on.

    Where that is too small the tensor gets new memory, with values that are not defined behind the
    old ones; unlike PyTorch's, it then shares it no longer.  A tensor that has the shape stays as
    it is.

    Raises:
        RuntimeError: The tensor requires grad, or a length is negative.
    """
    shape = as_shape(size, "resize_")
    _check_free("resize_", input)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {text_of(shape)}")
    array = own_array(input)
    if shape == array.shape and memory_format is None:
        return input
    order = order_of(memory_format, shape) or tuple(range(len(shape)))
    steps, step = [0] * len(shape), int(array.itemsize)
    for k in reversed(order):
        steps[k] = step
        step *= max(shape[k], 1)
    door = backend.of(array)
    low, high = door.memory(array)
    offset = door.address(array) - low if array.size else 0
    needed = offset + math.prod(shape) * array.itemsize
    if needed <= high - low:
        _exchange(input, door.laid_out(array, shape, offset, tuple(steps)), shared_counter(input))
        return input
    input._view = None
    memory = door.empty((needed,), _dtype.uint8.numpy, door.device_of(array))
    door.assign(memory[: high - low], door.bytes_of(array))
    made = memory[offset:].view(array.dtype)
    _exchange(input, door.laid_out(made, shape, offset, tuple(steps)), Counter())
    return input


@public()
def resize_as_(
    input: Tensor, the_template: Tensor, *, memory_format: memory_format | None = None
) -> Tensor:
    """Give the tensor the shape of another, as :meth:`resize_` does.

    Raises:
        RuntimeError: The tensor requires grad.
    """
    return resize_(input, the_template._array.shape, memory_format=memory_format)


@public(function=False)
def set_(
    input: Tensor,
    source: Tensor | None = None,
    storage_offset: int | None = None,
    size: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> Tensor:
    """Give the tensor the memory of another, which it shares then; or none.

    Args:
        input: The tensor that is changed.
        source: Of the same type; without it the tensor has no elements.
        storage_offset: How many elements lie before the first one.
        size: The shape; without it offset, shape and strides are those of ``source``.
        stride: The strides in elements, by default those of plain order.

    Raises:
        RuntimeError: The tensor requires grad, ``source`` has another type, or what is named lies
            outside of its memory.
        TypeError: ``source`` is no tensor.
    """
    _check_free("set_", input)
    array = own_array(input)
    if source is None:
        door = backend.of(array)
        _exchange(input, door.empty((0,), array.dtype, door.device_of(array)), Counter())
        input._view = None
        return input
    if not isinstance(source, TensorBase):
        raise TypeError(
            f"set_(): argument 'source' (position 1) must be Tensor, not {type(source).__name__}"
        )
    given = own_array(source)
    if given.dtype != array.dtype:
        found, wanted = (_dtype.of(a.dtype).c_name for a in (given, array))
        raise RuntimeError(f"Could not set tensor of type {found} to a tensor of type {wanted}")
    if size is not None:
        shape = as_shape((size,), "set_")
        steps = [math.prod(shape[k + 1 :]) for k in range(len(shape))] if stride is None else stride
        given = own_array(as_strided(wrap(given), shape, steps, storage_offset or 0))
    _exchange(input, given, shared_counter(source))
    input._view = None
    return input


@public(function=False)
def is_set_to(input: Tensor, tensor: Tensor) -> bool:
    """Return whether two tensors have the same elements in memory, in the same shape."""
    a, b = own_array(input), own_array(tensor)
    door = backend.of(a)
    return (
        backend.of(b) is door
        and a.dtype == b.dtype
        and a.shape == b.shape
        and a.strides == b.strides
        and door.address(a) == door.address(b)
    )

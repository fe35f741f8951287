"""The memory of a tensor given another size, or exchanged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._layout import (
    channels_last,
    contiguous_format,
    memory_format,
    order_of,
)
from gpugrad.backend.batched import Batched
from gpugrad.errors import size as text_of
from gpugrad.graph import Counter, TensorBase
from gpugrad.op import public
from gpugrad.op.saved import note_write, own_array, shared_counter, type_name, wrap
from gpugrad.op.writable import check_scope
from gpugrad.ops.copy import lies_in
from gpugrad.ops.shape import as_shape, expand
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
    source: Any = None,
    storage_offset: int | None = None,
    size: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> Tensor:
    """Give the tensor the memory of another, which it shares then; or none.

    Args:
        input: The tensor that is changed.
        source: A tensor of the same type, or a storage; without it the tensor has no elements.
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
    elements = getattr(source, "elements", None)  # of a storage
    if elements is not None:
        source = elements.view(_dtype.of(array.dtype))
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


@public(function=False)
def untyped_storage(self: Tensor) -> Any:
    """Return the memory that the tensor lies in, as bytes: an ``UntypedStorage``.

    Raises:
        RuntimeError: The tensor belongs to a ``vmap``.
    """
    from gpugrad.ops.stored import UntypedStorage

    return UntypedStorage.of(self)


@public(function=False)
def storage(self: Tensor) -> Any:
    """Return the memory that the tensor lies in, as elements of its type: a ``TypedStorage``.

    Raises:
        RuntimeError: The tensor belongs to a ``vmap``.
    """
    from gpugrad.ops.stored import typed

    return typed(self)


@public(method=False)
def is_storage(obj: object, /) -> bool:
    """Return whether an object is a storage."""
    from gpugrad.ops.stored import TypedStorage, UntypedStorage

    return isinstance(obj, TypedStorage | UntypedStorage)


# --------------------------------------------------------------------------- in which order


@public(function=False)
def dim_order(
    self: Tensor, *, ambiguity_check: bool | Sequence[memory_format] = False
) -> tuple[int, ...]:
    """Return the dimensions as they lie in memory, from the outermost to the innermost.

    Args:
        self: Any shape.
        ambiguity_check: Whether to raise where there are other such orders; or formats, of which
            the tensor must have one then.

    Raises:
        RuntimeError: There are other orders, and it has not one of the formats.
        TypeError: ``ambiguity_check`` is neither a bool nor a list of formats.
    """
    shape, strides = self._array.shape, own_array(self).strides
    several = 1 in shape or any(a == b for a, b in pairwise(strides))
    if not isinstance(ambiguity_check, bool):
        formats: list[Any] = [None]
        if isinstance(ambiguity_check, list | tuple):
            formats = list(ambiguity_check)
        if not all(isinstance(f, memory_format) for f in formats):
            raise TypeError(
                "The ambiguity_check argument must be a bool or a list of memory formats."
            )
        fitting = [f for f in formats if len(f.order or shape) == len(shape) and lies_in(self, f)]
        several = several and len(fitting) != 1
    if ambiguity_check and several:
        raise RuntimeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given "
            "memory formats."
        )
    plain, last = (lies_in(self, form) for form in (contiguous_format, channels_last))
    if plain is not last:  # of both it is what the strides say
        return tuple(range(len(shape))) if plain else channels_last.order or ()
    order = list(range(len(shape)))[::-1]  # from the innermost on, sorted by insertion
    for new in range(1, len(order)):
        for k in range(new - 1, -1, -1):
            inner, outer = order[k], order[new]
            if not strides[inner] or not strides[outer]:  # which lie anywhere
                continue
            if (strides[inner], shape[inner]) > (strides[outer], shape[outer]):
                order[k], order[new], new = outer, inner, k
            elif strides[inner] < strides[outer]:
                break
    return tuple(order[::-1])


# --------------------------------------------------------------------------- by the user's function


def _each(function: str, self: Tensor, *others: Tensor, call: Any) -> Tensor:
    """Write what a function of Python's gives for the elements, one by one, into the tensor.

    Raises:
        RuntimeError: A tensor requires grad.
        TypeError: A tensor is on a GPU, or the function returns no number.
    """
    for t in (self, *others):
        if t._edge is not None:
            raise RuntimeError(
                f"Can't call {function}() on Variable that requires grad. Use "
                f"var.detach().{function}() instead."
            )
        if backend.of(t._array).type != "cpu":
            raise TypeError(f"{function} is only implemented on CPU tensors")
    check_scope(self)
    rows = [t._array.ravel().tolist() for t in (self, *others)]
    found = [call(*row) for row in zip(*rows, strict=True)]
    for number in found:
        if not isinstance(number, bool | int | float | complex):
            raise TypeError(f"must be real number, not {type(number).__name__}")
    array = own_array(self)
    array[...] = np.array(found).reshape(array.shape).astype(array.dtype)
    note_write(self)
    return self


@public(function=False)
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Write what a function of Python's gives for each element into the tensor; on the CPU only.

    It is slow: formulas and the functions of this library are not.

    Raises:
        RuntimeError: The tensor requires grad.
        TypeError: The tensor is on a GPU, or the function returns no number.
    """
    return _each("apply_", self, call=callable)


@public(function=False)
def map_(self: Tensor, other: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Write what a function gives for each element and one of another tensor, as :meth:`apply_`.

    Raises:
        RuntimeError: A tensor requires grad, or the other does not broadcast.
        TypeError: It is of another type, or something that :meth:`apply_` refuses.
    """
    if other._array.dtype != self._array.dtype:
        wanted, given = (type_name(t) for t in (self, other))
        raise TypeError(f"map_: expected {wanted} for 'other' (got {given})")
    return _each("map_", self, expand(other, self._array.shape), call=callable)

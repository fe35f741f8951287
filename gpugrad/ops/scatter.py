"""Copies with other values at some places: at indices, along a dimension, or where a mask holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad.backend.batched import all_of, copy_to_write, levels_of
from gpugrad.errors import normal_dim, size
from gpugrad.graph import TensorBase
from gpugrad.op import OPS, linear, public
from gpugrad.op.kind import Value
from gpugrad.op.number import check_number, checked_number
from gpugrad.op.operation import Index
from gpugrad.op.saved import Like, own_array, read, wrap
from gpugrad.ops.indexing import (
    along,
    beside,
    check_inside,
    chosen,
    gathered,
    getitem,
    grid,
    numbers_first,
    taken,
)
from gpugrad.ops.part import zeros_with
from gpugrad.ops.pointwise import where

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


# --------------------------------------------------------------------------- declarations


@linear("IndexPutBackward0", arrays="index")
def assigned(door: backend.Backend, input: Array, value: Array, *, index: Any) -> Array:
    """Return a copy with a value at an index; of what is named twice, the last remains."""
    result = copy_to_write(input, door, (value, *index))
    put(door, result, index, value)
    return result


def put(door: backend.Backend, target: Array, index: Any, value: Array) -> None:
    """Write a value at an index with arrays, whose numbers are taken first."""
    if any(isinstance(i, int) for i in index):
        first, index = numbers_first(index)
        target = target[first]
    door.put(target, index, value)


@assigned.gradient
def input(g: Any, index: Any) -> Any:
    return assigned(g, nothing(g), index=index)


@assigned.gradient
def value(g: Any, index: Any) -> Any:
    return chosen(g, index)


_copied = assigned.named("IndexCopyBackward0")


@linear("MaskedFillBackward0", arrays="mask")
def _masked_fill(door: backend.Backend, input: Array, value: Array, *, mask: Array) -> Array:
    kind = input.dtype
    choice = OPS["choose"].of_kind(kind.kind == "c").formula
    (result,) = door.evaluate(choice, (mask, value, input), kind, (kind,))
    return result


@_masked_fill.gradient
def input(g: Any, mask: Array) -> Any:
    return _masked_fill(g, nothing(g), mask=mask)


@_masked_fill.gradient
def value(g: Any, mask: Array) -> Any:
    return where(wrap(mask), g, 0)


_masked_fill_by_tensor = _masked_fill.named("MaskedFillBackward1")
_index_fill = _masked_fill.named("IndexFillBackward0")
_index_fill_by_tensor = _masked_fill.named("IndexFillBackward1")


@linear("MaskedScatterBackward0", arrays="mask")
def _masked_scatter(
    door: backend.Backend, input: Array, source: Array, *, mask: Array, count: int
) -> Array:
    result = copy_to_write(input, door, (source, mask))
    door.put(result, (mask,), door.reshape(source, (-1,))[:count])
    return result


@_masked_scatter.gradient
def input(g: Any, mask: Array) -> Any:
    return _masked_fill(g, nothing(g), mask=mask)


@_masked_scatter.gradient
def source(g: Any, mask: Array, count: int, like: Like) -> Any:
    length = int(np.prod(like.shape))
    first = zeros_with(taken(g, index=(mask,)), shape=(length,), index=(slice(count),))
    return first.reshape(like.shape)


def nothing(g: Any) -> Any:
    """Return a 0-d zero of the type and on the device of a gradient."""
    array = g._array
    door = backend.of(array)
    return wrap(door.full((), 0, array.dtype, door.device_of(array)))


# --------------------------------------------------------------------------- where a mask holds


@public(inplace="values arithmetic")
def masked_fill(input: Tensor, mask: Tensor, value: Value) -> Tensor:
    """Return a copy with a number, or a 0-d tensor, where the mask holds; both are broadcast.

    Raises:
        RuntimeError: The mask is not bool, or the value has dimensions.
    """
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{_dtype.of(mask._array.dtype).title.lower()}"
        )
    value, by_tensor = one_value("masked_fill_", input, value)
    op = _masked_fill_by_tensor if by_tensor else _masked_fill
    input, places = _masked(input, mask)
    return op(input, value, mask=places)


def one_value(function: str, input: Any, value: Any) -> tuple[Any, bool]:
    """Return a number or a 0-d tensor as a tensor like ``input``, and whether it is a tensor.

    Raises:
        RuntimeError: It has dimensions, or is complex where ``input`` is real.
    """
    if not isinstance(value, TensorBase):
        check_number(value, function, "value", 2)
        number = np.asarray(checked_number(value, input._kind))
        return wrap(backend.of(input._array).from_numpy(number, input.device)), False
    if value._array.ndim:
        raise RuntimeError(
            f"{function} only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    scalar: Any = value
    fits = np.can_cast(scalar._array.dtype, input._array.dtype)
    if not fits and not levels_of(scalar._array):  # PyTorch waits for a GPU here, too
        checked_number(scalar.detach().item(), input._kind)
    return scalar.to(input), True


def _masked(input: Any, mask: Any) -> tuple[Any, Array]:
    """Return a tensor and the array of a mask, broadcast to each other."""
    read(mask)
    shape = errors.broadcast_shape(input._array.shape, mask._array.shape)
    if input._array.shape != shape:
        input = input.expand(shape)
    return input, own_array(mask.to(input.device).expand(shape))


@public(inplace="values")
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return a copy with the first values of ``source``, in their order, where the mask holds.

    Raises:
        RuntimeError: The mask is not bool, ``source`` is of another type, or has too few values.
        TypeError: ``source`` is not a tensor.
    """
    if not isinstance(source, TensorBase):
        raise errors.must_be_tensor("masked_scatter", "source", 2, source)
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got"
            f"{_dtype.of(input._array.dtype).title} and {_dtype.of(source._array.dtype).title}"
        )
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{_dtype.of(mask._array.dtype).title}"
        )
    input, places = _masked(input, mask)
    door = backend.of(places)
    counts = all_of(door.sum(places, tuple(range(places.ndim)), False, np.dtype(np.int64)))
    words, waits = "Number of elements of source < number of ones in mask", not backend.capturing()
    with backend.at(door.device_of(places)):
        backend.check_all(counts <= source._array.size, words)
        count = int(counts.max()) if counts.size and waits else 0
    # each example, or replay of a CUDA graph, has its own number of them
    if source._array.size and (not waits or (levels_of(places) and count)):
        with backend.at(door.device_of(places)):
            order = door.xp.cumsum(door.reshape(places, (-1,)), 0).reshape(places.shape)
        minus_one = wrap(order) - 1
        return where(wrap(places), source.reshape(-1)[minus_one.clamp(min=0)], input)
    return _masked_scatter(input, source, mask=places, count=count)


# --------------------------------------------------------------------------- slices of a dimension


@public(inplace="values")
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Return a copy with a number, or a 0-d tensor, in the slices that ``index`` names.

    Raises:
        IndexError: An index is out of bounds, or not int64.
        RuntimeError: The index has several dimensions, or the value has some, or it is complex
            where ``input`` is not.
    """
    if index._array.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    _check_fill(input, value)
    axis = normal_dim(dim, input._array.ndim)
    if index._array.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    value, by_tensor = one_value("index_fill_", input, value)
    shape = input._array.shape
    place = along(input, axis, index, "")[-1:]
    door = backend.of(input._array if place[0] is Ellipsis else place[0])
    # a mask, because a slice that is named twice is filled once
    named = door.full(shape[axis : axis + 1], False, np.dtype(np.bool_), input.device)
    if index._array.size:
        door.put(named, place, True)
    named = named.reshape([n if k == axis else 1 for k, n in enumerate(shape)])
    op = _index_fill_by_tensor if by_tensor else _index_fill
    return op(input, value, mask=door.broadcast_to(named, shape))


def _check_fill(input: Tensor, value: Any) -> None:
    one = isinstance(value, TensorBase) and value._array.ndim == 0
    of_complex = value._array.dtype.kind == "c" if one else isinstance(value, complex)
    if of_complex and input._array.dtype.kind != "c":
        raise RuntimeError(
            "index_fill_(): Converting complex Scalar to non-complex type is not supported"
        )


@public(inplace="values", out="apart")
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Return a copy with the slices of ``source`` in the places that ``index`` names.

    Of slices for one place the last remains on the CPU, and one of them on CUDA.

    Raises:
        IndexError: An index is out of bounds, or there are not as many as slices.
        RuntimeError: The slices are of another shape or type, or the index is not int64.
    """
    function = "index_copy_()"
    axis = normal_dim(dim, input._array.ndim)
    shape, given = input._array.shape, source._array.shape
    if index._array.ndim > 1:
        raise IndexError(
            f"{function}: Index should have dimension 1 or 0 (got {index._array.ndim})"
        )
    if not given and index._array.size != 1:
        raise IndexError(
            f"{function}: When source is scalar, index should have one element (got "
            f"{index._array.size})"
        )
    if given and shape and len(given) != len(shape):
        raise IndexError(
            f"{function}: When source and destination are not scalars, their dimensionality must "
            f"match. Source dimensionality ({len(given)}), destination dimensionality "
            f"({len(shape)})"
        )
    if index._array.dtype != np.int64:
        raise RuntimeError(
            f"{function}: Expected a long tensor for index, but got "
            f"{_dtype.of(index._array.dtype).title}"
        )
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{function}: self and source expected to have the same dtype, but got (self) "
            f"{_dtype.of(input._array.dtype).title} and (source) "
            f"{_dtype.of(source._array.dtype).title}"
        )
    slice_, other = (s[:axis] + s[axis + 1 :] for s in (shape, given))
    if slice_ != other:
        raise RuntimeError(
            f"{function}: Source/destination tensor must have same slice shapes. Destination slice "
            f"shape: {' '.join(map(str, slice_))} at dimension {axis} and source slice shape: "
            f"{' '.join(map(str, other))} at dimension 0."
        )
    if given and index._array.size != given[axis]:
        raise IndexError(
            f"{function}: Number of indices ({index._array.size}) should be equal to "
            f"source.size(dim) ({given[axis]})"
        )
    return _copied(input, source, index=along(input, axis, index, f"{function}: "))


# --------------------------------------------------------------------------- single elements


@public(out="apart")
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Return, at each place of ``index``, the element that it names along ``dim``.

    The gradient is dense, also where ``sparse_grad`` says that it need not be.

    Raises:
        RuntimeError: The index is not of integers, is larger than ``input`` along another
            dimension, or is out of bounds.
    """
    if not input._array.ndim:
        input = input.reshape(1)
    place = index._array
    if not place.size and (place.ndim != input._array.ndim or place.dtype.itemsize < 4):
        # PyTorch does not look at anything else then
        normal_dim(dim, input._array.ndim)
        places = index.to(input.device, _dtype.int64).reshape(-1)
        none = (places, *(slice(0, 0),) * (input._array.ndim - 1))
        return getitem(input, none).reshape(index._array.shape)
    return gathered(input, index=grid_of("gather", input, dim, index))


def names_nothing(input: Any, index: Any) -> bool:
    """Tell whether an index is empty, which PyTorch then takes of any number of dimensions."""
    return not index._array.size and index._array.ndim != max(input._array.ndim, 1)


def begin(src: Any, index: Any) -> Any:
    """Return the part of a tensor that an index of its own or a smaller size uses."""
    shape = index._array.shape
    if src._array.shape == shape or not src._array.ndim:
        return src
    return src[tuple(map(slice, shape))] if shape else src[0]


def grid_of(function: str, input: Any, dim: int, index: Any, src: Any = None) -> tuple[Array, ...]:
    """Return the index of the elements that a tensor of integers names along a dimension."""
    array, place = input._array, index._array
    from_tensor = isinstance(src, TensorBase)
    axis = normal_dim(dim, array.ndim)
    if place.dtype not in (np.int32, np.int64):
        raise RuntimeError(f"{function}(): Expected dtype int32/int64 for index")
    if from_tensor and src._array.dtype != array.dtype:
        raise RuntimeError(f"{function}(): Expected self.dtype to be equal to src.dtype")
    name = "input" if function == "gather" else "self"
    if max(place.ndim, 1) != max(array.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {name} tensor")
    if from_tensor and max(place.ndim, 1) != max(src._array.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    larger = [k for k, (m, n) in enumerate(zip(place.shape, array.shape, strict=False)) if m > n]
    outside = [k for k in larger if k != axis]
    if function == "gather" and outside:
        raise RuntimeError(
            f"Size does not match at dimension {outside[0]} expected index {size(place.shape)} to "
            f"be no larger than self {size(array.shape)} apart from dimension {axis}"
        )
    beyond = from_tensor and any(
        m > n for m, n in zip(place.shape or (1,), src._array.shape or (1,), strict=False)
    )
    if outside or beyond:
        source = (
            f" and to be no larger size than src {size(src._array.shape)}" if from_tensor else ""
        )
        raise RuntimeError(
            f"Expected index {size(place.shape)} to be no larger than self {size(array.shape)} "
            f"apart from dimension {axis}{source}"
        )
    read(index)
    places = beside(index, input)
    indices = own_array(places)
    door = backend.of(indices)
    check_inside(indices, 0, array.shape[axis], axis, "", RuntimeError)
    return Index.of(grid(door, indices, axis) if indices.ndim else (indices,), (places,))

"""``x[index]`` and ``x[index] = value``: views for integers and slices, copies for arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import backend, errors
from gpugrad.backend.batched import Batched, all_of
from gpugrad.errors import normal_dim, size
from gpugrad.graph import TensorBase, warn
from gpugrad.op import linear, public
from gpugrad.op.operation import Index
from gpugrad.op.saved import Like, descended, own_array, read, wrap
from gpugrad.ops import shape as shapes
from gpugrad.ops.creation import finish
from gpugrad.ops.part import selected, sliced

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


@linear("IndexBackward0", arrays="index")
def taken(door: backend.Backend, input: Array, *, index: Any) -> Array:
    """Return a copy of what an index with arrays names."""
    return door.take(input, index)


@taken.gradient
def input(g: Any, like: Like, index: tuple[Any, ...]) -> Any:
    return add_at(g, shape=like.shape, index=index)


_index_select = taken.named("IndexSelectBackward0")
_masked_select = taken.named("MaskedSelectBackward0")
gathered = taken.named("GatherBackward0")


@linear("IndexPutBackward0", arrays="index")
def add_at(door: backend.Backend, input: Array, *, shape: Shape, index: tuple[Any, ...]) -> Array:
    """Return zeros of a shape with the input added at an index: twice where it is named twice."""
    result = door.full(shape, 0, input.dtype, door.device_of(input))
    door.add_at(result, index, input)
    return result


@add_at.gradient
def input(g: Any, index: tuple[Any, ...]) -> Any:
    return taken(g, index=index)


@linear("FlipBackward0")
def _flip(door: backend.Backend, input: Array, *, axes: Shape) -> Array:
    return door.copy(door.xp.flip(input, axes), "C")


@_flip.gradient
def input(g: Any, axes: Shape) -> Any:
    return _flip(g, axes=axes)


@public()
def flip(input: Tensor, *dims: Any) -> Tensor:
    """Return a copy with the order of the elements reversed along ``dims``."""
    ndim = input._array.ndim
    axes = tuple(normal_dim(d, ndim) for d in shapes.as_shape(dims, "flip", "dims"))
    return _flip(input, axes=axes if ndim else ())


def gather_along(door: backend.Backend, array: Array, indices: Array, axis: int) -> Array:
    """Return the elements at ``indices`` along an axis; both have the same other sizes."""
    return door.take(array, grid(door, indices, axis))


def grid(door: backend.Backend, indices: Array, axis: int) -> tuple[Array, ...]:
    """Return the index that names, at each place, itself on every axis but ``axis``."""
    index = []
    for k, n in enumerate(indices.shape):
        if k == axis:
            index.append(indices)
        else:
            ones = [1] * indices.ndim
            ones[k] = n
            index.append(door.count(n, door.device_of(indices)).reshape(ones))
    return tuple(index)


def scatter_along(g: Any, indices: Any, shape: Shape, axis: int) -> Any:
    """Return zeros of ``shape`` with ``g`` at ``indices`` along an axis."""
    door = backend.of(g._array)
    return add_at(g, shape=shape, index=grid(door, indices._array, axis))


# --------------------------------------------------------------------------- reading an index


def _element(door: backend.Backend, item: Any, where: Any) -> Any:
    """Return one part of an index as an integer, a slice, None, ... or an array."""
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        return _slice_of(item)
    if isinstance(item, bool | np.bool_):
        return door.from_numpy(np.asarray(bool(item)), where)
    if isinstance(item, int | np.integer):
        return int(item)
    if isinstance(item, TensorBase):
        read(item)
        item = item._array
        if item.__class__ is Batched:
            example = item.common()
            item = item if example is None else example
        if item.ndim == 0 and item.dtype.kind in "iu" and item.__class__ is not Batched:
            return int(backend.of(item).item(item))
    elif isinstance(item, float | complex):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {type(item).__name__})"
        )
    elif isinstance(item, str):
        raise TypeError(f"new(): invalid data type '{type(item).__name__}'")
    elif isinstance(item, Sequence):
        item = np.asarray(item)
        if item.size == 0:
            item = item.astype(np.int64)
    elif not backend.is_array(item) and item.__class__ is not Batched:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {type(item).__name__})"
        )
    if item.dtype.kind not in "biu":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if item.dtype == np.uint8:
        warn(
            "indexing with dtype gpugrad.uint8 is now deprecated, please use a dtype gpugrad.bool "
            "instead."
        )
        item = item.astype(bool)
    return item if backend.of(item).type == door.type else backend.moved(item, where)


def _slice_of(item: slice) -> slice:
    parts = []
    for part in item.start, item.stop, item.step:
        if part is not None and not hasattr(part, "__index__"):
            raise TypeError("slice indices must be integers or None or have an __index__ method")
        parts.append(None if part is None else operator.index(part))
    step = parts[2]
    if step is not None and step <= 0:
        raise ValueError(
            "slice step cannot be zero" if step == 0 else "step must be greater than zero"
        )
    return slice(*parts)


def parsed(input: Tensor, key: Any) -> tuple[tuple[Any, ...], bool]:
    """Return an index in terms of plain parts and arrays, and whether it has arrays.

    Raises:
        IndexError: A part is out of bounds, or there are too many, or it is of no usable type.
    """
    array = input._array
    door = backend.of(array)
    where = door.device_of(array)
    items = items_of(key)
    index = _without_idle_ellipses(tuple(_element(door, item, where) for item in items))
    if array.ndim == 0 and any(isinstance(i, int) for i in index):
        raise IndexError(errors.NO_DIMENSION)
    whole = any(i is Ellipsis for i in index)  # then PyTorch counts the indices first
    if array.ndim == 0 and any(isinstance(i, slice) for i in index) and not whole:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    _check(index, array.shape)
    return index, any(hasattr(i, "dtype") for i in index)


def items_of(key: Any) -> tuple[Any, ...]:
    """Return the parts of an index."""
    return tuple(key) if _is_several(key) else (key,)


def _is_several(key: Any) -> bool:
    """Tell whether an index has several parts; a short list that holds more than numbers has."""
    if isinstance(key, tuple):
        return True
    if not isinstance(key, list) or len(key) >= 32:
        return False
    return any(
        i is None or i is Ellipsis or isinstance(i, TensorBase | Sequence | slice) for i in key
    )


def _without_idle_ellipses(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return an index without the ellipses at its end that have no dimensions left to stand for."""
    while index and index[-1] is Ellipsis and any(i is Ellipsis for i in index[:-1]):
        index = index[:-1]
    return index


def _span(item: Any) -> int:
    """Return how many dimensions a part of an index uses."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if hasattr(item, "dtype") and item.dtype.kind == "b" else 1


def _check(index: tuple[Any, ...], shape: Shape) -> None:
    used = sum(map(_span, index))
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    if sum(i is Ellipsis for i in index) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    axis = 0
    arrays, numbered = [], []
    for position, item in enumerate(index):
        if item is Ellipsis:
            axis = len(shape) - sum(map(_span, index[position + 1 :]))
            continue
        if isinstance(item, int):
            if not -shape[axis] <= item < shape[axis]:
                raise IndexError(
                    f"index {item} is out of bounds for dimension {axis} with size {shape[axis]}"
                )
            numbered.append(axis)
        elif hasattr(item, "dtype"):
            arrays.append((item, axis))
        axis += _span(item)
    left = tuple(n for k, n in enumerate(shape) if k not in numbered)
    for item, axis in arrays:
        _check_array(item, axis - sum(k < axis for k in numbered), left)
    _check_together([i for i, _ in arrays if i.dtype.kind != "b"])


def _check_together(indices: Sequence[Array]) -> None:
    shapes = [i.shape for i in indices]
    try:
        errors.broadcast_shape(*shapes)
    except RuntimeError:
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            f"{', '.join(map(size, shapes))}"
        ) from None


def numbers_first(index: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Split an index with arrays: PyTorch takes its numbers first, and what is left then.

    NumPy takes a number for an array of no dimensions, which moves dimensions where a slice stands
    between the two.
    """
    first: list[Any] = []
    for i in index:
        if isinstance(i, int) or i is Ellipsis:
            first.append(i)
        else:
            first += [slice(None)] * _span(i)
    return tuple(first), tuple(i for i in index if not isinstance(i, int))


def _check_array(item: Array, axis: int, shape: Shape) -> None:
    if item.dtype.kind == "b":
        for k, n in enumerate(item.shape):
            if n != shape[axis + k]:
                raise IndexError(
                    f"The shape of the mask {size(item.shape)} at index {k} does not match the "
                    f"shape of the indexed tensor {size(shape)} at index {axis + k}"
                )
    else:
        check_inside(item, -shape[axis], shape[axis], axis)


def check_inside(
    indices: Array,
    low: int,
    n: int,
    axis: int,
    function: str = "",
    error: type[Exception] = IndexError,
) -> None:
    """Raise where an index is below ``low`` or not below ``n``, on a GPU later.

    Raises:
        Exception: One is; the class is ``error``.
    """
    whole = all_of(indices)
    if whole.size:  # there may be no examples
        backend.of(whole).check_inside(whole, low, n, axis, function, error)


def shape_at(input: Any, index: tuple[Any, ...]) -> Shape:
    """Return the shape of what an index with arrays names."""
    shape: Shape = input._array.shape
    arrays = [k for k, i in enumerate(index) if hasattr(i, "dtype")]
    others = [i for i in index if not hasattr(i, "dtype")]
    if len(arrays) == 1 and all(i == slice(None) for i in others):
        (k,) = arrays
        part = index[k]
        if part.dtype.kind != "b":
            return (*shape[:k], *part.shape, *shape[k + 1 :])
        if part.__class__ is np.ndarray and part.ndim:
            return (*shape[:k], int(np.count_nonzero(part)), *shape[k + part.ndim :])
    found: Shape = chosen(input.detach(), index)._array.shape
    return found


@public(function=False, method=False, operators="__getitem__")
def getitem(input: Tensor, key: Any) -> Tensor:
    """Return ``input[key]``: a view for integers and slices, a copy where arrays are involved.

    Raises:
        IndexError: Out of bounds, too many parts, or a part of no usable type.
        ValueError: A slice with a step that is not positive.
    """
    if isinstance(key, int) and not isinstance(key, bool) and input._array.ndim:
        n = input._array.shape[0]
        if not -n <= key < n:
            raise IndexError(f"index {key} is out of bounds for dimension 0 with size {n}")
        return selected(input, axis=0, index=key)
    if isinstance(key, TensorBase) and _names_rows(input._array, key._array):
        read(key)
        if key._array.dtype.kind == "i":
            n = input._array.shape[0]
            check_inside(key._array, -n, n, 0)
        return descended(taken(input, index=Index.of((key._array,), (key,))), (key,))
    items = key if key.__class__ is tuple else (key,)
    if items and _is_plain(items, input._array.shape):
        return sliced(input, items)
    index, arrays = parsed(input, key)
    found = chosen(input, index, items_of(key))
    return descended(found, key if isinstance(key, tuple) else (key,)) if arrays else found


def _is_plain(items: tuple[Any, ...], shape: Shape) -> bool:
    """Tell whether an index is of integers in bounds, slices by steps of one, and None only."""
    axis, ndim = 0, len(shape)
    for item in items:
        if item is None:
            continue
        if axis == ndim:
            return False
        if item.__class__ is slice:
            if item.step is not None or not (_is_end(item.start) and _is_end(item.stop)):
                return False
        elif item.__class__ is not int or not -shape[axis] <= item < shape[axis]:
            return False
        axis += 1
    return True


def _is_end(value: Any) -> bool:
    return value is None or value.__class__ is int


def _names_rows(array: Array, key: Array) -> bool:
    """Tell whether one array names rows of another one: by numbers, or as a mask that fits."""
    if not array.__class__ is key.__class__ is np.ndarray or not (array.ndim and key.ndim):
        return False
    return bool(
        key.dtype.kind == "i" or (key.dtype.kind == "b" and key.shape == array.shape[: key.ndim])
    )


def chosen(input: Any, index: tuple[Any, ...], given: Sequence[Any] | None = None) -> Tensor:
    """Return what an index names, as :func:`parsed` returns it: a copy where it has arrays.

    ``given`` is what the user wrote.
    """
    if any(hasattr(i, "dtype") for i in index):
        if any(isinstance(i, int) for i in index):
            first, index = numbers_first(index)
            input = sliced(input, first)
        return taken(input, index=index if given is None else Index.of(index, given))
    if index in ((), (Ellipsis,)):
        return shapes.alias(input)
    return sliced(input, index)


@public(out="apart")
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Return the int64 indices of the nonzero elements, a row for each; or a tuple of columns."""
    read(input)
    door = backend.of(input._array)
    where = door.device_of(input._array)
    with backend.at(where):
        found = door.xp.nonzero(door.own(input._array).reshape(input._array.shape or (1,)))
        if as_tuple:
            return descended(tuple([finish(wrap(places), False) for places in found]), (input,))
        if input._array.ndim:
            result = door.xp.stack(found, axis=1)
        else:
            result = door.empty((len(found[0]), 0), np.dtype(np.int64), where)
    return descended(finish(wrap(result), False), (input,))


def along(
    input: Any, axis: int, index: Any, function: str, error: type[Exception] = IndexError
) -> tuple[Any, ...]:
    """Return the index of the slices that a tensor of integers names along an axis.

    ``function`` begins the text of an error and, unless it is empty, refuses negative indices, as
    do functions that raise a RuntimeError.
    """
    read(index)
    places = beside(index, input)
    if index._array.ndim != 1:
        places = places.reshape(-1)
    indices = own_array(places)
    n = input._array.shape[axis] if input._array.ndim else 1
    low = 0 if function or error is RuntimeError else -n
    check_inside(indices, low, n, axis, function, error)
    if not input._array.ndim:
        return (Ellipsis,)
    return Index.of((*(slice(None),) * axis, indices), (places,))


def beside(index: Any, input: Any) -> Any:
    """Return an index on the device of a tensor."""
    if index._array.__class__ is np.ndarray is input._array.__class__:
        return index
    return index.to(input.device)


@public(out="apart")
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return a copy of the slices that a 1-d tensor of integers names along ``dim``."""
    axis = normal_dim(dim, input._array.ndim)
    if index._array.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not input._array.ndim:
        if index._array.size != 1:
            raise RuntimeError(
                "index_select(): Index to scalar can have only 1 value, got "
                f"{index._array.size} value(s)"
            )
        return index_select(input.reshape(1), 0, index).reshape(())
    if index._array.dtype not in (np.int32, np.int64):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    place = along(input, axis, index, "index out of range in self")
    return _index_select(input, index=place)


@public(out="apart")
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Return the elements where the mask holds, in one dimension; both are broadcast.

    Raises:
        RuntimeError: The mask is not bool.
    """
    if mask._array.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    read(mask)
    shape = errors.broadcast_shape(input._array.shape, mask._array.shape)
    if input._array.shape != shape:
        input = input.expand(shape)
    places: Any = mask.to(input.device).expand(shape)
    return _masked_select(input, index=Index.of((own_array(places),), (places,)))


__all__ = ["errors"]

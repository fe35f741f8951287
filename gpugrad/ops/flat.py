"""Elements that are named among all of a tensor, flattened, or along a dimension of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad.backend.batched import all_of, copy_to_write
from gpugrad.backend.places import all_inside
from gpugrad.errors import normal_dim
from gpugrad.op import linear, public
from gpugrad.op.operation import Index
from gpugrad.op.saved import own_array, read, wrap
from gpugrad.ops.indexing import check_inside, taken
from gpugrad.ops.scatter import gather

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@public(out="apart")
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Return the elements that ``indices`` names along ``dim``, or among all of them, flattened.

    Both are broadcast along the other dimensions; an index along one is taken modulo its size.

    Raises:
        IndexError: There is no such dimension.
        RuntimeError: The indices are not int64, or have not as many dimensions.
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    function = "torch.take_along_dim(): "
    array, places = input._array, indices._array
    if places.ndim != array.ndim:
        raise RuntimeError(
            f"{function}input and indices should have the same number of dimensions, but got "
            f"{array.ndim} dimensions for input, and {places.ndim} dimensions for indices"
        )
    if places.dtype != np.int64:
        title = _dtype.of(places.dtype).title
        raise RuntimeError(f"{function}dtype of indices should be Long but got {title}")
    axis = normal_dim(dim, array.ndim)
    if not array.ndim:
        raise IndexError(errors.NO_DIMENSIONS)
    shapes = [(*s[:axis], 1, *s[axis + 1 :]) for s in (array.shape, places.shape)]
    common = errors.broadcast_shape(*shapes)
    n, m = array.shape[axis], places.shape[axis]
    read(indices)
    whole = all_of(places)
    if n and not (backend.of(whole).type == "cpu" and all_inside(whole, n)):
        indices = indices % n
    whole_input = input.expand(*common[:axis], n, *common[axis + 1 :])
    return gather(whole_input, axis, indices.expand(*common[:axis], m, *common[axis + 1 :]))


_taken_flat = taken.named("TakeBackward0")


@public(out="apart")
def take(input: Tensor, index: Tensor) -> Tensor:
    """Return the elements that ``index`` names among all, flattened, in its shape.

    Raises:
        IndexError: An index is out of bounds.
        RuntimeError: The index is not int64.
    """
    place = _flat_place("take", input, index, "tried to take from an empty tensor")
    return _taken_flat(input.reshape(-1), index=place)


@linear("PutBackward0", arrays="index")
def _put_flat(
    door: backend.Backend, input: Array, source: Array, *, index: Any, accumulate: bool
) -> Array:
    """Return a copy with values at places among all elements, flattened, or added there."""
    flat = copy_to_write(door.reshape(input, (-1,)), door, (source, *index))
    if accumulate:
        door.add_at(flat, index, source)
    else:
        door.put(flat, index, source)
    return door.reshape(flat, input.shape)


@_put_flat.gradient
def input(g: Any, index: Any, accumulate: bool) -> Any:
    if accumulate:
        return g
    places = index[0]
    door = backend.of(g._array)
    zeros = wrap(door.full(places.shape, 0, g._array.dtype, door.device_of(g._array)))
    return _put_flat(g, zeros, index=index, accumulate=False)


@_put_flat.gradient
def source(g: Any, index: Any) -> Any:
    return taken(g.reshape(-1), index=index)


@public(inplace="values")
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Return a copy with the elements of ``source`` where ``index`` names, among all, flattened.

    With ``accumulate`` they are added there, each as often as it is named.

    Raises:
        IndexError: An index is out of bounds, or there are not as many as elements.
        RuntimeError: The index is not int64, or the types of the tensors differ.
    """
    if source._array.size != index._array.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source._array.size}, index.numel() = {index._array.size}"
        )
    if source._array.dtype != input._array.dtype:
        kinds = [_dtype.of(t._array.dtype).title for t in (input, source)]
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{kinds[0]} and source.dtype = {kinds[1]}"
        )
    place = _flat_place("put_", input, index, "Tried to put elements into an empty tensor")
    values = source.reshape(index._array.shape)
    return _put_flat(input, values, index=place, accumulate=bool(accumulate))


def _flat_place(function: str, input: Any, index: Any, nothing_there: str) -> tuple[Any, ...]:
    """Return the index of places among all elements of a tensor, flattened."""
    if index._array.dtype != np.int64:
        title = _dtype.of(index._array.dtype).title
        raise RuntimeError(f"{function}(): Expected a long tensor for index, but got {title}")
    n = input._array.size
    if index._array.size and not n:
        raise IndexError(f"{function}(): {nothing_there}")
    read(index)
    places = index.to(input.device)
    indices = own_array(places)
    words = "out of range: tried to access index {index} on a tensor of {length} elements."
    check_inside(indices, -n, n, 0, words, IndexError)
    return Index.of((indices,), (places,))

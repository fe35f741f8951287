"""Orders of elements, and places among sorted ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import FLOAT32
from gpugrad.backend.cuda.arrays import astype, count, full
from gpugrad.backend.cuda.devices import at_home, device_of
from gpugrad.backend.cuda.indexing import add_at, argsort, take
from gpugrad.kernels import launches
from gpugrad.kernels.search import search_kernel

xp = cupy
Array = Any
Shape = tuple[int, ...]


@at_home
def order(array: Array, axis: int, descending: bool) -> Array:
    """Return the int64 places of the elements in their order along an axis, which is stable."""
    if not array.size or not array.ndim:
        return xp.zeros(array.shape, np.int64)
    array = _sortable(array)
    if not descending:
        return argsort(array, axis)
    launches.add(1)
    behind = argsort(xp.flip(array, axis), axis)  # of what is equal, the last comes first
    return array.shape[axis] - 1 - xp.flip(behind, axis)


def _sortable(array: Array) -> Array:
    """Return numbers in a type that CuPy sorts: bfloat16 as float32."""
    return astype(array, FLOAT32) if array.dtype.kind == "V" else array


@at_home
def top(array: Array, count: int, axis: int, largest: bool) -> Array:
    """Return the places of so many of the largest or smallest elements, in their order."""
    return order(array, axis, largest)[(*(slice(None),) * axis, slice(count))]


@at_home
def count_at(places: Array, length: int, weights: Array | None, dtype: np.dtype[Any]) -> Array:
    """Return how often each of the numbers below ``length`` occurs, or sums of weights."""
    kind = np.dtype(np.int64) if weights is None else dtype
    result = full((length,), 0, kind, device_of(places))
    values = full(places.shape, 1, kind, device_of(places)) if weights is None else weights
    add_at(result, (places,), values)
    return result if kind == dtype else astype(result, dtype)


@at_home
def kth(array: Array, axis: int, ranks: Shape) -> Sequence[Array]:
    """Return the elements of some ranks along an axis, which stays with length 1."""
    places = order(array, axis, False)
    where = device_of(array)
    ones = [1] * array.ndim
    index = [
        count(n, where).reshape([*ones[:k], n, *ones[k + 1 :]]) if k != axis else None
        for k, n in enumerate(array.shape)
    ]
    before, rows = (slice(None),) * axis, []
    for rank in ranks:
        index[axis] = places[(*before, slice(rank, rank + 1))]
        rows.append(take(array, tuple(index)))
    return rows


@at_home
def order_of_rows(rows: Array) -> Array:
    """Return the places of the rows of a matrix in their order: by the first that differs."""
    rows = _sortable(rows)
    narrow = {1: np.dtype(np.int32), 2: np.dtype(np.float32 if rows.dtype.kind == "f" else "i4")}
    keys = rows.astype(narrow.get(rows.dtype.itemsize, rows.dtype), copy=False)
    launches.add(keys.shape[1])
    return xp.lexsort(keys.T[::-1])


@at_home
def search(bounds: Array, values: Array, right: bool) -> Array:
    """Return the int64 places where values belong among sorted bounds."""
    length = bounds.shape[-1]
    row = 0 if bounds.ndim == 1 else max(values.shape[-1], 1)  # values for each of bounds
    launches.add(values.size > 0)
    return search_kernel(right)(xp.ascontiguousarray(bounds), values, length, row)

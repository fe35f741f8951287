"""Elements that arrays of places name: read, written, added up."""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import cupy
import numpy as np

from gpugrad.backend import places
from gpugrad.backend.cuda.arrays import astype, in_order
from gpugrad.backend.cuda.devices import at_home, report
from gpugrad.backend.determinism import are_deterministic_algorithms_enabled
from gpugrad.errors import out_of_bounds
from gpugrad.kernels import bounds, launches, segment

xp = cupy
Array = Any
Shape = tuple[int, ...]


@at_home
def check_inside(
    indices: Array, low: int, n: int, axis: int, function: str, error: type[Exception]
) -> None:
    """Have the device look for an index below ``low`` or not below ``n``."""
    report()
    if not n and indices.size:  # CuPy refuses that itself, and what the device found would be late
        raise out_of_bounds(error, function, int(indices.ravel()[0]), axis, n)
    launches.add(1 + (not indices.flags.c_contiguous))
    bounds.look(indices, low, n, axis, bounds.number(error, function))


@at_home
def take(array: Array, index: Any) -> Array:
    """Return ``array[index]`` where ``index`` has arrays: a copy."""
    result = array[index]
    launches.add(_kernels_at(index) if result.size else 0)
    return result


def _kernels_at(index: tuple[Any, ...]) -> int:
    """Return how many kernels CuPy uses for an index: several arrays become one by one each.

    A mask takes more, by its size; it counts as one.
    """
    arrays = sum(isinstance(i, xp.ndarray) for i in index)
    return arrays + 1 if arrays > 1 else 1


@at_home
def put(array: Array, index: Any, values: Array) -> None:
    """Write ``values`` at ``index``; of what is named twice, the last remains.

    Any of them may remain, but faster, where nobody asks for the same bits each time.
    """
    if (
        are_deterministic_algorithms_enabled()
        and any(getattr(values, "strides", ()))  # not all of them are equal
        and any(isinstance(i, xp.ndarray) and i.dtype.kind != "b" and i.size > 1 for i in index)
    ):
        reduce_at(array, index, values, "last")
        return
    numbered = any(isinstance(i, xp.ndarray) for i in index) and not hasattr(values, "ndim")
    launches.add(_kernels_at(index) + numbered)  # a number becomes an array first
    array[index] = values


@at_home
def add_at(array: Array, index: Any, values: Array) -> None:
    """Add ``values`` at ``index``; what is named twice receives both."""
    reduce_at(array, index, values, "sum")


_ATOMIC = "efdilIL"  # the types of what CuPy adds in no fixed order


@at_home
def reduce_at(array: Array, index: Any, values: Array, way: str) -> None:
    """Put ``values`` together with what is at ``index``, in their order.

    Sums are added up in no fixed order, but faster, where nobody asks for the same bits each time.
    """
    if not values.size or not array.size:
        return
    if way == "sum" and not are_deterministic_algorithms_enabled():
        parts = [(array, values)]
        if array.dtype.kind == "c":  # CuPy adds atomically to real numbers only
            parts = [(array.real, values.real), (array.imag, values.imag)]
        if parts[0][0].dtype.char in _ATOMIC:
            for part, added in parts:
                launches.add(_kernels_at(index))
                xp.add.at(part, index, added)
            return
    dense = in_order(array)
    numbers, row = _numbered(array.shape, index)
    width = math.prod(row)
    step = int(any(values.strides))
    rows = values
    if step:
        rows = in_order(xp.broadcast_to(values, (*numbers.shape, *row)))
    if rows.dtype != array.dtype:
        rows = astype(rows, array.dtype)
    numbers = numbers.reshape(-1)
    order = argsort(numbers, 0)
    launches.add(segment.reduce(dense.reshape(-1, width), numbers, order, rows, step, way))
    if dense is not array:
        launches.add(1)
        xp.copyto(array, dense)


def argsort(array: Array, axis: int) -> Array:
    """Return the stable order by the device's library, which counts as one kernel."""
    launches.add(1)
    return xp.argsort(array, axis)


def _numbered(shape: Shape, index: Any) -> tuple[Array, Shape]:
    """Return the numbers of the rows of a dense array that an index names, and a row's shape."""
    kind = np.dtype(np.int32 if math.prod(shape) < 2**31 else np.int64)  # sorted in half the time

    def rows_of(numbers: Array, length: int, step: int) -> Array:
        launches.add(1)
        return segment.numbered()(numbers, length, step, xp.ndarray(numbers.shape, kind))

    items: list[Any] = []
    for item in index if isinstance(index, tuple) else (index,):
        mask = isinstance(item, xp.ndarray) and item.dtype.kind == "b" and item.ndim
        items += xp.nonzero(item) if mask else [item]
    found = places.places(shape, tuple(items), xp)
    if found is None:  # of an index that makes dimensions
        launches.add(2)
        return xp.arange(math.prod(shape), dtype=kind).reshape(shape)[tuple(items)], ()
    slices = len(found.parts) - sum(isinstance(i, xp.ndarray) for i in items)
    launches.add(len(found.parts) - 1 + slices)
    numbers = functools.reduce(operator.add, [rows_of(*part) for part in found.parts])
    return in_order(xp.broadcast_to(numbers, found.shape)), found.row

"""Sums, products and extremes of NumPy's arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad._dtype import accumulation, is_half
from gpugrad.backend import compiled, half, large, products
from gpugrad.backend.large import LARGE
from gpugrad.backend.quiet import QUIET, enter, error_state, quiet, quietly
from gpugrad.errors import summed_axes
from gpugrad.formulas import Formula, variable

Array = Any
Shape = tuple[int, ...]

FLOAT32 = np.dtype(np.float32)
_X = variable("x")

# NumPy's annotations know no `keepdims` that is not a literal.
add_reduce: Any = np.add.reduce
maximum_reduce: Any = np.maximum.reduce
minimum_reduce: Any = np.minimum.reduce


def _summed(array: Array, axes: Shape, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes``, which disappear, in ``dtype``."""
    if dtype == FLOAT32 and is_half(array.dtype):
        found = _summed_halves(array, axes)
        if found is not None:
            return found
        array = half.widened(array)
    if array.size >= 1024 and array.dtype == dtype:
        found = large.sums(array, axes)
        if found is not None:
            return found
    return add_reduce(array, None if len(axes) == array.ndim else axes, dtype)


def _summed_halves(array: Array, axes: Shape) -> Array | None:
    """Return a sum in single precision by a loop; ``None``: there is none for it."""
    if array.size < compiled.LEAST:
        return None
    shape = tuple([1 if k in axes else n for k, n in enumerate(array.shape)])
    found = compiled.evaluate(_ITSELF, [array], array.dtype, shape)
    if found is None:
        return None
    (total,) = found
    return total.reshape([n for k, n in enumerate(array.shape) if k not in axes])


_ITSELF = Formula("itself", (_X,), (_X,))


def _stored_as(result: Array, array: Array, axes: Shape, keepdims: bool, dtype: Any) -> Array:
    """Return what a reduction of ``array`` gave, in its final shape and type."""
    if keepdims:
        result = result.reshape([1 if k in axes else n for k, n in enumerate(array.shape)])
    return result if result.dtype == dtype else result.astype(dtype)


def sum(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes`` as ``dtype``."""
    if array.size < 1024 and array.dtype is dtype and dtype.itemsize > 2:
        along = None if len(axes) == array.ndim else axes
        try:
            return quietly(add_reduce, array, along, dtype, None, keepdims)
        except RuntimeError:  # another thread is in that context
            return quiet(add_reduce)(array, along, dtype, None, keepdims)
    before = error_state()
    try:
        enter(QUIET)
        result = _summed(array, axes, accumulation(dtype))
        return _stored_as(result, array, axes, keepdims, dtype)
    finally:
        enter(before)


def mean(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the mean over ``axes`` as ``dtype``."""
    accumulator = accumulation(dtype)
    count = array.size if len(axes) == array.ndim else math.prod([array.shape[k] for k in axes])
    before = error_state()
    try:
        enter(QUIET)
        result = _summed(array, axes, accumulator) / accumulator.type(count)
        return _stored_as(result, array, axes, keepdims, dtype)
    finally:
        enter(before)


@quiet
def length(array: Array, axes: Shape, keepdims: bool, low: float, high: float) -> Array | None:
    """Return the root of the sum of squares over axes; ``None`` if one is not in a range."""
    total = large.sums_of_products(array, array, axes) if array.size >= 1024 else None
    if total is None:
        total = _summed(array * array, axes, array.dtype)
    if total.ndim:
        if not (total.size and low <= total.min() and total.max() <= high):
            return None
    elif not low <= total <= high:
        return None
    return _stored_as(np.sqrt(total), array, axes, keepdims, array.dtype)


@quiet
def prod(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes`` as ``dtype``."""
    if array.dtype == dtype and is_half(dtype):
        array = half.widened(array)
    found = products.product(np.asarray(array), axes, accumulation(dtype))
    if not keepdims:
        found = found.reshape([n for k, n in enumerate(array.shape) if k not in axes])
    return found if found.dtype == dtype else found.astype(dtype)


@quiet
def others(array: Array, axes: Shape) -> Array | None:
    """Return at each element the product of all others along ``axes``, where no part overflows."""
    if is_half(array.dtype):
        found = products.others(half.widened(np.asarray(array)), axes)
        return None if found is None else half.rounded(found, array.dtype)
    return products.others(np.asarray(array), axes)


@quiet
def max(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the maximum over ``axes``; nan wins."""
    return _extreme(np.maximum, array, axes, keepdims)


@quiet
def min(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the minimum over ``axes``; nan wins."""
    return _extreme(np.minimum, array, axes, keepdims)


def _extreme(function: Any, array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the extreme over ``axes``; that of many short rows is the one of their columns."""
    ndim = array.ndim
    if axes == (ndim - 1,) and array.size >= LARGE and 1 < array.shape[-1] <= large.SHORT:
        found = function(array[..., 0], array[..., 1])
        for k in range(2, array.shape[-1]):
            function(found, array[..., k], out=found)
        return found[..., None] if keepdims else found
    return function.reduce(array, axis=axes, keepdims=keepdims)


@quiet
def largest(array: Array, axes: Shape, least: bool = False) -> Array:
    """Return the largest or the least size over ``axes``, which stay with length 1."""
    size = np.absolute(array)
    if least:
        return minimum_reduce(size, axis=axes, keepdims=True, initial=math.inf)
    return maximum_reduce(size, axis=axes, keepdims=True, initial=0)


def argmax(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first maximum, over all where ``axis`` is None."""
    return np.int64(np.argmax(array)) if axis is None else np.argmax(array, axis=axis)


def argmin(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first minimum, over all where ``axis`` is None."""
    return np.int64(np.argmin(array)) if axis is None else np.argmin(array, axis=axis)


def sum_to_shape(array: Array, shape: Shape) -> Array:
    """Return ``array`` summed to a shape that broadcasts to its own."""
    return large.shaped(_summed(array, summed_axes(array.shape, shape), array.dtype), shape)


_ROW = 1024  # elements whose squares are added one after the other


@quiet
def squares_of(arrays: Sequence[Array]) -> Array:
    """Return the sum of the squares of each of some contiguous arrays of one real type."""
    return np.array([_square(a.reshape(-1)) for a in arrays])


def _square(flat: Array) -> Any:
    if flat.size < _ROW:
        return flat.dot(flat)
    count = flat.size // _ROW * _ROW
    rows, rest = flat[:count].reshape(-1, _ROW), flat[count:]
    return np.add.reduce(np.einsum("ij,ij->i", rows, rows)) + rest.dot(rest)

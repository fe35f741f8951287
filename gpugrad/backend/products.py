"""Products along axes, and at each element that of all others, by passes over long rows.

NumPy multiplies along an axis one number after the other.  Here an axis is divided into parts that
are multiplied with each other element by element, and then the axis that is left, until it is
short.  Where parts leave the range of their type, products are computed as numbers between 1/2 and
1 with exponents of 2 of their own, and are right wherever they are in range themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad._dtype import limits
from gpugrad.backend import scans
from gpugrad.backend.large import clip

Array = Any
Shape = tuple[int, ...]

LARGE = 1024  # elements; below, NumPy's own way takes no longer
_OFTEN = 1 << 17
_PARTS = 32
_LONG = 128  # elements of a part, of which a pass takes little more time than of one


def product(array: Array, axes: Shape, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes``, which stay as 1.

    Of numbers among which there are zeros, subnormal, infinite or complex ones it is NumPy's where
    parts leave the range of the type.
    """
    if array.size >= LARGE and array.flags.c_contiguous and array.dtype == dtype:
        first, count = min(axes, default=0), len(axes)
        if count and sorted(axes) == list(range(first, first + count)):
            ends = array.shape[:first], array.shape[first + count :]
            flat = array.reshape(math.prod(ends[0]), -1, math.prod(ends[1]))
            found = scans.product(flat)
            if found is not None:
                return found.reshape(*ends[0], *(1,) * count, *ends[1])
            levels = _levels(flat)
            result = _last(levels[-1]).astype(dtype, copy=False)
            if dtype.kind in "fc" and not _is_exact(levels, result):
                exact = _exact(levels, dtype)
                result = result if exact is None and _is_zero_by(flat, result) else exact
            if result is not None:
                return result.reshape(*ends[0], *(1,) * count, *ends[1])
    return np.multiply.reduce(array, axis=axes, keepdims=True, dtype=dtype)


def _is_long(array: Array) -> bool:
    """Tell whether products in single precision would be rounded too often along the middle axis.

    Of numbers near 1 roundings are biased, and the error grows as their number.
    """
    return array.shape[1] >= _OFTEN and array.dtype == np.float32


def _is_exact(levels: Sequence[Array], result: Array) -> bool:
    """Tell whether neither a part nor the result has left the range of the type.

    Of infinite parts the result would not be finite.
    """
    return all(map(_is_full, (result, *levels[1:]))) and bool(np.isfinite(result).all())


def _is_full(array: Array) -> bool:
    """Tell whether numbers are of full precision, or infinite."""
    least = np.minimum.reduce(np.absolute(array), None)
    return bool(least >= limits(array.dtype).tiny)


def _is_normal(array: Array) -> bool:
    """Tell whether numbers are finite and of full precision."""
    size, known = np.absolute(array), limits(array.dtype)
    least, most = np.minimum.reduce(size, None), np.maximum.reduce(size, None)
    return bool(known.tiny <= least and most <= known.max)


def _is_zero_by(array: Array, result: Array) -> bool:
    """Tell whether products are finite, and 0 only where one of the numbers is."""
    zero = result == 0
    return bool(np.isfinite(result).all() and (array == 0).any(axis=1)[zero].all())


def _parts(outer: int, length: int, inner: int) -> int:
    """Return into how many parts an axis is divided; 0: it is not."""
    if length <= _PARTS or outer * length * inner < 4096 or length * inner < 8 * _LONG:
        return 0
    return min(_PARTS, length * inner // _LONG)


def _levels(array: Array) -> list[Array]:
    """Return an array, and products of its parts and of theirs along the middle axis."""
    levels = [array]
    while (parts := _parts(*array.shape)) > 1:
        outer, length, inner = array.shape
        rest = length % parts
        wide = np.dtype(np.float64) if _is_long(array) else None
        whole = array[:, : length - rest].reshape(outer, parts, -1)
        found = np.multiply.reduce(whole, axis=1, dtype=wide).reshape(outer, -1, inner)
        if rest:
            last = np.multiply.reduce(array[:, length - rest :], axis=1, dtype=found.dtype)
            found = np.concatenate([found, last[:, None]], axis=1)
        array = found
        levels.append(array)
    return levels


def _last(array: Array) -> Array:
    """Return the product over a short middle axis."""
    outer, _, inner = array.shape
    if array.size >= LARGE and inner < _PARTS < outer:
        return np.multiply.reduce(_turned(array), axis=0).reshape(outer, inner)
    return np.multiply.reduce(array, axis=1)


def _quotients(array: Array) -> Array:
    """Return at each number of full precision the product of all by it, along the middle axis."""
    whole = scans.product(array)
    if whole is not None and _is_normal(whole):
        return whole[:, None] / array
    levels = _levels(array)
    total = _last(levels[-1])
    if total.dtype == array.dtype and _is_exact(levels, total):
        return total[:, None] / array
    scaled = _scaled(levels)
    assert scaled is not None  # as the numbers themselves are in range
    number, exponent = scaled
    found = number[:, None] / array
    if array.dtype == np.float64:
        return np.ldexp(found, exponent[:, None])
    found *= np.ldexp(1.0, clip(exponent, -1000, 1000))[:, None]
    return found.astype(array.dtype)


def _exact(levels: Sequence[Array], dtype: np.dtype[Any]) -> Array | None:
    """Return the product by the last parts in the range of the type; ``None``: not even the first.

    Those are the numbers themselves, of which one is no finite number of full precision.
    """
    found = _scaled(levels)
    return None if found is None else np.ldexp(*found).astype(dtype)


def _scaled(levels: Sequence[Array]) -> tuple[Array, Array] | None:
    """Return the same as a number and an exponent of 2."""
    if levels[0].dtype.kind == "c":
        return None
    count = len(levels)
    normal = next((k for k in range(1, count) if not _is_normal(levels[k])), count) - 1
    if not normal and not _is_normal(levels[0]):
        return None
    number, exponents = np.frexp(levels[normal].astype(np.float64))
    exponent = exponents.sum(1, dtype=np.int64)
    while number.shape[1] > 1:
        starts = np.arange(0, number.shape[1], _DIGITS)
        number, exponents = np.frexp(np.multiply.reduceat(number, starts, axis=1))
        exponent += exponents.sum(1, dtype=np.int64)
    return number[:, 0], clip(exponent, -_FAR, _FAR).astype(np.int32)


_DIGITS = 512  # halves whose product is a number of full precision in 64 bits
_FAR = 1 << 20  # an exponent that no type has


def others(array: Array, axes: Shape) -> Array | None:
    """Return at each element the product of all others along ``axes``.

    ``None`` where a part left the range of the type, or may have.
    """
    ndim = array.ndim
    kept = tuple([k for k in range(ndim) if k not in axes])
    first = min(axes)
    if sorted(axes) != list(range(first, first + len(axes))):
        order = (*kept, *axes)
        found = others(array.transpose(order), tuple(range(len(kept), ndim)))
        return None if found is None else found.transpose(np.argsort(order))
    if not array.size:
        return np.empty_like(array)
    before, behind = array.shape[:first], array.shape[first + len(axes) :]
    flat = np.ascontiguousarray(array).reshape(math.prod(before), -1, math.prod(behind))
    if flat.dtype.kind == "f" and _is_normal(flat):
        return _quotients(flat).reshape(array.shape)
    exact = flat.astype(np.float64) if _is_long(flat) else flat
    found = np.empty_like(exact)
    _others(exact, found)
    if not _in_range(exact, found):
        return None
    return found.astype(flat.dtype, copy=False).reshape(array.shape)


def _others(array: Array, out: Array) -> Array:
    """Write products of the others along the middle axis, and return those of all."""
    outer, length, inner = array.shape
    parts = _parts(*array.shape)
    if parts > 1:
        rest = length % parts
        end = length - rest
        shape = outer, parts, end // parts, inner
        whole, result = array[:, :end].reshape(shape), out[:, :end].reshape(shape)
        column = (outer, parts, -1)
        columns = _others(whole.reshape(column), result.reshape(column))
        columns = columns.reshape(outer, -1, inner)
        beside = np.empty_like(columns)
        total = _others(columns, beside)
        if rest:
            last = _others(array[:, end:], out[:, end:])
            out[:, end:] *= total[:, None]
            beside *= last[:, None]
            total *= last
        result *= beside[:, None]
        return total
    if outer * inner < _LONG:
        out[:, :1] = 1
        np.multiply.accumulate(array[:, :-1], axis=1, out=out[:, 1:])
        right = np.multiply.accumulate(array[:, ::-1], axis=1)
        out[:, :-1] *= right[:, -2::-1]
        return right[:, -1]
    if inner < _PARTS < outer:
        turned = _turned(array)[None]
        found = np.empty_like(turned)
        total = _others(turned, found)
        out[...] = found.reshape(length, outer, inner).transpose(1, 0, 2)
        return total.reshape(outer, inner)
    out[:, :1] = 1
    for k in range(1, length):
        np.multiply(out[:, k - 1], array[:, k - 1], out=out[:, k])
    total = array[:, -1].copy()
    for k in range(length - 2, -1, -1):
        np.multiply(out[:, k], total, out=out[:, k])
        np.multiply(total, array[:, k], out=total)
    return total


def _turned(array: Array) -> Array:
    """Return an array with the middle axis first: a pass is slow on what lies far apart."""
    return np.ascontiguousarray(array.transpose(1, 0, 2)).reshape(array.shape[1], -1)


def _in_range(array: Array, products: Array) -> bool:
    """Tell whether products of others are finite, and 0 only where one of the others is."""
    if not np.isfinite(products).all():
        return False
    outer, length, inner = array.shape
    at = np.flatnonzero(array == 0)
    zeros = np.bincount(at // (length * inner) * inner + at % inner, minlength=outer * inner)
    expected = np.count_nonzero(zeros == 0) * length + np.count_nonzero(zeros == 1)
    return bool(np.count_nonzero(products != 0) == expected)

"""Products along axes, and at each element that of all others, by passes over long rows.

NumPy multiplies along an axis one number after the other.  Here an axis is divided into parts that
are multiplied with each other element by element, and then the axis that is left, until it is
short.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any
Shape = tuple[int, ...]

LARGE = 1024  # elements; below, NumPy's own way takes no longer
_OFTEN = 1 << 17
_PARTS = 32
# How many binary digits a number may grow or shrink without leaving those of full precision.
_DIGITS = {np.dtype(np.float32): 125, np.dtype(np.float64): 1021}
_LONG = 128  # elements of a part, of which a pass takes little more time than of one


def product(array: Array, axes: Shape, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes``, which stay as 1.

    Where parts leave the range of the type, or may have, it is NumPy's.
    """
    if array.size >= LARGE and array.flags.c_contiguous and array.dtype == dtype:
        first, count = min(axes, default=0), len(axes)
        if count and sorted(axes) == list(range(first, first + count)):
            ends = array.shape[:first], array.shape[first + count :]
            flat = array.reshape(math.prod(ends[0]), -1, math.prod(ends[1]))
            result = _product(flat).astype(dtype, copy=False)
            if dtype.kind not in "fc" or (np.isfinite(result).all() and _is_zero_by(flat, result)):
                return result.reshape(*ends[0], *(1,) * count, *ends[1])
    found: Array = np.multiply.reduce(array, axis=axes, keepdims=True, dtype=dtype)
    return found


def _is_long(array: Array) -> bool:
    """Tell whether products in single precision would be rounded too often along the middle axis.

    Of numbers near 1 roundings are biased, and the error grows as their number.
    """
    return array.shape[1] >= _OFTEN and array.dtype == np.float32


def _is_zero_by(array: Array, result: Array) -> bool:
    """Tell whether products are 0 only where one of the numbers is."""
    zero = result == 0
    return not zero.any() or bool((array == 0).any(axis=1)[zero].all())


def _parts(outer: int, length: int, inner: int) -> int:
    """Return into how many parts an axis is divided; 0: it is not."""
    if length <= _PARTS or outer * length * inner < 8 * LARGE:
        return 0
    return min(_PARTS, length * inner // _LONG)


def _product(array: Array) -> Array:
    """Return the product over the middle axis."""
    outer, length, inner = array.shape
    parts = _parts(*array.shape)
    if parts < 2:
        if array.size >= LARGE and inner < _PARTS < outer:
            return np.multiply.reduce(_turned(array), axis=0).reshape(outer, inner)
        return np.multiply.reduce(array, axis=1)
    rest = length % parts
    whole = array[:, : length - rest].reshape(outer, parts, -1)
    wide = np.dtype(np.float64) if _is_long(array) else None
    found = np.multiply.reduce(whole, axis=1, dtype=wide)
    result = _product(found.reshape(outer, -1, inner))
    if rest:
        result *= np.multiply.reduce(array[:, length - rest :], axis=1, dtype=result.dtype)
    return result


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
    if _is_steady(flat):
        total = _product(flat).astype(flat.dtype, copy=False)
        return (total[:, None] / flat).reshape(array.shape)
    exact = flat.astype(np.float64) if _is_long(flat) else flat
    found = np.empty_like(exact)
    _others(exact, found)
    if not _in_range(exact, found):
        return None
    return found.astype(flat.dtype, copy=False).reshape(array.shape)


def _is_steady(array: Array) -> bool:
    """Tell whether no product of some numbers along the middle axis can leave the type's range.

    Then that of the others is that of all by the number.
    """
    if array.dtype not in _DIGITS:
        return False
    low, high = float(array.min()), float(array.max())
    if low < 0 < high:
        size = np.absolute(array)
        low, high = float(size.min()), float(size.max())
    low, high = sorted((abs(low), abs(high)))
    if not 0 < low <= high < math.inf:
        return False
    most = max(abs(math.log2(low)), abs(math.log2(high)))
    digits = _DIGITS[array.dtype]
    parts = _parts(*array.shape)
    if array.shape[1] * most < digits:
        return True
    if parts < 2 or parts * most >= digits:
        return False
    end = array.shape[1] - array.shape[1] % parts
    columns = array[:, :end].reshape(array.shape[0], parts, -1)
    whole = np.multiply.reduce(columns, axis=1).reshape(array.shape[0], -1, array.shape[2])
    sizes = np.absolute(np.log2(np.absolute(whole))).sum(1)
    return bool(sizes.max() + parts * most < digits)


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

"""Faster equivalents of what NumPy is slow at, for large arrays.

Each computes what NumPy's own function computes, by passes that its vector units can take.  They
cost more than NumPy's at ten elements and less from about :data:`LARGE` on; who calls them asks
for the size first, once.  What each gives, and what was tried and not kept, stands in
ARCHITECTURE.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy._core import umath
from numpy._core._multiarray_umath import __cpu_features__  # type: ignore[attr-defined]
from numpy._core.multiarray import c_einsum

Array = Any

LARGE = 4096  # elements
BLOCK = 16384  # elements whose temporaries stay in the second-level cache

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


# --------------------------------------------------------------------------- choice

# NumPy's `where` branches at every element, and mispredicts.  Multiplied by 0 or 1 as integers,
# bits are kept or cleared, whatever number they are: inf and nan are cleared, too.
_BITS = {FLOAT32: np.dtype(np.int32), FLOAT64: np.dtype(np.int64)}


def where(condition: Array, x: Array, y: Array) -> Array:
    """Return ``x`` where the bool ``condition`` holds, else ``y``."""
    if _is_zero(x):
        return _kept(np.logical_not(condition), y, 0)
    if _is_zero(y):
        return _kept(condition, x, 0)
    bits = _bits(condition, x)
    if bits is None or y.__class__ is not np.ndarray or (y.dtype, y.shape) != (x.dtype, x.shape):
        return np.where(condition, x, y)
    out = np.empty_like(x)
    chosen = out.view(bits)
    mask = condition.astype(bits)
    np.negative(mask, out=mask)  # all ones where it holds
    np.bitwise_xor(x.view(bits), y.view(bits), out=chosen)
    np.bitwise_and(chosen, mask, out=chosen)
    np.bitwise_xor(chosen, y.view(bits), out=chosen)
    return out


def _kept(condition: Array, x: Array, other: int) -> Array:
    bits = _bits(condition, x)
    if bits is None:
        return np.where(condition, x, other)
    out = np.empty_like(x)
    np.multiply(x.view(bits), condition.astype(bits), out=out.view(bits))
    return out


def _is_zero(value: Array) -> bool:
    return value.__class__ is int and value == 0


def _bits(condition: Array, x: Array) -> np.dtype[Any] | None:
    """Return the integer type of the bits of ``x``, ``None`` where NumPy must choose."""
    if condition.__class__ is not np.ndarray or x.__class__ is not np.ndarray:
        return None
    return _BITS.get(x.dtype) if condition.shape == x.shape else None


# NumPy's maximum of an array and a number takes a slow loop; clip, with two numbers, does not.
def maximum(x: Array, y: Array) -> Array:
    """Return the larger of the two, nan if either is."""
    return umath.clip(x, y, math.inf) if _bounds(x, y) else np.maximum(x, y)


def minimum(x: Array, y: Array) -> Array:
    """Return the smaller of the two, nan if either is."""
    return umath.clip(x, -math.inf, y) if _bounds(x, y) else np.minimum(x, y)


def _bounds(x: Array, y: Array) -> bool:
    """Tell whether ``y`` is one number and ``x`` an array of floating point numbers."""
    return y.__class__ is not np.ndarray and x.__class__ is np.ndarray and x.dtype in _BITS


# --------------------------------------------------------------------------- powers


def power(x: Array, y: Array) -> Array:
    """Return ``x`` to the power ``y``.

    ``x`` is floating point.  For one exponent 2, 3, 4 or -1 by multiplication, within 1.5 eps and
    exact at zeros, infinities and nan.  For other whole exponents from the magnitude: NumPy's loop
    takes 60 ns for each negative base.
    """
    if x.__class__ is not np.ndarray or not _is_number(y):
        return np.power(x, y)
    exponent = float(y)
    multiplied = _MULTIPLIED.get(exponent)
    if multiplied is not None:
        return multiplied(x)
    out = np.full(x.shape, y, x.dtype)  # an array of exponents is faster than one number
    if not exponent.is_integer():
        return np.power(x, out, out=out)
    np.power(np.absolute(x), out, out=out)
    return np.copysign(out, x, out=out) if exponent % 2 else out


def _is_number(y: Array) -> bool:
    return isinstance(y, int | float | np.floating)


def _cube(x: Array) -> Array:
    out = x * x
    return np.multiply(out, x, out=out)


def _fourth(x: Array) -> Array:
    out = x * x
    return np.multiply(out, out, out=out)


_MULTIPLIED = {-1.0: lambda x: 1 / x, 2.0: lambda x: x * x, 3.0: _cube, 4.0: _fourth}


# --------------------------------------------------------------------------- sine and cosine

# NumPy takes float64 sines from the C library, one at a time; its tangent is a vectorised one,
# right to 0.6 units in the last place (ulp), where the processor has AVX-512.
_QUARTER, _QUARTER_REST = math.pi / 4, 3.061616997868383e-17  # their sum is pi / 4 to 106 bits
_FAR = 2.0**24
_NEAR_ZERO = 1e-5


def _in_blocks(function: Callable[[Array, Array], None], numpys: Any) -> Callable[[Array], Array]:
    """Return the function for arrays of any size; it writes the values of one block."""
    if not __cpu_features__["AVX512_SKX"]:
        return numpys

    def blocked(x: Array) -> Array:
        if x.__class__ is not np.ndarray or x.dtype != FLOAT64 or not x.flags.c_contiguous:
            return numpys(x)
        out = np.empty_like(x)
        flat, result = x.reshape(-1), out.reshape(-1)
        for start in range(0, x.size, BLOCK):
            block = slice(start, start + BLOCK)
            function(flat[block], result[block])
        return out

    blocked.__doc__ = function.__doc__
    return blocked


def _sin(x: Array, out: Array) -> None:
    """Return the sine, within 2.5 ulp.

    It is 2 t / (1 + t * t) with t = tan(x / 2), which magnifies no relative error of t.
    """
    np.multiply(x, 0.5, out=out)
    np.tan(out, out=out)
    square = out * out
    square += 1.0
    out += out
    np.divide(out, square, out=out)


def _cos(x: Array, out: Array) -> None:
    """Return the cosine, within 2.5 ulp.

    It is sin(pi / 2 - abs(x)), as in :func:`_sin`, and what the difference rounds off enters to
    first order.  Near its zeros, and of large numbers, the cosine is NumPy's.
    """
    half = np.absolute(x)
    half *= 0.5
    angle = np.subtract(_QUARTER, half)
    rest = angle + half
    np.subtract(_QUARTER, rest, out=rest)  # exact where the cosine is small
    rest += _QUARTER_REST
    t = np.tan(angle, out=angle)
    square = np.multiply(t, t, out=out)
    rest -= rest * square
    t += rest
    t += t
    square += 1.0
    np.divide(t, square, out=out)
    exact = np.logical_or(np.absolute(out) < _NEAR_ZERO, half > _FAR)
    if exact.any():
        out[exact] = np.cos(x[exact])


sin = _in_blocks(_sin, np.sin)
cos = _in_blocks(_cos, np.cos)


# --------------------------------------------------------------------------- sums

_ROWS = 1024  # what a fast loop adds up; the results of several are added by NumPy's sum
_STREAM = 1 << 21  # elements of a matrix that no cache holds
_ONES = {FLOAT32: np.ones(_ROWS, FLOAT32), FLOAT64: np.ones(_ROWS, FLOAT64)}


def sums(array: Array, axes: tuple[int, ...]) -> Array | None:
    """Return the sum over the first axes or over the last ones; ``None``: NumPy's is as fast.

    Not more than 1024 numbers are added up one after the other; NumPy's own sum does so with all
    rows where it sums over the first axes.
    """
    ndim, count = array.ndim, len(axes)
    if not count or array.dtype not in _BITS or not array.flags.c_contiguous:
        return None
    if count == ndim:
        return sums_of_rows(array.reshape(1, -1))[0] if array.size >= 32768 else None
    shape, summed = array.shape, sorted(axes)
    if summed == list(range(ndim - count, ndim)):
        kept = shape[: ndim - count]
        return sums_of_rows(array.reshape(math.prod(kept), -1)).reshape(kept)
    if summed == list(range(count)):
        kept = shape[count:]
        return sums_of_columns(array.reshape(-1, math.prod(kept))).reshape(kept)
    return None


def sums_of_rows(matrix: Array) -> Array:
    """Return the sum of each row."""
    columns = matrix.shape[1]
    if columns <= _ROWS:
        return c_einsum("ij->i", matrix)
    whole = columns - columns % _ROWS
    parts = matrix[:, :whole].reshape(len(matrix), -1, _ROWS)
    total = np.add.reduce(c_einsum("ijk->ij", parts), axis=1)
    if whole < columns:
        total += c_einsum("ij->i", matrix[:, whole:])
    return total


def sums_of_columns(matrix: Array) -> Array:
    """Return the sum of each column: a row of ones times the matrix, while a cache holds it."""
    if matrix.size < _STREAM:
        ones = _ONES[matrix.dtype]

        def add_up(part: Array) -> Array:
            return np.matmul(ones[: part.shape[-2]], part)
    else:

        def add_up(part: Array) -> Array:
            return c_einsum("...jk->...k", part)

    rows, columns = matrix.shape
    if rows <= _ROWS:
        return add_up(matrix)
    whole = rows - rows % _ROWS
    total = np.add.reduce(add_up(matrix[:whole].reshape(-1, _ROWS, columns)), axis=0)
    if whole < rows:
        total += add_up(matrix[whole:])
    return total

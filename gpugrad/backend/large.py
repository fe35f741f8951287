"""Faster equivalents of what NumPy is slow at, for large arrays.

Each computes what NumPy's own function computes, by passes that its vector units can take.  They
cost more than NumPy's at ten elements and less from about :data:`LARGE` on; who calls them asks
for the size first, once.  What each gives, and what was tried and not kept, stands in
ARCHITECTURE.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy._core import umath
from numpy._core.multiarray import c_einsum
from numpy.lib.introspect import opt_func_info

from gpugrad._dtype import INEXACT
from gpugrad.backend.blocks import BLOCK

Array = Any

LARGE = 4096  # elements
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
clip: Any = umath.clip  # type: ignore[attr-defined]


# --------------------------------------------------------------------------- choice

# NumPy's `where` branches at every element, and mispredicts.  The bits of a number can be kept or
# cleared whatever number it is, inf and nan too.
_BITS: dict[Any, np.dtype[Any]] = {
    FLOAT32: np.dtype(np.int32),
    FLOAT64: np.dtype(np.int64),
}
_WORDS = {np.dtype(np.float16): np.dtype(np.int16), **_BITS}


def where(condition: Array, x: Array, y: Array) -> Array:
    """Return ``x`` where the bool ``condition`` holds, else ``y``."""
    full = x if x.__class__ is np.ndarray else y
    if not (
        full.__class__ is np.ndarray
        and full.dtype in _WORDS
        and _spans(np.shape(condition), full.shape)
        and _matches(x, full)
        and _matches(y, full)
    ):
        return np.where(condition, x, y)
    if not np.ndim(condition):
        return np.full(full.shape, x if condition else y, full.dtype)
    out = np.empty_like(full)
    choose(condition, x, y, out)
    return out


def choose(condition: Array, x: Array, y: Array, out: Array) -> None:
    """Write ``x`` where the condition holds, else ``y``: numbers, or arrays of the result's type.

    Where it holds for all, or for none, nothing is chosen.
    """
    count = np.count_nonzero(condition)
    if count in (0, condition.size):
        np.copyto(out, x if count else y)
        return
    bits = _WORDS[out.dtype]
    chosen, mask = out.view(bits), condition.astype(bits)
    if _is_zero(y):
        np.multiply(x.view(bits), mask, out=chosen)
    elif _is_zero(x):
        mask -= 1
        np.bitwise_and(y.view(bits), mask, out=chosen)
    else:
        np.negative(mask, out=mask)  # all ones where the condition holds
        other = np.asarray(y, out.dtype).view(bits)
        np.bitwise_xor(np.asarray(x, out.dtype).view(bits), other, out=chosen)
        np.bitwise_and(chosen, mask, out=chosen)
        np.bitwise_xor(chosen, other, out=chosen)


def _spans(shape: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """Tell whether an array of one shape broadcasts to the other."""
    ends = zip(shape[::-1], full[::-1], strict=False)
    return len(shape) <= len(full) and all(n in (1, m) for n, m in ends)


def _matches(value: Array, full: Array) -> bool:
    """Tell whether a value is a number, or an array of the same shape and type."""
    if value.__class__ in (int, float):
        return True
    return bool(value.dtype == full.dtype and value.shape in ((), full.shape))


def _is_zero(value: Array) -> bool:
    return value.__class__ is int and bool(value == 0)


# NumPy's maximum of an array and a number takes a slow loop; clip, with two numbers, does not.
def maximum(x: Array, y: Array) -> Array:
    """Return the larger of the two, nan if either is."""
    return clip(x, y, math.inf) if _bounds(x, y) else np.maximum(x, y)


def minimum(x: Array, y: Array) -> Array:
    """Return the smaller of the two, nan if either is."""
    return clip(x, -math.inf, y) if _bounds(x, y) else np.minimum(x, y)


def _bounds(x: Array, y: Array) -> bool:
    """Tell whether ``y`` is one number and ``x`` an array of floating point numbers."""
    return x.__class__ is np.ndarray and x.dtype in _BITS and np.ndim(y) == 0


# --------------------------------------------------------------------------- triangles


def triangle(array: Array, diagonal: int, upper: bool) -> Array:
    """Return matrices with zeros below a diagonal, or above it.

    An element is the bits of an integer, and what is kept of them a window of one vector: in a
    third of the time of ``numpy.tril``.
    """
    rows, columns = array.shape[-2:]
    kind = _INTEGERS.get(array.itemsize)
    if kind is None or not array.size:
        return (np.triu if upper else np.tril)(array, diagonal)
    line = np.zeros(rows + columns - 1, kind)  # by column less row, from 1 - rows on
    bound = rows + diagonal - upper
    if bound < 0:
        bound = 0
    line[slice(bound, None) if upper else slice(bound)] = -1
    step = line.itemsize
    kept = np.lib.stride_tricks.as_strided(line[rows - 1 :], (rows, columns), (-step, step))
    return (np.ascontiguousarray(array).view(kind) & kept).view(array.dtype)


_INTEGERS = {n: np.dtype(f"i{n}") for n in (1, 2, 4, 8)}


# --------------------------------------------------------------------------- powers


def power(x: Array, y: Array) -> Array:
    """Return ``x`` to the power ``y``.

    ``x`` is floating point.  For one exponent 2, 3, 4 or -1 by multiplication, within 1.5 eps and
    exact at zeros, infinities and nan; 0.5 is the square root, as for NumPy and PyTorch.  For
    other whole exponents from the magnitude: NumPy's loop takes 60 ns for each negative base.
    """
    if x.__class__ is not np.ndarray or np.ndim(y):
        return np.power(x, y)
    exponent = float(y)
    simpler = _SIMPLER.get(exponent)
    if simpler is not None:
        return simpler(x)
    out = np.full(x.shape, y, x.dtype)  # an array of exponents is faster than one number
    if not exponent.is_integer():
        return np.power(x, out, out=out)
    np.power(np.absolute(x), out, out=out)
    return np.copysign(out, x, out=out) if exponent % 2 else out


def _fourth(x: Array) -> Array:
    square = x * x
    return square * square


_SIMPLER: dict[float, Callable[[Array], Array]] = {
    -1.0: lambda x: 1 / x,
    0.5: np.sqrt,
    2.0: lambda x: x * x,
    3.0: lambda x: x * x * x,
    4.0: _fourth,
}


# --------------------------------------------------------------------------- sine and cosine


def vectorised(name: str, kind: str, wide: bool = False) -> bool:
    """Tell whether NumPy has a loop of vector instructions for a function of one type.

    For most functions beyond arithmetic it has them on Linux with AVX-512; with ``wide`` only such
    loops count.
    """
    known = ("AVX512", "X86_V4") if wide else ("",)
    loops = opt_func_info(f"^{name}$", kind).get(name, {})
    letter = np.dtype(kind).char
    return any(
        signature.strip(letter) == ""
        and not loop["current"].startswith("baseline")
        and loop["current"].startswith(known)
        for signature, loop in loops.items()
    )


# NumPy takes float64 sines from the C library, one at a time; its tangent is a vectorised one,
# right to 0.6 units in the last place, on Linux with AVX-512.
_VECTORISED = sys.platform == "linux" and vectorised("tan", "float64")
_QUARTER, _QUARTER_REST = math.pi / 4, 3.061616997868383e-17  # their sum is pi / 4 to 106 bits
_FAR = 2.0**24
_NEAR_ZERO = 1e-5


def _in_blocks(function: Callable[[Array, Array], None], numpys: Any) -> Callable[[Array], Array]:
    """Return the function for arrays of any size; it writes the values of one block."""
    if not _VECTORISED:
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
    """Return the sine, its relative error below 1.5 eps.

    It is 2 t / (1 + t * t) with t = tan(x / 2), which magnifies no relative error of t.
    """
    np.multiply(x, 0.5, out=out)
    np.tan(out, out=out)
    square = out * out
    square += 1.0
    out += out
    np.divide(out, square, out=out)


def _cos(x: Array, out: Array) -> None:
    """Return the cosine, its relative error below 2 eps.

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

_ROWS = 1024  # what a fast loop adds up along a row; several of these are added by NumPy's sum
_RUN = 128  # how many of more rows than that are added up one after the other
# Neighbours with which NumPy takes as long as with the slices along their axis: 20 ns for each row.
SHORT = 32
_STREAM = 1 << 21  # elements of a matrix that no cache holds
# OpenBLAS divides products with a matrix of more elements among threads, which changes last bits.
_ALONE = 4 * 2304 - 1
_FEW = 8  # rows, of which a product with ones has too few to be faster
_ONES: dict[Any, Array] = {dtype: np.ones(_ROWS, dtype) for dtype in _BITS}


def shaped(array: Array, shape: tuple[int, ...]) -> Array:
    """Return an array in another shape, and itself, which is no view, where it has that shape."""
    return array if array.shape == shape else array.reshape(shape)


def sums(array: Array, axes: tuple[int, ...]) -> Array | None:
    """Return the sum over some axes; ``None``: NumPy's is as fast and as exact.

    Numbers are added up one after the other in short runs only, whose sums are added in the same
    way; NumPy's own sum does so with all rows where it sums over the first axes.
    """
    ndim = array.ndim
    if not axes or array.dtype not in _BITS:
        return _in_turn(array, axes) if array.dtype.kind in INEXACT else None
    if not array.flags.c_contiguous:  # by the order in which the elements lie in memory
        order = sorted(range(ndim), key=lambda k: -array.strides[k])
        whole = array.transpose(order)
        if not whole.flags.c_contiguous:
            if axes == (ndim - 1,) and 1 < array.shape[-1] <= SHORT:
                return _of_columns(array)
            return _in_turn(array, axes)
        total = sums(whole, tuple([order.index(k) for k in axes]))
        kept = [k for k in order if k not in axes]
        if total is None or kept == sorted(kept):
            return total
        return total.transpose([kept.index(k) for k in sorted(kept)])
    first, count, shape = min(axes), len(axes), array.shape
    if count == ndim:
        return _sum_of_all(array.reshape(-1)) if array.size >= 32768 else None
    if max(axes) - first != count - 1:
        if array.size < 32768:
            return None
        last = tuple([k for k in axes if all(j in axes for j in range(k, max(axes)))])
        rest = tuple([k for k in axes if k not in last])
        array = sums(array, last)
        found = sums(array, rest)
        return np.add.reduce(array, axis=rest) if found is None else found
    before, after = shape[:first], shape[first + count :]
    if first + count == ndim:
        return shaped(sums_of_rows(array.reshape(math.prod(before), -1)), before)
    middle = (math.prod(before), math.prod(shape[first : first + count]), math.prod(after))
    return shaped(sums_of_columns(array.reshape(middle)), before + after)


def _of_columns(array: Array) -> Array:
    """Return the sum along a short last axis, as that of its columns."""
    total = array[..., 0] + array[..., 1]
    for k in range(2, array.shape[-1]):
        total += array[..., k]
    return total


def _in_turn(array: Array, axes: tuple[int, ...]) -> Array | None:
    """Return the sum over one axis after the other, each in short runs, for any strides.

    ``None``: none but the one along which NumPy adds by pairs is long.
    """
    pairs = min(range(array.ndim), key=lambda k: abs(array.strides[k]), default=0)
    if not any(array.shape[k] > _RUN for k in axes if k != pairs):
        return None
    for k in sorted(axes, reverse=True):
        array = _along(array, k)
    return array


def _along(array: Array, axis: int) -> Array:
    n = array.shape[axis]
    if n <= SHORT and axis == array.ndim - 1:  # slices are added rather than few neighbours
        return np.add.reduce(array.transpose((axis, *range(axis))), axis=0)
    if n <= _RUN:
        return np.add.reduce(array, axis=axis)
    whole = n - n % _RUN
    here = (slice(None),) * axis
    shape = array.shape
    parts = array[(*here, slice(whole))].reshape(
        (*shape[:axis], whole // _RUN, _RUN, *shape[axis + 1 :])
    )
    total = _along(np.add.reduce(parts, axis=axis + 1), axis)
    if whole < n:
        total = total + np.add.reduce(array[(*here, slice(whole, None))], axis=axis)
    return total


def _sum_of_all(flat: Array) -> Array:
    """Return the sum of a flat array: of rows, and of these."""
    whole = flat.size - flat.size % _ROWS
    total = np.add.reduce(c_einsum("ij->i", flat[:whole].reshape(-1, _ROWS)))
    return total if whole == flat.size else total + c_einsum("i->", flat[whole:])


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


def sums_of_columns(matrices: Array) -> Array:
    """Return the sum of each column.

    A row of ones times some rows is fastest while a cache holds the matrix, and one thread has it.
    """
    stack, rows, columns = matrices.shape
    size = rows * columns
    ones = _ONES[matrices.dtype]
    if size <= _ALONE and rows <= _ROWS:
        return ones[:rows] @ matrices
    run = min(_RUN, _ALONE // max(columns, 1))
    if run < _FEW or size < 4 * _ALONE or matrices.size >= _STREAM:
        return _in_parts("...jk->...k", matrices)
    whole = rows - rows % run
    parts = ones[:run] @ matrices[:, :whole].reshape(stack, -1, run, columns)
    total = _in_parts("...jk->...k", parts, most=_RUN)
    if whole < rows:
        total += ones[: rows - whole] @ matrices[:, whole:]
    return total


def _in_parts(subscripts: str, *matrices: Array, most: int = _ROWS) -> Array:
    """Return what ``c_einsum`` makes of matrices whose rows it adds up, a run at a time."""
    stack, rows, columns = matrices[0].shape
    if rows <= most:  # one call is faster than several
        return c_einsum(subscripts, *matrices)
    whole = rows - rows % _RUN
    parts = [m[:, :whole].reshape(stack, -1, _RUN, columns) for m in matrices]
    total = _in_parts("...jk->...k", c_einsum(subscripts, *parts), most=_RUN)
    if whole < rows:
        total += c_einsum(subscripts, *(m[:, whole:] for m in matrices))
    return total


def _products_of_rows(x: Array, y: Array) -> Array:
    """Return the sum of the products of the elements of each row: of short parts, and of these."""
    columns = x.shape[1]
    if columns < SHORT:  # of which BLAS takes longer to begin
        return c_einsum("ij,ij->i", x, y)
    if columns <= _ROWS:
        return np.vecdot(x, y)
    whole = columns - columns % _ROWS
    parts = [m[:, :whole].reshape(len(m), -1, _ROWS) for m in (x, y)]
    total = np.add.reduce(np.vecdot(*parts), axis=1)
    if whole < columns:
        total += np.vecdot(x[:, whole:], y[:, whole:])
    return total


def sums_of_products(x: Array, y: Array, axes: tuple[int, ...]) -> Array | None:
    """Return the sum of ``x * y`` over the first axes, or the last; ``None``: no loop does so.

    The product is not written anywhere.
    """
    count, shape = len(axes), x.shape
    if shape != y.shape or x.dtype != y.dtype or x.dtype not in _BITS:
        return None
    first = len(shape) - count
    if count and axes == tuple(range(first, first + count)):
        if not (x.flags.c_contiguous and y.flags.c_contiguous):
            return None
        rows = math.prod(shape[:first]), math.prod(shape[first:])
        return shaped(_products_of_rows(x.reshape(rows), y.reshape(rows)), shape[:first])
    if axes != tuple(range(count)) or not 0 < count < len(shape):
        return None
    flat = (1, math.prod(shape[:count]), math.prod(shape[count:]))
    total = _in_parts("...jk,...jk->...k", x.reshape(flat), y.reshape(flat))
    return shaped(total, shape[count:])

"""Scans along an axis: at each place what is made of the elements up to it; products of all."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad._dtype import FLOATING, INEXACT, is_half
from gpugrad.backend import half, loops

Array = Any

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_UFUNCS: dict[str, Any] = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
    "logaddexp": np.logaddexp,
}  # fmt: skip


def scan(kind: str, arrays: Sequence[Array], axis: int, reverse: bool) -> Array:
    """Return a scan of one array, or the recurrence of two; see :class:`Backend`."""
    if kind == "recurrence":
        factor, term = arrays
        return _recurrence(factor, term, axis, reverse)
    (array,) = arrays
    if kind == "logaddexp" and array.dtype.kind == "c":
        return _along_last(_complex_logaddexp, arrays, axis, reverse)
    own = array.dtype
    if is_half(own):
        array = half.widened(array)
    found = _by_loop(kind, array, axis, reverse)
    if found is None:
        if reverse:
            array = np.flip(array, axis)
        found = _accumulated(kind, array, axis)
        if reverse:
            found = np.ascontiguousarray(np.flip(found, axis))
    return half.rounded(found, own) if is_half(own) else found


def extreme(array: Array, axis: int, greatest: bool) -> tuple[Array, Array]:
    """Return the maxima or minima up to each place, and where the last of them is; nan wins."""
    length = array.shape[axis]
    if _loops(array) is not None:
        kind = "max" if greatest else "min"
        places = np.empty(array.shape, np.int64)
        found = _by_loop(kind, array, axis, other=places)
        if found is not None:
            return found, places
    moved = np.ascontiguousarray(np.moveaxis(array, axis, -1))
    values = _accumulated("max" if greatest else "min", moved, moved.ndim - 1)
    here = np.equal(moved, values)
    if array.dtype.kind in FLOATING:
        here |= np.isnan(moved)
    if not here.size:
        places = np.zeros(values.shape, np.int64)
    else:  # the first of each row is there
        found = np.flatnonzero(here)
        counts = np.diff(found, append=here.size)
        places = np.repeat(found % length, counts).reshape(values.shape)
    values, places = (np.moveaxis(a, -1, axis) for a in (values, places))
    return np.ascontiguousarray(values), np.ascontiguousarray(places)


# --------------------------------------------------------------------------- loops

_LEAST = 1 << 15  # elements from which calls take a loop
_KINDS = {"sum": 0, "prod": 1, "max": 2, "min": 3, "recurrence": 4}


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return the loops, ``None`` where none can be built."""
    from gpugrad.kernels import host

    made = loops.with_frames(host.SCANS)
    if isinstance(made, str):
        return None
    long, int_ = ctypes.c_long, ctypes.c_int
    made.gpugrad_scan.argtypes = ctypes.c_void_p, int_, long, long, long, int_, int_, int_
    made.gpugrad_product.argtypes = ctypes.c_void_p, int_, long, long, long, int_
    made.gpugrad_scan.restype = made.gpugrad_product.restype = None
    return made


def _loops(array: Array) -> ctypes.CDLL | None:
    """Return the loops for an array, ``None`` where NumPy is to compute."""
    return _library() if array.size >= _LEAST and array.dtype.char in "fd" else None


def product(array: Array) -> Array | None:
    """Return the product along the middle one of three axes; ``None``: there is no loop for it.

    It is right wherever it is in range itself.
    """
    made = _loops(array)
    if made is None:
        return None
    array = np.require(array, None, ("C", "A"))
    outer, length, inner = array.shape
    out = np.empty((outer, inner), array.dtype)
    objects = (ctypes.c_void_p * 2)(id(array), id(out))
    count = loops.threads_for(array.size)
    made.gpugrad_product(objects, array.itemsize, outer, length, inner, count)
    return out


def _by_loop(
    kind: str, array: Array, axis: int, reverse: bool = False, other: Array | None = None
) -> Array | None:
    """Return a scan by a loop; ``None``: there is none.

    The ``other`` array is of the places of extremes, which are written, or the factors of a
    recurrence.
    """
    made = _loops(array)
    if made is None or kind not in _KINDS or (other is None and kind in ("max", "min")):
        return None
    array = np.require(array, None, ("C", "A"))
    shape, out = array.shape, np.empty(array.shape, array.dtype)
    outer, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    objects = (ctypes.c_void_p * 3)(id(array), id(out), id(out if other is None else other))
    made.gpugrad_scan(
        objects, array.itemsize, outer, shape[axis], inner, _KINDS[kind], reverse,
        loops.threads_for(array.size),
    )  # fmt: skip
    return out


# --------------------------------------------------------------------------- NumPy's steps

_COUNT = 8  # elements of a part
_LONG = 4096  # elements; below, parts cost more than they save


def _accumulated(kind: str, array: Array, axis: int) -> Array:
    """Return a scan by a ufunc.

    NumPy takes each element of a floating point scan from memory where the one before it has just
    been written, which takes 4 ns.  Here steps are taken in all parts of the axis together, and
    then what comes before a part goes into all of it.  Where a part's own sum or product leaves the
    range of its type, or is 0, it is NumPy's way.  Sums of parts are added in double precision, so
    that roundings do not add up.
    """
    ufunc, dtype = _UFUNCS[kind], array.dtype
    if kind == "prod" and dtype == _FLOAT32:  # of numbers near 1 all roundings count
        return _accumulated(kind, array.astype(_FLOAT64), axis).astype(dtype)
    wide = _FLOAT64 if kind == "sum" and dtype == _FLOAT32 else dtype
    length = array.shape[axis]
    if array.size >= _LONG and length >= 4 * _COUNT and kind in _IN_PARTS and dtype.kind in INEXACT:
        found = _in_parts(ufunc, array, axis, wide)
        if found is not None:
            return found
    found = ufunc.accumulate(array, axis, wide)
    return found if found.dtype == dtype else found.astype(dtype)


_IN_PARTS = ("sum", "prod", "max", "min")


def _in_parts(ufunc: Any, array: Array, axis: int, wide: np.dtype[Any]) -> Array | None:
    length = array.shape[axis]
    outer, inner = math.prod(array.shape[:axis]), math.prod(array.shape[axis + 1 :])
    parts = -(-length // _COUNT)
    nothing = 1 if ufunc is np.multiply else 0
    out = np.empty((outer, parts * _COUNT, inner), array.dtype)
    out[:, :length] = array.reshape(outer, length, inner)
    out[:, length:] = nothing
    steps = out.reshape(outer, parts, _COUNT, inner)
    for k in range(1, _COUNT):
        ufunc(steps[:, :, k], steps[:, :, k - 1], out=steps[:, :, k])
    totals = steps[:, :, -1]
    if ufunc is np.multiply or ufunc is np.add:
        size = np.absolute(totals)
        least = np.finfo(array.dtype).tiny if ufunc is np.multiply else 0
        if not (size.min() >= least and size.max() < math.inf):
            return None
    before = np.empty(totals.shape, array.dtype)
    before[:, 1:] = ufunc.accumulate(totals[:, :-1], 1, wide)
    extreme = ufunc is np.maximum or ufunc is np.minimum
    before[:, 0] = steps[:, 0, 0] if extreme else nothing  # which changes nothing
    if inner == 1:  # numbers in long rows
        flat = out.reshape(-1)
        ufunc(flat, np.repeat(before.reshape(-1), _COUNT), out=flat)
    else:
        ufunc(steps, before[:, :, None], out=steps)
    return np.ascontiguousarray(out[:, :length]).reshape(array.shape)


def _along_last(
    function: Callable[..., Array], arrays: Sequence[Array], axis: int, reverse: bool
) -> Array:
    """Return a scan of halves in single precision, from either end, as one of the last axis."""
    found = [np.moveaxis(a, axis, -1) for a in np.broadcast_arrays(*arrays)]
    kind = found[0].dtype
    if is_half(kind):
        found = [a.astype(_FLOAT32) for a in found]
    if reverse:
        found = [a[..., ::-1] for a in found]
    result = function(*found)
    result = np.moveaxis(result[..., ::-1] if reverse else result, -1, axis)
    return np.ascontiguousarray(result, kind)


# --------------------------------------------------------------------------- recurrences

_SHORT = 32  # steps; so few are taken one after the other
_MANY = 4096  # rows that make a step worth its call


def _recurrence(factor: Array, term: Array, axis: int, reverse: bool) -> Array:
    """Return a recurrence along an axis."""
    if factor.shape == term.shape and factor.dtype == term.dtype:
        factors = np.require(factor, None, ("C", "A"))
        found = _by_loop("recurrence", term, axis, reverse, factors)
        if found is not None:
            return found
    return _along_last(recurrence, (factor, term), axis, reverse)


def recurrence(factor: Array, term: Array) -> Array:
    """Return y[k] = factor[k] * y[k - 1] + term[k] along the last axis, where y[-1] is 0.

    A long axis is divided into parts, in all of which steps are taken together: each part gives a
    number and the product of its factors, and what comes before it multiplies this.  Where such a
    product is not finite, steps are taken one by one.
    """
    lead, length = term.shape[:-1], term.shape[-1]
    rows = math.prod(lead)
    if length <= _SHORT or rows >= _MANY:
        return _stepwise(factor, term)
    count = _SHORT if length <= _SHORT**2 else math.isqrt(length)
    parts = -(-length // count)
    shape = (*lead, parts * count)
    divided = []
    for array in factor, term:
        padded = np.zeros(shape, array.dtype)
        padded[..., :length] = array
        divided.append(padded.reshape(*lead, parts, count))
    a, b = divided
    found, products = _stepwise(a, b), np.multiply.accumulate(a, -1)
    if not np.isfinite(products).all():
        return _stepwise(factor, term)
    before = np.zeros((*lead, parts), term.dtype)
    before[..., 1:] = recurrence(products[..., -1], found[..., -1])[..., :-1]
    found += products * before[..., None]
    return found.reshape(shape)[..., :length]


def _stepwise(factor: Array, term: Array) -> Array:
    """Return the same, step by step in all rows."""
    a = np.ascontiguousarray(np.moveaxis(factor, -1, 0))
    out = np.array(np.moveaxis(term, -1, 0), order="C")  # a copy, whatever the layout
    for k in range(1, len(out)):
        out[k] += a[k] * out[k - 1]
    return np.moveaxis(out, 0, -1)


def _complex_logaddexp(array: Array) -> Array:
    """Return log(exp(x[0]) + ... + exp(x[k])) of complex numbers, doubling what is added up.

    Of the angles of a result, which differ by full turns, it is the one that is next to that of the
    larger of what is added, the sum so far and x[k]: adding one by one gives that, and PyTorch.
    """
    out = array.copy()
    step = 1
    while step < out.shape[-1]:
        out[..., step:] = _sum_of_exponentials(out[..., step:], out[..., :-step])
        step *= 2
    if out.shape[-1] < 2:
        return out
    alone = np.ones(out.shape, bool)  # where the new number is the larger one
    alone[..., 1:] = array.real[..., 1:] > out.real[..., :-1]
    turns = _turns(array.imag - out.imag)
    turned = np.zeros(out.shape)
    turned[..., 1:] = np.add.accumulate(_turns(out.imag[..., :-1] - out.imag[..., 1:]), -1)
    last = np.maximum.accumulate(np.where(alone, np.arange(out.shape[-1]), 0), -1)
    first = np.take_along_axis(turns - turned, last, -1)
    out.imag += (first + turned) * (2 * math.pi)
    return out


def _turns(angle: Array) -> Array:
    """Return how many full turns an angle is, at least next to it."""
    found = np.round(angle / (2 * math.pi))
    return np.where(np.isfinite(found), found, 0)


def _sum_of_exponentials(x: Array, y: Array) -> Array:
    """Return log(exp(x) + exp(y)) of complex numbers."""
    swapped = y.real > x.real
    large: Array = np.where(swapped, y, x)
    small: Array = np.where(swapped, x, y)
    same = (large.real == small.real) & np.isinf(large.real)  # whose difference is nan
    found = large + np.log1p(np.exp(small - large))
    return np.where(same, large, found)

"""Sums, means and extremes, of all elements or along axes; running sums and products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpugrad.numpy.operands import (
    also,
    array_of,
    cast,
    door,
    dtype_of,
    inexact,
    library,
    plain,
    sent,
    written,
)
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import NO_VALUE, normal_axes, op
from gpugrad.ops import complex as complex_
from gpugrad.ops import joining, reduction
from gpugrad.ops import pointwise as pw
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone

_add, _multiply = UFUNCS["add"], UFUNCS["multiply"]
_maximum, _minimum = UFUNCS["maximum"], UFUNCS["minimum"]


@door
def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = NO_VALUE, where: Any = True,
) -> Any:  # fmt: skip
    return _add.reduce(array_of(a), axis, dtype, out, _flag(keepdims), initial, where)


@door
def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = NO_VALUE, where: Any = True,
) -> Any:  # fmt: skip
    return _multiply.reduce(array_of(a), axis, dtype, out, _flag(keepdims), initial, where)


@door
def max(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = NO_VALUE,
    where: Any = True,
) -> Any:  # fmt: skip
    """Return the greatest element, nan where there is one; equal ones share the gradient."""
    return _maximum.reduce(array_of(a), axis, None, out, _flag(keepdims), initial, where)


@door
def min(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = NO_VALUE,
    where: Any = True,
) -> Any:  # fmt: skip
    """Return the least element, nan where there is one; equal ones share the gradient."""
    return _minimum.reduce(array_of(a), axis, None, out, _flag(keepdims), initial, where)


also(max, "amax")
also(min, "amin")


@door
def all(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    return UFUNCS["logical_and"].reduce(
        array_of(a), axis, None, out, _flag(keepdims), NO_VALUE, where
    )


@door
def any(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    return UFUNCS["logical_or"].reduce(
        array_of(a), axis, None, out, _flag(keepdims), NO_VALUE, where
    )


def _flag(keepdims: Any) -> bool:
    return keepdims is not NO_VALUE and bool(keepdims)


@door
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    a = array_of(a)
    return UFUNCS["subtract"](
        max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims), out=out
    )


# --------------------------------------------------------------------------- means


@door
def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *,
    where: Any = True,
) -> Any:  # fmt: skip
    x = plain(a)
    kind = inexact(x._array.dtype) if dtype is None else dtype_of(dtype)
    if where is None or where is NO_VALUE:
        where = True
    axes = normal_axes(axis, x._array.ndim)
    if where is True and kind.kind in "fcV":
        x = cast(x, kind)
        found = reduction.mean(x, axes, _flag(keepdims)) if axes else clone(x)
    else:
        total = sum(array_of(x), axis, kind, None, keepdims, where=where)
        ones = array_of(shapes.broadcast_to(plain(1.0, x.device), x._array.shape))
        found = cast(plain(total / sum(ones, axis, keepdims=keepdims, where=where)), kind)
    return written("mean", out, found)


@door
def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return written("var", out, _spread("var", a, axis, dtype, ddof, keepdims, where, mean,
                                       correction))  # fmt: skip


@door
def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return written("std", out, _spread("std", a, axis, dtype, ddof, keepdims, where, mean,
                                       correction))  # fmt: skip


def _spread(
    name: str, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, center: Any,
    correction: Any,
) -> Any:  # fmt: skip
    """Return the variance, or the root of it, of all elements or those of a mask."""
    if correction is not NO_VALUE:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    x = plain(a)
    x = cast(x, inexact(x._array.dtype) if dtype is None else dtype_of(dtype))
    axes = normal_axes(axis, x._array.ndim)
    count = math.prod(x._array.shape[k] for k in axes)
    usual = where is True or where is NO_VALUE
    if usual and center is NO_VALUE and count == 1 and not ddof:  # one number does not deviate
        none = complex_.real(x - x)
        return reduction.sum(none, axes, _flag(keepdims)) if axes else none
    if usual and center is NO_VALUE and axes and count > ddof and x._array.dtype.kind != "c":
        return op(name)(x, axes, correction=ddof, keepdim=_flag(keepdims))
    x, where = array_of(x), True if usual else where
    center = mean(x, axis, keepdims=True, where=where) if center is NO_VALUE else array_of(center)
    away = array_of(x) - center
    squares = away * away if x.dtype.kind != "c" else (
        UFUNCS["square"](away.real) + UFUNCS["square"](away.imag))  # fmt: skip
    total = sum(squares, axis, keepdims=keepdims, where=where)
    ones = array_of(shapes.broadcast_to(plain(1.0, x.device), x.shape))
    degrees = sum(ones, axis, keepdims=keepdims, where=where) - ddof
    degrees = _maximum(degrees, 0.0)
    found = array_of(cast(plain(total / degrees), squares.dtype))
    return UFUNCS["sqrt"](found) if name == "std" else found


@door
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    """Return the weighted mean, with ``returned`` also the sum of the weights.

    Raises:
        ZeroDivisionError: The weights sum to 0.
    """
    a = array_of(a)
    if weights is None:
        found = array_of(mean(a, axis, keepdims=keepdims))
        scale = array_of(plain(a.size / found.size if found.size else np.nan)).astype(found.dtype)
    else:
        w = array_of(weights, a.device)
        kind = np.result_type(a.dtype, w.dtype, *([] if a.dtype.kind in "fc" else ["f8"]))
        if w.shape != a.shape:
            if axis is None:
                raise TypeError("Axis must be specified when shapes of a and weights differ.")
            axes = normal_axes(axis, a.ndim)
            if w.shape != tuple(a.shape[k] for k in axes):
                raise ValueError("Shape of weights must be consistent with shape of a along "
                                 "specified axis.")  # fmt: skip
            order = [sorted(axes).index(k) for k in axes]
            w = array_of(shapes.permute(plain(w), tuple(np.argsort(order).tolist())))
            w = array_of(shapes.reshape(
                plain(w), tuple(n if k in axes else 1 for k, n in enumerate(a.shape))
            ))  # fmt: skip
        w = array_of(shapes.broadcast_to(plain(w), a.shape)) if w.shape != a.shape else w
        scale = array_of(sum(w, axis, kind, keepdims=keepdims))
        if bool(any(array_of(scale.detach()) == 0)):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        found = array_of(sum(_multiply(a, w, dtype=kind), axis, keepdims=keepdims)) / scale
    if returned:
        whole = scale if scale.shape == found.shape else array_of(
            shapes.broadcast_to(plain(scale), found.shape))  # fmt: skip
        return found, clone(plain(whole))
    return found


# --------------------------------------------------------------------------- running


def _running(ufunc: Any, a: Any, axis: Any, dtype: Any, out: Any) -> Any:
    a = array_of(a)
    if axis is None:
        a, axis = array_of(shapes.reshape(plain(a), (-1,))), 0
    if not a.ndim:
        a = array_of(shapes.reshape(plain(a), (1,)))
    return ufunc.accumulate(a, axis, dtype, out)


@door
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _running(_add, a, axis, dtype, out)


@door
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _running(_multiply, a, axis, dtype, out)


def _cumulative(ufunc: Any, x: Any, axis: Any, dtype: Any, out: Any, initial: bool) -> Any:
    x = array_of(x)
    if axis is None:
        if x.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is "
                             "required.")  # fmt: skip
        axis = 0
    found = plain(ufunc.accumulate(x, axis, dtype))
    if initial:
        (k,) = normal_axes(axis, x.ndim)
        shape = (*x.shape[:k], 1, *x.shape[k + 1 :])
        start = cast(plain(ufunc.identity, x.device), found._array.dtype)
        found = joining.cat([shapes.broadcast_to(start, shape), found], k)
    return written(f"cumulative {ufunc.__name__}", out, found)


@door
def cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
    include_initial: bool = False,
) -> Any:  # fmt: skip
    return _cumulative(_add, x, axis, dtype, out, include_initial)


@door
def cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
    include_initial: bool = False,
) -> Any:  # fmt: skip
    return _cumulative(_multiply, x, axis, dtype, out, include_initial)


# --------------------------------------------------------------------------- without nan


def without_nan(a: Any, value: Any) -> tuple[Any, Any]:
    """Return an array with a value in the place of nan, and where it was, ``None`` for integers."""
    a = array_of(a)
    if a.dtype.kind not in "fcV":
        return a, None
    x = plain(a)
    lost = pw.isnan(x)
    return array_of(pw.where(lost, cast(plain(value, x.device), a.dtype), x)), array_of(lost)


@door
def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = NO_VALUE, where: Any = True,
) -> Any:  # fmt: skip
    return sum(without_nan(a, 0)[0], axis, dtype, out, keepdims, initial, where)


@door
def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = NO_VALUE, where: Any = True,
) -> Any:  # fmt: skip
    return prod(without_nan(a, 1)[0], axis, dtype, out, keepdims, initial, where)


def _nan_extreme(
    name: str, a: Any, axis: Any, out: Any, keepdims: Any, initial: Any, where: Any
) -> Any:
    reduce = max if name == "max" else min
    x, lost = without_nan(a, -np.inf if name == "max" else np.inf)
    if where is not True and where is not NO_VALUE and initial is NO_VALUE:
        raise ValueError(
            f"reduction operation 'f{name}' does not have an identity, so to use a where mask one "
            "has to specify 'initial'"
        )
    found = array_of(reduce(x, axis, None, keepdims, initial, where))
    if lost is not None and initial is NO_VALUE:
        none = plain(all(lost, axis, keepdims=keepdims))
        found = pw.where(none, cast(sent(np.nan, x.device), x.dtype), plain(found))
    return written(f"nan{name}", out, found)


@door
def nanmax(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = NO_VALUE,
    where: Any = True,
) -> Any:  # fmt: skip
    return _nan_extreme("max", a, axis, out, keepdims, initial, where)


@door
def nanmin(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = NO_VALUE,
    where: Any = True,
) -> Any:  # fmt: skip
    return _nan_extreme("min", a, axis, out, keepdims, initial, where)


def _known(lost: Any, where: Any) -> Any:
    """Return the mask of what is no nan, and taken by another mask."""
    there = UFUNCS["logical_not"](lost)
    return there if where is True or where is NO_VALUE else there & array_of(where, lost.device)


@door
def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *,
    where: Any = True,
) -> Any:  # fmt: skip
    x, lost = without_nan(a, 0)
    if lost is None:
        return mean(x, axis, dtype, out, keepdims, where=where)
    return mean(x, axis, dtype, out, keepdims, where=_known(lost, where))


@door
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    x, lost = without_nan(a, 0)
    where = where if lost is None else _known(lost, where)
    return var(x, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)


@door
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = NO_VALUE, correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    x, lost = without_nan(a, 0)
    where = where if lost is None else _known(lost, where)
    return std(x, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)


@door
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return cumsum(without_nan(a, 0)[0], axis, dtype, out)


@door
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return cumprod(without_nan(a, 1)[0], axis, dtype, out)


count_nonzero = library("count_nonzero")

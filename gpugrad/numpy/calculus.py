"""Differences, integrals, interpolation and convolution; rounding and cleaning of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.graph import TensorBase
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import (
    also,
    apart,
    array_of,
    cast,
    door,
    inexact,
    library,
    on_host,
    own,
    plain,
    plains,
    promoted,
    sent,
    tensors_in,
    written,
)
from gpugrad.numpy.shapes import concatenate, flip
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import NO_VALUE, normal_axes, op
from gpugrad.ops import joining
from gpugrad.ops import pointwise as pw
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import clone
from gpugrad.ops.strided import unfold

add, subtract, multiply = UFUNCS["add"], UFUNCS["subtract"], UFUNCS["multiply"]

# --------------------------------------------------------------------------- differences


def _along(k: int, part: slice) -> Any:
    return (*(slice(None),) * k, part)


@door
def diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = NO_VALUE, append: Any = NO_VALUE
) -> Any:
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    a = array_of(a)
    if not a.ndim:
        raise ValueError("diff requires input that is at least one dimensional")
    (k,) = normal_axes(axis, a.ndim)
    parts = []
    for part in (prepend, a, append):
        if part is NO_VALUE:
            continue
        part = plain(part, a.device)
        if not part._array.ndim:
            part = shapes.broadcast_to(part, (*a.shape[:k], 1, *a.shape[k + 1 :]))
        parts.append(part)
    a = array_of(concatenate(parts, k)) if len(parts) > 1 else a
    for _ in range(n):
        step = UFUNCS["not_equal"] if a.dtype.kind == "b" else subtract
        a = step(a[_along(k, slice(1, None))], a[_along(k, slice(None, -1))])
    return clone(plain(a)) if not n else a


@door
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    a = array_of(shapes.reshape(plain(ary), (-1,)))
    parts = [subtract(a[1:], a[:-1])]
    for value, place in ((to_begin, 0), (to_end, None)):
        if value is not None:
            extra = shapes.reshape(plain(value, a.device), (-1,))
            if not np.can_cast(extra._array.dtype, a.dtype, "same_kind"):
                raise TypeError("dtype of the ends must be compatible with input `ary` under the "
                                "`same_kind` rule.")  # fmt: skip
            parts.insert(len(parts) if place is None else 0, cast(extra, a.dtype))
    return concatenate(parts)


@door
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return the slopes of sampled values along axes; differentiable by the distances, too."""
    f = array_of(f)
    axes = normal_axes(axis, f.ndim)
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError("invalid number of arguments")
    given = list(varargs) or [1.0]
    if len(given) == 1:
        if own(given[0])._array.ndim and len(axes) > 1:
            raise TypeError("invalid number of arguments")
        given = given * len(axes)
    if f.dtype.kind in "biu":
        f = f.astype(np.float64)
    found = []
    for k, spacing in zip(axes, given, strict=True):
        n = f.shape[k]
        if n < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, at least "
                "(edge_order + 1) elements are required."
            )
        found.append(_slope(f, k, spacing, edge_order))
    return found[0] if len(found) == 1 else tuple(found)


def _slope(f: Any, k: int, spacing: Any, edge_order: int) -> Any:
    def at(part: Any) -> Any:
        part = slice(part, part + 1 if part != -1 else None) if isinstance(part, int) else part
        return f[_along(k, part)]

    x = array_of(spacing, f.device) if own(spacing)._array.ndim else None
    if x is None:
        h: Any = spacing
        middle = (at(slice(2, None)) - at(slice(None, -2))) / (2.0 * h)
        if edge_order == 1:
            first, last = (at(1) - at(0)) / h, (at(-1) - at(-2)) / h
        else:
            first = (-1.5 * at(0) + 2.0 * at(1) - 0.5 * at(2)) / h
            last = (0.5 * at(-3) - 2.0 * at(-2) + 1.5 * at(-1)) / h
        return concatenate([first, middle, last], k)
    if x.ndim != 1:
        raise ValueError("distances must be either scalars or 1d")
    if x.size != f.shape[k]:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    d = subtract(x[1:], x[:-1])
    shape = (-1, *(1,) * (f.ndim - k - 1))
    before = array_of(shapes.reshape(plain(d[:-1]), shape))
    behind = array_of(shapes.reshape(plain(d[1:]), shape))
    a = -behind / (before * (before + behind))
    b = (behind - before) / (before * behind)
    c = before / (behind * (before + behind))
    middle = a * at(slice(None, -2)) + b * at(slice(1, -1)) + c * at(slice(2, None))
    if edge_order == 1:
        first, last = (at(1) - at(0)) / d[0], (at(-1) - at(-2)) / d[-1]
    else:
        u, v = d[0], d[1]
        first = (-(2.0 * u + v) / (u * (u + v)) * at(0) + (u + v) / (u * v) * at(1)
                 - u / (v * (u + v)) * at(2))  # fmt: skip
        u, v = d[-2], d[-1]
        last = (v / (u * (u + v)) * at(-3) - (v + u) / (u * v) * at(-2)
                + (2.0 * v + u) / (v * (u + v)) * at(-1))  # fmt: skip
    return concatenate([first, middle, last], k)


@door
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = array_of(y)
    (k,) = normal_axes(axis, y.ndim)
    if x is None:
        d: Any = dx
    else:
        x = array_of(x, y.device)
        if x.ndim == 1:
            d = array_of(diff(x))
            d = array_of(shapes.reshape(plain(d), (-1, *(1,) * (y.ndim - k - 1))))
        else:
            d = array_of(diff(x, axis=axis))
    means = (y[_along(k, slice(1, None))] + y[_along(k, slice(None, -1))]) / 2.0
    return add.reduce(d * means, k)


@door
@by_example
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    """Return angles without jumps of more than half a period; jumps have no derivative."""
    p = array_of(p)
    (k,) = normal_axes(axis, p.ndim)
    host = np.asarray(on_host(p.detach()))
    moved = np.unwrap(host, discont, k, period=on_host(period))
    kind = moved.dtype
    shift = array_of(sent((moved - host).astype(kind), p.device))
    if any(t.requires_grad for t in tensors_in((period,))):
        turns = np.rint((moved - host) / np.asarray(on_host(period)))
        shift = array_of(sent(turns.astype(kind), p.device)) * period
    return array_of(cast(plain(p), kind)) + shift


@door
@by_example
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Return values between given points on straight lines; differentiable by all of them."""
    x, xp, fp = (array_of(v) for v in plains(x, xp, fp))
    kind = np.dtype(np.complex128 if fp.dtype.kind == "c" else np.float64)
    x, xp, fp = x.astype(float), xp.astype(float), fp.astype(kind)
    if xp.ndim != 1 or fp.ndim != 1:
        raise ValueError("Data points must be 1-D sequences")
    if xp.size != fp.size:
        raise ValueError("fp and xp are not of the same length.")
    if not xp.size:
        raise ValueError("array of sample points is empty")
    if period is not None:
        if not period:
            raise ValueError("period must be a non-zero value")
        period = abs(period)
        left = right = None
        x, xp = x % period, xp % period
        order = np.argsort(on_host(xp.detach()))
        xp, fp = xp[order], fp[order]
        xp = array_of(concatenate([xp[-1:] - period, xp, xp[:1] + period]))
        fp = array_of(concatenate([fp[-1:], fp, fp[:1]]))
    ends = on_host(xp.detach())
    values = on_host(x.detach())
    n = xp.size
    place = np.clip(np.searchsorted(ends, values, "right") - 1, 0, max(n - 2, 0))
    low = array_of(sent(np.asarray(place), x.device))
    high = array_of(sent(np.minimum(np.asarray(place) + 1, n - 1), x.device))
    x0, f0, f1 = xp[low], fp[low], fp[high]
    width = xp[high] - x0
    apart = array_of(pw.where(pw.eq(plain(width.detach()), 0), 1.0, plain(width)))
    found = f0 + (f1 - f0) * ((x - x0) / apart)
    first, last = (fp[0] if left is None else left), (fp[-1] if right is None else right)
    for mask, value in ((values < ends[0], first), (values > ends[-1], last),
                        (values == ends[-1], fp[-1])):  # fmt: skip
        if mask.any():
            there = cast(plain(value, x.device), kind)
            found = array_of(pw.where(sent(np.asarray(mask), x.device), there, plain(found)))
    return found


# --------------------------------------------------------------------------- convolution


def _convolved(a: Any, v: Any, mode: str) -> Any:
    modes = {0: "valid", 1: "same", 2: "full"}
    mode = modes.get(mode, mode)  # type: ignore[call-overload]
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    n, m = a._array.shape[0], v._array.shape[0]
    kind = a._array.dtype
    border = shapes.broadcast_to(cast(plain(0, a.device), kind), (m - 1,))
    windows = unfold(joining.cat([border, a, border]), 0, m, 1)
    whole = UFUNCS["matmul"](array_of(windows), array_of(plain(flip(v))))
    if mode == "full":
        return whole
    if mode == "same":
        first = (m - 1) // 2
        return whole[first : first + n]
    return whole[m - 1 : n]


@door
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = (_at_least_one(p) for p in promoted(a, v))
    _check_lengths(a, v)
    a, v = (v, a) if v._array.size > a._array.size else (a, v)
    return _convolved(a, v, mode)


@door
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = (_at_least_one(p) for p in promoted(a, v))
    _check_lengths(a, v)
    if v._array.size > a._array.size:  # the other way round, and conjugated
        found = _convolved(v, plain(flip(UFUNCS["conjugate"](array_of(a)))), mode)
        return UFUNCS["conjugate"](array_of(plain(flip(found))))
    return _convolved(a, plain(flip(UFUNCS["conjugate"](array_of(v)))), mode)


def _at_least_one(t: Any) -> Any:
    return shapes.reshape(t, (1,)) if not t._array.ndim else t


def _check_lengths(a: Any, v: Any) -> None:
    if a._array.ndim > 1 or v._array.ndim > 1:
        raise ValueError("object too deep for desired array")
    if not a._array.size:
        raise ValueError("a cannot be empty")
    if not v._array.size:
        raise ValueError("v cannot be empty")


# --------------------------------------------------------------------------- of elements


@door
def clip(
    a: Any, a_min: Any = NO_VALUE, a_max: Any = NO_VALUE, out: Any = None, *, min: Any = NO_VALUE,
    max: Any = NO_VALUE, **kwargs: Any,
) -> Any:  # fmt: skip
    """Return the elements, those beyond a bound replaced by it; nan stays."""
    if a_min is NO_VALUE and a_max is NO_VALUE:
        a_min, a_max = (None if v is NO_VALUE else v for v in (min, max))
    elif a_min is NO_VALUE or a_max is NO_VALUE:
        a_min, a_max = (None if v is NO_VALUE else v for v in (a_min, a_max))
    elif min is not NO_VALUE or max is not NO_VALUE:
        raise ValueError("Passing `min` or `max` keyword argument when `a_min` and `a_max` are "
                         "provided is forbidden.")  # fmt: skip
    given = [v for v in (a_min, a_max) if v is not None]
    kind = np.result_type(*(
        v if isinstance(v, int | float | complex) and not isinstance(v, bool | np.generic)
        else own(v)._array.dtype for v in (a, *given)
    ))  # fmt: skip
    if kind.kind in "iu":
        bounds = np.iinfo(kind)
        for v in given:
            if isinstance(v, int) and not bounds.min <= v <= bounds.max:
                raise OverflowError(f"Python integer {v} out of bounds for {kind}")
    a, *others = plains(a, *given)
    a, *others = (cast(t, kind) for t in (a, *others))
    if kind.kind == "c":
        found = array_of(a)
        for v, take in zip(others, [w for w, b in (("maximum", a_min), ("minimum", a_max))
                                    if b is not None], strict=True):  # fmt: skip
            found = UFUNCS[take](found, array_of(v))
        return written("clip", out, found, kwargs.get("casting", "same_kind"))
    low = others.pop(0) if a_min is not None else None
    high = others.pop(0) if a_max is not None else None
    if low is None and high is None:
        return written("clip", out, clone(a))
    if kind.kind == "b":
        found = a
        found = found if low is None else pw.logical_or(found, low)
        found = found if high is None else pw.logical_and(found, high)
        return written("clip", out, found)
    shape = np.broadcast_shapes(*(t._array.shape for t in (a, low, high) if t is not None))
    a = shapes.broadcast_to(a, shape) if a._array.shape != shape else a
    return written("clip", out, op("clamp")(a, low, high), kwargs.get("casting", "same_kind"))


@door
def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    a = array_of(a)
    if a.dtype.kind in "biu":
        if decimals < 0:
            found = sent(np.round(on_host(a), decimals), a.device)
        else:
            found = clone(plain(a)) if a.dtype.kind != "b" else cast(plain(a), np.dtype(np.float16))
        return written("round", out, found)
    if not decimals:
        return written("round", out, UFUNCS["rint"](a))
    factor = 10.0 ** abs(decimals)
    found = (
        UFUNCS["rint"](a * factor) / factor if decimals > 0 else UFUNCS["rint"](a / factor) * factor
    )
    return written("round", out, found)


also(round, "around")


@door
def fix(x: Any, out: Any = None) -> Any:
    return UFUNCS["trunc"](array_of(x), out=out)


@door
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Return numbers with others in the place of nan and infinities; ``copy=False`` writes."""
    given, t = x, plain(x if copy else apart((x,), x)[0])
    kind = t._array.dtype
    if kind.kind == "c":
        parts = [plain(nan_to_num(op(p)(t), True, nan, posinf, neginf)) for p in ("real", "imag")]
        found = op("complex")(*parts)
    elif kind.kind not in "fV":
        return clone(t) if copy else x
    elif any(
        isinstance(v, TensorBase) or np.ndim(v) for v in (nan, posinf, neginf) if v is not None
    ):
        limits = _dtype.limits(kind)
        found = pw.where(pw.isnan(t), cast(plain(nan, t.device), kind), t)
        for test, value, end in (
            (op("isposinf"), posinf, limits.max),
            (op("isneginf"), neginf, limits.min),
        ):
            value = float(end) if value is None else value
            found = pw.where(test(t), cast(plain(value, t.device), kind), found)
    else:
        found = op("nan_to_num")(t, nan, posinf, neginf)
    if copy:
        return found
    return written("nan_to_num", given, found)


@door
@by_example
def real_if_close(a: Any, tol: Any = 100) -> Any:
    a = array_of(a)
    if a.dtype.kind != "c":
        return a
    tol = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return op("real")(plain(a)) if bool((np.abs(on_host(a.detach()).imag) < tol).all()) else a


@door
def angle(z: Any, deg: bool = False) -> Any:
    z = plain(z)
    found = array_of(pw.angle(cast(z, inexact(z._array.dtype))))
    return found * (180 / math.pi) if deg else found


@door
def sinc(x: Any) -> Any:
    x = plain(x)
    return op("sinc")(cast(x, inexact(x._array.dtype)))


isposinf, isneginf = library("isposinf"), library("isneginf")
isreal, iscomplex = library("isreal"), library("iscomplex")
isclose, allclose = library("isclose"), library("allclose")
array_equal, array_equiv = library("array_equal"), library("array_equiv")
packbits, unpackbits = library("packbits"), library("unpackbits")

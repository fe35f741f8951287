"""Order, search, sets and quantiles."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import (
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
    written,
)
from gpugrad.numpy.reductions import any as any_
from gpugrad.numpy.reductions import mean
from gpugrad.numpy.shapes import concatenate
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.ops import joining, reduction
from gpugrad.ops import pointwise as pw
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import to
from gpugrad.ops.scatter import gather

# --------------------------------------------------------------------------- places


def _extreme(name: str) -> Any:
    """Return what finds extremes by the declared operation, which knows hidden axes."""

    def function(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
        return op(name)(plain(a), axis, keepdims is True)

    return function


def _order(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **options: Any) -> Any:
    a = plain(a)
    a, axis = (shapes.reshape(a, (-1,)), 0) if axis is None else (a, axis)
    return op("argsort")(a, axis, stable=True)


argmax, argmin = (library(name, _extreme(name)) for name in ("argmax", "argmin"))
nanargmax, nanargmin = library("nanargmax"), library("nanargmin")
argsort, argpartition = library("argsort", _order), library("argpartition")
lexsort = library("lexsort")
searchsorted, digitize = library("searchsorted"), library("digitize")
nonzero, flatnonzero, argwhere = library("nonzero"), library("flatnonzero"), library("argwhere")
isin = library("isin")


@door
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Return the elements in their order along an axis; each takes its gradient along."""
    a = plain(a)
    if axis is None:
        a, axis = shapes.reshape(a, (-1,)), -1
    (k,) = normal_axes(axis, a._array.ndim) or (None,)
    if k is None:
        raise np.exceptions.AxisError(-1, 0)
    if a._array.dtype.kind == "c":
        return at_places(a, plain(argsort(a.detach(), k, "stable")), k)
    return op("sort")(a, k, stable=True)[0]


def at_places(a: Any, places: Any, axis: int) -> Any:
    """Return the elements at places along an axis."""
    return gather(a, axis, places)


@door
@by_example
def partition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    """Return the elements sorted so far that the ``kth`` is where it belongs: here, all are."""
    a = plain(a)
    n = a._array.size if axis is None else a._array.shape[axis]
    for k in np.asarray(on_host(kth)).reshape(-1):
        if not -n <= k < n:
            raise ValueError(f"kth(={k}) out of bounds ({n})")
    return sort(a, axis)


@door
def sort_complex(a: Any) -> Any:
    found = sort(a)
    kind = found._array.dtype
    if kind.kind == "c":
        return found
    return cast(plain(found), np.dtype(
        np.complex64 if kind.itemsize <= 2 and kind.kind in "iub" else
        np.result_type(kind, np.complex64)))  # fmt: skip


# --------------------------------------------------------------------------- sets


class UniqueAllResult(NamedTuple):
    """Of ``unique_all``."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """Of ``unique_counts``."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """Of ``unique_inverse``."""

    values: Any
    inverse_indices: Any


@door
@by_example
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False, axis: Any = None, *, equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    """Return each value once, in order; the first element that has it receives the gradient."""
    a = plain(ar)
    k = 0
    if axis is None:
        a = shapes.reshape(a, (-1,))
    else:
        (k,) = normal_axes(axis, a._array.ndim)
    host = on_host(ar if axis is not None else a)
    _, places, inverse, counts = np.unique(
        host, True, True, True, None if axis is None else k, equal_nan=equal_nan
    )
    found = op("index_select")(a, k, sent(places, a.device))
    if axis is None:
        inverse = inverse.reshape(np.shape(on_host(ar)))
    rest = [sent(r, a.device) for r, asked in (
        (places, return_index), (inverse, return_inverse), (counts, return_counts),
    ) if asked]  # fmt: skip
    return (found, *rest) if rest else found


@door
@by_example
def unique_all(x: Any) -> Any:
    return UniqueAllResult(*unique(x, True, True, True, equal_nan=False))


@door
@by_example
def unique_counts(x: Any) -> Any:
    return UniqueCountsResult(*unique(x, return_counts=True, equal_nan=False))


@door
@by_example
def unique_inverse(x: Any) -> Any:
    return UniqueInverseResult(*unique(x, return_inverse=True, equal_nan=False))


@door
@by_example
def unique_values(x: Any) -> Any:
    return unique(x, equal_nan=False)


def _flat(*arrays: Any) -> list[Any]:
    return [shapes.reshape(p, (-1,)) for p in promoted(*arrays)]


@door
@by_example
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    a, b = _flat(ar1, ar2)
    _, first, second = np.intersect1d(on_host(a), on_host(b), assume_unique, True)
    found = op("index_select")(a, 0, sent(first, a.device))
    if return_indices:
        return found, sent(first, a.device), sent(second, a.device)
    return found


@door
@by_example
def union1d(ar1: Any, ar2: Any) -> Any:
    return unique(concatenate(_flat(ar1, ar2)))


@door
@by_example
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    a, b = plains(ar1, ar2)
    a = shapes.reshape(a, (-1,)) if assume_unique else plain(unique(a))
    left = np.flatnonzero(np.isin(on_host(a), on_host(b), invert=True))
    return op("index_select")(a, 0, sent(left, a.device))


@door
@by_example
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    a, b = _flat(ar1, ar2)
    if not assume_unique:
        a, b = plain(unique(a)), plain(unique(b))
    both = plain(sort(joining.cat([a, b])))
    host = on_host(both)
    edge = (
        np.concatenate(([True], host[1:] != host[:-1], [True])) if host.size else np.ones(1, bool)
    )
    places = np.flatnonzero(edge[1:] & edge[:-1])
    return op("index_select")(both, 0, sent(places, a.device))


# --------------------------------------------------------------------------- quantiles

# alpha and beta of Hyndman and Fan, The American Statistician 50 (1996) 361
_CONTINUOUS = {
    "interpolated_inverted_cdf": (0.0, 1.0), "hazen": (0.5, 0.5), "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0), "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
}  # fmt: skip
_METHODS = (
    *_CONTINUOUS, "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "lower", "higher",
    "midpoint", "nearest",
)  # fmt: skip


def _places(q: Any, n: Any, method: str) -> tuple[Any, Any, Any]:
    """Return the two places between which a quantile lies among ``n`` elements, and how far."""
    xp = UFUNCS
    if method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        place = (n - 1) * q if method == "linear" else (
            n * q + (alpha + q * (1 - alpha - beta)) - 1)  # fmt: skip
        place = xp["minimum"](xp["maximum"](place, 0.0), n - 1)
        low = xp["floor"](place.detach())
        return low, xp["minimum"](low + 1, n - 1), place - low
    linear = (n - 1) * q.detach()
    total = n * q.detach()
    low, high = {
        "lower": lambda: (xp["floor"](linear),) * 2,
        "higher": lambda: (xp["ceil"](linear),) * 2,
        "midpoint": lambda: (xp["floor"](linear), xp["ceil"](linear)),
        "nearest": lambda: (xp["rint"](linear),) * 2,
        "inverted_cdf": lambda: (xp["ceil"](total) - 1,) * 2,
        "averaged_inverted_cdf": lambda: (xp["ceil"](total) - 1, xp["floor"](total)),
        "closest_observation": lambda: (_closest(total - 1.5),) * 2,
    }[method]()
    low, high = (xp["minimum"](xp["maximum"](p, 0.0), n - 1) for p in (low, high))
    return low, high, (low * 0 + 0.5) if low is not high else low * 0


def _closest(place: Any) -> Any:
    """Return the next whole number above, or the same where that is odd."""
    whole = UFUNCS["floor"](place)
    odd = (place == whole) & ((whole % 2) == 1)
    return array_of(pw.where(plain(odd), plain(whole), plain(whole + 1)))


def _is_weak(q: Any) -> bool:
    """Tell whether a value is a Python number, which has no type to promote."""
    return isinstance(q, int | float) and not isinstance(q, np.generic)


def _quantile(
    a: Any, q: Any, axis: Any, out: Any, method: str, keepdims: Any, weights: Any, skips: bool,
    name: str,
) -> Any:  # fmt: skip
    """Return quantiles along axes, which are the first dimensions where there are several."""
    if method not in _METHODS:
        raise ValueError(f"{method!r} is not a valid method. Use one of: {', '.join(_METHODS)}")
    a = plain(a)
    if a._array.dtype.kind == "c":
        raise TypeError("a must be an array of real numbers")
    discrete = method in ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")
    given = a._array.dtype
    kind = inexact(given)
    a = cast(a, kind)
    weak = _is_weak(q)
    q = array_of(to(plain(q), a.device))
    if q.dtype.kind != "f":
        q = q.astype(np.float64)
    wide = kind if weak else np.promote_types(kind, q.dtype)
    asked = np.asarray(on_host(q.detach()))
    if not ((asked >= 0) & (asked <= 1)).all():
        raise ValueError("Quantiles must be in the range [0, 1]")
    q = array_of(cast(plain(q), np.dtype(np.float64)))
    axes = normal_axes(axis, a._array.ndim)
    kept = [k for k in range(a._array.ndim) if k not in axes]
    shape = a._array.shape
    length = math.prod(shape[k] for k in axes)
    if not length:
        raise ValueError(f"{name}: there is no element to choose along axis {axis}")
    rows = shapes.reshape(shapes.permute(a, (*kept, *axes)), (*(shape[k] for k in kept), length))
    if weights is not None:
        if method != "inverted_cdf":
            raise ValueError(f"Only method 'inverted_cdf' supports weights. Got: {method}.")
        w = np.asarray(on_host(weights))
        if w.ndim != len(shape):
            w = w.reshape([n if k in axes else 1 for k, n in enumerate(shape)])
        w = np.broadcast_to(w, shape)
        w = np.transpose(w, (*kept, *axes)).reshape(rows._array.shape)
        order = np.argsort(on_host(rows.detach()), -1, kind="stable")
        w = np.take_along_axis(w, order, -1)
        sums = np.cumsum(w, -1)
        sums = sums / sums[..., -1:]
        ranks = [np.minimum((sums < v).sum(-1), length - 1) for v in on_host(q).reshape(-1)]
        found = gather(rows, -1, sent(np.take_along_axis(order, np.stack(ranks, -1), -1), a.device))
        found = shapes.movedim(found, -1, 0)
    else:
        ordered = op("sort")(rows, -1, stable=True)[0]
        lost = pw.isnan(ordered.detach())
        flat = array_of(shapes.reshape(plain(q), (-1, *(1,) * len(kept))))
        if skips:
            count = length - array_of(reduction.sum(cast(lost, np.dtype(np.float64)), -1))
        else:
            count = array_of(plain(float(length), a.device))
        low, high, weight = _places(flat, count, method)
        full = (q.size, *(shape[k] for k in kept))
        low, high = (
            shapes.movedim(shapes.broadcast_to(
                cast(plain(UFUNCS["maximum"](p, 0.0)), np.dtype(np.int64)), full), 0, -1)
            for p in (low, high)
        )  # fmt: skip
        below = shapes.movedim(gather(ordered, -1, low), -1, 0)
        above = below if discrete else shapes.movedim(gather(ordered, -1, high), -1, 0)
        below, above = array_of(below), array_of(above)
        weight = array_of(cast(plain(weight), kind)) if kind.itemsize < 8 else weight
        found = below if discrete else below + (above - below) * weight
        nothing = array_of(shapes.movedim(lost, -1, 0))
        empty = any_(nothing, 0) if not skips else array_of(count == 0)
        found = pw.where(plain(empty), cast(sent(np.nan, a.device), kind), plain(found))
        wide = given if discrete and given.kind in "iu" else wide
    found = cast(found, given if discrete and given.kind in "biu" else wide)
    if keepdims:
        found = shapes.reshape(
            found, (q.size, *(1 if k in axes else n for k, n in enumerate(shape)))
        )
    found = shapes.reshape(found, (*q.shape, *found._array.shape[1:]))
    return written(name, out, found)


@door
def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """Return quantiles; it is differentiable by the elements and by ``q``."""
    return _quantile(a, q, axis, out, method, keepdims is True, weights, False, "quantile")


def _hundredth(q: Any) -> Any:
    if _is_weak(q):
        return q / 100.0
    return UFUNCS["divide"](array_of(q), 100.0)


@door
def percentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    return quantile(a, _hundredth(q), axis, out, False, method, keepdims, weights=weights)


@door
def nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    return _quantile(a, q, axis, out, method, keepdims is True, weights, True, "nanquantile")


@door
def nanpercentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    return nanquantile(a, _hundredth(q), axis, out, False, method, keepdims, weights=weights)


def _median(a: Any, axis: Any, out: Any, keepdims: Any, skips: bool, name: str) -> Any:
    array = own(a)._array
    if not math.prod(array.shape[k] for k in normal_axes(axis, array.ndim)):
        return mean(a, axis, None, out, keepdims)  # as NumPy's of nothing: nan
    found = _quantile(a, 0.5, axis, None, "linear", keepdims is True, None, skips, name)
    return written(name, out, cast(plain(found), inexact(array.dtype)))


@door
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    return _median(a, axis, out, keepdims, False, "median")


@door
def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    return _median(a, axis, out, keepdims, True, "nanmedian")

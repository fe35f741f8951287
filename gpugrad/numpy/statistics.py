"""Covariances, and counts in bins."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.graph import TensorBase
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import (
    array_of,
    cast,
    door,
    dtype_of,
    on_host,
    own,
    place_of,
    plain,
    refuse_tracked,
    sent,
    tensors_in,
)
from gpugrad.numpy.reductions import average
from gpugrad.numpy.shapes import concatenate, transpose
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import op
from gpugrad.ops import filled
from gpugrad.ops import shape as shapes


@door
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """Return the covariances of variables, which are rows, or columns by ``rowvar=False``."""
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    if own(m)._array.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    kind = np.result_type(own(m)._array.dtype, np.float64) if dtype is None else dtype_of(dtype)
    if y is not None and dtype is None:
        kind = np.result_type(kind, own(y)._array.dtype)

    def rows(t: Any, turn: bool = True) -> Any:
        t = cast(plain(t), kind)
        t = shapes.reshape(t, (1, -1)) if t._array.ndim < 2 else t
        return transpose(t) if not rowvar and turn and t._array.shape[0] != 1 else t

    x = rows(m)
    if not rowvar and own(m)._array.ndim == 2 and own(m)._array.shape[0] == 1:
        x = cast(plain(transpose(plain(m))), kind)
    if y is not None:
        x = concatenate((x, rows(y)), 0)
    x = array_of(x)
    if ddof is None:
        ddof = 0 if bias else 1
    w = None
    if fweights is not None:
        w = array_of(fweights, x.device).astype(float)
    if aweights is not None:
        a = array_of(aweights, x.device).astype(float)
        w = a if w is None else w * a
    center, total = average(x, 1, w, True)
    total = array_of(total)[0]
    if w is None:
        degrees: Any = x.shape[1] - ddof
    elif not ddof:
        degrees = total
    elif aweights is None:
        degrees = total - ddof
    else:
        degrees = total - ddof * UFUNCS["add"].reduce(w * a) / total
    if not isinstance(degrees, TensorBase) and degrees <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
        degrees = 0.0
    away = x - array_of(center)[:, None]
    weighted = away if w is None else away * w
    c = UFUNCS["matmul"](away, UFUNCS["conjugate"](array_of(transpose(weighted))))
    c = c * UFUNCS["divide"](1, degrees) if not isinstance(degrees, int | float) else (
        c * np.divide(1, np.float64(degrees)).item() if degrees else c * np.nan)  # fmt: skip
    return shapes.squeeze(c)


@door
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = array_of(cov(x, y, rowvar, dtype=dtype))
    if not c.ndim:
        return c / c
    sizes = UFUNCS["sqrt"](array_of(op("real")(op("diagonal")(plain(c)))))
    found = c / sizes[:, None] / sizes[None, :]
    low, high = -1.0, 1.0
    if found.dtype.kind == "c":
        return found
    return op("clamp")(plain(found), low, high)


# --------------------------------------------------------------------------- counts


def summed_at(places: Any, weights: Any, length: int) -> Any:
    """Return the sums of weights at each of so many places, with their history."""
    kind = weights._array.dtype
    start = filled.zeros(length, dtype=_dtype.of(kind), device=weights.device)
    return op("index_add")(start, 0, sent(places, weights.device), weights)


@door
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """Return how often each number occurs, or the sums of weights, which may be differentiated."""
    places = np.asarray(on_host(x))
    where = place_of((x, weights))
    if weights is None:
        return sent(np.bincount(places, minlength=minlength), where)
    w = cast(plain(weights, where), np.dtype(np.float64))
    if w._array.shape != places.shape:
        raise ValueError("The weights and list don't have the same length.")
    length = max(int(places.max(initial=-1)) + 1, minlength)
    np.bincount(places[:0].astype(np.intp))
    return summed_at(places.astype(np.int64), w, length)


def _edges(function: str, a: Any, bins: Any, range: Any, weights: Any) -> tuple[Any, Any]:
    """Return the edges of bins, as an array of the host's and with their history.

    They follow what they are given as, or, so many of equal width, the least and the greatest
    element.
    """
    refuse_tracked(function, "edges have no derivative by the range", range)
    found = np.histogram_bin_edges(
        on_host(a), on_host(bins), None if range is None else (float(range[0]), float(range[1])),
        None if weights is None else on_host(weights),
    )  # fmt: skip
    if isinstance(bins, str):
        refuse_tracked(function, f"the number of bins by {bins!r} depends on it", a)
    where = place_of((a, bins))
    if any(t.requires_grad for t in tensors_in((bins,))):
        return found, array_of(bins)
    if range is None and any(t.requires_grad for t in tensors_in((a,))) and np.ndim(bins) == 0:
        low, high = (array_of(reduce(plain(a))) for reduce in (op("amin"), op("amax")))
        if float(low.detach()) < float(high.detach()):
            steps = array_of(sent(np.linspace(0.0, 1.0, len(found)), where))
            return found, low * (1 - steps) + high * steps
    return found, array_of(sent(np.asarray(found), where))


@door
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    return _edges("histogram_bin_edges", a, bins, range, weights)[1]


@door
@by_example
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Return counts in bins and the edges of these.

    They are differentiable by the weights and, where the edges depend on them, by ``bins`` or the
    least and the greatest element of ``a``.  Which bin an element is in has no derivative.
    """
    where = place_of((a, weights))
    edges, told = _edges("histogram", a, bins, range, weights)
    host = np.asarray(on_host(a))
    if weights is None:
        found = array_of(sent(np.histogram(host, edges)[0], where))
    else:
        w = shapes.reshape(plain(weights, where), (-1,))
        if own(weights)._array.shape != host.shape:
            raise ValueError("weights should have the same shape as a.")
        flat = host.reshape(-1)
        places = np.searchsorted(edges, flat, "right") - 1
        places[flat == edges[-1]] = len(edges) - 2
        inside = np.flatnonzero((flat >= edges[0]) & (flat <= edges[-1]))
        kept = op("index_select")(w, 0, sent(inside, w.device))
        found = array_of(summed_at(places[inside], kept, len(edges) - 1))
    if density:
        found = found / (told[1:] - told[:-1]) / UFUNCS["add"].reduce(found)
    return found, told


_WITHOUT = "of several directions there are no derivatives by the edges or the weights"


@door
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Return counts in two directions and the edges; no argument may require grad."""
    refuse_tracked("histogram2d", _WITHOUT, x, y, bins, weights)
    where = place_of((x, y, weights))
    found = np.histogram2d(
        on_host(x), on_host(y), _hosted(bins), range, density,
        None if weights is None else on_host(weights),
    )  # fmt: skip
    return tuple(sent(np.asarray(f), where) for f in found)


def _hosted(bins: Any) -> Any:
    return [on_host(b) for b in bins] if isinstance(bins, list | tuple) else on_host(bins)


@door
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Return counts in several directions and the edges; no argument may require grad."""
    refuse_tracked("histogramdd", _WITHOUT, sample, bins, weights)
    where = place_of(tensors_in((sample, weights)))
    given = tuple(map(on_host, sample)) if isinstance(sample, tuple | list) else on_host(sample)
    found, edges = np.histogramdd(
        given, _hosted(bins), range, density, None if weights is None else on_host(weights)
    )
    return sent(found, where), tuple(sent(e, where) for e in edges)

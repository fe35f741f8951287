"""Histograms, and how often integers occur."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import FLOATING, accumulation
from gpugrad.backend import sorting
from gpugrad.backend.batched import levels_of
from gpugrad.errors import integer, size
from gpugrad.graph import TensorBase
from gpugrad.op import public
from gpugrad.op.results import results
from gpugrad.op.saved import descended, read, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.counted import linspace
from gpugrad.ops.creation import finish
from gpugrad.ops.pointwise import Number

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_HISTOGRAM, _HISTOGRAMDD = (
    results(name, "hist", "bin_edges") for name in ("histogram", "histogramdd")
)


def _alone(function: str, *tensors: Any) -> None:
    """Raise inside ``vmap``, where the values decide on shapes."""
    for tensor in tensors:
        if tensor is not None:
            read(tensor)
            if levels_of(tensor._array):
                raise RuntimeError(
                    f"Batching rule not implemented for aten::{function}. We could not generate a "
                    "fallback."
                )


def _counted(places: Array, length: int, weights: Array | None, kind: np.dtype[Any]) -> Any:
    """Return how often, or with which weights, the places below ``length`` are named."""
    found = backend.of(places).count_at(places, length, weights, kind)
    return finish(wrap(found), False)


@public()
def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """Return how often each integer from 0 on occurs; with ``weights`` their sums.

    Without weights it is int64; weights of float32 give that, others float64.

    Raises:
        NotImplementedError: The input is not of integers.
        RuntimeError: It has not one dimension, or a negative number, or weights do not fit.
    """
    _alone("bincount", input, weights)
    array = input._array
    kind = _dtype.of(array.dtype)
    door = backend.of(array)
    if kind.category != _dtype.INTEGER:
        raise NotImplementedError(f"\"bincount_{door.type}\" not implemented for '{kind.title}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    whole = np.dtype(np.int64)
    if array.shape == (0,):
        return finish(wrap(door.full((minlength,), 0, whole, door.device_of(array))), False)
    least = 0
    if array.ndim == 1:
        least = door.item(door.min(array, (0,), False))
    if array.ndim != 1 or least < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights._array.shape != array.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    length = max(door.item(door.max(array, (0,), False)) + 1, minlength)
    places = door.astype(array, whole)
    if weights is None:
        found = _counted(places, length, None, whole)
    else:
        wide = np.dtype(np.float64)
        values = weights._array
        if values.dtype != np.float32:
            values = door.astype(values, wide)
        found = _counted(places, length, values, values.dtype)
    return descended(finish(found, False), (input,))


@public(out=True)
def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """Return how many elements lie in each of so many bins of equal width between two numbers.

    Where these are equal, the elements lie between their least and their largest.  What is outside
    counts nowhere.

    Raises:
        NotImplementedError: The type is not floating point.
        RuntimeError: There are no bins, or no finite range of real numbers.
    """
    _alone("histc", input)
    bins = integer("histc", "bins", 2, bins)
    kind = _dtype.of(input._array.dtype)
    door = backend.of(input._array)
    if input._array.dtype.kind not in FLOATING:
        raise NotImplementedError(f"\"histogram_{door.type}\" not implemented for '{kind.title}'")
    if bins <= 0:
        raise RuntimeError(_no_bins(bins, 0))
    if isinstance(min, complex) or isinstance(max, complex):
        raise RuntimeError("value cannot be converted to type double without overflow")
    low, high = float(min), float(max)
    x: Any = input.detach().reshape(-1)
    if low == high and x._array.size:
        low, high = (float(door.item(f(x._array, (0,), False))) for f in (door.min, door.max))
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"gpugrad.histc: range of [{_shown(low)}, {_shown(high)}] is not finite")
    if low >= high:
        raise RuntimeError("gpugrad.histc: max must be larger than min")
    wide = _dtype.of(accumulation(input._array.dtype))
    x = x.to(wide)
    inside = (x >= low) & (x <= high)
    place = pw.where(inside, ((x - low) * bins) / (high - low), bins)
    place = pw.where(inside, pw.clamp(place, max=bins - 1), bins).to(_dtype.int64)
    found = _counted(place._array, bins + 1, None, input._array.dtype)
    return descended(finish(found[:bins], False), (input,))


def _no_bins(bins: int, axis: int) -> str:
    return f"gpugrad.histogram(): bins must be > 0, but got {bins} for dimension {axis}"


def _shown(number: float) -> str:
    return f"{number:g}"


@public(out=True)
def histogram(
    input: Tensor, bins: Any = 100, *, range: Any = None, weight: Any = None, density: bool = False
) -> Any:
    """Return how many elements lie in each bin, or the sum of their weights, and the bins' edges.

    The last bin has both of its edges.

    Args:
        input: float32 or float64.
        bins: How many there are, of equal width; or a vector of their edges.
        range: Where the first begins and the last ends, by default the least and the largest.
        weight: A weight for each element.
        density: Whether the result is divided so that its integral is 1.

    Raises:
        NotImplementedError: The type is another one.
        RuntimeError: There are no bins, no finite range, or weights do not fit.
    """
    _alone("histogram", input, weight)
    column = input.reshape(-1, 1)
    flat = weight
    if weight is not None and weight._array.shape == input._array.shape:
        flat = weight.reshape(-1)
    bins = [bins] if isinstance(bins, TensorBase) else [integer("histogram", "bins", 2, bins)]
    hist, (edges,) = _binned(column, bins, range, flat, density)
    return _HISTOGRAM(hist, descended(edges, (input,)))


@public(method=False)
def histogramdd(
    input: Tensor, bins: Any, range: Any = None, weight: Any = None, density: bool = False
) -> Any:
    """Return how many points lie in each box, and the edges of the boxes in each dimension.

    The last dimension of the input is that of coordinates; see :func:`histogram`.
    """
    _alone("histogramdd", input, weight)
    if input._array.ndim < 2:
        raise RuntimeError("gpugrad.histogramdd: input tensor should have at least 2 dimensions")
    count = input._array.shape[-1]
    bins = [bins] * count if isinstance(bins, int) else list(bins)
    if len(bins) != count:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    hist, edges = _binned(input, bins, range, weight, density)
    return _HISTOGRAMDD(hist, tuple(edges))


def _binned(
    input: Any, bins: Sequence[Any], range_: Any, weight: Any, density: bool
) -> tuple[Any, list[Any]]:
    """Return a histogram of points, and the edges of its bins."""
    shape, kind = input._array.shape, _dtype.of(input._array.dtype)
    if kind not in (_dtype.float32, _dtype.float64):
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{kind.title}'")
    _check_weight(input, weight)
    count = shape[-1]
    if range_ is not None and len(range_) != 2 * count:
        raise RuntimeError(
            f"gpugrad.histogramdd: for a {count}-dimensional histogram range should have "
            f"{2 * count} elements, but got {len(range_)}"
        )
    points = input.detach().reshape(-1, count)
    edges = [_edges(points[:, k], b, range_, k) for k, b in enumerate(bins)]
    door = backend.of(points._array)
    place: Any = 0
    inside: Any = True
    total = 1
    for k, edge in enumerate(edges):
        x, width = points[:, k].contiguous(), edge._array.shape[0] - 1
        if isinstance(bins[k], TensorBase) or x._array.__class__ is not np.ndarray:
            found = wrap(door.search(edge._array, x._array, True)) - 1
        else:
            found = wrap(sorting.found_evenly(edge._array, x._array))
        place = place * width + pw.clamp(found, max=width - 1)
        inside = (x >= edge[0]) & (x <= edge[-1]) & inside
        total *= width
    place = pw.where(inside, place, total)
    values = None if weight is None else weight.detach().reshape(-1)._array
    hist = _counted(place._array, total + 1, values, input._array.dtype)[:total]
    hist = hist.reshape(tuple([e._array.shape[0] - 1 for e in edges]))
    if density:
        hist = hist / hist.sum()
        for k, edge in enumerate(edges):
            ones = [1] * count
            ones[k] = -1
            hist = hist / (edge[1:] - edge[:-1]).reshape(tuple(ones))
    return descended(finish(hist, False), (input,)), edges


def _edges(x: Any, bins: Any, range_: Any, axis: int) -> Any:
    """Return the edges of bins along one dimension."""
    if isinstance(bins, TensorBase):
        given: Any = bins
        if given._array.ndim != 1:
            raise RuntimeError(
                "gpugrad.histogramdd: bins tensor should have one dimension, but got "
                f"{given._array.ndim} dimensions in the bins tensor for dimension {axis}"
            )
        if not given._array.size:
            raise RuntimeError(
                "gpugrad.histogramdd: bins tensor should have at least 1 element, but got 0 "
                f"elements in the bins tensor for dimension {axis}"
            )
        if given._array.dtype != x._array.dtype:
            wanted, found = (_dtype.of(t._array.dtype).c_name for t in (x, given))
            raise RuntimeError(
                "gpugrad.histogramdd: input tensor and bins tensors should have the same dtype, "
                f"but got input({wanted}), and bins({found}) for dimension {axis}"
            )
        if given._array.size == 1:
            raise RuntimeError(_no_bins(0, axis))
        return given.detach().contiguous()
    if bins <= 0:
        raise RuntimeError(_no_bins(bins, axis))
    if range_ is not None:
        low, high = (float(n) for n in range_[2 * axis : 2 * axis + 2])
    elif x._array.size:
        door = backend.of(x._array)
        low, high = (float(door.item(f(x._array, (0,), False))) for f in (door.min, door.max))
    else:
        low, high = 0.0, 1.0
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(
            f"gpugrad.histogramdd: dimension {axis}'s range [{_shown(low)}, {_shown(high)}] is not "
            "finite"
        )
    if low > high:
        raise RuntimeError(
            "gpugrad.histogramdd: min should not exceed max, but got min "
            f"{_shown(low)} max {_shown(high)} for dimension {axis}"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    return linspace(low, high, bins + 1, dtype=x._kind, device=x.device)


def _check_weight(input: Any, weight: Any) -> None:
    if weight is None:
        return
    shape, given = input._array.shape, weight._array.shape
    if weight._array.dtype != input._array.dtype:
        wanted, found = (_dtype.of(t._array.dtype).c_name for t in (input, weight))
        raise RuntimeError(
            "gpugrad.histogramdd: if weight tensor is provided, input tensor and weight tensor "
            f"should have the same dtype, but got input({wanted}), and weight({found})"
        )
    if given != shape[:-1]:
        raise RuntimeError(
            "gpugrad.histogramdd: if weight tensor is provided it should have the same shape as "
            "the input tensor excluding its innermost dimension, but got input with shape "
            f"{size(shape)} and weight with shape {size(given)}"
        )

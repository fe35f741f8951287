"""NumPy's arrays normalized by their means and variances along some axes, with the gradients.

Rows with a weight for each of their elements are taken some at a time, while a cache holds them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpugrad._dtype import accumulation, is_half
from gpugrad.backend import channels, half, large
from gpugrad.backend import rows as compiled
from gpugrad.backend.quiet import quiet
from gpugrad.backend.reductions import add_reduce
from gpugrad.backend.reductions import sum as total

Array = Any
Shape = tuple[int, ...]

_BLOCK = 65536  # elements
_OF_CHANNELS = ((0, 2), (2, 3))  # axes for which there are loops, see channels


def _wide(array: Array) -> Array:
    return half.widened(array) if is_half(array.dtype) else array


def _stored(array: Array, kind: np.dtype[Any]) -> Array:
    return half.rounded(array, kind) if is_half(kind) else array


def _products(x: Array, y: Array, axes: Shape) -> Array:
    """Return the sum of ``x * y`` along axes, which stay with length 1."""
    kept = [1 if k in axes else n for k, n in enumerate(x.shape)]
    found = large.sums_of_products(x, y, axes) if x.size >= 1024 else None
    if found is None and axes == (0, 2) and x.size >= 1024:
        found = total(np.einsum("ncs,ncs->nc", x, y), (0,), False, x.dtype)
    return _sums(x * y, axes) if found is None else found.reshape(kept)


def _inverse(var: Array, eps: float) -> Array:
    found = var + var.dtype.type(eps)
    np.sqrt(found, out=found)
    return np.reciprocal(found, out=found)


def _sums(array: Array, axes: Shape) -> Array:
    """Return the sum along axes, which stay with length 1, in the array's type."""
    if array.size < 1024:
        found: Array = add_reduce(array, axes, keepdims=True)
        return found
    return total(array, axes, True, array.dtype)


def _count(array: Array, axes: Shape) -> Any:
    return array.dtype.type(math.prod([array.shape[k] for k in axes]))


def _blocks(array: Array) -> Iterator[slice]:
    """Return the rows of a matrix, some at a time."""
    rows, length = array.shape
    step = max(_BLOCK // max(length, 1), 1)
    return (slice(k, k + step) for k in range(0, rows, step))


@quiet
def normalize(
    array: Array,
    weight: Array | None,
    bias: Array | None,
    axes: Shape,
    eps: float,
    centered: bool,
) -> tuple[Array, Array, Array]:
    """Return an array normalized along axes, with its means and variances there.

    Variances are without a correction; where it is not ``centered`` the means are taken for 0.
    Weights and biases broadcast to the array.
    """
    along_rows = array.ndim == 2 and axes == (1,)
    known = compiled.normalize(array, weight, bias, eps, centered) if along_rows else None
    if axes in _OF_CHANNELS:
        known = channels.normalize(array, weight, bias, eps, centered)
    if known is not None:
        return known
    if along_rows and array.size > _BLOCK:
        out = np.empty_like(array)
        wide = accumulation(array.dtype)
        mean, var = np.empty((2, len(array), 1), wide)
        for rows in _blocks(array):
            found = _normalized(array[rows], weight, bias, axes, eps, centered, out[rows])
            mean[rows], var[rows] = found[1:]
        return out, mean, var
    return _normalized(array, weight, bias, axes, eps, centered, None)


def _normalized(
    array: Array,
    weight: Array | None,
    bias: Array | None,
    axes: Shape,
    eps: float,
    centered: bool,
    room: Array | None,
) -> tuple[Array, Array, Array]:
    kind, wide = array.dtype, accumulation(array.dtype)
    x = _wide(array)
    count = _count(x, axes)
    if kind != wide:
        out = np.empty(x.shape, wide)
    else:
        out = np.empty(x.shape, wide) if room is None else room
    mean = _sums(x, axes) / count if centered else None
    below = x if mean is None else np.subtract(x, mean, out=out)
    var = _products(below, below, axes) / count
    scale = _inverse(var, eps)
    if weight is not None and len(weight.shape) > 1:  # a factor for each channel
        scale, weight = scale * weight, None
    np.multiply(below, scale, out=out)
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    if kind != wide:
        out = half.rounded(out, kind, room)
    return out, np.zeros_like(var) if mean is None else mean, var


@quiet
def normalize_gradient(
    g: Array,
    array: Array,
    weight: Array | None,
    mean: Array,
    var: Array,
    axes: Shape,
    eps: float,
    centered: bool,
    shapes: Sequence[Shape | None],
) -> tuple[Array | None, Array | None, Array | None]:
    """Return the gradients of the array, the weights and the biases by that of the result.

    Of ``shapes`` the first is ``None`` where the array's is not wanted, the others are those of
    the weights and the biases, or ``None``.
    """
    along_rows = array.ndim == 2 and axes == (1,)
    if along_rows:
        wanted = [s is not None for s in shapes]
        known = compiled.normalize_gradient(g, array, weight, mean, var, eps, centered, wanted)
        if known is not None:
            of_array, of_weight, of_bias = known
            return of_array, of_weight, of_bias
    if axes in _OF_CHANNELS:
        by = channels.normalize_gradient(g, array, weight, mean, var, eps, centered, shapes)
        if by is not None:
            return by
    scale = _inverse(var, eps)
    if along_rows:
        return _rows_gradient(g, array, weight, mean, scale, centered, shapes)
    g, x = _wide(g), _wide(array)
    affine = (1,) * x.ndim if weight is None else (1,) * (x.ndim - weight.ndim) + weight.shape
    for shape in shapes[1:]:
        if shape is not None:
            affine = (1,) * (x.ndim - len(shape)) + shape
    inner = tuple([k for k in axes if affine[k] == 1])
    sums, products = _sums(g, inner), _products(g, x, inner)
    outer = tuple([k for k, n in enumerate(affine) if n == 1 and k not in inner])
    of_array = of_weight = of_bias = None
    if shapes[2] is not None:
        of_bias = _sums(sums, outer).reshape(shapes[2])
    if shapes[1] is not None:
        found = (products - mean * sums) * scale
        of_weight = _sums(found, outer).reshape(shapes[1])
    if shapes[0] is not None:
        rest = tuple([k for k in axes if k not in inner])
        if weight is not None:
            sums, products = sums * weight, products * weight
        if rest:
            sums, products = (_sums(a, rest) for a in (sums, products))
        factor, shift = _parts(sums, products, mean, scale, _count(x, axes), centered)
        of_array = g * (scale if weight is None else scale * weight)
        of_array += x * factor
        if centered:
            of_array += shift
        of_array = _stored(of_array, array.dtype)
    return of_array, of_weight, of_bias


def _parts(
    sums: Array, products: Array, mean: Array, scale: Array, count: Any, centered: bool
) -> tuple[Array, Array]:
    """Return by which numbers an array is multiplied in its gradient, and what is added."""
    factor = (mean * sums - products) * scale * scale * scale / count
    return factor, -factor * mean - sums * scale / count if centered else factor


def _rows_gradient(
    g: Array,
    array: Array,
    weight: Array | None,
    mean: Array,
    scale: Array,
    centered: bool,
    shapes: Sequence[Shape | None],
) -> tuple[Array | None, Array | None, Array | None]:
    wide, length = scale.dtype, array.shape[1]
    factors = np.ones(length, wide) if weight is None else weight.astype(wide, copy=False)
    of_array = None if shapes[0] is None else np.empty(array.shape, array.dtype)
    of_weight = None if shapes[1] is None else np.zeros(length, wide)
    of_bias = None if shapes[2] is None else np.zeros(length, wide)
    for rows in _blocks(array):
        given, x, m, s = _wide(g[rows]), _wide(array[rows]), mean[rows], scale[rows]
        products = given * x
        if of_bias is not None:
            of_bias += np.ones(len(x), wide) @ given
        if of_weight is not None:
            of_weight += s[:, 0] @ products
            of_weight -= (m * s)[:, 0] @ given
        if of_array is not None:
            sums = (given @ factors)[:, None]
            along = (products @ factors)[:, None]
            factor, shift = _parts(sums, along, m, s, wide.type(length), centered)
            room = of_array[rows] if array.dtype == wide else products
            np.multiply(given, s, out=room)
            if weight is not None:
                room *= factors
            terms = np.multiply(x, factor, out=None if room is products else products)
            if centered:
                terms += shift
            room += terms
            if room is products:
                half.rounded(room, array.dtype, of_array[rows])
    return of_array, of_weight, of_bias


__all__ = ["normalize", "normalize_gradient"]

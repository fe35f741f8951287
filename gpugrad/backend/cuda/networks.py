"""Windows, and operations of networks that are computed in one go."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.backend.cuda import cudnn, recurrence
from gpugrad.backend.cuda.arrays import fill, in_order
from gpugrad.backend.cuda.devices import at_home
from gpugrad.backend.cuda.formulas import evaluate
from gpugrad.backend.cuda.reductions import launched, sum
from gpugrad.backend.taps import Taps, number_type
from gpugrad.errors import summed_axes
from gpugrad.kernels import capture, convolution, launches
from gpugrad.kernels import normalization as norms
from gpugrad.kernels import taps as windows

xp = cupy
Array = Any
Shape = tuple[int, ...]


@at_home
def weigh(array: Array, axis: int, taps: Taps) -> Array:
    """Return the weighted sums of elements along an axis, by one kernel."""
    count, most = taps.places.shape
    result = xp.ndarray((*array.shape[:axis], count, *array.shape[axis + 1 :]), array.dtype)
    if not result.size:
        return result
    if not array.size:
        fill(result, 0)
        return result
    key = array.device.id, windows.weight_type(array.dtype)
    if key not in taps.copies:
        given = None if taps.weights is None else capture.constant(taps.weights.astype(key[1]))
        taps.copies[key] = capture.constant(taps.places), given
    sizes = most, array.shape[axis], count, math.prod(array.shape[axis + 1 :])
    places, weights = capture.kept(taps.copies[key])
    windows.weigh(in_order(array), places, weights, sizes, result)
    return launched(result)


@at_home
def largest_in(array: Array, named: Sequence[Taps]) -> tuple[Array, Array]:
    """Return the maxima over windows of the last axes, and their numbers, by one kernel."""
    first = array.ndim - len(named)
    shape = (*array.shape[:first], *map(len, named))
    found, numbers = (xp.ndarray(shape, kind) for kind in (array.dtype, number_type(named)))
    if found.size:
        sizes = (1,) * (3 - len(named)) + array.shape[first:]
        launches.add(1)
        there = _tables(named)
        windows.largest(in_order(array), there, sizes[1:], math.prod(sizes), found, numbers)
    return found, numbers


def _tables(named: Sequence[Taps]) -> list[Array]:
    """Return the places of taps on the current GPU, along three axes, where they are kept."""
    there = []
    for taps in (*[_SINGLE] * (3 - len(named)), *named):
        key = xp.cuda.Device().id, "places"
        if key not in taps.copies:
            taps.copies[key] = capture.constant(taps.places)
        there.append(capture.kept(taps.copies[key]))
    return there


_SINGLE = Taps(np.zeros((1, 1), np.int64), None, 1)


@at_home
def spread(grad: Array, numbers: Array, named: Sequence[Taps]) -> Array:
    """Return zeros with each element added at that of its window whose number is given.

    One kernel gathers them, in a fixed order.
    """
    first = grad.ndim - len(named)
    result = xp.ndarray((*grad.shape[:first], *[taps.length for taps in named]), grad.dtype)
    if grad.size and result.size:
        turned = _tables([taps.turned for taps in named])
        windows.spread(in_order(grad), in_order(numbers), turned, _tables(named), result)
        launches.add(1)
    else:
        fill(result, 0)
    return result


def fused(name: str) -> Callable[..., Any] | None:
    """Return what computes an operation of networks by kernels of its own."""
    from gpugrad.kernels.networks import FUSED

    if name in ("normalize", "normalize_gradient"):
        return normalize if name == "normalize" else normalize_gradient
    found = FUSED.get(name)
    if name.startswith("convolve"):
        found = functools.partial(_convolved, name)
    if name in recurrence.FUSED:
        found = functools.partial(recurrence.FUSED[name], sys.modules["gpugrad.backend.cuda"])
    return None if found is None else at_home(found)


def _convolved(name: str, *given: Any) -> Array | None:
    """Return a product with windows by cuDNN, else by a kernel of ours if that is worthwhile."""
    door, found = sys.modules["gpugrad.backend.cuda"], None
    if capture.current() is None:  # a first call would plan, which may not be captured
        found = cudnn.convolved(name, door, *given)
    return convolution.convolved(name, door, *given) if found is None else found


@at_home
def normalize(
    array: Array,
    weight: Array | None,
    bias: Array | None,
    axes: Shape,
    eps: float,
    centered: bool,
) -> tuple[Array, Array, Array]:
    """Return an array normalized along axes, with its means and variances there."""
    x, shape = in_order(array), norms.sizes(array.shape, axes)
    out = xp.ndarray(x.shape, x.dtype)
    mean, var = (xp.ndarray(shape, accumulation(x.dtype)) for _ in range(2))
    if not x.size:
        return out, xp.zeros_like(mean), xp.zeros_like(var)
    w, b = (a if a is None else in_order(a) for a in (weight, bias))
    kinds = [None if a is None else a.dtype for a in (w, b)]
    kernel = norms.raw(x.dtype, *kinds, centered, False, False)
    arrays = [x, x if w is None else w, x if b is None else b, out, mean, var]
    norms.run(kernel, arrays, norms.rows_of(x.shape, axes), eps)
    launches.add(1)
    return out, mean, var


@at_home
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

    Weights and biases that each row has of its own take no kernel beside that of the array.
    """
    g, x = in_order(g), in_order(array)
    if not x.size:
        first = None if shapes[0] is None else xp.zeros_like(x)
        weights, biases = (None if s is None else xp.zeros(s, var.dtype) for s in shapes[1:])
        return first, weights, biases
    rows, wide = norms.rows_of(x.shape, axes), var.dtype
    of_array: Array | None = None
    of_weight: Array | None = None
    of_bias: Array | None = None
    if shapes[0] is not None or rows.own:
        w = None if weight is None else in_order(weight)
        of_array = xp.ndarray(x.shape, x.dtype)
        kernel = norms.raw(x.dtype, None if w is None else w.dtype, None, centered, True, rows.own)
        arrays = [g, x, x if w is None else w, mean, var, of_array]
        if rows.own:
            of_weight, of_bias = (xp.ndarray(rows.rows, wide) for _ in range(2))
            arrays += [of_weight, of_bias]
        norms.run(kernel, arrays, rows, eps)
        launches.add(1)
    if of_weight is not None and of_bias is not None:
        shaped = zip((of_weight, of_bias), shapes[1:], strict=True)
        of_weight, of_bias = (None if s is None else a.reshape(s) for a, s in shaped)
        return of_array, of_weight, of_bias
    if shapes[1] is not None:
        numbers = (g, x, mean, var, wide.type(eps))
        (of_weight,) = evaluate(norms.weight_formula(), numbers, wide, (wide,), sum_to=shapes[1])
    if shapes[2] is not None:
        of_bias = sum(g, summed_axes(g.shape, shapes[2]), True, wide).reshape(shapes[2])
    return of_array, of_weight, of_bias

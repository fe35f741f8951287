"""Reductions, scans, and what is computed along rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.backend.cuda.arrays import astype, copy
from gpugrad.backend.cuda.devices import at_home
from gpugrad.backend.cuda.formulas import total_of
from gpugrad.kernels import launches
from gpugrad.kernels import scan as scans
from gpugrad.kernels import softmax as softmaxes
from gpugrad.kernels.reduction import position_kernel, size_kernel
from gpugrad.kernels.summation import plain

xp = cupy
Array = Any
Shape = tuple[int, ...]


def launched(result: Array) -> Array:
    """Count one kernel, unless there was nothing to compute."""
    launches.add(result.size > 0)
    return result


@at_home
def sum(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes`` as ``dtype``; 16-bit floats are added in 32 bits."""
    return _plain(array, axes, keepdims, dtype, False)


@at_home
def mean(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the mean over ``axes`` as ``dtype``."""
    return _plain(array, axes, keepdims, dtype, True)


def _plain(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any], mean: bool) -> Array:
    axes = tuple([k % array.ndim for k in axes])
    if keepdims:
        shape = tuple([1 if k in axes else n for k, n in enumerate(array.shape)])
    else:
        shape = tuple([n for k, n in enumerate(array.shape) if k not in axes])
    if not array.flags.c_contiguous:  # by the order in which the elements lie in memory
        order = sorted(range(array.ndim), key=lambda k: -array.strides[k])
        kept = [k for k in order if k not in axes]
        if kept == sorted(kept):
            array, axes = array.transpose(order), tuple([order.index(k) for k in axes])
    compute = array.dtype if array.dtype.kind == "c" else dtype
    return total_of(plain(compute.kind == "c"), (array,), compute, dtype, axes, shape, mean)


@at_home
def prod(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes`` as ``dtype``; 16-bit floats are multiplied in 32 bits."""
    compute = accumulation(dtype)  # CuPy multiplies in the type it is given
    result = launched(array.prod(axis=axes, dtype=compute, keepdims=keepdims))
    return result if dtype == compute else astype(result, dtype)


def others(array: Array, axes: Shape) -> Array | None:
    """Leave to other operations what depends on values, for which the device would be waited."""
    return None


@at_home
def max(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the maximum over ``axes``; nan wins."""
    return launched(array.max(axis=axes, keepdims=keepdims))


@at_home
def min(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the minimum over ``axes``; nan wins."""
    return launched(array.min(axis=axes, keepdims=keepdims))


@at_home
def largest(array: Array, axes: Shape, least: bool = False) -> Array:
    """Return the largest or the least size over ``axes``, which stay with length 1."""
    return launched(size_kernel(array.dtype, least)(array, axis=axes, keepdims=True))


@at_home
def argmax(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first maximum, over all where ``axis`` is None."""
    return launched(position_kernel(array.dtype, True)(array, axis=axis))


@at_home
def argmin(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first minimum, over all where ``axis`` is None."""
    return launched(position_kernel(array.dtype, False)(array, axis=axis))


@at_home
def scan(kind: str, arrays: Sequence[Array], axis: int, reverse: bool = False) -> Array:
    """Return at each place what is made of the elements up to it along an axis."""
    (out,) = _scanned(kind, arrays, axis, reverse)
    return out


@at_home
def scan_extreme(array: Array, axis: int, greatest: bool) -> tuple[Array, Array]:
    """Return the maxima or minima up to each place, and where the last of them is."""
    values, indices = _scanned("max" if greatest else "min", [array], axis, False, np.int64)
    return values, indices


def _scanned(
    kind: str, arrays: Sequence[Array], axis: int, reverse: bool, *others: Any
) -> Sequence[Array]:
    plain = [array if array.flags.c_contiguous else copy(array, "C") for array in arrays]
    outs = [xp.ndarray(plain[0].shape, d) for d in (plain[0].dtype, *others)]
    if plain[0].size:
        launches.add(scans.run(kind, plain, axis, reverse, outs))
    return outs


@at_home
def softmax(array: Array, axis: int, log: bool, dtype: np.dtype[Any]) -> Array:
    """Return exp(array) divided by its sum along an axis, or the logarithm of that."""
    return _softmax([array], axis, log, False, dtype)


@at_home
def softmax_gradient(g: Array, out: Array, axis: int, log: bool) -> Array:
    """Return the gradient of what ``softmax`` computed, ``out``."""
    return _softmax([g, out], axis, log, True, g.dtype)


def _softmax(
    arrays: Sequence[Array], axis: int, log: bool, gradient: bool, dtype: np.dtype[Any]
) -> Array:
    plain = [array if array.flags.c_contiguous else copy(array, "C") for array in arrays]
    result = xp.ndarray(plain[0].shape, dtype)
    if result.size:
        softmaxes.run(plain, axis, result, log, gradient)
    return launched(result)

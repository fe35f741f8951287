"""Softmax of NumPy's arrays, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpugrad._dtype import accumulation, is_half
from gpugrad.backend import half, rows
from gpugrad.backend.quiet import quiet
from gpugrad.backend.reductions import maximum_reduce, sum

Array = Any
DType = np.dtype[Any]

FLOAT32 = np.dtype(np.float32)


@quiet
def softmax(array: Array, axis: int, log: bool, dtype: np.dtype[Any]) -> Array:
    """Return exp(array) divided by its sum along an axis, or the logarithm of that."""
    if not array.size:
        return np.empty(array.shape, dtype)
    wide = accumulation(dtype)
    if array.dtype != wide:
        halves = is_half(array.dtype) and wide == FLOAT32
        array = half.widened(array) if halves else array.astype(wide)
    found = rows.soft(array, array, axis, log, False)
    if found is not None:
        return half.rounded(found, dtype) if is_half(dtype) else found
    below = array - maximum_reduce(array, axis=axis, keepdims=True)
    if log:
        below -= np.log(sum(np.exp(below), (axis,), True, wide))
    else:
        np.exp(below, out=below)
        below /= sum(below, (axis,), True, wide)
    return half.rounded(below, dtype) if is_half(dtype) else below


@quiet
def softmax_gradient(g: Array, out: Array, axis: int, log: bool) -> Array:
    """Return the gradient of what ``softmax`` computed, ``out``."""
    kind = g.dtype
    if is_half(kind):
        found = softmax_gradient(half.widened(g), half.widened(out), axis, log)
        return half.rounded(found, kind)
    found = rows.soft(g, out, axis, log, True)
    if found is not None:
        return found
    if log:
        found = np.exp(out)
        found *= sum(g, (axis,), True, kind)
        return np.subtract(g, found, out=found)
    found = g * out
    total = sum(found, (axis,), True, kind)
    np.subtract(g, total, out=found)
    found *= out
    return found

"""Channels of NumPy's arrays normalized, by loops in C++ where there is a compiler.

Arrays of three dimensions have channels as the second, each of which is normalized over all
examples.  Those of four are of examples, groups, channels of a group, and elements, and each group
of each example is normalized.  Functions return ``None`` where NumPy is to compute.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend.convolution import TYPES, address, library

Array = Any
Shape = tuple[int, ...]

LEAST = 1 << 6  # elements from which calls take a loop


def _loops(array: Array) -> ctypes.CDLL | None:
    real = TYPES.get(array.dtype)
    return None if real is None or array.size < LEAST else library("CHANNELS", real)


_SHAPES = {ndim: ctypes.c_long * ndim for ndim in (3, 4)}


def _numbers(array: Array, eps: float, centered: bool) -> tuple[Any, Any, Any]:
    shape = _SHAPES[array.ndim](*array.shape)
    return shape, ctypes.c_double(eps), ctypes.c_long(centered)


def _plain(array: Array | None) -> Array | None:
    return None if array is None else np.ascontiguousarray(array)


def _pointer(array: Array | None) -> Any:
    return None if array is None else ctypes.c_void_p(address(array))


def normalize(
    array: Array, weight: Array | None, bias: Array | None, eps: float, centered: bool
) -> tuple[Array, Array, Array] | None:
    """Return channels or groups normalized, with their means and variances.

    Weights and biases are numbers of channels; where an array is not ``centered`` means are 0.
    """
    loops = _loops(array)
    if loops is None:
        return None
    groups = array.ndim == 4
    function = loops.gpugrad_normalize_groups if groups else loops.gpugrad_normalize
    shape = (*array.shape[:2], 1, 1) if groups else (1, array.shape[1], 1)
    out, (mean, var) = np.empty(array.shape, array.dtype), np.empty((2, *shape), array.dtype)
    given = [_plain(a) for a in (array, weight, bias)]
    function(*_numbers(array, eps, centered), *map(_pointer, (*given, out, mean, var)))
    return out, mean, var


def normalize_gradient(
    g: Array,
    array: Array,
    weight: Array | None,
    mean: Array,
    var: Array,
    eps: float,
    centered: bool,
    shapes: Sequence[Shape | None],
) -> tuple[Array | None, Array | None, Array | None] | None:
    """Return the gradients of channels or groups, weights and biases that have shapes."""
    loops = _loops(array)
    if loops is None:
        return None
    groups, kind = array.ndim == 4, array.dtype
    function = (
        loops.gpugrad_normalize_groups_gradient if groups else loops.gpugrad_normalize_gradient
    )
    out = None if shapes[0] is None else np.empty(array.shape, kind)
    sums = np.zeros((2, math.prod(array.shape[1:-1])))
    given = [_plain(a) for a in (array, g, weight, mean, var)]
    function(*_numbers(array, eps, centered), *map(_pointer, (*given, out, sums[0], sums[1])))
    of_weight, of_bias = (
        None if shape is None else part.reshape(shape)
        for part, shape in zip(sums.astype(kind, copy=False), shapes[1:], strict=True)
    )
    return out, of_weight, of_bias

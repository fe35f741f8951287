"""Channels of NumPy's arrays normalized, by loops in C++ where there is a compiler.

Arrays have three dimensions, of which channels are the second.  Each function returns ``None``
where NumPy is to compute.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend.convolution import TYPES, address, library

Array = Any
Shape = tuple[int, ...]

LEAST = 1 << 8  # elements from which calls take a loop


def _loops(array: Array) -> ctypes.CDLL | None:
    real = TYPES.get(array.dtype)
    return None if real is None or array.size < LEAST else library("CHANNELS", real)


_SHAPE = ctypes.c_long * 3


def _plain(array: Array | None) -> Array | None:
    return None if array is None else np.ascontiguousarray(array)


def _pointer(array: Array | None) -> Any:
    return None if array is None else ctypes.c_void_p(address(array))


def normalize(
    array: Array, weight: Array | None, bias: Array | None, eps: float, centered: bool
) -> tuple[Array, Array, Array] | None:
    """Return channels normalized, with their means and variances.

    Weights and biases are numbers of channels; where an array is not ``centered`` means are 0.
    """
    loops = _loops(array)
    if loops is None:
        return None
    kind, channels = array.dtype, array.shape[1]
    out = np.empty(array.shape, kind)
    mean, var = np.empty((2, 1, channels, 1), kind)
    given = [_plain(a) for a in (array, weight, bias)]
    loops.gpugrad_normalize(
        _SHAPE(*array.shape), ctypes.c_double(eps), ctypes.c_long(centered),
        *map(_pointer, (*given, out, mean, var)),
    )  # fmt: skip
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
    """Return the gradients of channels, weights and biases that have shapes."""
    loops = _loops(array)
    if loops is None:
        return None
    kind, channels = array.dtype, array.shape[1]
    out = None if shapes[0] is None else np.empty(array.shape, kind)
    sums = np.empty((2, channels), kind)
    given = [_plain(a) for a in (array, g, weight, mean, var)]
    loops.gpugrad_normalize_gradient(
        _SHAPE(*array.shape), ctypes.c_double(eps), ctypes.c_long(centered),
        *map(_pointer, (*given, out, sums[0], sums[1])),
    )  # fmt: skip
    of_weight, of_bias = (
        None if shape is None else part.reshape(shape)
        for part, shape in zip(sums, shapes[1:], strict=True)
    )
    return out, of_weight, of_bias

"""Maxima over windows of NumPy's arrays, by loops in C++ where there is a compiler."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend.convolution import TYPES, library

Array = Any

LEAST = 1 << 15  # elements from which calls take a loop


def address(array: Array) -> ctypes.c_void_p:
    """Return where the elements of an array begin."""
    return ctypes.c_void_p(array.ctypes.data)


def _loops(array: Array, size: int, named: Sequence[Any]) -> ctypes.CDLL | None:
    real = TYPES.get(array.dtype)
    elements = math.prod([taps.places.shape[1] for taps in named])
    if real is None or size < LEAST or elements > 256 or len(named) > 3:
        return None
    return library("POOLING", real)


def _described(count: int, named: Sequence[Any]) -> tuple[list[Array], Any]:
    """Return the tables of three dimensions, and the numbers that the loops ask for."""
    missing = 3 - len(named)
    tables = [np.zeros((1, 1), np.int64)] * missing
    tables += [np.ascontiguousarray(taps.places, np.int64) for taps in named]
    sizes = (1,) * missing + tuple([taps.length for taps in named])
    numbers = (count, *sizes, *map(len, tables), *[t.shape[1] for t in tables])
    return tables, (ctypes.c_long * len(numbers))(*numbers)


def largest(array: Array, named: Sequence[Any]) -> tuple[Array, Array] | None:
    """Return maxima over windows and their numbers, ``None`` where NumPy is to find them."""
    loops = _loops(array, array.size, named)
    if loops is None:
        return None
    lead = array.shape[: array.ndim - len(named)]
    tables, described = _described(math.prod(lead), named)
    plain = np.ascontiguousarray(array)
    shape = (*lead, *map(len, named))
    out, numbers = np.empty(shape, array.dtype), np.empty(shape, np.uint8)
    given = [address(a) for a in (plain, *tables)]
    loops.gpugrad_largest(*given, described, address(out), address(numbers))
    return out, numbers


def spread(grad: Array, numbers: Array, named: Sequence[Any]) -> Array | None:
    """Return zeros with elements added by their numbers, ``None`` where NumPy is to add them."""
    lead = grad.shape[: grad.ndim - len(named)]
    shape = (*lead, *[taps.length for taps in named])
    loops = _loops(grad, math.prod(shape), named)
    if loops is None:
        return None
    tables, described = _described(math.prod(lead), named)
    plain, kept = np.ascontiguousarray(grad), np.ascontiguousarray(numbers)
    out = np.zeros(shape, grad.dtype)
    given = [address(a) for a in (plain, *tables)]
    loops.gpugrad_spread(*given, described, address(out), address(kept))
    return out

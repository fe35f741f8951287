"""Maxima over windows of NumPy's arrays, by loops in C++ where there is a compiler."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend.convolution import TYPES, address, library

Array = Any

LEAST = 1 << 6  # elements from which calls take a loop


def _pointers(*arrays: Array) -> list[Any]:
    return [ctypes.c_void_p(address(a)) for a in arrays]


def _loops(array: Array, size: int, named: Sequence[Any]) -> ctypes.CDLL | None:
    real = TYPES.get(array.dtype)
    elements = math.prod([taps.places.shape[1] for taps in named])
    if real is None or size < LEAST or elements > 256 or len(named) > 3:
        return None
    return library("POOLING", real)


@functools.lru_cache(256)
def _described(count: int, named: tuple[Any, ...]) -> tuple[list[Array], list[Any]]:
    """Return the tables of three dimensions, and what the loops ask for: these and all sizes."""
    missing = 3 - len(named)
    tables = [np.zeros((1, 1), np.int64)] * missing
    tables += [np.ascontiguousarray(taps.places, np.int64) for taps in named]
    sizes = (1,) * missing + tuple([taps.length for taps in named])
    numbers = (count, *sizes, *map(len, tables), *[t.shape[1] for t in tables])
    return tables, [*_pointers(*tables), (ctypes.c_long * len(numbers))(*numbers)]


def largest(array: Array, named: Sequence[Any]) -> tuple[Array, Array] | None:
    """Return maxima over windows and their numbers, ``None`` where NumPy is to find them."""
    loops = _loops(array, array.size, named)
    if loops is None:
        return None
    lead = array.shape[: array.ndim - len(named)]
    _, described = _described(math.prod(lead), tuple(named))
    plain = np.ascontiguousarray(array)
    shape = (*lead, *map(len, named))
    out, numbers = np.empty(shape, array.dtype), np.empty(shape, np.uint8)
    loops.gpugrad_largest(*_pointers(plain), *described, *_pointers(out, numbers))
    return out, numbers


def spread(grad: Array, numbers: Array, named: Sequence[Any]) -> Array | None:
    """Return zeros with elements added by their numbers, ``None`` where NumPy is to add them."""
    lead = grad.shape[: grad.ndim - len(named)]
    shape = (*lead, *[taps.length for taps in named])
    loops = _loops(grad, math.prod(shape), named)
    if loops is None:
        return None
    _, described = _described(math.prod(lead), tuple(named))
    plain, kept = np.ascontiguousarray(grad), np.ascontiguousarray(numbers)
    out = np.zeros(shape, grad.dtype)
    loops.gpugrad_spread(*_pointers(plain), *described, *_pointers(out, kept))
    return out

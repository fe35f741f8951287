"""Attention over NumPy's arrays where there are few scores, by loops in C++.

Arrays are stacks of matrices.  Each function returns ``None`` where NumPy is to compute: where
there is no compiler, or where matrices are so large that products of them take no longer.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from gpugrad.backend.convolution import TYPES, address, library

Array = Any

MOST = 1 << 15  # products of two numbers of a call, of those of scores

# Weights below its exponential are 0: exponentials and products of subnormal numbers take ten times
# as long.
LEAST = -87.0

_SHAPE = ctypes.c_long * 5


def _shape(q: Array, v: Array) -> Any:
    stacks, queries, features = q.shape
    return _SHAPE(stacks, queries, *v.shape[1:2], features, *v.shape[2:])


def _loops(q: Array, k: Array) -> ctypes.CDLL | None:
    real = TYPES.get(q.dtype)
    return None if real is None or q.size * k.shape[1] > MOST else library("ATTENTION", real)


def _numbers(scale: float, causal: bool) -> tuple[Any, Any, Any]:
    return ctypes.c_double(scale), ctypes.c_double(LEAST), ctypes.c_long(causal)


def _pointers(*arrays: Array) -> list[Any]:
    return [ctypes.c_void_p(address(a)) for a in arrays]


def attention(
    q: Array, k: Array, v: Array, scale: float, causal: bool
) -> tuple[Array, Array] | None:
    """Return the means of values, and the logarithms of the sums of each query's weights."""
    loops = _loops(q, k)
    if loops is None:
        return None
    stacks, queries = q.shape[:2]
    given = [np.ascontiguousarray(a) for a in (q, k, v)]
    out = np.zeros((stacks, queries, v.shape[2]), q.dtype)
    logs, room = np.empty((stacks, queries), q.dtype), np.empty(k.shape[1], q.dtype)
    loops.gpugrad_attention(
        _shape(q, v), *_numbers(scale, causal),
        *_pointers(*given, out, logs, room),
    )  # fmt: skip
    return out, logs


def attention_gradient(
    g: Array, q: Array, k: Array, v: Array, out: Array, logs: Array, scale: float, causal: bool
) -> tuple[Array, Array, Array] | None:
    """Return the gradients of queries, keys and values."""
    loops = _loops(q, k)
    if loops is None:
        return None
    given = [np.ascontiguousarray(a) for a in (g, q, k, v, out, logs)]
    of_q, of_k, of_v = (np.zeros(a.shape, q.dtype) for a in (q, k, v))
    loops.gpugrad_attention_gradient(
        _shape(q, v), *_numbers(scale, causal),
        *_pointers(*given, of_q, of_k, of_v),
    )  # fmt: skip
    return of_q, of_k, of_v

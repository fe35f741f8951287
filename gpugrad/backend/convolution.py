"""Products with windows of NumPy's images, by loops in C++ where there is a compiler."""

from __future__ import annotations

import ctypes
import functools
import math
from typing import Any

import numpy as np

Array = Any
Shape = tuple[int, ...]

LEAST = 1 << 21  # products of two numbers from which calls take a loop: it takes 2 s to build once
_FEW = 24  # elements of a filter; with fewer, matrices are as fast
_SIZES = {(3, 3), (5, 5), (2, 2), (4, 4), (1, 3), (1, 5)}  # of filters whose sums stay in registers
TYPES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_BYTES = 64  # of a vector


@functools.cache
def library(real: str) -> ctypes.CDLL | None:
    """Return the loops for numbers of a type, ``None`` where none can be built."""
    from gpugrad.backend import compiler
    from gpugrad.kernels import host

    try:
        return compiler.built(f"#define REAL {real}\n{host.WINDOWS}")
    except compiler.BuildError:
        return None


def _loops(x: Array, windows: Any, filters: int, channels: int) -> ctypes.CDLL | None:
    """Return the loops for some products, ``None`` where matrices are to be taken."""
    real = TYPES.get(x.dtype)
    elements = channels * windows.elements
    if real is None or len(windows.kernel) > 2 or elements < _FEW:
        return None
    if len(x) * math.prod(windows.counts) * filters * elements < LEAST:
        return None
    return library(real)


def _padded(array: Array, windows: Any) -> Array:
    """Return images with zeros around them, of two dimensions, that lie as their indices."""
    pads = windows.pads
    if any(map(any, pads)):
        sizes = [n + max(a, 0) + max(b, 0) for n, (a, b) in zip(windows.sizes, pads, strict=True)]
        framed = np.zeros((*array.shape[:2], *sizes), array.dtype)
        inner = [slice(max(a, 0), max(a, 0) + n)
                 for n, (a, _) in zip(windows.sizes, pads, strict=True)]  # fmt: skip
        framed[(slice(None), slice(None), *inner)] = array
        crop = [slice(max(-a, 0), n - max(-b, 0))
                for n, (a, b) in zip(sizes, pads, strict=True)]  # fmt: skip
        array = framed[(slice(None), slice(None), *crop)]
    array = np.ascontiguousarray(array)
    return array if array.ndim == 4 else array[:, :, None]


def _described(images: Array, windows: Any, filters: int) -> Any:
    """Return the numbers that the loops ask for."""
    missing = 2 - len(windows.kernel)
    found = [
        (1,) * missing + tuple(numbers)
        for numbers in (windows.kernel, windows.counts, windows.stride, windows.dilation)
    ]
    kernel, counts, steps, apart = found
    numbers = (*images.shape, filters, *kernel, *counts, *steps, *apart)
    return (ctypes.c_long * len(numbers))(*numbers)


def _aligned(size: int, dtype: np.dtype[Any]) -> Array:
    """Return zeros that begin where a vector may."""
    extra = _BYTES // dtype.itemsize
    room = np.zeros(size + extra, dtype)
    start = -room.ctypes.data % _BYTES // dtype.itemsize
    return room[start : start + size]


def address(array: Array) -> ctypes.c_void_p:
    """Return where the elements of an array begin."""
    return ctypes.c_void_p(array.ctypes.data)


def convolve(x: Array, weight: Array, windows: Any) -> Array | None:
    """Return the products of windows with filters, ``None`` where matrices are to be taken."""
    filters, channels = weight.shape[:2]
    loops = _loops(x, windows, filters, channels)
    if loops is None:
        return None
    lanes = _BYTES // x.dtype.itemsize
    blocks = -(-filters // lanes)
    images = _padded(x, windows)
    packed = _aligned(blocks * lanes * channels * windows.elements, x.dtype)
    rows = packed.reshape(blocks, channels * windows.elements, lanes)
    flat = weight.reshape(filters, -1)
    for b in range(blocks):
        part = flat[b * lanes : (b + 1) * lanes]
        rows[b, :, : len(part)] = part.T
    out = np.empty((len(x), filters, *windows.counts), x.dtype)
    start = _aligned(blocks * lanes, x.dtype)
    given = (address(a) for a in (images, packed, start))
    loops.gpugrad_convolve(*given, _described(images, windows, filters), address(out))
    return out


def weigh(x: Array, y: Array, windows: Any) -> Array | None:
    """Return the products of windows with results, ``None`` where matrices are to be taken."""
    filters, channels = y.shape[1], x.shape[1]
    size = (1,) * (2 - len(windows.kernel)) + tuple(windows.kernel)
    if size not in _SIZES or windows.dilation[-1] != 1:
        return None
    loops = _loops(x, windows, filters, channels)
    if loops is None:
        return None
    lanes = _BYTES // x.dtype.itemsize
    blocks = -(-filters // lanes)
    images = _padded(x, windows)
    target = _aligned(blocks * lanes * channels * windows.elements, x.dtype)
    room = _aligned(math.prod(windows.counts) * lanes, x.dtype)
    given = (address(a) for a in (images, np.ascontiguousarray(y)))
    described = _described(images, windows, filters)
    loops.gpugrad_weigh(*given, described, address(room), address(target))
    rows = target.reshape(blocks, channels, windows.elements, lanes)
    found = rows.transpose(0, 3, 1, 2).reshape(blocks * lanes, channels, *windows.kernel)
    return np.ascontiguousarray(found[:filters])

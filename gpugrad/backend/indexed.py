"""Rows of NumPy's arrays at places, read and written by loops in C++ where there is a compiler."""

from __future__ import annotations

import ctypes
import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad.backend import loops

if TYPE_CHECKING:
    from gpugrad.backend.places import Part, Places

Array = Any

_WAYS = {"read": 0, "write": 1, "sum": 2, "prod": 3, "amax": 4, "amin": 5}
_MOST = 14  # parts
_INT64 = np.dtype(np.int64)


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return the loops, ``None`` where none can be built."""
    from gpugrad.kernels import host

    made = loops.with_frames(host.PLACES)
    if isinstance(made, str):
        return None
    int_ = ctypes.c_int
    made.gpugrad_at.argtypes = ctypes.py_object, ctypes.c_void_p, int_, int_, int_, int_
    made.gpugrad_at.restype = int_
    return made


def read(array: Array, found: Places) -> Array | None:
    """Return a copy of rows; ``None``: there is no loop for it, or no such place."""
    if not _moves(array):
        return None
    out = np.empty((*found.shape, *found.row), array.dtype)
    return out if _at("read", array, found, out, array.dtype) else None


def write(array: Array, found: Places, values: Array) -> bool:
    """Write rows, the last of one place last; tell whether that is done, else nothing is."""
    return values.dtype == array.dtype and _moves(array) and _put("write", array, found, values)


def reduce(array: Array, found: Places, values: Array, way: str) -> bool:
    """Put values together with rows, in their order; tell whether that is done, else nothing is."""
    kind = array.dtype
    if values.dtype != kind:
        return False
    if kind.kind == "c" and way == "sum":  # a sum of two real numbers each
        array, values = (a.view(a.real.dtype).reshape(*a.shape, 2) for a in (array, _dense(values)))
        found = found._replace(row=(*found.row, 2))
    return array.dtype.char in "fdil" and _put(way, array, found, values)


def _moves(array: Array) -> bool:
    return array.itemsize in (1, 2, 4, 8, 16) and not array.dtype.hasobject


def _dense(array: Array) -> Array:
    return np.require(array, None, ("C", "A"))


def _put(way: str, array: Array, found: Places, values: Array) -> bool:
    single = math.prod(found.row) == 1
    values = values.reshape(found.shape) if single else _dense(values)
    if np.may_share_memory(values, array):
        values = values.copy()
    return _at(way, array, found, values, array.dtype)


def _at(way: str, array: Array, found: Places, values: Array, kind: np.dtype[Any]) -> bool:
    made, parts = _library(), found.parts
    if made is None or len(parts) > _MOST:
        return False
    numbers = (ctypes.c_long * (1 + 2 * len(parts)))(
        math.prod(found.row), *[p.length for p in parts], *[p.step for p in parts]
    )
    arrays = [*[_numbers(p, array, way) for p in parts], values, array]
    threads = loops.threads_for(values.size) if way == "read" else 1
    done: int = made.gpugrad_at(arrays, numbers, _WAYS[way], ord(kind.char), kind.itemsize, threads)
    return bool(done)


def _numbers(part: Part, array: Array, way: str) -> Array:
    """Return a part's numbers as what the loops read, apart from what is written."""
    numbers = part.numbers
    if numbers.dtype != _INT64:
        return numbers.astype(_INT64)
    return numbers.copy() if way != "read" and np.may_share_memory(numbers, array) else numbers

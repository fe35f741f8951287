"""Memory of large NumPy arrays: aligned, and kept for the next one of its size.

NumPy takes memory for its arrays from the C library, which aligns them to 16 bytes and gives large
ones back to the system, so that each new one has every page cleared again.  Where there is a C++
compiler, large arrays that we make lie in memory of a pool (``kernels/pool.cpp``), by NumPy's own
way to say who allocates (NEP 49): they are arrays like any other, and know who frees them.
"""

from __future__ import annotations

import contextvars
import ctypes
import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from gpugrad.backend.quiet import QUIET, enter, quietly

LEAST = 1 << 16  # bytes of an array, as pool.cpp has it

_SET_HANDLER = 304  # the place of PyDataMem_SetHandler in NumPy's table for C
_python = ctypes.pythonapi

T = TypeVar("T")


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return what keeps memory, ``None`` where there is no compiler."""
    from gpugrad.backend import compiler
    from gpugrad.kernels import host

    try:
        return compiler.built(host.POOL)
    except compiler.BuildError:
        return None


def give_back() -> None:
    """Give the memory that is kept for large arrays back to the system."""
    library = _library() if _library.cache_info().currsize else None
    if library is not None:
        library.gpugrad_give_back()


@functools.cache
def _pool() -> tuple[Any, Any] | None:
    """Return the context variable that says who allocates, and our value; ``None``: NumPy does."""
    library = _library()
    if library is None:
        return None
    new, pointer = _python.PyCapsule_New, _python.PyCapsule_GetPointer
    new.restype, new.argtypes = (
        ctypes.py_object,
        (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p),
    )
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    struct = ctypes.addressof(ctypes.c_char.in_dll(library, "gpugrad_pool"))
    ours = new(struct, b"mem_handler", None)
    table = pointer(np._core._multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    functions = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
    choose = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(functions[_SET_HANDLER])
    context = contextvars.Context()
    context.run(choose, ours)
    (allocator,) = context
    return allocator, ours


def pooled(function: Callable[..., T], *args: Any) -> T:
    """Return what a function returns; the large arrays that it makes lie in memory of the pool."""
    known = _pool()
    if known is None:
        return function(*args)
    allocator, ours = known
    before = allocator.get()
    try:
        allocator.set(ours)
        return function(*args)
    finally:
        allocator.set(before)


@functools.cache
def _ample() -> Callable[..., Any]:
    """Return what calls a function in a context with this memory, and without warnings."""
    known = _pool()
    if known is None:
        return quietly
    context = contextvars.Context()
    context.run(enter, QUIET)
    context.run(known[0].set, known[1])
    return context.run


def amply(function: Callable[..., T], *args: Any) -> T:
    """Return what a function returns, with large arrays in memory of the pool, and no warnings.

    As with ``quietly`` this is one call, and a RuntimeError while another thread is in it.
    """
    return _ample()(function, *args)


def made(function: Callable[..., T], shape: tuple[int, ...], dtype: np.dtype[Any]) -> T:
    """Return an array that a function makes of a shape and a type."""
    if math.prod(shape) * dtype.itemsize >= LEAST:
        return pooled(function, shape, dtype)
    return function(shape, dtype)

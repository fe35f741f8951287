"""Products of matrices by cuBLAS itself: CuPy's functions of it refuse a captured stream."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad.backend.nvidia import call
from gpugrad.kernels.capture import Capture

Array = Any

# cudaDataType, by the characters of types; bfloat16 has none
_TYPES = {"e": 2, "f": 0, "d": 1, "F": 4, "D": 5}
_BFLOAT16 = 14
_SINGLE, _DOUBLE, _TF32 = 68, 70, 77  # cublasComputeType_t
_DEFAULT_ALGORITHM = -1
_PLAIN, _TRANSPOSED = 0, 1  # cublasOperation_t
_LARGEST = 2**31 - 1

_SMALL_WORKSPACE, _LARGE_WORKSPACE = 2**23, 2**25  # bytes; NVIDIA's advice, the second from sm_90


def multiplies(dtype: np.dtype[Any]) -> bool:
    """Tell whether cuBLAS has products of a type."""
    return dtype.char in _TYPES or dtype.name == "bfloat16"


@cache
def handle(device: int) -> ctypes.c_void_p:
    """Return what cuBLAS knows a GPU by, which is the current one."""
    found = ctypes.c_void_p()
    call("cublas", "cublasCreate_v2", ctypes.byref(found))
    return found


def matmul(a: Array, b: Array, graph: Capture) -> Array:
    """Return the product of two arrays of one type, as NumPy's ``matmul``, in the current stream.

    Raises:
        ValueError: They do not fit.
    """
    if a.ndim == 1 or b.ndim == 1:
        found = matmul(a if a.ndim > 1 else a[None], b if b.ndim > 1 else b[:, None], graph)
        found = found[..., 0, :] if a.ndim == 1 else found
        return found[..., 0] if b.ndim == 1 else found
    rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
    if inner != b.shape[-2]:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not fit: {inner} columns")
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = cupy.ndarray((*lead, rows, columns), a.dtype)
    if not out.size:
        return out
    if not inner:
        out.fill(0)
        return out
    # Column by column, as cuBLAS reads it, out is its transpose: that of b times that of a.
    first, second = (_operand(x, lead) for x in (b, a))
    if max(rows, inner, columns, math.prod(lead), first.leading, second.leading) > _LARGEST:
        raise ValueError(f"matmul: cuBLAS counts in 32 bits; shapes {a.shape} and {b.shape}")
    compute, scalar = _computed_in(a.dtype)
    kind = _TYPES.get(a.dtype.char, _BFLOAT16)
    one, zero = ((scalar * 2)(number, 0) for number in (1, 0))
    call(
        "cublas", "cublasGemmStridedBatchedEx", _prepared(graph), first.operation, second.operation,
        columns, rows, inner, one, _pointer(first.array), kind, first.leading,
        ctypes.c_longlong(first.step), _pointer(second.array), kind, second.leading,
        ctypes.c_longlong(second.step), zero, _pointer(out), kind, columns,
        ctypes.c_longlong(rows * columns), math.prod(lead), compute, _DEFAULT_ALGORITHM,
    )  # fmt: skip
    return out


class _Operand:
    """A stack of matrices as cuBLAS takes their transposes; all lengths are in elements."""

    def __init__(self, array: Array, operation: int, leading: int, step: int):
        self.array, self.operation, self.leading, self.step = array, operation, leading, step


def _operand(array: Array, lead: tuple[int, ...]) -> _Operand:
    """Return how an array is handed over, copied where its strides are none of cuBLAS's."""
    rows, columns = array.shape[-2:]
    whole = cupy.broadcast_to(array, (*lead, rows, columns))
    *steps, down, right = (s // array.itemsize for s in whole.strides)
    step = _one_step(lead, steps)
    if step is not None:
        if (right == 1 or columns == 1) and (down >= columns or rows == 1):
            return _Operand(array, _PLAIN, max(down, columns), step)
        if (down == 1 or rows == 1) and (right >= rows or columns == 1):
            return _Operand(array, _TRANSPOSED, max(right, rows), step)
    return _operand(cupy.array(whole if step is None else array, order="C", copy=True), lead)


def _one_step(lead: Sequence[int], steps: Sequence[int]) -> int | None:
    """Return how far the matrices of a stack lie from each other, None if not all equally far."""
    length, found = 1, 0
    for n, step in zip(reversed(lead), reversed(steps), strict=True):
        if n == 1:
            continue
        if length == 1:
            found = step
        elif step != found * length:
            return None
        length *= n
    return found if found >= 0 else None


def _computed_in(dtype: np.dtype[Any]) -> tuple[int, Any]:
    """Return in which type cuBLAS adds up, as CuPy has it do, and that of its factors."""
    if dtype.char in "dD":
        return _DOUBLE, ctypes.c_double
    tf32 = dtype.char in "fF" and int(os.getenv("CUPY_TF32", "0")) > 0
    return (_TF32 if tf32 else _SINGLE), ctypes.c_float


def _prepared(graph: Capture) -> ctypes.c_void_p:
    """Return the handle for the current stream, with memory of the graph's to work in."""
    stream, device = cupy.cuda.get_current_stream().ptr, cupy.cuda.Device()
    if stream not in graph.workspaces:
        size = _LARGE_WORKSPACE if int(device.compute_capability) >= 90 else _SMALL_WORKSPACE
        graph.workspaces[stream] = cupy.cuda.alloc(size), size
    found = handle(device.id)
    call("cublas", "cublasSetStream_v2", found, ctypes.c_void_p(stream))
    memory, size = graph.workspaces[stream]  # which setting the stream has taken away
    call(
        "cublas", "cublasSetWorkspace_v2", found, ctypes.c_void_p(memory.ptr), ctypes.c_size_t(size)
    )
    return found


def _pointer(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.data.ptr)

"""Indices, looked at by the device: one that is out of bounds is written down where the host reads.

To wait for the answer at every index would cost more than all else; the host reads the record when
it waits for the device anyway.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad.kernels.source import HEADER, DType, c_type

THREADS = 256
BLOCKS = 1024

# The first wrong index since the host last read, with what the host must know of it.  A thread that
# finds nothing wrong writes nothing.
_SOURCE = """
extern "C" __global__ void gpugrad_bounds(const INDEX *indices, gpugrad::int64 count,
    gpugrad::int64 low, gpugrad::int64 size, gpugrad::int64 axis, gpugrad::int64 words,
    volatile gpugrad::int64 *record) {
  const gpugrad::int64 step = gpugrad::int64(gridDim.x) * blockDim.x;
  for (gpugrad::int64 k = gpugrad::int64(blockIdx.x) * blockDim.x + threadIdx.x; k < count;
       k += step) {
    const gpugrad::int64 index = gpugrad::int64(indices[k]);
    if ((index < low || index >= size) && record[0] == 0) {
      record[1] = index; record[2] = size; record[3] = axis; record[4] = words;
      __threadfence_system();
      record[0] = 1;
    }
  }
}
"""


@cache
def kernel(dtype: DType) -> cupy.RawKernel:
    """Return the kernel that looks at indices of a type."""
    return cupy.RawKernel(HEADER + _SOURCE.replace("INDEX", c_type(dtype)), "gpugrad_bounds")


@cache
def _record() -> tuple[Any, np.uint64]:
    """Return the record, and where it is: page-locked memory has one address for both."""
    memory = cupy.cuda.alloc_pinned_memory(64)
    values = np.frombuffer(memory, np.int64, 5)  # which keeps the memory
    values[:] = 0
    return values, np.uint64(memory.ptr)


def pointer() -> np.uint64:
    """Return where kernels write down what is wrong."""
    return _record()[1]


_WORDS: list[tuple[type[Exception], str]] = []  # how an error about an index begins


def number(error: type[Exception], function: str) -> int:
    """Return the number by which a kernel names what is said of an index."""
    if (error, function) not in _WORDS:
        _WORDS.append((error, function))
    return _WORDS.index((error, function))


def words(number: int) -> tuple[type[Exception], str]:
    """Return what is said of an index, by its number."""
    return _WORDS[number]


def look(indices: Any, low: int, size: int, axis: int, words: int) -> None:
    """Have the device look for an index that is below ``low`` or not below ``size``.

    ``words`` is a number by which the caller knows what to say of it.
    """
    indices = cupy.ascontiguousarray(indices)
    numbers = [np.int64(n) for n in (indices.size, low, size, axis, words)]
    blocks = min(BLOCKS, -(-indices.size // THREADS))
    kernel(indices.dtype)((blocks,), (THREADS,), (indices, *numbers, _record()[1]))


def found() -> tuple[int, int, int, int] | None:
    """Return an index that was out of bounds, the size, the axis and the caller's number, once."""
    values = _record()[0]
    if not values[0]:
        return None
    index, size, axis, words = (int(n) for n in values[1:])
    values[0] = 0
    return index, size, axis, words

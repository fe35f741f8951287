"""Rows that are put together by the number that each has: the same bits each time.

The rows of a number are taken in their order, so that no thread waits for another's turn.  The
caller sorts the numbers; a thread for each of them and each column takes what belongs to one
number, in pieces of which all but the first were put together before.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.kernels.source import HEADER, DType, c_type

THREADS = 256
BLOCKS = 4096
CHUNK = 256  # rows in a piece

_WAYS = {
    "sum": "a + b", "prod": "a * b", "amax": "gpugrad::maximum(a, b)",
    "amin": "gpugrad::minimum(a, b)", "last": "b",
}  # fmt: skip

# What both kernels know.  Row j of the sorted ones has the number of row order[j]; its elements are
# those of the values, or the one that all of them are where `step` is 0.
_SOURCE = """
typedef gpugrad::int64 Size;
__device__ inline TOTAL combined(const TOTAL a, const TOTAL b) { return TOTAL(COMBINED); }
#define NUMBER(j) Size(numbers[order[j]])
#define VALUE(j) TOTAL(values[(order[j] * width + k) * step])
"""
_PIECES = """
extern "C" __global__ void gpugrad_pieces(const INDEX *numbers, const Size *order,
    const VALUE_TYPE *values, Size rows, Size width, Size step, TOTAL *pieces) {
  const Size count = (rows - 1) / CHUNK * width;
  for (Size t = Size(blockIdx.x) * blockDim.x + threadIdx.x; t < count;
       t += Size(gridDim.x) * blockDim.x) {
    const Size piece = t / width + 1, k = t % width, first = piece * CHUNK;
    const Size end = first + CHUNK < rows ? first + CHUNK : rows, number = NUMBER(first);
    if (number != NUMBER(first - 1)) continue;
    TOTAL total = VALUE(first);
    for (Size j = first + 1; j < end && NUMBER(j) == number; j++) total = combined(total, VALUE(j));
    pieces[piece * width + k] = total;
  }
}
"""
_SEGMENTS = """
extern "C" __global__ void gpugrad_segments(const INDEX *numbers, const Size *order,
    const VALUE_TYPE *values, Size rows, Size width, Size step, const TOTAL *pieces,
    VALUE_TYPE *target) {
  const Size count = rows * width;
  for (Size t = Size(blockIdx.x) * blockDim.x + threadIdx.x; t < count;
       t += Size(gridDim.x) * blockDim.x) {
    const Size first = t / width, k = t % width, number = NUMBER(first);
    if (first > 0 && NUMBER(first - 1) == number) continue;
    const Size next = (first / CHUNK + 1) * CHUNK, end = next < rows ? next : rows;
    TOTAL total = TOTAL(target[number * width + k]);
    Size j = first;
    for (; j < end && NUMBER(j) == number; j++) total = combined(total, VALUE(j));
    if (j == next)
      for (; j < rows && NUMBER(j) == number; j += CHUNK)
        total = combined(total, pieces[j / CHUNK * width + k]);
    target[number * width + k] = VALUE_TYPE(total);
  }
}
"""


@cache
def kernels(dtype: DType, index: DType, way: str) -> tuple[cupy.RawKernel, cupy.RawKernel, DType]:
    """Return the two kernels for elements of a type, and the type in which they compute."""
    total = accumulation(dtype)
    made = []
    for name, body in (("gpugrad_pieces", _PIECES), ("gpugrad_segments", _SEGMENTS)):
        text = (_SOURCE + body).replace("COMBINED", _WAYS[way]).replace("CHUNK", str(CHUNK))
        text = text.replace("TOTAL", c_type(total)).replace("VALUE_TYPE", c_type(dtype))
        made.append(cupy.RawKernel(HEADER + text.replace("INDEX", c_type(index)), name))
    return made[0], made[1], total


@cache
def numbered() -> cupy.ElementwiseKernel:
    """Return the kernel that makes rows of numbers of steps, negative ones from the front."""
    return cupy.ElementwiseKernel(
        "T number, int64 length, int64 step",
        "R row",
        # one that is out of bounds, which is found elsewhere, must not be written to
        "const long long k = (long long)number % length; row = R((k < 0 ? k + length : k) * step)",
        "gpugrad_numbered",
    )


def reduce(target: Any, numbers: Any, order: Any, values: Any, step: int, way: str) -> int:
    """Put rows of values together with the rows of ``target`` that are numbered.

    All are dense, and ``order`` sorts the numbers; with a ``step`` of 0 the values are all one.
    It returns how many kernels were launched.
    """
    rows, width = len(numbers), target.shape[1]
    pieces, segments, total = kernels(target.dtype, numbers.dtype, way)
    parts = -(-rows // CHUNK)
    between = cupy.empty(parts * width if parts > 1 else 0, total)
    sizes = [np.int64(n) for n in (rows, width, step)]
    if parts > 1:
        pieces(_blocks(parts * width), (THREADS,), (numbers, order, values, *sizes, between))
    given = (numbers, order, values, *sizes, between, target)
    segments(_blocks(rows * width), (THREADS,), given)
    return 1 + (parts > 1)


def _blocks(threads: int) -> tuple[int]:
    return (min(BLOCKS, -(-threads // THREADS)),)

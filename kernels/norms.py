"""The norm of many arrays together by one ``cupy.RawKernel``.

Blocks take parts of arrays as those of :mod:`update` do, and add up squares in 64 bits; the block
that ends last adds up those of all parts in a fixed order, so that the same call gives the same
bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad.kernels import capture, launches
from gpugrad.kernels.layout import BLOCK, THREADS
from gpugrad.kernels.source import HEADER, DType, c_type
from gpugrad.kernels.update import EACH, table

_TEXT = """
namespace {
__device__ inline double total(double *sums, double own) {  // of all threads
  __syncthreads();
  sums[threadIdx.x] = own;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
  }
  __syncthreads();
  return sums[0];
}
}

extern "C" __global__ void gpugrad_norm(const gpugrad::int64 *table, const gpugrad::int64 count,
    volatile double *parts, unsigned *ended, Element *result) {
  __shared__ double sums[THREADS];
  __shared__ bool last;
  const gpugrad::int64 *const work = table + 2 * count;
  const gpugrad::int64 row = work[blockIdx.x], start = work[gridDim.x + blockIdx.x];
  const gpugrad::int64 size = table[count + row];
  const Element *const x = reinterpret_cast<const Element *>(table[row]);
  double own = 0.0;
  for (int k = 0; k < EACH; k++) {
    const gpugrad::int64 at = start + k * THREADS + threadIdx.x;
    if (at < size) own += double(x[at]) * double(x[at]);
  }
  own = total(sums, own);
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = own;
    __threadfence();
    last = atomicAdd(ended, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  __threadfence();
  own = 0.0;
  for (unsigned k = threadIdx.x; k < gridDim.x; k += THREADS) own += parts[k];
  own = total(sums, own);
  if (threadIdx.x == 0) *result = Element(sqrt(own));
}
"""


@cache
def raw(dtype: DType) -> cupy.RawKernel:
    """Return the kernel for an element type."""
    text = _TEXT.replace("THREADS", str(THREADS)).replace("EACH", str(EACH))
    return cupy.RawKernel(f"{HEADER}using Element = {c_type(dtype)};\n{text}", "gpugrad_norm")


def norm(arrays: Sequence[Any]) -> Any:
    """Return the norm of arrays of one real type, without gaps and on one GPU, as one number."""
    kind = arrays[0].dtype
    addresses, sizes = tuple([a.data.ptr for a in arrays]), tuple([a.size for a in arrays])
    blocks, words = table(addresses, sizes, cupy.cuda.Device().id)
    if not blocks:
        return cupy.zeros((), kind)
    result, parts = cupy.empty((), kind), cupy.empty(blocks)
    ended = cupy.zeros(1, np.uint32)
    launches.add(1)
    arguments = (capture.kept(words), np.int64(len(arrays)), parts, ended, result)
    raw(kind)((blocks,), BLOCK, arguments)
    return result

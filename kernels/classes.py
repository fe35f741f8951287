"""Cross entropy of classes and its gradient, by one ``cupy.RawKernel`` each.

Elements are seen as ``(outer, classes, inner)``.  Forward, several threads take a row together, as
those of :mod:`softmax` do, and find the logarithm of its sum of exponentials, which is kept for the
gradient.  A block adds up the losses of its rows, and the block that ends last adds up those of all
blocks, in the order of their numbers, so that the same call gives the same bits.  Backward, each
thread takes elements.  The plain definition is :func:`gpugrad.ops.nn.classes.cross_entropy_plain`.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.kernels import bounds, launches
from gpugrad.kernels.softmax import COMBINED, EACH, TAKEN, THREADS
from gpugrad.kernels.source import HEADER, DType, c_type

_WORDS = (IndexError, "Target {index} is out of bounds.")
_GRID = 4096  # blocks of the gradient at most

_FORWARD = """
struct State { Value most; Value sum; };  // and of rows: their losses, and their weights
namespace {
__device__ inline State combined(const State &p, const State &q) { COMBINED }
__device__ inline State added(State *states, const State &own) {  // of all threads, in their order
  __syncthreads();
  states[threadIdx.x] = own;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) {
      states[threadIdx.x].most += states[threadIdx.x + half].most;
      states[threadIdx.x].sum += states[threadIdx.x + half].sum;
    }
  }
  __syncthreads();
  return states[0];
}
}

extern "C" __global__ void gpugrad_cross_entropy(const Element *source, const long long *places,
    const Element *weight, Element *result, Value *norms, Value *total, volatile Value *parts,
    unsigned *ended, const long long classes, const long long inner, const long long rows,
    const int lanes, const long long ignored, const int reduction, const long long axis,
    const long long words, volatile gpugrad::int64 *record) {
  alignas(16) __shared__ char memory[THREADS * sizeof(State)];
  __shared__ bool last;
  State *states = reinterpret_cast<State *>(memory);
  const int across = THREADS / lanes;
  const bool along = inner == 1;  // neighbouring threads read what lies side by side
  const int lane = along ? threadIdx.x % lanes : threadIdx.x / across;
  const int own = along ? threadIdx.x / lanes : threadIdx.x % across;
  const int step = along ? 1 : across;  // from the state of a lane to that of the next
  const long long row = (long long)(blockIdx.x) * across + own;
  const long long start = row / inner * classes * inner + row % inner;
  State state = {-Value(CUDART_INF), Value(0)};
  if (row < rows)
    for (long long k = lane; k < classes; k += lanes) {
      const long long at = start + k * inner;
      TAKEN
    }
  states[threadIdx.x] = state;
  for (int half = lanes / 2; half > 0; half /= 2) {
    __syncthreads();
    if (lane < half)
      states[threadIdx.x] = combined(states[threadIdx.x], states[threadIdx.x + half * step]);
  }
  __syncthreads();
  State found = {Value(0), Value(0)};
  if (row < rows && lane == 0) {
    state = states[threadIdx.x];
    const Value norm = state.most + log(state.sum);
    const long long place = places[row];
    norms[row] = norm;
    if (place < 0 || place >= classes) {
      if (place != ignored) {
        if (record[0] == 0) {
          record[1] = place; record[2] = classes; record[3] = axis; record[4] = words;
          __threadfence_system();
          record[0] = 1;
        }
        found.most = Value(CUDART_NAN);
      }
    } else if (place != ignored) {
      found.sum = weight == nullptr ? Value(1) : Value(weight[place]);
      found.most = found.sum * (norm - Value(source[start + place * inner]));
    }
    if (reduction == 0) result[row] = Element(found.most);
  }
  if (reduction == 0) return;
  const State block = added(states, found);
  if (threadIdx.x == 0) {
    parts[2 * blockIdx.x] = block.most;
    parts[2 * blockIdx.x + 1] = block.sum;
    __threadfence();
    last = atomicAdd(ended, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  __threadfence();
  State sums = {Value(0), Value(0)};
  for (unsigned k = threadIdx.x; k < gridDim.x; k += THREADS) {
    sums.most += parts[2 * k];
    sums.sum += parts[2 * k + 1];
  }
  const State whole = added(states, sums);
  if (threadIdx.x == 0) {
    *total = whole.sum;
    *result = Element(reduction == 1 ? whole.most / whole.sum : whole.most);
  }
}
"""

_GRADIENT = """
extern "C" __global__ void gpugrad_cross_entropy_gradient(const Element *given,
    const Element *source, const long long *places, const Element *weight, const Value *norms,
    const Value *total, Element *result, const long long classes, const long long inner,
    const long long count, const long long ignored, const int reduction) {
  const long long step = (long long)(gridDim.x) * blockDim.x;
  for (long long k = (long long)(blockIdx.x) * blockDim.x + threadIdx.x; k < count; k += step) {
    const long long row = k / inner / classes * inner + k % inner;
    const long long place = places[row];
    Value scale = Value(0);
    if (place != ignored && place >= 0 && place < classes) {
      scale = Value(given[reduction == 0 ? row : 0]);
      if (weight != nullptr) scale *= Value(weight[place]);
      if (reduction == 1) scale /= *total;
    }
    const Value soft = exp(Value(source[k]) - norms[row]);
    result[k] = Element(scale * soft - (k / inner % classes == place ? scale : Value(0)));
  }
}
"""


@cache
def forward(dtype: DType) -> cupy.RawKernel:
    """Return the kernel of the loss for an element type."""
    text = _FORWARD.replace("COMBINED", COMBINED).replace("TAKEN", TAKEN)
    return _made(text.replace("THREADS", str(THREADS)), "gpugrad_cross_entropy", dtype)


@cache
def gradient(dtype: DType) -> cupy.RawKernel:
    """Return the kernel of the gradient."""
    return _made(_GRADIENT, "gpugrad_cross_entropy_gradient", dtype)


def _made(text: str, name: str, dtype: DType) -> cupy.RawKernel:
    types = {"Element": dtype, "Value": accumulation(dtype)}
    lines = "".join(f"using {name} = {c_type(d)};\n" for name, d in types.items())
    return cupy.RawKernel(f"{HEADER}{lines}{text}", name)


_REDUCTIONS = ("none", "mean", "sum")


def cross_entropy(
    array: Any, places: Any, weight: Any, axis: int, reduction: str, ignored: int
) -> tuple[Any, Any, Any]:
    """Return the loss, the logarithms of rows' sums of exponentials, and the sum of weights."""
    shape = places.shape if reduction == "none" else ()
    array, places = map(cupy.ascontiguousarray, (array, places))  # which have dimensions now
    wide = accumulation(array.dtype)
    classes, inner = array.shape[axis], prod(array.shape[axis + 1 :])
    rows = places.size
    norms, total = cupy.empty(rows, wide), cupy.empty((), wide)
    result = cupy.empty(shape, array.dtype)
    if not rows:
        result.fill(np.nan if reduction == "mean" else 0)
        return result, norms, total
    lanes = min(THREADS, 1 << (-(-max(classes, 1) // EACH) - 1).bit_length())
    if inner > 1:
        lanes = min(lanes, THREADS // min(32, 1 << (inner - 1).bit_length()))
    blocks = -(-rows // (THREADS // lanes))
    parts = ended = 0
    if reduction != "none":
        parts = cupy.zeros(2 * blocks + 1, wide)
        ended = parts[2 * blocks :]  # whose bits count the blocks that have ended
    numbers = (
        *map(np.int64, (classes, inner, rows)), np.int32(lanes), np.int64(ignored),
        np.int32(_REDUCTIONS.index(reduction)), np.int64(axis), np.int64(bounds.number(*_WORDS)),
    )  # fmt: skip
    given = (
        array,
        places,
        _pointer(weight),
        result,
        norms,
        total,
        _pointer(parts),
        _pointer(ended),
    )
    launches.add(1)
    forward(array.dtype)((blocks,), (THREADS,), (*given, *numbers, bounds.pointer()))
    return result, norms, total


def cross_entropy_gradient(
    g: Any,
    array: Any,
    norms: Any,
    total: Any,
    places: Any,
    weight: Any,
    axis: int,
    reduction: str,
    ignored: int,
) -> Any:
    """Return the gradient of the loss, of that of its result and of what came with it."""
    g, array, places = map(cupy.ascontiguousarray, (g, array, places))
    result = cupy.empty(array.shape, array.dtype)
    if not result.size:
        return result
    classes, inner = array.shape[axis], prod(array.shape[axis + 1 :])
    blocks = min(_GRID, -(-result.size // THREADS))
    numbers = (
        *map(np.int64, (classes, inner, result.size, ignored)),
        np.int32(_REDUCTIONS.index(reduction)),
    )
    given = (g, array, places, _pointer(weight), norms, total, result)
    launches.add(1)
    gradient(array.dtype)((blocks,), (THREADS,), (*given, *numbers))
    return result


def _pointer(array: Any) -> Any:
    """Return an array, or the address of nothing."""
    return np.uint64(0) if array is None or array.__class__ is int else array

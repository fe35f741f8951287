"""Softmax and its logarithm, and their gradients, by one ``cupy.RawKernel`` each.

Elements are seen as ``(outer, length, inner)``.  Several threads take a row together, which lie
side by side along it, or along its neighbours where there are some; they combine what each has
found in a fixed order, and read the row once more to write the results.

Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018, for the largest
number and the sum of exponentials in one pass.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.kernels.source import HEADER, DType, c_type

THREADS = 256
EACH = 4  # elements that are worth a thread

_TEXT = """
struct State { Value most; Value sum; };
namespace {
// what two threads have found: largest numbers, and sums of exponentials relative to them
__device__ inline State combined(const State &p, const State &q) { COMBINED }
}

extern "C" __global__ void NAME(PARAMETERS, const long long length, const long long inner,
    const long long rows, const int lanes) {
  alignas(16) __shared__ char memory[THREADS * sizeof(State)];
  State *states = reinterpret_cast<State *>(memory);
  const int across = THREADS / lanes;
  const bool along = inner == 1;  // neighbouring threads read what lies side by side
  const int lane = along ? threadIdx.x % lanes : threadIdx.x / across;
  const int own = along ? threadIdx.x / lanes : threadIdx.x % across;
  const int step = along ? 1 : across;  // from the state of a lane to that of the next
  const long long row = (long long)(blockIdx.x) * across + own;
  const long long start = row / inner * length * inner + row % inner;
  State state = {NONE};
  if (row < rows)
    for (long long k = lane; k < length; k += lanes) {
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
  if (row >= rows) return;
  state = states[along ? threadIdx.x - lane : own];
  const Value most = state.most, sum = state.sum;
  PREPARED
  for (long long k = lane; k < length; k += lanes) {
    const long long at = start + k * inner;
    result[at] = Result(FOUND);
  }
}
"""
# exp(x - x) is 1, and nan where x is infinite
TAKEN = """const Value x = Value(source[at]);
      if (x > state.most) {
        state.sum = state.sum * exp(state.most - x) + exp(x - x);
        state.most = x;
      } else if (x != state.most || x == Value(CUDART_INF)) {
        state.sum += exp(x - state.most);
      } else if (x - x == Value(0)) {
        state.sum += Value(1);
      }"""
COMBINED = """const Value most = p.most > q.most ? p.most : q.most;
  const Value left = p.most == most ? p.sum : p.sum * exp(p.most - most);
  const Value right = q.most == most ? q.sum : q.sum * exp(q.most - most);
  return State{most, left + right};"""
_FORWARD = {
    "PARAMETERS": "const Element *source, Result *result",
    "NONE": "-Value(CUDART_INF), Value(0)",
    "TAKEN": TAKEN,
    "COMBINED": COMBINED,
}
_BACKWARD = {
    "PARAMETERS": "const Element *given, const Element *out, Result *result",
    "NONE": "Value(0), Value(0)",
    "COMBINED": "return State{Value(0), p.sum + q.sum};",
    "PREPARED": "",
}
_FOUND: dict[tuple[bool, bool], dict[str, str]] = {  # by whether of the logarithm, and gradients
    (False, False): {"PREPARED": "", "FOUND": "exp(Value(source[at]) - most) / sum"},
    (True, False): {
        "PREPARED": "const Value logarithm = log(sum);",
        "FOUND": "Value(source[at]) - most - logarithm",
    },
    (False, True): {
        "TAKEN": "state.sum += Value(given[at]) * Value(out[at]);",
        "FOUND": "Value(out[at]) * (Value(given[at]) - sum)",
    },
    (True, True): {
        "TAKEN": "state.sum += Value(given[at]);",
        "FOUND": "Value(given[at]) - exp(Value(out[at])) * sum",
    },
}


@cache
def raw(dtype: DType, result: DType, log: bool, gradient: bool) -> cupy.RawKernel:
    """Return the kernel for element types."""
    name = f"gpugrad_{'log_' * log}softmax{'_gradient' * gradient}"
    value = accumulation(result)
    text = _TEXT
    for word, meaning in {
        **(_BACKWARD if gradient else _FORWARD),
        **_FOUND[log, gradient],
        "THREADS": str(THREADS),
        "NAME": name,
    }.items():
        text = text.replace(word, meaning)
    types = {"Element": dtype, "Value": value, "Result": result}
    lines = "".join(f"using {name} = {c_type(d)};\n" for name, d in types.items())
    return cupy.RawKernel(f"{HEADER}{lines}{text}", name)


def run(arrays: list[Any], axis: int, out: Any, log: bool, gradient: bool) -> None:
    """Launch the kernel over arrays in plain order: one, or a gradient and a result."""
    shape = out.shape
    length, inner = shape[axis], prod(shape[axis + 1 :])
    rows = prod(shape[:axis]) * inner
    lanes = min(THREADS, 1 << (-(-length // EACH) - 1).bit_length())
    if inner > 1:
        lanes = min(lanes, THREADS // min(32, 1 << (inner - 1).bit_length()))
    blocks = -(-rows // (THREADS // lanes))
    numbers = (np.int64(length), np.int64(inner), np.int64(rows), np.int32(lanes))
    kernel = raw(arrays[0].dtype, out.dtype, log, gradient)
    kernel((blocks,), (THREADS,), (*arrays, out, *numbers))

"""Scans along an axis by ``cupy.RawKernel``: at each place what is made of the elements up to it.

Elements are seen as ``(outer, length, inner)``.  Where ``inner`` is long, each thread takes the
steps of one column, and neighbouring threads read neighbouring elements; else a block takes a row,
as many elements at once as it has threads, by doubling what is combined.  Where rows are too few to
occupy a GPU each is divided into parts: one kernel combines the elements of each part, another one
those parts that come before each, and a third scans each from there on.  All of it in a fixed
order: the same call gives the same bits.
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
BLOCKS = 512  # that occupy a GPU
PART = 2048  # elements that are worth a block of their own
INNER = 32  # neighbours that a warp reads at once
STATE = 48  # bytes, at most, of what is kept of the elements before one


# What is kept of some elements, of none, of one, and of those before with those after.
_STATES = {
    "sum": ("Value v;", "Value(0)", "Value(source0[at])", "State{Value(p.v + q.v)}"),
    "prod": ("Value v;", "Value(1)", "Value(source0[at])", "State{Value(p.v * q.v)}"),
    "logaddexp": (
        "Value v;",
        "Value(-CUDART_INF)",
        "Value(source0[at])",
        "State{logaddexp(p.v, q.v)}",
    ),
    "recurrence": (
        # products of factors leave the range of their type where what they multiply does not: they
        # are numbers of size 1/2 to 1, or of which there is no such, times powers of 2
        "Value factor; long long power; Value v;",
        "Value(1), 0, Value(0)",
        "fraction(Value(source0[at])), exponent(Value(source0[at])), Value(source1[at])",
        "recurred(p, q)",
    ),
    "max": (
        "Value v; long long index;",
        "Value(0), -1",
        "Value(source0[at]), k",
        "later(p, q) ? q : p",
    ),
}  # fmt: skip
_STATES["min"] = _STATES["max"]

_TEXT = """
struct State { MEMBERS };
namespace {
template <typename T> __device__ inline T logaddexp(T x, T y) {
  if (x == y) return x - x == T(0) ? x + T(0.6931471805599453) : x;
  const T high = gpugrad::maximum(x, y), low = x == high ? y : x;
  return high != high ? high : high + log1p(exp(low - high));
}
template <typename T> __device__ inline complex<T> logaddexp(complex<T> x, complex<T> y) {
  const bool swapped = y.real() > x.real();
  const complex<T> high = swapped ? y : x, low = swapped ? x : y;
  if (high.real() == low.real() && gpugrad::isinf(high.real())) return high;
  return high + log(complex<T>(1) + exp(low - high));
}
FUNCTION
__device__ inline State none() { return State{NONE}; }
__device__ inline State combined(const State &p, const State &q) { return COMBINED; }
}

extern "C" __global__ void NAME(PARAMETERS, State *states, const long long length,
    const long long inner, const long long parts, const long long part, const long long rows) {
  // the rows of a block lie side by side
BODY
}
"""
_RECURRED = """
template <typename T> __device__ inline int exponent(T x) {
  int found = 0;
  if (x - x == T(0)) frexp(x, &found);  // of what is not finite it is not defined
  return found;
}
template <typename T> __device__ inline int exponent(complex<T> x) {
  return exponent(gpugrad::maximum(fabs(x.real()), fabs(x.imag())));
}
template <typename T> __device__ inline T raised(T x, long long power) {
  return ldexp(x, int(power < -9999 ? -9999 : power > 9999 ? 9999 : power));
}
template <typename T> __device__ inline complex<T> raised(complex<T> x, long long power) {
  return complex<T>(raised(x.real(), power), raised(x.imag(), power));
}
template <typename T> __device__ inline T fraction(T x) { return raised(x, -exponent(x)); }
template <typename S> __device__ inline S recurred(const S &p, const S &q) {
  const Value product = p.factor * q.factor;
  const long long power = p.power + q.power + exponent(product);
  // 0 stays 0 also where a factor is infinite
  if (p.v == Value(0)) return S{fraction(product), power, q.v};
  return S{fraction(product), power, raised(q.factor * p.v, q.power) + q.v};
}
"""
_LATER = """
template <typename S> __device__ inline bool later(const S &p, const S &q) {
  if (p.index < 0 || q.index < 0) return p.index < 0;
  return q.v != q.v || (p.v == p.v && q.v OPERATOR p.v);
}
"""
_FUNCTIONS = {
    "recurrence": _RECURRED,
    "max": _LATER.replace("OPERATOR", ">="),
    "min": _LATER.replace("OPERATOR", "<="),
}
_ROW = """
  alignas(16) __shared__ char memory[2 * THREADS * sizeof(State)];
  State *now = reinterpret_cast<State *>(memory), *next = now + THREADS;
  const long long row = blockIdx.x / parts, mine = blockIdx.x % parts;
  const long long start = row / inner * length * inner + row % inner;
  const long long end = min((mine + 1) * part, length);
  State before = BEFORE;
  for (long long first = mine * part; first < end; first += THREADS) {
    const long long step = first + threadIdx.x, k = REVERSE ? length - 1 - step : step;
    const long long at = start + k * inner;
    now[threadIdx.x] = step < end ? State{ONE} : none();
    __syncthreads();
    for (unsigned reach = 1; reach < THREADS; reach *= 2) {
      next[threadIdx.x] = threadIdx.x < reach ? now[threadIdx.x]
          : combined(now[threadIdx.x - reach], now[threadIdx.x]);
      State *other = now; now = next; next = other;
      __syncthreads();
    }
    const State found = combined(before, now[threadIdx.x]);
    if (step < end) { STORE }
    before = combined(before, now[THREADS - 1]);
    __syncthreads();
  }
  if (threadIdx.x == 0) { TOTAL }
"""
_COLUMN = """
  const long long job = (long long)(blockIdx.x) * THREADS + threadIdx.x;
  const long long row = job % rows, mine = job / rows;
  if (mine >= parts) return;
  const long long start = row / inner * length * inner + row % inner;
  const long long end = min((mine + 1) * part, length);
  State before = BEFORE;
  for (long long step = mine * part; step < end; step++) {
    const long long k = REVERSE ? length - 1 - step : step;
    const long long at = start + k * inner;
    const State found = combined(before, State{ONE});
    STORE
    before = found;
  }
  TOTAL
"""
_CARRY = """
  const long long row = (long long)(blockIdx.x) * THREADS + threadIdx.x;
  if (row >= rows) return;
  State before = none();
  for (long long k = 0; k < parts; k++) {
    const State own = states[row * parts + k];
    states[row * parts + k] = before;
    before = combined(before, own);
  }
"""
_BODIES = {"row": _ROW, "column": _COLUMN, "carry": _CARRY}


@cache
def raw(kind: str, dtype: DType, body: str, stage: str, reverse: bool) -> cupy.RawKernel:
    """Return a kernel: of a whole scan, or of one of the stages "total", "carry" and "rest"."""
    members, none, one, combined = _STATES[kind]
    extreme = kind in ("max", "min")
    store = "out0[at] = Element(found.v);" + " out1[at] = found.index;" * extreme
    value = accumulation(dtype)
    name = f"gpugrad_cumulative_{kind}_{body}_{stage}{'_reverse' * reverse}"
    sources = ["source0", "source1"] if kind == "recurrence" else ["source0"]
    parameters = [f"const Element *{s}" for s in sources]
    parameters += ["Element *out0", *["long long *out1"] * extreme]
    text = _TEXT
    for word, meaning in {
        "BODY": _BODIES[body],
        "FUNCTION": _FUNCTIONS.get(kind, ""),
        "BEFORE": "states[row * parts + mine]" if stage == "rest" else "none()",
        "STORE": "" if stage == "total" else store,
        "TOTAL": "states[row * parts + mine] = before;" if stage == "total" else "",
        "REVERSE": str(reverse).lower(),
        "MEMBERS": members,
        "NONE": none,
        "ONE": one,
        "COMBINED": combined,
        "NAME": name,
        "PARAMETERS": ", ".join(parameters),
        "THREADS": str(THREADS),
    }.items():
        text = text.replace(word, meaning)
    types = f"using Element = {c_type(dtype)};\nusing Value = {c_type(value)};\n"
    return cupy.RawKernel(f"{HEADER}{types}{text}", name)


def run(kind: str, arrays: list[Any], axis: int, reverse: bool, outs: list[Any]) -> int:
    """Scan arrays of one shape and type, in plain order, and return how many kernels that took."""
    shape, dtype = arrays[0].shape, arrays[0].dtype
    length, inner = shape[axis], prod(shape[axis + 1 :])
    rows = prod(shape[:axis]) * inner
    body = "column" if inner >= INNER or length <= INNER else "row"
    blocks = rows if body == "row" else -(-rows // THREADS)
    parts = max(1, min(BLOCKS // blocks, length // PART))
    part = -(-length // parts)
    parts = -(-length // part)
    numbers = [np.int64(n) for n in (length, inner, parts, part, rows)]
    states = cupy.empty(rows * parts * STATE if parts > 1 else 0, np.uint8)

    def launch(body: str, stage: str, jobs: int) -> None:
        blocks = jobs if body == "row" else -(-jobs // THREADS)
        kernel = raw(kind, dtype, body, stage, reverse)
        kernel((blocks,), (THREADS,), (*arrays, *outs, states, *numbers))

    if parts == 1:
        launch(body, "whole", rows)
        return 1
    launch(body, "total", rows * parts)
    launch("carry", "carry", rows)
    launch(body, "rest", rows * parts)
    return 3

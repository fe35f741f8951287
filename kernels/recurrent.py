"""One step of recurrent layers, and of their gradients, by one ``cupy.RawKernel`` each.

A thread computes one element of the state of one sequence, of the products of the inputs and of the
state with the weights, which come before.  The plain definitions are the steps in
:mod:`gpugrad.ops.nn.recurrent`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.kernels import launches
from gpugrad.kernels.source import HEADER, DType, c_type

THREADS = 256

_TEXT = """
namespace {
__device__ inline Value sigmoid(Value x) { return Value(1) / (Value(1) + exp(-x)); }
__device__ inline Value read(const Element *from, long long k) {
  return from == nullptr ? Value(0) : Value(from[k]);
}
}

extern "C" __global__ void gpugrad_NAME_step(PARAMETERS, const long long count,
    const long long hidden) {
  const long long k = (long long)(blockIdx.x) * blockDim.x + threadIdx.x;
  if (k >= count) return;
  const long long j = k % hidden, row = k / hidden * GATES * hidden + j;
  BODY
}
"""

_ALL = "Element *gates, const Element *product, "
# Of each kind: how many gates it has, what a step is given, and what it does.  A new state, made
# ``from`` the one before, is written to where the next product reads it, and among the results.
FORWARD: dict[str, tuple[int, str, str]] = {
    "lstm": (
        4,
        _ALL
        + "const Element *bias, const Element *from, Element *state, const Element *from_cell, "
        "Element *cell, Element *out, Element *cells",
        """Value sums[4];
  for (int g = 0; g < 4; ++g)
    sums[g] = read(gates, row + g * hidden) + read(product, row + g * hidden) +
              read(bias, j + g * hidden);
  const Value in = sigmoid(sums[0]), forget = sigmoid(sums[1]), fresh = tanh(sums[2]);
  const Value last = sigmoid(sums[3]), now = forget * read(from_cell, k) + in * fresh;
  gates[row] = Element(in);
  gates[row + hidden] = Element(forget);
  gates[row + 2 * hidden] = Element(fresh);
  gates[row + 3 * hidden] = Element(last);
  cells[k] = cell[k] = Element(now);
  out[k] = state[k] = Element(last * tanh(now));""",
    ),
    "gru": (
        3,
        _ALL + "const Element *bias, const Element *inner, const Element *from, "
        "Element *state, Element *out, "
        "Element *resets",
        """const Value reset = sigmoid(
      read(gates, row) + read(product, row) + read(bias, j) + read(inner, j));
  const Value update = sigmoid(read(gates, row + hidden) + read(product, row + hidden) +
                               read(bias, j + hidden) + read(inner, j + hidden));
  const Value given = read(product, row + 2 * hidden) + read(inner, j + 2 * hidden);
  const Value fresh =
      tanh(read(gates, row + 2 * hidden) + read(bias, j + 2 * hidden) + reset * given);
  gates[row] = Element(reset);
  gates[row + hidden] = Element(update);
  gates[row + 2 * hidden] = Element(fresh);
  resets[k] = Element(given);
  out[k] = state[k] = Element((read(from, k) - fresh) * update + fresh);""",
    ),
    "rnn": (
        1,
        _ALL + "const Element *bias, const Element *from, Element *state, const int relu",
        """const Value sum = read(gates, k) + read(product, k) + read(bias, j);
  gates[k] = state[k] =
      Element(relu ? (sum > Value(0) || sum != sum ? sum : Value(0)) : tanh(sum));""",
    ),
}

# Backwards, the first ``known`` elements have come from the step after; the others are at their
# end.  ``before`` has states that precede the first ``earlier`` elements, the others are first.
_BACK = (
    "const Element *given, const Element *product, const Element *last, const Element *before, "
    "const Element *first, Element *states, const long long known, const long long earlier, "
)
_MOVED = """Value moved = k < known ? read(product, k) : read(last, k);
  moved += read(given, k);
  const Value state = read(k < earlier ? before : first, k);
  states[k] = Element(state);"""
GRADIENT: dict[str, tuple[int, str, str]] = {
    "lstm": (
        4,
        _BACK + "const Element *gates, const Element *cells, const Element *cells_before, "
        "const Element *first_cell, const Element *last_cell, Element *moved_cell, Element *slopes",
        _MOVED
        + """
  const Value in = read(gates, row), forget = read(gates, row + hidden);
  const Value fresh = read(gates, row + 2 * hidden), end = read(gates, row + 3 * hidden);
  const Value curved = tanh(read(cells, k));
  const Value cell = read(k < earlier ? cells_before : first_cell, k);
  const Value of_cell = read(k < known ? moved_cell : last_cell, k) +
                        moved * end * (Value(1) - curved * curved);
  slopes[row] = Element(of_cell * fresh * (in - in * in));
  slopes[row + hidden] = Element(of_cell * cell * (forget - forget * forget));
  slopes[row + 2 * hidden] = Element(of_cell * in * (Value(1) - fresh * fresh));
  slopes[row + 3 * hidden] = Element(moved * curved * (end - end * end));
  moved_cell[k] = Element(of_cell * forget);""",
    ),
    "gru": (
        3,
        _BACK + "const Element *gates, const Element *resets, Element *carried, Element *slopes, "
        "Element *inner",
        _MOVED.replace("read(product, k)", "read(product, k) + read(carried, k)")
        + """
  const Value reset = read(gates, row), update = read(gates, row + hidden);
  const Value fresh = read(gates, row + 2 * hidden);
  const Value of_fresh = moved * (Value(1) - update) * (Value(1) - fresh * fresh);
  slopes[row] = inner[row] = Element(of_fresh * read(resets, k) * (reset - reset * reset));
  slopes[row + hidden] = inner[row + hidden] =
      Element(moved * (state - fresh) * (update - update * update));
  slopes[row + 2 * hidden] = Element(of_fresh);
  inner[row + 2 * hidden] = Element(of_fresh * reset);
  carried[k] = Element(moved * update);""",
    ),
    "rnn": (
        1,
        _BACK + "const Element *out, Element *slopes, const int relu",
        _MOVED
        + """
  const Value now = read(out, k);
  slopes[k] = Element(relu ? (now > Value(0) ? moved : Value(0))
                           : moved * (Value(1) - now * now));""",
    ),
}


@cache
def raw(name: str, gradient: bool, dtype: DType) -> cupy.RawKernel:
    """Return the kernel of a kind of layer, "lstm", "gru" or "rnn", or of its gradient."""
    gates, parameters, body = (GRADIENT if gradient else FORWARD)[name]
    text, full = _TEXT, name + "_gradient" * gradient
    for word, meaning in {
        "BODY": body, "NAME": full, "PARAMETERS": parameters, "GATES": str(gates),
    }.items():  # fmt: skip
        text = text.replace(word, meaning)
    types = f"using Element = {c_type(dtype)};\nusing Value = {c_type(accumulation(dtype))};\n"
    return cupy.RawKernel(f"{HEADER}{types}{text}", f"gpugrad_{full}_step")


def run(name: str, gradient: bool, count: int, hidden: int, arguments: list[Any]) -> None:
    """Launch a step over so many elements of the state; ``None`` is given as no memory."""
    dtype = next(a.dtype for a in arguments if isinstance(a, cupy.ndarray))
    given = [np.uint64(0) if a is None else a for a in arguments]
    launches.add(1)
    blocks = -(-count // THREADS)
    kernel = raw(name, gradient, dtype)
    kernel((blocks,), (THREADS,), (*given, np.int64(count), np.int64(hidden)))

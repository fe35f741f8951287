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

from gpugrad.kernels import launches
from gpugrad.kernels.source import HEADER, DType, c_type

THREADS = 256

_TEXT = """
namespace {
__device__ inline Element sigmoid(Element x) { return Element(1) / (Element(1) + exp(-x)); }
__device__ inline Element read(const Element *from, long long k) {
  return from == nullptr ? Element(0) : from[k];
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
        """Element sums[4];
  for (int g = 0; g < 4; ++g)
    sums[g] = gates[row + g * hidden] + product[row + g * hidden] + read(bias, j + g * hidden);
  const Element in = sigmoid(sums[0]), forget = sigmoid(sums[1]), fresh = tanh(sums[2]);
  const Element last = sigmoid(sums[3]), now = forget * from_cell[k] + in * fresh;
  gates[row] = in;
  gates[row + hidden] = forget;
  gates[row + 2 * hidden] = fresh;
  gates[row + 3 * hidden] = last;
  cells[k] = cell[k] = now;
  out[k] = state[k] = last * tanh(now);""",
    ),
    "gru": (
        3,
        _ALL + "const Element *bias, const Element *inner, const Element *from, "
        "Element *state, Element *out, "
        "Element *resets",
        """const Element reset = sigmoid(
      gates[row] + product[row] + read(bias, j) + read(inner, j));
  const Element update = sigmoid(gates[row + hidden] + product[row + hidden] +
                                 read(bias, j + hidden) + read(inner, j + hidden));
  const Element given = product[row + 2 * hidden] + read(inner, j + 2 * hidden);
  const Element fresh =
      tanh(gates[row + 2 * hidden] + read(bias, j + 2 * hidden) + reset * given);
  gates[row] = reset;
  gates[row + hidden] = update;
  gates[row + 2 * hidden] = fresh;
  resets[k] = given;
  out[k] = state[k] = (from[k] - fresh) * update + fresh;""",
    ),
    "rnn": (
        1,
        _ALL + "const Element *bias, const Element *from, Element *state, const int relu",
        """const Element sum = gates[k] + product[k] + read(bias, j);
  gates[k] = state[k] = relu ? (sum > Element(0) || sum != sum ? sum : Element(0)) : tanh(sum);""",
    ),
}

# Backwards, the first ``known`` elements have come from the step after; the others are at their
# end.  ``before`` has states that precede the first ``earlier`` elements, the others are first.
_BACK = (
    "const Element *given, const Element *product, const Element *last, const Element *before, "
    "const Element *first, Element *states, const long long known, const long long earlier, "
)
_MOVED = """Element moved = k < known ? product[k] : read(last, k);
  moved += read(given, k);
  const Element state = k < earlier ? before[k] : first[k];
  states[k] = state;"""
GRADIENT: dict[str, tuple[int, str, str]] = {
    "lstm": (
        4,
        _BACK + "const Element *gates, const Element *cells, const Element *cells_before, "
        "const Element *first_cell, const Element *last_cell, Element *moved_cell, Element *slopes",
        _MOVED
        + """
  const Element in = gates[row], forget = gates[row + hidden], fresh = gates[row + 2 * hidden];
  const Element end = gates[row + 3 * hidden], curved = tanh(cells[k]);
  const Element cell = k < earlier ? cells_before[k] : first_cell[k];
  const Element of_cell = (k < known ? moved_cell[k] : read(last_cell, k)) +
                          moved * end * (Element(1) - curved * curved);
  slopes[row] = of_cell * fresh * (in - in * in);
  slopes[row + hidden] = of_cell * cell * (forget - forget * forget);
  slopes[row + 2 * hidden] = of_cell * in * (Element(1) - fresh * fresh);
  slopes[row + 3 * hidden] = moved * curved * (end - end * end);
  moved_cell[k] = of_cell * forget;""",
    ),
    "gru": (
        3,
        _BACK + "const Element *gates, const Element *resets, Element *carried, Element *slopes, "
        "Element *inner",
        _MOVED.replace("product[k]", "product[k] + carried[k]")
        + """
  const Element reset = gates[row], update = gates[row + hidden], fresh = gates[row + 2 * hidden];
  const Element of_fresh = moved * (Element(1) - update) * (Element(1) - fresh * fresh);
  slopes[row] = inner[row] = of_fresh * resets[k] * (reset - reset * reset);
  slopes[row + hidden] = inner[row + hidden] =
      moved * (state - fresh) * (update - update * update);
  slopes[row + 2 * hidden] = of_fresh;
  inner[row + 2 * hidden] = of_fresh * reset;
  carried[k] = moved * update;""",
    ),
    "rnn": (
        1,
        _BACK + "const Element *out, Element *slopes, const int relu",
        _MOVED
        + """
  slopes[k] = relu ? (out[k] > Element(0) ? moved : Element(0))
                   : moved * (Element(1) - out[k] * out[k]);""",
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
    return cupy.RawKernel(
        f"{HEADER}using Element = {c_type(dtype)};\n{text}", f"gpugrad_{full}_step"
    )


def run(name: str, gradient: bool, count: int, hidden: int, arguments: list[Any]) -> None:
    """Launch a step over so many elements of the state; ``None`` is given as no memory."""
    dtype = next(a.dtype for a in arguments if isinstance(a, cupy.ndarray))
    given = [np.uint64(0) if a is None else a for a in arguments]
    launches.add(1)
    blocks = -(-count // THREADS)
    kernel = raw(name, gradient, dtype)
    kernel((blocks,), (THREADS,), (*given, np.int64(count), np.int64(hidden)))

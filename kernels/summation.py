"""Sums of a formula's output by ``cupy.RawKernel``, on all multiprocessors, in a fixed order.

Other outputs of the formula are stored in full by the same kernel: the gradients of a product with
a row cost one pass over what they read.

The elements of the full shape are seen as three dimensions, by what is summed:

* ``rows``: ``(outer, kept, inner)``, summed along outer and inner: everything, the trailing axes,
  or all axes but that of the channels of images;
* ``columns``: ``(outer, summed, inner)``: the leading axes, or axes in the middle.

Neighbouring threads read neighbouring elements, 16 bytes each where memory allows.  Where results
are too few to occupy a GPU each is the sum of parts, which a second kernel adds.  The order of
addition depends on shapes and alignment alone: the same call gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from math import prod
from typing import Any, NamedTuple

import cupy
import numpy as np

from gpugrad.formulas import COMPLEX, REAL, Formula, variable
from gpugrad.kernels import layout
from gpugrad.kernels.layout import BLOCK, THREADS, Launch, Shape, Signature, Way
from gpugrad.kernels.source import HEADER, DType, c_type, function, kind_dtype, needed, stored

BLOCKS = 1024  # of 256 threads; as many occupy an H200
EACH = 4  # loads by a thread that are worth the thread
PART = 4096  # elements that are worth a block of their own
SHARED = 2**15  # bytes of a block's shared memory

Sizes = tuple[int, int, int]


@cache
def plain(complex_: bool) -> Formula:
    """Return the formula of a plain sum."""
    x = variable("x", COMPLEX if complex_ else REAL)
    return Formula("plain", [x], [x])


@cache
def product(complex_: bool) -> Formula:
    """Return the formula whose sum is an inner product."""
    x, y = (variable(name, COMPLEX if complex_ else REAL) for name in "xy")
    return Formula("product", [x, y], [x * y])


class Stages(NamedTuple):
    """The launches of a sum; with parts, these are in the memory that ``parts`` describes."""

    first: Launch
    parts: tuple[int, DType] | None
    second: Launch | None


class Plan(NamedTuple):
    """How sums over operands of certain signatures are made."""

    shape: Shape  # of all elements
    summed: int
    wide: Stages
    narrow: Stages  # for memory that begins anywhere

    def run(self, arrays: Sequence[Any], outs: Sequence[Any], aligned: bool) -> int:
        """Launch the kernels, and return how many."""
        first, parts, second = self.wide if aligned else self.narrow
        if parts is None or second is None:
            first.kernel(first.blocks, BLOCK, (*arrays, *outs, *first.numbers))
            return 1
        between = cupy.ndarray(*parts)
        k = self.summed
        targets = (*outs[:k], between, *outs[k + 1 :])
        first.kernel(first.blocks, BLOCK, (*arrays, *targets, *first.numbers))
        second.kernel(second.blocks, BLOCK, (between, outs[k], *second.numbers))
        return 2


@lru_cache(maxsize=layout.PLANS)
def plan(
    formula: Formula,
    signatures: tuple[Signature, ...],
    compute: DType,
    results: tuple[DType, ...],
    axes: tuple[int, ...],
    summed: int = 0,
    mean: bool = False,
) -> Plan | None:
    """Return how a formula's output ``summed`` is summed; None where ``reduction`` must do it.

    With ``mean`` it is divided by the number of elements.
    """
    full = np.broadcast_shapes(*(shape for _, _, shape, _ in signatures))
    operands = layout.operands(signatures, full)
    found = seen(full, axes)
    if operands is None or found is None or 0 in full:
        return None
    pattern, sizes = found
    ways = layout.ways(operands)
    sums = kind_dtype(formula.outputs[summed].kind, compute)
    parts_results = tuple(sums if k == summed else d for k, d in enumerate(results))
    divisor = prod(full[k] for k in axes) if mean else 1
    long = prod(full) >= 2**31
    numbers = tuple(n for o in operands for n in o.numbers)

    def stages(width: int) -> Stages:
        lanes, parts, length, blocks = divided(pattern, sizes, width)
        own = (*sizes, lanes, parts, length)
        if parts == 1:
            kernel = raw(formula, ways, compute, results, summed, pattern, width, long)
            return Stages(Launch(kernel, (blocks,), (*numbers, *own, divisor)), None, None)
        kernel = raw(formula, ways, compute, parts_results, summed, pattern, width, long)
        first = Launch(kernel, (blocks,), (*numbers, *own, 1))
        outer, middle, inner = sizes
        rest = (1, middle, parts) if pattern == "rows" else (outer, parts, inner)
        return Stages(first, (prod(rest), sums), second(rest))

    def second(sizes: Sizes) -> Launch:
        # the parts are a handful: one element a thread does
        lanes, _, length, blocks = divided(pattern, sizes, 1, divisible=False)
        way = Way(layout.WHOLE, sums)
        same = plain(sums.kind == "c")
        kernel = raw(same, (way,), compute, (results[summed],), 0, pattern, 1, False)
        return Launch(kernel, (blocks,), (*sizes, lanes, 1, length, divisor))

    full_results = [d for k, d in enumerate(results) if k != summed]
    width = min(layout.width(operands, full_results), SHARED // (THREADS * sums.itemsize))
    while not (sizes[2] % width == 0 or (pattern == "rows" and sizes[:2] == (1, 1))):
        width //= 2
    return Plan(full, summed, stages(width), stages(1))


# By what is summed (s) and kept (k), from the outermost: how it is seen, and where a 1 is put.
_SEEN = {
    "": ("rows", (1, 1, 1), ()), "k": ("rows", (1,), (1,)), "s": ("rows", (1, 1), ()),
    "ks": ("rows", (1,), ()), "sks": ("rows", (), ()),
    "sk": ("columns", (1,), ()), "ksk": ("columns", (), ()),
}  # fmt: skip


def seen(full: Shape, axes: Sequence[int]) -> tuple[str, Sizes] | None:
    """Return the pattern and its sizes; None where the summed axes are scattered too much."""
    text, sizes = "", list[int]()
    for k, n in enumerate(full):
        letter = "s" if k in axes else "k"
        if n == 1:
            continue
        if text.endswith(letter):
            sizes[-1] *= n
        else:
            text += letter
            sizes.append(n)
    if text not in _SEEN:
        return None
    pattern, before, after = _SEEN[text]
    outer, middle, inner = (*before, *sizes, *after)
    return pattern, (outer, middle, inner)


def divided(
    pattern: str, sizes: Sizes, width: int, divisible: bool = True
) -> tuple[int, int, int, int]:
    """Return how the work is divided among threads.

    Returns:
        How many threads lie side by side (along what is summed for rows, along results for
        columns: 256 or another power of two), the parts of each result, how many of the elements
        that are summed are in a part, and the number of blocks.
    """
    outer, middle, inner = sizes
    if pattern == "rows":
        summed = outer * inner
        lanes = min(THREADS, _power_of_two(_up(summed, width * EACH)))
        blocks = _up(middle, THREADS // lanes)
        most = summed // PART
    else:
        summed, results = middle, outer * inner // width
        lanes = max(32, THREADS // min(THREADS, _power_of_two(_up(summed, EACH))))
        lanes = min(lanes, _power_of_two(results))
        blocks = _up(results, lanes)
        most = summed * lanes * width // PART
    parts = max(1, min(BLOCKS // blocks, most)) if divisible else 1
    length = _up(summed, parts * width) * width if pattern == "rows" else _up(summed, parts)
    parts = _up(summed, length)
    if pattern == "rows":
        return lanes, parts, length, _up(middle * parts, THREADS // lanes)
    return lanes, parts, length, blocks * parts


def _up(n: int, m: int) -> int:
    """Return n / m rounded up."""
    return -(-n // m)


def _power_of_two(n: int) -> int:
    """Return the least power of two that is not less than n."""
    return 1 << (n - 1).bit_length()


# --------------------------------------------------------------------------- text

_ROWS = """
  const Index outer = sizes0, kept = sizes1, inner = sizes2;
  const unsigned lane = threadIdx.x % unsigned(lanes);
  const Index job = Index(blockIdx.x) * (THREADS / unsigned(lanes)) + threadIdx.x / unsigned(lanes);
  const Index result = job / Index(parts), part = job % Index(parts);
  Total total = Total(0);
  if (result < kept) {
    const Index end = min((part + 1) * Index(length), outer * inner);
    Index j = part * Index(length) + lane * WIDTH;
    #pragma unroll UNROLL
    for (; j + WIDTH <= end; j += Index(lanes) * WIDTH) {
      const Index row = outer == 1 ? result : j / inner * kept + result;
      const Index at = row * inner + (outer == 1 ? j : j % inner);
      LOADS
      #pragma unroll
      for (int k = 0; k < WIDTH; k++) total = total + MAPPED;
      STORES
    }
    REST
  }
  totals[threadIdx.x] = total;
  for (unsigned half = unsigned(lanes) / 2; half > 0; half /= 2) {
    __syncthreads();
    if (lane < half) totals[threadIdx.x] = totals[threadIdx.x] + totals[threadIdx.x + half];
  }
  if (lane == 0 && result < kept) {
    const Index place = job;
    total = totals[threadIdx.x];
    SUM
  }
"""
# What is left when the size is no multiple of the width: then there is one row, and one thread.
_REST = """
    for (; j < end; j++) {
      const Index at = j;
      LOADS
      total = total + MAPPED;
    }
"""
_COLUMNS = """
  const Index outer = sizes0, summed = sizes1, across = Index(sizes2) / WIDTH;
  const unsigned lane = threadIdx.x % unsigned(lanes), row = threadIdx.x / unsigned(lanes);
  const unsigned rows = THREADS / unsigned(lanes);
  const Index part = blockIdx.x % Index(parts);
  const Index result = blockIdx.x / Index(parts) * Index(lanes) + lane;
  Total sums[WIDTH];
  for (int k = 0; k < WIDTH; k++) sums[k] = Total(0);
  if (result < outer * across) {
    const Index end = min((part + 1) * Index(length), summed);
    const Index first = (result / across * summed * across + result % across) * WIDTH;
    #pragma unroll UNROLL
    for (Index j = part * Index(length) + row; j < end; j += rows) {
      const Index at = first + j * across * WIDTH;
      LOADS
      #pragma unroll
      for (int k = 0; k < WIDTH; k++) sums[k] = sums[k] + MAPPED;
      STORES
    }
  }
  for (int k = 0; k < WIDTH; k++) totals[k * THREADS + threadIdx.x] = sums[k];
  for (unsigned half = rows / 2; half > 0; half /= 2) {
    __syncthreads();
    if (row < half)
      for (int k = 0; k < WIDTH; k++) {
        Total &own = totals[k * THREADS + threadIdx.x];
        own = own + totals[k * THREADS + threadIdx.x + half * unsigned(lanes)];
      }
  }
  if (row == 0 && result < outer * across)
    for (int k = 0; k < WIDTH; k++) {
      const Index group = result / across * Index(parts) + part;
      const Index place = (group * across + result % across) * WIDTH + k;
      const Total total = totals[k * THREADS + threadIdx.x];
      SUM
    }
"""


@cache
def raw(
    formula: Formula,
    ways: tuple[Way, ...],
    compute: DType,
    results: tuple[DType, ...],
    summed: int,
    pattern: str,
    width: int,
    long: bool,
) -> cupy.RawKernel:
    """Return the kernel that reads ``width`` elements at once, made once."""
    name = f"gpugrad_{formula.name}_{pattern}_x{width}"
    text = source(formula, ways, compute, results, summed, pattern, width, long, name)
    return cupy.RawKernel(text, name)


_NUMBERS = ("sizes0", "sizes1", "sizes2", "lanes", "parts", "length", "divisor")


def source(
    formula: Formula,
    ways: Sequence[Way],
    compute: DType,
    results: Sequence[DType],
    summed: int,
    pattern: str,
    width: int,
    long: bool,
    name: str,
) -> str:
    """Return the text of a kernel."""
    kind = formula.outputs[summed].kind
    total = kind_dtype(kind, compute)
    real = c_type(total).removeprefix("complex<").removesuffix(">")
    mean = stored(f"(total / {real}(divisor))", kind, compute, results[summed])
    outputs = {k: d for k, d in enumerate(results) if k != summed}

    def filled(text: str, width: int) -> str:
        for word, meaning in {
            "LOADS": "\n      ".join(layout.loads(ways, outputs, width)),
            "MAPPED": layout.call(ways, outputs, width),
            "STORES": "\n      ".join(layout.stores(outputs, width)),
            "SUM": f"out{summed}[place] = {mean};",
            "UNROLL": str(max(1, EACH // width)),
            "THREADS": str(THREADS),
            "WIDTH": str(width),
        }.items():
            text = text.replace(word, meaning)
        return text

    rest = filled(_REST, 1) if width > 1 else ""
    kernel = filled(_ROWS if pattern == "rows" else _COLUMNS, width).replace("REST", rest)
    shared = THREADS * (1 if pattern == "rows" else width)
    return f"""{HEADER}{needed(formula)}
using Index = {layout.index_type(long)};
using Total = {c_type(total)};

{function(formula, [w.dtype for w in ways], compute, outputs, summed)}
{layout.head(name, ways, results, _NUMBERS)} {{
  // not an array of Total: its constructor must be empty
  alignas(16) __shared__ char memory[{shared} * sizeof(Total)];
  Total *totals = reinterpret_cast<Total *>(memory);
{kernel}}}
"""

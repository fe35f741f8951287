"""Products with windows by one ``cupy.RawKernel`` each, which writes no windows out.

Each is a product of matrices of which the windows are one, read where they lie when they are
needed: a block of threads has a tile of the product, and goes along what is summed in small steps
that lie in shared memory.

| | rows | columns | summed |
| --- | --- | --- | --- |
| ``convolve`` | places of windows | filters | taps: elements of a window, of all channels |
| ``convolve_transposed`` | places of the result | channels | taps of the filters |
| ``convolve_weigh`` | taps | filters | places of windows, in parts that are added afterwards |

Every sum has one order, so that the same call gives the same bits.
The plain definitions are in ``gpugrad.ops.nn.columns``.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation, is_half
from gpugrad.kernels import launches
from gpugrad.kernels.source import HEADER, DType, c_type

Array = Any
Shape = tuple[int, ...]

THREADS = 256
SIDE = 16  # of these threads, a square
_EACH = 4  # rows of a thread
_DEPTH = 16  # of a step
_BLOCKS = 512  # that occupy a device
_LEAST, _MOST = 256, 8192  # places that are one part of a sum

# Windows that are written out are multiplied faster, by the device's library.  By the rates of an
# H100's memory and arithmetic (not measured) that pays from 16 columns for each byte of an element
# on, if there is so much to multiply that launching kernels counts for nothing.
COLUMNS = 16
PRODUCTS = 1 << 28

_SIZES = np.dtype(
    [
        ("places", "i8"), ("depth", "i8"), ("part", "i8"), ("down", "i8"), ("across", "i4"),
        ("groups", "i4"), ("inner", "i4"), ("outer", "i4"), ("given", "i4", 3), ("found", "i4", 3),
        ("kernel", "i4", 3), ("stride", "i4", 3), ("dilation", "i4", 3), ("pads", "i4", 3),
    ],
    align=True,
)  # fmt: skip

_TEXT = """
namespace {
struct Sizes {
  long long places, depth, part, down;
  int across, groups, inner, outer, given[3], found[3], kernel[3], stride[3], dilation[3], pads[3];
};

// A place or a tap: where it lies along the dimensions, where its numbers begin in what is given,
// and where in the other operand, or in the result, that of the first column is.
struct Spot {
  long long given, other;  // the first is -1 where there is no such place or tap
  int at[3];
};

__device__ inline int size(const int *sizes) { return sizes[0] * sizes[1] * sizes[2]; }

__device__ inline Spot place(const Sizes &sizes, const int group, const long long k) {
  Spot spot = {-1, 0, {0, 0, 0}};
  if (k >= sizes.places) return spot;
  const long long whole = size(sizes.found), image = k / whole * sizes.groups + group;
  int rest = int(k % whole);
  spot.other = image * sizes.outer * whole + rest;
  spot.given = image * sizes.inner * size(sizes.given);
  for (int d = 2; d >= 0; --d) {
    const int at = rest % sizes.found[d];
    spot.at[d] = TRANSPOSED ? at + sizes.pads[d] : at * sizes.stride[d] - sizes.pads[d];
    rest /= sizes.found[d];
  }
  return spot;
}

__device__ inline Spot tap(const Sizes &sizes, const int group, const long long k) {
  Spot spot = {-1, 0, {0, 0, 0}};
  if (k >= sizes.depth) return spot;
  const long long whole = size(sizes.kernel), channel = k / whole;
  int rest = int(k % whole);
  spot.other = group * sizes.outer * sizes.depth;
  spot.other += TRANSPOSED ? channel * sizes.outer * whole + rest : k;
  spot.given = channel * size(sizes.given);
  for (int d = 2; d >= 0; --d) {
    spot.at[d] = rest % sizes.kernel[d] * sizes.dilation[d];
    rest /= sizes.kernel[d];
  }
  return spot;
}

__device__ inline Value read(const Element *given, const Sizes &sizes, const Spot &place,
                             const Spot &tap) {
  if (place.given < 0 || tap.given < 0) return Value(0);
  int offset = 0;
  for (int d = 0; d < 3; ++d) {
    int at = TRANSPOSED ? place.at[d] - tap.at[d] : place.at[d] + tap.at[d];
    if (at < 0) return Value(0);
    if (TRANSPOSED) {
      if (at % sizes.stride[d]) return Value(0);
      at /= sizes.stride[d];
    }
    if (at >= sizes.given[d]) return Value(0);
    offset = offset * sizes.given[d] + at;
  }
  return Value(given[place.given + tap.given + offset]);
}
}

extern "C" __global__ void NAME(const Element *given, const Element *other, const Element *bias,
    Result *out, const Sizes sizes) {
  __shared__ __align__(16) Value left[DEPTH][ROWS + 4], right[DEPTH][COLUMNS + 4];
  __shared__ Spot rows[ROWS], steps[DEPTH];
  const int x = threadIdx.x % SIDE, y = threadIdx.x / SIDE;
  long long block = blockIdx.x;
  const int column = int(block % sizes.across) * COLUMNS;
  block /= sizes.across;
  const int group = int(block % sizes.groups);
  block /= sizes.groups;
  const long long row = block % sizes.down * ROWS, part = block / sizes.down;
  const long long begin = part * sizes.part, all = WEIGHS ? sizes.places : sizes.depth;
  const long long end = begin + sizes.part < all ? begin + sizes.part : all;
  const long long of_place = size(sizes.found);  // how far columns are apart
  const long long of_tap = TRANSPOSED ? size(sizes.kernel) : sizes.depth;
  for (int k = threadIdx.x; k < ROWS; k += THREADS)
    rows[k] = WEIGHS ? tap(sizes, group, row + k) : place(sizes, group, row + k);
  Value sums[EACH][WIDE];
  for (int i = 0; i < EACH; ++i)
    for (int j = 0; j < WIDE; ++j) sums[i][j] = Value(0);
  for (long long start = begin; start < end; start += DEPTH) {
    __syncthreads();
    if (threadIdx.x < DEPTH) {
      const long long k = start + threadIdx.x;
      Spot step = WEIGHS ? place(sizes, group, k) : tap(sizes, group, k);
      if (k >= end) step.given = -1;
      steps[threadIdx.x] = step;
    }
    __syncthreads();
    for (int k = threadIdx.x; k < DEPTH * ROWS; k += THREADS) {  // neighbours read neighbours
      const int r = WEIGHS ? k / DEPTH : k % ROWS, d = WEIGHS ? k % DEPTH : k / ROWS;
      left[d][r] = WEIGHS ? read(given, sizes, steps[d], rows[r])
                          : read(given, sizes, rows[r], steps[d]);
    }
    for (int k = threadIdx.x; k < DEPTH * COLUMNS; k += THREADS) {
      const int d = k % DEPTH, c = column + k / DEPTH;
      const long long at = steps[d].other + c * (WEIGHS ? of_place : of_tap);
      const bool there = steps[d].given >= 0 && c < sizes.outer;
      right[d][k / DEPTH] = there ? Value(other[at]) : Value(0);
    }
    __syncthreads();
    for (int d = 0; d < DEPTH; ++d)
      for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < WIDE; ++j)
          sums[i][j] += left[d][x * EACH + i] * right[d][y * WIDE + j];
  }
  out += part * sizes.groups * sizes.outer * sizes.depth;
  for (int i = 0; i < EACH; ++i)
    for (int j = 0; j < WIDE; ++j) {
      const Spot &spot = rows[x * EACH + i];
      const int c = column + y * WIDE + j;
      if (spot.given < 0 || c >= sizes.outer) continue;
      const Value added = bias == nullptr ? Value(0) : Value(bias[group * sizes.outer + c]);
      out[spot.other + c * (WEIGHS ? of_tap : of_place)] = Result(sums[i][j] + added);
    }
}
"""
NAMES = ("convolve", "convolve_transposed", "convolve_weigh")


@cache
def raw(name: str, dtype: DType, result: DType, wide: int) -> cupy.RawKernel:
    """Return the kernel of a product for element types, whose threads have ``wide`` columns."""
    types = {"Element": dtype, "Value": accumulation(dtype), "Result": result}
    numbers = {
        "DEPTH": _DEPTH, "ROWS": SIDE * _EACH, "COLUMNS": SIDE * wide, "SIDE": SIDE,
        "EACH": _EACH, "WIDE": wide, "THREADS": THREADS,
        "TRANSPOSED": int(name == NAMES[1]), "WEIGHS": int(name == NAMES[2]),
    }  # fmt: skip
    lines = "".join(f"using {word} = {c_type(d)};\n" for word, d in types.items())
    lines += "".join(f"constexpr int {word} = {number};\n" for word, number in numbers.items())
    name = f"gpugrad_{name}"
    return cupy.RawKernel(f"{HEADER}{lines}{_TEXT.replace('NAME', name)}", name)


def product_shape(name: str, windows: Any, groups: int, a: Array, b: Array) -> Shape:
    """Return the shape of a product of ``gpugrad.ops.nn.columns``."""
    if name == "convolve":
        return (len(a), len(b), *windows.counts)
    if name == "convolve_transposed":
        return (len(a), b.shape[1] * groups, *windows.sizes)
    return (b.shape[1], a.shape[1] // groups, *windows.kernel)


def convolved(
    name: str,
    door: Any,
    windows: Any,
    groups: int,
    first: Array,
    second: Array,
    bias: Array | None = None,
) -> Array | None:
    """Return one of the products, or ``None`` where the windows had better be written out.

    A bias is added before the result is rounded.
    """
    found, kind = product_shape(name, windows, groups, first, second), first.dtype
    weighs = name == "convolve_weigh"
    given, results = first.shape[2:], (second.shape if weighs else found)[2:]
    inner = first.shape[1] // groups
    outer = (second.shape[1] if weighs else found[1]) // groups
    places, depth = len(first) * math.prod(results), inner * windows.elements
    few = outer <= COLUMNS * kind.itemsize or places * depth * outer * groups <= PRODUCTS
    if not (few and (kind.kind == "f" or is_half(kind)) and places and depth and outer):
        return None
    if max(math.prod(given), math.prod(results), depth) >= 2**31:
        return None
    wide = 1 if outer <= SIDE else 2 if outer <= 2 * SIDE else 4
    across = -(-outer // (SIDE * wide))
    down = -(-(depth if weighs else places) // (SIDE * _EACH))
    summed = places if weighs else depth
    part = summed
    if weighs:
        parts = max(_BLOCKS // (down * groups * across), 1)
        part = min(max(-(-places // parts), _LEAST), _MOST)
    parts = -(-summed // part)

    def three(numbers: Any, rest: int) -> Shape:
        return (rest,) * (3 - len(windows.kernel)) + tuple(numbers)

    sizes = np.array(
        (places, depth, part, down, across, groups, inner, outer, three(given, 1),
         three(results, 1), three(windows.kernel, 1), three(windows.stride, 1),
         three(windows.dilation, 1), three([low for low, _ in windows.pads], 0)),
        _SIZES,
    )  # fmt: skip
    operands = [
        np.uint64(0) if x is None else x if x.flags.c_contiguous else door.copy(x, "C")
        for x in (first, second, bias)
    ]
    result = kind if parts == 1 else accumulation(kind)
    out = cupy.ndarray((parts, *found) if parts > 1 else found, result)
    launches.add(1)
    blocks = across * groups * down * parts
    raw(name, kind, result, wide)((blocks,), (THREADS,), (*operands, out, sizes))
    return out if parts == 1 else door.sum(out, (0,), False, kind)

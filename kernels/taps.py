"""Weighted sums of a few elements along an axis, and maxima over windows; one thread for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.kernels.source import PREAMBLE, DType, c_type

_WEIGH = """
const long long inside = i % inner, row = i / inner % count, outside = i / inner / count;
TOTAL total = TOTAL(0);
for (long long k = row * taps; k < (row + 1) * taps; k++) {
  const long long place = places[k];
  if (place >= 0) total += TOTAL(x[(outside * length + place) * inner + inside])WEIGHT;
}
out = STORED(total);
"""

# The windows have three dimensions, of which some may be of one element; -1 names none.
_LARGEST = """
const long long column = i % columns, row = i / columns % rows;
const long long plane = i / columns / rows % planes, outside = i / columns / rows / planes;
T best = T(0);
bool found = false;
number = 0;
for (long long d = 0; d < depth; d++)
  for (long long h = 0; h < height; h++)
    for (long long w = 0; w < width; w++) {
      const long long a = in_depth[plane * depth + d], b = in_height[row * height + h];
      const long long c = in_width[column * width + w];
      if (a < 0 || b < 0 || c < 0) continue;
      const T value = x[outside * whole + (a * high + b) * wide + c];
      if (!found || value > best || value != value) {
        found = true;
        best = value;
        number = N((d * height + h) * width + w);
      }
    }
out = best;
"""

# Of the windows that an element is part of, those of which it is the maximum.
_SPREAD = """
const long long column = i % wide, row = i / wide % high, plane = i / wide / high % deep;
const long long outside = i / wide / high / deep;
TOTAL total = TOTAL(0);
for (long long d = 0; d < most_deep; d++) {
  const long long a = of_depth[plane * most_deep + d];
  if (a < 0) break;
  long long in_plane = 0;
  while (in_depth[a * depth + in_plane] != plane) in_plane++;
  for (long long h = 0; h < most_high; h++) {
    const long long b = of_height[row * most_high + h];
    if (b < 0) break;
    long long in_row = 0;
    while (in_height[b * height + in_row] != row) in_row++;
    for (long long w = 0; w < most_wide; w++) {
      const long long c = of_width[column * most_wide + w];
      if (c < 0) break;
      long long in_column = 0;
      while (in_width[c * width + in_column] != column) in_column++;
      const long long at = ((outside * planes + a) * rows + b) * columns + c;
      if (numbers[at] == N((in_plane * height + in_row) * width + in_column))
        total += TOTAL(grad[at]);
    }
  }
}
out = STORED(total);
"""


@cache
def weighing(dtype: DType, weighted: bool) -> cupy.ElementwiseKernel:
    """Return the kernel of weighted sums; without weights all of them are 1."""
    total = accumulation(dtype)
    text = _WEIGH.replace("STORED", c_type(dtype)).replace("TOTAL", c_type(total))
    return cupy.ElementwiseKernel(
        f"raw T x, raw int64 places, {'raw W weights, ' * weighted}int64 taps, int64 length, "
        "int64 count, int64 inner",
        "T out",
        text.replace("WEIGHT", " * weights[k]" if weighted else ""),
        f"gpugrad_weigh{'ed' * weighted}",
        preamble=PREAMBLE,
    )


@cache
def greatest() -> cupy.ElementwiseKernel:
    """Return the kernel of maxima over windows, with their numbers in these."""
    return cupy.ElementwiseKernel(
        "raw T x, raw int64 in_depth, raw int64 in_height, raw int64 in_width, int64 depth, "
        "int64 height, int64 width, int64 planes, int64 rows, int64 columns, int64 high, "
        "int64 wide, int64 whole",
        "T out, N number",
        _LARGEST,
        "gpugrad_greatest",
    )


@cache
def spreading(dtype: DType) -> cupy.ElementwiseKernel:
    """Return the kernel of the gradient of maxima over windows: sums in a fixed order."""
    total = accumulation(dtype)
    return cupy.ElementwiseKernel(
        "raw T grad, raw N numbers, raw int64 of_depth, raw int64 of_height, raw int64 of_width, "
        "raw int64 in_depth, raw int64 in_height, raw int64 in_width, int64 most_deep, "
        "int64 most_high, int64 most_wide, int64 depth, int64 height, int64 width, int64 planes, "
        "int64 rows, int64 columns, int64 deep, int64 high, int64 wide",
        "T out",
        _SPREAD.replace("STORED", c_type(dtype)).replace("TOTAL", c_type(total)),
        "gpugrad_spread",
        preamble=PREAMBLE,
    )


def weigh(x: Any, places: Any, weights: Any, sizes: tuple[int, ...], out: Any) -> None:
    """Write the weighted sums of elements of a dense array; see :mod:`gpugrad.backend.taps`.

    The sizes are the number of taps, the length and the results along the axis, and what is behind.
    """
    given = (x, places) if weights is None else (x, places, weights)
    weighing(x.dtype, weights is not None)(*given, *sizes, out)


def largest(
    x: Any, tables: Sequence[Any], behind: tuple[int, ...], size: int, out: Any, numbers: Any
) -> None:
    """Write maxima over windows of a dense array of three axes more than those before them."""
    taps, counts = ([t.shape[k] for t in tables] for k in (1, 0))
    greatest()(x, *tables, *taps, *counts, *behind, size, out, numbers)


def spread(grad: Any, numbers: Any, turned: Sequence[Any], tables: Sequence[Any], out: Any) -> None:
    """Write the gradient of maxima over windows, of dense arrays; ``turned`` are the transposes."""
    most, taps, counts = (
        [t.shape[k] for t in s] for s, k in ((turned, 1), (tables, 1), (tables, 0))
    )
    behind = [t.shape[0] for t in turned]
    kernel = spreading(out.dtype)
    kernel(grad, numbers, *turned, *tables, *most, *taps, *counts, *behind, out)


def weight_type(dtype: DType) -> DType:
    """Return the type of the weights of elements."""
    total = accumulation(dtype)
    return np.dtype(f"f{total.itemsize // 2}") if total.kind == "c" else total

"""Where numbers belong among sorted ones."""

from __future__ import annotations

from functools import cache

import cupy

# nan is greater than all numbers, as in sorting.
_SOURCE = """
long long low = row ? (i / row) * length : 0, first = low, left = length;
while (left > 0) {
  const long long half = (left + 1) / 2;
  const T there = bounds[low + half - 1];
  if (BEFORE) low += half;
  left -= half;
}
place = low - first;
"""

_BEFORE = "there < value || (value != value && there == there)"
_NOT_BEHIND = "!(value < there || (there != there && value == value))"


@cache
def search_kernel(right: bool) -> cupy.ElementwiseKernel:
    """Return the kernel that finds values among bounds of the same type, stored row by row.

    ``row`` values belong to each of the rows, or all to one where it is 0.
    """
    return cupy.ElementwiseKernel(
        "raw T bounds, T value, int64 length, int64 row",
        "int64 place",
        _SOURCE.replace("BEFORE", _NOT_BEHIND if right else _BEFORE),
        f"gpugrad_search_{'right' if right else 'left'}",
    )

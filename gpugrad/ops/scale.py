"""Sums of powers of numbers, also where the powers leave the range of their type."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._dtype import limits
from gpugrad.backend.batched import all_of
from gpugrad.ops import pointwise as pw

Array = Any
Shape = tuple[int, ...]


def without(door: backend.Backend, array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return a reduction's result without the dimensions of size 1, unless these are kept."""
    if keepdims or not axes:
        return array
    return door.reshape(array, tuple([n for k, n in enumerate(array.shape) if k not in axes]))


def in_range(
    door: backend.Backend,
    array: Array,
    axes: Shape,
    degree: float,
    kind: np.dtype[Any],
    summed: Callable[..., Array],
) -> tuple[Array, tuple[Array, ...]]:
    """Return a sum of powers of a degree of some numbers, and by what these were divided for that.

    ``summed()`` computes it from the numbers themselves, ``summed(size)`` from what is left of them
    when they have been divided by the largest size, or the least for a negative degree.  On the
    CPU the first is tried; to see whether its result is in range would be to wait for a GPU.
    ``kind`` is the type that the numbers had before they were converted.
    """
    known, own = limits(array.dtype), limits(kind)
    # Beside so large a sum does not count what had to become 0.  Other roots than the square root
    # magnify the rounding of their exponent by the logarithm of the number.
    reach = _reach(known, degree)
    always = 0 < degree <= 1 or (
        kind != array.dtype
        and own.smallest_subnormal ** abs(degree) > 1 / reach
        and own.max ** abs(degree) < reach
    )
    if not always and (door.type != "cpu" or backend.is_recorded(array)):
        size = door.largest(array, axes, degree < 0)
        return summed(size), (size,)
    total = summed()
    low, high = 1 / reach, float(known.max) if degree == 2 else reach
    if always or _between(total, low, high):
        return total, ()
    size = door.largest(array, axes, degree < 0)
    least = low / float(known.eps) if degree == 2 else math.inf  # whose squared roundings count
    if _without_loss(all_of(total), all_of(size), low, high, least):
        return total, ()
    return summed(size), (size,)


def _reach(known: Any, degree: float) -> float:
    return float(2.0 ** (-known.minexp / 2 if degree == 2 else 63))


@cache
def squares_in_range(kind: np.dtype[Any]) -> tuple[float, float]:
    """Return between which numbers a sum of squares is exact."""
    known = limits(kind)
    return 1 / _reach(known, 2), float(known.max)


def _between(array: Array, low: float, high: float) -> bool:
    """Tell whether all numbers of an array lie between two."""
    whole = all_of(array)
    if whole.size == 1:
        return low <= whole.item() <= high
    return not whole.size or low <= float(whole.min()) <= float(whole.max()) <= high


def _without_loss(total: Array, size: Array, low: float, high: float, least: float) -> bool:
    """Tell whether sums are in range, or 0 because all that was added up is: by largest sizes."""
    nothing = (total == 0) & ((size == 0) | ((size >= least) & (size <= high)))
    return bool((nothing | ((total >= low) & (total <= high))).all())


def divided(op: Callable[..., Any], out: Any, g: Any, x: Any) -> Any:
    """Return what an operation makes of x / out; complex numbers are not divided by subnormals."""
    if x._array.dtype.kind == "c":
        near_out = pw.binade(out)
        x, out = x / near_out, out / near_out
    return op(out, g, x)

"""Where windows lie: how they move along dimensions, and what is around these."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from gpugrad import backend

Array = Any
Shape = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]  # elements before and behind a dimension, fewer where negative


class Windows(NamedTuple):
    """Windows that move along some dimensions, each number for one of them."""

    sizes: Shape
    kernel: Shape  # the elements of a window
    stride: Shape  # the distance of two windows
    dilation: Shape  # the distance of two elements of a window
    pads: Pads

    @property
    def reach(self) -> Shape:
        """How far the last element of a window is from its first one."""
        return tuple([d * (k - 1) for k, d in zip(self.kernel, self.dilation, strict=True)])

    @property
    def counts(self) -> Shape:
        """How many windows there are along each dimension."""
        return _counts(self)

    @property
    def framed(self) -> Shape:
        """The sizes with what is around."""
        return tuple([n + a + b for n, (a, b) in zip(self.sizes, self.pads, strict=True)])

    @property
    def elements(self) -> int:
        """How many elements a window has."""
        return math.prod(self.kernel)

    def at(self, place: Sequence[int]) -> tuple[slice, ...]:
        """Return the index of one element of every window in what is framed."""
        found = []
        steps = zip(place, self.counts, self.stride, self.dilation, strict=True)
        for k, count, stride, dilation in steps:
            first = k * dilation
            found.append(slice(first, first + stride * (count - 1) + 1, stride))
        return tuple(found)


@functools.lru_cache(1024)
def _counts(windows: Windows) -> Shape:
    found = zip(windows.sizes, windows.pads, windows.reach, windows.stride, strict=True)
    return tuple([(n + a + b - r - 1) // s + 1 for n, (a, b), r, s in found])


def framed(door: backend.Backend, array: Array, pads: Pads, steps: Shape) -> Array:
    """Return the elements of an array ``steps`` apart, zeros between and around them.

    Where there is nothing to add it is the array itself, or a part of it.
    """
    shape, parts, crop = _frame(tuple(array.shape), pads, steps)
    if shape != tuple(array.shape):
        result = door.full(shape, 0, array.dtype, door.device_of(array))
        door.assign(result[parts], array)
        array = result
    return array[crop] if crop else array


@functools.lru_cache(1024)
def _frame(
    sizes: Shape, pads: Pads, steps: Shape
) -> tuple[Shape, tuple[slice, ...], tuple[slice, ...]]:
    """Return the shape of a frame, where the elements are in it, and what is kept, if not all."""
    parts: list[slice] = []
    crop: list[slice] = []
    shape: list[int] = []
    for n, (a, b), step in zip(sizes, pads, steps, strict=True):
        length = max(step * (n - 1) + 1, 0)
        parts.append(slice(max(a, 0), max(a, 0) + length, step))
        shape.append(length + max(a, 0) + max(b, 0))
        crop.append(slice(max(-a, 0), shape[-1] - max(-b, 0)))
    return tuple(shape), tuple(parts), tuple(crop) if any(min(p) < 0 for p in pads) else ()


def views(door: backend.Backend, array: Array, windows: Windows, first: int) -> Array:
    """Return a view of all windows of a framed array, whose dimensions begin at ``first``.

    The windows are counted there, and their elements are dimensions behind all others.
    """
    shape, strides = tuple(array.shape), tuple(array.strides)
    end = first + len(windows.kernel)
    moved = strides[first:end]
    return door.laid_out(
        array,
        (*shape[:first], *windows.counts, *shape[end:], *windows.kernel),
        door.address(array) - door.memory(array)[0],
        (
            *strides[:first],
            *[s * n for s, n in zip(moved, windows.stride, strict=True)],
            *strides[end:],
            *[s * n for s, n in zip(moved, windows.dilation, strict=True)],
        ),
    )

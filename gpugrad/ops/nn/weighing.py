"""Weighted sums of a few elements along axes: what pools, padding and resizing are made of."""

from __future__ import annotations

from functools import cache
from typing import Any

from gpugrad import backend
from gpugrad._dtype import FLOAT32, is_half
from gpugrad.backend.taps import Taps
from gpugrad.op import linear
from gpugrad.op.operation import Declared

Array = Any
Along = tuple[tuple[int, Taps], ...]  # axes, and what is taken along each of them


@linear("WeighBackward0")
def _weighed(door: backend.Backend, input: Array, *, along: Along) -> Array:
    """Return the weighted sums along axes, first where fewest are left; halves are rounded once."""
    kind = input.dtype
    if is_half(kind) and len(along) > 1 and any(taps.places.shape[1] > 1 for _, taps in along):
        return door.astype(_sums(door, door.astype(input, FLOAT32), along), kind)
    return _sums(door, input, along)


def _sums(door: backend.Backend, input: Array, along: Along) -> Array:
    for axis, taps in sorted(along, key=lambda a: len(a[1]) / max(a[1].length, 1)):
        input = door.weigh(input, axis, taps)
    return input


@_weighed.gradient
def input(g: Any, along: Along) -> Any:
    return _weighed(g, along=tuple([(axis, taps.turned) for axis, taps in along]))


@cache
def weighed(name: str) -> Declared:
    """Return the operation under the name that its backward node has in PyTorch."""
    return _weighed.named(name)

"""What is made of a few elements along an axis at a time: their weighted sums, and their maxima.

:class:`Taps` name the elements.  Pools, padding and resizing are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gpugrad._dtype import FLOAT32, is_half
from gpugrad.backend import half

Array = Any
NumPy = np.ndarray[Any, np.dtype[Any]]
Part = slice | NumPy  # places along an axis


class Taps:
    """The elements along an axis of some length that each result is made of, and their weights.

    ``places`` has a row for each result, in which -1 stands for no element; ``weights`` are of the
    same shape, or ``None`` where all are 1.
    """

    def __init__(self, places: NumPy, weights: NumPy | None, length: int):
        """Name elements of an axis of that length."""
        self.places, self.weights, self.length = places, weights, length
        self.copies: dict[Any, Any] = {}  # on GPUs

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def turned(self) -> Taps:
        """The taps of the transpose: at each element the results that it is part of."""
        rows, columns = np.nonzero(self.places >= 0)
        named = self.places[rows, columns]
        order = np.argsort(named, kind="stable")
        counts = np.bincount(named, minlength=self.length)
        starts = np.cumsum(counts) - counts
        turns = np.arange(len(named)) - np.repeat(starts, counts)
        shape = (self.length, max(int(counts.max(initial=0)), 1))
        places = np.full(shape, -1)
        places[named[order], turns] = rows[order]
        weights = None
        if self.weights is not None:
            weights = np.zeros(shape)
            weights[named[order], turns] = self.weights[rows, columns][order]
        made = Taps(places, weights, len(self))
        made.__dict__["turned"] = self
        return made

    @cached_property
    def scale(self) -> NumPy | None:
        """The one weight of all elements of each result; ``None`` where they differ."""
        if self.weights is None:
            return None
        inside = self.places >= 0
        largest = np.where(inside, self.weights, -np.inf).max(1, initial=-np.inf)
        if np.all(np.where(inside, self.weights == largest[:, None], True)):
            return np.where(np.isfinite(largest), largest, 0)
        return None

    @cached_property
    def steps(self) -> list[tuple[Part, Part, NumPy | None]]:
        """What is added one after the other: to which results, which elements, times what."""
        found = []
        for column in range(self.places.shape[1]):
            rows = np.flatnonzero(self.places[:, column] >= 0)
            if rows.size:
                weights = None
                if self.weights is not None and self.scale is None:
                    weights = self.weights[rows, column]
                found.append((_part(rows), _part(self.places[rows, column]), weights))
        return found


def _part(places: NumPy) -> Part:
    """Return places as a slice where they are equally far apart."""
    if places.size == 1:
        return slice(int(places[0]), int(places[0]) + 1)
    step = int(places[1] - places[0])
    if step > 0 and np.all(np.diff(places) == step):
        return slice(int(places[0]), int(places[-1]) + 1, step)
    return places


def _along(array: Array, axis: int, part: Part) -> Array:
    """Return elements along an axis: a view, or a copy."""
    if isinstance(part, slice):
        return array[(slice(None),) * axis + (part,)]
    return array.take(part, axis)


def _column(numbers: NumPy, axis: int, array: Array) -> Array:
    """Return weights of places along an axis, in the type of an array."""
    kind = np.dtype(f"f{array.itemsize // 2}") if array.dtype.kind == "c" else array.dtype
    return numbers.astype(kind).reshape((-1,) + (1,) * (array.ndim - 1 - axis))


def weigh(array: Array, axis: int, taps: Taps) -> Array:
    """Return the weighted sums of elements along an axis."""
    kind = array.dtype
    if is_half(kind) and (taps.weights is not None or taps.places.shape[1] > 1):
        return half.rounded(weigh(half.widened(array), axis, taps), kind)
    count = len(taps)
    shape = (*array.shape[:axis], count, *array.shape[axis + 1 :])
    result = None
    for rows, places, weights in taps.steps:
        part = _along(array, axis, places)
        if weights is not None:
            part = part * _column(weights, axis, array)
        if result is None:
            if part.shape == shape:
                result = np.ascontiguousarray(part) if part.base is None else part.copy("C")
                continue
            result = np.zeros(shape, kind)
        if isinstance(rows, slice):
            target = _along(result, axis, rows)
            np.add(target, part, out=target)
        else:
            result[(slice(None),) * axis + (rows,)] += part
    if result is None:
        return np.zeros(shape, kind)
    if taps.scale is not None:
        if np.all(taps.scale == taps.scale[0]):
            np.multiply(result, kind.type(taps.scale[0]), out=result)
        else:
            np.multiply(result, _column(taps.scale, axis, array), out=result)
    return result


def largest(array: Array, tables: Sequence[NumPy]) -> tuple[Array, Array]:
    """Return the maxima over elements along the last axes, and where the first of them is.

    A table names the elements along one of these axes; a place is its number among all elements of
    the last axes.  nan wins, the last one.
    """
    kind = array.dtype
    if is_half(kind) and kind.kind == "V":  # compared faster so, and to the same effect
        wide, index = largest(array.astype(FLOAT32), tables)
        return wide.astype(kind), index
    has_nan = kind.kind == "f" and array.size > 0 and bool(np.isnan(np.min(array)))
    first = array.ndim - len(tables)
    index = None
    behind = 1
    for axis in reversed(range(first, array.ndim)):
        table = tables[axis - first]
        best: Array = None
        found: Array = None
        for column in range(table.shape[1]):
            part = _part(table[:, column])
            values = _along(array, axis, part)
            places = (table[:, column] * behind).reshape((-1,) + (1,) * (array.ndim - 1 - axis))
            if index is not None:
                places = _along(index, axis, part) + places
            if best is None:
                best = values.copy("C")
                found = np.empty(best.shape, np.int64)
                found[...] = places
                continue
            better = values > best
            if has_nan:
                better |= np.isnan(values)
            np.copyto(best, values, where=better)
            np.copyto(found, places, where=better)
        behind *= array.shape[axis]
        array, index = best, found
    return array, index

"""What is made of a few elements along an axis at a time: their weighted sums, and their maxima.

:class:`Taps` name the elements.  Pools, padding and resizing are made of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gpugrad._dtype import is_half
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

    @cached_property
    def columns(self) -> list[tuple[int, Part, Part]]:
        """The number of each element of a window, which results have it, and where it is."""
        found = []
        for column in range(self.places.shape[1]):
            rows = np.flatnonzero(self.places[:, column] >= 0)
            if rows.size:
                found.append((column, _part(rows), _part(self.places[rows, column])))
        return found

    @cached_property
    def turns(self) -> list[tuple[bool, int, Part, Part]]:
        """The same where what is first in its window comes before all that are later in theirs."""
        inside = self.places >= 0
        first = inside.argmax(1)
        found = []
        for later in False, True:
            for column in range(self.places.shape[1]):
                chosen = inside[:, column] & (first < column if later else first == column)
                rows = np.flatnonzero(chosen)
                if rows.size:
                    places = _part(self.places[rows, column])
                    found.append((later, column, _part(rows), places))
        return found

    @cached_property
    def apart(self) -> bool:
        """Whether no element is part of two results."""
        named = self.places[self.places >= 0]
        return bool(np.unique(named).size == named.size)


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


def number_type(named: Sequence[Taps]) -> np.dtype[Any]:
    """Return the type of the number of an element within its window."""
    count = math.prod([taps.places.shape[1] for taps in named])
    return np.dtype(np.uint8 if count <= 256 else np.int32)


def largest(array: Array, named: Sequence[Taps]) -> tuple[Array, Array]:
    """Return the maxima over windows of the last axes, and the number of each in its window.

    The elements along each of these axes are named; of equal ones the first is found, and of
    those that are nan the last.
    """
    kind = array.dtype
    if is_half(kind):  # compared faster so, and to the same effect
        wide, numbers = largest(half.widened(array), named)
        return half.rounded(wide, kind), numbers
    from gpugrad.backend import pooling

    looped = pooling.largest(array, named)
    if looped is not None:
        return looped
    has_nan = kind.kind == "f" and array.size > 0 and bool(np.isnan(np.min(array)))
    counts, first = number_type(named), array.ndim - len(named)
    numbers = None
    before = 1
    for axis in reversed(range(first, array.ndim)):
        taps = named[axis - first]
        shape = (*array.shape[:axis], len(taps), *array.shape[axis + 1 :])
        best, found = np.empty(shape, kind), np.zeros(shape, counts)
        for later, number, rows, places in taps.turns:
            values, target = _along(array, axis, places), _Part(best, axis, rows)
            mine: Array = counts.type(number * before)
            if numbers is not None:
                mine = _along(numbers, axis, places) + mine
            there = _Part(found, axis, rows)
            if not later:
                target.write(values)
                there.write(mine)
                continue
            better = values > target.array
            if has_nan:
                better |= np.isnan(values)
            target.write(np.maximum(target.array, values))
            there.write(mine, better)
        before *= taps.places.shape[1]
        array, numbers = best, found
    return array, numbers


class _Part:
    """A part of an array along an axis, to be written: a view, or what is put back."""

    def __init__(self, whole: Array, axis: int, part: Part):
        self.whole, self.index = whole, (slice(None),) * axis + (part,)
        self.array = whole[self.index]

    def write(self, values: Array, where: Array | bool = True) -> None:
        np.copyto(self.array, values, where=where)
        if not isinstance(self.index[-1], slice):
            self.whole[self.index] = self.array


def spread(grad: Array, numbers: Array, named: Sequence[Taps]) -> Array:
    """Return zeros with each element added at that of its window whose number is given."""
    kind = grad.dtype
    if is_half(kind) and not all(taps.apart for taps in named):  # each addition would round
        return half.rounded(spread(half.widened(grad), numbers, named), kind)
    from gpugrad.backend import pooling

    looped = pooling.spread(grad, numbers, named)
    if looped is not None:
        return looped
    first = grad.ndim - len(named)
    result = np.zeros((*grad.shape[:first], *[taps.length for taps in named]), kind)
    apart = all(taps.apart for taps in named)
    widths = [taps.places.shape[1] for taps in named]
    for chosen in itertools.product(*[taps.columns for taps in named]):
        number = np.ravel_multi_index([k for k, _, _ in chosen], widths)
        rows = [part for _, part, _ in chosen]
        places = [part for _, _, part in chosen]
        values, given = grad[_index(rows)], numbers[_index(rows)]
        here = given == number
        index = _index(places)
        if all(isinstance(place, slice) for place in places):
            target = result[index]
            if apart:
                np.copyto(target, values, where=here)
            else:
                np.add(target, values, out=target, where=here)
        else:
            np.add.at(result, index, np.where(here, values, kind.type(0)))  # a place may recur
    return result


def _index(parts: Sequence[Part]) -> tuple[Any, ...]:
    """Return an index of the last axes, of which each part is along one."""
    if all(isinstance(part, slice) for part in parts):
        return (Ellipsis, *parts)
    each = [np.arange(p.start, p.stop, p.step) if isinstance(p, slice) else p for p in parts]
    return (Ellipsis, *np.ix_(*each))


def table_of(named: Sequence[Taps]) -> NumPy:
    """Return the place of each element of each window, counted in its axes as if they were one.

    What is no element has some place.
    """
    ndim = len(named)
    found: Any = 0
    for k, taps in enumerate(named):
        count, width = taps.places.shape
        ones = [1] * (2 * ndim)
        ones[k], ones[ndim + k] = count, width
        found = found * taps.length + taps.places.reshape(ones)
    return np.maximum(found, 0).reshape(*map(len, named), -1)

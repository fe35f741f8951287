"""Sorting and searching where NumPy's own ways are slow: stable orders, and rows of boundaries.

NumPy sorts by vector units what is plain and not stable: numbers of 32 and 64 bits.  A stable
order of numbers of 32 bits is thus that of numbers of 64, which have the place behind the number,
and for others the places of equal numbers are sorted afterwards.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpugrad._dtype import FLOATING

Array = Any

SMALL = 512  # elements; below, NumPy's own stable order takes no longer
_PLACE = 32  # bits
_FEW = 4096  # boundaries in a row; more are searched row by row


def ordered(array: Array, axis: int, descending: bool) -> Array:
    """Return the int64 places of the elements in their order along an axis, which is stable.

    nan is greater than all numbers.
    """
    if not array.ndim:
        return np.zeros((), np.int64)
    moved = np.moveaxis(array, axis, -1)
    return np.moveaxis(_along_last(moved, descending), -1, axis)


def _along_last(array: Array, descending: bool) -> Array:
    n = array.shape[-1]
    if n < 2 or not array.size:
        return np.zeros(array.shape, np.int64)
    kind, size = array.dtype.kind, array.itemsize
    if kind != "V" and (array.size < SMALL or (n < 16 and size > 2)):
        if not descending:
            return array.argsort(-1, kind="stable")
        return n - 1 - array[..., ::-1].argsort(-1, kind="stable")[..., ::-1]
    if size <= 2:  # by counting
        keys = array if kind not in "fV" else _whole(array)
        return (~keys if descending else keys).argsort(-1, kind="stable")
    if size == 4 and n < 1 << _PLACE:
        keys = (_whole(array) if kind in "fV" else array).astype(np.int64)
        return _by_places((~keys if descending else keys) << _PLACE, n, (1 << _PLACE) - 1)
    if kind in "iu":
        least, most = int(array.min()), int(array.max())
        bits = int(n - 1).bit_length()
        if (most - least) << bits < 1 << 62:
            keys = most - array if descending else array - least
            return _by_places(keys.astype(np.int64) << bits, n, (1 << bits) - 1)
    return _with_equal_in_order(array, descending)


def _whole(array: Array) -> Array:
    """Return floating point numbers as signed integers in the same order; all nans are equal."""
    bits = (array + array.dtype.type(0)).view(f"i{array.itemsize}")  # of -0, those of 0
    most = np.iinfo(bits.dtype).max
    np.bitwise_xor(bits, most, out=bits, where=bits < 0)
    odd = np.isnan(array)
    if odd.any():
        bits[odd] = most
    return bits


def _by_places(keys: Array, n: int, mask: int) -> Array:
    """Return the order of integers whose last bits are free for their places."""
    keys |= np.arange(n)
    keys.sort(-1)
    keys &= mask
    return keys


def _with_equal_in_order(array: Array, descending: bool) -> Array:
    order = array.argsort(-1)
    if descending:
        order = order[..., ::-1]
    there = np.take_along_axis(array, order, -1)
    new = there[..., 1:] != there[..., :-1]
    if array.dtype.kind in FLOATING:
        odd = np.isnan(there[..., 0 if descending else -1])
        if odd.any():
            new &= ~(np.isnan(there[..., 1:]) & np.isnan(there[..., :-1]))
    if new.all():
        return order.copy() if descending else order
    runs = np.zeros(array.shape, np.int64)
    np.cumsum(new, -1, out=runs[..., 1:])
    runs *= array.shape[-1]
    order = order + runs
    order.sort(-1)
    order -= runs
    return order


def top(array: Array, count: int, axis: int, largest: bool) -> Array:
    """Return the int64 places of so many of the largest or smallest elements along an axis.

    They are in their order.
    """
    n = array.shape[axis]
    if array.size < SMALL or 4 * count > n:
        found = ordered(array, axis, largest)
        return found[(*(slice(None),) * axis, slice(count))]
    moved = np.moveaxis(array, axis, -1)
    if moved.itemsize < 4:  # NumPy selects by vector units among larger ones
        moved = moved.astype(np.float32 if moved.dtype.kind in FLOATING else np.int32)
    if count == 0:
        return np.moveaxis(np.zeros((*moved.shape[:-1], 0), np.int64), -1, axis)
    if array.ndim == 1 and count <= _FEWEST:
        some = _candidates(moved, count, largest)
        if some is not None:
            return some[ordered(moved[some], 0, largest)[:count]]
    if largest:
        some = moved.argpartition(n - count, -1)[..., n - count :]
    else:
        some = moved.argpartition(count - 1, -1)[..., :count]
    some.sort(-1)
    order = _along_last(np.take_along_axis(moved, some, -1), largest)
    return np.moveaxis(np.take_along_axis(some, order, -1), -1, axis)


_FEWEST, _PIECE = 64, 128  # elements that are looked for, and of which one is the extreme


def _candidates(array: Array, count: int, largest: bool) -> Array | None:
    """Return the places of those among which the first so many of a vector are, in their order.

    These are not less than the least of as many extremes of pieces.  ``None``: they are many.
    """
    whole = len(array) - len(array) % _PIECE
    pieces = array[:whole].reshape(-1, _PIECE)
    if len(pieces) < 4 * count:
        return None
    extremes = (np.maximum if largest else np.minimum).reduce(pieces, axis=1)
    place = len(extremes) - count if largest else count - 1
    bound = np.partition(extremes, place)[place]
    if _has_nan(extremes) or _has_nan(array[whole:]):
        return None
    some = np.flatnonzero(array >= bound if largest else array <= bound)
    return some if len(some) <= len(array) // 8 else None


def of_rows(rows: Array) -> Array:
    """Return the int64 places of the rows of a matrix in their order: by the first that differs.

    They are compared as bytes, of numbers whose first byte counts most.
    """
    if rows.dtype.kind in FLOATING:
        rows = _whole(rows)
    size = rows.itemsize
    keys = np.array(rows, rows.dtype.newbyteorder(">"), order="C")
    if rows.dtype.kind == "i":
        keys.view(np.uint8)[:, ::size] ^= 0x80  # negative ones first
    line: Any = np.dtype((np.void, size * rows.shape[1]))
    return keys.view(line).reshape(-1).argsort(kind="stable")


def found(bounds: Array, values: Array, right: bool) -> Array:
    """Return where values belong among sorted bounds: of one row, or of one for each of theirs."""
    side: Any = "right" if right else "left"
    if bounds.ndim == 1:
        return _in_row(bounds, values, side)
    n, m = bounds.shape[-1], values.shape[-1]
    result = np.empty(values.shape, np.int64)
    rows = math.prod(bounds.shape[:-1])
    if n <= _FEW and rows > 8 and not (_has_nan(bounds[..., -1:]) or _has_nan(values)):
        return _by_halves(bounds, values, right)
    lines = zip(bounds.reshape(rows, n), values.reshape(rows, m), strict=True)
    flat = result.reshape(rows, m)
    for k, (row, some) in enumerate(lines):
        flat[k] = _in_row(row, some, side)
    return result


_EDGES = 1 << 12  # among which rounding moves a number past one at most


def found_evenly(edges: Array, values: Array) -> Array:
    """Return behind which of edges of equal distance values lie; of none between them is any."""
    count = len(edges) - 1
    if count > _EDGES:
        return found(edges, values, True) - 1
    scaled = values - edges[0]
    with np.errstate(all="ignore"):
        scaled *= count / (edges[-1] - edges[0])
    near = np.fmin(np.fmax(scaled, 0), count - 1).astype(np.int64)  # of nan, too
    near -= values < edges.take(near)
    near += values >= edges.take(near + 1)
    return near


def _has_nan(array: Array) -> bool:
    return array.dtype.kind in FLOATING and bool(np.isnan(array).any())


def _in_row(bounds: Array, values: Array, side: Any) -> Array:
    kind = np.result_type(bounds, values)
    if values.size < SMALL or bounds.size < SMALL:
        return np.asarray(bounds.astype(kind, copy=False).searchsorted(values, side), np.int64)
    # what is searched in its order is found in the cache
    order = ordered(values.reshape(-1), 0, False)
    places = np.empty(values.size, np.int64)
    places[order] = bounds.astype(kind, copy=False).searchsorted(
        values.reshape(-1).take(order).astype(kind, copy=False), side
    )
    return places.reshape(values.shape)


def _by_halves(bounds: Array, values: Array, right: bool) -> Array:
    """Return the same for many short rows, of which all take each step together."""
    n = bounds.shape[-1]
    if not n:
        return np.zeros(values.shape, np.int64)
    flat = bounds.reshape(-1)
    first = np.arange(0, bounds.size, n).reshape(*bounds.shape[:-1], 1)
    low = np.repeat(first, values.shape[-1], -1)
    before = np.less_equal if right else np.less
    left = n
    while left:
        half = (left + 1) // 2
        there = flat.take(low + (half - 1))
        low += half * before(there, values)
        left -= half
    return low - first

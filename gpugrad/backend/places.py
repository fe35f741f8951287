"""Reading and adding at places that arrays of indices name, where NumPy's own indexing is slow.

NumPy walks through several arrays of indices element by element, and adds at more than one axis
ten times slower than at one.  So places become positions in the flat array, some at a time while a
cache holds them: in loops in C++ where there is a compiler (``indexed.py``), which give the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad.backend import indexed

Array = Any
Shape = tuple[int, ...]

LARGE = 4096  # elements; below, NumPy's own way takes no longer
ADDED = 2048  # the same where they are put together
_BLOCK = 1 << 16  # positions at a time
_WIDE = 16  # elements in a row that is worth adding as a whole
_MANY_WIDE = 16  # times as many elements of such rows at a time: more of them have the same place
_MANY = 16  # rows of one place; it takes no longer to take these together
_FEW = 2048  # elements; to add these one by one takes no longer than to choose them


class Part(NamedTuple):
    """What numbers of one dimension are of rows' numbers: so many steps each."""

    numbers: Array
    length: int  # what negative ones are counted from
    step: int


class Places(NamedTuple):
    """Which rows of a plain array an index names: their numbers are the sum of the parts."""

    shape: Shape  # of what is named, without that of a row
    parts: tuple[Part, ...]  # whose numbers broadcast to that shape
    row: Shape  # the last dimensions, which are whole


def places(shape: Shape, index: Any, xp: Any = np) -> Places | None:
    """Return where an index of integer arrays and slices lies in a plain array of a shape.

    ``None`` for any other index, and where there are no elements.  The arrays are of the module
    ``xp``.
    """
    items = list(index) if isinstance(index, tuple) else [index]
    run = "".join("a" if hasattr(i, "dtype") else "-" for i in items).strip("-")
    at = next((k for k, i in enumerate(items) if i is Ellipsis), len(items))
    spans = [i is not Ellipsis for i in items]
    items[at : at + 1] = [slice(None)] * (len(shape) - sum(spans))
    arrays = [k for k, i in enumerate(items) if i.__class__ is xp.ndarray and i.dtype.kind in "iu"]
    if not arrays or len(items) != len(shape) or 0 in shape:
        return None
    end = len(items)
    while end - 1 > arrays[-1] and _is_whole(items[end - 1]):
        end -= 1
    chosen = [k for k in range(end) if isinstance(items[k], slice)]
    if len(arrays) + len(chosen) != end:
        return None
    steps = [math.prod(shape[k + 1 : end]) for k in range(end)]
    numbers = {k: xp.arange(*items[k].indices(shape[k])) for k in chosen}
    together = np.broadcast_shapes(*[items[k].shape for k in arrays])
    first = 0 if "-" in run else arrays[0]  # where NumPy puts the dimensions of the arrays
    before = [len(numbers[k]) for k in chosen if k < first]
    behind = [len(numbers[k]) for k in chosen if k >= first]
    parts = [Part(_with_dimensions(items[k], len(behind)), shape[k], steps[k]) for k in arrays]
    ndim = len(before) + len(together) + len(behind)
    for place, k in enumerate(chosen):
        after = ndim - 1 - place - (len(together) if k >= first else 0)
        parts.append(Part(_with_dimensions(numbers[k], after), shape[k], steps[k]))
    return Places((*before, *together, *behind), tuple(parts), shape[end:])


def _is_whole(item: Any) -> bool:
    return item.__class__ is slice and item == slice(None)


def _counted(indices: Array, length: int) -> Array:
    """Return indices of which negative ones are counted from the front.

    Raises:
        IndexError: One is out of bounds: it would be the position of another element.
    """
    if all_inside(indices, length):
        return indices
    found = indices.astype(np.intp)
    found[indices < 0] += length
    if not all_inside(found, length):
        raise IndexError(f"index out of bounds for size {length}")
    return found


def all_inside(indices: Array, length: int) -> bool:
    """Tell whether all indices are at least 0 and less than a length."""
    if not indices.size:
        return True
    signed = indices.dtype.kind == "i"
    least_negative = 1 << (8 * indices.itemsize - 1)  # of numbers that are read without their sign
    most = indices.view(f"u{indices.itemsize}").max()
    return bool(most < (min(length, least_negative) if signed else length))


def _numbered(part: Part) -> Array:
    """Return the numbers of rows, negative ones counted from the front."""
    counted = _counted(part.numbers, part.length)
    return counted if part.step == 1 else counted * np.intp(part.step)


def _with_dimensions(numbers: Array, after: int) -> Array:
    """Return numbers with dimensions of length 1 behind theirs."""
    return numbers.reshape(numbers.shape + (1,) * after)


def _blocks(found: Places, most: int) -> Iterator[tuple[Any, Array]]:
    """Return slices of the first dimension, of at most so many elements, and the rows' numbers."""
    shape, parts = found.shape, [_numbered(p) for p in found.parts]
    if not shape:
        yield ..., np.asarray(functools.reduce(np.add, parts))
        return
    if len(parts) == 1 and parts[0].shape == shape and parts[0].dtype == np.intp:
        yield slice(None), parts[0]
        return
    count = max(1, most // max(1, math.prod(shape[1:] + found.row)))
    room = np.empty((min(count, shape[0]), *shape[1:]), np.intp)
    for start in range(0, shape[0], count):
        block = slice(start, start + count)
        numbers = room[: shape[0] - start]
        one, *others = [
            p[block] if p.ndim == len(shape) and len(p) == shape[0] else p for p in parts
        ]
        np.add(one, others[0] if others else 0, out=numbers, casting="unsafe")
        for other in others[1:]:
            np.add(numbers, other, out=numbers, casting="unsafe")
        yield block, numbers


def taken(array: Array, index: Any) -> Array:
    """Return a copy of what an index with arrays names, in PyTorch's layout."""
    found = _taken(array, index)
    if found.ndim < 2 or not found.size:
        return found
    if array.flags.c_contiguous:
        return np.ascontiguousarray(found)
    return _in_order(found, _order(found.shape, _operands(array, index)))


def _operands(array: Array, index: Any) -> list[tuple[int, ...]]:
    """Return the strides that PyTorch's loop over the result sees: of the array, of the indices.

    They are those of its view by all that is no array in the index, with 0 along the dimensions of
    the indices, and of the indices, with 0 along the others.
    """
    items = index if isinstance(index, tuple) else (index,)
    found: list[Array] = []
    for i in items:
        if hasattr(i, "dtype"):
            found += i.nonzero() if i.dtype.kind == "b" else [i]
    arrays = np.broadcast_arrays(*found)
    view = array[tuple(_whole_of(i) for i in items for _ in range(_span(i)))]
    run = "".join("a" if hasattr(i, "dtype") else "-" for i in items).strip("-")
    strides, count = list(view.strides), 0
    named: list[int] = []
    used = sum(_span(i) for i in items if i is not None and i is not Ellipsis)
    for i in items:
        if i is Ellipsis:
            count += array.ndim - used
            continue
        if hasattr(i, "dtype"):
            named += range(count, count + _span(i))
        count += _span(i)
    others = [s for k, s in enumerate(strides) if k not in named]
    first = 0 if "-" in run else named[0]
    ndim = arrays[0].ndim
    gap = (0,) * ndim
    return [
        (*others[:first], *gap, *others[first:]),
        *((0,) * first + a.strides + (0,) * (len(others) - first) for a in arrays),
    ]


def _whole_of(item: Any) -> Any:
    return slice(None) if hasattr(item, "dtype") else item


def _span(item: Any) -> int:
    """Return how many dimensions of an array a part of an index takes, or makes."""
    return item.ndim if hasattr(item, "dtype") and item.dtype.kind == "b" else 1


def _order(shape: Shape, operands: list[tuple[int, ...]]) -> list[int]:
    """Return the dimensions of a result from the innermost on, as PyTorch's loops order them.

    Two are exchanged where the first operand that moves along both moves further along the inner.
    """
    order = list(reversed(range(len(shape))))
    for start in range(1, len(order)):
        place = start
        for k in reversed(range(start)):
            further = _compared(shape, operands, order[k], order[place])
            if further > 0:
                order[k], order[place] = order[place], order[k]
                place = k
            elif further < 0:
                break
    return order


def _compared(shape: Shape, operands: list[tuple[int, ...]], inner: int, outer: int) -> int:
    for strides in operands:
        one, two = strides[inner], strides[outer]
        if one and two and one != two:
            return 1 if one > two else -1
        if one and two and shape[inner] > shape[outer]:
            return 1
    return 0


def _in_order(array: Array, order: list[int]) -> Array:
    """Return an array, or a copy of it, that lies in memory in an order of its dimensions."""
    outward = order[::-1]
    there = array.transpose(outward)
    if there.flags.c_contiguous:
        return array
    return np.ascontiguousarray(there).transpose(np.argsort(outward))


def _taken(array: Array, index: Any) -> Array:
    items = index if isinstance(index, tuple) else (index,)
    arrays = [k for k, i in enumerate(items) if hasattr(i, "dtype")]
    if not array.flags.c_contiguous:
        return array[index]
    if any(items[k].dtype.kind == "b" for k in arrays):
        if array.size < LARGE or not _is_mask(array, items):
            return array[index]
        mask = items[0]
        rows = array.reshape(mask.size, *array.shape[mask.ndim :])
        return rows.compress(mask.reshape(-1), 0)
    if len(arrays) == 1:
        (k,) = arrays
        if all(map(_is_whole, (*items[:k], *items[k + 1 :]))):
            return array.take(items[k], k)
    found = None
    if max([items[k].size for k in arrays]) >= LARGE:
        found = places(array.shape, index)
    if found is None:
        return array[index]
    read = indexed.read(array, found)
    if read is not None:
        return read
    out = np.empty((*found.shape, *found.row), array.dtype)
    rows = array.reshape(-1, *found.row)
    for block, numbers in _blocks(found, _BLOCK):
        rows.take(numbers, 0, mode="wrap", out=out[block])
    return out


def _is_mask(array: Array, items: Sequence[Any]) -> bool:
    """Tell whether an index is one mask of an array's elements, or of its rows."""
    mask = items[0]
    return (
        len(items) == 1
        and mask.__class__ is np.ndarray
        and mask.dtype.kind == "b"
        and mask.ndim > 0
        and mask.shape == array.shape[: mask.ndim]
    )


def put(array: Array, index: Any, values: Any) -> None:
    """Write values at an index with arrays; of what is named twice, the last remains."""
    items = index if isinstance(index, tuple) else (index,)
    if array.size >= LARGE and array.flags.c_contiguous:
        if _is_mask(array, items):
            mask = items[0]
            rows = array.reshape(mask.size, *array.shape[mask.ndim :])
            rows[np.flatnonzero(mask)] = values
            return
        several = len([i for i in items if hasattr(i, "dtype")]) > 1
        found = places(array.shape, index) if several else None
        if found is not None and math.prod(found.shape) >= LARGE:
            rows = array.reshape(-1, *found.row)
            shape = (*found.shape, *found.row)
            whole = values
            if np.shape(values) != shape and np.ndim(values):
                whole = np.broadcast_to(values, shape)
            if whole.__class__ is np.ndarray and whole.ndim and indexed.write(array, found, whole):
                return
            for block, numbers in _blocks(found, _BLOCK):
                rows[numbers] = whole[block] if np.ndim(whole) else whole
            return
    array[index] = values


# How values are put together with what is at their place, and with each other.
WAYS: dict[str, np.ufunc] = {
    "sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum,
}  # fmt: skip


def reduce(array: Array, index: Any, values: Array, way: str) -> None:
    """Put values together with what is at an index with arrays.

    What is named twice receives both, in their order.
    """
    function = WAYS[way]
    found = None
    if values.size >= ADDED and array.flags.c_contiguous:
        found = places(array.shape, index)
    if found is None:
        function.at(array, index, values)
        return
    size = math.prod(found.row)
    rows = array.reshape(-1, size)
    values = np.broadcast_to(values, (*found.shape, *found.row))
    same = not any(values.strides)  # the gradient of a sum
    if (size == 1 or not same) and indexed.reduce(array, found, values, way):
        return
    if same:
        one = values[(0,) * values.ndim]
        for _, numbers in _blocks(found, _BLOCK):
            if size == 1 or way != "sum":
                function.at(rows if size > 1 else rows.reshape(-1), numbers.reshape(-1), one)
            else:
                counts = np.bincount(numbers.reshape(-1))
                named = counts.nonzero()[0]
                rows[named] += (counts[named] * one).astype(array.dtype)[:, None]
        return
    most = _BLOCK * _MANY_WIDE if size >= _WIDE else _BLOCK
    for block, numbers in _blocks(found, most):
        _reduce_rows(rows, numbers.reshape(-1), values[block].reshape(-1, size), function)


def _reduce_rows(array: Array, numbers: Array, values: Array, function: np.ufunc) -> None:
    """Put rows together with those that are numbered, those of one number in their order."""
    size = array.shape[1]
    if size >= _WIDE:
        left = _reduce_in_turns(array, numbers, values, function)
        if not left.size:
            return
        numbers, values = numbers[left], values[left]
    if size > 1:
        numbers = (numbers[:, None] * np.intp(size) + np.arange(size)).reshape(-1)
    function.at(array.reshape(-1), numbers, values.reshape(-1))


def _reduce_in_turns(array: Array, numbers: Array, values: Array, function: np.ufunc) -> Array:
    """Put rows together with those that are numbered, and return which are left.

    Of a place that is named often, all rows are taken at once.  Of the others first those are taken
    that come first at their place, then those that come second, and so on, while these are many
    elements.
    """
    # NumPy sorts numbers of 16 bits by counting
    keys = numbers.astype(np.uint16) if len(array) <= 1 << 16 else numbers
    order = keys.argsort(kind="stable")
    there = numbers[order]
    starts = np.flatnonzero(np.concatenate([[True], there[1:] != there[:-1]]))
    counts = np.diff(starts, append=len(order))
    by_count = np.argsort(-counts, kind="stable")
    first, fewer = starts[by_count], -counts[by_count]
    rows = there[first]
    total = array.take(rows, 0)
    many = int(np.searchsorted(fewer, 1 - _MANY))  # how many rows are named that often
    for k in range(many):
        some = values.take(order[first[k] : first[k] - fewer[k]], 0)
        function(total[k], some[0], out=some[0])
        function.reduce(some, 0, out=total[k])
    first, fewer, rest = first[many:], fewer[many:], total[many:]
    turn, some = 0, len(first)
    while some * array.shape[1] >= _FEW:
        function(rest[:some], values.take(order[first[:some] + turn], 0), out=rest[:some])
        turn += 1
        some = int(np.searchsorted(fewer, -turn))  # how many rows are named more often than that
    array[rows] = total
    if not some:
        return order[:0]
    left = np.arange(len(order)) - np.repeat(starts, counts) >= turn
    left &= np.repeat(counts, counts) < _MANY
    return order[left]

"""NumPy's arrays: copied, added in place, and seen in the memory in which they lie."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from gpugrad._device import device
from gpugrad._dtype import is_half
from gpugrad.backend import compiled, half, pool
from gpugrad.backend.large import LARGE
from gpugrad.backend.pool import pooled
from gpugrad.backend.quiet import QUIET, enter, error_state, quiet
from gpugrad.formulas import Formula, variable

Array = Any
Shape = tuple[int, ...]

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)


def own(array: Array) -> Array:
    """Return ``array`` as an array object: NumPy's scalars become 0-d arrays."""
    return np.asarray(array)


def owns(array: Array) -> bool:
    """Tell whether no other array lies in the memory of ``array``, as far as it is its view.

    It may be the only view of an array that it is all of, which nobody else holds.
    """
    base = array.base
    if base is None:
        return True
    whole = base.__class__ is np.ndarray and base.size == array.size and array.flags.forc
    return whole and base.base is None and getrefcount(base) == _VIEWED


def _viewed(view: Array) -> int:
    base = view.base
    return getrefcount(base)


_VIEWED = _viewed(np.empty(1)[...])  # what a base counts that one view holds, and a variable


def from_numpy(array: Array, where: device) -> Array:
    """Return a copy of a NumPy array."""
    return copy(array)


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return the array itself."""
    return np.asarray(array)


def to_pinned(array: Array) -> np.ndarray[Any, Any]:
    """Return a copy: there is nothing to copy faster to."""
    return np.array(array)


@quiet
def astype(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return a copy with another element type; complex to real keeps the real part."""
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        array = array.real
    if dtype == FLOAT32 and is_half(array.dtype):
        return half.widened(array)
    if array.dtype == FLOAT32 and is_half(dtype):
        return half.rounded(array, dtype)
    return array.astype(dtype)


def copy(array: Array, order: str = "K") -> Array:
    """Return a copy with memory of its own."""
    if array.__class__ is not np.ndarray:
        return np.array(array)
    if order == "C" and array.size >= compiled.LEAST and array.strides[-1:] == (-array.itemsize,):
        found = compiled.copied(array)
        if found is not None:
            return found
    if array.nbytes >= pool.LEAST:
        return pooled(array.copy, order)
    return array.copy(order)  # type: ignore[arg-type]


def assign(target: Array, source: Array) -> None:
    """Write ``source`` into ``target``, broadcasting and casting."""
    if getattr(source, "dtype", None) is target.dtype:
        np.copyto(target, source)
    else:
        _assign_cast(target, source)


@quiet
def _assign_cast(target: Array, source: Array) -> None:
    if target.dtype.kind != "c" and getattr(source, "dtype", target.dtype).kind == "c":
        source = source.real
    if target.dtype == FLOAT16 and getattr(source, "shape", None) == target.shape:
        half.rounded(source, FLOAT16, target)
    else:
        np.copyto(target, source, casting="unsafe")


def add_into(target: Array, source: Array) -> None:
    """Add ``source`` to ``target`` in its memory."""
    before = error_state()
    try:
        enter(QUIET)
        halves = is_half(target.dtype) and target.dtype == source.dtype
        if halves and (found := _added_by_loop(target, source, target)) is not None:
            if found is not target:
                np.copyto(target, found)
        elif target.dtype is FLOAT16 and source.dtype is FLOAT16 and source.size >= LARGE:
            half.add_into(target, source)
        else:
            np.add(target, source, target, casting="unsafe")
    finally:
        enter(before)


_X, _Y = variable("x"), variable("y")
_SUM = Formula("sum_of_two", (_X, _Y), (_X + _Y,))


def _added_by_loop(first: Array, second: Array, out: Array | None = None) -> Array | None:
    """Return the sum of many halves, each rounded once; ``None``: it takes no loop.

    It may be written into ``out``.
    """
    if first.size < compiled.LEAST:
        return None
    found = compiled.evaluate(_SUM, (first, second), first.dtype, out=out)
    return None if found is None else found[0]


_MOST_PASSES = 128


@quiet
def add_overlapping(view: Array, values: Array) -> bool:
    """Add values to a view whose elements may lie on each other: some dimensions one by one."""
    if is_half(view.dtype):  # each addition would round
        return False
    steps = [(abs(s), n) for s, n in zip(view.strides, view.shape, strict=True)]
    by_length = sorted(range(view.ndim), key=lambda k: view.shape[k])
    apart = list(by_length)
    while not lie_apart([steps[k] for k in apart]):
        del apart[0]
    for k in reversed(by_length[: view.ndim - len(apart)]):
        if lie_apart([steps[j] for j in (k, *apart)]):
            apart.append(k)
    looped = sorted(set(by_length) - set(apart))
    lengths = [view.shape[k] for k in looped]
    if math.prod(lengths) > _MOST_PASSES:
        return False
    targets = view.transpose((*looped, *sorted(apart)))
    sources = np.broadcast_to(values, view.shape).transpose((*looped, *sorted(apart)))
    for place in np.ndindex(*lengths):
        target = targets[(*place, ...)]
        np.add(target, sources[place], out=target)
    return True


def lie_apart(steps: Sequence[tuple[int, int]]) -> bool:
    """Tell whether no two elements are one, by the distances and numbers along dimensions."""
    reach = 0
    for distance, count in sorted(steps):
        if count > 1:
            if distance <= reach:
                return False
            reach += distance * (count - 1)
    return True


MOST_TERMS = 2  # a third one costs as much alone, and finds the sum in the cache


def add_all(arrays: Sequence[Array], into_first: bool) -> Array:
    """Return the sum of arrays of one shape, in the memory of the first where it may be used."""
    first, *others = arrays
    for k, array in enumerate(others):
        if is_half(first.dtype) and (found := _added_by_loop(first, array)) is not None:
            first = found
        elif first.dtype is FLOAT16 and first.size >= LARGE:
            first = half.rounded(half.widened(first) + half.widened(array), FLOAT16)
        elif (into_first or k) and first.size > 1000:  # below, adding in place is dearer
            np.add(first, array, out=first)
        elif first.nbytes >= pool.LEAST:
            first = pooled(np.add, first, array)
        else:
            first = first + array
    return first


def address(array: Array) -> int:
    """Return the address of the first element."""
    if array.flags.c_contiguous and array.size:
        try:
            return _address_of(_first_byte(array))
        except (TypeError, ValueError):  # it may not be written, or is of another library's type
            pass
    return int(array.__array_interface__["data"][0])


# A quarter of the time that NumPy takes to describe an array.
_address_of, _first_byte = ctypes.addressof, ctypes.c_char.from_buffer


shares_memory: Any = np.shares_memory  # NumPy's annotations know two values of max_work


def overlap(a: Array, b: Array) -> bool:
    """Tell whether two arrays have an element in common; true where that is not known."""
    try:
        return shares_memory(a, b, max_work=10_000)  # the question is hard in theory
    except np.exceptions.TooHardError:
        return True


def strided(
    memory: Array, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
) -> Array:
    """Return an array that begins ``offset`` bytes after another one, in its memory."""
    if memory.flags.c_contiguous:
        try:
            return np.ndarray(shape, dtype, memory, offset, strides)
        except ValueError:  # it reaches beyond the array, in the memory of which that is a view
            pass
    return np.asarray(_Strided(memory, shape, dtype, offset, strides))


class _Strided:
    """What NumPy must know of an array in the memory of another one, which has gaps."""

    def __init__(
        self, memory: Array, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
    ):
        self.base = memory
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "strides": strides,
            "typestr": dtype.str,
            "data": (memory.ctypes.data + offset, not memory.flags.writeable),
        }


def memory(array: Array) -> tuple[int, int]:
    """Return the address of the memory that an array lies in, and the one behind it."""
    owner = _owner(array)
    if owner.flags.c_contiguous:
        start = address(owner)
        return start, start + owner.nbytes
    low, high = np.lib.array_utils.byte_bounds(owner)
    return int(low), int(high) if owner.size else int(low)


def bytes_of(array: Array) -> Array:
    """Return a view of all of the memory that an array lies in, as bytes."""
    owner = _owner(array)
    low, high = memory(array)
    by_strides = np.lib.stride_tricks.as_strided
    return by_strides(owner, ((high - low) // owner.itemsize,), (owner.itemsize,)).view(np.uint8)


def laid_out(array: Array, shape: Shape, offset: int, strides: Shape) -> Array:
    """Return a view of an array's memory, which begins ``offset`` bytes after that does."""
    owner = _owner(array)
    if owner.flags.c_contiguous and owner.size:
        return np.ndarray(shape, array.dtype, owner, offset, strides)
    flat = bytes_of(array).view(array.dtype)
    return np.lib.stride_tricks.as_strided(flat[offset // array.itemsize :], shape, strides)


def _owner(array: Array) -> Array:
    """Return the array that has the memory of another one, which may be a view of it."""
    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            array = base
        base = getattr(base, "base", None)  # as_strided puts other objects between two arrays
    return array


def broadcast_to(array: Array, shape: Shape) -> Array:
    """Return a view of another shape, with stride 0 where it repeats."""
    array = np.asarray(array)
    if array.ndim == 0 and 0 not in shape:
        return np.ndarray(shape, array.dtype, array, 0, (0,) * len(shape))
    extra = len(shape) - array.ndim
    strides = array.strides
    if array.shape != shape[extra:]:
        strides = tuple(
            [
                0 if n == 1 != m else s
                for n, m, s in zip(array.shape, shape[extra:], strides, strict=True)
            ]
        )
    strides = (0,) * extra + strides
    if not array.flags.c_contiguous or 0 in shape:
        return np.lib.stride_tricks.as_strided(array, shape, strides)
    return np.ndarray(shape, array.dtype, array, 0, strides)  # np.broadcast_to costs 3 us


def diagonal(array: Array, offset: int, first: int, second: int) -> Array:
    """Return a view of the diagonals over two axes, which a last one replaces."""
    result = array.diagonal(offset, first, second)
    if array.flags.writeable:
        result.setflags(write=True)  # NumPy hands out diagonals for reading
    return result


def reshape(array: Array, shape: Shape) -> Array:
    """Return a view where strides allow, else a copy."""
    return np.asarray(array).reshape(shape)

"""Halves (float16) as single precision and back, by arithmetic on their bits.

NumPy converts one number after the other, in 1.4 and 2.4 ns; the passes below are vectorised.
Results are those of NumPy's ``astype`` to the last bit, subnormal numbers, infinities and nan
included.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)
LARGE = 4096  # elements; below, NumPy's conversion takes no longer
_BLOCK = 1 << 16  # elements whose bits stay in the second-level cache

# A half has 5 bits of exponent and 10 of fraction, a single 8 and 23.  With its exponent and its
# fraction moved up by the difference of 13 it is a single that is smaller by the difference of the
# biases, 2 ** (127 - 15); a subnormal half, too.
_MOVED = np.array(13, np.int32)
_SMALLER = np.array(2.0**-112, np.float32)
_LARGER = np.array(2.0**112, np.float32)
_KEPT = np.array(0x8FFFE000, np.uint32).view(np.int32)  # the sign, and what was moved
_MAGNITUDE = np.array(0x7FFF, np.int16)
_NEGATIVE = np.array(-0x8000, np.int16)
_NOTHING = np.array(0, np.int16)
_LEAST_NAN, _STEP, _INFINITE = np.array([0xFC00, 1, 0x7C00], np.uint16)
_ENDLESS = 0x7C00  # the bits of inf; those of nan are larger
_TOO_LARGE = 65520.0  # what rounds to inf, as does all above
_SUBNORMAL = 0x7FFFFF  # the bits, less 1, of the smallest single that has all its fraction
_NORMAL = 2.0**-14  # the smallest half that has
_ONE, _DOWN, _HALFWAY, _UPPER, _SIGN = np.array([1, 13, 0xFFF, 16, 0x8000], np.uint32)[:, None]


def widened(array: Array) -> Array:
    """Return halves, of float16 or bfloat16, in single precision."""
    if array.size < LARGE or array.dtype != FLOAT16 or array.__class__ is not np.ndarray:
        return array.astype(FLOAT32)
    repeated = [n > 1 and not s for n, s in zip(array.shape, array.strides, strict=True)]
    if any(repeated):  # it is converted once
        once = array[tuple([slice(0, 1) if r else slice(None) for r in repeated])]
        return np.broadcast_to(widened(once), array.shape)
    if array.flags.fnc:
        return widened(array.T).T
    out = np.empty(array.shape, FLOAT32)
    bits, found = np.ascontiguousarray(array).view(np.int16).reshape(-1), out.reshape(-1)
    for start in range(0, array.size, _BLOCK):
        _widen(bits[start : start + _BLOCK], found[start : start + _BLOCK])
    return out


def negated(array: Array) -> Array:
    """Return halves with the opposite sign."""
    return np.bitwise_xor(array.view(np.int16), _NEGATIVE).view(FLOAT16)


def at_least_zero(array: Array) -> Array:
    """Return the larger of each half and 0, nan of nan."""
    bits = array.view(np.int16)  # of negative numbers they are negative
    found = np.maximum(bits, _NOTHING)
    if (array.view(np.uint16) > _LEAST_NAN).any():  # a nan may have a sign, too
        nans = np.isnan(array)
        found[nans] = bits[nans]
    return found.view(FLOAT16)


def is_positive(array: Array) -> Array:
    """Return where halves are greater than 0, as bool."""
    return np.subtract(array.view(np.uint16), _STEP) < _INFINITE


@functools.cache
def every() -> Array:
    """Return all halves, in the order of their bits, in single precision."""
    return widened(np.arange(1 << 16, dtype=np.uint16).view(FLOAT16))


def look_up(tables: Sequence[Array], array: Array, outs: Sequence[Array]) -> None:
    """Write what tables have for each half of an array."""
    bits = array.view(np.uint16)
    for start in range(0, array.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        for table, out in zip(tables, outs, strict=True):
            np.take(table, bits[block], mode="wrap", out=out[block])


def _widen(bits: Array, out: Array) -> None:
    moved = out.view(np.int32)
    np.copyto(moved, bits)
    np.left_shift(moved, _MOVED, out=moved)
    np.bitwise_and(moved, _KEPT, out=moved)
    np.multiply(out, _LARGER, out=out)
    if np.bitwise_and(bits, _MAGNITUDE).max() >= _ENDLESS:
        np.copyto(out, bits.view(FLOAT16))


def rounded(array: Array, dtype: np.dtype[Any], out: Array | None = None) -> Array:
    """Return numbers in single precision as the nearest of a type, in ``out`` where it is given.

    The type is float16 or bfloat16.
    """
    plain = array.size < LARGE or array.dtype != FLOAT32 or not array.flags.forc
    if plain or dtype != FLOAT16:
        if out is None:
            return array.astype(dtype)
        np.copyto(out, array, casting="unsafe")
        return out
    if not array.flags.c_contiguous:
        return rounded(array.T, dtype, None if out is None else out.T).T
    if out is None:
        out = np.empty(array.shape, FLOAT16)
    elif not out.flags.c_contiguous or out.shape != array.shape:
        np.copyto(out, rounded(array, dtype))
        return out
    flat, found = array.reshape(-1), out.reshape(-1)
    room = np.empty((2, min(_BLOCK, array.size)), np.uint32)
    for start in range(0, array.size, _BLOCK):
        _round(flat[start : start + _BLOCK], found[start : start + _BLOCK], room)
    return out


def add_into(target: Array, source: Array) -> None:
    """Add halves to halves in their memory."""
    if not (target.flags.c_contiguous and source.flags.c_contiguous):
        rounded(widened(target) + widened(source), FLOAT16, target)
        return
    to, of = target.reshape(-1), np.broadcast_to(source, target.shape).reshape(-1)
    wide = np.empty((2, min(_BLOCK, to.size)), FLOAT32)
    room = np.empty(wide.shape, np.uint32)
    for start in range(0, to.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        first, second = wide[:, : len(to[block])]
        _widen(to[block].view(np.int16), first)
        _widen(of[block].view(np.int16), second)
        np.add(first, second, out=first)
        _round(first, to[block], room)


def _round(values: Array, out: Array, room: Array) -> None:
    moved, other = room[:, : len(values)]
    single = moved.view(FLOAT32)
    np.absolute(values, out=single)
    if not single.max() < _TOO_LARGE:
        np.copyto(out, values, casting="unsafe")
        return
    np.multiply(single, _SMALLER, out=single)
    np.subtract(moved, _ONE, out=other)  # of zero that is the largest number
    subnormal = other.min() < _SUBNORMAL
    np.right_shift(moved, _DOWN, out=other)
    np.bitwise_and(other, _ONE, out=other)
    np.add(moved, other, out=moved)  # to the nearest, of two the even one
    np.add(moved, _HALFWAY, out=moved)
    np.right_shift(moved, _DOWN, out=moved)
    np.right_shift(values.view(np.uint32), _UPPER, out=other)
    np.bitwise_and(other, _SIGN, out=other)
    np.bitwise_or(moved, other, out=moved)
    np.copyto(out.view(np.uint16), moved, casting="unsafe")
    if subnormal:  # these were rounded when they became smaller, too
        size = np.absolute(values)
        again = np.flatnonzero((size < _NORMAL) & (size > 0))
        out[again] = values[again].astype(FLOAT16)

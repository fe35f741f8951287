"""Functions of real numbers that choose: by signs, bounds and truth.

:data:`FUNCTIONS` says what they are; :data:`LARGE_FUNCTIONS` gives the same bits for many numbers,
in steps that NumPy's vector units can take.  Where all numbers of a block are on one side, which
is asked first, the other side is not computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.backend import large, many
from gpugrad.backend.blocks import DOUBLE, SINGLE, WIDE, blockwise, clip

Array = Any

_BITS: dict[Any, Any] = {SINGLE: np.dtype(np.int32), DOUBLE: np.dtype(np.int64)}
_BOOL = np.dtype(bool)
_ZERO = {d: np.array(0, d) for d in _BITS}
# of each type: all bits but the sign, and the sign
_SIZE = {d: np.array(np.iinfo(b).max, b) for d, b in _BITS.items()}
_SIGN = {d: np.array(np.iinfo(b).min, b) for d, b in _BITS.items()}
_PI = {d: np.array(math.pi, d).view(b) for d, b in _BITS.items()}


_FEW = 32  # of which the first are looked at before all are


def _all_above(x: Array, bound: Any) -> bool:
    """Tell whether all numbers are above a bound; nan is not."""
    if not (x.ndim and x.size) or not np.minimum.reduce(x[:_FEW], axis=None) > bound:
        return False
    return bool(np.minimum.reduce(x, axis=None) > bound)


# --------------------------------------------------------------------------- signs


def sign(x: Array) -> Array:
    """Return -1, 0 or 1, of a real nan 0; of complex numbers the direction."""
    if x.dtype.kind == "b":
        return np.copy(x)
    found = np.sign(x)
    if x.dtype.kind == "f":  # as PyTorch, that of nan is 0
        lost = np.isnan(found)
        return np.where(lost, x.dtype.type(0), found) if lost.any() else found
    return _unit(x, found) if x.dtype.kind == "c" else found


def _unit(x: Array, sign: Array) -> Array:
    """Return the sign of complex numbers, right also where their size is not in the type's range.

    It is nan where a part is infinite, as in PyTorch.
    """
    size, known = np.absolute(x), np.finfo(x.dtype)
    odd = ~((size >= known.tiny) & (size <= known.max)) & (size != 0)
    if not np.any(odd):
        return sign
    largest = np.maximum(np.absolute(x.real), np.absolute(x.imag))
    largest = np.where(np.isinf(largest), largest.dtype.type(np.nan), largest)
    near_one = np.empty(np.shape(x), x.dtype)  # by parts: NumPy divides by way of 1 / largest
    near_one.real, near_one.imag = x.real / largest, x.imag / largest
    return np.where(odd, np.sign(near_one), sign)


@blockwise(sign, size=WIDE)
def _sign(x: Array, out: Array) -> None:
    zero = _ZERO[x.dtype]
    if _all_above(x, zero):
        out.fill(1)
        return
    found = (x > zero).view(np.int8)
    found -= (x < zero).view(np.int8)
    np.copyto(out, found)


def angle(x: Array) -> Array:
    """Return pi for negative numbers, nan for nan, and 0 for all others, -0 too."""
    if x.dtype.kind == "c":
        return np.arctan2(x.imag, x.real)
    return np.where(np.less(x, 0), x.dtype.type(np.pi), np.where(np.isnan(x), x, x.dtype.type(0)))


@blockwise(angle, size=WIDE)
def _angle(x: Array, out: Array) -> None:
    zero = _ZERO[x.dtype]
    if _all_above(x, zero):
        out.fill(0)
        return
    bits = _BITS[x.dtype]
    np.multiply((x < zero).astype(bits), _PI[x.dtype], out=out.view(bits))
    if np.isnan(x.dot(x)):  # nan, and nothing else, makes a sum of squares nan
        np.copyto(out, x, where=np.isnan(x))


@blockwise(np.copysign, size=WIDE)
def _copysign(x: Array, y: Array, out: Array) -> None:
    bits = _BITS[x.dtype]
    found = np.bitwise_and(x.view(bits), _SIZE[x.dtype], out=out.view(bits))
    found |= y.view(bits) & _SIGN[x.dtype]


# --------------------------------------------------------------------------- truth


def _truth(x: Array) -> Array:
    return x if x.dtype == _BOOL else np.not_equal(x, 0)


def _of_truth(function: Any) -> Callable[..., Array]:
    """Return a logical function that asks first which numbers are not 0."""

    def called(*operands: Any) -> Array:
        return function(*[_truth(np.asarray(x)) for x in operands])

    return called


# --------------------------------------------------------------------------- neighbours


@blockwise(np.nextafter, size=WIDE)
def _nextafter(x: Array, y: Array, out: Array) -> None:
    # The bits of the next number away from 0 are those of the next whole number.
    bits, zero = _BITS[x.dtype], _ZERO[x.dtype]
    back = x < y
    odd = x > y
    odd |= back
    np.logical_not(odd, out=odd)  # equal, or nan
    odd |= x == zero
    back ^= x > zero  # True: towards 0
    step = back.view(np.int8)
    step *= -2
    step += 1
    found = out.view(bits)
    np.copyto(found, step)
    found += x.view(bits)
    if odd.any():
        out[odd] = np.nextafter(x[odd], y[odd] if y.ndim else y)


# --------------------------------------------------------------------------- bent lines


def elu(x: Array, above: float, below: Any, width: Any) -> Array:
    """Return above * x where x is positive, else below * expm1(x / width)."""
    return np.where(x > 0, above * x, below * np.expm1(x / width))


_expm1 = many.FUNCTIONS.get("expm1", np.expm1)


@blockwise(elu)
def _elu(x: Array, above: float, below: Any, width: Any, out: Array) -> None:
    low = clip(x, -math.inf, 0)
    if width.__class__ is not int:
        low /= width
    low = _expm1(low)
    low *= below
    np.multiply(clip(x, 0, math.inf, out=out), above, out=out)
    out += low
    zeros = x == 0
    if zeros.any():  # whose signs clip does not keep
        out[zeros] = elu(x[zeros], above, below, width)


def _large_elu(x: Array, above: float, below: Any, width: Any) -> Array:
    if _all_above(x, 0):
        return above * x
    usual = np.ndim(below) == 0 and 0 < below < math.inf and 0 < width < math.inf
    return (_elu if usual else elu)(x, above, below, width)


def elu_slope(x: Array, above: float, below: float, width: Any) -> Array:
    """Return above where x is positive, else below * exp(x / width)."""
    return np.where(x > 0, x.dtype.type(above), below * np.exp(x / width))


@blockwise(elu_slope)
def _elu_slope(x: Array, above: float, below: float, width: Any, out: Array) -> None:
    if _all_above(x, 0):
        out.fill(above)
        return
    power = clip(x, -math.inf, 0)
    if width.__class__ is not int:
        power /= width
    np.exp(power, out=power)
    if below != 1:
        power *= below
    large.choose(x > 0, np.array(above, x.dtype), power, out)


def prelu(x: Array, weight: Array) -> Array:
    """Return x where it is positive, else weight * x."""
    return np.where(x > 0, x, weight * x)


def _large_prelu(x: Array, weight: Array) -> Array:
    if np.ndim(weight) > np.ndim(x) or x.dtype != weight.dtype:
        return prelu(x, weight)
    if _all_above(x, 0) and np.broadcast_shapes(x.shape, weight.shape) == x.shape:
        return 1 * x  # NumPy's copy takes longer
    product = weight * x
    if product.shape != x.shape:
        return prelu(x, weight)
    if _all_above(np.atleast_1d(weight), 0) and np.max(weight) <= 1:
        return np.maximum(x, product, out=product)  # the same number, or further from 0
    return large.where(x > 0, x, product)


def hardshrink(x: Array, bound: Array) -> Array:
    """Return x, and 0 where its size is at most the bound."""
    return np.where(np.absolute(x) <= bound, x.dtype.type(0), x)


def _large_hardshrink(x: Array, bound: Array) -> Array:
    if np.ndim(bound):
        return hardshrink(x, bound)
    if _all_above(x, bound):
        return 1 * x
    inside = x <= bound
    inside &= x >= -bound
    return large.where(inside, 0, x)


def thresholded(x: Array, bound: Array, value: Array) -> Array:
    """Return x, and the value where x is at most the bound."""
    return np.where(x <= bound, value, x)


def _large_thresholded(x: Array, bound: Array, value: Array) -> Array:
    if x.dtype in _BITS and not np.ndim(bound) and _all_above(x, bound):
        return 1 * x
    return large.where(np.asarray(x <= bound), value, x)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    "angle": angle,
    "clip": clip,
    "elu": elu,
    "elu_slope": elu_slope,
    "hardshrink": hardshrink,
    "prelu": prelu,
    "sign": sign,
    "thresholded": thresholded,
}
LARGE_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "angle": _angle,
    "copysign": _copysign,
    "elu": _large_elu,
    "elu_slope": _elu_slope,
    "hardshrink": _large_hardshrink,
    "logical_and": _of_truth(np.logical_and),
    "logical_not": _of_truth(np.logical_not),
    "logical_or": _of_truth(np.logical_or),
    "logical_xor": _of_truth(np.logical_xor),
    "nextafter": _nextafter,
    "prelu": _large_prelu,
    "sign": _sign,
    "thresholded": _large_thresholded,
}

"""Elementary functions of many numbers, in steps that NumPy's vector units can take.

NumPy calls the C library for each element where it has no vector loop of its own, which takes 10 to
30 ns.  Its single precision ``exp``, ``log``, ``sin`` and ``cos`` are vectorised, as is arithmetic:
of these the functions here are made, within a few units in the last place.  What they do not
compute, which they leave as nan, the C library does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.backend import large
from gpugrad.backend.blocks import DOUBLE, SINGLE, blockwise, in_blocks

Array = Any


def _of_singles(
    general: Callable[..., Array], types: tuple[np.dtype[Any], ...] = (SINGLE,)
) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Make a function of arrays of one shape, of these types, that ``general`` completes."""

    def make(fast: Callable[..., Array]) -> Callable[..., Array]:
        def function(*arrays: Array) -> Array:
            first = arrays[0]
            if not all(
                a.__class__ is np.ndarray and a.ndim and a.dtype in types
                and a.dtype == first.dtype
                for a in arrays
            ):  # fmt: skip
                return general(*arrays)
            found = in_blocks(write, *arrays)
            return general(*arrays) if found is None else found

        def write(*arrays: Array) -> None:
            *parts, result = arrays
            result[...] = fast(*parts)
            lost = np.isnan(result)
            if lost.any():
                result[lost] = general(*(a[lost] for a in parts))

        return function

    return make


# --------------------------------------------------------------------------- exponential functions

# What rounding does to 1 + x, or to exp(x), is undone by a quotient of which both parts have it.
# Source: W. Kahan; see N. Higham, "Accuracy and Stability of Numerical Algorithms", 1.14.


def _log1p(x: Array) -> Array:
    sum_ = x + 1
    result = np.log(sum_)
    sum_ -= 1
    result *= np.divide(x, sum_, out=sum_)
    return result


def _expm1(x: Array) -> Array:
    x = np.maximum(x, np.float32(-18))  # below it is -1
    power = np.exp(x)
    known = np.log(power)
    power -= 1
    power *= np.divide(x, known, out=known)
    return power


def _sinh(x: Array) -> Array:
    less = _expm1(np.absolute(x))
    less += less / (less + 1)
    less *= np.float32(0.5)
    return np.copysign(less, x)


def _cosh(x: Array) -> Array:
    power = np.exp(np.absolute(x))
    power *= np.float32(0.5)
    power += np.float32(0.25) / power
    power[np.isinf(power)] = np.nan  # the exponential may be, and half of it not
    return power


def _atanh(x: Array) -> Array:
    size = np.absolute(x)
    size = _log1p(2 * size / (1 - size))
    size *= np.float32(0.5)
    return np.copysign(size, x)


def _log10(x: Array) -> Array:
    found = np.log(x)
    found *= np.float32(1 / math.log(10))
    whole = np.rint(found)
    whole -= found
    near = np.absolute(whole, out=whole) < np.float32(4e-7) * np.absolute(found)
    if near.any():  # whole powers are left to the C library, which is exact
        found[near] = np.nan
    return found


def _tan(x: Array) -> Array:
    return large.sin(x) / large.cos(x)


# --------------------------------------------------------------------------- inverse tangents

# atan(x) / x is 1 and a polynomial of the square of x, for x in [0, 1] to 3e-9 relatively; fitted
# by weighted least squares.
_ARC = np.array(
    [
        -0.3333315274,
        0.1999377281,
        -0.1421105508,
        0.1066600371,
        -0.07552212171,
        0.0432118343,
        -0.01636791076,
        0.002920687688,
    ],
    np.float32,
)


def _arc(x: Array) -> Array:
    """Return the inverse tangents of numbers in [0, 1], which are overwritten."""
    square = x * x
    found = square * _ARC[-1]
    for coefficient in _ARC[-2::-1]:
        found += coefficient
        found *= square
    found *= x
    found += x
    return found


def _mirrored(angle: Array, condition: Array, sum_: float) -> Array:
    """Return angles, at most half of the sum, or the sum less them where the condition holds."""
    mirror = condition * np.float32(sum_)
    mirror -= angle
    return np.absolute(mirror, out=mirror)


def _atan(x: Array) -> Array:
    size = np.absolute(x)
    found = _arc(np.minimum(size, 1 / size))
    return np.copysign(_mirrored(found, size > 1, math.pi / 2), x)


def _atan2(y: Array, x: Array) -> Array:
    height, width = np.absolute(y), np.absolute(x)
    found = _arc(np.minimum(height, width) / np.maximum(height, width))
    found = _mirrored(found, height > width, math.pi / 2)
    return np.copysign(_mirrored(found, np.signbit(x), math.pi), y)


def _hypot(x: Array, y: Array) -> Array:
    x, y = np.absolute(x), np.absolute(y)
    size, ratio = np.maximum(x, y), np.minimum(x, y)
    ratio /= size
    ratio *= ratio
    ratio += 1
    return np.multiply(size, np.sqrt(ratio, out=ratio), out=size)


# --------------------------------------------------------------------------- formulas in place

# NumPy takes half as long for a step that writes where it reads.


def frac(x: Array) -> Array:
    """Return x - trunc(x)."""
    return x - np.trunc(x)


def _frac(x: Array) -> Array:
    if not x.ndim:
        return frac(x)
    whole = np.trunc(x)
    return np.subtract(x, whole, out=whole)


def lerp(x: Array, weight: Array, y: Array) -> Array:
    """Return x + weight * (y - x)."""
    return x + weight * (y - x)


def _lerp(x: Array, weight: Array, y: Array) -> Array:
    way = y - x
    if np.ndim(weight) or way.dtype != weight.dtype:
        return x + weight * way
    way *= weight
    way += x
    return way


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def _sigmoid(x: Array) -> Array:
    if not x.ndim:
        return sigmoid(x)
    power = np.negative(x)
    np.exp(power, out=power)
    power += 1
    return np.divide(1, power, out=power)


def logaddexp(x: Array, y: Array) -> Array:
    """Return log(exp(x) + exp(y)), also of complex numbers."""
    first = np.real(x) >= np.real(y)
    larger = np.where(first, x, y) + np.log1p(np.exp(np.where(first, y - x, x - y)))
    return np.where(x == y, x + math.log(2), larger).astype(larger.dtype)


def logaddexp2(x: Array, y: Array) -> Array:
    """Return log2(2**x + 2**y)."""
    less = np.log1p(np.exp2(-np.absolute(x - y))) * (1 / math.log(2))
    return np.where(x == y, x + 1, np.maximum(x, y) + less).astype(less.dtype)


def _within_one(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function that is nan beyond 1 without being called there, where it may be slow."""

    @blockwise(function)
    def within(x: Array, out: Array) -> None:
        inside = np.absolute(x) <= 1
        if inside.all():
            np.copyto(out, function(x))
            return
        large.choose(inside, x, np.array(0.5, x.dtype), out)
        large.choose(inside, function(out), np.array(math.nan, x.dtype), out)

    return within


def _exp2(x: Array, out: Array) -> Array:
    """Return the power of two, in which rounding is not yet that of one function."""
    x *= math.log(2)
    return np.exp(x, out=out)


def _added(power: Any, general: Callable[..., Array], scale: float) -> Callable[..., Array]:
    @blockwise(general)
    def function(x: Array, y: Array, out: Array) -> None:
        less = x - y
        np.absolute(less, out=less)
        np.negative(less, out=less)
        less = _log1p_of_many(power(less, out=less))
        if scale != 1:
            less *= scale
        np.maximum(x, y, out=out)
        out += less
        lost = np.isnan(out)
        if lost.any():  # of one infinity twice, which has no difference
            some = [v[lost] if v.ndim else v for v in (x, y)]
            out[lost] = general(*some)

    return function


OURS: dict[str, Callable[..., Array]] = {
    "arctan": _of_singles(np.arctan)(_atan),
    "arctan2": _of_singles(np.arctan2)(_atan2),
    "arctanh": _of_singles(np.arctanh)(_atanh),
    "cosh": _of_singles(np.cosh)(_cosh),
    "expm1": _of_singles(np.expm1)(_expm1),
    "hypot": _of_singles(np.hypot, (SINGLE, DOUBLE))(_hypot),
    "log10": _of_singles(np.log10)(_log10),
    "log1p": _of_singles(np.log1p)(_log1p),
    "sinh": _of_singles(np.sinh)(_sinh),
    "tan": _of_singles(np.tan)(_tan),
}

# Where NumPy has vector loops, these take a quarter of the time, within 1 to 3 units.
FUNCTIONS = {
    name: function for name, function in OURS.items() if not large.vectorised(name, "float32")
}
_log1p_of_many = FUNCTIONS.get("log1p", np.log1p)
SMALL_FORMULAS: dict[str, Callable[..., Array]] = {
    "frac": frac,
    "lerp": lerp,
    "logaddexp": logaddexp,
    "logaddexp2": logaddexp2,
    "sigmoid": sigmoid,
}
FORMULAS = {
    "arctanh": _within_one(FUNCTIONS.get("arctanh", np.arctanh)),
    "frac": _frac,
    "lerp": _lerp,
    "logaddexp": _added(np.exp, logaddexp, 1),
    "logaddexp2": _added(
        np.exp2 if large.vectorised("exp2", "float32") else _exp2, logaddexp2, 1 / math.log(2)
    ),
    "sigmoid": _sigmoid,
}

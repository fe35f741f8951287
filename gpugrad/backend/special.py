"""Special functions of NumPy's arrays: SciPy's, which is imported when one is first needed.

The error functions are there without SciPy, too, though slowly.

The derivatives of the gamma function's logarithm are here themselves, as they take SciPy ten times
as long, and so are functions of many numbers in single precision.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from gpugrad.backend.blocks import SINGLE

Array = Any
Function = Callable[..., Array]


@functools.cache
def _scipy() -> Any:
    from scipy import special

    return special


def found_in_scipy(name: str, called: str) -> Any:
    """Return SciPy's function.

    Raises:
        ModuleNotFoundError: SciPy is not installed.
    """
    try:
        return getattr(_scipy(), name)
    except ModuleNotFoundError as error:
        if called in _SLOW:
            return _SLOW[called]
        raise ModuleNotFoundError(
            f"{called}: on the CPU this function is SciPy's, which is not installed. "
            "To install it: pip install 'gpugrad[scipy]'",
            name=error.name,
        ) from None


def _one_by_one(function: Callable[[float], float]) -> Function:
    every = np.frompyfunc(function, 1, 1)
    return lambda x: np.asarray(every(x)).astype(np.result_type(x))


_SLOW = {"erf": _one_by_one(math.erf), "erfc": _one_by_one(math.erfc)}


def of_scipy(called: str, name: str = "") -> Function:
    """Return a function that calls SciPy's."""

    def function(*arrays: Array) -> Array:
        return found_in_scipy(name or called, called)(*arrays)

    return function


# Our own functions of many numbers in single precision: in which module, and from how many elements
# on they are faster than SciPy's.
_OWN = {
    "airy_ai": ("airy", 256), "airy_ai_slope": ("airy", 256),
    "erf": ("error", 2048), "erfc": ("error", 2048), "erfcx": ("error", 4096),
    "erfinv": ("error", 256),
    "gammainc": ("incomplete", 256), "gammaincc": ("incomplete", 256),
    "i0": ("bessel", 512), "i0e": ("bessel", 512), "i1": ("bessel", 512), "i1e": ("bessel", 512),
    "lgamma": ("incomplete", 2048), "y0": ("bessel", 2048), "y1": ("bessel", 2048),
}  # fmt: skip


def _in_module(module: str, name: str) -> Function:
    """Return our own function, whose module is imported when it is first called."""

    @functools.cache
    def own() -> Function:
        found: Function = getattr(import_module(f"gpugrad.backend.{module}"), name)
        return found

    return lambda *operands: own()(*operands)


def _by_size(name: str, general: Function) -> Function:
    """Return our own function where there are many numbers in single precision, else the other."""
    module, few = _OWN[name]
    own = _in_module(module, name)

    def function(*arrays: Array) -> Array:
        if max(map(np.size, arrays)) < few or np.result_type(*arrays) != SINGLE:
            return general(*arrays)
        return own(*arrays)

    return function


def lgamma(x: Array) -> Array:
    """Return the logarithm of abs(gamma(x)): inf at poles and at both infinities."""
    found = found_in_scipy("gammaln", "lgamma")(x)
    low = np.isneginf(x)  # inf, as in PyTorch
    return np.where(low, x.dtype.type(np.inf), found) if low.any() else found


def airy(which: int) -> Function:
    """Return SciPy's function Ai, or its derivative."""

    def function(x: Array) -> Array:
        return found_in_scipy("airy", "airy_ai")(x)[which]

    return function


def erfinv(x: Array) -> Array:
    """Return the inverse of erf; nan outside of [-1, 1], where SciPy takes 2,000 ns each."""
    outside = np.absolute(x) > 1
    if not np.any(outside):
        return found_in_scipy("erfinv", "erfinv")(x)
    found = found_in_scipy("erfinv", "erfinv")(np.where(outside, x.dtype.type(0), x))
    return np.where(outside, x.dtype.type(np.nan), found)


# --------------------------------------------------------------------------- block by block

_BLOCK = 1 << 14  # elements that stay in the second-level cache


def _blocks(size: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, size, _BLOCK))


def _in_blocks(function: Callable[[Array, Array], None]) -> Function:
    """Return a function of arrays from one that writes a block of them in double precision."""

    def blockwise(x: Array) -> Array:
        given = np.ascontiguousarray(x).reshape(-1)
        found = np.empty(given.shape, given.dtype)
        room = np.empty(min(_BLOCK, given.size))
        for block in _blocks(given.size):
            out = room[: len(given[block])]
            function(given[block].astype(np.float64), out)
            found[block] = out
        return found.reshape(np.shape(x))

    return blockwise


def _polynomial_of(y: Array, coefficients: tuple[float, ...], out: Array) -> Array:
    """Write a polynomial by Horner's rule; the coefficients begin with the highest."""
    first, *others, last = coefficients
    np.multiply(y, first, out=out)
    for c in others:
        out += c
        out *= y
    out += last
    return out


# --------------------------------------------------------------------------- gamma function

# B(2 k) / (2 k) and B(2 k), the highest first, where B are Bernoulli's numbers
_DIGAMMA = (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12, 0)
_TRIGAMMA = (7 / 6, -691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6, 0)
_STEPS = 10


def _reflecting(
    right: Callable[[Array, Array], None], reflected: Callable[[Array, Array], Array]
) -> Callable[[Array, Array], None]:
    """Return a function of all numbers from one of those that are not negative.

    ``reflected`` is its value at negative numbers, given those and the values at 1 less them.
    """

    def everywhere(x: Array, out: Array) -> None:
        places = np.flatnonzero(x < 0)
        if not places.size:
            right(x, out)
            return
        negative = x[places]
        x[places] = 1 - negative
        right(x, out)
        out[places] = reflected(negative, out[places])

    return everywhere


def _digamma(x: Array, out: Array) -> None:
    room = np.empty_like(x)
    out[...] = 0
    for _ in range(_STEPS):
        np.divide(1, x, out=room)
        out -= room
        x += 1
    np.divide(1, x, out=room)
    out += np.log(x)
    out -= 0.5 * room
    room *= room
    out -= _polynomial_of(room, _DIGAMMA, x)


def _reflected_digamma(x: Array, at: Array) -> Array:
    part = x - np.floor(x)
    return np.where(part == 0, np.nan, at - np.pi / np.tan(np.pi * part))


def _trigamma(x: Array, out: Array) -> None:
    product, room, infinite = np.empty_like(x), np.empty_like(x), np.isinf(x)
    np.minimum(x, 1e150, out=x)  # of which the square is in range
    out[...] = 0
    for _ in range(_STEPS // 2):  # 1 / x**2 + 1 / (x + 1)**2 is (2 p + 1) / p**2 of x (x + 1)
        np.add(x, 1, out=product)
        product *= x
        np.add(product, 0.5, out=room)
        room /= product
        room /= product
        out += room
        x += 2
    out *= 2
    np.divide(1, x, out=room)
    np.multiply(room, room, out=product)
    rest = _polynomial_of(product, _TRIGAMMA, x)
    room *= 0.5
    rest += room
    rest += 1
    room *= 2
    rest *= room
    out += rest
    out[infinite] = 0


def _reflected_trigamma(x: Array, at: Array) -> Array:
    slope = np.pi / np.sin(np.pi * (x - np.floor(x)))
    return slope * slope - at


digamma = _in_blocks(_reflecting(_digamma, _reflected_digamma))
digamma.__doc__ = """Return the logarithmic derivative of the gamma function.

It is -inf at 0, inf at -0, and nan at negative whole numbers.
Source: the recurrence, the reflection and the asymptotic series, formulas 5.5.2, 5.5.4 and 5.11.2
of the NIST Digital Library of Mathematical Functions.
"""
trigamma = _in_blocks(_reflecting(_trigamma, _reflected_trigamma))
trigamma.__doc__ = """Return the derivative of digamma: inf at 0, -1, -2 and so on.

Source: the derivatives of the formulas of :func:`digamma`.
"""


# Under the names that the texts of formulas have.
FUNCTIONS: dict[str, Function] = {
    **{name: of_scipy(name) for name in (
        "erf", "erfc", "erfcx", "gammainc", "gammaincc", "i0", "i0e", "i1", "i1e", "j0",
        "j1", "k0", "k0e", "k1", "k1e", "log_ndtr", "ndtri", "y0", "y1", "zeta",
    )},
    **{name: _in_module("orthogonal", name) for name in (
        "chebyshev_t", "gegenbauer", "hermite_h", "hermite_he", "laguerre",
    )},
    "airy_ai": airy(0),
    "airy_ai_slope": airy(1),
    "digamma": digamma,
    "erfinv": erfinv,
    "lgamma": lgamma,
    "trigamma": trigamma,
}  # fmt: skip
FUNCTIONS |= {name: _by_size(name, FUNCTIONS[name]) for name in _OWN}

"""The error function, its complement and its inverse, of many numbers in single precision.

The approximations are our own: quotients of polynomials, fitted by least squares whose weights were
changed until the largest relative error was least.  SciPy's functions take 5 to 60 ns for each
number; these take 2 to 7.
"""

from __future__ import annotations

import numpy as np

from gpugrad.backend import large
from gpugrad.backend.blocks import (
    HALF_BLOCK,
    SINGLE,
    Array,
    blockwise,
    clip,
    coefficients,
    polynomial,
    quotient,
)
from gpugrad.backend.special import erfinv as general
from gpugrad.backend.special import of_scipy

# The error function is the hyperbolic tangent of x + x * b, where b, of the square of x, is small.
# The quotient for b makes errors of 4e-9 in erf, and in erfc up to 1.5.
_ABOVE = coefficients(SINGLE, 5.664821273, 57.42125210, 371.0801045, 387.4054816)
_BELOW = coefficients(SINGLE, 1, 72.14995370, 474.7404805, 3017.666063)
_FLAT = np.array(20, SINGLE)  # the square of a number of which erf is 1


def _bent(x: Array) -> Array:
    """Return x * b."""
    square = x * x
    clip(square, 0, _FLAT, out=square)
    found = quotient(square, _ABOVE, _BELOW)
    found *= x
    return found


@blockwise(of_scipy("erf"), (SINGLE,), costly=True)
def erf(x: Array, out: Array) -> None:
    """Return the error function, within 2.5 units in the last place."""
    angle = _bent(x)
    angle += x
    np.tanh(angle, out=out)


# Above this, x * exp(x * x) * erfc(x) is a quotient of polynomials of 1 / (x * x), with an error of
# 2e-9, computed in double precision: the exponent has too many digits for single.
_FAR = np.array(1.5, SINGLE)
_FAR_ABOVE = coefficients(
    np.float64, -0.09175563720037597, 1.6410030153133128, 6.5298543317295685, 4.054676125007382,
    0.5641895678131376,
)  # fmt: skip
_FAR_BELOW = coefficients(np.float64, 6.344444113304723, 14.667497026575141, 7.68672164906578, 1.0)
_NOTHING = 11.0  # of which erfc is 0 in single precision


@blockwise(of_scipy("erfc"), (SINGLE,), costly=True)
def erfc(x: Array, out: Array) -> None:
    """Return 1 - erf(x), within 5.5 units in the last place: 2 / (1 + exp(2 * (x + x * b)))."""
    power = _bent(x)
    power += x
    power += power
    np.exp(power, out=power)
    power += 1
    np.divide(2, power, out=out)
    far = x > _FAR
    if far.any():
        places = np.flatnonzero(far)
        out[places] = _far(x[places].astype(np.float64))


def _far(x: Array) -> Array:
    np.minimum(x, _NOTHING, out=x)
    square = x * x
    found = np.exp(-square)
    found /= x
    found *= quotient(np.divide(1, square, out=square), _FAR_ABOVE, _FAR_BELOW)
    return found


# erfinv(x) / x as a quotient of polynomials of log(1 - x * x), with an error of 1.9e-8 for all
# numbers in single precision; computed in double precision.  That it is nearly a polynomial of this
# logarithm is M. Giles' observation, "Approximating the erfinv function", GPU Computing Gems, 2011.
_INVERSE_ABOVE = coefficients(
    np.float64, 19.012902524836868, -517.145377923011, 6241.642967247292, -47878.7527878512,
    245966.6589529688, -708433.2647829057,
)  # fmt: skip
_INVERSE_BELOW = coefficients(
    np.float64, 1.0, -141.9417570142559, 1525.335597574162, -25733.891023432505,
    68266.52754169029, -799381.3221733265,
)  # fmt: skip
_LEAST = 2.0**-26  # below what 1 - x * x can be


@blockwise(general, (SINGLE,), size=HALF_BLOCK, costly=True)
def erfinv(x: Array, out: Array) -> None:
    """Return the inverse of erf, within 0.9 units in the last place: inf at 1, nan beyond."""
    wide = x.astype(np.float64)
    rest = 1 - wide
    rest *= 1 + wide
    logarithm = clip(rest, _LEAST, 1.0)
    np.log(logarithm, out=logarithm)
    found = quotient(logarithm, _INVERSE_ABOVE, _INVERSE_BELOW)
    np.multiply(found, wide, out=out, casting="same_kind")
    inside = rest > 0
    if not inside.all():  # at the ends a number over 0, beyond them nan
        large.choose(inside, out, (wide / np.sqrt(rest)).astype(SINGLE), out)


# With t = 2 / (2 + x), erfcx(x) / t is a polynomial of t, with an error of 1.1e-8.
_SCALED = coefficients(
    np.float64, 0.0423520924617, -0.230855392654, 0.486174581067, -0.446973009546, 0.127086720386,
    -0.0572314457874, 0.0930003509554, 0.175376860588, 0.246880584292, 0.282093852732,
    0.282094794797,
)  # fmt: skip


@blockwise(of_scipy("erfcx"), (SINGLE,), size=HALF_BLOCK, costly=True)
def erfcx(x: Array, out: Array) -> None:
    """Return exp(x * x) * erfc(x), within 0.7 units in the last place."""
    wide = x.astype(np.float64)
    t = np.absolute(wide)
    t += 2
    np.divide(2, t, out=t)
    found = polynomial(t, _SCALED)
    found *= t
    below = x < 0
    if below.any():  # 2 * exp(x * x) less the value at -x
        wide *= wide
        np.exp(wide, out=wide)
        wide += wide
        wide -= found
        large.choose(below, wide.astype(SINGLE), found.astype(SINGLE), out)
    else:
        np.copyto(out, found, casting="same_kind")

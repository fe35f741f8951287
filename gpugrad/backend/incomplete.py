"""The gamma function's logarithm and the incomplete gamma functions of many numbers in float32.

They are computed in double precision, with errors far below those of single, by steps that NumPy's
vector units can take; what these do not reach SciPy computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gpugrad.backend.blocks import (
    DOUBLE,
    HALF_BLOCK,
    SINGLE,
    Array,
    blockwise,
    coefficients,
    polynomial,
)
from gpugrad.backend.special import lgamma as general
from gpugrad.backend.special import of_scipy

# --------------------------------------------------------------------------- lgamma

# With z = x + 3, what lgamma(z) is beyond Stirling's (z - 1/2) * log(z) - z + log(2 * pi) / 2 is a
# polynomial of 1 / z**2, over z.  Fitted by weighted least squares: the error is 5e-12.
_BEYOND = coefficients(
    DOUBLE,
    0.0004842532611100276,
    -0.0005620765930423668,
    0.0007921818995222699,
    -0.002777750347036242,
    0.08333333318817067,
)
_CONSTANT = 0.5 * math.log(2 * math.pi) - 3
_NEAR_ZERO = 1e-4  # a value with too few digits


def log_gamma(x: Array) -> Array:
    """Return the logarithm of gamma(x) for positive numbers in double precision, within 5e-12."""
    z = x + 3
    logarithm = np.log(z)
    inverse = 1 / z
    found = polynomial(inverse * inverse, _BEYOND)
    found *= inverse
    z -= 0.5
    logarithm *= z
    found += logarithm
    found -= x
    found += _CONSTANT
    product = x + 1
    product *= x
    np.add(x, 2, out=z)
    product *= z
    found -= np.log(product, out=product)
    return found


@blockwise(general, (SINGLE,), size=HALF_BLOCK, costly=True)
def lgamma(x: Array, out: Array) -> None:
    """Return the logarithm of abs(gamma(x)), within 1 unit in the last place."""
    np.copyto(out, log_gamma(x.astype(DOUBLE)), casting="same_kind")
    odd = x <= 0
    odd |= ~(np.absolute(out) > _NEAR_ZERO)  # nan, too
    odd |= x == math.inf
    if odd.any():
        places = np.flatnonzero(odd)
        out[places] = general(x[places])


# --------------------------------------------------------------------------- incomplete

_LARGEST = 20  # operand, up to which the series is short enough
_ENOUGH = 2.0**-30  # the part of the sum that a term may be which is not added
_STEP = 4  # terms, after which it is asked
_CLEAR = 1e-3  # how much of 1 must be left where the lower function is subtracted


def _series(a: Array, x: Array) -> Array:
    """Return the lower function of positive numbers.

    Source: the power series, formula 8.11.4 of the NIST Digital Library of Mathematical Functions.
    """
    scale = np.log(x)
    scale *= a
    scale -= x
    scale -= log_gamma(a + 1)
    np.exp(scale, out=scale)
    divisor, term, total = a.copy(), np.ones_like(x), np.ones_like(x)
    while True:
        for _ in range(_STEP):
            divisor += 1
            term *= x
            term /= divisor
            total += term
        if not (term > _ENOUGH * total).any():  # of all smaller ones, too
            scale *= total
            return scale


def _incomplete(name: str, upper: bool) -> Callable[..., Array]:
    scipys = of_scipy(name)

    @blockwise(scipys, (SINGLE,), size=HALF_BLOCK, costly=True)
    def function(a: Array, x: Array, out: Array) -> None:
        usual = (a > 0) & (a <= _LARGEST)
        usual &= x > 0
        usual &= x <= _LARGEST
        whole = bool(usual.all())
        if a.ndim != x.ndim or not (whole or usual.any()):
            out[...] = scipys(a, x)
            return
        places = slice(None) if whole else np.flatnonzero(usual)
        found = _series(a[places].astype(DOUBLE), x[places].astype(DOUBLE))
        if upper:
            np.subtract(1, found, out=found)
            usual[places] = found > _CLEAR
        out[places] = found
        if not usual.all():
            places = np.flatnonzero(~usual)
            out[places] = scipys(a[places], x[places])

    return function


gammainc = _incomplete("gammainc", False)
gammaincc = _incomplete("gammaincc", True)

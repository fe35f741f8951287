"""Airy's function Ai and its derivative of many numbers in single precision.

Source: formulas 9.4.1, 9.4.2 and 9.7.5 to 9.7.10 of the NIST Digital Library of Mathematical
Functions: the power series, and far out exponentials and waves.  In the place of the asymptotic
series of these stand polynomials of our own, fitted by least squares, with errors of 6e-10.  All is
computed in double precision, in which the power series may lose six digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gpugrad.backend import large
from gpugrad.backend.blocks import (
    DOUBLE,
    HALF_BLOCK,
    SINGLE,
    Array,
    blockwise,
    coefficients,
    polynomial,
)
from gpugrad.backend.special import airy

_NEAR = 4.5
_FAR = 1e5  # beyond it, the phase of the waves has lost too many digits
_TERMS = 19
_AT_0, _SLOPE_AT_0 = 0.3550280538878172, -0.2588194037928068


def _series(start: int, derivative: bool) -> tuple[Array, ...]:
    """Return the coefficients, of powers of x**3, of a solution that begins with x**start."""
    found, term = [], 1.0
    for k in range(_TERMS):
        power = 3 * k + start
        found.append(term * power if derivative else term)
        term /= (power + 3) * (power + 2)
    if derivative and not start:
        found = found[1:]  # times x**2
    return coefficients(DOUBLE, *found[::-1])


# On the right, of 1 / z with z = 2 / 3 * x**1.5: the function, and the slope
_RIGHT = (
    coefficients(
        DOUBLE, -0.0455028685668, 0.0480183373405, -0.0373060232572, 0.0371101858011,
        -0.0694441482065, 0.99999999937,
    ),
    coefficients(
        DOUBLE, 0.04917496738, -0.0524282002577, 0.0417329724104, -0.0438603063168,
        0.0972219085492, 1.00000000066,
    ),
)  # fmt: skip
# On the left, of 1 / z**2: factors of the cosine and of the sine over z, and for the slope of the
# sine and of the cosine over z
_LEFT = (
    (
        coefficients(
            DOUBLE, 1.40820261281, -0.263999241887, 0.057436792652, -0.0371328856544,
            0.999999999716,
        ),
        coefficients(
            DOUBLE, 4.43400546193, -0.738322588753, 0.114829701775, -0.0379880356478,
            0.0694444387485,
        ),
    ),
    (
        coefficients(
            DOUBLE, -1.4769994015, 0.279594378348, -0.0624414131077, 0.0438844050131, 1.0000000003,
        ),
        coefficients(
            DOUBLE, -4.63010972886, 0.776156302157, -0.122790063715, 0.0424576204713,
            -0.0972222163112,
        ),
    ),
)  # fmt: skip


def _function(derivative: bool) -> Callable[..., Array]:
    general = airy(int(derivative))
    first, second = (_series(start, derivative) for start in (0, 1))

    def near(x: Array) -> Array:
        square = x * x
        cube = square * x
        one, other = polynomial(cube, first), polynomial(cube, second)
        one *= _AT_0
        if derivative:
            one *= square
        else:
            other *= x
        other *= _SLOPE_AT_0
        one += other
        return one

    def right(x: Array) -> Array:
        root = np.sqrt(x)
        z = x * root
        z *= 2 / 3
        found = polynomial(1 / z, _RIGHT[derivative])
        found *= np.exp(-z)
        np.sqrt(root, out=root)
        found *= (-0.5 if derivative else 0.5) / math.sqrt(math.pi)
        return found * root if derivative else found / root

    def left(x: Array) -> Array:
        size = -x
        root = np.sqrt(size)
        z = size * root
        z *= 2 / 3
        inverse = 1 / z
        square = inverse * inverse
        z -= math.pi / 4
        waves = large.cos(z), large.sin(z)
        if derivative:
            waves = waves[1], -waves[0]
        found = polynomial(square, _LEFT[derivative][0])
        found *= waves[0]
        rest = polynomial(square, _LEFT[derivative][1])
        rest *= inverse
        rest *= waves[1]
        found += rest
        np.sqrt(root, out=root)
        found /= math.sqrt(math.pi)
        return found * root if derivative else found / root

    @blockwise(general, (SINGLE,), size=HALF_BLOCK, costly=True)
    def function(x: Array, out: Array) -> None:
        size = np.absolute(x)
        whole = x.size
        for part, compute in (
            (size <= _NEAR, near),
            ((x > _NEAR) & (x <= _FAR), right),
            ((x < -_NEAR) & (x >= -_FAR), left),
            (~(size <= _FAR), None),
        ):
            count = np.count_nonzero(part)
            if count:
                places = slice(None) if count == whole else np.flatnonzero(part)
                some = x[places]
                out[places] = general(some) if compute is None else compute(some.astype(DOUBLE))

    return function


airy_ai, airy_ai_slope = _function(False), _function(True)

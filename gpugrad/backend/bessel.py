"""Bessel functions of many numbers in single precision.

The modified ones of the first kind are, up to 8, polynomials of the square of x, all of whose
coefficients are positive, so that nothing cancels; above, polynomials of 1 / x times exp(x) /
sqrt(x). The coefficients are our own, fitted by least squares of the relative error, which is 1e-8.

Those of the second kind are, up to 5, a logarithm times those of the first, and a polynomial
(formulas 10.8.1 and 10.8.2 of the NIST Digital Library of Mathematical Functions), in double
precision, because at their zeros all is lost that single has; the polynomials' errors are 5e-15.
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
from gpugrad.backend.special import of_scipy

_END = np.array(8, SINGLE)
_SHIFT = np.array(16, SINGLE)
_POWER = np.array(np.exp(16.0), SINGLE)
_NEAR = (
    coefficients(
        SINGLE, 5.716075441e-17, 5.815639567e-15, 2.63418679e-12, 4.623520992e-10, 6.800496627e-08,
        6.779313811e-06, 0.0004340438215, 0.01562494926, 0.250000056, 1.0,
    ),
    coefficients(
        SINGLE, 2.750443696e-18, 3.504555252e-16, 1.617822615e-13, 3.31828313e-11, 5.662105956e-09,
        6.780216023e-07, 5.425457656e-05, 0.002604162677, 0.06250000522, 0.5,
    ),
)  # fmt: skip
_FAR = (
    coefficients(
        SINGLE, 0.3879669752, -0.0138506033, 0.03378510068, 0.02789880365, 0.04986958596,
        0.398942277,
    ),
    coefficients(
        SINGLE, -0.452371533, 0.009696694729, -0.04615607602, -0.04657577998, -0.1496054473,
        0.3989422844,
    ),
)  # fmt: skip


def _function(name: str, order: int, scaled: bool) -> Callable[..., Array]:
    @blockwise(of_scipy(name), (SINGLE,), costly=True)
    def function(x: Array, out: Array) -> None:
        size = np.absolute(x)
        found = polynomial(size * size, _NEAR[order])
        if scaled:
            power = np.negative(size)
            found *= np.exp(power, out=power)
        if order:
            found *= x
        np.copyto(out, found)
        far = ~(size <= _END)
        if far.any():
            places = np.flatnonzero(far)
            out[places] = _beyond(x[places], size[places])

    def _beyond(x: Array, size: Array) -> Array:
        found = polynomial(1 / size, _FAR[order])
        found /= np.sqrt(size)
        if not scaled:
            found *= np.exp(size - _SHIFT)  # the power of size itself may be out of range
            found *= _POWER
        return np.copysign(found, x) if order else found

    return function


i0, i0e, i1, i1e = (
    _function(name, order, scaled)
    for name, order, scaled in (
        ("i0", 0, False), ("i0e", 0, True), ("i1", 1, False), ("i1e", 1, True),
    )
)  # fmt: skip

# Of x * x: the function of the first kind (over x), and what its logarithm leaves of the second.
_FIRST = (
    coefficients(
        DOUBLE, -1.1459249723931037e-22, 7.0174827227198669e-20, -2.8884209673648386e-17,
        9.3839138815028581e-15, -2.4027744828103468e-12, 4.7094992230630307e-10,
        -6.7816837720893034e-08, 6.7816840161214699e-06, -0.00043402777774628347,
        0.015624999999955921, -0.24999999999997599, 0.99999999999999845,
    ),
    coefficients(
        DOUBLE, -4.862359604087788e-24, 3.2023590473280135e-21, -1.4449976943023889e-18,
        5.2135663840546507e-16, -1.5017403618128083e-13, 3.3639289446037961e-11,
        -5.6514032334593598e-09, 6.781684021782032e-07, -5.4253472220485273e-05,
        0.0026041666666641408, -0.062499999999998848, 0.49999999999999972,
    ),
)  # fmt: skip
_REST = (
    coefficients(
        DOUBLE, 2.2883269589519871e-22, -1.3603718183237241e-19, 5.4151811515178579e-17,
        -1.6929009545141901e-14, 4.1435083946673401e-12, -7.6930739652552772e-10,
        1.0358475627835652e-07, -9.4950051875369469e-06, 0.00053860266681571615,
        -0.016073968025875636, 0.17760601686903232, -0.073804295108682694,
    ),
    coefficients(
        DOUBLE, 9.7953213675652643e-24, -6.2955519672247283e-21, 2.7548255002072752e-18,
        -9.5898486253303845e-16, 2.6494553852566983e-13, -5.6480217626170804e-11,
        8.931879424017174e-09, -9.9267406104749046e-07, 7.1642687497278931e-05,
        -0.0029553053360761232, 0.054348688160507669, -0.19605709064623805,
    ),
)  # fmt: skip
_SMALL = np.array(5, SINGLE)


def _second(name: str, order: int) -> Callable[..., Array]:
    general = of_scipy(name)

    def near(x: Array) -> Array:
        square = x * x
        found = polynomial(square, _FIRST[order])
        found *= np.log(x)
        rest = polynomial(square, _REST[order])
        if order:
            found *= x
            rest *= x
            found -= 1 / x
        found *= 2 / math.pi
        found += rest
        return found

    @blockwise(general, (SINGLE,), size=HALF_BLOCK, costly=True)
    def function(x: Array, out: Array) -> None:
        usual = (x > 0) & (x <= _SMALL)
        count = np.count_nonzero(usual)
        if count == x.size:
            np.copyto(out, near(x.astype(DOUBLE)), casting="same_kind")
            return
        places = np.flatnonzero(usual)
        out[places] = near(x[places].astype(DOUBLE))
        places = np.flatnonzero(~usual)
        out[places] = general(x[places])

    return function


y0, y1 = _second("y0", 0), _second("y1", 1)

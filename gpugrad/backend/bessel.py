"""Modified Bessel functions of the first kind of many numbers in single precision.

Up to 8 they are polynomials of the square of x, all of whose coefficients are positive, so that
nothing cancels; above, polynomials of 1 / x times exp(x) / sqrt(x).  The coefficients are our own,
fitted by least squares of the relative error, which is 1e-8.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gpugrad.backend.blocks import SINGLE, Array, blockwise, coefficients, polynomial
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

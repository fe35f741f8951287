"""Bessel functions, and Airy's.

Of those that PyTorch does not differentiate the gradients are formulas 10.6.3, 10.29.3, 10.51.2 and
9.2.1 of the NIST Digital Library of Mathematical Functions.
"""

from __future__ import annotations

from typing import Any

from gpugrad.formulas import Function
from gpugrad.op import pointwise, public
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq, isinf, lt
from gpugrad.ops.pointwise.sign import abs, sign
from gpugrad.ops.pointwise.trigonometric import cos, sin


def _own(name: str) -> Function:
    return Function(f"{name}({{}})", f"gpugrad::{name}({{}})", header="series bessel")


def _named(name: str) -> Function:
    return Function(f"{name}({{}})", f"gpugrad::bessel_{name}({{}})", header="series bessel")


def _nonzero(x: Any) -> Any:
    """Return a divisor whose quotient has a finite derivative at 0, where it is not taken."""
    return where(eq(x, 0), 1, x)


@public(inplace="values function", out=True, names="special.i0 special.modified_bessel_i0")
@pointwise("i0(x)", "I0Backward0", "real", native=_own("i0"), kernel="i0_vml_{}")
def i0(g, x):
    """Return the modified Bessel function of the first kind of order 0."""
    return g * i1(x)


@public(name="special.i0e", method=False, out=True)
@pointwise("i0e(x)", "SpecialI0EBackward0", "real", native=_own("i0e"))
def i0e(g, x, out):
    """Return exp(-abs(input)) * i0(input), without overflow; the gradient at 0 is 0."""
    return g * (i1e(x) - sign(x) * out)


@public(name="special.i1", method=False, out=True, names="special.modified_bessel_i1")
@pointwise("i1(x)", "SpecialI1Backward0", "real", native=_own("i1"))
def i1(g, x, out):
    """Return the modified Bessel function of the first kind of order 1."""
    return where(eq(x, 0), g / 2, g * (i0(x) - out / _nonzero(x)))


@public(name="special.i1e", method=False, out=True)
@pointwise("i1e(x)", "SpecialI1EBackward0", "real", native=_own("i1e"))
def i1e(g, x, out):
    """Return exp(-abs(input)) * i1(input), without overflow."""
    return where(eq(x, 0), g / 2, g * (i0e(x) - out * (sign(x) + 1 / _nonzero(x))))


@public(name="special.modified_bessel_k0", method=False, out=True)
@pointwise("modified_bessel_k0(x)", "SpecialModifiedBesselK0Backward0", "real", native=_own("k0"))
def modified_bessel_k0(g, x):
    """Return the modified Bessel function of the second kind of order 0: inf at 0, nan below."""
    return g * -modified_bessel_k1(x)


@public(name="special.modified_bessel_k1", method=False, out=True)
@pointwise("modified_bessel_k1(x)", "SpecialModifiedBesselK1Backward0", "real", native=_own("k1"))
def modified_bessel_k1(g, x, out):
    """Return the modified Bessel function of the second kind of order 1: inf at 0, nan below."""
    return g * -(modified_bessel_k0(x) + out / x)


@public(name="special.scaled_modified_bessel_k0", method=False, out=True)
@pointwise(
    "scaled_modified_bessel_k0(x)",
    "SpecialScaledModifiedBesselK0Backward0",
    "real",
    native=_own("k0e"),
)
def scaled_modified_bessel_k0(g, x, out):
    """Return exp(input) times the modified Bessel function of the second kind of order 0."""
    return g * (out - scaled_modified_bessel_k1(x))


@public(name="special.scaled_modified_bessel_k1", method=False, out=True)
@pointwise(
    "scaled_modified_bessel_k1(x)",
    "SpecialScaledModifiedBesselK1Backward0",
    "real",
    native=_own("k1e"),
)
def scaled_modified_bessel_k1(g, x, out):
    """Return exp(input) times the modified Bessel function of the second kind of order 1."""
    return g * (out * (1 - 1 / x) - scaled_modified_bessel_k0(x))


@public(name="special.bessel_j0", method=False, out=True)
@pointwise("bessel_j0(x)", "SpecialBesselJ0Backward0", "real", native=_named("j0"))
def bessel_j0(g, x):
    """Return the Bessel function of the first kind of order 0."""
    return g * -bessel_j1(x)


@public(name="special.bessel_j1", method=False, out=True)
@pointwise("bessel_j1(x)", "SpecialBesselJ1Backward0", "real", native=_named("j1"))
def bessel_j1(g, x, out):
    """Return the Bessel function of the first kind of order 1."""
    return where(eq(x, 0), g / 2, g * (bessel_j0(x) - out / _nonzero(x)))


@public(name="special.bessel_y0", method=False, out=True)
@pointwise("bessel_y0(x)", "SpecialBesselY0Backward0", "real", native=_named("y0"))
def bessel_y0(g, x):
    """Return the Bessel function of the second kind of order 0: -inf at 0, nan below."""
    return g * -bessel_y1(x)


@public(name="special.bessel_y1", method=False, out=True)
@pointwise("bessel_y1(x)", "SpecialBesselY1Backward0", "real", native=_named("y1"))
def bessel_y1(g, x, out):
    """Return the Bessel function of the second kind of order 1: -inf at 0, nan below."""
    return g * (bessel_y0(x) - out / x)


@public(name="special.spherical_bessel_j0", method=False, out=True)
@pointwise(
    "spherical_bessel_j0(x)",
    "SpecialSphericalBesselJ0Backward0",
    "real",
    native=Function(
        definition=lambda x: where(eq(x, 0), 1, where(isinf(x), 0, sin(x) / x)),
    ),
)
def spherical_bessel_j0(g, x):
    """Return the spherical Bessel function of the first kind of order 0, sin(input) / input."""
    return g * -spherical_bessel_j1(x)


def _spherical_j1(x: Any) -> Any:
    square, near = x * x, 1
    for k in (5, 4, 3, 2, 1):  # the power series, where the closed form loses digits
        near = 1 - square / (2 * k * (2 * k + 3)) * near
    far = where(isinf(x), 0, (sin(x) / x - cos(x)) / x)
    return where(lt(abs(x), 0.5), x / 3 * near, far)


@pointwise(
    "spherical_bessel_j1(x)",
    "SpecialSphericalBesselJ1Backward0",
    "real",
    native=Function(definition=_spherical_j1),
)
def spherical_bessel_j1(g, x, out):
    return where(eq(x, 0), g / 3, g * (spherical_bessel_j0(x) - 2 * out / _nonzero(x)))


@public(name="special.airy_ai", method=False, out=True)
@pointwise(
    "airy_ai(x)",
    "SpecialAiryAiBackward0",
    "real",
    native=Function("airy_ai({})", "gpugrad::airy_ai({})", header="series airy"),
)
def airy_ai(g, x):
    """Return Airy's function Ai; nan at both infinities."""
    return g * airy_ai_slope(x)


@pointwise(
    "airy_ai_slope(x)",
    "SpecialAiryAiBackward0Backward0",
    "real",
    native=Function("airy_ai_slope({})", "gpugrad::airy_ai_slope({})", header="series airy"),
)
def airy_ai_slope(g, x):
    return g * (x * airy_ai(x))

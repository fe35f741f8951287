"""Orthogonal polynomials, of which only the argument has a gradient.

A degree is cut to a whole number; the polynomials of negative degrees are 0.
PyTorch differentiates none of them; the gradients are formulas 18.9.15, 18.9.19, 18.9.21, 18.9.23,
18.9.25 and 18.9.27 of the NIST Digital Library of Mathematical Functions.
"""

from __future__ import annotations

from gpugrad.formulas import Function
from gpugrad.op import pointwise, public
from gpugrad.ops.pointwise.rounding import trunc


def _own(name: str, count: int = 2) -> Function:
    arguments = ", ".join(["{}"] * count)
    return Function(f"{name}({arguments})", f"gpugrad::{name}({arguments})", header="polynomial")


_PARAMETERS = "input", "n"


@pointwise("gegenbauer(x, n, a)", "GegenbauerBackward0", "real", native=_own("gegenbauer", 3))
def gegenbauer(g, x, n, a):
    return g * (2 * a * gegenbauer(x, trunc(n) - 1, a + 1)), None, None


@pointwise("laguerre(x, n, a)", "LaguerreBackward0", "real", native=_own("laguerre", 3))
def laguerre(g, x, n, a):
    return g * -laguerre(x, trunc(n) - 1, a + 1), None, None


@public(name="special.legendre_polynomial_p", method=False, out=True)
@pointwise(
    "gegenbauer(x, n, 0.5)",
    "SpecialLegendrePolynomialPBackward0",
    "real",
    parameters=_PARAMETERS,
)
def legendre_polynomial_p():
    """Return Legendre's polynomial of degree n."""


@public(name="special.laguerre_polynomial_l", method=False, out=True)
@pointwise(
    "laguerre(x, n, 0)", "SpecialLaguerrePolynomialLBackward0", "real", parameters=_PARAMETERS
)
def laguerre_polynomial_l():
    """Return Laguerre's polynomial of degree n."""


@public(name="special.hermite_polynomial_h", method=False, out=True)
@pointwise(
    "hermite_polynomial_h(x, n)",
    "SpecialHermitePolynomialHBackward0",
    "real",
    parameters=_PARAMETERS,
    native=_own("hermite_h"),
)
def hermite_polynomial_h(g, x, n):
    """Return Hermite's polynomial of degree n, the physicists' one."""
    whole = trunc(n)
    return g * (2 * whole * hermite_polynomial_h(x, whole - 1)), None


@public(name="special.hermite_polynomial_he", method=False, out=True)
@pointwise(
    "hermite_polynomial_he(x, n)",
    "SpecialHermitePolynomialHeBackward0",
    "real",
    parameters=_PARAMETERS,
    native=_own("hermite_he"),
)
def hermite_polynomial_he(g, x, n):
    """Return Hermite's polynomial of degree n, the statisticians' one."""
    whole = trunc(n)
    return g * (whole * hermite_polynomial_he(x, whole - 1)), None


@public(name="special.chebyshev_polynomial_t", method=False, out=True)
@pointwise(
    "chebyshev_polynomial_t(x, n)",
    "SpecialChebyshevPolynomialTBackward0",
    "real",
    parameters=_PARAMETERS,
    native=_own("chebyshev_t"),
)
def chebyshev_polynomial_t(g, x, n):
    """Return Chebyshev's polynomial of the first kind of degree n."""
    whole = trunc(n)
    return g * (whole * gegenbauer(x, whole - 1, 1)), None


@public(name="special.chebyshev_polynomial_u", method=False, out=True)
@pointwise(
    "gegenbauer(x, n, 1)", "SpecialChebyshevPolynomialUBackward0", "real", parameters=_PARAMETERS
)
def chebyshev_polynomial_u():
    """Return Chebyshev's polynomial of the second kind of degree n."""


@public(name="special.chebyshev_polynomial_v", method=False, out=True)
@pointwise(
    "gegenbauer(x, n, 1) - gegenbauer(x, trunc(n) - 1, 1)",
    "SpecialChebyshevPolynomialVBackward0",
    "real",
    parameters=_PARAMETERS,
)
def chebyshev_polynomial_v():
    """Return Chebyshev's polynomial of the third kind of degree n."""


@public(name="special.chebyshev_polynomial_w", method=False, out=True)
@pointwise(
    "gegenbauer(x, n, 1) + gegenbauer(x, trunc(n) - 1, 1)",
    "SpecialChebyshevPolynomialWBackward0",
    "real",
    parameters=_PARAMETERS,
)
def chebyshev_polynomial_w():
    """Return Chebyshev's polynomial of the fourth kind of degree n."""


@public(name="special.shifted_chebyshev_polynomial_t", method=False, out=True)
@pointwise(
    "chebyshev_polynomial_t(x * 2 - 1, n)",
    "SpecialShiftedChebyshevPolynomialTBackward0",
    "real",
    parameters=_PARAMETERS,
)
def shifted_chebyshev_polynomial_t():
    """Return Chebyshev's polynomial of the first kind of degree n at 2 * input - 1."""


@public(name="special.shifted_chebyshev_polynomial_u", method=False, out=True)
@pointwise(
    "gegenbauer(x * 2 - 1, n, 1)",
    "SpecialShiftedChebyshevPolynomialUBackward0",
    "real",
    parameters=_PARAMETERS,
)
def shifted_chebyshev_polynomial_u():
    """Return Chebyshev's polynomial of the second kind of degree n at 2 * input - 1."""


@public(name="special.shifted_chebyshev_polynomial_v", method=False, out=True)
@pointwise(
    "gegenbauer(x * 2 - 1, n, 1) - gegenbauer(x * 2 - 1, trunc(n) - 1, 1)",
    "SpecialShiftedChebyshevPolynomialVBackward0",
    "real",
    parameters=_PARAMETERS,
)
def shifted_chebyshev_polynomial_v():
    """Return Chebyshev's polynomial of the third kind of degree n at 2 * input - 1."""


@public(name="special.shifted_chebyshev_polynomial_w", method=False, out=True)
@pointwise(
    "gegenbauer(x * 2 - 1, n, 1) + gegenbauer(x * 2 - 1, trunc(n) - 1, 1)",
    "SpecialShiftedChebyshevPolynomialWBackward0",
    "real",
    parameters=_PARAMETERS,
)
def shifted_chebyshev_polynomial_w():
    """Return Chebyshev's polynomial of the fourth kind of degree n at 2 * input - 1."""

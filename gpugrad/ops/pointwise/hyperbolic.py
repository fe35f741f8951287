"""Hyperbolic functions."""

from __future__ import annotations

from gpugrad.formulas import COMPLEX, Function
from gpugrad.op import pointwise, public
from gpugrad.ops.pointwise.power import rsqrt


@public(inplace="values function", out=True)
@pointwise("tanh(x)", "TanhBackward0", "float")
def tanh(g, out):
    """Return the hyperbolic tangent."""
    return g * (1 - out * out)


@public(inplace="values function", out=True)
@pointwise("sinh(x)", "SinhBackward0", "float", native=Function("sinh({})", "sinh({})"))
def sinh(g, x):
    """Return the hyperbolic sine."""
    return g * cosh(x)


@public(inplace="values function", out=True)
@pointwise("cosh(x)", "CoshBackward0", "float", native=Function("cosh({})", "cosh({})"))
def cosh(g, x):
    """Return the hyperbolic cosine."""
    return g * sinh(x)


@public(inplace="values function", out=True, names="arcsinh")
@pointwise("asinh(x)", "AsinhBackward0", "float", native=Function("arcsinh({})", "asinh({})"))
def asinh(g, x):
    """Return the inverse hyperbolic sine."""
    return g * rsqrt(x * x + 1)


@public(inplace="values function", out=True, names="arccosh")
@pointwise("acosh(x)", "AcoshBackward0", "float", native=Function("arccosh({})", "acosh({})"))
def acosh(g, x):
    """Return the inverse hyperbolic cosine, at least 0: nan for a real input below 1.

    The gradient at 1 is inf.
    """
    if x.kind == COMPLEX:  # where the root of a product is not the product of the roots
        return g * (rsqrt(x + 1) * rsqrt(x - 1))
    return g * rsqrt(x * x - 1)


@public(inplace="values function", out=True, names="arctanh")
@pointwise("atanh(x)", "AtanhBackward0", "float", native=Function("arctanh({})", "atanh({})"))
def atanh(g, x):
    """Return the inverse hyperbolic tangent: nan for a real input outside [-1, 1].

    The gradient at -1 and 1 is inf.
    """
    return g / (1 - x * x)

"""Trigonometric functions."""

from __future__ import annotations

import math

from gpugrad import _dtype
from gpugrad.formulas import TORCH, Function
from gpugrad.op import pointwise, public
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq
from gpugrad.ops.pointwise.power import rsqrt


@public(inplace="values function", out=True)
@pointwise("sin(x)", "SinBackward0", "float")
def sin(g, x):
    """Return the sine of input, in radians."""
    return g * cos(x)


@public(inplace="values function", out=True)
@pointwise("cos(x)", "CosBackward0", "float")
def cos(g, x):
    """Return the cosine of input, in radians."""
    return g * -sin(x)


@public(inplace="values function", out=True)
@pointwise("tan(x)", "TanBackward0", "float")
def tan(g, out):
    """Return the tangent of input, in radians."""
    return g * (1 + out * out)


@public(inplace="values", out=True, names="arctan2", tensors="input other")
@pointwise(
    "atan2(x, y)", "Atan2Backward0", "real", native=Function("arctan2({}, {})", "atan2({}, {})")
)
def atan2(g, x, y):
    """Return the angle of the point (other, input) in radians, in [-pi, pi].

    The gradients at (0, 0) are 0.
    """
    square = x * x + y * y
    return where(eq(square, 0), 0, g * y / square), where(eq(square, 0), 0, g * -x / square)


@public(inplace="values", out=True, tensors="input other")
@pointwise("hypot(x, y)", "HypotBackward0", "floating")
def hypot(g, x, y, out, convention):
    """Return the square root of input**2 + other**2, without overflow.

    The gradients at (0, 0) are nan, and 0 by the convention "math".
    """
    grads = g * (x / out), g * (y / out)
    if convention == TORCH:
        return grads
    return tuple(where(eq(out, 0), 0, grad) for grad in grads)


@public(inplace="values function", out=True, names="arcsin")
@pointwise("asin(x)", "AsinBackward0", "float", native=Function("arcsin({})", "asin({})"))
def asin(g, x):
    """Return the inverse sine, in [-pi / 2, pi / 2]: nan for a real input outside [-1, 1].

    The gradient at -1 and 1 is inf.
    """
    return g * rsqrt(1 - x * x)


@public(inplace="values function", out=True, names="arccos")
@pointwise("acos(x)", "AcosBackward0", "float", native=Function("arccos({})", "acos({})"))
def acos(g, x):
    """Return the inverse cosine, in [0, pi]: nan for a real input outside [-1, 1].

    The gradient at -1 and 1 is -inf.
    """
    return g * -rsqrt(1 - x * x)


@public(inplace="values function", out=True, names="arctan")
@pointwise("atan(x)", "AtanBackward0", "float", native=Function("arctan({})", "atan({})"))
def atan(g, x):
    """Return the inverse tangent, in [-pi / 2, pi / 2]."""
    return g / (x * x + 1)


_NO_ANGLES = "{} is not supported for complex tensors."


@public(inplace="values function", out=True)
@pointwise(
    "x * 0.017453292519943295",
    "Deg2RadBackward0",
    "real",
    refused={_dtype.COMPLEX: RuntimeError(_NO_ANGLES.format("deg2rad"))},
)
def deg2rad(g):
    """Return an angle of that many degrees, in radians."""
    return g * 0.017453292519943295


@public(inplace="values function", out=True)
@pointwise(
    "x * 57.29577951308232",
    "Rad2DegBackward0",
    "real",
    refused={_dtype.COMPLEX: RuntimeError(_NO_ANGLES.format("rad2deg"))},
)
def rad2deg(g):
    """Return an angle of that many radians, in degrees."""
    return g * 57.29577951308232


@public(inplace="values function", out=True, names="special.sinc")
@pointwise(
    "where(eq(x, 0), 1, sin(x * 3.141592653589793) / (x * 3.141592653589793))",
    "SincBackward0",
    "float",
)
def sinc(g, x):
    """Return sin(pi input) / (pi input), and 1 at 0, where the gradient is 0."""
    turned = x * math.pi
    slope = (turned * cos(turned) - sin(turned)) / (x * turned)
    return where(eq(x * turned, 0), 0, g * slope)

"""Trigonometric functions."""

from __future__ import annotations

from gpugrad.formula import TORCH, Function
from gpugrad.op import pointwise, public
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq


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


@public(inplace="values", out=True, names="arctan2")
@pointwise(
    "atan2(x, y)", "Atan2Backward0", "real", native=Function("arctan2({}, {})", "atan2({}, {})")
)
def atan2(g, x, y):
    """Return the angle of the point (other, input) in radians, in [-pi, pi].

    The gradients at (0, 0) are 0.
    """
    square = x * x + y * y
    return where(eq(square, 0), 0, g * y / square), where(eq(square, 0), 0, g * -x / square)


@public(inplace="values", out=True)
@pointwise("hypot(x, y)", "HypotBackward0", "real")
def hypot(g, x, y, out, convention):
    """Return the square root of input**2 + other**2, without overflow.

    The gradients at (0, 0) are nan, and 0 by the convention "math".
    """
    grads = g * (x / out), g * (y / out)
    if convention == TORCH:
        return grads
    return tuple(where(eq(out, 0), 0, grad) for grad in grads)

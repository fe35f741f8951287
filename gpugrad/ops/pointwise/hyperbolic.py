"""Hyperbolic functions."""

from __future__ import annotations

from gpugrad.op import pointwise, public


@public(inplace="values function", out=True)
@pointwise("tanh(x)", "TanhBackward0", "float")
def tanh(g, out):
    """Return the hyperbolic tangent."""
    return g * (1 - out * out)

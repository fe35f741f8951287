"""Special functions."""

from __future__ import annotations

import math

from gpugrad.op import pointwise, public
from gpugrad.ops.pointwise.exponential import exp


@public(inplace="values function", out=True, names="special.erf")
@pointwise("erf(x)", "ErfBackward0", "real")
def erf(g, x):
    """Return the error function; on the CPU by SciPy where installed, else slowly by ``math``."""
    return g * (2 / math.sqrt(math.pi) * exp(-(x * x)))

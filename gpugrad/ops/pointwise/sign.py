"""Signs and absolute values."""

from __future__ import annotations

from gpugrad.formula import COMPLEX, call
from gpugrad.op import pointwise, public
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq


@public(inplace="values function", out=True, names="absolute", operators="__abs__")
@pointwise("abs(x)", "AbsBackward0")
def abs(g, x):
    """Return the absolute value, real for a complex input; the gradient at 0 is 0."""
    return g * call("sign", x)


@public(inplace="values", out=True)
@pointwise("sign(x)", "SgnBackward0")
def sgn(g, x, out):
    """Return the sign, for a complex input x / abs(x), which is 0 at 0.

    That of a real nan is 0, that of a complex number with an infinite part is nan; where only
    abs(x) is infinite, the direction is still right, unlike PyTorch's.
    The gradient is 0 for a real input, and at 0.
    """
    if x.kind != COMPLEX:
        return 0
    # a change of x along itself leaves its direction as it is
    along = call("real", g * call("conj", out)) * out
    return where(eq(x, 0), 0, (g - along) / abs(x))


@public(inplace="values", out=True)
@pointwise(
    "sign(x)",
    "SignBackward0",
    complex_error=NotImplementedError(
        "Unlike NumPy, gpugrad.sign is not intended to support complex numbers. Please use "
        "gpugrad.sgn instead."
    ),
)
def sign():
    """Return -1, 0 or 1, of nan 0; the gradient is 0."""

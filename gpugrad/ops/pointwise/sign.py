"""Signs and absolute values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad import _dtype
from gpugrad.formulas import BOOL, COMPLEX, Function, call
from gpugrad.op import pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(inplace="values function", out=True, names="absolute", operators="__abs__")
@pointwise("abs(x)", "AbsBackward0", "numeric")
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
    refused={
        _dtype.COMPLEX: NotImplementedError(
            "Unlike NumPy, gpugrad.sign is not intended to support complex numbers. Please use "
            "gpugrad.sgn instead."
        )
    },
)
def sign():
    """Return -1, 0 or 1, of nan 0; the gradient is 0."""


@public(inplace="values", out=True, tensors="input")
@pointwise(
    "copysign(x, y)",
    "CopysignBackward0",
    "real",
    native=Function("copysign({}, {})", "copysign({}, {})"),
    numbered={1: "CopysignBackward1"},
)
def copysign(g, x, out):
    """Return the size of input with the sign of other, that of -0 and of nan included.

    The gradient of input is 0 at 0, and that of other 0 everywhere.
    """
    return where(eq(x, 0), 0, g * (out / x)), 0


@public(out=True)
@pointwise(
    "signbit(x)",
    promotion="compare",
    native=Function("signbit({})", "gpugrad::signbit({})", BOOL),
    refused={
        _dtype.COMPLEX: NotImplementedError("signbit is not implemented for complex tensors.")
    },
)
def signbit():
    """Return where the sign is minus, that of -0 and of nan included, as bool."""


_NO_STEP = "heaviside is not yet implemented for {}."


@pointwise(
    "where(eq(x, 0), y, x > 0)",
    "torch::autograd::NotImplemented",
    function="heaviside",
    parameters=("input", "values"),
    refused={_dtype.COMPLEX: RuntimeError(_NO_STEP.format("complex tensors"))},
    derivable=False,
)
def step():
    pass


@public(inplace="values", out=True)
@selecting
def heaviside(input: Tensor, values: Tensor) -> Selected:
    """Return 0 where input is below 0 or nan, 1 above, and values at 0; there is no derivative.

    Raises:
        RuntimeError: They are of different types, or complex.
    """
    kinds = input._array.dtype.kind, values._array.dtype.kind
    if input._array.dtype != values._array.dtype and "c" not in kinds:
        raise RuntimeError(_NO_STEP.format("tensors with different dtypes"))
    return step, (input, values)

"""Quotients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.op import pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.ops.pointwise.arithmetic import mul
from gpugrad.ops.pointwise.operand import Operand

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@pointwise("x / y", "DivBackward0", "float", function="div")
def true_divide(g, x, y):
    """Return input / other; integers give the default floating point type."""
    return g / y, -g * ((x / y) / y)


@public(
    inplace="values",
    out=True,
    names="divide true_divide",
    operators="__truediv__",
    formula=true_divide,
)
@selecting
def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Selected:
    """Return input / other; integers give the default floating point type.

    Args:
        input: The dividend.
        other: The divisor; 0 gives inf or nan.
        rounding_mode: Only ``None``, true division.
    """
    if rounding_mode is not None:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, but found '{rounding_mode}'"
        )
    return true_divide, (input, other)


@public(inplace="values function", out=True)
@pointwise("1 / x", "ReciprocalBackward0", "float")
def reciprocal(g, out):
    """Return 1 / input."""
    return g * -(out * out)


@public(function=False, method=False, operators="__rtruediv__")
def rdiv(input: Tensor, other: Operand) -> Tensor:
    """Return other / input, as PyTorch computes it: other times the reciprocal."""
    return mul(reciprocal(input), other)

"""Whole numbers near a number, and what is left of it.

Integers are returned as they are, in memory of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad import _dtype
from gpugrad.formulas import Function
from gpugrad.op import pointwise, public, selecting
from gpugrad.op.forms import Selected

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _unordered(name: str) -> NotImplementedError:
    return NotImplementedError(f"{name} is not supported for complex inputs")


@public(inplace="values function", out=True)
@pointwise(
    "ceil(x)",
    "CeilBackward0",
    "number",
    native=Function("ceil({})", "gpugrad::ceil({})"),
    refused={_dtype.COMPLEX: _unordered("ceil")},
    kernel="ceil_vml_{}",
)
def ceil(g):
    """Return the least whole number that is not below input; the gradient is 0."""
    return 0


@public(inplace="values function", out=True)
@pointwise(
    "floor(x)",
    "FloorBackward0",
    "number",
    native=Function("floor({})", "gpugrad::floor({})"),
    refused={_dtype.COMPLEX: _unordered("floor")},
    kernel="floor_vml_{}",
)
def floor(g):
    """Return the largest whole number that is not above input; the gradient is 0."""
    return 0


@public(inplace="values function", out=True, names="fix")
@pointwise(
    "trunc(x)",
    "TruncBackward0",
    "number",
    native=Function("trunc({})", "gpugrad::trunc({})"),
    refused={_dtype.COMPLEX: _unordered("trunc")},
    kernel="trunc_vml_{}",
)
def trunc(g):
    """Return the whole part of input, cut towards 0; the gradient is 0."""
    return 0


@public(inplace="values function", out=True)
@pointwise("x - trunc(x)", "FracBackward0", "floating", host="frac({})")
def frac(g):
    """Return what :func:`trunc` cuts off, with the sign of input."""
    return g


@pointwise(
    "rint(x)",
    "RoundBackward0",
    "number",
    native=Function("rint({})", "gpugrad::rint({})"),
    function="round",
    kernel="round_vml_{}",
)
def rint(g):
    return 0


@pointwise(
    "rint(x * power) / power",
    "RoundBackward1",
    "floating",
    function="round",
    parameters=("input", "power"),
)
def nearest_part(g):
    return 0, None


@pointwise(
    "rint(x / power) * power",
    "RoundBackward1",
    "floating",
    function="round",
    parameters=("input", "power"),
)
def nearest_multiple(g):
    return 0, None


@public(inplace="values function", out=True, names="special.round")
@selecting
def round(input: Tensor, *, decimals: int = 0) -> Selected:
    """Return the nearest number of so many decimals, of two that are as near the even one.

    The gradient is 0.  Where input times 10 to the power ``decimals`` overflows, the result is
    infinite.

    Args:
        input: Floating point, or integers where ``decimals`` is 0.
        decimals: Negative to round to tens, hundreds, and so on.
    """
    if decimals == 0:
        return rint, (input,)
    return (nearest_part if decimals > 0 else nearest_multiple), (input, 10.0 ** abs(decimals))

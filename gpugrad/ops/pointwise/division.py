"""Quotients, and what division leaves.

A division of integers by 0 is an error on the CPU, as in PyTorch; on a GPU nobody notices it, and
the result is any number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad.formulas import Function
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


@pointwise(
    "quotient(x, y)",
    "DivBackward2",
    "number",
    native=Function("floor_divide({}, {})", "gpugrad::floor_divide({}, {})"),
    function="div",
    kernel="div_floor_{}",
)
def quotient(g):
    return 0, 0


@pointwise(
    "cut_quotient(x, y)",
    "DivBackward2",
    "number",
    native=Function("trunc_divide({}, {})", "gpugrad::trunc_divide({}, {})"),
    function="div",
    kernel="div_trunc_{}",
)
def cut_quotient(g):
    return 0, 0


_MODES = {None: true_divide, "floor": quotient, "trunc": cut_quotient}


@public(
    inplace="values",
    out=True,
    names="divide true_divide",
    operators="__truediv__",
    formula=true_divide,
)
@selecting
def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Selected:
    """Return input / other, rounded as is asked for.

    Args:
        input: The dividend.
        other: The divisor.
        rounding_mode: ``None``, true division: 0 as divisor gives inf or nan, integers give the
            default floating point type; ``"floor"``, downwards; or ``"trunc"``, towards 0.  The
            gradients of a rounded quotient are 0.
    """
    if rounding_mode not in _MODES:
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"'{rounding_mode}'"
        )
    return _MODES[rounding_mode], (input, other)


@public(inplace="values", out=True, operators="__floordiv__", reflected="__rfloordiv__")
@pointwise(
    "quotient(x, y)",
    "torch::autograd::NotImplemented",
    "number",
    kernel="div_floor_{}",
    derivable=False,
)
def floor_divide():
    """Return input / other rounded downwards; it has no derivative, as in PyTorch."""


def _of_rest(g: Any, whole: Any) -> tuple[Any, Any]:
    """Return the gradients of x - y * whole, in which the whole quotient is constant."""
    return g, -g * whole


@public(inplace="values", out=True, operators="__mod__", reflected="__rmod__")
@pointwise(
    "remainder(x, y)",
    "RemainderBackward1",
    "number",
    native=Function("remainder({}, {})", "gpugrad::remainder({}, {})"),
    numbered={1: "RemainderBackward0"},
    needs_tensor=True,
)
def remainder(g, x, y):
    """Return input - other * floor(input / other), which has the sign of other."""
    return _of_rest(g, quotient(x, y))


@pointwise(
    "modulo(x, y)",
    "RemainderBackward1",
    "number",
    native=Function("modulo({}, {})", "gpugrad::modulo({}, {})"),
    numbered={1: "RemainderBackward0"},
    needs_tensor=True,
)
def modulo(g, x, y):
    """Return the remainder of which a 0 has the sign of y, as NumPy's and Python's has."""
    return _of_rest(g, quotient(x, y))


@public(inplace="values", out=True, tensors="input")
@pointwise(
    "fmod(x, y)",
    "FmodBackward1",
    "number",
    native=Function("fmod({}, {})", "gpugrad::fmod({}, {})"),
    numbered={1: "FmodBackward0"},
)
def fmod(g, x, y):
    """Return input - other * trunc(input / other), which has the sign of input."""
    return _of_rest(g, cut_quotient(x, y))


@public(inplace="values function", out=True)
@pointwise("1 / x", "ReciprocalBackward0", "float")
def reciprocal(g, out):
    """Return 1 / input."""
    return g * -(out * out)


@public(function=False, method=False, operators="__rtruediv__ __rdiv__")
def rdiv(input: Tensor, other: Operand) -> Tensor:
    """Return other / input, as PyTorch computes it: other times the reciprocal."""
    return mul(input.reciprocal(), other)

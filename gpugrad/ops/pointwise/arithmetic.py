"""Sums, differences and products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad import _dtype
from gpugrad.graph import TensorBase
from gpugrad.op import as_operand, pointwise, public, result_type, selecting
from gpugrad.op.forms import Selected
from gpugrad.op.number import checked_number
from gpugrad.ops.pointwise.operand import Number, Operand, is_bool

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@pointwise("x + y", "AddBackward0", function="add")
def plus(g, x, y):
    return g, g


@pointwise("x - y", "SubBackward0", function="sub")
def minus(g, x, y):
    return g, -g


@pointwise("x + y * alpha", "AddBackward0", function="add", parameters=("input", "other", "alpha"))
def plus_scaled(g, x, y, alpha):
    return g, g * alpha, None


@pointwise("x - y * alpha", "SubBackward0", function="sub", parameters=("input", "other", "alpha"))
def minus_scaled(g, x, y, alpha):
    return g, -g * alpha, None


@pointwise("x - y", "RsubBackward1", function="rsub", leading=1)
def minus_reflected():
    """Return input - other, where the first is a number and the second was asked to subtract."""


def factor(input: Operand, other: Operand, alpha: Number) -> Number:
    """Return ``alpha`` as a number that multiplies operands without changing their type.

    Raises:
        RuntimeError: It is of a higher category than they are.
    """
    kind = result_type([as_operand("add", "input", 0, input), as_operand("add", "other", 1, other)])
    if isinstance(alpha, bool) and kind.category != _dtype.BOOL:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and kind.category < _dtype.FLOAT:
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if isinstance(alpha, complex) and kind.category < _dtype.COMPLEX:
        raise RuntimeError(
            "For non-complex input tensors, argument alpha must not be a complex number."
        )
    return checked_number(alpha, kind)


@public(inplace="values", out=True, operators="__add__ __radd__", formula=plus)
@selecting
def add(input: Operand, other: Operand, *, alpha: Number = 1) -> Selected:
    """Return input + alpha * other."""
    if alpha == 1 and alpha is not True:
        return plus, (input, other)
    return plus_scaled, (input, other, factor(input, other, alpha))


_INVERT = "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."


def check_difference(input: Operand, other: Operand) -> None:
    """Raise where a bool would be subtracted, or subtracted from.

    Raises:
        RuntimeError: It would.
    """
    first, second = is_bool(input), is_bool(other)
    if not (first or second or isinstance(input, bool) or isinstance(other, bool)):
        return
    if (first or isinstance(input, bool)) and (second or isinstance(other, bool)):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    raise RuntimeError(
        f"Subtraction, the `-` operator, with a bool tensor is not supported. {_INVERT}"
    )


@public(inplace="values", out=True, names="subtract", operators="__sub__", formula=minus)
@selecting
def sub(input: Operand, other: Operand, *, alpha: Number = 1) -> Selected:
    """Return input - alpha * other.

    Raises:
        RuntimeError: One is bool.
    """
    check_difference(input, other)
    if alpha == 1 and alpha is not True:
        return minus, (input, other)
    return minus_scaled, (input, other, factor(input, other, alpha))


@public(method=False, operators="__rsub__")
def rsub(input: Tensor, other: Operand, *, alpha: Number = 1) -> Tensor:
    """Return other - alpha * input."""
    if isinstance(other, TensorBase) or alpha != 1 or alpha is True:
        return sub(other, input, alpha=alpha)
    check_difference(other, input)
    return minus_reflected(other, input)


@public(inplace="values", out=True, names="multiply", operators="__mul__ __rmul__")
@pointwise("x * y", "MulBackward0")
def mul(g, x, y):
    """Return input * other."""
    return g * y, g * x


@pointwise("-x", "NegBackward0", function="neg")
def negative(g, x):
    return -g


@public(
    inplace="values function", out=True, names="negative", operators="__neg__", formula=negative
)
@selecting
def neg(input: Tensor) -> Selected:
    """Return -input.

    Raises:
        RuntimeError: ``input`` is bool.
    """
    if is_bool(input):
        raise RuntimeError(
            f"Negation, the `-` operator, on a bool tensor is not supported. {_INVERT}"
        )
    return negative, (input,)


@public(operators="__pos__")
def positive(input: Tensor) -> Tensor:
    """Return input itself.

    Raises:
        RuntimeError: ``input`` is bool.
    """
    if is_bool(input):
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input

"""Operations on the bits of integers and on bools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.formulas import Function
from gpugrad.op import pointwise, public

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(inplace="values", out=True, operators="__and__ __rand__")
@pointwise("bitand(x, y)", promotion="integer", needs_tensor=True)
def bitwise_and():
    """Return input & other, of bools or integers."""


@public(inplace="values", out=True, operators="__or__ __ror__")
@pointwise("bitor(x, y)", promotion="integer", needs_tensor=True)
def bitwise_or():
    """Return input | other, of bools or integers."""


@public(inplace="values", out=True, operators="__xor__ __rxor__")
@pointwise("bitxor(x, y)", promotion="integer", needs_tensor=True)
def bitwise_xor():
    """Return input ^ other, of bools or integers."""


@public(inplace="values", out=True)
@pointwise("bitnot(x)", promotion="integer")
def bitwise_not():
    """Return ~input, of bools or integers."""


@public(function=False, method=False, operators="__invert__")
def invert(input: Tensor) -> Tensor:
    """Return ~input, of bools or integers.

    Raises:
        TypeError: ``input`` is of another type.
    """
    if input._array.dtype.kind not in "biu":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return bitwise_not(input)


@public(inplace="values", out=True, operators="__lshift__", reflected="__rlshift__")
@pointwise(
    "shifted_left(x, y)",
    promotion="whole",
    native=Function("left_shift({}, {})", "gpugrad::left_shift({}, {})"),
    kernel="lshift_{}",
    needs_tensor=True,
)
def bitwise_left_shift():
    """Return the bits of integers moved up by other places: 0 by a negative or too large number."""


@public(inplace="values", out=True, operators="__rshift__", reflected="__rrshift__")
@pointwise(
    "shifted_right(x, y)",
    promotion="whole",
    native=Function("right_shift({}, {})", "gpugrad::right_shift({}, {})"),
    kernel="rshift_{}",
    needs_tensor=True,
)
def bitwise_right_shift():
    """Return the bits of integers moved down by other places, the sign kept.

    By a negative or too large number it is 0, or -1 for a negative integer.
    """


@public(inplace="values function", out=True, tensors="input other")
@pointwise("gcd(x, y)", promotion="whole", native=Function("gcd({}, {})", "gpugrad::gcd({}, {})"))
def gcd():
    """Return the greatest common divisor, at least 0; that of 0 and 0 is 0."""


@public(inplace="values function", out=True, tensors="input other")
@pointwise("lcm(x, y)", promotion="whole", native=Function("lcm({}, {})", "gpugrad::lcm({}, {})"))
def lcm():
    """Return the least common multiple, at least 0."""

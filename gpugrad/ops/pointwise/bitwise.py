"""Operations on the bits of integers and on bools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.op import pointwise, public

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(inplace="values", out=True, operators="__and__ __rand__")
@pointwise("bitand(x, y)", promotion="integer")
def bitwise_and():
    """Return input & other, of bools or integers."""


@public(inplace="values", out=True, operators="__or__ __ror__")
@pointwise("bitor(x, y)", promotion="integer")
def bitwise_or():
    """Return input | other, of bools or integers."""


@public(inplace="values", out=True, operators="__xor__ __rxor__")
@pointwise("bitxor(x, y)", promotion="integer")
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

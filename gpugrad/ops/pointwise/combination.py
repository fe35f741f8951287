"""Combinations of three operands: a weighted mean, and what is added to a product or quotient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype
from gpugrad.formulas import FUNCTIONS, Function, call
from gpugrad.graph import TensorBase
from gpugrad.op import pointwise, public, result_type, selecting
from gpugrad.op.forms import Selected
from gpugrad.op.number import checked_number
from gpugrad.ops.pointwise.operand import Number

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

_ENDS = ("input", "end", "weight")
_THREE = ("input", "tensor1", "tensor2")
_FOUR = ("input", "value", "tensor1", "tensor2")


# --------------------------------------------------------------------------- means


def _mean(x: Any, y: Any, weight: Any) -> Any:
    # from the nearer end, so that it is reached exactly
    way = y - x
    return call("where", call("abs", weight) < 0.5, x + weight * way, y - way * (1 - weight))


FUNCTIONS["mean"] = Function(definition=_mean)


@pointwise("mean(x, y, weight)", "LerpBackward1", function="lerp", parameters=_ENDS)
def lerp_by_tensor(g, x, y, weight):
    return g * (1 - weight), g * weight, g * (y - x)


# Of a number it is known which end is nearer.
@pointwise(
    "x + weight * (y - x)",
    "LerpBackward0",
    function="lerp",
    parameters=("input", "weight", "end"),
    host="lerp({}, {}, {})",
)
def lerp_from_input(g, weight):
    return g * (1 - weight), None, g * weight


@pointwise("(x - y) * (1 - weight) + y", "LerpBackward0", function="lerp", parameters=_ENDS)
def lerp_from_end(g, weight):
    return g * (1 - weight), g * weight, None


@public(inplace="values", out=True)
@selecting
def lerp(input: Tensor, end: Tensor, weight: Any) -> Selected:
    """Return input + weight * (end - input), which is end itself where the weight is 1.

    Args:
        input: Where the weight is 0; floating point or complex.
        end: Of the same type.
        weight: A number, or a tensor of the same type.

    Raises:
        RuntimeError: The types differ.
    """
    wanted = _dtype.of(input._array.dtype)
    for name, value in (("end", end), ("weight", weight)):
        if isinstance(value, TensorBase) and value._array.dtype != input._array.dtype:
            found = _dtype.of(value._array.dtype)
            raise RuntimeError(
                f"expected dtype {wanted.c_name} for `{name}` but got dtype {found.c_name}"
            )
    if wanted.category < _dtype.FLOAT:
        kernel = "lerp_kernel_tensor" if isinstance(weight, TensorBase) else "lerp_kernel_scalar"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{wanted.title}'")
    if isinstance(weight, TensorBase):
        return lerp_by_tensor, (input, end, weight)
    if abs(checked_number(weight, wanted)) < 0.5:
        return lerp_from_input, (input, weight, end)
    return lerp_from_end, (input, end, weight)


# --------------------------------------------------------------------------- sums


@pointwise(
    "x + y * z",
    "AddcmulBackward0",
    "numeric",
    function="addcmul",
    parameters=_THREE,
    kernel="addcmul_{}_out",
)
def with_product(g, y, z):
    return g, g * z, g * y


@pointwise(
    "x + value * y * z",
    "AddcmulBackward0",
    "numeric",
    function="addcmul",
    parameters=_FOUR,
    kernel="addcmul_{}_out",
)
def with_scaled_product(g, value, y, z):
    return g, None, g * (z * value), g * (y * value)


@pointwise("x + y / z", "AddcdivBackward0", function="addcdiv", parameters=_THREE)
def with_quotient(g, y, z):
    return g, g / z, -g * (y / (z * z))


@pointwise("x + value * y / z", "AddcdivBackward0", function="addcdiv", parameters=_FOUR)
def with_scaled_quotient(g, value, y, z):
    return g, None, g * (value / z), -g * (value * y / (z * z))


def _scaled(operands: tuple[Any, ...], value: Number, one: Any, any_: Any) -> Selected:
    """Return a formula and its operands; without a factor where that is 1."""
    if value == 1 and value is not True:
        return one, operands
    first, *others = operands
    return any_, (first, checked_number(value, result_type(operands)), *others)


@public(inplace="values", out=True)
@selecting
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Selected:
    """Return input + value * tensor1 * tensor2."""
    return _scaled((input, tensor1, tensor2), value, with_product, with_scaled_product)


@public(inplace="values", out=True)
@selecting
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Selected:
    """Return input + value * tensor1 / tensor2.

    Raises:
        RuntimeError: Both tensors are of integers.
    """
    if all(t._array.dtype.kind in "biu" for t in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release "
            "addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv "
            "behavior can be implemented as (input + value * gpugrad.trunc(tensor1 / tensor2))"
            ".to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for "
            "float inputs. The future addcdiv behavior is just the latter implementation: "
            "(input + value * tensor1 / tensor2), for all dtypes."
        )
    return _scaled((input, tensor1, tensor2), value, with_quotient, with_scaled_quotient)

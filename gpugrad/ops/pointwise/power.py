"""Powers and roots."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype
from gpugrad._dtype import INEXACT
from gpugrad.formulas import Expression, Formula, Function
from gpugrad.graph import TensorBase
from gpugrad.op import OPS, Pointwise, cast, function_of, pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.op.generated.pointwise import NONE
from gpugrad.op.promotion import is_operand
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq, ge
from gpugrad.ops.pointwise.exponential import log
from gpugrad.ops.pointwise.logical import both
from gpugrad.ops.pointwise.operand import Number, Operand, check_held, is_bool

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(inplace="values function", out=True)
@pointwise("sqrt(x)", "SqrtBackward0", "float")
def sqrt(g, out):
    """Return the square root, nan below 0; the gradient at 0 is inf."""
    return g / (2 * out)


@public(inplace="values function", out=True)
@pointwise("rsqrt(x)", "RsqrtBackward0", "float")
def rsqrt(g, out):
    """Return 1 / sqrt(input)."""
    return -0.5 * g * out**3


@pointwise("cbrt(x)", "CbrtBackward0", "real", native=Function("cbrt({})", "cbrt({})"))
def cbrt(g, out):
    """Return the cube root, of negative numbers, too; the gradient at 0 is inf."""
    return g / (3 * out * out)


@pointwise(
    "pow(x, y)",
    "PowBackward1",
    "numeric",
    function="pow",
    parameters=("input", "exponent"),
    kernel="pow",
    needs_tensor=True,
)
def power(g, x, y, out):
    # as PyTorch: the base gets 0 where y == 0, the exponent gets 0 where x == 0 <= y
    return (
        where(eq(y, 0), 0, g * (y * x ** (y - 1))),
        where(both(eq(x, 0), ge(y, 0)), 0, g * (out * log(x))),
    )


@pointwise(
    "pow(x, y)",
    "PowBackward2",
    "numeric",
    function="pow",
    parameters=("input", "exponent"),
    kernel="pow",
    leading=1,
)
def power_of_number(g, x, y, out):
    # the base is a number and has no gradient; what g is multiplied by is 0 where that is
    zero = both(eq(x, 0), ge(y, 0))
    return 0, where(zero, 0, g * where(zero, 0, out * log(x)))


# Exponents that multiplications and roots compute; each is a formula of its own.
_EXPONENTS = (0, 1, 2, 3, 0.5, -0.5, -1, -2)


_POWERS: dict[Number, Any] = {}


_PLAIN = frozenset({int, float})


_to_number = function_of(
    Pointwise("PowBackward0", "pow", OPS["power"].build, "default", OPS["power"].parameters)
)


@public(
    inplace="values",
    out=True,
    operators="__pow__",
    reflected="__rpow__",
    formula=power,
    numbers=NONE,
)
@selecting
def pow(input: Operand, exponent: Operand) -> Selected:
    """Return input to the power exponent, either of which may be a number.

    The gradient of the base is 0 where the exponent is 0, that of the exponent is 0 where the base
    is 0 and the exponent is not negative, and nan where the base is negative.

    Raises:
        RuntimeError: An integer tensor to a negative whole number.
    """
    if exponent.__class__ in _PLAIN and isinstance(input, TensorBase):
        function: Any = _POWERS.get(exponent)  # type: ignore[call-overload]
        if function is not None and input._array.dtype.kind in INEXACT:
            return function, (input,)
    if isinstance(input, Expression) or isinstance(exponent, Expression):
        return power, (input, exponent)
    if not is_operand(exponent, numbers=False):
        if not is_operand(input, numbers=False):
            return power, (input, exponent)  # an error
        return _pow_number(input, exponent)
    return power if isinstance(input, TensorBase) else power_of_number, (input, exponent)


@public(inplace="values function", out=True)
@selecting
def square(input: Tensor) -> Selected:
    """Return input to the power 2."""
    return _pow_number(input, 2)


def _pow_number(input: Tensor, exponent: Number) -> Selected:
    if isinstance(input, TensorBase) and input._array.dtype.kind in "biu":
        if isinstance(exponent, int) and exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if isinstance(exponent, float):
            input = cast(input, dtype=_dtype.get_default_dtype().numpy)
        elif is_bool(input) and type(exponent) is int:
            input = cast(input, dtype=_dtype.int64.numpy)
        elif isinstance(exponent, int):
            check_held((exponent,), (input,))
    if exponent not in _EXPONENTS or isinstance(exponent, complex | bool):
        return _to_number, (input, exponent)
    function = _POWERS.get(exponent)
    if function is None:

        def build(kind: str) -> Formula:
            return OPS["power"].build(kind).bound(1, _exact(exponent))

        op = Pointwise("PowBackward0", "pow", build, "default")
        op.constants = {"_saved_exponent": _exact(exponent)}
        function = _POWERS[exponent] = function_of(op)
    return function, (input,)


def _exact(exponent: Any) -> Any:
    return int(exponent) if exponent % 1 == 0 else exponent


@functools.cache
def _bound(name: str, exponent: float) -> Formula:
    formula = OPS[name].formula
    return formula.bound(len(formula.inputs) - 1, _exact(exponent))


def with_exponent(name: str, exponent: float) -> tuple[Formula, tuple[float, ...]]:
    """Return a formula whose last input is an exponent, and what stands for that among operands.

    An exponent that multiplications or roots compute becomes a part of the formula.  There are few
    of these: nothing is compiled for any other, or kept.
    """
    if exponent in _EXPONENTS:
        return _bound(name, exponent), ()
    return OPS[name].formula, (exponent,)


def widest(*operands: Operand) -> np.dtype[Any]:
    """Return the type of double precision, real or complex, that operands have room in."""
    kinds = [o._array.dtype.kind if isinstance(o, TensorBase) else type(o) for o in operands]
    return (_dtype.complex128 if {"c", complex} & {*kinds} else _dtype.float64).numpy


@public(out=True)
@selecting
def float_power(input: Operand, exponent: Operand) -> Selected:
    """Return input to the power exponent, computed in double precision, real or complex."""
    kind = widest(input, exponent)
    operands = (input, exponent)
    wide = [cast(o, dtype=kind) if isinstance(o, TensorBase) else o for o in operands]
    return pow.choose(*wide)

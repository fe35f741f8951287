"""Elementwise operations: each is a formula, and everything else follows from it.

Operands are tensors, arrays or Python numbers; they broadcast and are promoted as in PyTorch.
Inside a rule the same functions build expressions.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend, errors
from gpugrad.formula import COMPLEX, TORCH, Expression, Formula, Function, call
from gpugrad.graph import TensorBase, recording
from gpugrad.op import (
    OPS,
    Pointwise,
    as_operand,
    cast,
    function_of,
    pointwise,
    public,
    result_type,
    selecting,
)  # fmt: skip
from gpugrad.op.follower import following
from gpugrad.op.forms import Selected
from gpugrad.op.generated.pointwise import NONE
from gpugrad.op.number import checked_number, half_for
from gpugrad.op.saved import wrap

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Number = bool | int | float | complex
Operand = Any  # a tensor, an array or a Python number


def both(x: Any, y: Any) -> Any:
    """Return, in a formula, the truth of both."""
    return call("both", x, y)


def either(x: Any, y: Any) -> Any:
    """Return, in a formula, the truth of at least one."""
    return call("either", x, y)


# --------------------------------------------------------------------------- arithmetic


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


@pointwise("x - y", "RsubBackward1", function="rsub")
def minus_reflected():
    """Return input - other, where the first is a number and the second was asked to subtract."""


@public(inplace="values", out=True, names="multiply", operators="__mul__ __rmul__")
@pointwise("x * y", "MulBackward0")
def mul(g, x, y):
    """Return input * other."""
    return g * y, g * x


@pointwise("x / y", "DivBackward0", "float", function="div")
def true_divide(g, x, y):
    """Return input / other; integers give the default floating point type."""
    return g / y, -g * ((x / y) / y)


@pointwise("-x", "NegBackward0", function="neg")
def negative(g, x):
    return -g


@public(inplace="values function", out=True, names="absolute", operators="__abs__")
@pointwise("abs(x)", "AbsBackward0")
def abs(g, x):
    """Return the absolute value, real for a complex input; the gradient at 0 is 0."""
    return g * call("sign", x)


@pointwise("conj(x)", "ConjBackward0", function="conj")
def conjugate(g, x):
    return call("conj", g)


@public(out=True)
@pointwise("angle(x)", "AngleBackward0", "float")
def angle(g, x):
    """Return the angle of a complex input in radians, in [-pi, pi]; of a real one 0 or pi.

    The gradient is 0 for a real input, at 0 and, on the CPU, where one part is infinite (there
    PyTorch's is nan).
    """
    if x.kind != COMPLEX:
        return 0
    return where(eq(x, 0), 0, g * 1j / call("conj", x))


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


@public(inplace="values function", out=True)
@pointwise("1 / x", "ReciprocalBackward0", "float")
def reciprocal(g, out):
    """Return 1 / input."""
    return g * -(out * out)


@pointwise("pow(x, y)", "PowBackward1", function="pow", parameters=("input", "exponent"))
def power(g, x, y, out):
    # as PyTorch: the base gets 0 where y == 0, the exponent gets 0 where x == 0 <= y
    return (
        where(eq(y, 0), 0, g * (y * x ** (y - 1))),
        where(both(eq(x, 0), ge(y, 0)), 0, g * (out * log(x))),
    )


# --------------------------------------------------------------------------- comparison, choice


@public(inplace="values", out=True, operators="__eq__")
@pointwise("eq(x, y)", promotion="compare")
def eq():
    """Return where input equals other, as bool."""


@public(inplace="values", out=True, names="not_equal", operators="__ne__")
@pointwise("ne(x, y)", promotion="compare")
def ne():
    """Return where input differs from other, as bool."""


@public(inplace="values", out=True, names="less", operators="__lt__")
@pointwise("x < y", promotion="compare")
def lt():
    """Return where input is less than other, as bool."""


@public(inplace="values", out=True, names="less_equal", operators="__le__")
@pointwise("x <= y", promotion="compare")
def le():
    """Return where input is at most other, as bool."""


@public(inplace="values", out=True, names="greater", operators="__gt__")
@pointwise("x > y", promotion="compare")
def gt():
    """Return where input is greater than other, as bool."""


@public(inplace="values", out=True, names="greater_equal", operators="__ge__")
@pointwise("x >= y", promotion="compare")
def ge():
    """Return where input is at least other, as bool."""


@public(inplace="values", out=True)
@pointwise("both(x, y)", promotion="compare")
def logical_and():
    """Return where both are nonzero, as bool."""


@public(inplace="values", out=True)
@pointwise("either(x, y)", promotion="compare")
def logical_or():
    """Return where at least one is nonzero, as bool."""


@public(inplace="values", out=True)
@pointwise("differ(x, y)", promotion="compare")
def logical_xor():
    """Return where exactly one is nonzero, as bool."""


@public(inplace="values", out=True)
@pointwise("untrue(x)", promotion="compare")
def logical_not():
    """Return where input is zero, as bool."""


@public()
@pointwise("isnan(x)", promotion="compare")
def isnan():
    """Return where input is nan, as bool."""


@public()
@pointwise("isinf(x)", promotion="compare")
def isinf():
    """Return where input is infinite, as bool."""


@public()
@pointwise("eq(imag(x), 0)", promotion="compare")
def isreal():
    """Return where the imaginary part is 0, as bool; everywhere for a real input."""


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


@pointwise(
    "where(condition, x, y)",
    "WhereBackward0",
    kinds={"condition": "bool"},
    function="where",
    parameters=("condition", "input", "other"),
)
def choose(g, condition, x, y):
    return None, where(condition, g, 0), where(condition, 0, g)


@public(out=True)
@pointwise(
    "maximum(x, y)",
    "MaximumBackward0",
    complex_error=RuntimeError("maximum not implemented for complex tensors."),
)
def maximum(g, x, y):
    """Return the larger of the two, nan if either is; a tie shares the gradient in halves."""
    return (
        where(lt(x, y), 0, where(eq(x, y), g / 2, g)),
        where(lt(y, x), 0, where(eq(x, y), g / 2, g)),
    )


@public(out=True)
@pointwise(
    "minimum(x, y)",
    "MinimumBackward0",
    complex_error=RuntimeError("minimum not implemented for complex tensors."),
)
def minimum(g, x, y):
    """Return the smaller of the two, nan if either is; a tie shares the gradient in halves."""
    return (
        where(gt(x, y), 0, where(eq(x, y), g / 2, g)),
        where(gt(y, x), 0, where(eq(x, y), g / 2, g)),
    )


_NO_CLAMP = NotImplementedError("clamp is not supported for complex types")


@pointwise(
    "minimum(maximum(x, low), high)",
    "ClampBackward1",
    complex_error=_NO_CLAMP,
    function="clamp",
    parameters=("input", "min", "max"),
)
def clamp_both(g, x, low, high):
    return (
        where(both(ge(x, low), le(x, high)), g, 0),
        where(both(lt(low, high), lt(x, low)), g, 0),
        where(either(gt(x, high), lt(high, low)), g, 0),
    )


@pointwise(
    "maximum(x, low)",
    "ClampBackward1",
    complex_error=_NO_CLAMP,
    function="clamp",
    parameters=("input", "min"),
)
def clamp_low(g, x, low):
    return where(ge(x, low), g, 0), where(lt(x, low), g, 0)


@pointwise(
    "minimum(x, high)",
    "ClampBackward1",
    complex_error=_NO_CLAMP,
    function="clamp",
    parameters=("input", "max"),
)
def clamp_high(g, x, high):
    return where(le(x, high), g, 0), where(gt(x, high), g, 0)


_CLAMPS_BY_TENSOR: tuple[Any, ...] = tuple(
    Pointwise(
        "ClampBackward0", "clamp", OPS[name].build, "default", OPS[name].parameters, _NO_CLAMP
    )
    for name in ("clamp_low", "clamp_high", "clamp_both")
)


# --------------------------------------------------------------------------- functions


@public(inplace="values function", out=True)
@pointwise("exp(x)", "ExpBackward0", "float")
def exp(g, out):
    """Return e to the power input."""
    return g * out


@public(inplace="values function", out=True)
@pointwise("log(x)", "LogBackward0", "float")
def log(g, x):
    """Return the natural logarithm: -inf at 0, nan below; the gradient is 1 / input everywhere."""
    return g / x


@public(inplace="values function", out=True, names="special.log1p")
@pointwise("log1p(x)", "Log1PBackward0", "float")
def log1p(g, x):
    """Return log(1 + input), accurate near 0."""
    return g / (x + 1)


@public(inplace="values function", out=True, names="special.expm1")
@pointwise(
    "expm1(x)",
    "Expm1Backward0",
    "float",
    native=Function("expm1({})", "expm1({})", cuda_complex="gpugrad::expm1({})"),
)
def expm1(g, out):
    """Return e to the power input, less 1, accurate near 0."""
    return g * (out + 1)


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


@public(inplace="values", out=True)
@pointwise("hypot(x, y)", "HypotBackward0", "real")
def hypot(g, x, y, out, convention):
    """Return the square root of input**2 + other**2, without overflow.

    The gradients at (0, 0) are nan, and 0 by the convention "math".
    """
    grads = g * (x / out), g * (y / out)
    if convention == TORCH:
        return grads
    return tuple(where(eq(out, 0), 0, grad) for grad in grads)


@public(out=True)
@pointwise(
    "where(eq(x, y), x + 0.6931471805599453, where(ge(real(x), real(y)), x, y)"
    " + log1p(exp(where(ge(real(x), real(y)), y - x, x - y))))",
    "LogaddexpBackward0",
    "float",
)
def logaddexp(g, x, y, convention):
    """Return log(exp(input) + exp(other)), without overflow.

    The gradients where both are the same infinity are nan; by the convention "math" 0 at -inf, and
    a half at inf.
    """
    grads = g * sigmoid(x - y), g * sigmoid(y - x)
    if convention == TORCH:
        return grads
    same = both(eq(x, y), isinf(x))
    return tuple(where(same, where(lt(call("real", x), 0), 0, g / 2), grad) for grad in grads)


@public(inplace="values", out=True, names="arctan2")
@pointwise(
    "atan2(x, y)", "Atan2Backward0", "real", native=Function("arctan2({}, {})", "atan2({}, {})")
)
def atan2(g, x, y):
    """Return the angle of the point (other, input) in radians, in [-pi, pi].

    The gradients at (0, 0) are 0.
    """
    square = x * x + y * y
    return where(eq(square, 0), 0, g * y / square), where(eq(square, 0), 0, g * -x / square)


@public(inplace="values function", out=True)
@pointwise("sin(x)", "SinBackward0", "float")
def sin(g, x):
    """Return the sine of input, in radians."""
    return g * cos(x)


@public(inplace="values function", out=True)
@pointwise("cos(x)", "CosBackward0", "float")
def cos(g, x):
    """Return the cosine of input, in radians."""
    return g * -sin(x)


@public(inplace="values function", out=True)
@pointwise("tan(x)", "TanBackward0", "float")
def tan(g, out):
    """Return the tangent of input, in radians."""
    return g * (1 + out * out)


@public(inplace="values function", out=True)
@pointwise("tanh(x)", "TanhBackward0", "float")
def tanh(g, out):
    """Return the hyperbolic tangent."""
    return g * (1 - out * out)


@public(inplace="values function", out=True, names="special.expit")
@pointwise("1 / (1 + exp(-x))", "SigmoidBackward0", "float")
def sigmoid(g, out):
    """Return 1 / (1 + exp(-input)): 0 and 1 far out, without overflow."""
    return g * (1 - out) * out


@pointwise("log(x / (1 - x))", "LogitBackward0", "real", function="logit")
def logit_formula(g, x):
    outside = either(lt(x, 0), gt(x, 1))
    return where(outside, math.nan, g / (x * (1 - x)))


@pointwise(
    "log(minimum(maximum(x, low), 1 - low) / (1 - minimum(maximum(x, low), 1 - low)))",
    "LogitBackward0",
    "real",
    function="logit",
    parameters=("input", "eps"),
)
def logit_between(g, x, low):
    outside = either(lt(x, low), gt(x, 1 - low))
    return where(outside, 0, g / (x * (1 - x))), None


@public(inplace="values function", out=True, names="special.logit")
@selecting
def logit(input: Tensor, eps: float | None = None) -> Selected:
    """Return log(input / (1 - input)), of numbers in [0, 1]: nan outside, as is the gradient.

    With ``eps`` it is that of input limited to [eps, 1 - eps], and the gradient is 0 outside.
    """
    return (logit_formula, (input,)) if eps is None else (logit_between, (input, float(eps)))


@public(inplace="values function", out=True, names="special.erf")
@pointwise("erf(x)", "ErfBackward0", "real")
def erf(g, x):
    """Return the error function; on the CPU by SciPy where installed, else slowly by ``math``."""
    return g * (2 / math.sqrt(math.pi) * exp(-(x * x)))


@public(inplace="values function")
@pointwise("maximum(x, 0)", "ReluBackward0", complex_error=_NO_CLAMP)
def relu(g, out):
    """Return max(input, 0); the gradient at 0 is 0."""
    return where_positive(out, g)


@pointwise("x * 0.5 * (1 + erf(x * 0.7071067811865476))", "GeluBackward0", "real", function="gelu")
def gelu_exact():
    pass


@pointwise(
    "0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))",
    "GeluBackward0",
    "real",
    function="gelu",
)
def gelu_tanh():
    pass


@pointwise(
    "where(x * beta > threshold, x, log1p(exp(x * beta)) / beta)",
    "SoftplusBackward0",
    "float",
    function="softplus",
    parameters=("input", "beta", "threshold"),
)
def softplus_formula(g, x, beta, threshold):
    # the untaken branch overflows where x is large: choose, never multiply by a mask
    large = gt(x * beta, threshold)
    power = exp(where(large, 0, x * beta))  # and far below, 1 / (1 + 1 / power) would overflow
    return where(large, g, g * (power / (power + 1))), None, None


@pointwise("x * sigmoid(x)", "SiluBackward0", "float", function="silu")
def silu_formula():
    pass


# --------------------------------------------------------------------------- with options


_INVERT = "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."


def _is_bool(operand: Operand) -> bool:
    return isinstance(operand, TensorBase) and operand._array.dtype.kind == "b"


def check_difference(input: Operand, other: Operand) -> None:
    """Raise where a bool would be subtracted, or subtracted from.

    Raises:
        RuntimeError: It would.
    """
    first, second = _is_bool(input), _is_bool(other)
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


def check_held(numbers: Sequence[Any], operands: Sequence[Any], half: str = "c10::Half") -> None:
    """Raise where one of the numbers does not fit the type that the operands promote to.

    Raises:
        RuntimeError: It does not; :func:`checked_number` says what ``half`` is.
    """
    for n in numbers:
        if not isinstance(n, int | float) or 0 <= n <= 127:  # what every type holds
            continue
        given = [o for o in operands if o is not None]
        floating = any(isinstance(o, TensorBase) and o._array.dtype.kind == "f" for o in given)
        if not (floating and -65504 <= n <= 65504):  # what halves hold
            checked_number(n, result_type(given), half)


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
def rsub(input: Operand, other: Operand) -> Tensor:
    """Return other - input."""
    if isinstance(other, TensorBase):
        return sub(other, input)
    check_difference(other, input)
    return minus_reflected(other, input)


@public(
    inplace="values function", out=True, names="negative", operators="__neg__", formula=negative
)
@selecting
def neg(input: Tensor) -> Selected:
    """Return -input.

    Raises:
        RuntimeError: ``input`` is bool.
    """
    if _is_bool(input):
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
    if _is_bool(input):
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


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


@public(function=False, method=False, operators="__rtruediv__")
def rdiv(input: Tensor, other: Operand) -> Tensor:
    """Return other / input, as PyTorch computes it: other times the reciprocal."""
    return mul(reciprocal(input), other)


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
        if function is not None and input._array.dtype.kind in "fc":
            return function, (input,)
    if isinstance(input, Expression) or isinstance(exponent, Expression):
        return power, (input, exponent)
    if not isinstance(exponent, TensorBase) and not backend.is_array(exponent):
        return _pow_number(input, exponent)
    return power if isinstance(input, TensorBase) else power_of_number, (input, exponent)


@public(inplace="values function", out=True)
@selecting
def square(input: Tensor) -> Selected:
    """Return input to the power 2."""
    return _pow_number(input, 2)


@public()
def conj(input: Tensor) -> Tensor:
    """Return a view of the complex conjugate; the tensor itself where it is real.

    Unlike PyTorch's, it has memory of its own, which follows what is written into the tensor, and
    may not be written itself.
    """
    given: Any = input
    if not isinstance(given, TensorBase):  # inside of a rule
        return conjugate(given)
    if given._array.dtype.kind != "c":
        return input
    with recording(True):  # what is known of the conjugate itself says whether it was
        view = input[...]
    return following(conjugate, given, view)


@pointwise("pow(x, y)", "PowBackward2", function="pow", parameters=("input", "exponent"))
def power_of_number():
    pass


# Exponents that multiplications and roots compute; each is a formula of its own.
_EXPONENTS = (0, 1, 2, 3, 0.5, -0.5, -1, -2)
_POWERS: dict[Number, Any] = {}
_PLAIN = frozenset({int, float})


def _pow_number(input: Tensor, exponent: Number) -> Selected:
    if isinstance(input, TensorBase) and input._array.dtype.kind in "biu":
        if isinstance(exponent, int) and exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if isinstance(exponent, float):
            input = cast(input, dtype=_dtype.get_default_dtype().numpy)
        elif _is_bool(input) and type(exponent) is int:
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


_to_number = function_of(
    Pointwise("PowBackward0", "pow", OPS["power"].build, "default", OPS["power"].parameters)
)


@public(out=True)
def where(condition: Any, input: Operand = None, other: Operand = None) -> Any:
    """Return input where condition holds, else other.

    The gradient goes to the one that was taken, and 0 to the other: a nan or inf in the
    *derivative* of what was not taken still reaches it (0 times inf), as in PyTorch.

    Raises:
        RuntimeError: ``condition`` is not bool.
    """
    if any(isinstance(v, Expression) for v in (condition, input, other)):
        return call("where", condition, input, other)
    if not isinstance(condition, TensorBase):
        if not backend.is_array(condition):
            raise errors.must_be_tensor("where", "condition", 1, condition)
        condition = wrap(condition)
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition._array.dtype.kind != "b":
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{_dtype.of(condition._array.dtype).title}"
        )
    check_held((input, other), (input, other), half=half_for(()))
    return choose(condition, input, other)


@public(inplace="values function", out=True, names="clip")
@selecting
def clamp(input: Tensor, min: Operand = None, max: Operand = None) -> Selected:
    """Return input limited to [min, max], numbers or tensors; where min > max the result is max.

    The gradient of input is 1 inside, bounds included, and 0 outside and at nan.

    Raises:
        RuntimeError: Neither bound is given.
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    check_held((min, max), (input, min, max))
    by_tensor = isinstance(min, TensorBase) or isinstance(max, TensorBase)
    by_number = (clamp_low, clamp_high, clamp_both)
    low, high, both_ = _CLAMPS_BY_TENSOR if by_tensor else by_number
    if max is None:
        return low, (input, min)
    return (high, (input, max)) if min is None else (both_, (input, min, max))


@public(method=False)
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return input times the normal distribution function of input.

    Args:
        input: Floating point.
        approximate: "none" (by the error function) or "tanh".

    Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return (gelu_exact if approximate == "none" else gelu_tanh)(input)


@public(method=False)
def silu(input: Tensor) -> Tensor:
    """Return input * sigmoid(input)."""
    return silu_formula(input)


@public(method=False)
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + exp(beta * input)) / beta, and input itself where beta * input > threshold."""
    return softplus_formula(input, float(beta), float(threshold))


# --------------------------------------------------------------------------- parts of others


# As in PyTorch the derivatives of these two are 0 by some of their operands, and not nothing: with
# ``create_graph`` a gradient that is made of them requires grad.
@pointwise("where(le(level, 0), 0, x)", "ThresholdBackwardBackward0")
def where_positive(g, level, x):
    return 0, where_positive(level, g)


@pointwise("where(isnan(x), x, 1)", "MulBackward0")
def one_for(g, x):
    return 0


@pointwise("chained(x, y)", "MulBackward0")
def chained(g, x, y):
    """Return input * other, 0 where one of them is 0, whatever the other is."""
    return chained(g, y), chained(g, x)


@pointwise(
    "where(finite, chained(x, y), x * y)",
    "MulBackward0",
    kinds={"finite": "bool"},
    parameters=("finite", "input", "other"),
)
def product_in(g, finite, x, y):
    """Return input * other; in a product of finite numbers, of which they are parts, 0 wins."""
    return None, product_in(finite, g, y), product_in(finite, g, x)


@pointwise("eq(x * 0, 0)", promotion="compare")
def is_finite():
    """Return where input is neither infinite nor nan, as bool."""


@pointwise("real((x - y) * conj(x - y))")
def squared_distance():
    pass


@pointwise("real(x)")
def real_part(g, x):
    return g


@pointwise("imag(x)")
def imaginary_part(g, x):
    return g * 1j  # in this order: a Python complex times numpy.float64 is a Python complex


@pointwise("x * cos(y)", promotion="float")
def polar_real():
    pass


@pointwise("x * sin(y)", promotion="float")
def polar_imaginary():
    pass


# The product comes last: slope / size may be out of range where slope times the direction is not.
@pointwise("where(eq(size, 0), 0, slope) * where(eq(size, 0), 0, x / size)", "MulBackward0")
def along():
    """Return slope times the direction x / size, 0 where size is 0.

    There its derivative by slope is 0, those by size and x are nan, and its tangents are 0; by
    "math" all are 0.
    """


@pointwise("where(eq(size, 0), 0, slope) * (x / where(eq(size, 0), 1, size))", "MulBackward0")
def along_or_flat():
    """Return slope times the direction x / size, 0 where size is 0, and so are all derivatives."""


@pointwise("binade(x)", promotion="real")
def binade():
    """Return the power of two that is at most input, a positive number, but no subnormal one.

    That of 0 is 1, and that of inf the largest.
    """


# Numbers are divided by the largest, or by the power of two next to it, which rounds nothing, where
# their powers might leave the range of their type.


@pointwise(
    "pow(x / where(either(eq(size, 0), isinf(size)), 1, size), y)",
    promotion="float",
    kinds={"size": "real"},
)
def reduced_power():
    pass


@pointwise(
    "where(either(eq(size, 0), isinf(size)), 1, size) * pow(x, y)",
    promotion="float",
    kinds={"size": "real"},
)
def enlarged_power():
    pass


@pointwise("x / binade(size)", promotion="float", kinds={"size": "real"})
def reduced():
    pass


@pointwise("x / degrees * binade(size) * binade(size)", promotion="float", kinds={"size": "real"})
def enlarged_variance():
    pass


@pointwise("sqrt(x / degrees) * binade(size)", promotion="float", kinds={"size": "real"})
def enlarged_deviation():
    pass


@pointwise("sqrt(x / degrees)", promotion="float")
def deviation():
    pass


@pointwise(
    "exp(x - where(isinf(largest), 0, largest))",
    promotion="float",
    kinds={"largest": "real"},
    parameters=("input", "largest"),
)
def exp_below():
    pass


@pointwise(
    "log(x) + where(isinf(largest), 0, largest)",
    promotion="float",
    kinds={"largest": "real"},
    parameters=("input", "largest"),
)
def log_above():
    pass


@pointwise(
    "size * conj(exp(x - y))", "MulBackward0", "float", parameters=("size", "input", "other")
)
def sized_exp_difference():
    pass


@pointwise("where(eq(x, 0), 0, 1)")
def nonzero_as_one():
    pass

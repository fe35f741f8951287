"""Exponential functions, and logarithms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gpugrad.formulas import FUNCTIONS, TORCH, Function, call
from gpugrad.op import pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq, gt, isinf, le, lt
from gpugrad.ops.pointwise.logical import both, either

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(inplace="values function", out=True)
@pointwise("exp(x)", "ExpBackward0", "float")
def exp(g, out):
    """Return e to the power input."""
    return g * out


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
@pointwise("log(x)", "LogBackward0", "float")
def log(g, x):
    """Return the natural logarithm: -inf at 0, nan below; the gradient is 1 / input everywhere."""
    return g / x


@public(inplace="values function", out=True, names="special.log1p")
@pointwise("log1p(x)", "Log1PBackward0", "float")
def log1p(g, x):
    """Return log(1 + input), accurate near 0."""
    return g / (x + 1)


@public(inplace="values function", out=True, names="special.expit")
@pointwise("1 / (1 + exp(-x))", "SigmoidBackward0", "float", host="sigmoid({})")
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


_LN2, _LN10 = math.log(2), math.log(10)


@public(inplace="values function", out=True, names="special.exp2")
@pointwise(
    "exp2(x)",
    "Exp2Backward0",
    "float",
    native=Function("exp2({})", "exp2({})", cuda_complex="gpugrad::exp2({})"),
)
def exp2(g, out):
    """Return 2 to the power input."""
    return g * out * _LN2


@public(inplace="values function", out=True)
@pointwise(
    "log2(x)",
    "Log2Backward0",
    "float",
    native=Function("log2({})", "log2({})", cuda_complex="gpugrad::log2({})"),
)
def log2(g, x):
    """Return the logarithm to base 2: -inf at 0, nan below."""
    return g / (x * _LN2)


@public(inplace="values function", out=True)
@pointwise("log10(x)", "Log10Backward0", "float", native=Function("log10({})", "log10({})"))
def log10(g, x):
    """Return the logarithm to base 10: -inf at 0, nan below."""
    return g / (x * _LN10)


@public(out=True, tensors="input other")
@pointwise(
    "where(eq(x, y), x + 0.6931471805599453, where(ge(real(x), real(y)), x, y)"
    " + log1p(exp(where(ge(real(x), real(y)), y - x, x - y))))",
    "LogaddexpBackward0",
    "inexact",
    host="logaddexp({}, {})",
)
def logaddexp(g, x, y, convention):
    """Return log(exp(input) + exp(other)), without overflow.

    The gradients where both are the same infinity are nan; by the convention "math" 0 at -inf, and
    a half at inf.
    """
    return _shares(g, x, y, convention, g * sigmoid(x - y), g * sigmoid(y - x))


@public(out=True, tensors="input other")
@pointwise(
    "where(eq(x, y), x + 1, maximum(x, y) + log1p(exp2(-abs(x - y))) * 1.4426950408889634)",
    "Logaddexp2Backward0",
    "floating",
    host="logaddexp2({}, {})",
)
def logaddexp2(g, x, y, convention):
    """Return log2(2**input + 2**other), without overflow.

    The gradients where both are the same infinity are those of :func:`logaddexp`.
    """
    return _shares(g, x, y, convention, g / (1 + exp2(y - x)), g / (1 + exp2(x - y)))


def _shares(g: Any, x: Any, y: Any, convention: str, *grads: Any) -> tuple[Any, ...]:
    """Return the gradients of the logarithm of a sum of powers; "math" changes them at infinity."""
    if convention == TORCH:
        return grads
    same = both(eq(x, y), isinf(x))
    return tuple(where(same, where(lt(call("real", x), 0), 0, g / 2), grad) for grad in grads)


def _xlogy(x: Any, y: Any) -> Any:
    product = where(eq(x, 0), 0, x * log(y))
    return where(call("isnan", y), y, product)


FUNCTIONS["xlogy"] = Function(definition=_xlogy)


@public(inplace="values function", out=True, names="special.xlogy")
@pointwise(
    "xlogy(x, y)",
    "XlogyBackward0",
    "real",
    numbered={0: "XlogyBackward1", 1: "XlogyBackward2"},
    needs_tensor=True,
)
def xlogy(g, x, y):
    """Return input * log(other), 0 where input is 0, whatever other is, and nan where other is.

    The gradient of input is 0 where input is 0 and other is 0 or below.
    """
    return where(both(eq(x, 0), le(y, 0)), 0, call("xlogy", g, y)), g * x / y

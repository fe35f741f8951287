"""Floating point numbers as they are stored: fractions, exponents, and neighbours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype
from gpugrad.formulas import FUNCTIONS, REAL, Formula, Function, call, variable
from gpugrad.op import Elementwise, pointwise, public, result_type, selecting
from gpugrad.op.forms import Selected
from gpugrad.op.results import results
from gpugrad.op.saved import up_to_date
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq, isnan, lt, ne
from gpugrad.ops.pointwise.exponential import exp2
from gpugrad.ops.pointwise.logical import either
from gpugrad.ops.pointwise.rounding import floor as floor  # which a formula names

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@pointwise("x * exp2(y)", "LdexpBackward0", "float", function="ldexp")
def times_power_of_two(g, x, y, out):
    return g * exp2(y), g * out * math.log(2)


# By two factors, which are in range where the result is.
@pointwise(
    "where(either(eq(x, 0), isinf(x)), x, x * exp2(floor(y / 2)) * exp2(y - floor(y / 2)))",
    "LdexpBackward0",
    "float",
    function="ldexp",
)
def moved_by_exponent(g, x, y):
    return g * exp2(y), None


@public(inplace="values function", out=True, tensors="input other")
@selecting
def ldexp(input: Tensor, other: Tensor) -> Selected:
    """Return input * 2**other, of integers also where 2**other alone is out of range.

    PyTorch takes the gradient by a power of integers, which is 0 where that is out of their range
    or below 1.
    """
    real = all(t._array.dtype.kind != "c" for t in (input, other))
    whole = real and other._array.dtype.kind in "iub"
    return (moved_by_exponent if whole else times_power_of_two), (input, other)


FUNCTIONS["exponent"] = Function("frexp_exponent({})", "gpugrad::exponent({})")


@pointwise(
    "fraction(x)",
    "FrexpBackward0",
    "floating",
    native=Function("frexp_fraction({})", "gpugrad::fraction({})"),
)
def fraction(g, x):
    return g / exp2(call("exponent", x))


_x = variable("x", REAL)
_parts = Elementwise(
    "FrexpBackward0", Formula("frexp", (_x,), (call("fraction", _x), call("exponent", _x)))
)
_parts.arguments = ("input",)
Frexp = results("frexp", "mantissa", "exponent")


@public(out=True)
def frexp(input: Tensor) -> tuple[Tensor, Tensor]:
    """Return a mantissa and an exponent, of which input is mantissa * 2**exponent.

    The mantissa has a size of at least 1/2 and below 1; the exponent is an int32.  That of 0, inf
    and nan is 0, and they are their own mantissa.

    Raises:
        RuntimeError: The input is not floating point.
    """
    tensor: Any = input
    up_to_date(tensor)
    kind = tensor._array.dtype
    if _dtype.of(kind).category != _dtype.FLOAT:
        raise RuntimeError("gpugrad.frexp() only supports floating-point dtypes")
    return Frexp(*_parts.evaluate([tensor], kind, [kind, np.dtype(np.int32)]))


@pointwise(
    "neighbour(x, y)",
    "NextafterBackward0",
    "floating",
    native=Function("nextafter({}, {})", "nextafter({}, {})"),
    function="nextafter",
)
def neighbour(g, x, y):
    return where(ne(x, y), g, 0), 0


def _next_coarse(x: Any, y: Any, eps: Any, least: Any, most: Any) -> Any:
    """Return, in a formula, the next of the numbers of a type that are fewer than those computed.

    Between a power of two and the next they lie ``eps`` times that apart, and around 0 the
    ``least`` number.
    """
    size = call("abs", x)
    outwards = either(eq(x, 0), eq(lt(x, y), lt(0, x)))
    below = where(outwards, size, size * (1 - eps / 4))  # on that side of a power of two
    step = call("maximum", where(eq(x, 0), least, call("binade", below) * eps), least)
    moved = where(call("isinf", x), call("sign", x) * most, x + where(lt(x, y), step, -step))
    return where(eq(x, y), y, where(either(isnan(x), isnan(y)), x + y, moved))


FUNCTIONS["next_coarse"] = Function(definition=_next_coarse)


@pointwise(
    "next_coarse(x, y, eps, least, most)",
    "NextafterBackward0",
    "floating",
    function="nextafter",
    parameters=("input", "other", "eps", "least", "most"),
)
def next_coarse(g, x, y):
    return where(ne(x, y), g, 0), 0, None, None, None


@public(inplace="values", out=True)
@selecting
def nextafter(input: Tensor, other: Tensor) -> Selected:
    """Return the number of the type that is next to input on the way to other.

    The gradient of input is 0 where the two are equal, and that of other everywhere.
    """
    kind = result_type([input, other])
    if not _dtype.is_half(kind.numpy):  # which is computed in single precision
        return neighbour, (input, other)
    known = _dtype.limits(kind.numpy)
    numbers = map(float, (known.eps, known.smallest_subnormal, known.max))
    return next_coarse, (input, other, *numbers)

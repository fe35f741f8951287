"""Error functions, the normal distribution, and entropies."""

from __future__ import annotations

import math
from typing import Any

from gpugrad import backend
from gpugrad.formulas import Function
from gpugrad.graph import TensorBase
from gpugrad.op import Pointwise, function_of, pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import eq, gt, le, lt
from gpugrad.ops.pointwise.exponential import exp, log, log1p
from gpugrad.ops.pointwise.logical import both

Operand = Any  # a tensor, an array or a Python number


@public(inplace="values function", out=True, names="special.erf")
@pointwise("erf(x)", "ErfBackward0", "real", kernel="erf_vml_{}")
def erf(g, x):
    """Return the error function.

    On the CPU it is computed by SciPy where that is installed, else slowly by ``math``; of many
    numbers in single precision by neither, within 3 units in the last place.
    """
    return g * (2 / math.sqrt(math.pi) * exp(-(x * x)))


@public(inplace="values function", out=True, names="special.erfc")
@pointwise(
    "erfc(x)",
    "ErfcBackward0",
    "real",
    native=Function("erfc({})", "erfc({})"),
    kernel="erfc_vml_{}",
)
def erfc(g, x):
    """Return 1 - erf(input), accurate where it is small.

    On the CPU as :func:`erf`; of many numbers in single precision within 6 units.
    """
    return g * (-2 / math.sqrt(math.pi) * exp(-(x * x)))


@public(inplace="values", out=True, names="special.erfinv")
@pointwise(
    "erfinv(x)",
    "ErfinvBackward0",
    "real",
    native=Function("erfinv({})", "erfinv({})"),
    kernel="erfinv_vml_{}",
)
def erfinv(g, out):
    """Return the inverse of :func:`erf`: inf at 1, -inf at -1, with gradients inf; nan beyond."""
    return g * (math.sqrt(math.pi) / 2 * exp(out * out))


@public(name="special.erfcx", method=False, out=True)
@pointwise("erfcx(x)", "SpecialErfcxBackward0", "real", native=Function("erfcx({})", "erfcx({})"))
def erfcx(g, x, out):
    """Return exp(input**2) * erfc(input), without underflow."""
    return g * (2 * x * out - 2 / math.sqrt(math.pi))


@public(name="special.ndtr", method=False, out=True)
@pointwise("erfc(x * -0.7071067811865476) / 2", "MulBackward1", "real")
def ndtr():
    """Return the normal distribution function, accurate where it is small, unlike PyTorch's."""


@public(name="special.ndtri", method=False, out=True)
@pointwise(
    "ndtri(x)", "SpecialNdtriBackward0", "real", native=Function("ndtri({})", "normcdfinv({})")
)
def ndtri(g, out):
    """Return the inverse of :func:`ndtr`: -inf at 0, inf at 1, nan beyond.

    The gradients at 0 and 1 are inf.
    """
    return g * (math.sqrt(2 * math.pi) * exp(out * out / 2))


@public(name="special.log_ndtr", method=False, out=True)
@pointwise(
    "log_ndtr(x)",
    "SpecialLogNdtrBackward0",
    "real",
    native=Function("log_ndtr({})", "gpugrad::log_ndtr({})", header="normal"),
)
def log_ndtr(g, x):
    """Return the logarithm of :func:`ndtr`, without underflow; so is the gradient."""
    return g / erfcx(x * -math.sqrt(0.5)) * math.sqrt(2 / math.pi)


@public(name="special.entr", method=False, out=True)
@pointwise(
    "entr(x)",
    "SpecialEntrBackward0",
    "real",
    native=Function(
        definition=lambda x: where(gt(x, 0), -x * log(x), where(lt(x, 0), -math.inf, x))
    ),
)
def entr(g, x):
    """Return -input * log(input): 0 at 0, where the gradient is inf, and -inf below.

    The gradient is nan below.
    """
    return g * (-1 - log(x))


def named_by_numbers(declared: Any) -> tuple[Any, Any, Any]:
    """Return an operation of two operands, and the same where the first or the second is a number.

    PyTorch numbers their nodes.
    """
    op = declared.op
    first, second = (
        function_of(
            Pointwise(f"{op.name[:-1]}{k}", op.function, op.build, op.promotion, op.parameters)
        )
        for k in (1, 2)
    )
    return declared, first, second


def of_numbers(input: Operand, other: Operand, named: tuple[Any, Any, Any]) -> Any:
    """Return which of :func:`named_by_numbers` computes with these operands."""
    known = [isinstance(v, TensorBase) or backend.is_array(v) for v in (input, other)]
    return named[0 if all(known) else 1 if known[1] else 2]


@pointwise(
    "where(eq(x, 0), where(isnan(y), y, 0), x * log1p(y))",
    function="xlog1py",
    promotion="real",
    name="SpecialXlog1PyBackward0",
    parameters=("input", "other"),
)
def xlog1py_of(g, x, y):
    return where(both(eq(x, 0), le(y, -1)), 0, g * log1p(y)), g * (x / (y + 1))


_XLOG1PY = named_by_numbers(xlog1py_of)


@public(name="special.xlog1py", method=False, out=True)
@selecting
def xlog1py(input: Operand, other: Operand) -> Selected:
    """Return input * log(1 + other), 0 where input is 0 and other is not nan.

    The gradient of input is 0 where input is 0 and other at most -1.
    """
    return of_numbers(input, other, _XLOG1PY), (input, other)

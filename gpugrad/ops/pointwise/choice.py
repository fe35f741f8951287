"""Choices between operands: by a condition, or of the larger and the smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend, errors
from gpugrad._dtype import INEXACT
from gpugrad.formulas import COMPLEX, FUNCTIONS, REAL, Expression, Function, call
from gpugrad.graph import TensorBase
from gpugrad.op import OPS, Pointwise, function_of, pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.op.number import half_for
from gpugrad.op.saved import wrap
from gpugrad.ops.pointwise.comparison import eq, ge, gt, isfinite, isnan, le, lt
from gpugrad.ops.pointwise.logical import both, either
from gpugrad.ops.pointwise.operand import Operand, check_held

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@pointwise(
    "where(condition, x, y)",
    "WhereBackward0",
    kinds={"condition": "bool"},
    function="where",
    parameters=("condition", "input", "other"),
    leading=1,
)
def choose(g, condition, x, y):
    return None, where(condition, g, 0), where(condition, 0, g)


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


@public(out=True, tensors="input other")
@pointwise(
    "maximum(x, y)",
    "MaximumBackward0",
    refused={_dtype.COMPLEX: RuntimeError("maximum not implemented for complex tensors.")},
)
def maximum(g, x, y):
    """Return the larger of the two, nan if either is; a tie shares the gradient in halves."""
    return (
        where(lt(x, y), 0, where(eq(x, y), g / 2, g)),
        where(lt(y, x), 0, where(eq(x, y), g / 2, g)),
    )


@public(out=True, tensors="input other")
@pointwise(
    "minimum(x, y)",
    "MinimumBackward0",
    refused={_dtype.COMPLEX: RuntimeError("minimum not implemented for complex tensors.")},
)
def minimum(g, x, y):
    """Return the smaller of the two, nan if either is; a tie shares the gradient in halves."""
    return (
        where(gt(x, y), 0, where(eq(x, y), g / 2, g)),
        where(gt(y, x), 0, where(eq(x, y), g / 2, g)),
    )


NO_CLAMP: dict[int, RuntimeError] = {
    _dtype.COMPLEX: NotImplementedError("clamp is not supported for complex types")
}


@pointwise(
    "minimum(maximum(x, low), high)",
    "ClampBackward1",
    "numeric",
    refused=NO_CLAMP,
    function="clamp",
    kernel="clamp_scalar_{}",
    parameters=("input", "min", "max"),
    host="clip({}, {}, {})",
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
    "numeric",
    refused=NO_CLAMP,
    function="clamp",
    kernel="clamp_min_scalar_{}",
    parameters=("input", "min"),
)
def clamp_low(g, x, low):
    return where(ge(x, low), g, 0), where(lt(x, low), g, 0)


@pointwise(
    "minimum(x, high)",
    "ClampBackward1",
    "numeric",
    refused=NO_CLAMP,
    function="clamp",
    kernel="clamp_max_scalar_{}",
    parameters=("input", "max"),
)
def clamp_high(g, x, high):
    return where(le(x, high), g, 0), where(gt(x, high), g, 0)


_CLAMPS_BY_TENSOR: tuple[Any, ...] = tuple(
    function_of(
        Pointwise(
            "ClampBackward0", "clamp", OPS[name].build, "default", OPS[name].parameters, NO_CLAMP
        )
    )
    for name in ("clamp_low", "clamp_high", "clamp_both")
)


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


@public(out=True, tensors="input other")
@pointwise(
    "fmax(x, y)",
    "FmaxBackward0",
    native=Function("fmax({}, {})", "gpugrad::fmax({}, {})"),
    refused={_dtype.COMPLEX: RuntimeError("fmax not implemented for complex tensors.")},
)
def fmax(g, x, y):
    """Return the larger of the two, that which is no nan; at a tie the gradient goes to input."""
    first = either(ge(x, y), isnan(y))
    return where(first, g, 0), where(first, 0, g)


@public(out=True, tensors="input other")
@pointwise(
    "fmin(x, y)",
    "FminBackward0",
    native=Function("fmin({}, {})", "gpugrad::fmin({}, {})"),
    refused={_dtype.COMPLEX: RuntimeError("fmin not implemented for complex tensors.")},
)
def fmin(g, x, y):
    """Return the smaller of the two, that which is no nan; at a tie the gradient goes to input."""
    first = either(le(x, y), isnan(y))
    return where(first, g, 0), where(first, 0, g)


def _bounds(bound: str, rule: str, kernel: str) -> tuple[Any, Any]:
    """Return a limit by a number, and by a tensor, which PyTorch computes in another kernel."""
    name, parameters = f"clamp_{bound}", ("input", bound)
    node = f"Clamp{bound.title()}Backward"
    build = OPS[rule].build
    of_number = f"{name}_scalar_{{}}"
    by_number = Pointwise(f"{node}0", name, build, "numeric", parameters, NO_CLAMP, of_number)
    by_tensor = Pointwise(f"{node}1", name, build, "default", parameters, kernel=kernel)
    return function_of(by_number), function_of(by_tensor)


_MIN, _MIN_BY_TENSOR = _bounds("min", "clamp_low", "maximum_{}")
_MAX, _MAX_BY_TENSOR = _bounds("max", "clamp_high", "minimum_{}")


@public(inplace="values function", out=True)
@selecting
def clamp_min(input: Tensor, min: Operand) -> Selected:
    """Return input, but at least min; the gradient is that of :func:`clamp`."""
    check_held((min,), (input, min))
    return (_MIN_BY_TENSOR if isinstance(min, TensorBase) else _MIN), (input, min)


@public(inplace="values function", out=True)
@selecting
def clamp_max(input: Tensor, max: Operand) -> Selected:
    """Return input, but at most max; the gradient is that of :func:`clamp`."""
    check_held((max,), (input, max))
    return (_MAX_BY_TENSOR if isinstance(max, TensorBase) else _MAX), (input, max)


FUNCTIONS["replacing"] = Function(
    "replacing({}, {}, {}, {})", "gpugrad::replacing({}, {}, {}, {})", holomorphic=False
)


@pointwise(
    "replacing(x, lost, high, low)",
    "NanToNumBackward0",
    kinds={"lost": REAL, "high": REAL, "low": REAL},
    function="nan_to_num",
    parameters=("input", "nan", "posinf", "neginf"),
)
def replacing(g, x):
    if x.kind != COMPLEX:
        return where(isfinite(x), g, 0), None, None, None
    real, imag = (where(isfinite(call(part, x)), call(part, g), 0) for part in ("real", "imag"))
    return real + imag * 1j, None, None, None


@pointwise("x", function="nan_to_num")
def unreplaced():
    pass


@public(inplace="values function", out=True)
@selecting
def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Selected:
    """Return input with other numbers for nan, inf and -inf, where the gradient is 0.

    These are 0, and the largest and the smallest number of the type, where they are not given; the
    parts of complex numbers are replaced apart.
    """
    if input._array.dtype.kind not in INEXACT:
        return unreplaced, (input,)
    known = _dtype.limits(input._array.dtype)
    high = float(known.max) if posinf is None else posinf
    low = float(known.min) if neginf is None else neginf
    return replacing, (input, nan or 0.0, high, low)

"""Activation functions of neural networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad import _dtype
from gpugrad.op import pointwise, public, selecting
from gpugrad.op.forms import Selected
from gpugrad.op.number import checked_number
from gpugrad.ops.pointwise.choice import NO_CLAMP, where
from gpugrad.ops.pointwise.comparison import ge, gt
from gpugrad.ops.pointwise.exponential import exp
from gpugrad.ops.pointwise.operand import Number

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


# As in PyTorch the derivatives of these are 0 by some of their operands, and not nothing: with
# ``create_graph`` a gradient that is made of them requires grad.
@pointwise("where(le(level, 0), 0, x)", "ThresholdBackwardBackward0")
def where_positive(g, level, x):
    return 0, where_positive(level, g)


@pointwise("where(le(level, bound), 0, x)", "ThresholdBackwardBackward0")
def where_above(g, level, bound, x):
    return 0, None, where_above(level, bound, g)


@pointwise("where(le(abs(level), bound), 0, x)", "HardshrinkBackwardBackward0")
def where_beyond(g, level, bound, x):
    return 0, None, where_beyond(level, bound, g)


@public(inplace="values function", names="nn.functional.relu_")
@pointwise(
    "maximum(x, 0)",
    "ReluBackward0",
    refused={**NO_CLAMP, _dtype.BOOL: RuntimeError("Boolean inputs not supported for relu")},
)
def relu(g, out):
    """Return max(input, 0); the gradient at 0 is 0."""
    return where_positive(out, g)


@pointwise(
    "x * 0.5 * (1 + erf(x * 0.7071067811865476))",
    "GeluBackward0",
    "floating",
    function="gelu",
    kernel="GeluKernelImpl",
)
def gelu_exact():
    pass


@pointwise(
    "0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))",
    "GeluBackward0",
    "floating",
    function="gelu",
    kernel="GeluKernelImpl",
)
def gelu_tanh():
    pass


@public(method=False, out=True, names="nn.functional.gelu")
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


@pointwise(
    "where(x * beta > threshold, x, log1p(exp(x * beta)) / beta)",
    "SoftplusBackward0",
    "floating",
    function="softplus",
    parameters=("input", "beta", "threshold"),
)
def softplus_formula(g, x, beta, threshold):
    # the untaken branch overflows where x is large: choose, never multiply by a mask
    large = gt(x * beta, threshold)
    power = exp(where(large, 0, x * beta))  # and far below, 1 / (1 + 1 / power) would overflow
    return where(large, g, g * (power / (power + 1))), None, None


@public(method=False, out=True, names="nn.functional.softplus")
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + exp(beta * input)) / beta, and input itself where beta * input > threshold."""
    return softplus_formula(input, float(beta), float(threshold))


@pointwise("x * sigmoid(x)", "SiluBackward0", "inexact", function="silu")
def silu_formula():
    pass


@public(method=False)
def silu(input: Tensor) -> Tensor:
    """Return input * sigmoid(input)."""
    return silu_formula(input)


@pointwise(
    "where(x <= threshold, value, x)",
    "ThresholdBackward0",
    "number",
    function="threshold",
    parameters=("input", "threshold", "value"),
    host="thresholded({}, {}, {})",
)
def threshold_formula(g, x, threshold):
    return where_above(x, threshold, g), None, None


@public(method=False, inplace="values function", names="nn.functional.threshold_")
@selecting
def threshold(input: Tensor, threshold: Number, value: Number) -> Selected:
    """Return input where it is above the threshold, else value, where the gradient is 0."""
    kind = _dtype.of(input._array.dtype)
    return threshold_formula, (input, *(checked_number(n, kind) for n in (threshold, value)))


@pointwise(
    "where(x > 0, 1, exp(x * inverse))",
    promotion="floating",
    parameters=("input", "inverse"),
    host="elu_slope({0}, 1, 1, 1 / {1})",
)
def celu_slope(g, x, inverse):
    above = ge(x, 0)  # as PyTorch: at 0 the slope is that from below, and its derivative is 0
    return where(above, 0, g * (exp(where(above, 0, x * inverse)) * inverse)), None


@pointwise(
    "where(x > 0, x, alpha * expm1(x * inverse))",
    "CeluBackward0",
    "floating",
    function="celu",
    parameters=("input", "alpha", "inverse"),
    kernel="elu_{}",
    host="elu({0}, 1, {1}, 1 / {2})",
)
def celu_formula(g, x, inverse):
    return g * celu_slope(x, inverse), None, None


@public(method=False, inplace="values function", names="nn.functional.celu_")
@selecting
def celu(input: Tensor, alpha: Number = 1.0) -> Selected:
    """Return input where it is positive, else alpha * (exp(input / alpha) - 1).

    Raises:
        RuntimeError: ``alpha`` is 0.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    alpha = float(alpha)  # type: ignore[arg-type]
    return celu_formula, (input, alpha, 1 / alpha)


_SCALE, _SCALED_ALPHA = 1.0507009873554805, 1.7580993408473766


@pointwise(
    f"where(x > 0, {_SCALE}, {_SCALED_ALPHA} * exp(x))",
    promotion="floating",
    host=f"elu_slope({{}}, {_SCALE}, {_SCALED_ALPHA}, 1)",
)
def selu_slope(g, x):
    above = ge(x, 0)
    return where(above, 0, g * (_SCALED_ALPHA * exp(where(above, 0, x))))


@public(method=False, inplace="values function", names="nn.functional.selu_")
@pointwise(
    f"where(x > 0, {_SCALE} * x, {_SCALED_ALPHA} * expm1(x))",
    "EluBackward0",
    "floating",
    kernel="elu_{}",
    host=f"elu({{}}, {_SCALE}, {_SCALED_ALPHA}, 1)",
)
def selu(g, x):
    """Return input, where it is negative exp(input) - 1, times constants that keep its variance.

    Source: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return g * selu_slope(x)


@pointwise(
    "where(abs(x) <= lambd, 0, x)",
    "HardshrinkBackward0",
    "floating",
    function="hardshrink",
    parameters=("input", "lambd"),
    host="hardshrink({}, {})",
)
def hardshrink_formula(g, x, lambd):
    return where_beyond(x, lambd, g), None


@public(out=True, names="nn.functional.hardshrink")
@selecting
def hardshrink(input: Tensor, lambd: Number = 0.5) -> Selected:
    """Return input, and 0 where it lies in [-lambd, lambd], where the gradient is 0, too."""
    return hardshrink_formula, (input, float(lambd))  # type: ignore[arg-type]


@pointwise(
    "where(x > 0, x, weight * x)",
    "PreluKernelBackward0",
    "floating",
    function="prelu",
    parameters=("input", "weight"),
    host="prelu({}, {})",
)
def prelu_formula(g, x, weight):
    above = gt(x, 0)
    return where(above, g, g * weight), where(above, 0, g * x)


@public(names="nn.functional.prelu")
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return input where it is positive, else weight * input.

    Args:
        input: Floating point.
        weight: One number for all, or one for each channel, the second dimension of input.

    Raises:
        RuntimeError: The types differ, or there are not as many weights as channels.
    """
    shape, count = input._array.shape, weight._array.size
    types = [_dtype.of(t._array.dtype) for t in (input, weight)]
    if types[0] is not types[1]:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {types[0].title} and {types[1].title}"
        )
    if weight._array.ndim > 1:
        raise RuntimeError(
            "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = "
            f"{weight._array.ndim}"
        )
    if count == 1:
        return prelu_formula(input, weight.reshape(()))
    if not shape:
        raise RuntimeError("Not allow zero-dim input tensor.")
    channels = shape[1] if len(shape) > 1 else 1
    if channels != count:
        raise RuntimeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{count} and channel size = {channels}."
        )
    return prelu_formula(input, weight.reshape((count, *(1,) * (len(shape) - 2))))

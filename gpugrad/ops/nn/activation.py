"""Activation functions as networks call them; some are tensors', too, declared in ``pointwise``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend, errors
from gpugrad.op import OPS, composite, pointwise, public
from gpugrad.op.generator import Generator
from gpugrad.op.number import checked_number
from gpugrad.ops import pointwise as pw
from gpugrad.ops.draw import rand_like
from gpugrad.ops.inplace import inplace as into
from gpugrad.ops.joining import cat
from gpugrad.ops.part import narrow
from gpugrad.ops.pointwise import activation
from gpugrad.ops.pointwise.activation import where_beyond
from gpugrad.ops.pointwise.choice import where
from gpugrad.ops.pointwise.comparison import ge, gt, le, lt
from gpugrad.ops.pointwise.exponential import exp, sigmoid
from gpugrad.ops.pointwise.hyperbolic import tanh
from gpugrad.ops.pointwise.operand import Number

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


# --------------------------------------------------------------------------- bent lines

# As in PyTorch the derivatives of these slopes are 0 by what chooses, and not nothing.


@pointwise(
    "where(either(level <= low, level >= high), 0, x)",
    "HardtanhBackwardBackward0",
    parameters=("level", "low", "high", "x"),
)
def where_between(g, level, low, high, x):
    return 0, None, None, where_between(level, low, high, g)


@pointwise(
    "minimum(maximum(x, low), high)",
    "HardtanhBackward0",
    "number",
    function="hardtanh",
    parameters=("input", "min_val", "max_val"),
)
def hardtanh_formula(g, x, low, high):
    return where_between(x, low, high, g), None, None


@pointwise("where(level > 0, x, x * slope)", "LeakyReluBackwardBackward0")
def sloped(g, level, slope):
    return 0, sloped(level, g, slope), None


@pointwise(
    "where(x > 0, x, slope * x)",
    "LeakyReluBackward0",
    "floating",
    function="leaky_relu",
    parameters=("input", "negative_slope"),
    host="prelu({}, {})",
)
def leaky_relu_formula(g, x, slope):
    return sloped(x, g, slope), None


@pointwise("where(level > 0, x, x * noise)", "RreluWithNoiseBackwardBackward0")
def sloped_by_noise(g, level, noise):
    return 0, sloped_by_noise(level, g, noise), None


@pointwise(
    "where(x > 0, x, noise * x)",
    "RreluWithNoiseBackward0",
    "floating",
    function="rrelu",
    parameters=("input", "noise"),
    host="prelu({}, {})",
    kernel="rrelu_with_noise_out_{}",
)
def rrelu_formula(g, x, noise):
    return sloped_by_noise(x, g, noise), None


@pointwise(
    "where(x > 0, x, alpha * expm1(x))",
    "EluBackward0",
    "floating",
    function="elu",
    parameters=("input", "alpha"),
    host="elu({}, 1, {}, 1)",
)
def elu_formula(g, x, alpha):
    # as PyTorch: at 0 the slope is that from below, and its derivative is 0
    return where(gt(x, 0), g, g * alpha * exp(where(ge(x, 0), 0, x))), None


@pointwise(
    "where(abs(x) <= lambd, 0, where(x > 0, x - lambd, x + lambd))",
    "SoftshrinkBackward0",
    "floating",
    function="softshrink",
    parameters=("input", "lambd"),
    kernel="softshrink_check",
)
def softshrink_formula(g, x, lambd):
    return where_beyond(x, lambd, g), None


@pointwise("where(both(level > -3, level < 3), x / 6, 0)", "HardsigmoidBackwardBackward0")
def within(g, level, x):
    return 0, within(level, g)


@pointwise(
    "minimum(maximum(x + 3, 0), 6) / 6", "HardsigmoidBackward0", "floating", function="hardsigmoid"
)
def hardsigmoid_formula(g, x):
    return within(x, g)


@pointwise(
    "x * minimum(maximum(x + 3, 0), 6) / 6", "HardswishBackward0", "floating", function="hardswish"
)
def hardswish_formula(g, x):
    return where(le(x, -3), 0, where(lt(x, 3), g * (x / 3 + 0.5), g))


# --------------------------------------------------------------------------- smooth ones


@pointwise(
    "minimum(x, 0) - log1p(exp(-abs(x)))",
    "LogSigmoidBackward0",
    "floating",
    function="logsigmoid",
    kernel="log_sigmoid_{}",
)
def log_sigmoid(g, x):
    return g * sigmoid(-x)


@pointwise("x * tanh(softplus_formula(x, 1, 20))", "MishBackward0", "floating", function="mish")
def mish_formula(g, x):
    weight = tanh(activation.softplus_formula(x, 1, 20))
    return g * (weight + x * sigmoid(x) * (1 - weight * weight))


@pointwise("x * sigmoid(y)", "GluBackwardBackward0", "floating")
def gated():
    pass


@pointwise(
    "u * x * sigmoid(y) * (1 - sigmoid(y))",
    "GluBackwardBackward0",
    "floating",
    parameters=("u", "x", "y"),
)
def gated_slope():
    pass


@composite("GluBackward0")
def _glu(door: backend.Backend, input: Array, *, axis: int) -> Array:
    half = input.shape[axis] // 2
    before = (slice(None),) * axis
    operands = (input[*before, :half], input[*before, half:])
    (out,) = door.evaluate(OPS["gated"].formula, operands, input.dtype, (input.dtype,))
    return out


@_glu.gradient
def input(g: Any, input: Any, axis: int) -> Any:
    half = input._array.shape[axis] // 2
    x, y = narrow(input, axis, 0, half), narrow(input, axis, half, half)
    return cat((gated(g, y), gated_slope(g, x, y)), axis)


# --------------------------------------------------------------------------- as they are called


def _called(function: Any, inplace: object, input: Any, *operands: Any) -> Any:
    """Return what a function gives, written into its input where that is asked for."""
    return into(function, input, *operands) if inplace else function(input, *operands)


@public(method=False, name="nn.functional.relu")
def relu(input: Tensor, inplace: object = False) -> Tensor:
    """Return max(input, 0); the gradient at 0 is 0."""
    return _called(pw.relu, inplace, input)


@public(method=False, name="nn.functional.threshold")
def threshold(input: Tensor, threshold: float, value: float, inplace: object = False) -> Tensor:
    """Return input where it is above the threshold, else value, where the gradient is 0."""
    return _called(activation.threshold, inplace, input, threshold, value)


@public(method=False, name="nn.functional.celu")
def celu(input: Tensor, alpha: float = 1.0, inplace: object = False) -> Tensor:
    """Return input where it is positive, else alpha * (exp(input / alpha) - 1).

    Raises:
        RuntimeError: ``alpha`` is 0.

    Source: Barron 2017, arXiv:1704.07483.
    """
    return _called(activation.celu, inplace, input, alpha)


@public(method=False, name="nn.functional.selu")
def selu(input: Tensor, inplace: object = False) -> Tensor:
    """Return input, where it is negative exp(input) - 1, times constants that keep its variance.

    Source: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return _called(activation.selu, inplace, input)


@public(method=False, name="nn.functional.silu")
def silu(input: Tensor, inplace: object = False) -> Tensor:
    """Return input * sigmoid(input)."""
    return _called(activation.silu_formula, inplace, input)


@public(method=False, name="nn.functional.hardtanh")
def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: object = False
) -> Tensor:
    """Return input within two bounds; the gradient is 0 there and beyond.

    Raises:
        ValueError: The lower bound is above the other.
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _between(input, min_val, max_val, inplace)


def _between(input: Any, low: float, high: float, inplace: object) -> Any:
    kind = _dtype.of(input._array.dtype)
    if kind.category == _dtype.BOOL:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if kind.is_complex:
        raise NotImplementedError("clamp is not supported for complex types")
    if low < 0 and not kind.is_signed:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    bounds = [checked_number(b, kind) for b in (low, high)]
    return _called(hardtanh_formula, inplace, input, *bounds)


@public(method=False, name="nn.functional.hardtanh_")
def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Write what ``hardtanh`` returns into the tensor, and return that."""
    return _between(input, min_val, max_val, True)


@public(method=False, name="nn.functional.relu6")
def relu6(input: Tensor, inplace: object = False) -> Tensor:
    """Return input within 0 and 6; the gradient is 0 there and beyond."""
    return _between(input, 0, 6, inplace)


@public(method=False, name="nn.functional.elu")
def elu(input: Tensor, alpha: float = 1.0, inplace: object = False) -> Tensor:
    """Return input where it is positive, else alpha * (exp(input) - 1).

    Source: Clevert, Unterthiner and Hochreiter 2015, arXiv:1511.07289.
    """
    return _called(elu_formula, inplace, input, float(alpha))


@public(method=False, name="nn.functional.elu_")
def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Write what ``elu`` returns into the tensor, and return that."""
    return into(elu_formula, input, float(alpha))


@public(method=False, name="nn.functional.leaky_relu")
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: object = False) -> Tensor:
    """Return input where it is positive, else negative_slope * input, as is the gradient at 0."""
    return _called(leaky_relu_formula, inplace, input, float(negative_slope))


@public(method=False, name="nn.functional.leaky_relu_")
def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Write what ``leaky_relu`` returns into the tensor, and return that."""
    return into(leaky_relu_formula, input, float(negative_slope))


@public(method=False, name="nn.functional.rrelu")
def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: object = False,
) -> Tensor:
    """Return input where it is positive, else input times a slope.

    In training that is drawn evenly between two bounds for each element, else it is their mean.

    Raises:
        RuntimeError: The lower bound is above the other.

    Source: Xu et al. 2015, arXiv:1505.00853.
    """
    return _with_noise(input, lower, upper, training, inplace, None)


@public(method=False, name="rrelu")
def rrelu_of_tensors(
    input: Tensor,
    lower: Number = 1.0 / 8,
    upper: Number = 1.0 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return input where it is positive, else input times a slope.

    In training that is drawn evenly between two bounds for each element, else it is their mean.

    Raises:
        RuntimeError: The lower bound is above the other.

    Source: Xu et al. 2015, arXiv:1505.00853.
    """
    return _with_noise(input, lower, upper, training, False, generator)


@public(method=False, name="rrelu_", names="nn.functional.rrelu_")
def rrelu_(
    input: Tensor,
    lower: Number = 1.0 / 8,
    upper: Number = 1.0 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Write what ``rrelu`` returns into the tensor, and return that."""
    return _with_noise(input, lower, upper, training, True, generator)


def _with_noise(
    input: Any,
    lower: Any,
    upper: Any,
    training: bool,
    inplace: object,
    generator: Generator | None,
) -> Any:
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    kernel = "rrelu_with_noise_out_cpu" if training else "leaky_relu_cpu"
    kind = _dtype.of(input._array.dtype)
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.title}'")
    if not training:
        return _called(rrelu_formula, inplace, input, (lower + upper) / 2)
    noise = rand_like(input.detach(), generator=generator) * (upper - lower) + lower
    return _called(rrelu_formula, inplace, input, noise)


@public(method=False, name="nn.functional.glu")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return the first half of input along a dimension times the sigmoid of the second half.

    Raises:
        RuntimeError: The size is odd, or there is no dimension.

    Source: Dauphin et al. 2016, arXiv:1612.08083.
    """
    ndim = input._array.ndim
    if not ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = errors.normal_dim(dim, ndim)
    size = input._array.shape[axis]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {size}")
    kind = _dtype.of(input._array.dtype)
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"glu_cpu\" not implemented for '{kind.title}'")
    return _glu(input, axis=axis)


@public(method=False, out=True, name="nn.functional.logsigmoid")
def logsigmoid(input: Tensor) -> Tensor:
    """Return the logarithm of sigmoid(input), also where that is 0."""
    return log_sigmoid(input)


@public(method=False, name="nn.functional.hardsigmoid")
def hardsigmoid(input: Tensor, inplace: object = False) -> Tensor:
    """Return input / 6 + 1 / 2 within 0 and 1, where the gradient is 0."""
    return _called(hardsigmoid_formula, inplace, input)


@public(method=False, name="nn.functional.hardswish")
def hardswish(input: Tensor, inplace: object = False) -> Tensor:
    """Return input times its ``hardsigmoid``.

    The gradient is 0 at -3 and 1 at 3.

    Source: Howard et al. 2019, arXiv:1905.02244.
    """
    return _called(hardswish_formula, inplace, input)


@public(method=False, name="nn.functional.mish")
def mish(input: Tensor, inplace: object = False) -> Tensor:
    """Return input * tanh(softplus(input)).

    Source: Misra 2019, arXiv:1908.08681.
    """
    return _called(mish_formula, inplace, input)


@public(method=False, out=True, name="nn.functional.softshrink")
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return input moved towards 0 by lambd, and 0 within that, where the gradient is 0.

    Raises:
        RuntimeError: ``lambd`` is negative.
    """
    if not lambd >= 0:
        kind = _dtype.of(input._array.dtype)
        most = _dtype.limits(kind.numpy).max
        raise RuntimeError(
            f"lambda must be in range [0, {float(most):g}] for input dtype {kind.title}, "
            f"but found {lambd:g}"
        )
    return softshrink_formula(input, float(lambd))


@public(method=False, name="nn.functional.softsign")
def softsign(input: Tensor) -> Tensor:
    """Return input / (1 + abs(input))."""
    return pw.div(input, pw.add(pw.abs(input), 1))


@public(method=False, name="nn.functional.tanhshrink")
def tanhshrink(input: Tensor) -> Tensor:
    """Return input - tanh(input)."""
    return pw.sub(input, pw.tanh(input))


@public(method=False, name="nn.functional.tanh")
def tanh_(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent of input."""
    return pw.tanh(input)


@public(method=False, name="nn.functional.sigmoid")
def sigmoid_(input: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-input))."""
    return pw.sigmoid(input)

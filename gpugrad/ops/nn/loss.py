"""Losses that compare element by element."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.backend.batched import all_of
from gpugrad.errors import broadcast_shape, size
from gpugrad.graph import warn
from gpugrad.op import pointwise, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.nn.activation import log_sigmoid
from gpugrad.ops.nn.reduced import (
    REDUCTIONS,
    check_constant,
    chosen,
    loss,
    of_one_type,
    of_type_of,
    reduced,
    worded,
)
from gpugrad.ops.pointwise.choice import maximum
from gpugrad.ops.pointwise.exponential import log, sigmoid
from gpugrad.ops.reduction import sum

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


# Linear, as PyTorch's: the derivative of a power would go on to depend on its base.
@pointwise("pow(x - y, 2)", promotion="floating")
def squared_error(g, x, y):
    slope = g * (2 * (x - y))
    return slope, -slope


@pointwise(
    "where(abs(x - y) < beta, 0.5 * (x - y) * (x - y) / beta, abs(x - y) - 0.5 * beta)",
    promotion="floating",
    parameters=("x", "y", "beta"),
)
def smooth_error() -> None:
    pass


@pointwise(
    "where(abs(x - y) <= delta, 0.5 * (x - y) * (x - y), delta * (abs(x - y) - 0.5 * delta))",
    promotion="floating",
    parameters=("x", "y", "delta"),
)
def huber_error() -> None:
    pass


# PyTorch bounds the logarithms, and divides by no less than 1e-12 in the gradient.
@pointwise("maximum(log1p(-x), -100) * (y - 1) - y * maximum(log(x), -100)", promotion="floating")
def binary_error(g, x, y):
    return g * ((x - y) / maximum((1 - x) * x, 1e-12)), g * (log(1 - x) - log(x))


@pointwise("binary_error(x, y) * w", promotion="floating")
def weighted_binary_error() -> None:
    pass


@pointwise("x * (1 - y) - log_sigmoid(x)", promotion="floating")
def logit_error(g, x, y):
    return g * (sigmoid(x) - y), g * -x


@pointwise("x * (1 - y) - log_sigmoid(x) * ((p - 1) * y + 1)", promotion="floating")
def positive_logit_error(g, x, y, p):
    positive = p * y
    slope = (positive + 1 - y) * sigmoid(x) - positive
    return g * slope, g * (-x - (p - 1) * log_sigmoid(x)), g * (-y * log_sigmoid(x))


@pointwise("logit_error(x, y) * w", promotion="floating")
def weighted_logit_error() -> None:
    pass


@pointwise(
    "positive_logit_error(x, y, p) * w", promotion="floating", parameters=("x", "y", "p", "w")
)
def twice_weighted_logit_error() -> None:
    pass


@pointwise("-log_sigmoid(x * y)", promotion="floating")
def margin_error() -> None:
    pass


_mse = loss("MseLossBackward0", squared_error)
_smooth = loss("SmoothL1LossBackward0", smooth_error, numbers=1)
_huber = loss("HuberLossBackward0", huber_error, numbers=1)
_binary = loss("BinaryCrossEntropyBackward0", binary_error)
_weighted_binary = loss("BinaryCrossEntropyBackward0", weighted_binary_error)
_logits = {  # by whether there is a weight of positive answers, and one of each element
    (positive, weighted): loss("BinaryCrossEntropyWithLogitsBackward0", values)
    for positive, weighted, values in (
        (False, False, logit_error),
        (True, False, positive_logit_error),
        (False, True, weighted_logit_error),
        (True, True, twice_weighted_logit_error),
    )
}
_soft_margin = loss("SoftMarginLossBackward0", margin_error)


def _compare_sizes(input: Any, target: Any) -> None:
    if input._array.shape == target._array.shape:
        return
    warn(
        f"Using a target size ({size_of(target)}) that is different to the input size "
        f"({size_of(input)}). This will likely lead to incorrect results due to broadcasting. "
        "Please ensure they have the same size."
    )
    broadcast_shape(input._array.shape, target._array.shape)


def size_of(tensor: Any) -> str:
    """Return how PyTorch prints the size of a tensor."""
    return f"gpugrad.Size({[*tensor._array.shape]})"


def _weighted(errors: Any, input: Any, weight: Any, reduction: str, by_weight: bool) -> Any:
    """Return errors times weights, of which the mean is ``by_weight`` relative to theirs."""
    if weight._array.shape != input._array.shape:
        raise ValueError("Weights and input must have the same size.")
    weighted = pw.mul(errors, weight)
    if reduction == "mean" and by_weight:
        return pw.div(sum(weighted), sum(weight))
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'."
        )
    return reduced(weighted, reduction)


@public(method=False, name="nn.functional.l1_loss")
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean of abs(input - target), or with another ``reduction`` all, or their sum.

    Args:
        input: Of any shape.
        target: Of the same shape.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
        weight: Of the same shape; the mean is divided by its sum.

    Raises:
        ValueError: There is no such reduction, or the weight is of another shape.
    """
    _compare_sizes(input, target)
    reduction = worded(size_average, reduce, reduction)
    if weight is not None:
        return _weighted(pw.abs(pw.sub(input, target)), input, weight, reduction, True)
    reduction = chosen(None, None, reduction)
    return reduced(pw.abs(pw.sub(input, target)), reduction)


@public(method=False, name="nn.functional.mse_loss")
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean of (input - target) ** 2, or with another ``reduction`` all, or their sum.

    Args:
        input: Of any shape.
        target: Of the same shape.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
        weight: Of the same shape; the mean is divided by its sum.

    Raises:
        ValueError: There is no such reduction, or the weight is of another shape.
    """
    _compare_sizes(input, target)
    reduction = worded(size_average, reduce, reduction)
    if weight is not None:
        return _weighted(pw.pow(pw.sub(input, target), 2), input, weight, reduction, True)
    reduction = chosen(None, None, reduction)
    return _mse(*of_one_type("mse_cpu", input, target), reduction=reduction)


@public(method=False, name="nn.functional.smooth_l1_loss")
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return the mean of a parabola of the difference that goes on as straight lines.

    Of z, abs(input - target), it is z ** 2 / 2 / beta below beta, and z - beta / 2 above.

    Raises:
        RuntimeError: ``beta`` is negative.
        ValueError: There is no such reduction.

    Source: Girshick 2015, arXiv:1504.08083.
    """
    _compare_sizes(input, target)
    reduction = chosen(size_average, reduce, reduction)
    if beta == 0:
        return reduced(pw.abs(pw.sub(input, target)), reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    operands = of_one_type("smooth_l1_cpu", input, target)
    return _smooth(*operands, reduction=reduction, numbers=(beta,))


@public(method=False, name="nn.functional.huber_loss")
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean of a parabola of the difference that goes on as straight lines.

    Of z, abs(input - target), it is z ** 2 / 2 up to delta, and delta * (z - delta / 2) above.

    Raises:
        RuntimeError: ``delta`` is not positive.
        ValueError: There is no such reduction, or the weight is of another shape.

    Source: Huber, "Robust estimation of a location parameter", 1964.
    """
    _compare_sizes(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    operands = of_type_of("huber_cpu", input, target)
    if weight is None:
        reduction = chosen(None, None, reduction)
        return _huber(*operands, reduction=reduction, numbers=(delta,))
    errors = _huber(*operands, reduction="none", numbers=(delta,))
    return _weighted(errors, input, weight, reduction, False)


# --------------------------------------------------------------------------- yes or no


def _check_fits(shape: tuple[int, ...], *weights: Any) -> None:
    whole = broadcast_shape(shape, *(w._array.shape for w in weights if w is not None))
    if whole != shape:
        raise RuntimeError(
            f"output with shape {size(shape)} doesn't match the broadcast shape {size(whole)}"
        )


def _check_chances(name: str, array: Any) -> None:
    if not (array.min() >= 0 and array.max() <= 1):
        raise RuntimeError(f"all elements of {name} should be between 0 and 1")


@public(method=False, name="nn.functional.binary_cross_entropy")
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of -(target * log(input) + (1 - target) * log(1 - input)).

    The logarithms are at least -100, and the gradient divides by at least 1e-12, as in PyTorch.

    Args:
        input: Probabilities, of any shape.
        target: Of the same shape and type.
        weight: Of a shape that broadcasts to it: it has no gradient.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: The types differ, or the weight requires a gradient; on the CPU also where a
            probability or a target is not in [0, 1].
        ValueError: The shapes differ, or there is no such reduction.
    """
    reduction = chosen(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise ValueError(
            f"Using a target size ({size_of(target)}) that is different to the input size "
            f"({size_of(input)}) is deprecated. Please ensure they have the same size."
        )
    check_constant("binary_cross_entropy", weight=weight)
    kind = _dtype.of(input._array.dtype)
    other = _dtype.of(target._array.dtype)
    if other is not kind:
        raise RuntimeError(f"Found dtype {other.title} but expected {kind.title}")
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"binary_cross_entropy\" not implemented for '{kind.title}'")
    if input.device.type == "cpu" and input._array.size:
        for name, of in ("input", input), ("target", target):
            backend.check(partial(_check_chances, name), all_of(of._array))
    if weight is None:
        return _binary(input, target, reduction=reduction)
    _check_fits(input._array.shape, weight)
    return _weighted_binary(*of_type_of("", input, target, weight), reduction=reduction)


@public(method=False, name="nn.functional.binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return ``binary_cross_entropy`` of sigmoid(input), exact also where that is 0 or 1.

    Args:
        input: Logarithms of odds, of any shape.
        target: Probabilities, of the same shape.
        weight: Of a shape that broadcasts to it: it has no gradient.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".
        pos_weight: What the terms with the target are multiplied by: it has no gradient.

    Raises:
        RuntimeError: A weight requires a gradient.
        ValueError: The shapes differ, or there is no such reduction.
    """
    reduction = chosen(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise ValueError(
            f"Target size ({size_of(target)}) must be the same as input size ({size_of(input)})"
        )
    return _with_logits(input, target, weight, pos_weight, reduction)


@public(method=False, name="binary_cross_entropy_with_logits")
def binary_cross_entropy_of_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 0,
) -> Tensor:
    """Return what ``nn.functional.binary_cross_entropy_with_logits`` does.

    Args:
        input: Logarithms of odds.
        target: Probabilities, of the same shape.
        weight: Of a shape that broadcasts to it.
        pos_weight: What the terms with the target are multiplied by.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
    """
    return _with_logits(input, target, weight, pos_weight, REDUCTIONS[reduction])


def _with_logits(input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    check_constant("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    kinds = [_dtype.of(t._array.dtype) for t in (input, target)]
    if not kinds[0].is_floating_point:
        raise NotImplementedError(f"\"log_sigmoid_cpu\" not implemented for '{kinds[0].title}'")
    if not kinds[1].is_floating_point:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {kinds[1].title}"
        )
    shape = input._array.shape
    if pos_weight is not None:
        broadcast_shape(pos_weight._array.shape, shape)
    weights = [w for w in (pos_weight, weight) if w is not None]
    _check_fits(shape, *weights)
    op = _logits[pos_weight is not None, weight is not None]
    input, target = of_one_type("log_sigmoid_cpu", input, target)
    return op(*of_type_of("log_sigmoid_cpu", input, target, *weights), reduction=reduction)


@public(method=False, name="nn.functional.soft_margin_loss")
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of log(1 + exp(-target * input)), without overflow.

    Args:
        input: Of any shape.
        target: Of the same shape, 1 or -1.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: There is no such reduction.
    """
    reduction = chosen(size_average, reduce, reduction)
    kind = _dtype.of(input._array.dtype)
    if not kind.is_floating_point:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {kind.title}"
        )
    operands = of_type_of("", input, target)
    broadcast_shape(input._array.shape, target._array.shape)
    return _soft_margin(*operands, reduction=reduction)

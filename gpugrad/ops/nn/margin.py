"""Losses that ask the right classes to be ahead of the others by a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import all_of
from gpugrad.op import cast, pointwise, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.indexing import index_select
from gpugrad.ops.nn.reduced import check_constant, chosen, loss
from gpugrad.ops.nn.softmax import named
from gpugrad.ops.scan import cumprod
from gpugrad.ops.scatter import gather

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


# How far classes are ahead of where they may be; the weights leave out what is not compared.
@pointwise("where(x > y, x - y, 0) * weight")
def ahead() -> None:
    pass


@pointwise("where(x > y, (x - y) * (x - y), 0) * weight")
def ahead_squared() -> None:
    pass


_multi = {
    1: loss("MultiMarginLossBackward0", ahead),
    2: loss("MultiMarginLossBackward0", ahead_squared),
}
_multilabel = loss("MultilabelMarginLossBackward0", ahead)


def _check_shape(input: Any) -> None:
    shape = input._array.shape
    if len(shape) > 2 or (shape and not shape[-1]):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{[*shape]}"
        )


def _check_types(kernel: str, input: Any, target: Any) -> None:
    kind, other = (_dtype.of(t._array.dtype) for t in (input, target))
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.title}'")
    if other is not _dtype.int64:
        raise RuntimeError(f"expected scalar type Long but found {other.title}")


def _check_range(input: Any, target: Any, low: int, classes: int, text: str) -> None:
    """Raise on the CPU where a class is out of range; a GPU looks when it reads there."""
    found = all_of(target._array)
    if input.device.type != "cpu" or not found.size:
        return

    def check(places: Any) -> None:
        if places.min() < low or places.max() >= classes:
            raise RuntimeError(text)

    backend.check(check, found)


@public(method=False, name="nn.functional.multi_margin_loss")
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of how far other classes are ahead of where they may be.

    Of one example x that is the sum of max(margin - x[target] + x[k], 0) ** p over all other
    classes k, divided by the number of classes.

    Args:
        input: Of shape (examples, classes), or (classes,).
        target: The right classes, of shape (examples,).
        p: 1 or 2.
        margin: By how much others shall be behind.
        weight: Of each right class, of shape (classes,): it has no gradient.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: The shapes do not fit, a class is out of range, or the weight requires a
            gradient.
        ValueError: There is no such power or reduction, or the weight is not one-dimensional.
    """
    reduction = chosen(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight._array.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    check_constant("multi_margin_loss", weight=weight)
    given, places = input._array.shape, target._array.shape
    rows, classes = (given[0] if len(given) == 2 else 1), (given[-1] if given else 1)
    _check_shape(input)
    if places != (rows,) and (places or len(given) == 2):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of "
            f"input samples (batch size). Expected target size [{rows}], but got {[*places]}. "
            f"Input has shape {[*given]}."
        )
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {[*weight._array.shape]}"
        )
    _check_types("multi_margin_loss_cpu_kernel", input, target)
    _check_range(input, target, 0, classes, "target out of range")
    x, at = input.reshape((rows, classes)), target.reshape((rows, 1))
    weights = pw.logical_not(named(at, (rows, classes), 1))
    kind = input._array.dtype
    if weight is None:
        weights = cast(weights, dtype=kind)
    else:
        weights = pw.mul(index_select(weight, 0, at.reshape((rows,))).unsqueeze(1), weights)
        weights = cast(weights, dtype=kind)
    bound = pw.sub(gather(x, 1, at), margin)
    if not places and reduction == "none":  # of one example
        reduction = "sum"
    return _multi[p](x, bound, weights, reduction=reduction, rows=1, many=classes)


@public(method=False, name="nn.functional.multilabel_margin_loss")
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of how far other classes are ahead of where they may be.

    Of one example x that is the sum of max(1 - x[j] + x[k], 0) over right classes j and all others
    k, divided by the number of classes.

    Args:
        input: Of shape (examples, classes), or (classes,).
        target: Of the same shape: the right classes of each example, then -1.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: The shapes do not fit, or a class is out of range.
        ValueError: There is no such reduction.
    """
    reduction = chosen(size_average, reduce, reduction)
    given = input._array.shape
    _check_shape(input)
    if target._array.shape != given:
        raise RuntimeError(
            f"inconsistent target size: {[*target._array.shape]} for input of size: {[*given]}"
        )
    rows, classes = (given[0] if len(given) == 2 else 1), (given[-1] if given else 1)
    _check_types("multilabel_margin_loss_forward_out_frame", input, target)
    _check_range(input, target, -1, classes, "argument #2 'target' is out of range")
    x, at = (t.reshape((rows, classes)) for t in (input, target))
    there = cast(cumprod(pw.ge(at, 0), 1), dtype=np.dtype(bool))  # before the first -1
    if backend.capturing():  # what is not waited for may be as wide as that
        width = classes
    else:
        counts = all_of(there.sum(1)._array)
        with backend.at(backend.of(counts).device_of(counts)):
            width = int(counts.max()) if rows else 0
    there, at = there[:, :width], pw.clamp(at[:, :width], 0)
    right = named(at.unsqueeze(2), (rows, width, classes), 2)
    others = pw.logical_not(pw.logical_and(right, there.unsqueeze(2)).any(1))
    weights = cast(
        pw.logical_and(others.unsqueeze(2), there.unsqueeze(1)), dtype=input._array.dtype
    )
    bound = pw.sub(gather(x, 1, at), 1).unsqueeze(1)
    if len(given) < 2 and reduction == "none":  # of one example
        reduction = "sum"
    return _multilabel(x.unsqueeze(2), bound, weights, reduction=reduction, rows=2, many=classes)

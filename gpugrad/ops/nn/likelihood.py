"""Losses that are logarithms of probabilities, composed of operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.backend.batched import all_of
from gpugrad.graph import recording, warn
from gpugrad.op import public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import clone
from gpugrad.ops.filled import full_like
from gpugrad.ops.nn.activation import log_sigmoid
from gpugrad.ops.nn.reduced import REDUCTIONS, chosen, reduced, worded
from gpugrad.ops.pointwise.exponential import xlogy
from gpugrad.ops.reduction import sum
from gpugrad.ops.scatter import masked_fill

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(method=False, name="nn.functional.kl_div")
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the mean of target * (log(target) - input), the divergence from exp(input).

    Args:
        input: Logarithms of probabilities.
        target: Probabilities, of a shape that broadcasts with the input's, or their logarithms.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", of all elements; "batchmean", the sum divided by the first size, which is
            the divergence; "sum" or "none".
        log_target: Whether the target is logarithms.

    Raises:
        ValueError: There is no such reduction.

    Source: Kullback and Leibler, "On information and sufficiency", 1951.
    """
    older = size_average is not None or reduce is not None
    if not older and reduction == "mean":
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release."
        )
    by_batch = reduction == "batchmean"
    worded = "sum" if by_batch and not older else reduction
    values = _divergence(input, target, log_target)
    found = reduced(values, chosen(size_average, reduce, worded))
    return pw.div(found, input._array.shape[0]) if by_batch and input._array.ndim else found


@public(method=False, name="kl_div")
def kl_div_of_tensors(
    input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False
) -> Tensor:
    """Return what ``nn.functional.kl_div`` does.

    Args:
        input: Logarithms of probabilities.
        target: Probabilities, or their logarithms.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
        log_target: Whether the target is logarithms.
    """
    return reduced(_divergence(input, target, log_target), REDUCTIONS[reduction])


def _divergence(input: Any, target: Any, log_target: bool) -> Any:
    kinds = [_dtype.of(t._array.dtype) for t in (input, target)]
    if any(kind.is_complex for kind in kinds):
        raise RuntimeError("kl_div: Complex inputs not supported.")
    if any(kind.category < _dtype.FLOAT for kind in kinds):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        return pw.mul(pw.exp(target), pw.sub(target, input))
    return pw.sub(xlogy(target, target), pw.mul(target, input))


@public(method=False, name="nn.functional.poisson_nll_loss")
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of the negative logarithms of counts' Poisson probabilities.

    Args:
        input: Rates, or their logarithms.
        target: Counts, of a shape that broadcasts with the input's.
        log_input: Whether the input is logarithms.
        full: Whether the logarithm of the factorial is added, by Stirling's formula.
        size_average: An older word for ``reduction``.
        eps: Added to rates before their logarithm.
        reduce: Likewise an older word.
        reduction: "mean", "sum" or "none".

    Raises:
        TypeError: The reduction is no word.
        ValueError: There is no such reduction.
    """
    reduction = worded(size_average, reduce, reduction)
    if reduction not in REDUCTIONS:
        raise ValueError(reduction + " is not a valid value for reduction")
    return reduced(_poisson(input, target, log_input, full, eps), reduction)


@public(method=False, name="poisson_nll_loss")
def poisson_nll_loss_of_tensors(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """Return what ``nn.functional.poisson_nll_loss`` does.

    Args:
        input: Rates, or their logarithms.
        target: Counts.
        log_input: Whether the input is logarithms.
        full: Whether the logarithm of the factorial is added, by Stirling's formula.
        eps: Added to rates before their logarithm.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
    """
    return reduced(_poisson(input, target, log_input, full, eps), REDUCTIONS[reduction])


def _poisson(input: Any, target: Any, log_input: bool, full: bool, eps: float) -> Any:
    if log_input:
        values = pw.sub(pw.exp(input), pw.mul(target, input))
    else:
        values = pw.sub(input, pw.mul(target, pw.log(pw.add(input, eps))))
    if not full:
        return values
    stirling = pw.add(
        pw.sub(pw.mul(target, pw.log(target)), target),
        pw.mul(pw.log(pw.mul(target, 2 * math.pi)), 0.5),
    )
    return pw.add(values, masked_fill(stirling, pw.le(target, 1), 0))


def _check_sign(variances: Any) -> None:
    backend.check_all(~(variances < 0), "var has negative entry/entries", ValueError)


@public(method=False, name="nn.functional.gaussian_nll_loss")
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of the negative logarithms of normal densities, without a constant.

    Args:
        input: Means.
        target: Values, of a shape that broadcasts with the input's.
        var: Variances: a number, or of the input's shape, or of that with a 1 in one place, or
            without the last dimension.
        full: Whether the constant is added.
        eps: What variances are at least; the gradient passes all the same.
        reduction: "mean", "sum" or "none".

    Raises:
        TypeError: The reduction is no word.
        ValueError: A variance is negative, or their shape does not fit; there is no such reduction.

    Source: Nix and Weigend, "Estimating the mean and variance of the target probability
    distribution", 1994.
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = full_like(input.detach(), var)
    else:
        backend.check(_check_sign, all_of(var._array))
    shape, own = input._array.shape, var._array.shape
    if own != shape:
        if shape[:-1] == own:
            var = var.unsqueeze(-1)
        elif len(shape) != len(own) or [m for n, m in zip(shape, own, strict=True) if n != m] != [
            1
        ]:
            raise ValueError("var is of incorrect size")
    if reduction not in REDUCTIONS:
        raise ValueError(reduction + " is not valid")
    var = clone(var)
    with recording(False):
        var.clamp_(min=eps)
    errors = pw.square(pw.sub(input, target))
    values = pw.mul(pw.add(pw.log(var), pw.div(errors, var)), 0.5)
    if full:
        values = pw.add(values, 0.5 * math.log(2 * math.pi))
    return reduced(values, reduction)


def _others(shape: Sequence[int], wanted: Sequence[int]) -> list[int]:
    """Return the sizes that are not as wanted."""
    return [n for n, m in zip(shape, wanted, strict=True) if n != m]


@public(method=False, name="nn.functional.multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over examples of ``binary_cross_entropy_with_logits``, averaged over classes.

    Args:
        input: Of shape (..., classes).
        target: Of the same shape, 1 for classes that the example is of, and else 0.
        weight: Of shape (classes,).
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none", over the examples.

    Raises:
        TypeError: The reduction is no word.
        ValueError: There is no such reduction.
    """
    reduction = worded(size_average, reduce, reduction)
    terms = pw.add(
        pw.mul(target, log_sigmoid(input)), pw.mul(pw.sub(1, target), log_sigmoid(pw.neg(input)))
    )
    values = pw.neg(terms)
    if weight is not None:
        values = pw.mul(values, weight)
    axis = input._array.ndim - 1
    values = pw.div(sum(values, axis), input._array.shape[axis])
    if reduction not in REDUCTIONS:
        raise ValueError(reduction + " is not valid")
    return reduced(values, reduction)

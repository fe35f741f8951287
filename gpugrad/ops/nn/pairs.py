"""Losses that draw pairs together or push them apart, up to a margin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpugrad.op import public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.nn.distance import pairwise_distance
from gpugrad.ops.nn.loss import size_of
from gpugrad.ops.nn.reduced import REDUCTIONS, chosen, reduced
from gpugrad.ops.pointwise.choice import clamp_min
from gpugrad.ops.pointwise.operand import is_bool
from gpugrad.ops.reduction import sum

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _of_either(target: Any, positive: Any, negative: Any, equal: bool) -> Any:
    """Return the terms of pairs that belong together, and of those that do not.

    Where they are not ``equal`` a term is left out only where the target says the other.
    """
    if equal:
        first, second = pw.eq(target, 1), pw.eq(target, -1)
    else:
        first, second = pw.ne(target, -1), pw.ne(target, 1)
    return pw.add(pw.where(first, positive, 0), pw.where(second, negative, 0))


@public(method=False, name="nn.functional.hinge_embedding_loss")
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of input where the target is 1, and of max(margin - input, 0) where it is -1.

    Args:
        input: Distances, of any shape.
        target: Of a shape that broadcasts with it, 1 or -1.
        margin: How far apart pairs shall be that do not belong together.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: There is no such reduction.
    """
    return reduced(_hinge(input, target, margin), chosen(size_average, reduce, reduction))


@public(method=False, name="hinge_embedding_loss")
def hinge_embedding_loss_of_tensors(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0
) -> Tensor:
    """Return what ``nn.functional.hinge_embedding_loss`` does.

    Args:
        input: Distances.
        target: 1 or -1.
        margin: How far apart pairs shall be that do not belong together.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
    """
    return reduced(_hinge(input, target, margin), REDUCTIONS[reduction])


def _hinge(input: Any, target: Any, margin: float) -> Any:
    if is_bool(input):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    apart = clamp_min(pw.sub(margin, input), 0)
    return _of_either(target, input, apart, False)


@public(method=False, name="nn.functional.margin_ranking_loss")
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of max(-target * (input1 - input2) + margin, 0).

    Args:
        input1: Of any shape.
        input2: Of as many dimensions.
        target: Likewise, 1 where the first shall be greater, -1 where the second shall.
        margin: By how much.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: The numbers of dimensions differ.
        ValueError: There is no such reduction.
    """
    reduction = chosen(size_average, reduce, reduction)
    if input1._array.ndim != input2._array.ndim or input1._array.ndim != target._array.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {size_of(input1)}, input2: {size_of(input2)}, target: {size_of(target)} "
        )
    return reduced(_ranking(input1, input2, target, margin), reduction)


@public(method=False, name="margin_ranking_loss")
def margin_ranking_loss_of_tensors(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """Return what ``nn.functional.margin_ranking_loss`` does.

    Args:
        input1: Of any shape.
        input2: Of a shape that broadcasts with it.
        target: 1 where the first shall be greater, -1 where the second shall.
        margin: By how much.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
    """
    return reduced(_ranking(input1, input2, target, margin), REDUCTIONS[reduction])


def _ranking(input1: Any, input2: Any, target: Any, margin: float) -> Any:
    return clamp_min(pw.add(pw.mul(pw.neg(target), pw.sub(input1, input2)), margin), 0)


@public(method=False, name="nn.functional.cosine_embedding_loss")
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of 1 - cos where the target is 1, and of max(cos - margin, 0) where it is -1.

    Args:
        input1: Vectors, of shape (examples, size), or one.
        input2: Of the same shape.
        target: Of shape (examples,), or 0-d; 1 or -1.
        margin: What the cosine of pairs may be that do not belong together.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: The numbers of dimensions do not fit.
        ValueError: There is no such reduction.
    """
    reduction = chosen(size_average, reduce, reduction)
    return reduced(_angular(input1, input2, target, margin), reduction)


@public(method=False, name="cosine_embedding_loss")
def cosine_embedding_loss_of_tensors(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """Return what ``nn.functional.cosine_embedding_loss`` does.

    Args:
        input1: Vectors.
        input2: Of the same shape.
        target: 1 or -1.
        margin: What the cosine of pairs may be that do not belong together.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
    """
    return reduced(_angular(input1, input2, target, margin), REDUCTIONS[reduction])


def _angular(x: Any, y: Any, target: Any, margin: float) -> Any:
    ndim = target._array.ndim
    if ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not x._array.ndim == y._array.ndim == ndim + 1:
        sizes = " and ".join(str([*t._array.shape]) for t in (x, y))
        raise RuntimeError(
            f"{ndim}D target tensor expects {ndim + 1}D input tensors, but found inputs with sizes "
            f"{sizes}."
        )
    first, second = (pw.add(sum(pw.mul(v, v), ndim), 1e-12) for v in (x, y))
    cosine = pw.div(sum(pw.mul(x, y), ndim), pw.sqrt(pw.mul(first, second)))
    apart = clamp_min(pw.sub(cosine, margin), 0)
    return _of_either(target, pw.sub(1, cosine), apart, True)


# --------------------------------------------------------------------------- triplets


def _check_dims(anchor: Any, positive: Any, negative: Any) -> None:
    a, p, n = (t._array.ndim for t in (anchor, positive, negative))
    if not a == p == n:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {a}D, positive {p}D, and negative {n}D inputs"
        )


def _triplet(
    distance: Callable[[Any, Any], Any],
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float,
    swap: bool,
) -> Any:
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = pw.minimum(far, distance(positive, negative))
    return clamp_min(pw.sub(pw.add(near, margin), far), 0)


@public(method=False, name="nn.functional.triplet_margin_loss")
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of max(distance to the positive - distance to the negative + margin, 0).

    Args:
        anchor: Vectors along the last dimension.
        positive: What they shall be near to.
        negative: What they shall be farther from.
        margin: By how much.
        p: The order of the norm that is the distance.
        eps: Added to each difference.
        swap: Whether the distance of positive and negative is taken where that is less.
        size_average: An older word for ``reduction``.
        reduce: Likewise.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: The numbers of dimensions differ.
        ValueError: The margin is not positive, or there is no such reduction.

    Source: Balntas et al., "Learning local feature descriptors with triplets and shallow
    convolutional neural networks", 2016.
    """
    reduction = chosen(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    values = _by_norm(anchor, positive, negative, margin, p, eps, swap)
    return reduced(values, reduction)


@public(method=False, name="triplet_margin_loss")
def triplet_margin_loss_of_tensors(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 0,
) -> Tensor:
    """Return what ``nn.functional.triplet_margin_loss`` does.

    Args:
        anchor: Vectors along the last dimension.
        positive: What they shall be near to.
        negative: What they shall be farther from.
        margin: By how much.
        p: The order of the norm that is the distance.
        eps: Added to each difference.
        swap: Whether the distance of positive and negative is taken where that is less.
        reduction: 0 for all, 1 for the mean, 2 for the sum.
    """
    values = _by_norm(anchor, positive, negative, margin, p, eps, swap)
    return reduced(values, REDUCTIONS[reduction])


def _by_norm(
    anchor: Any, positive: Any, negative: Any, margin: float, p: float, eps: float, swap: bool
) -> Any:
    _check_dims(anchor, positive, negative)

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    return _triplet(distance, anchor, positive, negative, margin, swap)


@public(method=False, name="nn.functional.triplet_margin_with_distance_loss")
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return ``triplet_margin_loss`` with a distance of one's own.

    Args:
        anchor: Vectors along the last dimension.
        positive: What they shall be near to.
        negative: What they shall be farther from.
        distance_function: Of two tensors; by default ``pairwise_distance``.
        margin: By how much.
        swap: Whether the distance of positive and negative is taken where that is less.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: The numbers of dimensions differ.
        ValueError: The margin is not positive, or there is no such reduction.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _check_dims(anchor, positive, negative)
    distance = distance_function or pairwise_distance
    return reduced(_triplet(distance, anchor, positive, negative, margin, swap), reduction)

"""Distances and angles between vectors that are rows of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad.errors import broadcast_shape, normal_dims
from gpugrad.graph import recording
from gpugrad.op import cast, public
from gpugrad.op.promotion import result_type
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import clone
from gpugrad.ops.distance import count_of_nonzero, norm_of
from gpugrad.ops.norms import norm
from gpugrad.ops.pointwise.choice import clamp_min
from gpugrad.ops.reduction import sum
from gpugrad.ops.shape import expand

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

_norm = norm_of.named("NormBackward1")


@public(method=False, name="cosine_similarity", names="nn.functional.cosine_similarity")
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between vectors along a dimension.

    Args:
        x1: Of any shape.
        x2: Of a shape that broadcasts with it.
        dim: Along which the vectors lie.
        eps: What a length is at least where it is divided by.

    Raises:
        RuntimeError: The types promote to none of floating point.
    """
    common = result_type([x1, x2])
    if not common.is_floating_point:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {common.title}"
        )
    shape = broadcast_shape(x1._array.shape, x2._array.shape)

    def direction(x: Any) -> Any:
        if x._array.dtype != common.numpy:
            x = cast(x, dtype=common.numpy)
        if x._array.shape != shape:
            x = expand(x, *shape)
        length = clone(norm_of(x, axes=normal_dims(dim, len(shape)), keepdims=True, order=2.0))
        with recording(False):  # the gradient of a short one is that of its length, all the same
            length.clamp_min_(eps)
        return pw.div(x, length)

    return sum(pw.mul(direction(x1), direction(x2)), dim)


@public(method=False, name="pairwise_distance", names="nn.functional.pairwise_distance")
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the norm of x1 - x2 + eps along the last dimension.

    Args:
        x1: Of any shape.
        x2: Of a shape that broadcasts with it.
        p: The order of the norm.
        eps: Added to each difference.
        keepdim: Whether the last dimension stays, with size 1.
    """
    difference = pw.add(pw.sub(x1, x2), eps)
    axes = normal_dims(-1, difference._array.ndim)
    if p == 0:
        return count_of_nonzero(difference, axes=axes, keepdims=keepdim)
    return _norm(difference, axes=axes, keepdims=keepdim, order=float(p))


@public(method=False, out=True, name="nn.functional.normalize")
def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """Return input divided by its norms along a dimension, or several.

    Args:
        input: Of any shape.
        p: The order of the norm.
        dim: Along which the vectors lie.
        eps: What a norm is at least where it is divided by.
    """
    return pw.div(input, clamp_min(norm(input, p, dim, keepdim=True), eps))

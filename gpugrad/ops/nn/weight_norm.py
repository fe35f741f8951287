"""Weights as lengths and directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.op import public
from gpugrad.ops.norms import norm

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(method=False)
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Return the norms of a tensor over all dimensions but one, which keep these with length 1.

    Args:
        v: The tensor.
        pow: The order.
        dim: The one dimension; -1 for the norm of all elements.
    """
    if dim == -1:
        return norm(v, pow)
    others = [k for k in range(v.dim()) if k != dim]
    return norm(v, pow, others, keepdim=True) if others else norm(v.unsqueeze(1), pow, 1)


def weight_norm(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """Return ``v`` with the norms ``g`` over all dimensions but one (Salimans and Kingma 2016)."""
    return v * (g / norm_except_dim(v, 2, dim))

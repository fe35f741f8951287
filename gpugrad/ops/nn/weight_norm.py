"""Weights as lengths and directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad import _dtype
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

    Raises:
        RuntimeError: The type is neither floating point nor complex.
    """
    if dim == -1:
        return _norm(v, pow)
    ones = [1] * (v.dim() - 1)
    if dim == 0:
        rows = v.contiguous().view(v.size(0), -1)
        return _norm(rows, pow, 1).view(v.size(0), *ones)
    if dim == v.dim() - 1:
        columns = v.contiguous().view(-1, v.size(dim))
        return _norm(columns, pow, 0).view(*ones, v.size(dim))
    return norm_except_dim(v.swapaxes(0, dim), pow, 0).swapaxes(0, dim)


def _norm(v: Tensor, pow: int, dim: int | None = None) -> Tensor:
    kind = _dtype.of(v._array.dtype)
    if not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{kind.title} instead."
        )
    return norm(v, pow, dim)


def weight_norm(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """Return ``v`` with the norms ``g`` over all dimensions but one (Salimans and Kingma 2016)."""
    return v * (g / norm_except_dim(v, 2, dim))

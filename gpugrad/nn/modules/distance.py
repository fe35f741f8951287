"""Distances as layers."""

from __future__ import annotations

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.module import Module


class PairwiseDistance(Module):
    """The norm of differences along the last dimension.

    Args:
        p: The order of the norm.
        eps: Added to each difference.
        keepdim: Whether the last dimension stays, with size 1.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False):
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the distances of rows."""
        return functional.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along a dimension.

    Args:
        dim: The dimension.
        eps: What a length is at least where it is divided by.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8):
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the cosines."""
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)

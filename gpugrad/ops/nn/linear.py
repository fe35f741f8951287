"""Affine maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.op import public
from gpugrad.ops.products import matmul

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(method=False, name="nn.functional.linear")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias``.

    Args:
        input: Of shape (..., features).
        weight: Of shape (results, features), or (features,).
        bias: Of shape (results,), or none.
    """
    out = matmul(input, weight.T)
    return out if bias is None else out + bias

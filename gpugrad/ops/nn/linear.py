"""Affine maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.op import public
from gpugrad.ops.products import matmul
from gpugrad.ops.shape import permute, reshape

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


@public(method=False, names="nn.functional.bilinear")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input1 @ weight[k] @ input2 + bias[k]`` for each ``k``, for vectors of two inputs.

    Args:
        input1: Of shape (..., features1).
        input2: Of shape (..., features2), the first dimensions as those of ``input1``.
        weight: Of shape (results, features1, features2).
        bias: Of shape (results,), or none.

    Raises:
        RuntimeError: The shapes do not fit.
    """
    _check(input1, input2, weight, bias)
    results, first, second = weight.shape
    left = matmul(input1, reshape(permute(weight, (1, 0, 2)), (first, results * second)))
    left = reshape(left, (*input1.shape[:-1], results, second))
    out = matmul(left, reshape(input2, (*input2.shape, 1)))
    out = reshape(out, (*input1.shape[:-1], results))
    return out if bias is None else out + bias


def _check(a: Tensor, b: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if a.dim() != b.dim():
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {a.dim()} and {b.dim()}"
        )
    for k, (m, n) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=True)):
        if m != n:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {k}: got {m} and {n}"
            )
    for name, got, expected in (
        ("input1", a.shape[-1], weight.shape[1]),
        ("input2", b.shape[-1], weight.shape[2]),
        ("bias", weight.shape[0] if bias is None else bias.shape[0], weight.shape[0]),
    ):
        if got != expected:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {got} but expected "
                f"{expected}"
            )

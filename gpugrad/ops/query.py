"""What is asked of a tensor, and answered by a bool or a number of Python's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.op import public

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public()
def is_complex(input: Tensor) -> bool:
    """Return whether the type of a tensor is complex."""
    return input.dtype.is_complex


@public()
def is_floating_point(input: Tensor) -> bool:
    """Return whether the type of a tensor is a floating point type."""
    return input.dtype.is_floating_point


@public()
def is_conj(input: Tensor) -> bool:
    """Return False: unlike PyTorch's, no tensor is conjugated only when it is read."""
    return False


@public(method=False)
def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return input.numel()

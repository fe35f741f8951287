"""What is asked of a tensor, and answered by a bool or a number of Python's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpugrad.op import public
from gpugrad.op.follower import follower_of

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
    """Return whether a tensor is a view of the conjugate of another: of ``conj``, ``mH``, ..."""
    base = follower_of(input)
    return base is not None and input.dtype.is_complex and not is_conj(base.source)


@public(method=False)
def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return input.numel()

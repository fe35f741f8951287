"""Results up to each element along a dimension: cumulative sums and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import backend
from gpugrad._dtype import dtype
from gpugrad.errors import normal_dim
from gpugrad.op import linear, public
from gpugrad.ops.indexing import flip
from gpugrad.ops.reduction import cast_first, summed_type

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@linear("CumsumBackward0")
def _cumsum(door: backend.Backend, input: Array, *, axis: int, dtype: np.dtype[Any]) -> Array:
    if not input.ndim:
        return door.astype(input, dtype)
    wide = np.dtype(np.float32) if dtype == np.float16 else dtype
    found = door.xp.cumsum(door.astype(input, wide), axis)
    return found if wide is dtype else door.astype(found, dtype)


@_cumsum.gradient
def input(g: Any, axis: int) -> Any:
    if not g._array.ndim:
        return g
    kind = g._array.dtype
    return flip(_cumsum(flip(g, axis), axis=axis, dtype=kind), axis)


@public(inplace="values", out=True)
def cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """Return at each place the sum of the elements up to it along ``dim``.

    Integers and bools give int64.  float16 accumulates in float32.
    """
    axis = normal_dim(dim, input._array.ndim)
    kind = summed_type(input, dtype)
    return _cumsum(cast_first(input, kind), axis=axis, dtype=kind)

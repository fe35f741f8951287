"""Logarithms of sums of exponentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT, accumulation
from gpugrad.errors import normal_dims
from gpugrad.formula import TORCH
from gpugrad.graph import mode
from gpugrad.op import OPS, cast, composite, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.extremum import attained
from gpugrad.ops.reduction import along_slope, restored, sum_over

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


@composite("LogsumexpBackward0")
def _logsumexp(door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool) -> Array:
    kind = input.dtype
    wide = accumulation(kind)
    complex_ = kind.kind == "c"
    size = door.astype(input, _dtype.of(kind).to_real().numpy) if complex_ else input
    if all(input.shape[k] for k in axes):
        largest = door.max(size, axes, True)
    else:
        largest = door.sum(size, axes, True, size.dtype)
    below, above = (OPS[name].of_kind(complex_).formula for name in ("exp_below", "log_above"))
    (terms,) = door.evaluate(below, (input, largest), wide, (wide,))
    total = door.sum(terms, axes, True, wide)
    (out,) = door.evaluate(above, (total, largest), wide, (kind,))
    if keepdims:
        return out
    return door.reshape(out, tuple(n for k, n in enumerate(input.shape) if k not in axes))


@_logsumexp.gradient
def input(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool) -> Any:
    ndim = input._array.ndim
    g, out = restored(g, axes, keepdims, ndim), restored(out, axes, keepdims, ndim)
    weights = along_slope(g, lambda g: pw.sized_exp_difference(g, input, out))
    if mode.conventions[-1] == TORCH or input._array.dtype.kind == "c":
        return weights
    here = attained(input.detach(), out.detach())
    count = sum_over(here, axes=axes, keepdims=True, dtype=g._array.dtype)
    ends = pw.where(here, pw.where(out > 0, g / count, 0), 0)
    return pw.where(pw.isinf(out), ends, weights)


@public(out=True, names="special.logsumexp")
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """Return log(exp(input).sum(dim)), without overflow.

    The gradients of numbers that are all -inf are nan, and so are those of inf; by the convention
    "math" they are 0 in the first case, and in the second the largest share the gradient evenly.
    """
    if input._array.dtype.kind not in INEXACT:
        input = cast(input, dtype=_dtype.get_default_dtype().numpy)
    return _logsumexp(input, axes=normal_dims(dim, input._array.ndim), keepdims=keepdim)

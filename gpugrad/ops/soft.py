"""Softmax, its logarithm, and logarithms of sums of exponentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT, accumulation, dtype
from gpugrad.errors import normal_dim, normal_dims
from gpugrad.formulas import TORCH
from gpugrad.graph import mode
from gpugrad.op import OPS, cast, composite, public
from gpugrad.op.operation import Declared
from gpugrad.ops import pointwise as pw
from gpugrad.ops.extremum import shared_among_equals
from gpugrad.ops.reduction import along_slope, cast_first, restored, sum_over

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
    (total,) = door.evaluate(below, (input, largest), wide, (wide,), largest.shape)
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
    ends = shared_among_equals(pw.where(out > 0, g, 0), input, out, axes, keepdims=True)
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


# --------------------------------------------------------------------------- softmax


def _soft(name: str, slope: Declared, log: bool) -> Declared:
    """Return the operation of softmax, or of its logarithm, with that of its gradient."""

    @composite(name)
    def computed(door: backend.Backend, input: Array, *, axis: int, dtype: np.dtype[Any]) -> Array:
        if input.ndim:
            return door.softmax(input, axis, log, dtype)
        return door.reshape(door.softmax(door.reshape(input, (1,)), 0, log, dtype), ())

    @computed.gradient
    def input(g: Any, out: Any, axis: int) -> Any:
        return slope(g, out, axis=axis)

    return computed


def _soft_slope(name: str, log: bool) -> Declared:
    """Return the operation of their gradients, of a gradient and a result of softmax."""

    @composite(name)
    def computed(door: backend.Backend, grad: Array, soft: Array, *, axis: int) -> Array:
        if grad.ndim:
            return door.softmax_gradient(grad, soft, axis, log)
        grad, soft = (door.reshape(a, (1,)) for a in (grad, soft))
        return door.reshape(door.softmax_gradient(grad, soft, 0, log), ())

    return computed


_softmax_slope = _soft_slope("SoftmaxBackwardDataBackward0", False)
_log_softmax_slope = _soft_slope("LogSoftmaxBackwardDataBackward0", True)


@_softmax_slope.gradient
def grad(g: Any, soft: Any, axis: int) -> Any:
    return _softmax_slope(g, soft, axis=axis)  # it is its own transpose


@_softmax_slope.gradient
def soft(g: Any, grad: Any, soft: Any, axis: int) -> Any:
    return g * (grad - _total(grad * soft, axis)) - grad * _total(g * soft, axis)


@_log_softmax_slope.gradient
def grad(g: Any, soft: Any, axis: int) -> Any:
    return g - _total(g * pw.exp(soft), axis)


@_log_softmax_slope.gradient
def soft(g: Any, grad: Any, soft: Any, axis: int) -> Any:
    return -g * pw.exp(soft) * _total(grad, axis)


def _total(x: Any, axis: int) -> Any:
    axes = (axis,) if x._array.ndim else ()
    return sum_over(x, axes=axes, keepdims=True, dtype=x._array.dtype)


_softmax = _soft("SoftmaxBackward0", _softmax_slope, False)
_log_softmax = _soft("LogSoftmaxBackward0", _log_softmax_slope, True)


@public(out=True, names="special.softmax")
def softmax(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor:
    """Return exp(input) / exp(input).sum(dim), without overflow.

    Of numbers that are all -inf it is nan.

    Raises:
        NotImplementedError: The type is not floating point.
    """
    return _soft_of("softmax", _softmax, input, dim, dtype)


@public(out=True, names="special.log_softmax")
def log_softmax(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor:
    """Return the logarithm of :func:`softmax`, also where that is 0.

    Raises:
        NotImplementedError: The type is not floating point.
    """
    return _soft_of("log_softmax", _log_softmax, input, dim, dtype)


@public(method=False)
def softmin(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor:
    """Return :func:`softmax` of -input."""
    return softmax(-input, dim, dtype)


def _soft_of(name: str, op: Declared, input: Tensor, dim: int, wanted: dtype | None) -> Any:
    if not isinstance(dim, int):
        raise TypeError(
            f"{name}(): argument 'dim' (position 2) must be int, not {type(dim).__name__}"
        )
    ndim = input._array.ndim
    axis = normal_dim(dim, ndim)
    kind = _dtype.chosen(wanted, _dtype.of(input._array.dtype))
    if not kind.is_floating_point:
        last = "lastdim_" if axis == max(ndim, 1) - 1 else ""
        raise NotImplementedError(
            f"\"{name}_{last}kernel_impl\" not implemented for '{kind.title}'"
        )
    return op(cast_first(input, kind.numpy), axis=axis, dtype=kind.numpy)

"""Variances and standard deviations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT, accumulation
from gpugrad.errors import normal_dims
from gpugrad.graph import warn
from gpugrad.op import OPS, composite, public
from gpugrad.op.operation import Declared
from gpugrad.ops import pointwise as pw
from gpugrad.ops.reduction import along_slope, mean, mean_of_std, mean_of_var, restored
from gpugrad.ops.scale import divided, in_range, without

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


def _check_floating(input: Tensor, functions: str = "std and var") -> None:
    if input._array.dtype.kind not in INEXACT:
        raise RuntimeError(f"{functions} only support floating point and complex dtypes")


def _spread(function: str, input: Any, axes: Shape, correction: float) -> Any:
    count = math.prod(input._array.shape[k] for k in axes)
    if count - correction <= 0:
        warn(
            f"{function}(): degrees of freedom is <= 0. Correction should be strictly less than "
            "the reduction factor (input numel divided by output numel)."
        )
    return max(count - correction, 0)


@composite("VarBackward0")
def _var(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, degrees: float
) -> Array:
    return _spread_of(door, input, axes, keepdims, degrees, "true_divide", "enlarged_variance")


def _spread_of(
    door: backend.Backend,
    input: Array,
    axes: Shape,
    keepdims: bool,
    degrees: float,
    plain: str,
    enlarged: str,
) -> Array:
    """Return what a formula makes of the sum of squared deviations and the degrees of freedom.

    The other formula is for numbers whose squares are out of range.
    """
    kind = input.dtype
    real = _dtype.of(kind).to_real().numpy
    wide = accumulation(kind)
    result = accumulation(real)
    array = door.astype(input, wide) if wide != kind else input
    complex_ = kind.kind == "c"
    squares = OPS["squared_distance"].of_kind(complex_).formula

    def summed(*size: Array) -> Array:
        values = array
        if size:
            reduced = OPS["reduced"].of_kind(complex_).formula
            (values,) = door.evaluate(reduced, (array, *size), wide, (wide,))
        center = door.mean(values, axes, True, wide)
        (total,) = door.evaluate(squares, (values, center), wide, (result,), center.shape)
        return total

    total, size = in_range(door, array, axes, 2, kind, summed)
    formula = OPS[enlarged if size else plain].formula
    (out,) = door.evaluate(formula, (total, result.type(degrees), *size), result, (real,))
    return without(door, out, axes, keepdims)


@_var.gradient
def input(g: Any, input: Any, axes: Shape, keepdims: bool, degrees: float) -> Any:
    g = restored(g, axes, keepdims, input._array.ndim)
    center = mean(input, axes, keepdim=True) if axes else input
    factor = 2.0 / degrees if degrees else math.inf
    return along_slope(g, lambda g: factor * g * (input - center))


@composite("StdBackward0")
def _std(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, degrees: float
) -> Array:
    return _spread_of(door, input, axes, keepdims, degrees, "deviation", "enlarged_deviation")


@_std.gradient
def input(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool, degrees: float) -> Any:
    ndim = input._array.ndim
    g, out = restored(g, axes, keepdims, ndim), restored(out, axes, keepdims, ndim)
    center = mean(input, axes, keepdim=True) if axes else input
    factor = 1.0 / degrees if degrees else math.inf

    def slope(g: Any) -> Any:  # of constant values it is 0 at every order, as in PyTorch
        return divided(pw.along_or_flat, out, factor * g, input - center)

    return along_slope(g, slope)


def _degrees(
    function: str, input: Tensor, dim: Any, unbiased: Any, correction: Any
) -> tuple[Shape, float]:
    if isinstance(dim, bool):  # PyTorch's var(input, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = int(unbiased)
    axes = normal_dims(dim, input._array.ndim)
    return axes, _spread(function, input, axes, 1 if correction is None else correction)


@public(out=True)
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Return the variance over ``dim``, divided by the count less ``correction`` (1 by default).

    Raises:
        RuntimeError: The type is neither floating point nor complex.
    """
    _check_floating(input)
    axes, degrees = _degrees("var", input, dim, unbiased, correction)
    return _var(input, axes=axes, keepdims=keepdim, degrees=degrees)


@public(out=True)
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Return the square root of :func:`var`; the gradient of constant values is 0."""
    _check_floating(input)
    axes, degrees = _degrees("std", input, dim, unbiased, correction)
    return _std(input, axes=axes, keepdims=keepdim, degrees=degrees)


_OF_VAR = _var.named("VarMeanBackward0"), mean_of_var
_OF_STD = _std.named("StdMeanBackward0"), mean_of_std


@public(method=False)
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return :func:`var` and :func:`mean`."""
    return _with_mean(_OF_VAR, "var_mean", input, dim, unbiased, keepdim, correction)


@public(method=False)
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return :func:`std` and :func:`mean`."""
    return _with_mean(_OF_STD, "std_mean", input, dim, unbiased, keepdim, correction)


def _with_mean(
    ops: tuple[Declared, Declared],
    function: str,
    input: Tensor,
    dim: Any,
    unbiased: Any,
    keepdim: bool,
    by: Any,
) -> Any:
    _check_floating(input, function)
    axes, degrees = _degrees(function, input, dim, unbiased, by)
    spread, center = ops
    return (
        spread(input, axes=axes, keepdims=keepdim, degrees=degrees),
        center(input, axes=axes, keepdims=keepdim, dtype=input._array.dtype),
    )

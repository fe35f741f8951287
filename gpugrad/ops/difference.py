"""Differences of neighbours, and what numerical mathematics makes of them: integrals, slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import errors
from gpugrad.errors import normal_dim
from gpugrad.graph import TensorBase
from gpugrad.op import public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import clone
from gpugrad.ops.joining import cat
from gpugrad.ops.part import narrow, select
from gpugrad.ops.pointwise.multiples import over, times
from gpugrad.ops.reduction import sum
from gpugrad.ops.scan import cumsum
from gpugrad.ops.shape import reshape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Number = bool | int | float | complex


def _neighbours(x: Any, axis: int) -> tuple[Any, Any]:
    """Return all elements along an axis but the last, and all but the first."""
    rest = max(x._array.shape[axis] - 1, 0)
    return narrow(x, axis, 0, rest), narrow(x, axis, min(1, x._array.shape[axis]), rest)


@public(out=True)
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Tensor:
    """Return the differences of neighbours along ``dim``, taken ``n`` times; of bools they are xor.

    What is to be prepended and appended is joined to the input first, if ``n`` is not 0.

    Raises:
        RuntimeError: There is no dimension, ``n`` is negative, or a shape does not fit.
    """
    if not input._array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    axis = normal_dim(dim, input._array.ndim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    for other in prepend, append:
        if other is not None:
            _check_joined(input, axis, other)
    if not n:
        return clone(input)
    if prepend is not None or append is not None:
        input = cat([t for t in (prepend, input, append) if t is not None], axis)
    for _ in range(min(n, input._array.shape[axis])):
        low, high = _neighbours(input, axis)
        input = pw.logical_xor(high, low) if input._array.dtype.kind == "b" else high - low
    return input


def _check_joined(input: Any, axis: int, other: Any) -> None:
    shape, given = input._array.shape, other._array.shape
    if len(given) != len(shape):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for k, (n, m) in enumerate(zip(shape, given, strict=True)):
        if n != m and k != axis:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input "
                f"except along the differencing dimension; input.size({k}) = {n}, but got "
                f"tensor.size({k}) = {m}"
            )


# --------------------------------------------------------------------------- integrals


def _widths(function: str, y: Any, x: Any, axis: int) -> Any:
    """Return the distances of sample points, which broadcast with those of ``y``."""
    if "b" in (y._array.dtype.kind, x._array.dtype.kind):
        raise RuntimeError(
            f"{function}: received a bool input for `x` or `y`, but bool is not supported"
        )
    ndim, shape = y._array.ndim, x._array.shape
    if len(shape) == 1:
        if shape[0] != y._array.shape[axis]:
            raise RuntimeError(f"{function}: There must be one `x` value for each sample point")
        return diff(reshape(x, tuple([-1 if k == axis else 1 for k in range(ndim)])), dim=axis)
    if len(shape) < ndim:
        x = reshape(x, (1,) * (ndim - len(shape)) + shape)
    return diff(x, dim=axis)


def _spaced(function: str, y: Any, x: Any, dx: Any) -> None:
    if x is not None and (dx is not None or not isinstance(x, TensorBase)):
        raise TypeError(f"{function}() takes a tensor x or a number dx, and not both")
    if dx is not None and not isinstance(dx, Number):
        raise TypeError(f"{function}(): argument 'dx' must be Number, not {type(dx).__name__}")
    if x is None and y._array.dtype.kind == "b":
        raise RuntimeError(f"{function}: received a bool input for `y`, but bool is not supported")


@public(method=False, names="trapz")
def trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Return the integral of samples along ``dim`` by the trapezoidal rule.

    They lie at the points ``x``, or ``dx`` (1) apart.
    """
    _spaced("trapezoid", y, x, dx)
    if not y._array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = normal_dim(dim, y._array.ndim)
    if not y._array.shape[axis]:
        return sum(y, axis) * 1.0
    if x is not None:
        low, high = _neighbours(y, axis)
        return over(sum((low + high) * _widths("trapezoid", y, x, axis), axis), 2.0)
    ends = select(y, axis, 0) + select(y, axis, -1)
    return times(sum(y, axis) - times(ends, 0.5), 1 if dx is None else dx)


@public(method=False)
def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Return the integrals of samples up to each but the first, by the trapezoidal rule.

    They lie at the points ``x``, or ``dx`` (1) apart.
    """
    _spaced("cumulative_trapezoid", y, x, dx)
    if not y._array.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    axis = normal_dim(dim, y._array.ndim)
    low, high = _neighbours(y, axis)
    if x is not None:
        return over(cumsum((low + high) * _widths("cumulative_trapezoid", y, x, axis), axis), 2.0)
    return cumsum(times(low + high, (1 if dx is None else dx) / 2.0), axis)


# --------------------------------------------------------------------------- slopes


@public(method=False)
def gradient(
    input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Return estimates of the partial derivatives of a function by its samples, one for each dim.

    Inside they are exact for polynomials of degree 2; at the edges for the degree ``edge_order``.

    Args:
        input: The samples.
        spacing: The distance of samples, one for all dimensions or one for each; or for each
            dimension a vector of coordinates.
        dim: The dimensions, all by default.
        edge_order: 1 or 2.

    Raises:
        RuntimeError: There are not as many spacings as dimensions, or too few samples.
    """
    ndim = input._array.ndim
    spacing = 1 if spacing is None else spacing
    several = not isinstance(spacing, Number) and not (
        isinstance(spacing, TensorBase) and not spacing._array.ndim
    )
    if dim is None:
        dims: list[int] = list(range(ndim))
    else:
        dims = [dim] if isinstance(dim, int) else list(dim)
    if several and dim is None and len(spacing) != ndim:
        raise RuntimeError(
            "gpugrad.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"equal to 'self.dim() = {ndim}', since dim argument was not given, but got a list of "
            f"length {len(spacing)}"
        )
    if several and dim is not None and len(spacing) != len(dims):
        raise RuntimeError(
            "gpugrad.gradient expected spacing to be unspecified, a scalar or it's spacing and dim "
            f"arguments to have the same length, but got a spacing argument of length "
            f"{len(spacing)} and a dim argument of length {len(dims)}."
        )
    if input._array.dtype == np.uint8:
        raise RuntimeError("gpugrad.gradient does not support uint8 input.")
    if edge_order not in (1, 2):
        raise RuntimeError("gpugrad.gradient only supports edge_order=1 and edge_order=2.")
    axes = errors.normal_dims(dims, ndim) if dims else ()
    for axis in axes:
        if input._array.shape[axis] < edge_order + 1:
            raise RuntimeError(
                "gpugrad.gradient expected each dimension size to be at least edge_order+1"
            )
    steps: Sequence[Any] = spacing if several else [spacing] * len(axes)
    if several:
        for step in steps:
            if isinstance(step, TensorBase) and step._array.ndim != 1:
                raise RuntimeError(
                    "gpugrad.gradient expected each element of spacing to have one dimension, but "
                    f"got an element with {step._array.ndim} dimensions!"
                )
    return tuple([_slope(input, a, s, edge_order) for a, s in zip(axes, steps, strict=True)])


def _slope(x: Any, axis: int, step: Any, order: int) -> Any:
    """Return the slopes along one axis."""
    length = x._array.shape[axis]

    def part(tensor: Any, start: int, count: int) -> Any:
        return narrow(tensor, axis, start, count)

    if isinstance(step, TensorBase) and step._array.ndim:
        ones = [1] * x._array.ndim
        ones[axis] = -1
        points: Any = step
        width = reshape(diff(points), tuple(ones))
        count = width._array.shape[axis]
        low, high = part(width, 0, count - 1), part(width, 1, count - 1)
        inside = (
            part(x, 0, length - 2) * (-high / (low * (low + high)))
            + part(x, 1, length - 2) * ((high - low) / (low * high))
            + part(x, 2, length - 2) * (low / (high * (low + high)))
        )
        first, second = part(width, 0, 1), part(width, min(1, count - 1), 1)
        last, before = part(width, count - 1, 1), part(width, max(count - 2, 0), 1)
    else:
        first = second = last = before = step
        inside = (part(x, 2, length - 2) - part(x, 0, length - 2)) / step / 2
    if order == 1:
        start = (part(x, 1, 1) - part(x, 0, 1)) / first
        end = (part(x, length - 1, 1) - part(x, length - 2, 1)) / last
    else:
        start = _edge([part(x, k, 1) for k in range(3)], first, second)
        end = -_edge([part(x, length - 1 - k, 1) for k in range(3)], last, before)
    return cat([start, inside, end], axis)


def _edge(values: Sequence[Any], near: Any, far: Any) -> Any:
    """Return the slope of the parabola through three samples at the first of them."""
    a = -(2 * near + far) / (near * (near + far))
    b = (near + far) / (near * far)
    c = -near / (far * (near + far))
    return values[0] * a + values[1] * b + values[2] * c

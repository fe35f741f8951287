"""Sums, means and products of elements; whether all or any are true."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._dtype import INEXACT, accumulation, dtype
from gpugrad.backend.batched import all_of
from gpugrad.errors import ALL, normal_dims
from gpugrad.formulas import TORCH
from gpugrad.graph import mode
from gpugrad.op import OPS, cast, composite, expand_to, linear, pointwise, public
from gpugrad.op.saved import Like, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.joining import cat
from gpugrad.ops.part import narrow
from gpugrad.ops.pointwise.multiples import over
from gpugrad.ops.shape import alias, as_shape, reshape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]
Dim = int | Sequence[int] | None


def restored(g: Any, axes: Shape, keepdims: bool, ndim: int) -> Any:
    """Return a reduction's result (or its gradient) with the reduced dimensions as size 1."""
    if keepdims or len(axes) == ndim:  # what is 0-d broadcasts as it is
        return g
    shape = list(g._array.shape)
    for axis in sorted(axes):
        shape.insert(axis, 1)
    return reshape(g, tuple(shape))


def repeated(g: Any, shape: Shape, axes: Shape, keepdims: bool) -> Any:
    """Return the gradient of what was reduced to ``g``, the same along the reduced dimensions."""
    g = restored(g, axes, keepdims, len(shape))
    if mode.enabled:
        return expand_to(g, shape=shape)
    return wrap(backend.of(g._array).broadcast_to(g._array, shape))  # which nobody will write to


def along_slope(g: Any, slope: Callable[[Any], Any]) -> Any:
    """Return ``slope(g)``, a gradient that is a multiple of ``g`` element by element.

    By the convention "math" it is 0 where ``g`` or the factor is, whatever the other is.
    """
    return slope(g) if mode.conventions[-1] == TORCH else pw.chained(g, slope(1.0))


# --------------------------------------------------------------------------- sum, mean, prod


@linear("SumBackward0")
def sum_over(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, dtype: np.dtype[Any]
) -> Array:
    """Return the sum over axes, as a type."""
    return door.sum(input, axes, keepdims, dtype)


@sum_over.gradient
def input(g: Any, like: Like, axes: Shape, keepdims: bool) -> Any:
    return repeated(g, like.shape, axes, keepdims)


_sum_along = sum_over.named("SumBackward1")


@linear("MeanBackward0")
def _mean(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, dtype: np.dtype[Any]
) -> Array:
    return door.mean(input, axes, keepdims, dtype)


@_mean.gradient
def input(g: Any, like: Like, axes: Shape, keepdims: bool) -> Any:
    # the small gradient is divided, then viewed in full size: nothing of full size is written
    count = math.prod(like.shape[k] for k in axes) or 1  # of nothing there is no gradient
    return repeated(over(g, count), like.shape, axes, keepdims)


_mean_along = _mean.named("MeanBackward1")
mean_of_var, mean_of_std = _mean.named("VarMeanBackward0"), _mean.named("StdMeanBackward0")


@composite("ProdBackward0")
def _prod(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, dtype: np.dtype[Any]
) -> Array:
    return door.prod(input, axes, keepdims, dtype)


@_prod.gradient
def input(g: Any, input: Any, axes: Shape, keepdims: bool) -> Any:
    g = restored(g, axes, keepdims, input._array.ndim)
    if g._array.dtype != input._array.dtype:
        input = cast(input, dtype=g._array.dtype)
    return along_slope(g, lambda g: g * pw.conjugate(_products_of_others(input, axes)))


_prod_along = _prod.named("ProdBackward1")


def _products_of_others(input: Any, axes: Shape) -> Any:
    """Return at each element the product of all others along ``axes``, right with any zeros.

    Products from the left and from the right are doubled in log2(n) steps, with no division.  Where
    a product of finite numbers has a zero, it is 0, also if others overflow.
    """
    array = input._array
    if axes and not mode.enabled:  # else they are differentiated
        found = backend.of(array).others(array, axes)
        if found is not None:
            return wrap(found)
    ndim = array.ndim
    kept = tuple(k for k in range(ndim) if k not in axes)
    order = (*kept, *axes)
    moved = input.permute(order)
    sizes = input._array.shape
    flat = reshape(moved, (*(sizes[k] for k in kept), math.prod(sizes[k] for k in axes)))
    if flat._array.shape[-1] == 1:
        return pw.one_for(input) if ndim else ones_like_of(input)
    finite = all(pw.isfinite(flat.detach()), -1, keepdim=True)
    left = _shifted_products(flat, finite)
    right = _shifted_products(flat.flip(-1), finite).flip(-1)
    result = reshape(pw.product_in(finite, left, right), moved._array.shape)
    return result.permute(tuple(order.index(k) for k in range(ndim)))


def _shifted_products(flat: Any, finite: Any) -> Any:
    """Return at each place the product of what stands before it along the last dimension."""
    n = flat._array.shape[-1]
    if n == 0:
        return flat
    one = ones_like_of(narrow(flat, -1, 0, 1))
    result = cat([one, narrow(flat, -1, 0, n - 1)], -1) if n > 1 else one
    step = 1
    while step < n:
        ones = expand_to(one, shape=(*flat._array.shape[:-1], step))
        result = pw.product_in(finite, result, cat([ones, narrow(result, -1, 0, n - step)], -1))
        step *= 2
    return result


def ones_like_of(t: Any) -> Any:
    """Return ones of a tensor's shape, type and device."""
    door = backend.of(t._array)
    return wrap(door.full(t._array.shape, 1, t._array.dtype, door.device_of(t._array)))


def summed_type(input: Tensor, wanted: dtype | None) -> np.dtype[Any]:
    """Return the type of a sum or product: of integers and bools int64."""
    if wanted is not None:
        return _dtype.chosen(wanted, wanted).numpy
    found = input._array.dtype
    return found if found.kind in INEXACT else _dtype.int64.numpy


def _reduced(first: str) -> tuple[str, str]:
    """Return the signatures of a sum or a mean; the first ends as is told."""
    kind = "gpugrad.dtype dtype = None"
    some = f"(Tensor input, tuple of ints dim, bool keepdim = False, *, {kind}, Tensor out = None)"
    return f"(Tensor input, *, {kind}{first})", some


@public(out="dtype", signatures=_reduced(""))
def sum(
    input: Tensor, dim: Dim = ALL, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the sum over ``dim`` (all of them by default); integers and bools give int64.

    float16 accumulates in float32.
    """
    kind = input._array.dtype
    if dtype is not None or kind.kind not in INEXACT:
        kind = summed_type(input, dtype)
        input = cast_first(input, kind)
    axes = normal_dims(None if dim is ALL else dim, input._array.ndim)
    return (sum_over if dim is ALL else _sum_along)(input, axes=axes, keepdims=keepdim, dtype=kind)


def cast_first(input: Tensor, kind: np.dtype[Any]) -> Any:
    """Return the input in the type that its sum is asked for in, if that type holds less."""
    found = input._array.dtype
    if found is kind or found.kind not in INEXACT or np.can_cast(found, kind):
        return input
    return cast(input, dtype=kind)


@pointwise("where(isnan(x), 0, x)")
def without_nan() -> None:
    """Return input with 0 in the place of nan."""


@composite("NansumBackward0")
def _nansum(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, dtype: np.dtype[Any]
) -> Array:
    if door.type == "cpu":  # on a GPU it would be to wait
        total = door.sum(input, axes, keepdims, dtype)
        if not np.isnan(all_of(total)).any():
            return total
    kind = accumulation(dtype)
    shape = tuple([1 if k in axes else n for k, n in enumerate(input.shape)])
    formula = OPS["without_nan"].formula
    (out,) = door.evaluate(formula, (input,), kind, (dtype,), shape)
    return out if keepdims else door.reshape(out, _left(input.shape, axes))


def _left(shape: Shape, axes: Shape) -> Shape:
    return tuple([n for k, n in enumerate(shape) if k not in axes])


@_nansum.gradient
def input(g: Any, input: Any, axes: Shape, keepdims: bool) -> Any:
    g = restored(g, axes, keepdims, input._array.ndim)
    return pw.where(pw.isnan(input.detach()), 0, g)


@public(out="dtype")
def nansum(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the sum over ``dim`` (all of them by default) of what is not nan.

    Raises:
        RuntimeError: The input is complex.
    """
    if input._array.dtype.kind == "c":
        where = backend.of(input._array).type.upper()
        raise RuntimeError(f"nansum on {where} does not support complex inputs")
    kind = summed_type(input, dtype)
    if input._array.dtype.kind != "f" or kind.kind != "f":
        found = input if input._array.dtype.kind != "f" else without_nan(input)
        return sum(found, dim, keepdim, dtype=_dtype.of(kind))
    axes = normal_dims(dim, input._array.ndim)
    return _nansum(cast_first(input, kind), axes=axes, keepdims=keepdim, dtype=kind)


@public(out=True)
def nanmean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the mean over ``dim`` (all of them by default) of what is not nan.

    Raises:
        RuntimeError: The type is not floating point.
    """
    kind = _dtype.of(input._array.dtype)
    if kind.category < _dtype.FLOAT:
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{kind.title}"
        )
    total = nansum(input, dim, keepdim, dtype=dtype)
    return total / _count(pw.eq(input.detach(), input.detach()), dim, keepdim)


@public(out="inexact", signatures=_reduced(", Tensor out = None"))
def mean(
    input: Tensor, dim: Dim = ALL, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the mean over ``dim`` (all of them by default); nan of no elements.

    Raises:
        RuntimeError: The type is neither floating point nor complex.
    """
    kind = input._array.dtype if dtype is None else _dtype.chosen(dtype, dtype).numpy
    if kind.kind not in INEXACT:
        origin = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {origin} dtype must be either a floating point "
            f"or complex dtype. Got: {_dtype.of(kind).title}"
        )
    axes = normal_dims(None if dim is ALL else dim, input._array.ndim)
    op = _mean if dim is ALL else _mean_along
    return op(cast_first(input, kind), axes=axes, keepdims=keepdim, dtype=kind)


@public(
    out="dtype",
    signatures=(
        "(Tensor input, *, gpugrad.dtype dtype = None)",
        "(Tensor input, int dim, bool keepdim = False, *, gpugrad.dtype dtype = None, "
        "Tensor out = None)",
    ),
)
def prod(
    input: Tensor, dim: int = ALL, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the product of all elements, or along one dimension.

    The gradient is right with any number of zeros.
    """
    axes = normal_dims(None if dim is ALL else dim, input._array.ndim)
    kind = summed_type(input, dtype)
    op = _prod if dim is ALL else _prod_along
    return op(cast_first(input, kind), axes=axes, keepdims=keepdim, dtype=kind)


# --------------------------------------------------------------------------- truth


@composite("NotImplemented")
def _truth(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, every: bool
) -> Array:
    """Return of NumPy's arrays whether all elements are nonzero, or at least one, as bools."""
    truth = input if input.dtype.kind == "b" else input != 0
    way: Any = np.logical_and if every else np.logical_or
    return way.reduce(truth, axes, keepdims=keepdims)


@_truth.gradient
def input() -> Any:
    raise NotImplementedError("what is true or not has no derivative")


def _axes(input: Tensor, dim: Dim) -> Shape:
    """Return the axes of a question: of ``()`` none."""
    none = isinstance(dim, Sequence) and not dim
    return () if none else normal_dims(dim, input._array.ndim)


_QUESTION = (
    "(Tensor input, *, Tensor out = None)",
    "(Tensor input, tuple of ints dim = None, bool keepdim = False, *, Tensor out = None)",
    "(Tensor input, int dim, bool keepdim = False, *, Tensor out = None)",
)


@public(out=True, signatures=_QUESTION)
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Return whether all elements are nonzero, over ``dim`` (all by default), as bool.

    A uint8 tensor gives uint8.  Over ``()`` it is whether each is.
    """
    if input._array.__class__ is np.ndarray:
        return _as_truth(_truth(input, axes=_axes(input, dim), keepdims=keepdim, every=True), input)
    return _as_truth(pw.eq(_count(pw.eq(input.detach(), 0), dim, keepdim, ()), 0), input)


@public(out=True, signatures=_QUESTION)
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Return whether at least one element is nonzero, over ``dim`` (all by default), as bool.

    A uint8 tensor gives uint8.  Over ``()`` it is whether each is.
    """
    if input._array.__class__ is np.ndarray:
        return _as_truth(
            _truth(input, axes=_axes(input, dim), keepdims=keepdim, every=False), input
        )
    return _as_truth(pw.ne(_count(pw.ne(input.detach(), 0), dim, keepdim, ()), 0), input)


@public()
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """Return how many elements are not 0, over ``dim`` (all by default), as int64."""
    return _count(pw.ne(input.detach(), 0), dim, False)


def _count(true: Any, dim: Dim, keepdim: bool, none: Shape | None = None) -> Any:
    """Return how often something is true; ``none`` are the axes that ``()`` means, if not all."""
    axes = normal_dims(dim, true._array.ndim)
    if none is not None and isinstance(dim, Sequence) and not dim:
        axes = none
    return sum_over(true, axes=axes, keepdims=keepdim, dtype=_dtype.int64.numpy)


def _as_truth(result: Any, input: Tensor) -> Any:
    byte = _dtype.uint8.numpy  # PyTorch's bool of old
    return cast(result, dtype=byte) if input._array.dtype == byte else result


@public(function=False)
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Return the sums over what must be broadcast for ``size`` to become the input's shape.

    Raises:
        RuntimeError: ``size`` does not broadcast to that.
    """
    shape, full = as_shape(size, "sum_to_size"), input._array.shape
    ends = zip(reversed(shape), reversed(full), strict=False)
    if len(shape) > len(full) or not builtins.all(n in (1, m) for n, m in ends):
        raise RuntimeError(
            f"size {{{errors.size(shape)}}} is not expandable to size {{{errors.size(full)}}}."
        )
    if shape == full and shape:
        return alias(input)
    axes = errors.summed_axes(full, shape)
    kind = summed_type(input, None)
    total: Any = _sum_along(input, axes=axes, keepdims=True, dtype=kind)
    return total if total._array.shape == shape else total.view(shape)

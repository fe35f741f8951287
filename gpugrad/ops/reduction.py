"""Sums, means, products, extrema and norms; whether tensors are equal, or nearly so."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._dtype import dtype
from gpugrad.backend.batched import all_of, levels_of
from gpugrad.errors import normal_dim, normal_dims
from gpugrad.formula import TORCH
from gpugrad.graph import TensorBase, mode, warn
from gpugrad.op import (
    OPS,
    cast,
    composite,
    different_devices,
    expand_to,
    linear,
    pointwise,
    public,
    sum_to,
)  # fmt: skip
from gpugrad.op.operation import Declared
from gpugrad.op.promotion import as_operand
from gpugrad.op.saved import Like, descended, door_of, read, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.creation import finish
from gpugrad.ops.indexing import flip, gather_along, scatter_along
from gpugrad.ops.shape import cat, detach, narrow, reshape, unsqueeze

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


def _repeated(g: Any, shape: Shape, axes: Shape, keepdims: bool) -> Any:
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
def _sum(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, dtype: np.dtype[Any]
) -> Array:
    return door.sum(input, axes, keepdims, dtype)


@_sum.gradient
def input(g: Any, like: Like, axes: Shape, keepdims: bool) -> Any:
    return _repeated(g, like.shape, axes, keepdims)


_sum_along = _sum.named("SumBackward1")


@linear("MeanBackward0")
def _mean(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, dtype: np.dtype[Any]
) -> Array:
    return door.mean(input, axes, keepdims, dtype)


@_mean.gradient
def input(g: Any, like: Like, axes: Shape, keepdims: bool) -> Any:
    # the small gradient is divided, then viewed in full size: nothing of full size is written
    count = math.prod(like.shape[k] for k in axes)
    return _repeated(g / count, like.shape, axes, keepdims)


_mean_along = _mean.named("MeanBackward1")


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
    finite = all(pw.is_finite(flat.detach()), -1, keepdim=True)
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


def _summed_type(input: Tensor, wanted: dtype | None) -> np.dtype[Any]:
    if wanted is not None:
        return _dtype.chosen(wanted, wanted).numpy
    found = input._array.dtype
    return found if found.kind in "fc" else _dtype.int64.numpy


@public(out=True)
def sum(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the sum over ``dim`` (all of them by default); integers and bools give int64.

    float16 accumulates in float32.
    """
    kind = input._array.dtype
    if dtype is not None or kind.kind not in "fc":
        kind = _summed_type(input, dtype)
        input = _cast_first(input, kind)
    axes = normal_dims(dim, input._array.ndim)
    return (_sum if dim is None else _sum_along)(input, axes=axes, keepdims=keepdim, dtype=kind)


def _cast_first(input: Tensor, kind: np.dtype[Any]) -> Any:
    """Return the input in the type that its sum is asked for in, if that type holds less."""
    found = input._array.dtype
    if found is kind or found.kind not in "fc" or np.can_cast(found, kind):
        return input
    return cast(input, dtype=kind)


@public(out=True)
def mean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the mean over ``dim`` (all of them by default); nan of no elements.

    Raises:
        RuntimeError: The type is neither floating point nor complex.
    """
    kind = input._array.dtype if dtype is None else _dtype.chosen(dtype, dtype).numpy
    if kind.kind not in "fc":
        origin = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {origin} dtype must be either a floating point "
            f"or complex dtype. Got: {_dtype.of(kind).title}"
        )
    axes = normal_dims(dim, input._array.ndim)
    op = _mean if dim is None else _mean_along
    return op(_cast_first(input, kind), axes=axes, keepdims=keepdim, dtype=kind)


@public(out=True)
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Return the product of all elements, or along one dimension.

    The gradient is right with any number of zeros.
    """
    axes = normal_dims(dim, input._array.ndim)
    kind = _summed_type(input, dtype)
    op = _prod if dim is None else _prod_along
    return op(_cast_first(input, kind), axes=axes, keepdims=keepdim, dtype=kind)


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
    kind = _summed_type(input, dtype)
    return _cumsum(_cast_first(input, kind), axis=axis, dtype=kind)


# --------------------------------------------------------------------------- extrema


def _extreme(name: str, extreme: str) -> Declared:
    """Return the operation of a maximum or minimum over some dimensions."""

    @composite(name)
    def reduced(door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool) -> Array:
        return getattr(door, extreme)(input, axes, keepdims)

    @reduced.gradient
    def input(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool) -> Any:
        return _shared_among_extrema(g, input, out, axes, keepdims)

    return reduced


_max, _min = _extreme("MaxBackward1", "max"), _extreme("MinBackward1", "min")
_amax, _amin = _max.named("AmaxBackward0"), _min.named("AminBackward0")


def _shared_among_extrema(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool) -> Any:
    """Return the gradient of an extremum: ties share it evenly, and so do nans."""
    ndim = input._array.ndim
    g, out = restored(g, axes, keepdims, ndim), restored(out, axes, keepdims, ndim).detach()
    here = attained(input.detach(), out)
    kind = g._array.dtype
    count = _sum(here, axes=axes, keepdims=True, dtype=kind)
    return pw.where(here, g / count, 0)


@pointwise("either(eq(x, y), both(isnan(x), isnan(y)))", promotion="compare")
def attained() -> None:
    """Return where input equals other, nan equalling nan, as bool."""


class max_result(NamedTuple):  # noqa: N801  PyTorch prints it so
    """The maxima along a dimension and where they are."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return f"gpugrad.return_types.max(\nvalues={self.values},\nindices={self.indices})"


class min_result(NamedTuple):  # noqa: N801  PyTorch prints it so
    """The minima along a dimension and where they are."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return f"gpugrad.return_types.min(\nvalues={self.values},\nindices={self.indices})"


def _with_indices(
    door: backend.Backend, input: Array, indices: Array, axis: int, keepdims: bool
) -> Any:
    where = door.xp.expand_dims(indices, axis) if input.ndim else indices
    values = gather_along(door, input, where, axis) if input.ndim else door.copy(input)
    if not keepdims and input.ndim:
        values, where = values.squeeze(axis), where.squeeze(axis)
    return values, where


def _extreme_along(name: str, place: str) -> Declared:
    """Return the operation of a maximum or minimum along a dimension, and of where it is."""

    @composite(name, outputs=("values", "indices"))
    def reduced(door: backend.Backend, input: Array, *, axis: int, keepdims: bool) -> Any:
        indices = getattr(door, place)(input, axis if input.ndim else None)
        return _with_indices(door, input, indices, axis, keepdims)

    @reduced.gradient
    def input(g: Any, like: Like, indices: Any, axis: int, keepdims: bool) -> Any:
        return _to_chosen(g, like, indices, axis, keepdims)

    return reduced


_max_along = _extreme_along("MaxBackward0", "argmax")
_min_along = _extreme_along("MinBackward0", "argmin")


def _to_chosen(g: Any, like: Like, indices: Any, axis: int, keepdims: bool) -> Any:
    if not like.shape:
        return g
    if not keepdims:
        g, indices = unsqueeze(g, axis), unsqueeze(indices, axis)
    return scatter_along(g, indices, like.shape, axis)


def _needs_elements(name: str, input: Tensor, dim: Any) -> None:
    shape = input._array.shape
    if dim is None:
        if 0 in shape:
            kind = IndexError if name.startswith("arg") else RuntimeError
            tail = (
                "" if name.startswith("arg")
                else " Specify the reduction dim with the 'dim' argument."
            )  # fmt: skip
            raise kind(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0.{tail}"
            )
        return
    for d in (dim,) if isinstance(dim, int) else dim:
        if shape and shape[normal_dim(d, len(shape))] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def _needs_order(name: str, input: Tensor, kernel: str = "") -> None:
    """Raise for complex numbers: where PyTorch finds that out in a kernel, it names that."""
    if input._array.dtype.kind == "c":
        if kernel:
            title = _dtype.of(input._array.dtype).title
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{title}'")
        raise RuntimeError(f"{name}(): does not support complex input")


def _extremum(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    if isinstance(dim, TensorBase):
        return (pw.maximum if name == "max" else pw.minimum)(input, dim)
    _needs_elements(name, input, dim)
    _needs_order(name, input, f"{name}_all" if dim is None else "")
    if dim is None:
        axes = tuple(range(input._array.ndim))
        return (_max if name == "max" else _min)(input, axes=axes, keepdims=False)
    axis = normal_dim(dim, input._array.ndim)
    if name == "max":
        return max_result(*_max_along(input, axis=axis, keepdims=keepdim))
    return min_result(*_min_along(input, axis=axis, keepdims=keepdim))


@public(out=True)
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """Return the maximum of all; with ``dim`` the maxima along it and their indices.

    With a tensor as the second argument, the elementwise maximum of the two.
    nan wins.  Ties of the maximum of all share the gradient; along a dimension the first takes it.

    Raises:
        IndexError: The dimension is empty.
        RuntimeError: There are no elements at all.
    """
    return _extremum("max", input, dim if other is None else other, keepdim)


@public(out=True)
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """Return the minimum of all; with ``dim`` the minima along it and their indices.

    See :func:`max`.
    """
    return _extremum("min", input, dim if other is None else other, keepdim)


@public(out=True)
def amax(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """Return the maxima over ``dim`` (all by default); ties share the gradient evenly."""
    _needs_elements("amax", input, dim if dim != () else None)
    _needs_order("amax", input, f"max_values_{backend.of(input._array).type}")
    return _amax(input, axes=normal_dims(dim, input._array.ndim), keepdims=keepdim)


@public(out=True)
def amin(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """Return the minima over ``dim`` (all by default); ties share the gradient evenly."""
    _needs_elements("amin", input, dim if dim != () else None)
    _needs_order("amin", input, f"min_values_{backend.of(input._array).type}")
    return _amin(input, axes=normal_dims(dim, input._array.ndim), keepdims=keepdim)


def _position(name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    _needs_order(name, input)
    _needs_elements(name, input, dim)
    read(input)
    array = input._array
    door = door_of(array)
    axis = None if dim is None else normal_dim(dim, array.ndim)
    find = door.argmax if name == "argmax" else door.argmin
    result = find(array, axis if array.ndim else None)
    if keepdim:
        ones = (1,) * array.ndim if axis is None else None
        result = door.reshape(result, ones) if ones is not None else (
            door.xp.expand_dims(result, axis) if array.ndim else result
        )  # fmt: skip
    return descended(finish(wrap(result), False), (input,))


@public(out=True)
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the int64 index of the first maximum: of all, flattened, or along ``dim``."""
    return _position("argmax", input, dim, keepdim)


@public(out=True)
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the int64 index of the first minimum: of all, flattened, or along ``dim``."""
    return _position("argmin", input, dim, keepdim)


# --------------------------------------------------------------------------- logsumexp


@composite("LogsumexpBackward0")
def _logsumexp(door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool) -> Array:
    kind = input.dtype
    wide = np.dtype(np.float32) if kind == np.float16 else kind
    complex_ = kind.kind == "c"
    size = door.astype(input, _dtype.of(kind).to_real().numpy) if complex_ else input
    if builtins.all(input.shape[k] for k in axes):
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
    count = _sum(here, axes=axes, keepdims=True, dtype=g._array.dtype)
    ends = pw.where(here, pw.where(out > 0, g / count, 0), 0)
    return pw.where(pw.isinf(out), ends, weights)


@public(out=True, names="special.logsumexp")
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """Return log(exp(input).sum(dim)), without overflow.

    The gradients of numbers that are all -inf are nan, and so are those of inf; by the convention
    "math" they are 0 in the first case, and in the second the largest share the gradient evenly.
    """
    if input._array.dtype.kind not in "fc":
        input = cast(input, dtype=_dtype.get_default_dtype().numpy)
    return _logsumexp(input, axes=normal_dims(dim, input._array.ndim), keepdims=keepdim)


# --------------------------------------------------------------------------- spread


def _check_floating(input: Tensor) -> None:
    if input._array.dtype.kind not in "fc":
        raise RuntimeError("std and var only support floating point and complex dtypes")


def _spread(function: str, input: Any, axes: Shape, correction: float) -> Any:
    count = math.prod(input._array.shape[k] for k in axes)
    if count - correction <= 0:
        warn(
            f"{function}(): degrees of freedom is <= 0. Correction should be strictly less than "
            "the reduction factor (input numel divided by output numel)."
        )
    return builtins.max(count - correction, 0)


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
    wide = np.dtype(np.float32) if kind == np.float16 else kind
    result = np.dtype(np.float32) if kind == np.float16 else real
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

    total, size = _in_range(door, array, axes, 2, kind, summed)
    formula = OPS[enlarged if size else plain].formula
    (out,) = door.evaluate(formula, (total, result.type(degrees), *size), result, (real,))
    return _without(door, out, axes, keepdims)


def _without(door: backend.Backend, array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return a reduction's result without the dimensions of size 1, unless these are kept."""
    if keepdims or not axes:
        return array
    return door.reshape(array, tuple([n for k, n in enumerate(array.shape) if k not in axes]))


def _in_range(
    door: backend.Backend,
    array: Array,
    axes: Shape,
    degree: float,
    kind: np.dtype[Any],
    summed: Callable[..., Array],
) -> tuple[Array, tuple[Array, ...]]:
    """Return a sum of powers of a degree of some numbers, and by what these were divided for that.

    ``summed()`` computes it from the numbers themselves, ``summed(size)`` from what is left of them
    when they have been divided by the largest size, or the least for a negative degree.  On the
    CPU the first is tried; to see whether its result is in range would be to wait for a GPU.
    ``kind`` is the type that the numbers had before they were converted.
    """
    known, own = _finfo(array.dtype), _finfo(kind)
    # Beside so large a sum does not count what had to become 0.  Other roots than the square root
    # magnify the rounding of their exponent by the logarithm of the number.
    reach = 2.0 ** (-known.minexp / 2 if degree == 2 else 63)
    always = 0 < degree <= 1 or (
        kind != array.dtype
        and own.smallest_subnormal ** builtins.abs(degree) > 1 / reach
        and own.max ** builtins.abs(degree) < reach
    )
    if not always and door.type != "cpu":
        size = door.largest(array, axes, degree < 0)
        return summed(size), (size,)
    total = summed()
    low, high = 1 / reach, float(known.max) if degree == 2 else reach
    if always or _between(total, low, high):
        return total, ()
    size = door.largest(array, axes, degree < 0)
    least = low / float(known.eps) if degree == 2 else math.inf  # whose squared roundings count
    if _without_loss(all_of(total), all_of(size), low, high, least):
        return total, ()
    return summed(size), (size,)


_finfo = functools.cache(np.finfo)


def _between(array: Array, low: float, high: float) -> bool:
    """Tell whether all numbers of an array lie between two."""
    whole = all_of(array)
    if whole.size == 1:
        return low <= whole.item() <= high
    return not whole.size or low <= float(whole.min()) <= float(whole.max()) <= high


def _without_loss(total: Array, size: Array, low: float, high: float, least: float) -> bool:
    """Tell whether sums are in range, or 0 because all that was added up is: by largest sizes."""
    nothing = (total == 0) & ((size == 0) | ((size >= least) & (size <= high)))
    return bool((nothing | ((total >= low) & (total <= high))).all())


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
        return _divided(pw.along_or_flat, out, factor * g, input - center)

    return along_slope(g, slope)


def _divided(op: Callable[..., Any], out: Any, g: Any, x: Any) -> Any:
    """Return what an operation makes of x / out; complex numbers are not divided by subnormals."""
    if x._array.dtype.kind == "c":
        near_out = pw.binade(out)
        x, out = x / near_out, out / near_out
    return op(out, g, x)


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


# --------------------------------------------------------------------------- norm


@composite("LinalgVectorNormBackward0")
def _norm(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, order: float
) -> Array:
    kind = input.dtype
    real = _dtype.of(kind).to_real().numpy
    size = input
    if kind.kind == "c" or order != 2:  # a square needs no sign
        formula = OPS["abs"].of_kind(kind.kind == "c").formula
        (size,) = door.evaluate(formula, (input,), kind, (real,))
    if order == math.inf:
        return door.max(size, axes, keepdims)
    if order == -math.inf:
        return door.min(size, axes, keepdims)
    wide = np.dtype(np.float32) if real == np.float16 else real
    shape = tuple([1 if k in axes else n for k, n in enumerate(input.shape)])
    if wide != real:
        size = door.astype(size, wide)

    def summed(*largest: Array) -> Array:
        terms, exponent = pw.with_exponent("reduced_power" if largest else "power", order)
        operands = (size, *largest, *map(wide.type, exponent))
        (total,) = door.evaluate(terms, operands, wide, (wide,), shape)
        return total

    total, largest = _in_range(door, size, axes, order, real, summed)
    root, exponent = pw.with_exponent("enlarged_power" if largest else "power", 1 / order)
    operands = (*largest, total, *map(wide.type, exponent))
    (out,) = door.evaluate(root, operands, wide, (real,))
    return _without(door, out, axes, keepdims)


@composite("LinalgVectorNormBackward0")
def _count_of_nonzero(door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool) -> Array:
    """Return the norm of order 0, which has no gradient, not even zeros."""
    kind = input.dtype
    formula = OPS["nonzero_as_one"].of_kind(kind.kind == "c").formula
    real = _dtype.of(kind).to_real().numpy
    wide = np.dtype(np.float32) if real == np.float16 else real
    (ones,) = door.evaluate(formula, (input,), kind, (wide,))
    return door.sum(ones, axes, keepdims, real)


@_norm.gradient
def input(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool, order: float) -> Any:
    ndim = input._array.ndim
    g, out = restored(g, axes, keepdims, ndim), restored(out, axes, keepdims, ndim)
    if order == 2:
        return along_slope(g, lambda g: _divided(pw.along, out, g, input))
    direction = pw.sgn(input)
    if order == 1:
        return direction * g
    size = pw.abs(input)
    if abs(order) == math.inf:
        here = attained(size.detach(), out.detach())
        count = _sum(here, axes=axes, keepdims=True, dtype=g._array.dtype)
        return direction * pw.where(here, g / count, 0)
    scale = pw.where(out == 0, 1, out.detach())  # relative to it, powers are in their type's range
    size, unit = size / scale, out / scale
    if order < 1:
        inner = direction * pw.where(size == 0, 0, size ** (order - 1))
        return along_slope(g, lambda g: inner * (g * pw.where(out == 0, 0, unit ** (1 - order))))
    inner = direction * size ** (order - 1)
    divided = pw.along if order < 2 else pw.along_or_flat
    return along_slope(g, lambda g: divided(unit ** (order - 1), g, inner))


@public(out=True)
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    dtype: dtype | None = None,
) -> Tensor:
    """Return the p-norm of the elements as a vector, over ``dim`` (all by default).

    ``"fro"`` and ``None`` mean 2; ``p`` may be 0, inf or -inf.  The gradient at 0 is 0, and at ties
    of inf it is shared.

    Raises:
        RuntimeError: The type is neither floating point nor complex, or ``p`` is another word.
    """
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm(): order '{p}' is not supported; use 'fro' or a number")
    order = 2.0 if p in ("fro", None) else float(p)
    if dtype is not None:
        input = cast(input, dtype=dtype.numpy)
    if input._array.dtype.kind not in "fc":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{_dtype.of(input._array.dtype).title}"
        )
    axes = normal_dims(dim, input._array.ndim)
    if (
        0 in input._array.shape
        and abs(order) == math.inf
        and not builtins.all(input._array.shape[k] for k in axes)
    ):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {order} norm on an empty tensor because the "
            "operation does not have an identity"
        )
    if order == 0:
        return _count_of_nonzero(input, axes=axes, keepdims=keepdim)
    return _norm(input, axes=axes, keepdims=keepdim, order=order)


# --------------------------------------------------------------------------- truth


@public(out=True)
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Return whether all elements are nonzero, over ``dim`` (all by default), as bool.

    A uint8 tensor gives uint8.
    """
    return _as_truth(pw.eq(_count(pw.eq(input.detach(), 0), dim, keepdim), 0), input)


@public(out=True)
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Return whether at least one element is nonzero, over ``dim`` (all by default), as bool.

    A uint8 tensor gives uint8.
    """
    return _as_truth(pw.ne(_count(pw.ne(input.detach(), 0), dim, keepdim), 0), input)


def _count(true: Any, dim: Dim, keepdim: bool) -> Any:
    axes = normal_dims(dim, true._array.ndim)
    return _sum(true, axes=axes, keepdims=keepdim, dtype=_dtype.int64.numpy)


def _as_truth(result: Any, input: Tensor) -> Any:
    byte = _dtype.uint8.numpy  # PyTorch's bool of old
    return cast(result, dtype=byte) if input._array.dtype == byte else result


__all__ = ["errors", "sum_to"]


# --------------------------------------------------------------------------- closeness


def _other(function: str, other: Any) -> Any:
    found = as_operand(function, "other", 1, other)
    if not isinstance(found, TensorBase):
        raise errors.must_be_tensor(function, "other", 2, other)
    return found


@public()
def equal(input: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same shape and values; their types may differ.

    nan is not equal to itself.

    Raises:
        RuntimeError: They are on different devices, or inside ``vmap``, where it may differ by
            example.
        TypeError: ``other`` is no tensor.
    """
    other = _other("equal", other)
    read(input)
    read(other)
    if levels_of(input._array) or levels_of(other._array):
        raise RuntimeError(
            "Batching rule not implemented for aten::equal. We could not generate a fallback."
        )
    if input.device != other.device:
        raise different_devices([input.device, other.device])
    if input._array.shape != other._array.shape:
        return False
    return bool(all(pw.eq(input, other)).item())


@public(promotes=True)
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Return where ``|input - other| <= atol + rtol |other|``, as bool.

    An infinity is close to itself only.  Integers are compared in the default floating point type,
    beside being equal.

    Args:
        input: Of any type and shape.
        other: Of the same type, and of a shape that broadcasts with that of ``input``.
        rtol: The relative tolerance.
        atol: The absolute tolerance.
        equal_nan: Whether nan is close to nan.

    Raises:
        RuntimeError: The types differ, or a tolerance is negative.
        TypeError: ``other`` is no tensor.
    """
    x, y = detach(input), detach(_other("isclose", other))
    kind = _dtype.of(x._array.dtype)
    if x._array.dtype != y._array.dtype:
        raise RuntimeError(f"{kind.title} did not match {_dtype.of(y._array.dtype).title}")
    for name, value in ("rtol", rtol), ("atol", atol):
        if not value >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}")
    close: Tensor = pw.eq(x, y)
    if equal_nan:
        close = close | (pw.isnan(x) & pw.isnan(y))
    if rtol == 0 and atol == 0:
        return close
    if kind.category < _dtype.FLOAT:
        x, y = x.to(_dtype.get_default_dtype()), y.to(_dtype.get_default_dtype())
    error, allowed = pw.abs(x - y), atol + pw.abs(rtol * y)
    return close | ((error < math.inf) & (error <= allowed))


@public(promotes=True)
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Return whether :func:`isclose` holds everywhere.

    Raises:
        RuntimeError: As :func:`isclose`; or inside ``vmap``, where it may differ by example.
        TypeError: ``other`` is no tensor.
    """
    other = _other("allclose", other)
    read(input)
    read(other)
    if levels_of(input._array) or levels_of(other._array):
        raise RuntimeError(
            "vmap over gpugrad.allclose isn't supported yet. Please file an issue at "
            "https://github.com/pytorch/pytorch/issues if you need this feature."
        )
    return bool(all(isclose(input, other, rtol, atol, equal_nan)).item())

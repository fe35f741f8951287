"""Elements by their rank: medians, quantiles, the k-th; and those that occur most often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import FLOATING
from gpugrad.backend.batched import all_of, levels_of
from gpugrad.errors import ALL, integer, normal_dim
from gpugrad.graph import TensorBase
from gpugrad.op import OPS, composite, pointwise, public
from gpugrad.op.operation import Declared
from gpugrad.op.results import results
from gpugrad.op.saved import Like, read, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.extremum import needs_elements, shared_among_equals, to_chosen, with_indices
from gpugrad.ops.indexing import gather_along
from gpugrad.ops.joining import cat
from gpugrad.ops.order import sort
from gpugrad.ops.part import narrow
from gpugrad.ops.pointwise.combination import lerp
from gpugrad.ops.pointwise.rounding import ceil, floor, round
from gpugrad.ops.reduction import sum_over
from gpugrad.ops.scatter import gather
from gpugrad.ops.shape import movedim, reshape, squeeze, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_MEDIAN, _NANMEDIAN, _MODE, _KTHVALUE = (
    results(name, "values", "indices") for name in ("median", "nanmedian", "mode", "kthvalue")
)


@pointwise("where(isnan(x), x, y)")
def nan_or() -> None:
    """Return input where that is nan, else other."""


# --------------------------------------------------------------------------- ranks


def _evaluated(door: backend.Backend, name: str, *arrays: Array, result: Any = None) -> Array:
    kind = arrays[0].dtype
    (found,) = door.evaluate(OPS[name].formula, arrays, kind, (result or kind,))
    return found


def _median_of(door: backend.Backend, array: Array, axis: int) -> Array:
    """Return the lower of two medians, nan where there is one."""
    length = array.shape[axis]
    if array.dtype.kind not in FLOATING:
        return door.kth(array, axis, ((length - 1) // 2,))[0]
    middle, last = door.kth(array, axis, ((length - 1) // 2, length - 1))
    return _evaluated(door, "nan_or", last, middle)


def _nanmedian_of(door: backend.Backend, array: Array, axis: int) -> Array:
    """Return the lower of two medians of what is not nan, nan where nothing is."""
    if array.dtype.kind not in FLOATING:
        return _median_of(door, array, axis)
    if door.type == "cpu":  # on a GPU it would be to wait
        found = _median_of(door, array, axis)
        if not np.isnan(all_of(found)).any():
            return found
    order = door.order(array, axis, False)  # nan comes last
    known = wrap(_evaluated(door, "eq", array, array, result=np.dtype(np.bool_)))
    count = sum_over(known, axes=(axis,), keepdims=True, dtype=np.dtype(np.int64))
    rank = pw.where(count > 0, (count - 1) // 2, 0)._array
    return gather_along(door, array, gather_along(door, order, rank, axis), axis)


def _kth_of(door: backend.Backend, array: Array, axis: int, k: int) -> Array:
    return door.kth(array, axis, (k - 1,))[0]


def _with_places(
    door: backend.Backend, array: Array, values: Array, axis: int, keepdims: bool
) -> tuple[Array, Array]:
    """Return values along an axis, and where the first element that equals them is."""
    here = _evaluated(door, "attained", array, values, result=np.dtype(np.bool_))
    return with_indices(door, array, door.argmax(here, axis), axis, keepdims)


def _by_rank(name: str, find: Any) -> Declared:
    """Return the operation that finds values along an axis, and where they are."""

    @composite(name, outputs=("values", "indices"))
    def ranked(
        door: backend.Backend, input: Array, *, axis: int, keepdims: bool, how: tuple[Any, ...]
    ) -> Any:
        array = door.own(input)
        if not array.ndim:
            return door.copy(array), door.full((), 0, np.dtype(np.int64), door.device_of(array))
        return _with_places(door, array, find(door, array, axis, *how), axis, keepdims)

    @ranked.gradient
    def input(g: Any, like: Like, indices: Any, axis: int, keepdims: bool) -> Any:
        return to_chosen(g, like, indices, axis, keepdims)

    return ranked


_median_along = _by_rank("MedianBackward1", _median_of)
_nanmedian_along = _by_rank("NanmedianBackward1", _nanmedian_of)
_kthvalue = _by_rank("KthvalueBackward0", _kth_of)


def _of_all(name: str, find: Any) -> Declared:
    """Return the operation that finds the value of all elements."""

    @composite(name)
    def ranked(door: backend.Backend, input: Array) -> Array:
        flat = door.reshape(door.own(input), (-1,))
        if not flat.shape[0]:
            return door.full((), np.nan, flat.dtype, door.device_of(flat))
        return door.reshape(find(door, flat, 0), ())

    @ranked.gradient
    def input(g: Any, input: Any, out: Any) -> Any:
        return shared_among_equals(g, input, out, tuple(range(input._array.ndim)), False)

    return ranked


_median_all = _of_all("MedianBackward0", _median_of)
_nanmedian_all = _of_all("NanmedianBackward0", _nanmedian_of)


def _check_kind(kernel: str, input: Tensor, *, bools: bool = False) -> None:
    """Raise where there is no order, or none of bools."""
    kind = _dtype.of(input._array.dtype)
    if kind.is_complex or (kind is _dtype.bool_ and not bools):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.title}'")


def _median(name: str, ops: Any, made: Any, input: Tensor, dim: Any, keepdim: bool) -> Any:
    if dim is ALL:
        _check_kind(f"median_{backend.of(input._array).type}", input)
        return ops[0](input)
    axis = normal_dim(dim, input._array.ndim)
    needs_elements(name, input, dim)
    _check_kind("median_out", input)
    return made(*ops[1](input, axis=axis, keepdims=keepdim, how=()))


@public(out=True)
def median(input: Tensor, dim: int = ALL, keepdim: bool = False) -> Any:
    """Return the median of all; with ``dim`` the medians along it and their indices.

    Of an even number of elements it is the lower of two; nan wins.  Elements that equal the median
    of all share its gradient; along a dimension the first of them takes it.

    Raises:
        IndexError: The dimension is empty.
        NotImplementedError: The input is complex, or of bools.
    """
    return _median("median", (_median_all, _median_along), _MEDIAN, input, dim, keepdim)


@public(out=True)
def nanmedian(input: Tensor, dim: int = ALL, keepdim: bool = False) -> Any:
    """Return the median of what is not nan; see :func:`median`."""
    ops = (_nanmedian_all, _nanmedian_along)
    return _median("nanmedian", ops, _NANMEDIAN, input, dim, keepdim)


@public(out="disjoint")
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the elements of which ``k`` - 1 are smaller along ``dim``, and where the first is.

    nan is greater than all numbers.

    Raises:
        IndexError: The dimension is empty.
        NotImplementedError: The input is complex, or of bools.
        RuntimeError: There are not as many elements.
    """
    k = integer("kthvalue", "k", 2, k)
    axis = normal_dim(dim, input._array.ndim)
    needs_elements("kthvalue", input, axis)
    if not 1 <= k <= (input._array.shape[axis] if input._array.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    _check_kind(f"kthvalue_{backend.of(input._array).type}", input)
    return _KTHVALUE(*_kthvalue(input, axis=axis, keepdims=keepdim, how=(k,)))


# --------------------------------------------------------------------------- mode


@composite("ModeBackward0", outputs=("values", "indices"))
def _mode(door: backend.Backend, input: Array, *, axis: int, keepdims: bool) -> Any:
    array = door.own(input)
    if not array.ndim:
        return door.copy(array), door.full((), 0, np.dtype(np.int64), door.device_of(array))
    length = array.shape[axis]
    order = door.order(array, axis, False)
    sorted = wrap(gather_along(door, array, order, axis))
    rest = pw.ne(narrow(sorted, axis, 1, length - 1), narrow(sorted, axis, 0, length - 1))
    first = pw.eq(narrow(sorted, axis, 0, 1) * 0, 1)  # it may begin anywhere: it is place 0
    ones = [1] * array.ndim
    ones[axis] = length
    places = wrap(door.count(length, door.device_of(array)).reshape(ones))
    starts = pw.where(cat([first, rest], axis), places, 0)
    begun = wrap(door.scan_extreme(starts._array, axis, True)[0])
    # the end of the first run that is as long as any
    at = door.argmax((places - begun)._array, axis)
    found = gather_along(door, order, door.xp.expand_dims(at, axis), axis)
    return with_indices(door, array, found.squeeze(axis), axis, keepdims)


@_mode.gradient
def input(g: Any, like: Like, indices: Any, axis: int, keepdims: bool) -> Any:
    return to_chosen(g, like, indices, axis, keepdims)


@public(out=True)
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """Return what occurs most often along ``dim``, and where it occurs last.

    Of several it is the smallest.

    Raises:
        IndexError: The dimension is empty.
        NotImplementedError: The input is complex.
    """
    axis = normal_dim(dim, input._array.ndim)
    needs_elements("mode", input, axis)
    _check_kind(f"mode_{backend.of(input._array).type}", input, bools=True)
    return _MODE(*_mode(input, axis=axis, keepdims=keepdim))


# --------------------------------------------------------------------------- quantiles

_WAYS = ("linear", "lower", "higher", "midpoint", "nearest")


@public(out=True)
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """Return the elements of which the part ``q`` is smaller, of all or along ``dim``.

    Where there is none, it is made of its neighbours.  A slice with nan gives nan.

    Args:
        input: float32 or float64.
        q: A number between 0 and 1, or a vector of them, which makes the first dimension.
        dim: The dimension, by default all elements.
        keepdim: Whether the dimension stays, with length 1.
        interpolation: "linear", "lower", "higher", "midpoint" or "nearest".

    Raises:
        RuntimeError: ``q`` is out of range, or of another type; or there are no elements.
    """
    return _quantile(input, q, dim, keepdim, interpolation, False)


@public(out=True)
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """Return the quantiles of what is not nan; see :func:`quantile`."""
    return _quantile(input, q, dim, keepdim, interpolation, True)


def _quantile(
    input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, skips: bool
) -> Any:
    ndim = input._array.ndim
    number = not isinstance(q, TensorBase)
    if number and not isinstance(q, int | float):
        name = "nanquantile" if skips else "quantile"
        raise TypeError(f"{name}(): argument 'q' must be Tensor or float, not {type(q).__name__}")
    if number and not 0 <= q <= 1:
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    _check_quantile(input, q, number, interpolation)
    axis = None if dim is None else normal_dim(dim, ndim)
    if not number:
        _check_between(q)
    else:
        array, door = np.asarray(q, input._array.dtype), backend.of(input._array)
        q = wrap(door.from_numpy(array, door.device_of(all_of(input._array))))
    rows = reshape(input, (-1,)) if axis is None or not ndim else movedim(input, axis, -1)
    found = _by_rows(rows, reshape(q, (-1,)), interpolation, skips)
    if keepdim and ndim:
        found = reshape(found, (*(1,) * ndim, -1)) if axis is None else unsqueeze(found, axis)
    return movedim(found, -1, 0) if q._array.ndim else squeeze(found, -1)


def _check_quantile(input: Any, q: Any, number: bool, interpolation: str) -> None:
    if not input._array.size:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if not number and q._array.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if _dtype.of(input._array.dtype) not in (_dtype.float32, _dtype.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if not number:
        if q._array.dtype != input._array.dtype:
            raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
        if q.device != input.device:
            raise RuntimeError("quantile() q tensor must be on the same device as the input tensor")
    if interpolation not in _WAYS:
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )


def _check_between(q: Any) -> None:
    read(q)
    if backend.of(all_of(q._array)).type == "cpu" and not levels_of(q._array):
        values = q._array
        if not ((values >= 0) & (values <= 1)).all():
            raise RuntimeError("quantile() q values must be in the range [0, 1]")


def _by_rows(rows: Any, q: Any, interpolation: str, skips: bool) -> Any:
    """Return the quantiles of rows: a last dimension of as many as ``q`` has."""
    sorted = sort(rows, -1)[0]
    length, axis = rows._array.shape[-1], rows._array.ndim - 1
    known = pw.eq(rows.detach(), rows.detach())
    count = sum_over(known, axes=(axis,), keepdims=True, dtype=np.dtype(np.int64))
    if skips:
        rank = pw.clamp(q * (count - 1).to(q._kind), min=0)
    else:
        rank = pw.where(pw.eq(count, length), q * (length - 1), length - 1)
    if interpolation == "lower":
        rank = floor(rank)
    elif interpolation == "higher":
        rank = ceil(rank)
    elif interpolation == "nearest":
        rank = round(rank)
    below = floor(rank.detach()).to(_dtype.int64)
    low = gather(sorted, -1, below)
    if interpolation not in ("linear", "midpoint"):
        return low
    above = ceil(rank.detach()).to(_dtype.int64)
    high = gather(sorted, -1, above)
    weight = rank - below.to(rank._kind)
    if interpolation == "midpoint":
        weight = weight.detach() * 0 + 0.5
    return lerp(low, high, weight)

"""Results up to each element along a dimension: cumulative sums, products, extrema."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype, is_half
from gpugrad.errors import normal_dim
from gpugrad.graph import mode
from gpugrad.op import cast, composite, linear, public
from gpugrad.op.operation import Declared
from gpugrad.op.results import results
from gpugrad.op.saved import Like, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.extremum import to_chosen
from gpugrad.ops.joining import cat
from gpugrad.ops.part import narrow
from gpugrad.ops.reduction import cast_first, summed_type

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


# --------------------------------------------------------------------------- sums


@linear("CumsumBackward0")
def _cumsum(
    door: backend.Backend, input: Array, *, axis: int, dtype: np.dtype[Any], reverse: bool
) -> Array:
    found = input if input.dtype == dtype else door.astype(input, dtype)
    return door.scan("sum", [found], axis, reverse) if input.ndim else door.copy(found)


@_cumsum.gradient
def input(g: Any, axis: int, reverse: bool) -> Any:
    return _cumsum(g, axis=axis, dtype=g._array.dtype, reverse=not reverse)


def _scanned_type(function: str, input: Tensor, wanted: dtype | None) -> np.dtype[Any]:
    kind = summed_type(input, wanted)
    if kind.kind == "b":
        where = backend.of(input._array).type
        raise NotImplementedError(f"\"{function}_out_{where}\" not implemented for 'Bool'")
    return kind


@public(inplace="values alike", out="dtype")
def cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """Return at each place the sum of the elements up to it along ``dim``.

    Integers and bools give int64.  float16 accumulates in float32.
    """
    axis = normal_dim(dim, input._array.ndim)
    kind = _scanned_type("cumsum", input, dtype)
    return _cumsum(cast_first(input, kind), axis=axis, dtype=kind, reverse=False)


# --------------------------------------------------------------------------- recurrences


@composite("RecurrenceBackward0")
def _recurrence(
    door: backend.Backend, factor: Array, input: Array, *, axis: int, reverse: bool
) -> Array:
    """Return ``y[k] = factor[k] * y[k - 1] + input[k]``; in reverse it is y[k + 1].

    It is what the gradients of scans are made of, and its own gradients are recurrences in the
    other direction.
    """
    return door.scan("recurrence", [factor, input], axis, reverse)


@_recurrence.gradient
def input(g: Any, factor: Any, axis: int, reverse: bool) -> Any:
    factor = pw.conjugate(_moved(factor, axis, not reverse))
    return _recurrence(factor, g, axis=axis, reverse=not reverse)


@_recurrence.gradient
def factor(g: Any, factor: Any, out: Any, axis: int, reverse: bool) -> Any:
    factor = pw.conjugate(_moved(factor, axis, not reverse))
    found = _recurrence(factor, g, axis=axis, reverse=not reverse)
    return found * pw.conjugate(_moved(out, axis, reverse))


def _moved(x: Any, axis: int, back: bool, value: complex = 0) -> Any:
    """Return a tensor with its elements moved one place on, or back; a value where none comes."""
    shape = list(x._array.shape)
    length, shape[axis] = shape[axis], 1
    door = backend.of(x._array)
    edge = wrap(door.full(tuple(shape), value, x._array.dtype, door.device_of(x._array)))
    if back:
        return cat([narrow(x, axis, 1, length - 1), edge], axis)
    return cat([edge, narrow(x, axis, 0, length - 1)], axis)


# --------------------------------------------------------------------------- products


@composite("CumprodBackward0")
def _cumprod(door: backend.Backend, input: Array, *, axis: int, dtype: np.dtype[Any]) -> Array:
    found = input if input.dtype == dtype else door.astype(input, dtype)
    return door.scan("prod", [found], axis) if input.ndim else door.copy(found)


@_cumprod.gradient
def input(g: Any, input: Any, out: Any, axis: int) -> Any:
    if not g._array.size or not g._array.ndim:
        return g
    kind = g._array.dtype
    if input._array.dtype != kind:
        input = cast(input, dtype=kind)
    found = None if mode.enabled else _divided(g._array, input._array, out._array, axis)
    if found is not None:
        return wrap(found)
    # what stands before an element, times the sum of what is made of those after it: no division
    before = _moved(out, axis, False, 1)
    factor = pw.conjugate(_moved(input, axis, True))
    return pw.conjugate(before) * _recurrence(factor, g, axis=axis, reverse=True)


def _divided(g: Array, input: Array, out: Array, axis: int) -> Array | None:
    """Return the gradient by a division, where no product is 0 or out of range.

    That is asked on the CPU only: on a GPU it would be to wait.
    """
    door = backend.of(g)
    if door.type != "cpu" or door.xp is not np or g.dtype.kind == "c" or is_half(g.dtype):
        return None
    size = np.absolute(out)
    known = np.finfo(out.dtype)
    if not known.tiny / known.eps < size.min() <= size.max() < known.max * known.eps:
        return None
    found = door.scan("sum", [g * out], axis, True)
    return found / input


@public(inplace="values alike", out="dtype")
def cumprod(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """Return at each place the product of the elements up to it along ``dim``.

    Integers and bools give int64.  float16 accumulates in float32.  The gradients are right with
    any number of zeros, at every order.
    """
    axis = normal_dim(dim, input._array.ndim)
    kind = _scanned_type("cumprod", input, dtype)
    return _cumprod(cast_first(input, kind), axis=axis, dtype=kind)


# --------------------------------------------------------------------------- exponentials


@composite("LogcumsumexpBackward0")
def _logcumsumexp(door: backend.Backend, input: Array, *, axis: int) -> Array:
    return door.scan("logaddexp", [input], axis) if input.ndim else door.copy(input)


@_logcumsumexp.gradient
def input(g: Any, input: Any, out: Any, axis: int) -> Any:
    if not g._array.size or not g._array.ndim:
        return g
    # the sums so far only grow, if they are of real numbers, so that no factor is above 1
    after = _moved(out, axis, True, math.inf)
    rise = pw.where(out == after, 0, out - after)  # also of infinite ones
    factor = pw.conjugate(pw.exp(rise))
    weights = _recurrence(factor, g, axis=axis, reverse=True)
    return pw.sized_exp_difference(weights, input, out)


@public(out=True)
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """Return at each place the logarithm of the sum of the exponentials up to it along ``dim``.

    Raises:
        NotImplementedError: The type is neither floating point nor complex.
    """
    axis = normal_dim(dim, input._array.ndim)
    kind = _dtype.of(input._array.dtype)
    if kind.category < _dtype.FLOAT:
        where = backend.of(input._array).type
        raise NotImplementedError(
            f"\"logcumsumexp_out_{where}\" not implemented for '{kind.title}'"
        )
    return _logcumsumexp(input, axis=axis)


# --------------------------------------------------------------------------- extrema


def _extreme(name: str, greatest: bool) -> Declared:
    """Return the operation of the extrema up to each place, and of where they are."""

    @composite(name, outputs=("values", "indices"))
    def scanned(door: backend.Backend, input: Array, *, axis: int) -> Any:
        if input.ndim:
            return door.scan_extreme(input, axis, greatest)
        where = door.device_of(input)
        return door.copy(input), door.full((), 0, np.dtype(np.int64), where)

    @scanned.gradient
    def input(g: Any, like: Like, indices: Any, axis: int) -> Any:
        return to_chosen(g, like, indices, axis, True)

    return scanned


_cummax, _cummin = _extreme("CummaxBackward0", True), _extreme("CumminBackward0", False)
_CUMMAX, _CUMMIN = (results(name, "values", "indices") for name in ("cummax", "cummin"))


@public(out=True)
def cummax(input: Tensor, dim: int) -> Any:
    """Return the maxima up to each place along ``dim``, and where the last of each is; nan wins."""
    return _CUMMAX(*_cumulative_extreme(_cummax, "cummax", input, dim))


@public(out=True)
def cummin(input: Tensor, dim: int) -> Any:
    """Return the minima up to each place along ``dim``, and where the last of each is; nan wins."""
    return _CUMMIN(*_cumulative_extreme(_cummin, "cummin", input, dim))


def _cumulative_extreme(op: Any, name: str, input: Any, dim: int) -> Any:
    axis = normal_dim(dim, input._array.ndim)
    kind = input._array.dtype
    if kind.kind == "c":
        title, where = _dtype.of(kind).title, backend.of(input._array).type
        raise NotImplementedError(f"\"{name}_{where}\" not implemented for '{title}'")
    return op(input, axis=axis)

"""Elements that are put together at the places which an index names: sums, products, extrema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import FLOAT32, INEXACT, is_half
from gpugrad.backend.batched import Batched, all_of, copy_to_write
from gpugrad.errors import NO_DIMENSIONS, missing, normal_dim, size
from gpugrad.graph import TensorBase, mode
from gpugrad.op import OPS, cast, composite, linear, public
from gpugrad.op.operation import Declared, together
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.extremum import attained
from gpugrad.ops.indexing import add_at, along, taken
from gpugrad.ops.scatter import (
    assigned,
    begin,
    grid_of,
    names_nothing,
    nothing,
    one_value,
)

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_INT64 = np.dtype(np.int64)


def _first(way: str, kind: np.dtype[Any]) -> Any:
    """Return what changes nothing that it is put together with."""
    if way in ("sum", "prod"):
        return int(way == "prod")
    if kind.kind == "b":
        return way == "amin"
    if kind.kind == "f":
        return np.inf if way == "amin" else -np.inf
    limits = np.iinfo(kind)
    return limits.max if way == "amin" else limits.min


def _put_together(
    door: backend.Backend,
    input: Array,
    source: Array,
    index: Any,
    include_self: bool,
    way: str,
    counts: Array = None,
) -> Array:
    """Return a copy of ``input`` with the elements of ``source`` where the index names.

    They are put together with what is there, or with each other alone, and divided by ``counts``.
    Sums and products of halves are rounded once.
    """
    kind = input.dtype
    if is_half(kind):
        input, source = (door.astype(a, FLOAT32) for a in (input, source))
    result = copy_to_write(input, door, (source, *index))
    if not include_self:
        door.put(result, index, _first(way, result.dtype))
    door.reduce_at(result, index, source, way)
    if counts is not None:
        result = _divided(door, result, counts)
    return result if result.dtype == kind else door.astype(result, kind)


def _divided(door: backend.Backend, total: Array, counts: Array) -> Array:
    kind = total.dtype
    exact = kind.kind in INEXACT
    formula = OPS["true_divide" if exact else "floor_divide"].of_kind(kind.kind == "c").formula
    (result,) = door.evaluate(formula, (total, counts), kind, (kind,))
    return result


def _counted(input: Any, source: Any, index: Any, include_self: bool) -> Array:
    """Return how many elements are put together at each place, at least 1, as int64."""
    door, _, (array, values) = together(
        (input, source), [i for i in index if i.__class__ is Batched]
    )
    one = door.full((), 1, _INT64, door.device_of(array))
    counts = copy_to_write(door.broadcast_to(one, array.shape), door, index)
    if not include_self:
        door.put(counts, index, 0)
    door.add_at(counts, index, door.broadcast_to(one, values.shape))
    return counts


# --------------------------------------------------------------------------- declarations


@linear("ScatterReduceBackward0", arrays="index")
def _summed(
    door: backend.Backend,
    input: Array,
    source: Array,
    *,
    index: Any,
    include_self: bool,
    counts: Array,
) -> Array:
    """Put together by addition, and divide by the counts unless these are ``None``."""
    return _put_together(door, input, source, index, include_self, "sum", counts)


@_summed.gradient
def input(g: Any, index: Any, include_self: bool, counts: Array) -> Any:
    g = g if counts is None else g / wrap(counts)
    return g if include_self else assigned(g, nothing(g), index=index)


@_summed.gradient
def source(g: Any, index: Any, counts: Array) -> Any:
    return taken(g if counts is None else g / wrap(counts), index=index)


@composite("ScatterReduceBackward0", arrays="index")
def _multiplied(
    door: backend.Backend, input: Array, source: Array, *, index: Any, include_self: bool
) -> Array:
    return _put_together(door, input, source, index, include_self, "prod")


@_multiplied.gradient
def input(g: Any, input: Any, source: Any, index: Any, include_self: bool) -> Any:
    if not include_self:
        return assigned(g, nothing(g), index=index)
    masked = pw.where(pw.eq(input.detach(), 0), 1, input)
    others = _multiplied(masked, source, index=index, include_self=True) / masked
    return g * pw.conjugate(others)


@_multiplied.gradient
def source(g: Any, input: Any, source: Any, out: Any, index: Any, include_self: bool) -> Any:
    zero = pw.eq(source.detach(), 0)
    if backend.of(all_of(zero._array)).type == "cpu" and not _any(zero):
        return taken(g, index=index) * pw.conjugate(taken(out, index=index) / source)
    count = add_at(cast(zero, dtype=_INT64), shape=input._array.shape, index=index)
    zeros = taken(count, index=index)
    alone = zero & pw.eq(zeros, 1)
    masked = pw.where(alone, 1, source)
    without = _multiplied(input, masked, index=index, include_self=include_self)
    quotient = taken(out, index=index) / pw.where(zero, 1, source)
    others = pw.where(alone, taken(without, index=index), quotient)
    if mode.enabled and _any(zero & pw.gt(zeros, 1)):
        others = _once(others)
    return taken(g, index=index) * pw.conjugate(others)


def _any(condition: Any) -> bool:
    """Tell whether a condition holds anywhere, in any example."""
    whole = all_of(condition._array)
    door = backend.of(whole)
    return bool(door.item(door.sum(whole, tuple(range(whole.ndim)), False, _INT64)))


@linear("Error")
def _once(door: backend.Backend, input: Array) -> Array:
    """Return products of others that are 0 for more than one reason, which the rule forgets."""
    return input


@_once.gradient
def input(g: Any) -> Any:
    raise RuntimeError(
        "scatter_reduce(): Double backward is unsupported for src when >1 zeros in src are "
        "scattered to the same position in self"
    )


def _extreme(way: str) -> Declared:
    """Declare the operation of maxima or minima."""

    @composite("ScatterReduceBackward0", arrays="index")
    def reduced(
        door: backend.Backend, input: Array, source: Array, *, index: Any, include_self: bool
    ) -> Array:
        return _put_together(door, input, source, index, include_self, way)

    def shares(
        g: Any, input: Any, source: Any, out: Any, index: Any, include_self: bool
    ) -> tuple[Any, Any, Any]:
        """Return where the input and the source attain the extremum, and the share of each."""
        out = out.detach()
        kept, taking = attained(input.detach(), out), taken(out, index=index)
        if not include_self:
            kept = assigned(kept, nothing(kept), index=index)
        given = attained(source.detach(), taking)
        counts = _added_up(kept, given, index=index)
        return kept, given, g / counts

    @reduced.gradient
    def input(g: Any, input: Any, source: Any, out: Any, index: Any, include_self: bool) -> Any:
        kept, _, share = shares(g, input, source, out, index, include_self)
        # what is named nowhere is its own extremum
        return pw.where(kept, share, 0)

    @reduced.gradient
    def source(g: Any, input: Any, source: Any, out: Any, index: Any, include_self: bool) -> Any:
        _, given, share = shares(g, input, source, out, index, include_self)
        return pw.where(given, taken(share, index=index), 0)

    return reduced


def _added_up(kept: Any, given: Any, index: Any) -> Any:
    start, ones = (cast(t, dtype=_INT64) for t in (kept, given))
    return _summed(start, ones, index=index, include_self=True, counts=None)


_OPS: dict[str, Declared] = {
    "sum": _summed, "mean": _summed, "prod": _multiplied, "amax": _extreme("amax"),
    "amin": _extreme("amin"),
}  # fmt: skip
_INDEXED = {way: op.named("IndexReduceBackward0") for way, op in _OPS.items()}
_INDEX_ADD = {"sum": _summed.named("IndexAddBackward0")}
_SCATTER_ADD = {"sum": _summed.named("ScatterAddBackward0")}
_scattered = assigned.named("ScatterBackward0")
_scattered_number = assigned.named("ScatterBackward1")


def _reduced(
    ops: dict[str, Declared], way: str, input: Any, source: Any, index: Any, include_self: bool
) -> Any:
    options: dict[str, Any] = {"index": index, "include_self": bool(include_self)}
    if way not in ("sum", "mean"):
        options["index"] = tuple(index)  # which is copied, as what is saved are the operands
    else:
        options["counts"] = None
        if way == "mean":
            options["counts"] = _counted(input, source, index, include_self)
    return ops[way](input, source, **options)


def _check_kind(kernel: str, kinds: str, input: Any) -> None:
    """Raise for a type of elements that PyTorch does not put together so."""
    if input._array.dtype.kind in kinds:
        title = _dtype.of(input._array.dtype).title
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{title}'")


# --------------------------------------------------------------------------- single elements


@public(inplace="values", out="apart")
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    reduce: str | None = None,
    value: Any = None,
) -> Tensor:
    """Return a copy with elements of ``src``, or a number, where ``index`` names along ``dim``.

    Of elements for one place the last remains on the CPU, and one of them on CUDA.  With
    ``reduce`` they are put together with what is there: "add" or "multiply".

    Args:
        input: Of any type.
        dim: Along which the index names places.
        index: Of int32 or int64.
        src: A tensor of the same type, or a number.
        reduce: How what is there already counts; PyTorch has no gradient then.
        value: A number, under its other name.

    Raises:
        RuntimeError: The index is not of integers, is larger than ``input`` or ``src`` along
            another dimension, or is out of bounds.
    """
    src = value if src is None else src
    if src is None:
        raise missing("scatter", ["src"])
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if names_nothing(input, index):
        return input.clone()
    if not input._array.ndim:
        one: Any = scatter(input.reshape(1), dim, index, src, reduce=reduce)
        return one.reshape(())
    place = grid_of("scatter", input, dim, index, src)
    number = not isinstance(src, TensorBase)
    source = one_value("scatter", input, src)[0] if number else begin(src, index)
    if reduce is None:
        return (_scattered_number if number else _scattered)(input, source, index=place)
    if number:
        source = source.expand(index._array.shape)
    return _reduced(_OPS, "sum" if reduce == "add" else "prod", input, source, place, True)


@public(inplace="values", out="apart")
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Return a copy with elements of ``src`` added where ``index`` names along ``dim``.

    A place that is named twice receives both.

    Raises:
        RuntimeError: As for :func:`scatter`.
        TypeError: ``src`` is not a tensor.
    """
    if names_nothing(input, index):
        return input.clone()
    if not input._array.ndim:
        return scatter_add(input.reshape(1), dim, index, src).reshape(())
    place = grid_of("scatter", input, dim, index, src)
    return _reduced(_SCATTER_ADD, "sum", input, begin(src, index), place, True)


@public(inplace="values", out="apart")
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return a copy with elements of ``src`` put together where ``index`` names along ``dim``.

    By "sum", "prod", "mean", "amax" or "amin", with what is there already, unless
    ``include_self`` is false.  Ties share the gradient of an extremum; what is not included has no
    part in it, unlike in PyTorch.

    Raises:
        NotImplementedError: The elements are of a type that is not put together so.
        RuntimeError: As for :func:`scatter`; or ``reduce`` is another word.
        TypeError: ``src`` is not a tensor.
    """
    if reduce not in _OPS:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    if names_nothing(input, index):
        return input.clone()
    if not input._array.ndim:
        one = scatter_reduce(input.reshape(1), dim, index, src, reduce, include_self=include_self)
        return one.reshape(())
    place = grid_of("scatter", input, dim, index, src)
    kernel = f"scatter_gather_tensor_{input.device.type}_reduce_{reduce}"
    if reduce not in ("sum", "prod"):
        _check_kind(kernel, "b" if reduce == "mean" else "c", input)
    return _reduced(_OPS, reduce, input, begin(src, index), place, include_self)


# --------------------------------------------------------------------------- slices of a dimension


@public(inplace="values", out="apart")
def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: complex = 1
) -> Tensor:
    """Return a copy with ``alpha`` times the slices of ``source`` added where ``index`` names.

    A place that is named twice receives both.

    Raises:
        IndexError: The index has several dimensions, or is out of bounds of a vector.
        RuntimeError: An index is out of bounds otherwise, there are not as many as
            slices, or these are of another shape or type.
    """
    axis = normal_dim(dim, input._array.ndim)
    _check_slices("index_add_()", input, axis, index, source)
    scaled: Any = source if alpha == 1 else source * alpha
    if not input._array.ndim:
        found: Any = index_add(input.reshape(1), 0, index.reshape(1), scaled.reshape(1))
        return found.reshape(())
    if input._array.ndim > 1:
        place = along(input, axis, index, "", RuntimeError)
    else:
        place = along(input, axis, index, "index out of range in self")
    return _reduced(_INDEX_ADD, "sum", input, scaled, place, True)


@public(inplace="values", out="apart")
def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """Return a copy with the slices of ``source`` put together in the places that are named.

    By "prod", "mean", "amax" or "amin"; see :func:`scatter_reduce`.

    Raises:
        IndexError: The index has several dimensions, or is out of bounds.
        NotImplementedError: The elements are complex or bools.
        RuntimeError: ``reduce`` is another word, there are not as many indices as slices, or these
            are of another shape or type.
    """
    if reduce not in _OPS or reduce == "sum":
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    function = "index_reduce_()"
    axis = normal_dim(dim, input._array.ndim)
    if index._array.dtype not in (np.int32, np.int64):
        raise RuntimeError(
            f"{function}: Expected dtype int32/int64 for index but got: "
            f"{_dtype.of(index._array.dtype).title}"
        )
    _check_slices(function, input, axis, index, source)
    _check_kind("index_func_", "b", input)
    if reduce in ("amax", "amin"):
        inner = f"{'maximum' if reduce == 'amax' else 'minimum'}_{backend.of(input._array).type}"
        _check_kind(inner if include_self else "index_reduce_func_exclude_input_init", "c", input)
    if not input._array.ndim:
        flat = (t.reshape(1) for t in (input, index, source))
        one, places, values = flat
        found = index_reduce(one, 0, places, values, reduce, include_self=include_self)
        return found.reshape(())
    place = along(input, axis, index, "index out of range in self")
    return _reduced(_INDEXED, reduce, input, source, place, include_self)


def _check_slices(function: str, input: Tensor, axis: int, index: Tensor, source: Tensor) -> None:
    """Raise where a tensor has not a slice for each index, or not of the right shape or type."""
    shape, given = input._array.shape, source._array.shape
    if index._array.ndim > 1:
        raise IndexError(
            f"{function}: Index is supposed to be a vector, but got dim: {index._array.ndim} with "
            f"type: {_dtype.of(index._array.dtype).title} and size: {size(index._array.shape)}"
        )
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{function}: self ({_dtype.of(input._array.dtype).title}) and source "
            f"({_dtype.of(source._array.dtype).title}) must have the same scalar type"
        )
    if not given and index._array.size != 1 and axis == 0:
        raise IndexError(NO_DIMENSIONS)
    if axis >= max(len(given), 1):
        raise RuntimeError(
            f"{function}: Indexing dim {axis} is out of bounds of the source tensor with dim "
            f"{len(given)}"
        )
    count = given[axis] if given else 1
    if index._array.size != count:
        raise RuntimeError(
            f"{function}: Number of indices ({index._array.size}) should be equal to "
            f"source.size(dim): ({count}), for dim: {axis}"
        )
    slice_, other = (s[:axis] + s[axis + 1 :] for s in (shape, given))
    if slice_ != other or len(shape) != len(given):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {size(shape)} source.shape = {size(given)}"
        )

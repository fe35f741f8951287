"""Elements that are looked for: among sorted ones, in a set, once each, or those that are not 0."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import accumulation
from gpugrad.backend.batched import Batched, all_of, dynamic
from gpugrad.errors import NO_DIMENSIONS, normal_dim, size
from gpugrad.graph import TensorBase
from gpugrad.op import cast, composite, public
from gpugrad.op.operation import Declared, together
from gpugrad.op.promotion import as_operand, result_type
from gpugrad.op.saved import descended, door_of, read, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.creation import finish
from gpugrad.ops.indexing import check_inside, gather_along, nonzero

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_INT64 = np.dtype(np.int64)


def _made(array: Array, *operands: Any) -> Any:
    """Return a new tensor that no gradient belongs to."""
    return descended(finish(wrap(array), False), operands)


# --------------------------------------------------------------------------- among sorted ones


@public(method=False, out=True)
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Return where the elements of ``input`` would be inserted into a sorted sequence.

    Before what is equal, or behind it with ``right``.  The sequence has one dimension, or its last
    one is searched for the elements in the same row of ``input``.

    Raises:
        RuntimeError: The shapes do not fit, or ``side`` contradicts ``right``.
        NotImplementedError: The numbers are bools or complex.
    """
    return _searched("searchsorted", sorted_sequence, input, out_int32, right, side, sorter)


@public(out=True, method=False)
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """Return between which of the sorted boundaries the elements lie; see :func:`searchsorted`.

    Raises:
        RuntimeError: The boundaries have not one dimension.
        NotImplementedError: The numbers are bools or complex.
    """
    if boundaries._array.ndim != 1:
        raise RuntimeError(
            f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})"
        )
    return _searched("bucketize", boundaries, input, out_int32, right)


_SEARCH = "torch.searchsorted(): "


def _searched(
    function: str,
    bounds: Any,
    input: Any,
    out_int32: bool,
    right: bool,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    value = as_operand(function, "input", 1, input)
    if side not in (None, "left", "right"):
        raise RuntimeError(f"{_SEARCH}side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            f"{_SEARCH}side and right can't be set to opposites, got side of left while right was "
            "True"
        )
    kind = result_type((bounds, value)).numpy
    if not isinstance(value, TensorBase):
        number = np.asarray(value, kind)
        value = wrap(backend.of(all_of(bounds._array)).from_numpy(number, bounds.device))
    for tensor in (bounds, value):
        read(tensor)
    _check_bounds(bounds._array, value._array, sorter)
    if kind.kind in "bc":
        place = backend.of(bounds._array).type
        raise NotImplementedError(
            f"\"searchsorted_out_{place}\" not implemented for '{_dtype.of(kind).title}'"
        )
    if sorter is not None:
        bounds = _in_order(bounds, sorter)
    kind = accumulation(kind)
    bounds, value = (
        t if t._array.dtype == kind else cast(t.detach(), dtype=kind) for t in (bounds, value)
    )
    door, _, (array, values) = together((bounds, value))
    found = door.search(array, values, right or side == "right")
    return _made(door.astype(found, np.dtype(np.int32)) if out_int32 else found, bounds, value)


def _check_bounds(bounds: Array, values: Array, sorter: Any) -> None:
    """Raise where PyTorch does: shapes that do not fit."""
    if not bounds.ndim:
        raise RuntimeError(
            f"{_SEARCH}boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if not values.ndim and bounds.ndim > 1:
        raise RuntimeError(
            f"{_SEARCH}input value can be a scalar only when boundaries tensor dimension is 1, but "
            f"we got boundaries tensor dim({bounds.ndim}) and input value's dim(0) numel(1)"
        )
    if bounds.ndim > 1 and bounds.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            f"{_SEARCH}boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{size(bounds.shape)} and input value tensor {size(values.shape)}"
        )
    if sorter is None:
        return
    if sorter._array.shape != bounds.shape:
        raise RuntimeError(
            f"{_SEARCH}boundary and sorter must have the same size, but got boundary tensor "
            f"{size(bounds.shape)}and got sorter tensor {size(sorter._array.shape)}"
        )
    if sorter._array.dtype != _INT64:
        raise RuntimeError(
            f"{_SEARCH}sorter must be a tensor of long dtype but got dtype "
            f"{_dtype.of(sorter._array.dtype).title}"
        )


def _in_order(bounds: Any, sorter: Any) -> Any:
    read(sorter)
    door, _, (array, order) = together((bounds, sorter))
    whole, n = all_of(order), array.shape[-1]
    if door.type == "cpu" and whole.size and not 0 <= int(whole.min()) <= int(whole.max()) < n:
        raise RuntimeError(f"{_SEARCH}sorter index out of range")
    if door.type != "cpu":
        check_inside(order, 0, n, array.ndim - 1, _SEARCH, RuntimeError)
    return wrap(gather_along(door, array, order, array.ndim - 1))


# --------------------------------------------------------------------------- in a set


@public(out=True, method=False)
def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Return which elements are among ``test_elements``, or are not where asked to ``invert``.

    nan is equal to nothing.  Whether the elements are said to be unique makes no difference.

    Raises:
        RuntimeError: The numbers are bools or complex.
        TypeError: Both are numbers.
    """
    given: list[Any] = [
        as_operand("isin", name, k, value)
        for k, (name, value) in enumerate(
            (("elements", elements), ("test_elements", test_elements))
        )
    ]
    known: list[Any] = [o for o in given if isinstance(o, TensorBase)]
    if not known:
        kinds = ", ".join(type(o).__name__ for o in given)
        raise TypeError(f"isin() received an invalid combination of arguments - got ({kinds})")
    for o in known:
        if o._array.dtype.kind in "bc":
            title = _dtype.of(o._array.dtype).title
            raise RuntimeError(f"Unsupported input type encountered for isin(): {title}")
    kind = accumulation(result_type(given).numpy)
    where = known[0].device
    door = backend.of(all_of(known[0]._array))
    numbers = [None if isinstance(o, TensorBase) else np.asarray(o, kind) for o in given]
    some = [
        cast(o.detach(), dtype=kind) if n is None else wrap(door.from_numpy(n, where))
        for o, n in zip(given, numbers, strict=True)
    ]
    for o in some:
        read(o)
    joined, _, (values, tests) = together(some)
    return _made(_contained(joined, values, joined.reshape(tests, (-1,)), invert), *known)


def _contained(door: backend.Backend, values: Array, tests: Array, invert: bool) -> Array:
    where = door.device_of(values)
    n = tests.shape[0]
    if not n:
        return door.full(values.shape, invert, np.dtype(bool), where)
    tests = gather_along(door, tests, door.order(tests, 0, False), 0)
    flat = door.reshape(values, (-1,))
    places = wrap(door.search(tests, flat, False)).clamp(max=n - 1)._array
    there = wrap(door.take(tests, (places,)))
    found = (pw.ne if invert else pw.eq)(there, wrap(flat))
    return door.reshape(found._array, values.shape)


# --------------------------------------------------------------------------- once each


def _not_implemented(function: str, node: str, find: Any) -> Declared:
    """Declare an operation whose results are some of the elements, and have no gradient yet."""

    @composite(node, outputs=("values", "inverse", "counts"))
    def found(
        door: backend.Backend, input: Array, *, axis: int | None, inverse: bool, counts: bool
    ) -> Any:
        if input.__class__ is Batched:
            raise dynamic(function)
        with backend.at(door.device_of(input)):
            return find(door, door.own(input), axis, inverse, counts)

    @found.gradient
    def input(g: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{function}' is not implemented.")

    return found


def _unique_values(
    door: backend.Backend, input: Array, axis: int | None, inverse: bool, counts: bool
) -> Any:
    xp = door.xp
    if axis is not None:
        rows = xp.moveaxis(input, axis, 0)
        lines = rows.reshape(len(rows), math.prod(rows.shape[1:]))
        order = door.order_of_rows(lines) if rows.size else xp.arange(len(rows))
        lines = lines[order]
        new = _begins(xp, (lines[1:] != lines[:-1]).any(1), len(rows))
        values = xp.moveaxis(rows[order[new]], 0, axis)
        return door.copy(values, "C"), *_numbered(door, new, order, inverse, counts)
    flat = input.reshape(-1)
    if inverse or flat.dtype.kind == "V":  # of which NumPy does not know that nan is the last
        order = door.order(flat, 0, False)
        there = flat[order]
    else:
        order = None
        there = flat.copy()
        there.sort(kind="stable" if there.itemsize <= 2 else None)
    new = _begins(xp, there[1:] != there[:-1], flat.size)
    found, where = _numbered(door, new, order, inverse, counts)
    return there[new], found.reshape(input.shape) if inverse else found, where


def _consecutive(
    door: backend.Backend, input: Array, axis: int | None, inverse: bool, counts: bool
) -> Any:
    xp = door.xp
    rows = input.reshape(-1) if axis is None else xp.moveaxis(input, axis, 0)
    lines = rows.reshape(len(rows), math.prod(rows.shape[1:]))
    new = _begins(xp, (lines[1:] != lines[:-1]).any(1), len(rows))
    values = rows[new] if axis is None else xp.moveaxis(rows[new], 0, axis)
    found, where = _numbered(door, new, None, inverse, counts)
    if inverse and axis is None:
        found = found.reshape(input.shape)
    return door.copy(values, "C"), found, where


def _begins(xp: Any, differs: Array, n: int) -> Array:
    """Return which rows differ from the one before them, as the first does."""
    new = xp.ones(n, bool)
    new[1:] = differs
    return new


def _numbered(
    door: backend.Backend, new: Array, order: Array | None, inverse: bool, counts: bool
) -> tuple[Array, Array]:
    """Return to which run each row belongs, and how many are in each, where that is asked for."""
    xp = door.xp
    runs = sizes = xp.empty(0, _INT64)
    if inverse:
        numbers = xp.cumsum(new) - 1
        runs = numbers
        if order is not None:
            runs = xp.empty_like(numbers)
            runs[order] = numbers
    if counts:
        ends = xp.flatnonzero(new)
        sizes = xp.diff(ends, append=xp.asarray([len(new)]))[: len(ends)]
    return runs, sizes


_unique = _not_implemented("_unique2", "Unique2Backward0", _unique_values)
_unique_dim = _not_implemented("unique_dim", "UniqueDimBackward0", _unique_values)
_unique_consecutive = _not_implemented(
    "unique_consecutive", "UniqueConsecutiveBackward0", _consecutive
)


def _once(op: Any, kernel: str, input: Tensor, dim: int | None, inverse: bool, counts: bool) -> Any:
    axis = None
    if dim is not None:
        axis = normal_dim(dim, input._array.ndim)
        if not input._array.ndim:
            raise IndexError(NO_DIMENSIONS)
        shape = input._array.shape
        if 0 in shape[:axis] + shape[axis + 1 :]:
            name = "unique_consecutive" if op is _unique_consecutive else "unique"
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so "
                f"{name} cannot be applied"
            )
    if input._array.dtype.kind == "c":
        title = _dtype.of(input._array.dtype).title
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{title}'")
    read(input)
    found = op(input, axis=axis, inverse=inverse, counts=counts)
    asked = tuple([t for t, wanted in zip(found, (True, inverse, counts), strict=True) if wanted])
    return asked[0] if len(asked) == 1 else asked


@public()
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return each element once, or each slice along ``dim``, always in their order.

    With ``return_inverse`` also where each element of ``input`` is among them, and with
    ``return_counts`` how often.  nan is equal to nothing.

    Raises:
        NotImplementedError: The numbers are complex; in backward, as there is no gradient.
    """
    if dim is None:
        return _once(_unique, "unique", input, None, return_inverse, return_counts)
    return _once(_unique_dim, "unique_dim", input, dim, return_inverse, return_counts)


@public()
def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the first of each run of equal elements, or of equal slices along ``dim``.

    See :func:`unique`.
    """
    kernel = "unique" if dim is None or input._array.ndim == 1 else "unique_dim"
    return _once(_unique_consecutive, kernel, input, dim, return_inverse, return_counts)


# --------------------------------------------------------------------------- what is not 0


@public()
def argwhere(input: Tensor) -> Tensor:
    """Return the int64 indices of the nonzero elements, a row for each."""
    return nonzero(input)


@public(out=True)
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """Return the first ``size`` rows of :func:`nonzero`, filled up with ``fill_value``.

    Raises:
        RuntimeError: The size is negative.
    """
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    if backend.capturing():
        return _first_nonzero(input, size, fill_value)
    places: Array = nonzero(input)._array
    door = door_of(places)
    where = door.device_of(places)
    result = door.full((size, input._array.ndim), fill_value, _INT64, where)
    some = min(size, len(places))
    if input._array.ndim:
        door.assign(result[:some], places[:some])
    return _made(result, input)


def _first_nonzero(input: Tensor, size: int, fill_value: int) -> Tensor:
    """Return the same without waiting for how many there are."""
    holds: Array = pw.ne(input, 0)._array.reshape(-1)
    door = door_of(holds)
    where, xp = door.device_of(holds), door.xp
    counts = xp.cumsum(holds.astype(_INT64))
    rows = xp.where(holds & (counts <= size), counts - 1, size)
    shape = input._array.shape
    every = np.indices(shape).reshape(len(shape), -1).T.astype(_INT64)
    result = door.full((size + 1, len(shape)), fill_value, _INT64, where)
    door.put(result, (rows,), door.from_numpy(every, where))
    return _made(result[:size], input)

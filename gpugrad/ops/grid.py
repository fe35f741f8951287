"""Several tensors brought to one shape, or combined each with each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._size import Size
from gpugrad.backend.batched import Batched, all_of
from gpugrad.errors import size
from gpugrad.graph import TensorBase, warn
from gpugrad.op import expand_to, public
from gpugrad.op.kind import Value
from gpugrad.op.saved import descended, wrap
from gpugrad.ops.creation import finish
from gpugrad.ops.indexing import index_select
from gpugrad.ops.joining import cat, stack, tensors_of
from gpugrad.ops.shape import expand, reshape, unsqueeze, view

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(method=False)
def broadcast_tensors(*tensors: Value) -> tuple[Tensor, ...]:
    """Return the tensors in the shape that they broadcast to: themselves, or views of them.

    Raises:
        RuntimeError: Two of them do not fit.
    """
    found = tensors_of("broadcast_tensors", tensors)
    shape = errors.broadcast_shape(*[t._array.shape for t in found])
    return tuple([t if t._array.shape == shape else expand(t, shape) for t in found])


@public(method=False)
def broadcast_shapes(*shapes: Any) -> Size:
    """Return the :class:`Size` that tensors of these shapes broadcast to; a number is a shape, too.

    Raises:
        RuntimeError: Two of them do not fit.
        ValueError: A length is negative.
    """
    found: list[int] = []
    for k, given in enumerate(shapes):
        shape = (given,) if isinstance(given, int) else tuple(given)
        found = [1] * (len(shape) - len(found)) + found
        for d in range(-1, -1 - len(shape), -1):
            n = shape[d]
            if n < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if n not in (1, found[d]):
                if found[d] != 1:
                    raise RuntimeError(
                        f"Attempting to broadcast a dimension of length {n} at {d}! Mismatching "
                        f"argument at index {k} had {shape}; but expected shape should be "
                        f"broadcastable to {found}"
                    )
                found[d] = n
    return Size(found)


# --------------------------------------------------------------------------- at least so many


def _at_least(function: str, one: Any, tensors: Sequence[Any]) -> Any:
    """Return ``one`` of a tensor, or a tuple of those of several, given as arguments or as one."""
    if len(tensors) == 1 and (isinstance(tensors[0], TensorBase) or backend.is_array(tensors[0])):
        (found,) = tensors_of(function, tensors)
        return one(found)
    if len(tensors) == 1:
        if not isinstance(tensors[0], tuple | list):
            raise errors.must_be_tensor(function, "input", 1, tensors[0])
        (tensors,) = tensors
    return tuple([one(t) for t in tensors_of(function, tensors)])


def _one(input: Tensor) -> Tensor:
    return input if input._array.ndim else reshape(input, 1)


def _two(input: Tensor) -> Tensor:
    ndim = input._array.ndim
    return input if ndim > 1 else unsqueeze(input, 0) if ndim else reshape(input, 1, 1)


def _three(input: Tensor) -> Tensor:
    ndim = input._array.ndim
    if ndim > 2:
        return input
    return unsqueeze(_two(input), -1) if ndim else reshape(input, 1, 1, 1)


@public(method=False)
def atleast_1d(*tensors: Value) -> Any:
    """Return a view with at least one dimension, or a tuple of those of several tensors."""
    return _at_least("atleast_1d", _one, tensors)


@public(method=False)
def atleast_2d(*tensors: Value) -> Any:
    """Return a view with at least two dimensions, or a tuple of those of several tensors.

    A vector becomes a row.
    """
    return _at_least("atleast_2d", _two, tensors)


@public(method=False)
def atleast_3d(*tensors: Value) -> Any:
    """Return a view with at least three dimensions, or a tuple of those of several tensors.

    New dimensions are the last ones, but for the first of a vector.
    """
    return _at_least("atleast_3d", _three, tensors)


@public(method=False, out=True)
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors joined side by side: vectors along their dimension, others along the second.

    Raises:
        RuntimeError: There are no tensors, or other dimensions differ.
    """
    found = [_one(t) for t in tensors_of("hstack", tensors, some=True)]
    return cat(found, min(found[0]._array.ndim - 1, 1))


@public(method=False, out=True, names="row_stack")
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors joined one below the other, vectors as rows.

    Raises:
        RuntimeError: There are no tensors, or other dimensions differ.
    """
    return cat([_two(t) for t in tensors_of("vstack", tensors, some=True)], 0)


@public(method=False, out=True)
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors joined along the third dimension.

    Raises:
        RuntimeError: There are no tensors, or other dimensions differ.
    """
    return cat([_three(t) for t in tensors_of("dstack", tensors, some=True)], 2)


@public(method=False, out=True)
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors joined side by side, vectors as columns.

    Raises:
        RuntimeError: There are no tensors, or other dimensions differ.
    """
    found = tensors_of("column_stack", tensors, some=True)
    return cat([reshape(t, t._array.size, 1) if t._array.ndim < 2 else t for t in found], 1)


# --------------------------------------------------------------------------- each with each


@public(method=False)
def meshgrid(*tensors: Value, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Return views of vectors in the shape that has a dimension for each of them.

    Args:
        tensors: Vectors and 0-d tensors of one type, as arguments or as one sequence.
        indexing: ``"ij"``, the default, has the dimensions in their order; ``"xy"`` exchanges the
            first two, as NumPy does by default.

    Raises:
        RuntimeError: There are no tensors, they differ in type, one has several dimensions, or
            ``indexing`` is something else.
    """
    if len(tensors) == 1 and isinstance(tensors[0], tuple | list):
        (tensors,) = tensors
    if indexing is None:
        warn(
            "gpugrad.meshgrid: in an upcoming release, it will be required to pass the indexing "
            "argument."
        )
    return _meshed(tensors, "ij" if indexing is None else indexing)


def _meshed(tensors: Sequence[Any], indexing: str) -> tuple[Tensor, ...]:
    found = tensors_of("meshgrid", tensors, some=True)
    if len({t._array.dtype for t in found}) > 1:
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    for t in found:
        if t._array.ndim > 1:
            raise RuntimeError(
                f"gpugrad.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {t}"
            )
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f'gpugrad.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    exchanged = indexing == "xy" and len(found) > 1
    if exchanged:
        found[:2] = found[1::-1]
    shape = tuple([t._array.size for t in found])
    grids = [
        expand_to(view(t, (*(1,) * k, n, *(1,) * (len(shape) - k - 1))), shape=shape)
        for k, (t, n) in enumerate(zip(found, shape, strict=True))
    ]
    if exchanged:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def _check_vector(input: Tensor) -> None:
    if input._array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {size(input._array.shape)}")


@public(method=False)
def cartesian_prod(*tensors: Value) -> Tensor:
    """Return all choices of one element of each vector, as rows; of one vector, that itself.

    Raises:
        RuntimeError: There are no vectors, they differ in type, or one is none.
    """
    found = tensors_of("cartesian_prod", tensors)
    for t in found:
        _check_vector(t)
    if len(found) == 1:
        return found[0]
    return stack([reshape(t, -1) for t in _meshed(found, "ij")], 1)


@public(method=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all choices of ``r`` elements of a vector in their order, as rows.

    Args:
        input: A vector.
        r: How many elements; of none there is no row, as in PyTorch.
        with_replacement: Whether an element may be chosen several times.

    Raises:
        RuntimeError: ``input`` is no vector, or ``r`` is negative.
    """
    _check_vector(input)
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if not r:
        return reshape(input[:0], 0)
    array = input._array
    door = backend.of(array)
    where = door.device_of(array)
    places = _choices(array.shape[0], r, 0 if with_replacement else 1)
    columns = [wrap(door.from_numpy(column, where)) for column in places.T]
    return stack([index_select(input, 0, column) for column in columns], 1)


def _choices(n: int, r: int, step: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return all rows of ``r`` numbers below ``n`` that grow, by at least ``step`` each."""
    rows = np.arange(n)[:, None]
    for _ in range(r - 1):
        first = rows[:, -1] + step
        counts = np.maximum(n - first, 0)
        ends = np.cumsum(counts)
        following = np.arange(counts.sum()) + np.repeat(first - (ends - counts), counts)
        rows = np.concatenate([np.repeat(rows, counts, 0), following[:, None]], 1)
    return rows


# --------------------------------------------------------------------------- places


@public(method=False)
def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the coordinates of elements that are counted in the order of a shape.

    What lies outside of the shape is wrapped around, as in PyTorch.

    Raises:
        TypeError: The indices are no integers, or the shape is none.
        ValueError: A length is negative.
    """
    kind = _dtype.of(indices._array.dtype)
    if kind.category != _dtype.INTEGER:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {kind}")
    lengths = (shape,) if isinstance(shape, int) else shape
    for n in lengths:
        if not isinstance(n, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
    if any(n < 0 for n in lengths):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(lengths)}")
    if 0 in lengths and indices._array.size:
        raise RuntimeError("ZeroDivisionError")
    array = indices._array
    rest = all_of(array).astype(np.int64)
    found = []
    with backend.at(backend.of(rest).device_of(rest)):
        for n in reversed(lengths):
            above = rest // n  # which NumPy computes ten times as fast as a remainder
            place = rest - above * n
            made = wrap(array.door.made(place) if array.__class__ is Batched else place)
            found.append(finish(made, False))
            rest = above
    return tuple(descended(found[::-1], (indices,)))

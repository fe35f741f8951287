"""The same elements in another order, or several times."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import Batched, all_of
from gpugrad.errors import ALL, NO_DIMENSIONS, normal_dim, size, unequal_sizes
from gpugrad.graph import TensorBase
from gpugrad.op import linear, public
from gpugrad.op.saved import wrap
from gpugrad.ops.copy import clone, contiguous
from gpugrad.ops.indexing import flip, index_select
from gpugrad.ops.reduction import sum as sum_
from gpugrad.ops.shape import as_shape, expand, ravel, reshape, unsqueeze, view

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


# --------------------------------------------------------------------------- turned


@linear("RollBackward0")
def _roll(door: backend.Backend, input: Array, *, shifts: Shape, axes: Shape) -> Array:
    if not axes:  # as a vector
        flat = _roll.op.forward(door, door.reshape(input, (-1,)), shifts=shifts, axes=(0,))
        return door.reshape(flat, input.shape)
    result = door.empty(input.shape, input.dtype, door.device_of(input))
    pieces: list[list[tuple[slice, slice]]] = [[(slice(None), slice(None))] for _ in input.shape]
    for axis in {*axes}:
        length = input.shape[axis]
        moved = sum([s for s, a in zip(shifts, axes, strict=True) if a == axis])
        k = moved % length if length else 0
        if k:
            pieces[axis] = [
                (slice(k, None), slice(length - k)),
                (slice(k), slice(length - k, None)),
            ]
    for piece in product(*pieces):
        to, source = zip(*piece, strict=True)
        door.assign(result[to], input[source])
    return result


@_roll.gradient
def input(g: Any, shifts: Shape, axes: Shape) -> Any:
    return _roll(g, shifts=tuple([-s for s in shifts]), axes=axes)


@public()
def roll(
    input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None
) -> Tensor:
    """Return a copy with the elements moved along ``dims``, those beyond the end to the beginning.

    Without ``dims`` the tensor is rolled as a vector, and has its shape again.

    Raises:
        RuntimeError: There are not as many shifts as dimensions, or no shifts.
    """
    moved = as_shape((shifts,), "roll", "shifts")
    given = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    shape = input._array.shape
    if not moved:
        raise RuntimeError("`shifts` required")
    as_vector = not given and len(moved) == 1
    if len(moved) != len(given) and not as_vector:
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(moved)}, dims:{len(given)}"
        )
    if not shape and not as_vector:
        raise IndexError(NO_DIMENSIONS)
    axes = tuple([normal_dim(d, len(shape)) for d in given])
    result: Tensor = _roll(input, shifts=moved, axes=axes)
    return result


@linear("Rot90Backward0")
def _rot90(door: backend.Backend, input: Array, *, k: int, first: int, second: int) -> Array:
    flipped: tuple[Shape, ...] = ((), (second,), (first, second), (first,))
    result = door.copy(door.xp.flip(input, flipped[k]) if k else input, "C")
    return result.swapaxes(first, second) if k % 2 else result


@_rot90.gradient
def input(g: Any, k: int, first: int, second: int) -> Any:
    return _rot90(g, k=-k % 4, first=first, second=second)


@public()
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Return a copy turned ``k`` times by 90 degrees, from the first of two ``dims`` to the second.

    Raises:
        IndexError: The tensor does not have one of them.
        RuntimeError: There are not two, or they are the same.
    """
    given, ndim = as_shape((dims,), "rot90", "dims"), input._array.ndim
    if len(given) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(given)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    first, second = (normal_dim(d, ndim) for d in given)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {given[0]} and dim1 = "
            f"{given[1]}"
        )
    result: Tensor = _rot90(input, k=k % 4, first=first, second=second)
    return result


@public()
def fliplr(input: Tensor) -> Tensor:
    """Return a copy with the order of the columns reversed.

    Raises:
        RuntimeError: There are no two dimensions.
    """
    if input._array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@public()
def flipud(input: Tensor) -> Tensor:
    """Return a copy with the order of the rows reversed.

    Raises:
        RuntimeError: There is no dimension.
    """
    if input._array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


# --------------------------------------------------------------------------- repeated


def _between(shape: Shape, repeats: Shape) -> Shape:
    """Return the shape in which each dimension has its repetitions before it."""
    return tuple([n for pair in zip(repeats, shape, strict=True) for n in pair])


@linear("RepeatBackward0")
def _repeat(door: backend.Backend, input: Array, *, shape: Shape, repeats: Shape) -> Array:
    whole = input.reshape(_between(shape, (1,) * len(shape)))
    result = tuple([n * m for n, m in zip(shape, repeats, strict=True)])
    whole = door.broadcast_to(whole, _between(shape, repeats))
    return door.reshape(door.copy(whole, "C"), result)


@_repeat.gradient
def input(g: Any, shape: Shape, repeats: Shape) -> Any:
    parts = reshape(g, _between(shape, repeats))
    repeated = tuple([2 * k for k, m in enumerate(repeats) if m != 1])
    return reshape(sum_(parts, repeated) if repeated else parts, shape)


def _repeated(input: Tensor, repeats: Shape) -> Tensor:
    lengths = input._array.shape
    shape = (*(1,) * (len(repeats) - len(lengths)), *lengths)
    result: Tensor = _repeat(input, shape=shape, repeats=repeats)
    return result


@public(function=False)
def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Return a copy in which the tensor lies as often along each dimension as is said.

    More numbers than dimensions make new ones in front.

    Raises:
        RuntimeError: There are fewer numbers than dimensions, or one is negative.
    """
    wanted = as_shape(repeats, "repeat", "repeats")
    if len(wanted) < input._array.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    _check_repeats(input, wanted)
    return _repeated(input, wanted)


def _check_repeats(input: Tensor, repeats: Shape) -> None:
    if any(m < 0 for m in repeats):
        shape = (*(1,) * (len(repeats) - input._array.ndim), *input._array.shape)
        wanted = [n * m for n, m in zip(shape, repeats, strict=True)]
        first = next(n for n in wanted if n < 0)
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {first}: {size(wanted)}"
        )


@public()
def tile(input: Tensor, *dims: Any) -> Tensor:
    """Return what :meth:`repeat` does; where numbers are missing in front, they are 1.

    Raises:
        RuntimeError: One is negative.
    """
    wanted = as_shape(dims, "tile", "dims")
    wanted = (*(1,) * (input._array.ndim - len(wanted)), *wanted)
    _check_repeats(input, wanted)
    return _repeated(input, wanted)


@public(
    signatures=(
        "(Tensor input, Tensor repeats, int dim = None, *, int output_size = None)",
        "(Tensor repeats, *, int output_size = None)",
        "(Tensor input, int repeats, int dim = None, *, int output_size = None)",
    ),
)
def repeat_interleave(
    input: Tensor,
    repeats: int | Tensor = ALL,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Return each slice along a dimension as often as is said, one after the other.

    Called with repeats alone, it returns the number of each slice instead.

    Args:
        input: Without ``dim`` it is taken for a vector.
        repeats: One number for all slices, or a vector of integers with one for each.
        dim: The dimension of the slices.
        output_size: How many slices there will be, if that is known.  PyTorch need not wait for
            the GPU then; here it is only checked.

    Raises:
        NotImplementedError: The numbers are neither int32 nor int64.
        RuntimeError: One is negative, or there are not as many as slices.  Inside vmap: the
            results of two examples would differ in length.
    """
    if repeats is ALL:
        return _numbers(input, output_size)
    if dim is None:
        input, dim = ravel(input), 0
    axis, shape = normal_dim(dim, input._array.ndim), input._array.shape
    if not isinstance(repeats, TensorBase):
        return _each(input, repeats, axis, output_size)
    array = repeats._array
    if array.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if not shape:
        raise IndexError(NO_DIMENSIONS)
    if array.size == 1:
        repeats = expand(reshape(repeats, 1), shape[axis])
    elif array.size != shape[axis]:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{array.size} and input.size({axis}) = {shape[axis]}"
        )
    return index_select(input, axis, _numbers(repeats, output_size))


def _each(input: Tensor, repeats: int, axis: int, output_size: int | None) -> Tensor:
    """Return each slice along an axis equally often."""
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    shape = input._array.shape
    copies = unsqueeze(input, axis + 1)
    between = (*shape[: axis + 1], repeats, *shape[axis + 1 :])
    length = shape[axis] * repeats
    if output_size is not None and output_size != length:
        raise RuntimeError(
            f"repeat_interleave: Invalid output_size, expected {length} but got {output_size}"
        )
    copies = contiguous(clone(expand(copies, between)))
    return view(copies, (*shape[:axis], length, *shape[axis + 1 :]))


def _numbers(repeats: Any, output_size: int | None) -> Tensor:
    """Return the number of each slice as often as ``repeats`` says."""
    array = repeats._array
    if array.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    door = backend.of(array)
    if _dtype.of(array.dtype) not in (_dtype.int32, _dtype.int64):
        raise NotImplementedError(
            f'"repeat_interleave_{door.type}" not implemented for '
            f"'{_dtype.of(array.dtype).title}'"
        )
    whole = all_of(array)  # with a row for each example of vmap
    inner = backend.of(whole)
    counts = inner.to_numpy(whole)
    if counts.min(initial=0) < 0:
        raise RuntimeError("repeats can not be negative")
    lengths = counts.sum(-1)
    if not lengths.size:
        raise RuntimeError(
            "Batching rule not implemented for aten::repeat_interleave.Tensor. The fallback path "
            "does not support vmap over dims of size 0."
        )
    if output_size is not None and (lengths != output_size).any():
        raise RuntimeError("allocated size does not match required size")
    if (lengths != lengths.flat[0]).any():
        raise _unequal(lengths)
    each = np.broadcast_to(np.arange(array.size, dtype=counts.dtype), counts.shape)
    numbers = np.repeat(each.reshape(-1), counts.reshape(-1))
    numbers = numbers.reshape(*lengths.shape, lengths.flat[0])
    found = inner.from_numpy(numbers, door.device_of(array))
    result: Tensor = wrap(array.door.made(found) if array.__class__ is Batched else found)
    return result


def _unequal(lengths: Array) -> Exception:
    """Return the error of a stack of results of different length, of the outermost vmap first.

    Args:
        lengths: That of each example; an axis for each vmap, the outermost first.
    """
    stacked: Shape = ()
    while True:
        for row in lengths.T.reshape(-1, lengths.shape[0]).tolist():
            for k, length in enumerate(row):
                if length != row[0]:
                    return unequal_sizes((*stacked, row[0]), (*stacked, length), k)
        stacked, lengths = (*stacked, lengths.shape[0]), lengths[0]

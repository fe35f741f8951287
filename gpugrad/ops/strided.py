"""Views by strides, windows, and copies with other values at the place of a view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpugrad import backend
from gpugrad.backend.batched import Batched, copy_to_write
from gpugrad.backend.cpu import lie_apart
from gpugrad.errors import normal_dim, size
from gpugrad.graph import mode, reach_far
from gpugrad.op import Operation, linear, public
from gpugrad.op.dual import attach, tangent_of
from gpugrad.op.history import part_of
from gpugrad.op.operation import declared
from gpugrad.op.saved import Like, own_array, wrap
from gpugrad.ops import part
from gpugrad.ops import shape as shapes
from gpugrad.ops.copy import contiguous, to
from gpugrad.ops.indexing import add_at, taken
from gpugrad.ops.part import zeros_with
from gpugrad.ops.scatter import assigned, nothing

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


class Layout(NamedTuple):
    """How elements lie in memory: counted in elements, from the first of the memory on."""

    shape: Shape
    strides: Shape
    offset: int

    def end(self) -> int:
        """Return the place behind the last element, 0 where there is none."""
        if 0 in self.shape:
            return 0
        steps = zip(self.shape, self.strides, strict=True)
        return 1 + self.offset + sum([(n - 1) * s for n, s in steps if s > 0])

    def is_plain(self) -> bool:
        """Tell whether the elements lie in the order of their indices, without gaps."""
        distance = 1
        for n, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and stride != distance:
                return False
            distance *= n
        return True

    def within(self, door: backend.Backend, memory: Array) -> Array:
        """Return a view of a plain array in which the elements lie so."""
        size = memory.itemsize
        strides = tuple([s * size for s in self.strides])
        return door.strided(memory, self.shape, memory.dtype, self.offset * size, strides)

    def positions(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the place in memory of each element."""
        found = np.array(self.offset)
        for n, stride in zip(self.shape, self.strides, strict=True):
            found = found[..., None] + stride * np.arange(n)
        return found


@public(function=False)
def storage_offset(input: Tensor) -> int:
    """Return how many elements lie in memory before the first one of the tensor.

    Memory begins with that of the NumPy or CuPy array that owns it.
    """
    array = own_array(input)
    door = backend.of(array)
    return (door.address(array) - door.memory(array)[0]) // int(array.itemsize)


# --------------------------------------------------------------------------- by strides


def _strided(door: backend.Backend, input: Array, *, input_layout: Layout, layout: Layout) -> Array:
    itemsize = input.itemsize
    strides = tuple([s * itemsize for s in layout.strides])
    return door.laid_out(input, layout.shape, layout.offset * itemsize, strides)


# Not declared as linear: the same strides mean something else in a tangent's memory.
_as_strided = declared(Operation("AsStridedBackward0", _strided, "composite", view=True))


@_as_strided.gradient
def input(g: Any, input_layout: Layout, layout: Layout) -> Any:
    """Add up what came for each place in memory, and divide it by the elements that lie there."""
    if input_layout.is_plain() and input_layout.offset <= layout.offset < layout.end():
        within = layout._replace(offset=layout.offset - input_layout.offset)
        if within.end() <= math.prod(input_layout.shape):
            return _laid(g, shape=input_layout.shape, layout=within)
    inside, read = input_layout.positions(), layout.positions()
    low, high = (int(inside.min()), int(inside.max()) + 1) if inside.size else (0, 0)
    outside = high - low  # the place of what the input does not reach
    read = np.where((low <= read) & (read < high), read - low, outside)
    array = g._array
    door = backend.of(array)
    where = door.device_of(array)
    memory = add_at(g, shape=(outside + 1,), index=(door.from_numpy(read, where),))
    counts = np.bincount((inside - low).reshape(-1), minlength=outside + 1)
    if counts.max(initial=0) > 1:
        parts = 1 / np.maximum(counts, 1)
        real = np.empty(0, array.dtype).real.dtype
        memory = memory * wrap(door.from_numpy(parts.astype(real), where))
    return taken(memory, index=(door.from_numpy(inside - low, where),))


@linear("AsStridedBackward0")
def _laid(door: backend.Backend, input: Array, *, shape: Shape, layout: Layout) -> Array:
    """Return zeros of a shape with the input added where a layout of their memory says."""
    where = door.device_of(input)
    memory = door.full((math.prod(shape),), 0, input.dtype, where)
    view = layout.within(door, memory)
    if lie_apart([*zip(map(abs, layout.strides), layout.shape, strict=True)]):
        door.assign(view, input)
    elif not door.add_overlapping(view, input):
        door.add_at(memory, (door.from_numpy(layout.positions(), where),), input)
    return door.reshape(memory, shape)


@_laid.gradient
def input(g: Any, layout: Layout) -> Any:
    return _read(g, layout=layout)


@linear("AsStridedBackward0")
def _read(door: backend.Backend, input: Array, *, layout: Layout) -> Array:
    """Return a copy of what a layout of the input's memory names, were that plain."""
    return door.copy(layout.within(door, door.copy(input, "C")), "C")


@_read.gradient
def input(g: Any, like: Like, layout: Layout) -> Any:
    return _laid(g, shape=like.shape, layout=layout)


@public(inplace="shape function")
def as_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """Return a view of the memory of a tensor, of a size and with strides of its own.

    Elements may lie on each other: a gradient is then the sum of theirs.  Where elements of the
    *input* lie on each other each receives an equal part, and memory that the input does not reach
    has no gradient, as in PyTorch.

    Args:
        input: Its memory is that of the NumPy or CuPy array which owns it.
        size: The lengths of the dimensions.
        stride: The distance of neighbours along each of them, in elements.
        storage_offset: How many elements lie before the first one; by default as many as before
            the input's.

    Raises:
        RuntimeError: There are not as many strides as dimensions, something is negative, or what
            is named lies outside of the memory, in ``vmap`` of that of one example.

    Source: the gradient is that of PyTorch's as_strided_backward (FunctionsManual.cpp).
    """
    given = _layout(input, size, stride, storage_offset)
    _check_inside(input, given)
    result: Tensor = _as_strided(input, input_layout=_layout_of(input), layout=given)
    if input._view is not None and result._view is not None:
        reach_far(result._view)
    for level in mode.levels:  # a tangent lies in that of the base as the view does in the base
        base = result._base
        if base is not None and (tangent := tangent_of(base, level)) is not None:
            attach(result, level, part_of(tangent, result, base))
    return result


def _layout_of(input: Tensor) -> Layout:
    array = own_array(input)
    strides = tuple([s // array.itemsize for s in array.strides])
    return Layout(tuple(array.shape), strides, storage_offset(input))


def _layout(input: Tensor, sizes: Any, strides: Any, offset: int | None) -> Layout:
    """Return the layout that was asked for.

    Raises:
        RuntimeError: It is none.
    """
    wanted = shapes.as_shape((sizes,), "as_strided")
    steps = shapes.as_shape((strides,), "as_strided", "stride")
    if len(wanted) != len(steps):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(s < 0 for s in steps):
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{size(steps)}"
        )
    if any(n < 0 for n in wanted):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={size(wanted)} and "
            f"strides={size(steps)}"
        )
    first = storage_offset(input) if offset is None else offset
    if first < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {first}")
    return Layout(wanted, steps, first)


def _check_inside(input: Tensor, layout: Layout) -> None:
    """Raise where a layout is not in the memory of a tensor, or of one example in ``vmap``."""
    array = own_array(input)
    end = layout.end()
    if array.__class__ is Batched:
        example = _layout_of(input)
        if end and not example.offset <= layout.offset < end <= example.end():
            raise RuntimeError(
                f"result = tensor.as_strided({size(layout.shape)}, {size(layout.strides)}, "
                f"{layout.offset}) can access memory outside of `tensor`. `result` can access some "
                f"memory in range [{layout.offset}, {end}], but `tensor` can only access some "
                f"memory in range [{example.offset}, {example.end()}]. This is not supported "
                "inside of vmap, please try to rewrite the `as_strided` call as a sequence of "
                "gpugrad view operations"
            )
        return
    low, high = backend.of(array).memory(array)
    if end * array.itemsize > high - low:
        raise RuntimeError(
            f"setStorage: sizes {size(layout.shape)}, strides {size(layout.strides)}, storage "
            f"offset {layout.offset}, and itemsize {array.itemsize} requiring a storage size of "
            f"{end * array.itemsize} are out of bounds for storage of size {high - low}"
        )


_put_strided = assigned.named("AsStridedScatterBackward0")


@public()
def as_strided_scatter(
    input: Tensor,
    src: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """Return a copy with the values of ``src`` at the place of ``input.as_strided(...)``.

    Of elements that lie on each other the last one remains; those that the input does not reach are
    left out.  The gradient of the input is 0 where a value was
    overwritten; that of PyTorch 2.13 is 0 everywhere else.

    Raises:
        RuntimeError: As for :func:`as_strided`, or ``src`` has another size than the view.
    """
    if np.unique(_layout_of(input).positions()).size < input._array.size:
        input = contiguous(input)  # the copy has room for each element
    layout, inside = _layout(input, size, stride, storage_offset), _layout_of(input)
    _check_inside(input, layout)
    _check_place(src, layout.shape)
    positions, wanted = inside.positions().reshape(-1), layout.positions().reshape(-1)
    number = np.full(max(inside.end(), layout.end()), -1)  # of the element at each place in memory
    number[positions] = np.arange(positions.size)
    found = number[wanted]
    kept = np.flatnonzero(found >= 0)
    door = backend.of(input._array)
    where = door.device_of(input._array)
    values = to(src, input._kind)
    if kept.size != found.size:
        values = taken(shapes.reshape(values, -1), index=(door.from_numpy(kept, where),))
    else:
        found = found.reshape(layout.shape)
    places = np.unravel_index(found[found >= 0].reshape(values._array.shape), inside.shape)
    index = tuple([door.from_numpy(p, where) for p in places])
    result: Tensor = _put_strided(input, values, index=index or (Ellipsis,))
    return result


# --------------------------------------------------------------------------- windows


@linear("UnfoldBackward0", view=True)
def _unfold(door: backend.Backend, input: Array, *, axis: int, length: int, step: int) -> Array:
    if not input.shape:
        offset = door.address(input) - door.memory(input)[0]
        return door.laid_out(input, (length,), offset, (input.itemsize,))
    return _windows(door, input, axis, length, step)


def _windows(door: backend.Backend, array: Array, axis: int, length: int, step: int) -> Array:
    """Return a view of all windows along an axis, whose elements are a new last axis."""
    shape, strides = tuple(array.shape), tuple(array.strides)
    windows, distance = (shape[axis] - length) // step + 1, strides[axis] * step
    return door.laid_out(
        array,
        (*shape[:axis], windows, *shape[axis + 1 :], length),
        door.address(array) - door.memory(array)[0],
        (*strides[:axis], distance, *strides[axis + 1 :], strides[axis]),
    )


@_unfold.gradient
def input(g: Any, like: Like, axis: int, length: int, step: int) -> Any:
    if not like.shape:
        return shapes.reshape(g, ()) if length else zeros_with(g, shape=(1,), index=(slice(0),))
    return folded(g, shape=like.shape, axis=axis, length=length, step=step)


@linear("UnfoldBackwardBackward0")
def folded(
    door: backend.Backend, input: Array, *, shape: Shape, axis: int, length: int, step: int
) -> Array:
    """Return zeros of a shape with windows added at their places."""
    where = door.device_of(input)
    result = door.full(shape, 0, input.dtype, where)
    windows = _windows(door, result, axis, length, step)
    if step >= length:  # none lies on another
        door.assign(windows, input)
    elif not door.add_overlapping(windows, input):
        places = step * np.arange(windows.shape[axis])[:, None] + np.arange(length)
        moved = input.transpose((*range(axis + 1), len(shape), *range(axis + 1, len(shape))))
        index = (*(slice(None),) * axis, door.from_numpy(places, where))
        door.add_at(result, index, moved)
    return result


@folded.gradient
def input(g: Any, axis: int, length: int, step: int) -> Any:
    return _unfold(g, axis=axis, length=length, step=step)


@public(function=False)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return a view of all windows along a dimension, whose elements are a new last dimension.

    Args:
        input: Any shape; a 0-d tensor is taken for a vector of one element.
        dimension: Along which windows are taken; it counts the windows then.
        size: The length of a window.
        step: The distance of the beginnings of two windows.

    Raises:
        RuntimeError: ``size`` is negative or larger than the dimension, or ``step`` is not
            positive.
    """
    shape = input._array.shape
    axis = normal_dim(dimension, len(shape))
    longest = shape[axis] if shape else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > longest:
        raise RuntimeError(
            f"maximum size for tensor at dimension {axis} is {longest} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    result: Tensor = _unfold(input, axis=axis, length=size, step=step)
    return result


# --------------------------------------------------------------------------- at a place


@linear("SliceScatterBackward0")
def _slice_scatter(
    door: backend.Backend, input: Array, src: Array, *, index: tuple[Any, ...]
) -> Array:
    result = copy_to_write(input, door, (src,))
    door.assign(result[(*index, ...)], src)
    return result


@_slice_scatter.gradient
def input(g: Any, index: tuple[Any, ...]) -> Any:
    return _slice_scatter(g, nothing(g), index=index)


@_slice_scatter.gradient
def src(g: Any, index: tuple[Any, ...]) -> Any:
    return part.sliced(g, index)


_select_scatter = _slice_scatter.named("SelectScatterBackward0")


@linear("DiagonalScatterBackward0")
def _diagonal_scatter(
    door: backend.Backend, input: Array, src: Array, *, offset: int, first: int, second: int
) -> Array:
    result = copy_to_write(input, door, (src,))
    door.assign(door.diagonal(result, offset, first, second), src)
    return result


@_diagonal_scatter.gradient
def input(g: Any, offset: int, first: int, second: int) -> Any:
    return _diagonal_scatter(g, nothing(g), offset=offset, first=first, second=second)


@_diagonal_scatter.gradient
def src(g: Any, offset: int, first: int, second: int) -> Any:
    return part.diagonal(g, offset, first, second)


def _check_place(src: Tensor, shape: Shape) -> None:
    if src._array.shape != shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{size(src._array.shape)}, slice size = {size(shape)}"
        )


@public(out=True)
def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """Return a copy with ``src`` at a slice of a dimension, ``start:end:step``.

    Raises:
        IndexError: The input is 0-d.
        RuntimeError: ``src`` has another size than the slice, or ``step`` is not positive.
    """
    shape = input._array.shape
    axis, places = part.checked_slice(input, dim, start, end, step)
    count = len(range(*places.indices(shape[axis])))
    _check_place(src, (*shape[:axis], count, *shape[axis + 1 :]))
    result: Tensor = _slice_scatter(input, src, index=(*(slice(None),) * axis, places))
    return result


@public()
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Return a copy with ``src`` at the slice ``index`` of a dimension.

    Raises:
        IndexError: The input is 0-d, or has no such slice.
        RuntimeError: ``src`` has another size than the slice.
    """
    shape = input._array.shape
    axis = part.checked_place(shape, dim, index)
    _check_place(src, (*shape[:axis], *shape[axis + 1 :]))
    result: Tensor = _select_scatter(input, src, index=(*(slice(None),) * axis, index))
    return result


@public()
def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """Return a copy with ``src`` at the diagonals over two dimensions.

    Raises:
        RuntimeError: ``src`` has another size than ``input.diagonal(offset, dim1, dim2)``, or the
            two dimensions are the same.
    """
    first, second = part.diagonal_dims(input._array.ndim, dim1, dim2)
    lengths = input._array.shape
    count = min(lengths[first] + min(offset, 0), lengths[second] - max(offset, 0))
    rest = [n for k, n in enumerate(lengths) if k not in (first, second)]
    _check_place(src, (*rest, max(count, 0)))
    result: Tensor = _diagonal_scatter(input, src, offset=offset, first=first, second=second)
    return result


__all__ = [
    "as_strided", "as_strided_scatter", "diagonal_scatter", "select_scatter", "slice_scatter",
    "storage_offset", "unfold",
]  # fmt: skip

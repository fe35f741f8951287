"""One part of a tensor: views of slices and diagonals, and zeros around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.errors import normal_dim, size
from gpugrad.graph import TensorBase
from gpugrad.op import composite, linear, public
from gpugrad.op.number import check_number, checked_number
from gpugrad.op.saved import Like
from gpugrad.ops.copy import cloned_as
from gpugrad.ops.shape import as_shape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


@linear("SelectBackward0", view=True)
def selected(door: backend.Backend, input: Array, *, axis: int, index: int) -> Array:
    """Return a view of the slice at an index that the axis has, without that dimension."""
    return input[(*(slice(None),) * axis, index, ...)]


@selected.gradient
def input(g: Any, like: Like, axis: int, index: int) -> Any:
    return zeros_with(g, shape=like.shape, index=(*(slice(None),) * axis, index))


def _whole(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return an index that gives an array even where it names one element."""
    return index if Ellipsis in index else (*index, ...)


@linear("SliceBackward0", view=True)
def _slice(door: backend.Backend, input: Array, *, index: tuple[Any, ...]) -> Array:
    return input[_whole(index)]


@_slice.gradient
def input(g: Any, like: Like, index: tuple[Any, ...]) -> Any:
    return zeros_with(g, shape=like.shape, index=index)


# PyTorch takes an index apart into steps; the node that is seen is that of the last one.
_slice_ending_in_select = _slice.named("SelectBackward0")
_slice_ending_in_unsqueeze = _slice.named("UnsqueezeBackward0")
split_off = _slice.named("UnsafeSplitBackward0")
split_off_with_sizes = _slice.named("UnsafeSplitWithSizesBackward0")


@linear("SliceScatterBackward0")
def zeros_with(
    door: backend.Backend, input: Array, *, shape: Shape, index: tuple[Any, ...]
) -> Array:
    """Return zeros of a shape with the input at an index of integers and slices."""
    result = door.full(shape, 0, input.dtype, door.device_of(input))
    door.assign(result[_whole(index)], input)
    return result


@zeros_with.gradient
def input(g: Any, index: tuple[Any, ...]) -> Any:
    return _slice(g, index=index)


@linear("DiagonalBackward0", view=True)
def _diagonal(
    door: backend.Backend, input: Array, *, offset: int, first: int, second: int
) -> Array:
    return door.diagonal(input, offset, first, second)


@_diagonal.gradient
def input(g: Any, like: Like, offset: int, first: int, second: int) -> Any:
    return put_diagonal(g, shape=like.shape, offset=offset, first=first, second=second)


@linear("DiagonalScatterBackward0")
def put_diagonal(
    door: backend.Backend, input: Array, *, shape: Shape, offset: int, first: int, second: int
) -> Array:
    """Return zeros of a shape with the input at the diagonals over two axes."""
    result = door.full(shape, 0, input.dtype, door.device_of(input))
    door.assign(door.diagonal(result, offset, first, second), input)
    return result


@put_diagonal.gradient
def input(g: Any, offset: int, first: int, second: int) -> Any:
    return _diagonal(g, offset=offset, first=first, second=second)


@public()
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Return a view of the slice at ``index``, without that dimension.

    Raises:
        IndexError: The tensor is 0-d, or has no such slice.
    """
    return selected(input, axis=checked_place(input._array.shape, dim, index), index=index)


def checked_place(shape: Shape, dim: int, index: int) -> int:
    """Return the axis that ``dim`` names, if it has a slice ``index``.

    Raises:
        IndexError: It has none, or there are no dimensions.
    """
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis = normal_dim(dim, len(shape))
    if not -shape[axis] <= index < shape[axis]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {size(shape)} at dimension "
            f"{axis}"
        )
    return axis


@public()
def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """Return a view of ``length`` slices from ``start`` on, which may be a 0-d tensor.

    Raises:
        IndexError: There is no slice ``start``.
        RuntimeError: There are not as many from there on, or a tensor is no integer.
    """
    if isinstance(start, TensorBase):
        if start._array.ndim or start._array.dtype.kind not in "iu":
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = int(start._array.item())
    if input._array.ndim and length < 0:
        normal_dim(dim, input._array.ndim)
        raise RuntimeError("narrow(): length must be non-negative.")
    return _narrowed(input, dim, start, length)


def _narrowed(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    shape = input._array.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    axis = normal_dim(dim, len(shape))
    n = shape[axis]
    if not -n <= start <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"
        )
    if start < 0:
        start += n
    if length < 0 or start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _slice(input, index=(*(slice(None),) * axis, slice(start, start + length)))


@public(out=True)
def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Return a copy of what :func:`narrow` makes a view of.

    Raises:
        IndexError: There is no slice ``start``.
        RuntimeError: There are not as many from there on, or not so many dimensions.
    """
    if dim >= input._array.ndim > 0:  # which PyTorch asserts
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but "
            f"got false. There are {input._array.ndim} dimensions, not {dim + 1}."
        )
    result: Tensor = _narrow_copied(_narrowed(input, dim, start, length), order="C")
    return result


_narrow_copied = cloned_as("NarrowCopyBackward0")


@composite("ConstantPadNdBackward0")
def _padded(
    door: backend.Backend, input: Array, *, pads: tuple[tuple[int, int], ...], value: complex
) -> Array:
    shape = tuple([n + a + b for n, (a, b) in zip(input.shape, pads, strict=True)])
    result = door.full(shape, value, input.dtype, door.device_of(input))
    to, source = [], []
    for a, b in pads:
        to.append(slice(max(a, 0), -b if b > 0 else None))
        source.append(slice(max(-a, 0), b if b < 0 else None))
    door.assign(result[(*to, ...)], input[(*source, ...)])
    return result


@_padded.gradient
def input(g: Any, pads: tuple[tuple[int, int], ...]) -> Any:
    return _padded(g, pads=tuple([(-a, -b) for a, b in pads]), value=0)


@public(method=False)
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: complex = 0) -> Tensor:
    """Return the tensor with a number around it.

    Args:
        input: Any shape.
        pad: How many elements are added before and behind those of the last dimension, then of
            the one before it, and so on; as many are removed where a number is negative.
        value: The number.

    Raises:
        RuntimeError: There are not two numbers for a dimension, or more than dimensions, or more
            would be removed than there are; ``value`` does not fit into the type.
    """
    given, shape = as_shape((pad,), "constant_pad_nd", "pad"), input._array.shape
    if len(given) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(given)}")
    if len(given) > 2 * len(shape):
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad "
            f"length is {len(given)}while the input has {len(shape)}dimensions."
        )
    check_number(value, "constant_pad_nd", "value", 3)
    number = checked_number(value, _dtype.of(input._array.dtype))
    missing = len(shape) - len(given) // 2
    pads = ((0, 0),) * missing + tuple(zip(given[::2], given[1::2], strict=True))[::-1]
    for n, (a, b) in zip(shape, pads, strict=True):
        if n + min(a, 0) + min(b, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
    result: Tensor = _padded(input, pads=pads, value=number)
    return result


def slice_(
    input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """Return a view of the slices ``start:end:step`` of a dimension.

    Raises:
        IndexError: The input is 0-d.
        RuntimeError: ``step`` is not positive.
    """
    axis, part = checked_slice(input, dim, start, end, step)
    return sliced(input, (*(slice(None),) * axis, part))


def checked_slice(
    input: Tensor, dim: int, start: int | None, end: int | None, step: int
) -> tuple[int, slice]:
    """Return the axis that ``dim`` names, and the slice of it.

    Raises:
        IndexError: The input is 0-d.
        RuntimeError: ``step`` is not positive.
    """
    shape = input._array.shape
    if not shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    axis = normal_dim(dim, len(shape))
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return axis, slice(start, end, step)


def sliced(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    """Return a view at an index of integers and slices."""
    for last in reversed(index):
        if last is None:
            return _slice_ending_in_unsqueeze(input, index=index)
        if isinstance(last, int):
            return _slice_ending_in_select(input, index=index)
        if last is not Ellipsis and last != slice(None):
            break
    return _slice(input, index=index)


@public()
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a view of the diagonals over two dimensions, which a last one replaces.

    Raises:
        RuntimeError: The two dimensions are the same.
    """
    first, second = diagonal_dims(input._array.ndim, dim1, dim2)
    return _diagonal(input, offset=offset, first=first, second=second)


def diagonal_dims(ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    """Return the two axes that a diagonal runs through.

    Raises:
        RuntimeError: They are the same.
    """
    first, second = normal_dim(dim1, ndim), normal_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second

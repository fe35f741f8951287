"""Operations that rearrange: most of them are views, and each is linear."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad.backend.batched import all_of
from gpugrad.errors import normal_dim, size
from gpugrad.graph import TensorBase
from gpugrad.op import cast, expand_to, linear, move, public
from gpugrad.op.follower import detached, follower_of
from gpugrad.op.saved import Like, descended, wrap, zeros

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


def as_shape(sizes: tuple[Any, ...], function: str = "", argument: str = "size") -> Shape:
    """Return the shape that was given as one sequence or as several numbers.

    Raises:
        TypeError: Nothing was given, or something other than integers.
    """
    if not sizes:
        raise errors.missing(function, [argument])
    if len(sizes) == 1 and isinstance(sizes[0], Sequence) and not isinstance(sizes[0], str):
        sizes = tuple(sizes[0])
    try:
        return tuple([index(n) for n in sizes])
    except TypeError:
        wrong = next(k for k, n in enumerate(sizes) if not hasattr(n, "__index__"))
        kind = type(sizes[wrong]).__name__
        name = f"{function}(): argument '{argument}'"
        raise TypeError(
            f"{name} (position 1) must be tuple of ints, not {kind}" if wrong == 0
            else f"{name} failed to unpack the object at pos {wrong + 1} with error "
            f'"type must be tuple of ints,but got {kind}"'
        ) from None  # fmt: skip


# --------------------------------------------------------------------------- declarations


@linear("ViewBackward0", view=True)
def _view(door: backend.Backend, input: Array, *, shape: Shape) -> Array:
    return door.reshape(input, shape)


@_view.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


@linear("UnsafeViewBackward0")
def _copied_view(door: backend.Backend, input: Array, *, shape: Shape) -> Array:
    return door.reshape(input, shape)


@_copied_view.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


@linear("PermuteBackward0", view=True)
def _permute(door: backend.Backend, input: Array, *, axes: Shape) -> Array:
    return input.transpose(axes)


@_permute.gradient
def input(g: Any, axes: Shape) -> Any:
    return _permute(g, axes=tuple(axes.index(k) for k in range(len(axes))))


@linear("TransposeBackward0", view=True)
def _transpose(door: backend.Backend, input: Array, *, first: int, second: int) -> Array:
    return input.swapaxes(first, second) if input.ndim else input[...]


@_transpose.gradient
def input(g: Any, first: int, second: int) -> Any:
    return _transpose(g, first=first, second=second)


@linear("TBackward0", view=True)
def _t(door: backend.Backend, input: Array) -> Array:
    return input.T


@_t.gradient
def input(g: Any) -> Any:
    return _t(g)


@linear("SqueezeBackward0", view=True)
def _squeeze(door: backend.Backend, input: Array, *, axes: Shape) -> Array:
    return input.squeeze(axes)


@_squeeze.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


_squeeze_one, _squeeze_some = _squeeze.named("SqueezeBackward1"), _squeeze.named("SqueezeBackward2")


@linear("UnsqueezeBackward0", view=True)
def _unsqueeze(door: backend.Backend, input: Array, *, axis: int) -> Array:
    return door.xp.expand_dims(input, axis)


@_unsqueeze.gradient
def input(g: Any, like: Like) -> Any:
    return reshape(g, like.shape)


@linear("CatBackward0")
def _cat(door: backend.Backend, *inputs: Array, axis: int) -> Array:
    joined = [a for a in inputs if a.shape != (0,)]
    return door.concatenate(joined or inputs, axis)


@_cat.gradient
def inputs(g: Any, likes: Sequence[Like], needs: Sequence[bool], axis: int) -> list[Any]:
    results, start = [], 0
    for like, needed in zip(likes, needs, strict=True):
        if like.shape == (0,):
            results.append(zeros(like) if needed else None)
            continue
        length = like.shape[axis]
        results.append(narrow(g, axis, start, length) if needed else None)
        start += length
    return results


@linear("StackBackward0")
def _stack(door: backend.Backend, *inputs: Array, axis: int) -> Array:
    added = (*(slice(None),) * axis, None)  # which costs a tenth of NumPy's function
    return door.concatenate([a[added] for a in inputs], axis)


@_stack.gradient
def inputs(g: Any, needs: Sequence[bool], axis: int) -> list[Any]:
    return [select(g, axis, k) if needed else None for k, needed in enumerate(needs)]


@linear("SplitBackward0", view=True, outputs=())
def _split(door: backend.Backend, input: Array, *, sizes: Shape, axis: int) -> tuple[Array, ...]:
    before = (slice(None),) * axis
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    return tuple(input[(*before, slice(e - n, e))] for e, n in zip(ends, sizes, strict=True))


@_split.gradient
def input(g: Any, axis: int) -> Any:
    return cat(g, axis)


_split_with_sizes = _split.named("SplitWithSizesBackward0")


@linear("UnbindBackward0", view=True, outputs=())
def _unbind(door: backend.Backend, input: Array, *, axis: int) -> tuple[Array, ...]:
    if axis == 0 and input.ndim > 1:
        return tuple(input)  # in half the time
    # the ellipsis keeps the parts of a 1-d array views: 0-d arrays, not NumPy scalars
    before = (slice(None),) * axis
    return tuple(input[(*before, k, ...)] for k in range(input.shape[axis]))


@_unbind.gradient
def input(g: Any, axis: int) -> Any:
    return stack(g, axis)


@linear("SelectBackward0", view=True)
def _select(door: backend.Backend, input: Array, *, axis: int, index: int) -> Array:
    return input[(*(slice(None),) * axis, index, ...)]


@_select.gradient
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
    return _put_diagonal(g, shape=like.shape, offset=offset, first=first, second=second)


@linear("DiagonalScatterBackward0")
def _put_diagonal(
    door: backend.Backend, input: Array, *, shape: Shape, offset: int, first: int, second: int
) -> Array:
    result = door.full(shape, 0, input.dtype, door.device_of(input))
    door.assign(door.diagonal(result, offset, first, second), input)
    return result


@_put_diagonal.gradient
def input(g: Any, offset: int, first: int, second: int) -> Any:
    return _diagonal(g, offset=offset, first=first, second=second)


@linear("CloneBackward0")
def _clone(door: backend.Backend, input: Array, *, order: str) -> Array:
    return door.copy(input, order)


@_clone.gradient
def input(g: Any) -> Any:
    return g


@linear("AliasBackward0", view=True)
def alias(door: backend.Backend, input: Array) -> Array:
    """Return a view of the whole."""
    return input[...]


@alias.gradient
def input(g: Any) -> Any:
    return g


# --------------------------------------------------------------------------- public


def inferred(shape: Shape, count: int) -> Shape:
    """Return a shape with its one -1 replaced by what ``count`` elements leave.

    Raises:
        RuntimeError: There are several -1, or the elements do not fit.
    """
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        k = next(k for k, n in enumerate(shape) if n < -1)
        raise RuntimeError(
            f"invalid shape dimension {shape[k]} at index {k} of shape {size(shape)}"
        )
    known = math.prod(n for n in shape if n != -1)
    if -1 in shape:
        if known == 0:
            if count == 0:
                raise RuntimeError(
                    f"cannot reshape tensor of 0 elements into shape {size(shape)} because the "
                    "unspecified dimension size -1 can be any value and is ambiguous"
                )
        elif count % known == 0:
            shape = tuple(count // known if n == -1 else n for n in shape)
            known = count
    if known != count:
        raise RuntimeError(f"shape '{size(shape)}' is invalid for input of size {count}")
    return shape


@public()
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """Return the elements in another shape: a view where strides allow, else a copy."""
    wanted = as_shape(shape, "reshape", "shape")
    return _reshaped(input, inferred(wanted, input._array.size), "reshape")


@public(function=False)
def view(input: Tensor, *shape: Any) -> Tensor:
    """Return the elements in another shape, sharing memory.

    Raises:
        RuntimeError: The strides do not allow it, or the shape does not fit.
    """
    if len(shape) == 1 and isinstance(shape[0], dtype):
        raise TypeError("view(): another dtype of the same memory is not supported; use .to(dtype)")
    return _reshaped(input, inferred(as_shape(shape, "view"), input._array.size), "view")


def _reshaped(input: Tensor, shape: Shape, function: str) -> Tensor:
    if input._array.shape == shape and function == "reshape":
        return _view(input, shape=shape)
    if viewable(input, shape):
        return _view(input, shape=shape)
    if function == "view":
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return _copied_view(input, shape=shape)


def viewable(input: Tensor, shape: Shape) -> bool:
    """Tell whether the strides of a tensor allow a view of ``shape``."""
    array = input._array
    if array.ndim == 0 or array.flags.c_contiguous or array.size == 0:
        return True
    trial = all_of(array)[...]
    shape = (*trial.shape[: trial.ndim - array.ndim], *shape)
    try:
        trial.shape = shape  # unlike reshape, this never copies
    except (AttributeError, ValueError):
        return False
    return True


@public()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return dimensions start_dim to end_dim as one."""
    shape = input._array.shape
    first, last = normal_dim(start_dim, len(shape)), normal_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, 1)
    if first == last:
        return input
    return reshape(input, *shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])


@public(inplace="shape", names="swapaxes swapdims")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged."""
    ndim = input._array.ndim
    first, second = normal_dim(dim0, ndim), normal_dim(dim1, ndim)
    return _transpose(input, first=first, second=second)


@public()
def t(input: Tensor) -> Tensor:
    """Return a view of a matrix with rows and columns exchanged; a vector as it is."""
    check_matrix("t", input)
    return _t(input)


def check_matrix(function: str, input: Tensor) -> None:
    """Raise where a tensor has more than two dimensions."""
    if input._array.ndim > 2:
        raise RuntimeError(
            f"{function}() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D"
        )


def matrices_transposed(input: Tensor, name: str = "mT") -> Tensor:
    """Return the matrices in the last two dimensions transposed; without dimensions, the input.

    Raises:
        RuntimeError: There is one dimension; ``name`` is what was asked for.
    """
    ndim = input._array.ndim
    if ndim == 1:
        raise RuntimeError(
            f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return transpose(input, -2, -1) if ndim else input


@public()
def adjoint(input: Tensor, *, name: str = "adjoint()") -> Tensor:
    """Return a view of the conjugate of the matrices in the last two dimensions, transposed.

    As for :func:`conj`, it may not be written.  Without dimensions it is the conjugate.

    Raises:
        RuntimeError: There is one dimension.
    """
    from gpugrad.ops.pointwise import conj

    result = matrices_transposed(input, name)
    return conj(result) if input._array.dtype.kind == "c" else result


@public()
def permute(input: Tensor, *dims: Any) -> Tensor:
    """Return a view with the dimensions in another order."""
    wanted = as_shape(dims, "permute", "dims")
    ndim = input._array.ndim
    if len(wanted) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(wanted)}"
        )
    axes = tuple(normal_dim(d, ndim) for d in wanted)
    if len(set(axes)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, axes=axes)


@public(inplace="shape")
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return a view without dimensions of size 1: all of them, or those of ``dim`` that are."""
    shape = input._array.shape
    dims = errors.normal_dims(dim, len(shape)) if dim is not None else range(len(shape))
    op = _squeeze if dim is None else _squeeze_one if isinstance(dim, int) else _squeeze_some
    return op(input, axes=tuple(d for d in dims if shape[d] == 1))


@public(inplace="shape")
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Return a view with a new dimension of size 1 at ``dim``."""
    return _unsqueeze(input, axis=normal_dim(dim, input._array.ndim + 1))


@public(function=False)
def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Return a view with dimensions of size 1 repeated; -1 keeps a size.

    Raises:
        RuntimeError: A dimension of another size would have to change.
    """
    wanted, shape = as_shape(sizes, "expand"), input._array.shape
    extra = len(wanted) - len(shape)
    if extra < 0:
        raise RuntimeError(
            f"expand({type_and_size(input)}, size={size(wanted)}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(shape)})"
        )
    target = list(wanted)
    for k, n in enumerate(wanted):
        old = shape[k - extra] if k >= extra else None
        if n == -1 and old is not None:
            target[k] = old
        elif n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing "
                f"dimension {k}"
            )
        elif old not in (None, 1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at "
                f"non-singleton dimension {k}.  Target sizes: {size(wanted)}.  "
                f"Tensor sizes: {size(shape)}"
            )
    return expand_to(input, shape=tuple(target))


def type_and_size(input: Tensor) -> str:
    """Return PyTorch's short description of a tensor inside an error."""
    from gpugrad.op.saved import type_name

    return f"{type_name(input).replace('gpugrad.', 'gpugrad.')}{{{size(input._array.shape)}}}"


@public(function=False)
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Return a view with the shape of another tensor."""
    return expand(input, other._array.shape)


@public(function=False)
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the same memory in the shape of another tensor."""
    return view(input, other._array.shape)


@public(function=False)
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the elements in the shape of another tensor."""
    return reshape(input, other._array.shape)


@public()
def broadcast_to(input: Tensor, *size: Any) -> Tensor:
    """Return a view with the shape ``size``, which the input's broadcasts to."""
    return expand(input, as_shape(size, "broadcast_to"))


def _tensors(function: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    if isinstance(tensors, TensorBase):
        raise TypeError(
            f"{function}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"
        )
    found: list[Any] = list(tensors)
    for k, t in enumerate(found):
        if not isinstance(t, TensorBase):
            if not backend.is_array(t):
                raise TypeError(
                    f"expected Tensor as element {k} in argument 0, but got {type(t).__name__}"
                )
            found[k] = wrap(t)
    if not found:
        name = f"torch.{function}(): " if function == "cat" else f"{function} "
        raise (ValueError if function == "cat" else RuntimeError)(
            f"{name}expected a non-empty list of Tensors"
            if function == "cat" else f"{function} expects a non-empty TensorList"
        )  # fmt: skip
    common = _dtype.of(found[0]._array.dtype)
    for t in found[1:]:
        common = _dtype.promote_types(common, _dtype.of(t._array.dtype))
    # NumPy and CuPy promote floating point and complex types as PyTorch does, but not integers, and
    # not by the type of what is not joined
    kinds = "" if any(t._array.shape == (0,) for t in found) else "fc"
    return [
        t if t._array.dtype == common.numpy or t._array.dtype.kind in kinds
        else cast(t, dtype=common.numpy) for t in found
    ]  # fmt: skip


@public(method=False, out=True, names="concat concatenate")
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Return the tensors joined along an existing dimension.

    Raises:
        RuntimeError: Other dimensions differ.
        ValueError: There are no tensors.
    """
    found = _tensors("cat", tensors)
    for k, t in enumerate(found):
        if not t._array.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {k}) cannot be concatenated")
    # PyTorch's old allowance: an empty vector joins anything
    shape = next((t._array.shape for t in found if t._array.shape != (0,)), None)
    if shape is None:
        return _cat(*found, axis=0)
    axis = normal_dim(dim, len(shape))
    for k, t in enumerate(found):
        other = t._array.shape
        if other == (0,):
            continue
        if len(other) != len(shape):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(shape)} and {len(other)}"
            )
        for d, (n, m) in enumerate(zip(shape, other, strict=True)):
            if n != m and d != axis:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {n} "
                    f"but got size {m} for tensor number {k} in the list."
                )
    return _cat(*found, axis=axis)


@public(method=False, out=True)
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Return tensors of equal size joined along a new dimension.

    Raises:
        RuntimeError: The sizes differ.
    """
    found = _tensors("stack", tensors)
    shape = found[0]._array.shape
    axis = normal_dim(dim, len(shape) + 1)
    for k, t in enumerate(found[1:], 1):
        if t._array.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {size(shape)} at entry 0 "
                f"and {size(t._array.shape)} at entry {k}"
            )
    return _stack(*found, axis=axis)


@public()
def split(
    input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Return views of consecutive parts, of one size (the last may be smaller) or of given ones.

    Raises:
        RuntimeError: The sizes do not add up.
    """
    if not input._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    axis = normal_dim(dim, input._array.ndim)
    length = input._array.shape[axis]
    if isinstance(split_size_or_sections, int):
        n = split_size_or_sections
        if n < 0 or (n == 0 and length):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={n}")
        sizes = tuple(min(n, length - k) for k in range(0, length, n)) if length else (0,)
        return _split(input, sizes=sizes, axis=axis)
    return split_with_sizes(input, split_size_or_sections, dim)


@public()
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of consecutive parts of given sizes.

    Raises:
        RuntimeError: One is negative, or they do not add up.
    """
    if not input._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    axis = normal_dim(dim, input._array.ndim)
    length, sizes = input._array.shape[axis], tuple(split_sizes)
    if any(n < 0 for n in sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={size(sizes)}"
        )
    if sum(sizes) != length:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {length} (input tensor's "
            f"size at dimension {axis}), but got split_sizes={size(sizes)}"
        )
    return _split_with_sizes(input, sizes=sizes, axis=axis)


@public()
def tensor_split(
    input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0
) -> tuple[Tensor, ...]:
    """Return views of consecutive parts: of almost equal size, or beginning at given indices.

    Args:
        input: At least one dimension.
        indices_or_sections: How many parts, of which the first may be larger by one; or where
            they end and begin, also as an integer tensor.
        dim: The dimension that is divided.

    Raises:
        RuntimeError: The input is 0-d, there are no parts, or a tensor is not int64 on the CPU.
    """
    if not input._array.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    axis = normal_dim(dim, input._array.ndim)
    if isinstance(indices_or_sections, TensorBase):
        indices_or_sections = _as_numbers(indices_or_sections)
    length = input._array.shape[axis]
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        if parts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {parts}")
        small, larger = divmod(length, parts)
        ends = [k * small + min(k, larger) for k in range(1, parts)]
    else:
        ends = list(as_shape((indices_or_sections,), "tensor_split", "indices"))
    before = (slice(None),) * axis
    bounds = zip([0, *ends], [*ends, length], strict=True)
    return tuple([_slice(input, index=(*before, slice(a, b))) for a, b in bounds])


def _as_numbers(given: Any) -> Any:
    array = given._array
    if array.dtype != np.int64:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
            f"{_dtype.of(array.dtype).title}"
        )
    if backend.of(array).type != "cpu":
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to be on cpu, but it's on "
            f"{given.device}"
        )
    if array.ndim > 1:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
            f"one-dimensional tensor, but got a tensor with {array.ndim} dims"
        )
    return array.tolist()


def _split_along(
    function: str, input: Tensor, parts: int | Sequence[int], least: int, dim: int
) -> tuple[Tensor, ...]:
    shape = input._array.shape
    if len(shape) < least:
        raise RuntimeError(
            f"gpugrad.{function} requires a tensor with at least {least} dimension, but got a "
            f"tensor with {len(shape)} dimensions!"
        )
    if isinstance(parts, int) and (parts <= 0 or shape[dim] % parts):
        raise RuntimeError(
            f"gpugrad.{function} attempted to split along dimension {dim}, but the size of the "
            f"dimension {shape[dim]} is not divisible by the split_size {parts}!"
        )
    found: tuple[Tensor, ...] = tensor_split(input, parts, dim)
    return found


@public()
def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the second dimension.

    A vector is divided along its only one.

    Raises:
        RuntimeError: The parts would differ in size, or the input is 0-d.
    """
    return _split_along("hsplit", input, indices_or_sections, 1, min(1, input._array.ndim - 1))


@public()
def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the first dimension.

    Raises:
        RuntimeError: The parts would differ in size, or there are not two dimensions.
    """
    return _split_along("vsplit", input, indices_or_sections, 2, 0)


@public()
def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the third dimension.

    Raises:
        RuntimeError: The parts would differ in size, or there are not three dimensions.
    """
    return _split_along("dsplit", input, indices_or_sections, 3, 2)


@public()
def ravel(input: Tensor) -> Tensor:
    """Return the elements as a vector: a view where they lie in order, else a copy."""
    return view(contiguous(input), -1)


@public()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return at most ``chunks`` views of equal size, the last smaller where it must be.

    Raises:
        RuntimeError: ``chunks`` is not positive.
    """
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = input._array.shape[normal_dim(dim, input._array.ndim)]
    if not length:
        return split(input, [0] * chunks, dim)
    return split(input, -(-length // chunks), dim)


@public()
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return a view of each slice along a dimension, which disappears."""
    if not input._array.ndim:
        raise IndexError(errors.NO_DIMENSIONS)
    return _unbind(input, axis=normal_dim(dim, input._array.ndim))


@public()
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Return a view of the slice at ``index``, without that dimension.

    Raises:
        IndexError: The tensor is 0-d, or has no such slice.
    """
    return _select(input, axis=checked_place(input._array.shape, dim, index), index=index)


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
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Return a view of ``length`` slices from ``start`` on."""
    shape = input._array.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    axis = normal_dim(dim, len(shape))
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    n = shape[axis]
    if not -n <= start <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"
        )
    if start < 0:
        start += n
    if start + length > shape[axis]:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({shape[axis]})."
        )
    return _slice(input, index=(*(slice(None),) * axis, slice(start, start + length)))


def sliced(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    """Return a view at an index of integers and slices."""
    steps = [i for i in index if i is not Ellipsis and i != slice(None)]
    last = steps[-1] if steps else slice(None)
    if isinstance(last, int):
        return _slice_ending_in_select(input, index=index)
    return (_slice_ending_in_unsqueeze if last is None else _slice)(input, index=index)


@public()
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a view of the diagonals over two dimensions, which a last one replaces.

    Raises:
        RuntimeError: The two dimensions are the same.
    """
    first, second = diagonal_dims(input, dim1, dim2)
    return _diagonal(input, offset=offset, first=first, second=second)


def diagonal_dims(input: Tensor, dim1: int, dim2: int) -> tuple[int, int]:
    """Return the two axes that a diagonal runs through.

    Raises:
        RuntimeError: They are the same.
    """
    ndim = input._array.ndim
    first, second = normal_dim(dim1, ndim), normal_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


@public(names="moveaxis")
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return a view with some dimensions at other positions; the others keep their order.

    Raises:
        RuntimeError: A dimension or a position is repeated, or there are not equally many.
    """
    ndim = input._array.ndim
    old = (source,) if isinstance(source, int) else tuple(source)
    new = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(old) != len(new):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({size(old)} dims) should contain the same number of dims as destination "
            f"({size(new)} dims)"
        )
    moved = [normal_dim(d, ndim) for d in old]
    places = [normal_dim(d, ndim) for d in new]
    for name, found, given in (("source", moved, old), ("destination", places, new)):
        if len(set(found)) != len(found):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({size(given)})")
    if not ndim:
        return alias(input)
    order = [d for d in range(ndim) if d not in moved]
    for place, d in sorted(zip(places, moved, strict=True)):
        order.insert(place, d)
    return _permute(input, axes=tuple(order))


@public()
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Return a view with one dimension as several; one of their sizes may be -1.

    Raises:
        RuntimeError: The sizes do not multiply to that of the dimension.
    """
    shape = input._array.shape
    axis = normal_dim(dim, len(shape))
    if not shape:
        raise RuntimeError(f"unflatten got an unexpected error:\n{errors.NO_DIMENSIONS}")
    wanted = as_shape((sizes,), "unflatten", "sizes")
    if not wanted:
        raise RuntimeError("unflatten: sizes must be non-empty")
    known = math.prod(n for n in wanted if n != -1)
    if known != shape[axis] and not (-1 in wanted and known and shape[axis] % known == 0):
        raise RuntimeError(
            f"unflatten: Provided sizes {size(wanted)} don't multiply up to the size of dim "
            f"{axis} ({shape[axis]}) in the input tensor"
        )
    return view(input, *shape[:axis], *inferred(wanted, shape[axis]), *shape[axis + 1 :])


@public()
def clone(input: Tensor) -> Tensor:
    """Return a copy with memory of its own; the gradient passes through."""
    return _clone(input, order="K")


@public(function=False)
def contiguous(input: Tensor) -> Tensor:
    """Return the tensor itself if its memory is in plain order, else a copy that is."""
    array = input._array
    return input if array.ndim == 0 or array.flags.c_contiguous else _clone(input, order="C")


@public(function=False)
def to(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return the tensor with another dtype or on another device; itself where nothing changes.

    Called as ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)``, with
    ``copy=True`` to have a copy in any case; ``non_blocking`` is accepted and has no effect.
    """
    where, wanted, copy = _destination(*args, **kwargs)
    result = input
    door = backend.of(input._array)
    here = door.device_of(input._array)
    if where is not None and not (
        where == here or (where.type == here.type and where.index is None)
    ):
        backend.of_device(where)
        result = move(result, where=where)
    if wanted is not None and result._array.dtype != wanted.numpy:
        result = cast(result, dtype=wanted.numpy)
    return cast(input, dtype=input._array.dtype) if copy and result is input else result


def _destination(*args: Any, **kwargs: Any) -> tuple[device | None, dtype | None, bool]:
    where, wanted = kwargs.pop("device", None), kwargs.pop("dtype", None)
    copy = kwargs.pop("copy", False)
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    for a in args:
        if isinstance(a, dtype):
            wanted = a
        elif isinstance(a, TensorBase):
            wanted = _dtype.of(a._array.dtype)
            where = backend.of(a._array).device_of(a._array)
        elif isinstance(a, str | device) or (isinstance(a, int) and not isinstance(a, bool)):
            where = a
        elif not isinstance(a, bool) and a is not None:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({type(a).__name__}), but expected a dtype, a device or a Tensor"
            )
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    return None if where is None else device(where), wanted, copy


@public(method=False)
def detach(input: Tensor) -> Any:
    """Return a tensor on the same memory without history; writes to either are seen by both."""
    from gpugrad.op.saved import door_of, own_array, shared_counter

    door_of(input._array)
    if (base := follower_of(input)) is not None:
        return detached(input, base)
    result = wrap(own_array(input))
    result._counter = shared_counter(input)
    return descended(result, (input,))


_identity = _view.named("Identity")


def identity(input: Tensor) -> Any:
    """Return a view of the same shape, as the primal of a dual tensor is one."""
    return _identity(input, shape=input._array.shape)


__all__ = [name for name in dir() if not name.startswith("_")] + ["zeros"]

"""Several tensors as one, and one as several: each is the other's gradient."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad.errors import normal_dim, size, unequal_sizes
from gpugrad.graph import TensorBase
from gpugrad.op import cast, linear, public
from gpugrad.op.saved import Like, wrap, zeros
from gpugrad.ops.part import narrow, select, sliced, split_off, split_off_with_sizes
from gpugrad.ops.shape import as_shape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


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


def tensors_of(function: str, tensors: Sequence[Any], some: bool = False) -> list[Any]:
    """Return the tensors of a sequence, in which arrays may stand for them.

    Raises:
        RuntimeError: There are none, where there must be ``some``.
        TypeError: One is no tensor, or all are one.
    """
    if isinstance(tensors, TensorBase):
        raise TypeError(
            f"{function}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"
        )
    found = list(tensors)
    for k, t in enumerate(found):
        if not isinstance(t, TensorBase):
            if not backend.is_array(t):
                raise TypeError(
                    f"expected Tensor as element {k} in argument 0, but got {type(t).__name__}"
                )
            found[k] = wrap(t)
    if some and not found:
        raise RuntimeError(f"{function} expects a non-empty TensorList")
    return found


def promoted(tensors: list[Any], exactly: bool = False) -> list[Any]:
    """Return tensors that are to be joined in the type that all promote to.

    Unless it must be ``exactly`` that, some are left to NumPy and CuPy to promote.
    """
    kind = tensors[0]._array.dtype
    if all(t._array.dtype is kind for t in tensors):
        return tensors
    common = _dtype.of(kind)
    for t in tensors[1:]:
        common = _dtype.promote_types(common, _dtype.of(t._array.dtype))
    # NumPy and CuPy promote floating point and complex types as PyTorch does, but not integers, and
    # not by the type of what is not joined
    kinds = "" if exactly or any(t._array.shape == (0,) for t in tensors) else "fc"
    return [
        t if t._array.dtype == common.numpy or t._array.dtype.kind in kinds
        else cast(t, dtype=common.numpy) for t in tensors
    ]  # fmt: skip


@public(method=False, out="disjoint", names="concat concatenate")
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Return the tensors joined along an existing dimension.

    Raises:
        RuntimeError: Other dimensions differ.
        ValueError: There are no tensors.
    """
    found = tensors_of("cat", tensors)
    if not found:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    found = promoted(found)
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
        if other in (shape, (0,)):
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
    found = promoted(tensors_of("stack", tensors, some=True))
    shape = found[0]._array.shape
    axis = normal_dim(dim, len(shape) + 1)
    for k, t in enumerate(found[1:], 1):
        if t._array.shape != shape:
            raise unequal_sizes(shape, t._array.shape, k)
    return _stack(*found, axis=axis)


@public()
def split(
    input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Return views of consecutive parts, of one size (the last may be smaller) or of given ones.

    Raises:
        RuntimeError: The sizes do not add up.
    """
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(input, split_size_or_sections, dim)
    axis, sizes = _equal_sizes(input, split_size_or_sections, dim)
    return _split(input, sizes=sizes, axis=axis)


def _equal_sizes(input: Tensor, n: int, dim: int) -> tuple[int, Shape]:
    """Return the axis that ``dim`` names, and the sizes of parts of ``n`` each but for the last."""
    axis = _divided(input, dim)
    length = input._array.shape[axis]
    if n < 0 or (n == 0 and length):
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={n}")
    return axis, tuple(min(n, length - k) for k in range(0, length, n)) if length else (0,)


def _divided(input: Tensor, dim: int) -> int:
    if not input._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    return normal_dim(dim, input._array.ndim)


@public()
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Return views of consecutive parts of given sizes.

    Raises:
        RuntimeError: One is negative, or they do not add up.
    """
    axis, sizes = _checked_sizes(input, split_sizes, dim)
    return _split_with_sizes(input, sizes=sizes, axis=axis)


def _checked_sizes(input: Tensor, given: Sequence[int], dim: int) -> tuple[int, Shape]:
    """Return the axis that ``dim`` names, and the sizes of its parts, which add up."""
    axis = _divided(input, dim)
    length, sizes = input._array.shape[axis], tuple(given)
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
    return axis, sizes


@public()
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return the parts of :func:`split`, each of them a view that may be written in place.

    Unlike PyTorch's, what is written has its place in the history of ``input``, too.

    Raises:
        RuntimeError: ``split_size`` is negative.
    """
    axis, sizes = _equal_sizes(input, split_size, dim)
    return _views(split_off, input, sizes, axis)


@public()
def unsafe_split_with_sizes(
    input: Tensor, split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Return the parts of :func:`split_with_sizes`, each of them a view that may be written.

    Raises:
        RuntimeError: One is negative, or they do not add up.
    """
    axis, sizes = _checked_sizes(input, split_sizes, dim)
    return _views(split_off_with_sizes, input, sizes, axis)


def _views(part: Any, input: Tensor, sizes: Shape, axis: int) -> tuple[Tensor, ...]:
    before = (slice(None),) * axis
    ends = [*accumulate(sizes)]
    return tuple(
        [part(input, index=(*before, slice(e - n, e))) for e, n in zip(ends, sizes, strict=True)]
    )


@public(
    signatures=(
        "(Tensor input, tuple of ints indices, int dim = 0)",
        "(Tensor input, Tensor tensor_indices_or_sections, int dim = 0)",
        "(Tensor input, int sections, int dim = 0)",
    ),
)
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
    return tuple([sliced(input, (*before, slice(a, b))) for a, b in bounds])


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


_PARTS = "(Tensor input, int sections)", "(Tensor input, tuple of ints indices)"


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


@public(signatures=_PARTS)
def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the second dimension.

    A vector is divided along its only one.

    Raises:
        RuntimeError: The parts would differ in size, or the input is 0-d.
    """
    return _split_along("hsplit", input, indices_or_sections, 1, min(1, input._array.ndim - 1))


@public(signatures=_PARTS)
def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the first dimension.

    Raises:
        RuntimeError: The parts would differ in size, or there are not two dimensions.
    """
    return _split_along("vsplit", input, indices_or_sections, 2, 0)


@public(signatures=_PARTS)
def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the parts of :func:`tensor_split`, of equal size, along the third dimension.

    Raises:
        RuntimeError: The parts would differ in size, or there are not three dimensions.
    """
    return _split_along("dsplit", input, indices_or_sections, 3, 2)


@public()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return at most ``chunks`` views of equal size, the last smaller where it must be.

    Raises:
        RuntimeError: ``chunks`` is not positive.
    """
    n = _size_of_chunks(input, chunks, dim)
    return split(input, n, dim) if n else split(input, [0] * chunks, dim)


@public()
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return the parts of :func:`chunk`, each of them a view that may be written.

    Raises:
        RuntimeError: ``chunks`` is not positive.
    """
    n = _size_of_chunks(input, chunks, dim)
    if not n:
        return unsafe_split_with_sizes(input, [0] * chunks, dim)
    return unsafe_split(input, n, dim)


def _size_of_chunks(input: Tensor, chunks: int, dim: int) -> int:
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    return -(-input._array.shape[normal_dim(dim, input._array.ndim)] // chunks)


@public()
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return a view of each slice along a dimension, which disappears."""
    if not input._array.ndim:
        raise IndexError(errors.NO_DIMENSIONS)
    return _unbind(input, axis=normal_dim(dim, input._array.ndim))

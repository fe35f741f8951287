"""Matrices made of others: their diagonals and triangles, blocks, and Kronecker products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT
from gpugrad.op import expand_to, linear, public
from gpugrad.op.saved import Like
from gpugrad.ops.copied import diagonal_copy
from gpugrad.ops.filled import empty, ones_like
from gpugrad.ops.indexing import flip
from gpugrad.ops.joining import cat, promoted, tensors_of
from gpugrad.ops.part import diagonal_dims, narrow, put_diagonal
from gpugrad.ops.pointwise.arithmetic import mul
from gpugrad.ops.scan import cumprod
from gpugrad.ops.shape import expand, ravel, reshape, unsafe_view, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


# --------------------------------------------------------------------------- diagonals

_embedded = put_diagonal.named("DiagEmbedBackward0")


@public()
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return zeros with the last dimension of ``input`` as diagonals over two new dimensions.

    Raises:
        IndexError: The result does not have one of the two dimensions.
        RuntimeError: They are the same.
    """
    shape = input._array.shape
    first, second = diagonal_dims(len(shape) + 1, dim1, dim2)
    length = shape[-1] + abs(offset)
    wanted = list(shape[:-1])
    for axis in sorted((first, second)):
        wanted.insert(axis, length)
    result: Tensor = _embedded(
        input, shape=tuple(wanted), offset=offset, first=first, second=second
    )
    return result


@public(out=True)
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return a matrix with a vector as one of its diagonals, or a copy of a diagonal of a matrix.

    Raises:
        RuntimeError: ``input`` is neither.
    """
    ndim = input._array.ndim
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return diag_embed(input, diagonal) if ndim == 1 else diagonal_copy(input, diagonal)


@public()
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return a matrix with the elements of ``input`` as one of its diagonals."""
    return diag_embed(ravel(input), offset)


@linear("TraceBackward0")
def _trace(door: backend.Backend, input: Array) -> Array:
    kind = input.dtype if input.dtype.kind in INEXACT else _dtype.int64.numpy
    return door.sum(door.diagonal(input, 0, 0, 1), (0,), False, kind)


@_trace.gradient
def input(g: Any, like: Like) -> Any:
    along = expand_to(g, shape=(min(like.shape),))
    return put_diagonal(along, shape=like.shape, offset=0, first=0, second=1)


@public()
def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix; int64 for integers.

    Raises:
        RuntimeError: ``input`` is no matrix.
    """
    array = input._array
    if array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {array.ndim}")
    if array.dtype.kind == "b":
        raise NotImplementedError("\"trace\" not implemented for 'Bool'")
    result: Tensor = _trace(input)
    return result


# --------------------------------------------------------------------------- triangles


@linear("TrilBackward0")
def below(door: backend.Backend, input: Array, *, diagonal: int) -> Array:
    """Return the elements on a diagonal and below it, and 0 above."""
    return door.triangle(input, diagonal, False)


@below.gradient
def input(g: Any, diagonal: int) -> Any:
    return below(g, diagonal=diagonal)


@linear("TriuBackward0")
def above(door: backend.Backend, input: Array, *, diagonal: int) -> Array:
    """Return the elements on a diagonal and above it, and 0 below."""
    return door.triangle(input, diagonal, True)


@above.gradient
def input(g: Any, diagonal: int) -> Any:
    return above(g, diagonal=diagonal)


def _check_matrices(function: str, input: Tensor) -> None:
    if input._array.ndim < 2:
        raise RuntimeError(f"{function}: input tensor must have at least 2 dimensions")


@public(inplace="values", out=True)
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return matrices with zeros above a diagonal.

    Raises:
        RuntimeError: There are no two dimensions.
    """
    _check_matrices("tril", input)
    result: Tensor = below(input, diagonal=diagonal)
    return result


@public(inplace="values", out=True)
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return matrices with zeros below a diagonal.

    Raises:
        RuntimeError: There are no two dimensions.
    """
    _check_matrices("triu", input)
    result: Tensor = above(input, diagonal=diagonal)
    return result


# --------------------------------------------------------------------------- blocks and products


@linear("BlockDiagBackward0")
def _block_diag(door: backend.Backend, *inputs: Array) -> Array:
    shapes = [_as_matrix(a.shape) for a in inputs]
    rows, columns = (sum([s[axis] for s in shapes]) for axis in (0, 1))
    result = door.full((rows, columns), 0, inputs[0].dtype, door.device_of(inputs[0]))
    row = column = 0
    for a, (n, m) in zip(inputs, shapes, strict=True):
        door.assign(result[row : row + n, column : column + m], a)
        row, column = row + n, column + m
    return result


def _as_matrix(shape: Shape) -> Shape:
    return (*(1,) * (2 - len(shape)), *shape)


@_block_diag.gradient
def inputs(g: Any, likes: Any, needs: Any) -> list[Any]:
    results: list[Any] = []
    row = column = 0
    for like, needed in zip(likes, needs, strict=True):
        n, m = _as_matrix(like.shape)
        block = narrow(narrow(g, 0, row, n), 1, column, m) if needed else None
        results.append(None if block is None else reshape(block, like.shape))
        row, column = row + n, column + m
    return results


@public(method=False)
def block_diag(*tensors: Tensor) -> Tensor:
    """Return a matrix with tensors of at most two dimensions along its diagonal.

    Vectors are rows.  Of no tensors it is a row of no elements.

    Raises:
        RuntimeError: One has more dimensions.
    """
    found = tensors_of("block_diag", tensors)
    if not found:
        return empty(1, 0)
    for k, t in enumerate(found):
        if t._array.ndim > 2:
            raise RuntimeError(
                "gpugrad.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{k} has {t._array.ndim} dimensions"
            )
    result: Tensor = _block_diag(*promoted(found, exactly=True))
    return result


@public(out=True)
def kron(input: Tensor, other: Tensor) -> Tensor:
    """Return the Kronecker product: each element of ``input`` times all of ``other``.

    Where one has fewer dimensions, it has leading ones of length 1.
    """
    first, second = input._array.shape, other._array.shape
    ndim = max(len(first), len(second))
    first = (*(1,) * (ndim - len(first)), *first)
    second = (*(1,) * (ndim - len(second)), *second)
    pairs = [*zip(first, second, strict=True)]
    a = reshape(input, [n for k in first for n in (k, 1)])
    b = reshape(other, [n for k in second for n in (1, k)])
    return unsafe_view(mul(a, b), [n * m for n, m in pairs])


@public(method=False)
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:  # noqa: N803
    """Return the powers of the elements of a vector as rows, the highest first.

    Args:
        x: A vector; of integers the powers are int64.
        N: How many powers, from 0 on; by default as many as elements.
        increasing: Whether the lowest is first.

    Raises:
        RuntimeError: ``x`` is no vector, or ``N`` is negative.
    """
    array = x._array
    if array.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = array.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    base = unsqueeze(x, -1)
    rows = base._array.shape[0]
    parts = [ones_like(base), expand(base, (rows, max(count - 1, 0)))][: min(count, 2)]
    powers = cumprod(cat(parts, 1), 1) if parts else cumprod(base[:, :0], 1)
    return powers if increasing else flip(powers, 1)

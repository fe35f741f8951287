"""Norms of vectors and of matrices, and the condition of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype
from gpugrad._dtype import INEXACT, dtype
from gpugrad.errors import normal_dim, normal_dims
from gpugrad.op import cast, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.decompositions import linalg_svdvals
from gpugrad.ops.distance import count_of_nonzero, norm_of
from gpugrad.ops.extremum import amax, amin
from gpugrad.ops.matrices import check_floating, check_stack, nothing
from gpugrad.ops.reduction import sum as summed
from gpugrad.ops.shape import movedim, unsqueeze
from gpugrad.ops.solving import linalg_inv_ex

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Dim = int | Sequence[int] | None
Order = Any  # a number, a word or None


def _converted(function: str, input: Tensor, wanted: dtype | None) -> Tensor:
    """Return the input in the type that its norm is asked for in.

    Raises:
        RuntimeError: That holds less, or is no type for it.
    """
    if wanted is None:
        return input
    given = _dtype.of(input._array.dtype)
    wanted = _dtype.chosen(wanted, given)
    if wanted.numpy.kind not in INEXACT:
        raise RuntimeError(
            f"{function}: dtype should be floating point or complex, but got {wanted.title}"
        )
    if wanted.is_complex is not given.is_complex:
        kind, whose = ("complex", "complex") if given.is_complex else ("real", "real")
        raise RuntimeError(
            f"{function}: dtype should be {kind} for {whose} inputs, but got {wanted.title}"
        )
    if _dtype.promote_types(given, wanted) is not wanted:
        raise RuntimeError(
            f"{function}: the dtype of the input ({given.title}) should be convertible without "
            f"narrowing to the specified dtype ({wanted.title})"
        )
    found: Tensor = input if given is wanted else cast(input, dtype=wanted.numpy)
    return found


@public(name="linalg.vector_norm", method=False, out=True)
def linalg_vector_norm(
    input: Tensor,
    ord: float = 2,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
) -> Tensor:
    """Return the norm of the elements as a vector, over ``dim`` (all by default).

    The order may be any number, 0, inf or -inf.  The gradient at 0 is 0, and at ties of inf it is
    shared.

    Raises:
        RuntimeError: The type is neither floating point nor complex, or there are no elements and
            the order is negative or inf.
    """
    order = _number("linalg_vector_norm", ord)
    check_floating("linalg.vector_norm", input)
    axes = normal_dims(dim, input._array.ndim)
    if (order < 0 or order == math.inf) and not all(input._array.shape[k] for k in axes):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {order:g} norm on an empty tensor because the "
            "operation does not have an identity"
        )
    input = _converted("linalg.vector_norm", input, dtype)
    found: Tensor = (
        count_of_nonzero(input, axes=axes, keepdims=keepdim) if order == 0
        else norm_of(input, axes=axes, keepdims=keepdim, order=order)
    )  # fmt: skip
    return found


def _number(function: str, order: Any) -> float:
    if isinstance(order, complex):
        raise RuntimeError(
            "linalg.vector_norm: Expected a non-complex scalar as the order of norm."
        )
    if isinstance(order, str) or order is None:
        raise TypeError(
            f"{function}(): argument 'ord' (position 2) must be Number, not {type(order).__name__}"
        )
    return float(order)


@public(name="linalg.matrix_norm", method=False, out=True)
def linalg_matrix_norm(
    input: Tensor,
    ord: Order = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
) -> Tensor:
    """Return the norms of matrices, which two dimensions are.

    The order is "fro", "nuc" (the sum of singular values), 2 or -2 (the largest or least one), 1 or
    -1 (of the sums over columns) or inf or -inf (of the sums over rows).

    Raises:
        RuntimeError: It is another one, or the type is no floating point or complex one.
    """
    check_floating("linalg.matrix_norm", input)
    check_stack("linalg.matrix_norm", input)
    if len(dim) != 2:
        dims = " ".join(map(str, dim))
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dims}")
    if not isinstance(ord, str) and abs(ord) not in (1, 2, math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord:g} not supported.")
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    ndim = input._array.ndim
    rows, columns = (normal_dim(d, ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    input = _converted("linalg.matrix_norm", input, dtype)
    if ord == "fro":
        return linalg_vector_norm(input, 2, (rows, columns), keepdim)
    extreme = amax if ord not in (-1, -2, -math.inf) else amin
    sizes = input._array.shape
    compared = {1: sizes[columns], 2: min(sizes[rows], sizes[columns]), math.inf: sizes[rows]}
    if ord in compared and not compared[ord]:
        kept = tuple([1 if d in (rows, columns) else n for d, n in enumerate(sizes)])
        rest = tuple([n for d, n in enumerate(sizes) if d not in (rows, columns)])
        return _no_norms(input, kept if keepdim else rest)
    if isinstance(ord, str) or abs(ord) == 2:
        values = linalg_svdvals(movedim(input, (rows, columns), (-2, -1)))
        found = summed(values, -1) if ord == "nuc" else extreme(values, -1)
        if keepdim:
            for d in sorted((rows, columns)):
                found = unsqueeze(found, d)
        return found
    along, across = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = linalg_vector_norm(input, 1, along, True)
    found = extreme(sums, (across,), True)
    return found if keepdim else found.squeeze((rows, columns))


@public(name="linalg.norm", method=False, out=True)
def linalg_norm(
    input: Tensor,
    ord: Order = None,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
) -> Tensor:
    """Return the norm of a vector or a matrix, as :func:`linalg.vector_norm` and its sister do.

    Without ``ord`` it is that of all elements, or over ``dim``, of order 2.
    """
    dims = None if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if ord is not None:
        if dims is not None and len(dims) not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {dims}"
            )
        if dims is None and input._array.ndim not in (1, 2):
            raise RuntimeError(
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
                f"{input._array.ndim}D."
            )
        count = input._array.ndim if dims is None else len(dims)
        if count == 2 or isinstance(ord, str):
            return linalg_matrix_norm(input, ord, dims or (-2, -1), keepdim, dtype=dtype)
    return linalg_vector_norm(input, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


@public(out=True)
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    dtype: dtype | None = None,
) -> Tensor:
    """Return the p-norm of the elements as a vector, over ``dim`` (all by default).

    ``"fro"`` and ``None`` mean 2; ``p`` may be 0, inf or -inf, or "nuc", the nuclear norm of
    matrices.  The gradient at 0 is 0, and at ties of inf it is shared.

    Raises:
        RuntimeError: The type is neither floating point nor complex, or ``p`` is another word.
    """
    dims = None if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if isinstance(p, str) and not (p == "fro" and (dims is None or len(dims) <= 2)):
        all_dims = list(range(input._array.ndim)) if dims is None else dims
        return linalg_matrix_norm(input, p, all_dims, keepdim, dtype=dtype)
    order = 2.0 if p is None or isinstance(p, str) else p
    return linalg_vector_norm(input, order, dims, keepdim, dtype=dtype)


@public(name="linalg.cond", method=False, out=True)
def linalg_cond(input: Tensor, p: Order = None) -> Tensor:
    """Return the norms of matrices times those of their inverses, of an order of ``matrix_norm``.

    By default it is 2.  Of a singular matrix it is infinite.
    """
    if input._array.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    rows, columns = input._array.shape[-2:]
    word = p if isinstance(p, str) else "" if p is None else f"{p:g}"
    if isinstance(p, str):
        _check_cond_square(word, rows, columns)
    known = p in ("fro", "nuc") if isinstance(p, str) else p is None or abs(p) in (1, 2, math.inf)
    if not known:
        raise RuntimeError(f"linalg.cond got an invalid norm type: {word}")
    if not input._array.size:
        return _no_norms(input, input._array.shape[:-2])
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        values = linalg_svdvals(input)
        most, least = amax(values, -1), amin(values, -1)
        return pw.div(least, most) if p == -2 else pw.div(most, least)
    _check_cond_square(word, rows, columns)
    found, info = linalg_inv_ex(input)
    size = linalg_matrix_norm(input, p) * linalg_matrix_norm(found, p)
    return pw.where(pw.ne(info, 0), math.inf, size)


def _no_norms(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the norms of matrices that have no elements."""
    array = input._array
    kind = _dtype.of(array.dtype).to_real().numpy
    found: Tensor = nothing(input, shape, kind)
    return found


def _check_cond_square(word: str, rows: int, columns: int) -> None:
    if rows != columns:
        raise RuntimeError(
            f"linalg.cond(ord={word}): A must be batches of square matrices, but they are "
            f"{rows} by {columns} matrices"
        )

"""Equations by triangular matrices, and by Cholesky factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.errors import broadcast_shape
from gpugrad.op import composite, expand_to, public
from gpugrad.op.results import results
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import clone
from gpugrad.ops.extremum import amax
from gpugrad.ops.matrices import (
    adjoint,
    check_info,
    check_kernel,
    check_square,
    check_stack,
    constant,
    diagonals,
    lower,
    singular,
)
from gpugrad.ops.matrices import upper as upper_triangle
from gpugrad.ops.products import matmul
from gpugrad.ops.shape import matrices_transposed

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


TRIANGULAR_SOLVE = results("triangular_solve", "solution", "cloned_coefficient")


@composite("LinalgSolveTriangularBackward0")
def _substitute(
    door: backend.Backend, input: Array, other: Array, *, upper: bool, unit: bool
) -> Array:
    return door.matrices("solve_triangular", input, other, upper=upper, unit=unit)


@_substitute.gradient
def inputs(
    g: Any, input: Any, out: Any, needs: Sequence[bool], upper: bool, unit: bool
) -> list[Any]:
    grad = _substitute(adjoint(input), g, upper=not upper, unit=unit)
    if not needs[0]:
        return [None, grad]
    product = matmul(grad, adjoint(out))
    part = upper_triangle(product, int(unit)) if upper else lower(product, -int(unit))
    return [-part, grad if needs[1] else None]


def substitute(A: Any, B: Any, *, upper: bool, unit: bool = False) -> Any:
    """Return X of A X = B, where A is what one triangle says."""
    return _substitute(A, B, upper=upper, unit=unit)


def substitute_right(A: Any, B: Any, *, upper: bool, unit: bool = False) -> Any:
    """Return X of X A = B, where A is what one triangle says."""
    swapped = substitute(matrices_transposed(A), matrices_transposed(B), upper=not upper, unit=unit)
    return matrices_transposed(swapped)


@public(name="linalg.solve_triangular", method=False, out=True)
def linalg_solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """Return X of A X = B, or of X A = B if not ``left``, where A is what one triangle says.

    Where a number on the diagonal is 0, the result is infinite or ``nan``.

    Args:
        input: A, square matrices.
        B: Matrices; the dimensions before theirs broadcast with those of A.
        upper: Whether the upper triangle is read, or the lower one.
        left: On which side of X the matrix A stands.
        unitriangular: Whether the diagonal is taken for ones and not read.
    """
    check_square("linalg.solve_triangular", input)
    check_stack("linalg.solve_triangular", B, "B")
    check_fit("linalg.solve_triangular", input, B, left)
    broadcast_shape(B._array.shape[:-2], input._array.shape[:-2])
    a, b = input._array.dtype, B._array.dtype
    check_kernel("triangular_solve_cpu", input)
    if a != b:
        raise RuntimeError(
            "linalg.solve_triangular: Expected A and B to have the same dtype, but found A of type "
            f"{_dtype.of(a).title} and B of type {_dtype.of(b).title} instead"
        )
    solved = substitute if left else substitute_right
    found: Tensor = solved(input, B, upper=bool(upper), unit=bool(unitriangular))
    return found


def check_fit(function: str, A: Any, B: Any, left: bool) -> None:
    """Raise unless two matrices are equations: A X = B, or X A = B if not ``left``."""
    a, b = A._array.shape[-2:], B._array.shape[-2:]
    if a[0] != b[0 if left else 1]:
        raise RuntimeError(
            f"{function}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({a[0]}x{a[1]} and {b[0]}x{b[1]})"
        )


@public(out=True)
def triangular_solve(
    input: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> Any:
    """Return X of A X = ``input``, where A is what one triangle says, and a copy of A.

    With ``transpose`` it is the transpose of A.
    """
    for name, t in ("b", input), ("A", A):
        if t._array.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it "
                f"has {t._array.ndim} dimensions instead"
            )
    _check_equations("triangular_solve", input, A)
    check_kernel("triangular_solve_cpu", A)
    batch = broadcast_shape(input._array.shape[:-2], A._array.shape[:-2])
    whole = expand_to(A, shape=(*batch, *A._array.shape[-2:]))
    given = matrices_transposed(whole) if transpose else whole
    found = substitute(given, input, upper=upper is not transpose, unit=bool(unitriangular))
    return TRIANGULAR_SOLVE(found, clone(whole))


def _check_equations(function: str, b: Any, A: Any) -> None:
    """Raise unless matrices are equations, as those of old are checked."""
    kinds = [_dtype.of(t._array.dtype) for t in (b, A)]
    if kinds[0] is not kinds[1]:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {kinds[0].title} and "
            f"A of type {kinds[1].title} instead."
        )
    rows, columns = A._array.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"A must be batches of square matrices, but they are {rows} by {columns} matrices"
        )
    if rows != b._array.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {function}: each A matrix is {rows} by {columns} but "
            f"each b matrix is {b._array.shape[-2]} by {b._array.shape[-1]}"
        )


# --------------------------------------------------------------------------- Cholesky factors


@public(out=True)
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """Return X of A X = ``input``, where ``input2`` is the Cholesky factor of A."""
    for name, t in ("b", input), ("u", input2):
        if t._array.ndim < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {t._array.ndim} dimensions "
                "instead"
            )
    _check_equations("cholesky_solve", input, input2)
    check_kernel("cholesky_solve_cpu", input2)
    broadcast_shape(input._array.shape[:-2], input2._array.shape[:-2])
    return _factor_solved(input, input2, bool(upper))


def _factor_solved(b: Any, L: Any, upper: bool) -> Tensor:
    first, second = (adjoint(L), L) if upper else (L, adjoint(L))
    found: Tensor = substitute(second, substitute(first, b, upper=False), upper=True)
    return found


@composite("CholeskyInverseBackward0")
def _inverse_of_factored(door: backend.Backend, input: Array, *, upper: bool) -> Array:
    found: Array = door.matrices("cholesky_inverse", input, upper=upper)
    return found


@_inverse_of_factored.gradient
def input(g: Any, input: Any, out: Any, upper: bool) -> Any:
    both = matmul(out, g + adjoint(g))
    if upper:
        return -upper_triangle(substitute(adjoint(input), adjoint(both), upper=False))
    return -lower(substitute_right(adjoint(input), both, upper=True))


@public(out=True)
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """Return the inverses of the matrices that ``input`` are the Cholesky factors of.

    Raises:
        LinAlgError: There is a 0 on a diagonal.
    """
    check_square("cholesky_inverse", input)
    check_kernel("cholesky_inverse_out_cpu", input)
    zero = pw.eq(diagonals(input).detach(), 0)
    where = np.arange(1, input._array.shape[-1] + 1, dtype=np.int32)
    if len(where):
        later = pw.where(zero, -constant(where, input), -len(where) - 1)
        first = -amax(later, -1)  # the first 0, or one behind the last row
        check_info("cholesky_inverse", pw.where(pw.gt(first, len(where)), 0, first), singular)
    found: Tensor = _inverse_of_factored(input, upper=bool(upper))
    return found

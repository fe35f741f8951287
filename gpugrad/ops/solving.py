"""Linear equations and inverses, by elimination."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.errors import broadcast_shape
from gpugrad.op import composite, public
from gpugrad.op.results import results
from gpugrad.ops.matrices import (
    adjoint,
    check_floating,
    check_info,
    check_kernel,
    check_square,
    check_stack,
    failure,
    singular,
)
from gpugrad.ops.products import matmul
from gpugrad.ops.shape import matrices_transposed, movedim, reshape, squeeze, unsqueeze
from gpugrad.ops.triangular import check_fit

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


# --------------------------------------------------------------------------- inverses


LINALG_INV_EX = results("linalg_inv_ex", "inverse", "info")


@composite("LinalgInvExBackward0", outputs=("inverse", "info"))
def _inverse(door: backend.Backend, input: Array) -> tuple[Array, Array]:
    return door.matrices("inverse", input)


@_inverse.gradient
def input(g: Any, inverse: Any) -> Any:
    back = adjoint(inverse)
    return -matmul(back, matmul(g, back))


@public(name="linalg.inv_ex", method=False, out=True)
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """Return inverses, and of each matrix 0 or the pivot that is 0.

    With ``check_errors`` it raises as :func:`linalg.inv` does.
    """
    check_square("linalg.inv", A)
    check_floating("linalg.inv", A, low=False)
    found = LINALG_INV_EX(*_inverse(A))
    if check_errors:
        check_info("linalg.inv_ex", found.info, singular)
    return found


@public(out=True, names="linalg.inv")
def inverse(input: Tensor) -> Tensor:
    """Return the inverses of square matrices.

    Raises:
        LinAlgError: A matrix is singular.
        RuntimeError: They are not square, or of no floating point or complex type.
    """
    found = linalg_inv_ex(input)
    check_info("linalg.inv", found.info, singular)
    return found.inverse


# --------------------------------------------------------------------------- equations


LINALG_SOLVE_EX = results("linalg_solve_ex", "result", "info")


@composite("LinalgSolveExBackward0", outputs=("result", "info"))
def _solve(door: backend.Backend, input: Array, other: Array) -> tuple[Array, Array]:
    return door.matrices("solve", input, other)


@_solve.gradient
def inputs(g: Any, input: Any, result: Any, needs: Sequence[bool]) -> list[Any]:
    grad = _solve(adjoint(input), g)[0]
    return [-matmul(grad, adjoint(result)) if needs[0] else None, grad if needs[1] else None]


def is_vector(A: Any, B: Any) -> bool:
    """Tell whether the last dimension of B is that of vectors, and not of matrices."""
    a, b = A._array.shape, B._array.shape
    return len(b) == 1 or (len(a) - 1 == len(b) and b == a[:-1])


def _solved(A: Tensor, B: Tensor, left: bool) -> tuple[Any, Any]:
    check_square("linalg.solve", A)
    check_floating("linalg.solve", A)
    a, b = A._array.dtype, B._array.dtype
    if a != b:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{_dtype.of(a).title} and B of type {_dtype.of(b).title} instead"
        )
    vector = is_vector(A, B)
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    if vector:
        B = unsqueeze(B, -1)
    check_stack("linalg.solve", B, "B")
    check_fit("linalg.solve", A, B, left)
    broadcast_shape(B._array.shape[:-2], A._array.shape[:-2])
    check_kernel("lu_cpu", A)
    if left:
        found, info = _solve(A, B)
    else:
        found, info = _solve(matrices_transposed(A), matrices_transposed(B))
        found = matrices_transposed(found)
    return (squeeze(found, -1) if vector else found), info


@public(name="linalg.solve_ex", method=False, out=True)
def linalg_solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """Return what :func:`linalg.solve` does, and of each matrix 0 or the pivot that is 0."""
    found = LINALG_SOLVE_EX(*_solved(A, B, left))
    if check_errors:
        check_info("torch.linalg.solve_ex", found.info, _no_solution)
    return found


def _no_solution(pivot: int) -> str:
    return "The solver failed because the input matrix is singular."


@public(name="linalg.solve", method=False, out=True)
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """Return X of A X = B, or of X A = B if not ``left``; B may be a vector for each matrix.

    Raises:
        LinAlgError: A matrix is singular.
        RuntimeError: Shapes or types do not fit.
    """
    found, info = _solved(A, B, left)
    check_info("torch.linalg.solve", info, _no_solution)
    result: Tensor = found
    return result


# --------------------------------------------------------------------------- tensors as matrices


@public(name="linalg.tensorinv", method=False, out=True)
def linalg_tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """Return the inverse of a tensor as a linear map from its dimensions behind ``ind``.

    Raises:
        LinAlgError: It is singular.
        RuntimeError: There are not as many numbers before as behind.
    """
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = input._array.shape
    if ind > len(shape):
        raise RuntimeError(f"ArrayRef: invalid slice, N = {ind}; size = {len(shape)}")
    before, behind = shape[:ind], shape[ind:]
    rows, columns = math.prod(before), math.prod(behind)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    found, info = linalg_inv_ex(reshape(input, (rows, columns)))
    failed = failure(info)
    if failed is not None:
        raise RuntimeError("Failed to invert the input tensor, because it is singular.")
    return reshape(found, (*behind, *before))


@public(name="linalg.tensorsolve", method=False, out=True)
def linalg_tensorsolve(input: Tensor, other: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """Return X, of which the products with ``input`` over its last dimensions are ``other``.

    Those of ``input`` that ``dims`` names are moved behind the others first.

    Raises:
        LinAlgError: There is no one solution.
        RuntimeError: There are not as many equations as unknowns.
    """
    ndim = input._array.ndim
    A = input
    if dims is not None:
        A = movedim(input, tuple(dims), tuple(range(ndim - len(dims), ndim)))
    shape = A._array.shape[other._array.ndim :]
    unknowns, count = math.prod(shape), math.prod(A._array.shape[: other._array.ndim])
    if unknowns != count:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {unknowns} != {count}"
        )
    found = linalg_solve(reshape(A, (unknowns, unknowns)), reshape(other, (-1,)))
    return reshape(found, shape)

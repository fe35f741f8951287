"""Linear equations and inverses: by elimination, by its factors, by least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.errors import broadcast_shape
from gpugrad.graph import TensorBase
from gpugrad.op import composite, expand_to, public
from gpugrad.op.saved import Like, zeros
from gpugrad.ops import pointwise as pw
from gpugrad.ops.decompositions import linalg_eigh, linalg_svd
from gpugrad.ops.matrices import (
    adjoint,
    check_floating,
    check_info,
    check_kernel,
    check_square,
    constant,
    shown,
    singular,
)
from gpugrad.ops.part import narrow
from gpugrad.ops.products import matmul
from gpugrad.ops.reduction import sum as summed
from gpugrad.ops.shape import matrices_transposed, squeeze, unsqueeze
from gpugrad.ops.triangular import check_fit

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Tolerance = Any  # a number, a tensor or None


# --------------------------------------------------------------------------- inverses


class linalg_inv_ex_result(NamedTuple):  # noqa: N801  PyTorch prints it so
    """Inverses, and at which pivot there was none."""

    inverse: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return shown(self)


@composite("LinalgInvExBackward0", outputs=("inverse", "info"))
def _inverse(door: backend.Backend, input: Array) -> tuple[Array, Array]:
    return door.matrices("inverse", input)  # type: ignore[no-any-return]


@_inverse.gradient
def input(g: Any, inverse: Any) -> Any:
    back = adjoint(inverse)
    return -matmul(back, matmul(g, back))


@public(name="linalg.inv_ex", method=False, out=True)
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False) -> linalg_inv_ex_result:
    """Return inverses, and of each matrix 0 or the pivot that is 0.

    Without ``check_errors`` a GPU is not waited for.
    """
    check_square("linalg.inv", A)
    check_floating("linalg.inv", A, low=False)
    found = linalg_inv_ex_result(*_inverse(A))
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


class linalg_solve_ex_result(NamedTuple):  # noqa: N801  PyTorch prints it so
    """Solutions, and at which pivot there was none."""

    result: Tensor
    info: Tensor

    def __repr__(self) -> str:
        return shown(self)


@composite("LinalgSolveExBackward0", outputs=("result", "info"))
def _solve(door: backend.Backend, input: Array, other: Array) -> tuple[Array, Array]:
    return door.matrices("solve", input, other)  # type: ignore[no-any-return]


@_solve.gradient
def input(g: Any, input: Any, result: Any) -> Any:
    return -matmul(_solve(adjoint(input), g)[0], adjoint(result))


@_solve.gradient
def other(g: Any, input: Any) -> Any:
    return _solve(adjoint(input), g)[0]


def _is_vector(A: Any, B: Any) -> bool:
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
    vector = _is_vector(A, B)
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    if vector:
        B = unsqueeze(B, -1)
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
def linalg_solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False
) -> linalg_solve_ex_result:
    """Return what :func:`linalg.solve` does, and of each matrix 0 or the pivot that is 0."""
    found = linalg_solve_ex_result(*_solved(A, B, left))
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


# --------------------------------------------------------------------------- generalized inverses


@composite("LinalgPinvBackward0")
def _pinv(door: backend.Backend, input: Array, *, values: Any) -> Array:
    return values


def pinv_gradient(g: Any, A: Any, inverse: Any) -> Any:
    """Return the gradient of A by that of its generalized inverse, where its rank is constant.

    Source: G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least
    squares problems whose variables separate", 1973.
    """
    back, g = adjoint(inverse), adjoint(g)
    if A._array.shape[-2] <= A._array.shape[-1]:
        inner = matmul(g, inverse)
        outer = matmul(inner, back)
        return (
            -adjoint(matmul(inverse, inner))
            + outer
            - matmul(matmul(A, inverse), outer)
            + matmul(matmul(back, inverse), g - matmul(inner, A))
        )
    inner = matmul(inverse, g)
    outer = matmul(back, inner)
    return (
        -adjoint(matmul(inner, inverse))
        + matmul(matmul(g - matmul(A, inner), inverse), back)
        + outer
        - matmul(matmul(outer, inverse), A)
    )

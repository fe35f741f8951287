"""The factors of elimination: LU of any matrices, LDL of symmetric ones; equations by factors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import all_of
from gpugrad.errors import broadcast_shape, normal_dim
from gpugrad.graph import mode
from gpugrad.op import composite, public
from gpugrad.op.results import results
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.creation import finish
from gpugrad.ops.joining import cat
from gpugrad.ops.matrices import (
    adjoint,
    check_floating,
    check_kernel,
    check_square,
    check_stack,
    constant,
    eye,
    failure,
    lower,
    nothing,
    upper,
)
from gpugrad.ops.part import narrow
from gpugrad.ops.products import matmul
from gpugrad.ops.shape import matrices_transposed
from gpugrad.ops.triangular import check_fit, substitute, substitute_right

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

LINALG_LU = results("linalg_lu", "P", "L", "U")
LU_WITH_INFO = results("_lu_with_info", "LU", "pivots", "info")
LU_UNPACK = results("lu_unpack", "P", "L", "U")
LINALG_LU_FACTOR = results("linalg_lu_factor", "LU", "pivots")
LINALG_LU_FACTOR_EX = results("linalg_lu_factor_ex", "LU", "pivots", "info")
LINALG_LDL_FACTOR = results("linalg_ldl_factor", "LD", "pivots")
LINALG_LDL_FACTOR_EX = results("linalg_ldl_factor_ex", "LD", "pivots", "info")


# --------------------------------------------------------------------------- LU


@composite("LinalgLuFactorExBackward0", outputs=("LU", "pivots", "info"))
def _lu(door: backend.Backend, input: Array) -> tuple[Array, Array, Array]:
    return door.matrices("lu", input)


@_lu.gradient
def input(g: Any, LU: Any, pivots: Any) -> Any:
    rows, columns = LU._array.shape[-2:]
    n = min(rows, columns)
    square = narrow(narrow(LU, -2, 0, n), -1, 0, n)
    g_L, g_U = lower(narrow(g, -1, 0, n), -1), upper(narrow(g, -2, 0, n))
    L = lower(square, -1) + eye(square)
    U = upper(square)
    parts = []
    g_first_L, g_first_U = narrow(g_L, -2, 0, n), narrow(g_U, -1, 0, n)
    if columns > rows:  # the columns beyond the square are L**-1 times what was given
        beyond = substitute(adjoint(L), narrow(g_U, -1, n, columns - n), upper=True, unit=True)
        g_first_L = g_first_L - matmul(beyond, adjoint(narrow(upper(LU), -1, n, columns - n)))
        parts.append(beyond)
    if rows > columns:  # the rows beyond the square are what was given times U**-1
        g_below = narrow(g_L, -2, n, rows - n)
        below = substitute_right(adjoint(U), g_below, upper=False)
        g_first_U = g_first_U - matmul(adjoint(narrow(LU, -2, n, rows - n)), below)
        parts.append(below)
    inner = lower(matmul(adjoint(L), g_first_L), -1) + upper(matmul(g_first_U, adjoint(U)))
    inner = substitute(adjoint(L), inner, upper=True, unit=True)
    inner = substitute_right(adjoint(U), inner, upper=False)
    grad = cat([inner, *parts], -1 if columns > rows else -2) if parts else inner
    return matmul(_permutation(pivots, rows, grad), grad)


def _permutation(pivots: Any, rows: int, like: Any) -> Any:
    """Return the matrices P of A = P L U, by which rows were exchanged."""
    array = pivots._array
    whole = all_of(array)
    given = backend.of(whole).to_numpy(whole)
    flat = given.reshape(math.prod(given.shape[:-1]), given.shape[-1]) - 1
    order = _orders(flat, rows)
    found = np.zeros((len(flat), rows, rows), like._array.dtype)
    found[np.arange(len(flat))[:, None], order, np.arange(rows)] = 1
    found = found.reshape(*given.shape[:-1], rows, rows)
    door = backend.of(like._array)
    sent = door.from_numpy(found, door.device_of(like._array))
    made = array.door.made(sent) if array.__class__ is not whole.__class__ else sent
    return finish(wrap(made), False)


def _orders(exchanged: Array, rows: int) -> Array:
    """Return the order that exchanges bring the rows of each matrix into."""
    count = exchanged.shape[1]
    if len(exchanged) < count:  # one matrix after the other, or one exchange after the other
        order = [list(range(rows)) for _ in exchanged]
        for own, others in zip(order, exchanged.tolist(), strict=True):
            for k, other in enumerate(others):
                own[k], own[other] = own[other], own[k]
        return np.array(order, np.int64).reshape(len(exchanged), rows)
    found = np.tile(np.arange(rows), (len(exchanged), 1))
    each = np.arange(len(exchanged))
    for k in range(count):
        moved = found[each, exchanged[:, k]]
        found[each, exchanged[:, k]] = found[:, k]
        found[:, k] = moved
    return found


def _check_lu(A: Tensor, function: str, pivot: bool) -> None:
    if A._array.ndim < 2:
        raise RuntimeError(
            f"{function}: Expected tensor with 2 or more dimensions. Got size: "
            f"{list(A._array.shape)} instead"
        )
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    check_kernel("lu_cpu", A)


def _check_factors(function: str, info: Any) -> None:
    failed = failure(info)
    if failed is not None:
        raise RuntimeError(
            f"{function}: {failed[0]}U[{failed[1]},{failed[1]}] is zero and using it on lu_solve "
            "would result in a division by zero. If you still want to perform the factorization, "
            "consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )


@public(name="linalg.lu_factor_ex", method=False, out=True)
def linalg_lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """Return L and U in one matrix, the rows that were exchanged, and which pivot is 0, if any.

    Rows and pivots are counted from 1.  Without exchanges, ``pivot=False``, there is none here.

    Raises:
        RuntimeError: The type is none that LAPACK has.
    """
    _check_lu(A, "torch.lu_factor", pivot)
    found = LINALG_LU_FACTOR_EX(*_lu(A))
    if check_errors:
        _check_factors("torch.linalg.lu_factor_ex", found.info)
    return found


@public(name="linalg.lu_factor", method=False, out=True)
def linalg_lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """Return L and U in one matrix, and the rows that were exchanged, counted from 1.

    Raises:
        RuntimeError: A pivot is 0, or the type is none that LAPACK has.
    """
    LU, pivots, info = linalg_lu_factor_ex(A, pivot=pivot)
    _check_factors("torch.linalg.lu_factor", info)
    return LINALG_LU_FACTOR(LU, pivots)


@public(name="linalg.lu", method=False, out=True)
def linalg_lu(A: Tensor, *, pivot: bool = True) -> Any:
    """Return P, L and U of A = P L U: a permutation and two triangles.

    The gradient is that of matrices whose first columns are independent.
    """
    _check_lu(A, "linalg.lu", pivot)
    LU, pivots, _ = _lu(A)
    return LINALG_LU(_permutation(pivots, A._array.shape[-2], A), *_triangles(LU))


def _triangles(LU: Any) -> tuple[Any, Any]:
    rows, columns = LU._array.shape[-2:]
    n = min(rows, columns)
    left = narrow(LU, -1, 0, n) if columns > n else LU
    right = narrow(LU, -2, 0, n) if rows > n else LU
    return lower(left, -1) + constant(np.eye(rows, n, dtype=LU._array.dtype), LU), upper(right)


@public(method=False, out=True)
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """Return P, L and U of what :func:`linalg.lu_factor` returns; those not asked for are empty."""
    if LU_pivots._array.dtype != np.dtype(np.int32):
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
            "dtype.\nNote: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor"
        )
    array = LU_data._array
    none = nothing(LU_data, (0,), array.dtype)
    L, U = _triangles(LU_data) if unpack_data else (none, none)
    P = _permutation(LU_pivots, array.shape[-2], LU_data) if unpack_pivots else none
    return LU_UNPACK(P, L, U)


@public(out=True)
def lu(input: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """Return what :func:`linalg.lu_factor` does, or :func:`linalg.lu_factor_ex` with infos."""
    found = linalg_lu_factor_ex(input, pivot=pivot)
    return LU_WITH_INFO(*found) if get_infos else tuple(found)[:2]


@public(name="linalg.lu_solve", method=False, out=True)
def linalg_lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:
    """Return X of A X = B by the factors of A; of X A = B if not ``left``.

    With ``adjoint`` A is the adjoint of what was factored.
    """
    check_floating("torch.linalg.lu_solve", LU)
    if LU._array.dtype != B._array.dtype:
        raise RuntimeError(
            "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type "
            f"{_dtype.of(LU._array.dtype).title} and B of type "
            f"{_dtype.of(B._array.dtype).title} instead"
        )
    if pivots._array.dtype != np.dtype(np.int32):
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    check_square("torch.linalg.lu_solve", LU, "LU")
    check_stack("linalg.lu_solve", B, "B")
    check_fit("torch.linalg.lu_solve", LU, B, left)
    if LU._array.shape[:-1] != pivots._array.shape:
        raise RuntimeError(
            "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the "
            "matrix"
        )
    broadcast_shape(B._array.shape[:-2], LU._array.shape[:-2])
    return _lu_solved(LU, pivots, B, left, adjoint)


def _lu_solved(LU: Any, pivots: Any, B: Any, left: bool, turned: bool) -> Any:
    if not left:  # X A = B is A^H X^H = B^H
        return adjoint(_lu_solved(LU, pivots, adjoint(B), True, not turned))
    P = _permutation(pivots, LU._array.shape[-1], LU)
    if turned:
        inner = substitute(adjoint(LU), B, upper=False)
        return matmul(P, substitute(adjoint(LU), inner, upper=True, unit=True))
    inner = substitute(LU, matmul(matrices_transposed(P), B), upper=False, unit=True)
    return substitute(LU, inner, upper=True)


@public(out=True)
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """Return what :func:`linalg.lu_solve` does, with its arguments in another order."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


# --------------------------------------------------------------------------- LDL


@composite("NotImplemented", outputs=("LD", "pivots", "info"))
def _ldl(door: backend.Backend, input: Array, *, hermitian: bool) -> tuple[Array, Array, Array]:
    return door.matrices("ldl", input, hermitian=hermitian)


@_ldl.gradient
def input() -> Any:
    raise NotImplementedError("the derivative for 'linalg_ldl_factor_ex' is not implemented.")


@public(name="linalg.ldl_factor_ex", method=False, out=True)
def linalg_ldl_factor_ex(
    input: Tensor, *, hermitian: bool = False, check_errors: bool = False
) -> Any:
    """Return the factors of symmetric matrices, or Hermitian ones, in LAPACK's form, and pivots.

    They are computed on the host, one matrix after the other.

    Raises:
        NotImplementedError: It is differentiated.
    """
    check_square("torch.linalg.ldl_factor_ex", input)
    check_floating("torch.linalg.ldl_factor_ex", input)
    check_kernel("ldl_factor_kernel_cpu", input)
    found = LINALG_LDL_FACTOR_EX(*_ldl(input, hermitian=bool(hermitian)))
    if check_errors:
        _check_ldl("torch.linalg.ldl_factor_ex", found.info)
    return found


def _check_ldl(function: str, info: Any) -> None:
    failed = failure(info)
    if failed is not None:
        raise RuntimeError(
            f"{function}: {failed[0]}The diagonal block {failed[1]} is zero: the matrix is singular"
        )


@public(name="linalg.ldl_factor", method=False, out=True)
def linalg_ldl_factor(input: Tensor, *, hermitian: bool = False) -> Any:
    """Return what :func:`linalg.ldl_factor_ex` does, without the infos.

    Raises:
        RuntimeError: A matrix is singular.
    """
    LD, pivots, info = linalg_ldl_factor_ex(input, hermitian=hermitian)
    _check_ldl("torch.linalg.ldl_factor", info)
    return LINALG_LDL_FACTOR(LD, pivots)


@composite("LinalgLdlSolveBackward0")
def _ldl_solve(
    door: backend.Backend, input: Array, factors: Array, *, pivots: Any, hermitian: bool
) -> Array:
    columns = pivots[..., None]
    return door.matrices("ldl_solve", factors, columns, input, hermitian=hermitian)


@_ldl_solve.gradient
def input(g: Any, factors: Any, pivots: Any, hermitian: bool) -> Any:
    if factors._array.dtype.kind == "c" and not hermitian:  # the adjoint of what is symmetric
        return pw.conjugate(
            _ldl_solve(pw.conjugate(g), factors, pivots=pivots, hermitian=hermitian)
        )
    return _ldl_solve(g, factors, pivots=pivots, hermitian=hermitian)


@public(name="linalg.ldl_solve", method=False, out=True)
def linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """Return X of A X = B by the factors and pivots of A; there is no gradient by the factors."""
    check_square("torch.linalg.ldl_solve", LD, "LD")
    check_floating("torch.linalg.ldl_solve", LD)
    if not B._array.ndim:
        raise IndexError("Dimension specified as -2 but tensor has no dimensions")
    normal_dim(-2, B._array.ndim)
    if LD._array.dtype != B._array.dtype:
        raise RuntimeError(
            "linalg.ldl_solve: Expected LD and B to have the same dtype, but found LD of type "
            f"{_dtype.of(LD._array.dtype).title} and B of type "
            f"{_dtype.of(B._array.dtype).title} instead"
        )
    check_fit("torch.linalg.ldl_solve", LD, B, True)
    if LD._array.shape[:-1] != pivots._array.shape:
        raise RuntimeError(
            f"torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but "
            f"got pivots with shape {list(pivots._array.shape)} instead"
        )
    if pivots._array.dtype.kind not in "iu":
        raise RuntimeError(
            "torch.linalg.ldl_solve: Expected pivots to be integers. Got "
            f"{_dtype.of(pivots._array.dtype).title}"
        )
    if mode.enabled and LD.requires_grad:
        raise NotImplementedError("the derivative for 'linalg_ldl_solve' by LD is not implemented.")
    broadcast_shape(B._array.shape[:-2], LD._array.shape[:-2])
    found: Tensor = _ldl_solve(B, LD, pivots=pivots._array, hermitian=bool(hermitian))
    return found

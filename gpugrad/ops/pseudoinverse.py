"""Generalized inverses, least squares and the rank: what singular values decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.backend.batched import all_of
from gpugrad.errors import broadcast_shape
from gpugrad.graph import TensorBase
from gpugrad.op import composite, public
from gpugrad.op.results import results
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import detach
from gpugrad.ops.decompositions import linalg_eigvalsh, linalg_svdvals
from gpugrad.ops.extremum import amax
from gpugrad.ops.matrices import adjoint, check_square, check_stack, constant, converged, nothing
from gpugrad.ops.products import matmul
from gpugrad.ops.reduction import all as every
from gpugrad.ops.reduction import sum as summed
from gpugrad.ops.shape import squeeze, type_and_size, unsqueeze
from gpugrad.ops.solving import is_vector

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Tolerance = Any  # a number, a tensor or None


# --------------------------------------------------------------------------- generalized inverses


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


@composite("LinalgPinvBackward0", outputs=("inverse", "rank"))
def _pinv(
    door: backend.Backend, input: Array, atol: Array, rtol: Array, *, hermitian: bool
) -> tuple[Array, Array]:
    return converged(
        "linalg.eigh" if hermitian else "linalg.svd",
        door, "pinv", input, atol, rtol, hermitian=hermitian,
    )  # fmt: skip


@_pinv.gradient
def input(g: Any, input: Any, inverse: Any) -> Any:
    return pinv_gradient(g, input, inverse)


def tolerances(A: Any, atol: Tolerance, rtol: Tolerance) -> tuple[Any, Any]:
    """Return the absolute and the relative tolerance as tensors of one number for each matrix.

    Where there is no absolute one, the relative one is by default what rounding leaves.
    """
    array = A._array
    kind = _dtype.of(array.dtype).to_real().numpy
    least = float(np.finfo(kind).eps) * max(array.shape[-2:])
    if rtol is None:
        if isinstance(atol, TensorBase):
            rtol = pw.where(pw.gt(atol, 0), 0.0, least)
        else:
            rtol = 0.0 if atol is not None and atol > 0 else least
    return _tolerance(0.0 if atol is None else atol, A, kind), _tolerance(rtol, A, kind)


def _detached(value: Any) -> Any:
    return detach(value)


def _tolerance(value: Tolerance, A: Any, kind: np.dtype[Any]) -> Any:
    if not isinstance(value, TensorBase):
        return constant(np.full((1, 1), value, kind), A)
    return unsqueeze(unsqueeze(_detached(value).to(_dtype.of(kind)), -1), -1)


def _check_tolerances(function: str, **given: Tolerance) -> None:
    for name, value in given.items():
        if isinstance(value, TensorBase) and value._array.dtype.kind == "c":
            raise RuntimeError(
                f"torch.linalg.{function}: {name} tensor of complex type is not supported."
            )


@public(name="linalg.pinv", method=False, out=True)
def linalg_pinv(
    input: Tensor,
    rcond: Tolerance = None,
    hermitian: bool = False,
    *,
    atol: Tolerance = None,
    rtol: Tolerance = None,
) -> Tensor:
    """Return the Moore-Penrose inverses of matrices.

    Singular values up to ``max(atol, rtol * largest)`` are taken for 0.  By default ``rtol`` is the
    type's epsilon times the larger dimension, if there is no ``atol``.  The gradient is right where
    the rank is the same nearby.

    Args:
        input: Matrices, of any rank.
        rcond: Another name of ``rtol``.
        hermitian: Whether the matrices are, of which the lower triangle is read.
        atol: A number, or a tensor of one for each matrix.
        rtol: Likewise.
    """
    array = input._array
    if array.ndim < 2 or array.dtype.kind not in "fc" or array.dtype.itemsize == 2:
        raise RuntimeError(
            f"linalg.pinv({type_and_size(input)}): expected a tensor with 2 or more dimensions of "
            "float, double, cfloat or cdouble types"
        )
    _check_tolerances("pinv", atol=atol, rtol=rtol, rcond=rcond)
    if hermitian:
        check_square("linalg.eigh", input)
    if rcond is not None:
        atol, rtol = 0.0, rcond
    found: Tensor = _pinv(input, *tolerances(input, atol, rtol), hermitian=bool(hermitian))[0]
    return found


@public(out=False)
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Return :func:`linalg.pinv` with a relative tolerance."""
    return linalg_pinv(input, rcond)


# --------------------------------------------------------------------------- least squares

LINALG_LSTSQ = results("linalg_lstsq", "solution", "residuals", "rank", "singular_values")


@composite("LinalgLstsqBackward0", outputs=("solution", "rank"))
def _least_squares(
    door: backend.Backend, input: Array, other: Array, atol: Array, rtol: Array
) -> tuple[Array, Array]:
    inverse, rank = converged("linalg.lstsq", door, "pinv", input, atol, rtol, hermitian=False)
    return door.matmul(inverse, other), rank


@_least_squares.gradient
def inputs(
    g: Any, input: Any, other: Any, atol: Any, rtol: Any, needs: Sequence[bool]
) -> list[Any]:
    inverse, _ = _pinv(input, atol, rtol, hermitian=False)
    grad = pinv_gradient(matmul(g, adjoint(other)), input, inverse) if needs[0] else None
    return [grad, matmul(adjoint(inverse), g) if needs[1] else None, None, None]


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@public(name="linalg.lstsq", method=False, out=True)
def linalg_lstsq(
    input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> Any:
    """Return X that minimizes the norm of A X - B, the residuals, A's rank and singular values.

    Of several such X it is the one of least norm.  Residuals are computed where there are more
    equations than unknowns, all of them independent, and singular values by the drivers "gelsd" and
    "gelss"; "gels" does not compute the rank.  All of them go by singular values here.

    Args:
        input: A, matrices.
        b: B, matrices or vectors.
        rcond: Up to this part of the largest one, a singular value is taken for 0.
        driver: "gels", "gelsy" (which is the default), "gelsd" or "gelss".
    """
    a_kind, b_kind = input._array.dtype, b._array.dtype
    if input._array.ndim < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    if b._array.ndim < 1:
        raise RuntimeError("torch.linalg.lstsq: other must have at least 1 dimension.")
    if a_kind != b_kind:
        raise RuntimeError(
            "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's "
            f"dtype {_dtype.of(a_kind).title} and other's dtype {_dtype.of(b_kind).title}"
        )
    difference = input._array.ndim - b._array.ndim
    if not 0 <= difference <= 1:
        raise RuntimeError(
            "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and "
            "(input.dim() - other.dim()) <= 1"
        )
    vector = is_vector(input, b)
    B = unsqueeze(b, -1) if vector else b
    if input._array.shape[-2] != B._array.shape[-2]:
        raise RuntimeError(
            "torch.linalg.lstsq: input.size(-2) should match "
            f"other.size({-1 if vector or b._array.ndim == 1 else -2})"
        )
    broadcast_shape(input._array.shape[:-2], B._array.shape[:-2])
    if a_kind.kind not in "fc" or a_kind.itemsize == 2:
        raise RuntimeError("This function doesn't handle types other than float and double")
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    return _lstsq(input, B, rcond, driver or "gelsy", vector)


def _lstsq(A: Any, B: Any, rcond: float | None, driver: str, vector: bool) -> Any:
    rows, columns = A._array.shape[-2:]
    kind = A._array.dtype
    if rcond is not None and rcond < 0:
        rcond = float(np.finfo(kind).eps)
    atol, rtol = tolerances(A, None, 0.0 if driver == "gels" else rcond)
    X, ranks = _least_squares(A, B, atol, rtol)
    residuals = nothing(A, (0,), _dtype.of(kind).to_real().numpy)
    rank = nothing(A, (0,), np.dtype(np.int64))
    if driver != "gels":
        rank = ranks
    many = rows > columns and driver != "gelsy"
    if many and (driver == "gels" or bool(every(pw.eq(wrap(all_of(ranks._array)), columns)))):
        residuals = summed(pw.square(pw.abs(matmul(A, X) - B)), -2)
    values = nothing(A, (0,), _dtype.of(kind).to_real().numpy)
    if driver in ("gelsd", "gelss"):
        values = linalg_svdvals(detach(A))
    return LINALG_LSTSQ(squeeze(X, -1) if vector else X, residuals, rank, values)


# --------------------------------------------------------------------------- rank


@public(name="linalg.matrix_rank", method=False, out=True)
def linalg_matrix_rank(
    input: Tensor,
    tol: Tolerance = None,
    hermitian: bool = False,
    *,
    atol: Tolerance = None,
    rtol: Tolerance = None,
) -> Tensor:
    """Return how many singular values of each matrix are above ``max(atol, rtol * largest)``.

    Args:
        input: Matrices.
        tol: An absolute tolerance, without a relative one.
        hermitian: Whether the matrices are, of which the lower triangle is read.
        atol: A number, or a tensor of one for each matrix.
        rtol: Likewise; by default the type's epsilon times the larger dimension, if there is no
            ``atol``.
    """
    check_stack("torch.linalg.matrix_rank", input, "input")
    array = input._array
    if array.dtype.kind not in "fc" or array.dtype.itemsize == 2:
        raise RuntimeError("This function doesn't handle types other than float and double")
    _check_tolerances("matrix_rank", atol=atol, rtol=rtol, tol=tol)
    if tol is not None:
        atol, rtol = tol, 0.0
    if not array.size:
        none: Tensor = nothing(input, array.shape[:-2], np.dtype(np.int64))
        return none
    A = detach(input)
    values = pw.abs(linalg_eigvalsh(A)) if hermitian else linalg_svdvals(A)
    low, part = tolerances(input, atol, rtol)
    most = amax(values, -1, keepdim=True)
    return summed(pw.gt(values, pw.maximum(squeeze(low, -1), squeeze(part, -1) * most)), -1)

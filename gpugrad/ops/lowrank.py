"""Singular values of large matrices, approximately, from products with a few random vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype
from gpugrad.op import public
from gpugrad.ops.decompositions import linalg_qr, linalg_svd
from gpugrad.ops.draw import randn
from gpugrad.ops.matrices import adjoint
from gpugrad.ops.products import matmul
from gpugrad.ops.reduction import mean

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _range(A: Any, q: int, niter: int, M: Any) -> Any:
    """Return orthonormal vectors that span nearly what the largest singular values span.

    Source: N. Halko, P.-G. Martinsson and J. A. Tropp, "Finding structure with randomness", SIAM
    Review, 2011, algorithm 4.4.
    """

    def times(matrix: Any, vectors: Any) -> Any:
        product = matmul(matrix, vectors)
        if M is None:
            return product
        return product - matmul(M if matrix is A else adjoint(M), vectors)

    array = A._array
    kind = _dtype.of(array.dtype)
    start = randn(array.shape[-1], q, dtype=kind, device=A.device)
    Q = linalg_qr(times(A, start))[0]
    back = adjoint(A)
    for _ in range(niter):
        Q = linalg_qr(times(back, Q))[0]
        Q = linalg_qr(times(A, Q))[0]
    return Q


@public(method=False)
def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return U, S and V of nearly A = U diag(S) V^H, or of A - M, with ``q`` singular values.

    Args:
        A: Matrices, larger than ``q`` or the same.
        q: How many singular values there are; a few more than the rank.
        niter: How often the subspace is improved.
        M: Matrices to subtract, such as the means of columns.
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    rows, columns = A._array.shape[-2:]
    M = None if M is None else M.expand(A._array.shape)
    if rows < columns:
        A, M = adjoint(A), None if M is None else adjoint(M)
    Q = _range(A, q, niter, M)
    B = matmul(adjoint(Q), A if M is None else A - M)
    U, S, Vh = linalg_svd(B, False)
    U, V = matmul(Q, U), adjoint(Vh)
    return (V, S, U) if rows < columns else (U, S, V)


@public(method=False)
def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Return :func:`svd_lowrank` of matrices whose columns are centered first, if ``center``.

    Raises:
        ValueError: ``q`` is negative or larger than the matrices, or ``niter`` is negative.
    """
    rows, columns = A._array.shape[-2:]
    if q is None:
        q = min(6, rows, columns)
    elif not 0 <= q <= min(rows, columns):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)="
            f"{min(rows, columns)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = A - mean(A, -2, keepdim=True)
    return svd_lowrank(A, q, niter)

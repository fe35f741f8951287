"""Linear algebra, with the standard's signatures."""

from __future__ import annotations

from typing import Any

import gpugrad.numpy as np
from gpugrad.numpy import linalg as _linalg

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """Return the triangular factors of matrices."""
    return _linalg.cholesky(x, upper=upper)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Return the cross products of vectors of three elements."""
    return _linalg.cross(x1, x2, axis=axis)


def det(x: Any, /) -> Any:
    """Return the determinants of matrices."""
    return _linalg.det(x)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """Return the diagonals of matrices."""
    return _linalg.diagonal(x, offset=offset)


def eigh(x: Any, /) -> Any:
    """Return the eigenvalues and eigenvectors of Hermitian matrices."""
    return _linalg.eigh(x)


def eigvalsh(x: Any, /) -> Any:
    """Return the eigenvalues of Hermitian matrices."""
    return _linalg.eigvalsh(x)


def inv(x: Any, /) -> Any:
    """Return the inverses of matrices."""
    return _linalg.inv(x)


def matmul(x1: Any, x2: Any, /) -> Any:
    """Return the products of matrices."""
    return np.matmul(x1, x2)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Return the norms of matrices."""
    return _linalg.matrix_norm(x, keepdims=keepdims, ord=ord)


def matrix_power(x: Any, n: int, /) -> Any:
    """Return the powers of matrices."""
    return _linalg.matrix_power(x, n)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Any:
    """Return how many singular values of each matrix are not 0."""
    return _linalg.matrix_rank(x, rtol=rtol)


def matrix_transpose(x: Any, /) -> Any:
    """Return views with the last two axes exchanged."""
    return np.matrix_transpose(x)


def outer(x1: Any, x2: Any, /) -> Any:
    """Return the products of each element of one vector with each of another."""
    return _linalg.outer(x1, x2)


def pinv(x: Any, /, *, rtol: Any = None) -> Any:
    """Return the pseudo-inverses of matrices."""
    return _linalg.pinv(x, rtol=rtol)


def qr(x: Any, /, *, mode: str = "reduced") -> Any:
    """Return the orthogonal and the triangular factors of matrices."""
    return _linalg.qr(x, mode)


def slogdet(x: Any, /) -> Any:
    """Return the signs and the logarithms of the determinants of matrices."""
    return _linalg.slogdet(x)


def solve(x1: Any, x2: Any, /) -> Any:
    """Return the solutions of linear equations."""
    return _linalg.solve(x1, x2)


def svd(x: Any, /, *, full_matrices: bool = True) -> Any:
    """Return the singular value decompositions of matrices."""
    return _linalg.svd(x, full_matrices)


def svdvals(x: Any, /) -> Any:
    """Return the singular values of matrices."""
    return _linalg.svdvals(x)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """Return the products of arrays, summed over pairs of axes."""
    return np.tensordot(x1, x2, axes)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """Return the sums of the diagonals of matrices."""
    return _linalg.trace(x, offset=offset, dtype=dtype)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Return the inner products of vectors; the first is conjugated."""
    return _linalg.vecdot(x1, x2, axis=axis)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Return the norms of vectors."""
    return _linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)

"""What there is of PyTorch's ``torch.linalg``, made from the table of declarations."""

from collections.abc import Sequence
from typing import Any

import numpy

from gpugrad import Tensor, dtype
from gpugrad.errors import LinAlgError as LinAlgError

def cholesky(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    upper: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return L of A = L L^H, or the adjoint of it with ``upper``; of A one triangle is read."""

def cholesky_ex(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    upper: bool = False,
    check_errors: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return Cholesky factors, and of each matrix 0 or the order of the minor that is not positive."""

def cond(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the norms of matrices times those of their inverses, of an order of ``matrix_norm``."""

def cross(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    dim: int = -1,
    out: Tensor | None = None,
) -> Tensor:
    """Return the cross products of vectors of three elements, along one dimension."""

def det(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the determinants of square matrices, the last two dimensions."""

def diagonal(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    offset: int = 0,
    dim1: int = -2,
    dim2: int = -1,
) -> Tensor:
    """Return a view of the diagonals of matrices, the last two dimensions by default."""

def eig(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None) -> Any:
    """Return eigenvalues and eigenvectors of square matrices, complex numbers in no order."""

def eigh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    UPLO: str = "L",
    *,
    out: Tensor | None = None,
) -> Any:
    """Return eigenvalues, which ascend, and eigenvectors of Hermitian matrices."""

def eigvals(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the eigenvalues of square matrices, complex numbers in no order."""

def eigvalsh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    UPLO: str = "L",
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the eigenvalues of Hermitian matrices, which ascend."""

def householder_product(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tau: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the first columns of the product of reflections, as :func:`geqrf` returns them."""

def inv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the inverses of square matrices."""

def inv_ex(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    check_errors: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return inverses, and of each matrix 0 or the pivot that is 0."""

def ldl_factor(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    hermitian: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return what :func:`linalg.ldl_factor_ex` does, without the infos."""

def ldl_factor_ex(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    hermitian: bool = False,
    check_errors: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return the factors of symmetric matrices, or Hermitian ones, in LAPACK's form, and pivots."""

def ldl_solve(
    LD: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    pivots: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    B: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    hermitian: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return X of A X = B by the factors and pivots of A; there is no gradient by the factors."""

def lstsq(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    b: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    rcond: float | None = None,
    *,
    driver: str | None = None,
    out: Tensor | None = None,
) -> Any:
    """Return X that minimizes the norm of A X - B, the residuals, A's rank and singular values."""

def lu(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    pivot: bool = True,
    out: Tensor | None = None,
) -> Any:
    """Return P, L and U of A = P L U: a permutation and two triangles."""

def lu_factor(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    pivot: bool = True,
    out: Tensor | None = None,
) -> Any:
    """Return L and U in one matrix, and the rows that were exchanged, counted from 1."""

def lu_factor_ex(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    pivot: bool = True,
    check_errors: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return L and U in one matrix, the rows that were exchanged, and which pivot is 0, if any."""

def lu_solve(
    LU: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    pivots: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    B: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    left: bool = True,
    adjoint: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return X of A X = B by the factors of A; of X A = B if not ``left``."""

def matmul(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the matrix product: of vectors, matrices, or stacks of matrices that broadcast."""

def matrix_exp(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the exponentials of square matrices."""

def matrix_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ord: Any = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the norms of matrices, which two dimensions are."""

def matrix_power(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], n: int, *, out: Tensor | None = None
) -> Tensor:
    """Return square matrices multiplied ``n`` times; their inverses, ``-n`` times, if negative."""

def matrix_rank(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return how many singular values of each matrix are above ``max(atol, rtol * largest)``."""

def multi_dot(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Return the product of two or more matrices, in the order that takes the fewest steps."""

def norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ord: Any = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the norm of a vector or a matrix, as :func:`linalg.vector_norm` and its sister do."""

def pinv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the Moore-Penrose inverses of matrices."""

def qr(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mode: str = "reduced",
    *,
    out: Tensor | None = None,
) -> Any:
    """Return Q, whose columns are orthonormal, and R, upper triangular, of A = Q R."""

def slogdet(A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None) -> Any:
    """Return the signs of determinants, for complex ones numbers of size 1, and logarithms."""

def solve(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    B: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    left: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Return X of A X = B, or of X A = B if not ``left``; B may be a vector for each matrix."""

def solve_ex(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    B: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    left: bool = True,
    check_errors: bool = False,
    out: Tensor | None = None,
) -> Any:
    """Return what :func:`linalg.solve` does, and of each matrix 0 or the pivot that is 0."""

def solve_triangular(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    B: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return X of A X = B, or of X A = B if not ``left``, where A is what one triangle says."""

def svd(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    full_matrices: bool = True,
    *,
    driver: str | None = None,
    out: Tensor | None = None,
) -> Any:
    """Return U, S and V^H of A = U diag(S) V^H: orthonormal vectors and descending numbers."""

def svdvals(
    A: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    driver: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return singular values, which descend."""

def tensorinv(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], ind: int = 2, *, out: Tensor | None = None
) -> Tensor:
    """Return the inverse of a tensor as a linear map from its dimensions behind ``ind``."""

def tensorsolve(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dims: Sequence[int] | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return X, of which the products with ``input`` over its last dimensions are ``other``."""

def vander(x: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, N: int | None = None) -> Tensor:
    """Return the powers of each number, from 0 up to the one before ``N``, as a last dimension."""

def vecdot(
    x: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    y: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    dim: int = -1,
    out: Tensor | None = None,
) -> Tensor:
    """Return the sums of the products of vectors along one dimension, the first one conjugated."""

def vector_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    ord: float = 2,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the norm of the elements as a vector, over ``dim`` (all by default)."""

"""Decompositions of matrices, one by one or stacked: Cholesky, QR, eigenvalues, singular values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT
from gpugrad.backend.batched import all_of
from gpugrad.graph import mode
from gpugrad.op import composite, public
from gpugrad.op.results import results
from gpugrad.op.saved import Like, wrap, zeros
from gpugrad.ops import pointwise as pw
from gpugrad.ops import reduction
from gpugrad.ops.complex import real
from gpugrad.ops.joining import cat
from gpugrad.ops.matrices import (
    adjoint,
    check_floating,
    check_info,
    check_kernel,
    check_square,
    check_stack,
    converged,
    diagonals,
    is_complex,
    lower,
    nothing,
    on_diagonals,
    upper,
)
from gpugrad.ops.part import narrow
from gpugrad.ops.products import matmul
from gpugrad.ops.shape import unsqueeze
from gpugrad.ops.solving import linalg_solve
from gpugrad.ops.triangular import substitute

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


# --------------------------------------------------------------------------- Cholesky


LINALG_CHOLESKY_EX = results("linalg_cholesky_ex", "L", "info")


@composite("LinalgCholeskyExBackward0", outputs=("L", "info"))
def _cholesky(door: backend.Backend, input: Array, *, upper: bool) -> tuple[Array, Array]:
    return door.matrices("cholesky", input, upper=upper)


@_cholesky.gradient
def input(g: Any, L: Any, upper: bool) -> Any:
    if upper:
        L, g = adjoint(L), adjoint(g)
    inner = lower(matmul(adjoint(L), g))
    inner = (inner + adjoint(lower(inner, -1))) * 0.5
    left = adjoint(L)
    half = substitute(left, inner, upper=True)
    return adjoint(substitute(left, adjoint(half), upper=True))


_cholesky_of_old = _cholesky.named("CholeskyBackward0")


def _minor(order: int) -> str:
    return (
        "The factorization could not be completed because the input is not positive-definite "
        f"(the leading minor of order {order} is not positive-definite)."
    )


@public(name="linalg.cholesky", method=False, out=True)
def linalg_cholesky(input: Tensor, *, upper: bool = False) -> Tensor:
    """Return L of A = L L^H, or the adjoint of it with ``upper``; of A one triangle is read.

    Raises:
        LinAlgError: A matrix is not positive-definite.
        RuntimeError: They are not square, or of no floating point or complex type.
    """
    L, info = linalg_cholesky_ex(input, upper=upper)
    check_info("linalg.cholesky", info, _minor)
    return L


@public(name="linalg.cholesky_ex", method=False, out=True)
def linalg_cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """Return Cholesky factors, and of each matrix 0 or the order of the minor that is not positive.

    With ``check_errors`` it raises as :func:`linalg.cholesky` does.
    """
    check_square("linalg.cholesky", input)
    check_floating("linalg.cholesky", input)
    check_kernel("cholesky_cpu", input)
    found = LINALG_CHOLESKY_EX(*_cholesky(input, upper=bool(upper)))
    if check_errors:
        check_info("linalg.cholesky_ex", found.info, _minor)
    return found


@public(out=True)
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """Return what :func:`linalg.cholesky` does."""
    check_square("cholesky", input)
    check_kernel("cholesky_cpu", input)
    L, info = _cholesky_of_old(input, upper=bool(upper))
    check_info("cholesky", info, _minor)
    found: Tensor = L
    return found


# --------------------------------------------------------------------------- QR


LINALG_QR = results("linalg_qr", "Q", "R")
QR = results("qr", "Q", "R")
GEQRF = results("geqrf", "a", "tau")


@composite("LinalgQrBackward0", outputs=("Q", "R"))
def _qr(door: backend.Backend, input: Array, *, kind: str) -> tuple[Array, Array]:
    if kind == "r":
        nothing = door.empty((0,), input.dtype, door.device_of(input))
        return nothing, door.matrices("qr_r", input)
    found: tuple[Array, Array] = door.matrices("qr", input, mode=kind)
    return found


@_qr.gradient
def input(g_Q: Any, g_R: Any, Q: Any, R: Any, like: Like, kind: str) -> Any:
    rows, columns = like.shape[-2:]
    if kind == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    if kind == "complete" and rows > columns:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
        )
    if rows >= columns:
        return _qr_gradient(g_Q, g_R, Q, R)
    # the columns beyond the square are those of Q R, so that Q has a gradient by them as well
    square, beyond = narrow(R, -1, 0, rows), narrow(R, -1, rows, columns - rows)
    if g_R is None:
        grad = _qr_gradient(g_Q, None, Q, square)
        shape = (*like.shape[:-1], columns - rows)
        return cat([grad, zeros(Like(shape, like.dtype, like.device))], -1)
    g_beyond = narrow(g_R, -1, rows, columns - rows)
    g_through = matmul(Q, matmul(beyond, adjoint(g_beyond)))
    g_Q = g_through if g_Q is None else g_Q + g_through
    grad = _qr_gradient(g_Q, narrow(g_R, -1, 0, rows), Q, square)
    return cat([grad, matmul(Q, g_beyond)], -1)


def _qr_gradient(g_Q: Any, g_R: Any, Q: Any, R: Any) -> Any:
    """Return the gradient of matrices with no more columns than rows.

    Source: L. Roberts and A. Roberts, "QR and LQ decomposition matrix backpropagation algorithms
    for square, wide, and deep matrices", 2020, arXiv:2009.10071.
    """
    if g_R is None:
        inner = -matmul(adjoint(Q), g_Q)
    else:
        inner = matmul(g_R, adjoint(R))
        if g_Q is not None:
            inner = inner - matmul(adjoint(Q), g_Q)
    inner = upper(inner)
    symmetric = inner + adjoint(inner)
    grad = matmul(Q, symmetric - on_diagonals(_real(diagonals(inner))))
    if g_Q is not None:
        grad = grad + g_Q
    return adjoint(substitute(R, adjoint(grad), upper=True))


def _real(input: Any) -> Any:
    """Return the real parts as numbers of the same type."""
    return real(input).to(input._kind) if is_complex(input) else input


@public(name="linalg.qr", method=False, out=True)
def linalg_qr(A: Tensor, mode: str = "reduced") -> Any:
    """Return Q, whose columns are orthonormal, and R, upper triangular, of A = Q R.

    The ``mode`` is "reduced", "complete", where Q is square, or "r", where it is not computed.
    The gradient is that of matrices whose first columns are independent.

    Raises:
        RuntimeError: The mode is another one, or the type is no floating point or complex one.
    """
    return LINALG_QR(*_qr_of(A, mode))


def _qr_of(A: Tensor, kind: str) -> Any:
    check_stack("linalg.qr", A)
    check_floating("linalg.qr", A)
    if kind not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{kind}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    check_kernel("geqrf_cpu", A)
    return _qr(A, kind=kind)


@public(out=True)
def qr(input: Tensor, some: bool = True) -> Any:
    """Return what :func:`linalg.qr` does, with a square Q where not ``some``."""
    return QR(*_qr_of(input, "reduced" if some else "complete"))


@composite("NotImplemented", outputs=("a", "tau"))
def _geqrf(door: backend.Backend, input: Array) -> tuple[Array, Array]:
    return door.matrices("geqrf", input)


@_geqrf.gradient
def input() -> Any:
    raise NotImplementedError("the derivative for 'geqrf' is not implemented.")


@public(out=True)
def geqrf(input: Tensor) -> Any:
    """Return R with the vectors of reflections below it, and their factors; see :func:`orgqr`.

    Raises:
        NotImplementedError: It is differentiated.
    """
    if input._array.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    check_kernel("geqrf_cpu", input)
    return GEQRF(*_geqrf(input))


# --------------------------------------------------------------------------- eigenvalues


LINALG_EIGH = results("linalg_eigh", "eigenvalues", "eigenvectors")
LINALG_EIG = results("linalg_eig", "eigenvalues", "eigenvectors")


@composite("LinalgEighBackward0", outputs=("values", "vectors"))
def _eigh(door: backend.Backend, input: Array, *, upper: bool) -> tuple[Array, Array]:
    return converged("linalg.eigh", door, "eigh", input, upper=upper)


@_eigh.gradient
def input(g_values: Any, g_vectors: Any, values: Any, vectors: Any) -> Any:
    if g_vectors is None:
        return matmul(vectors * unsqueeze(g_values, -2), adjoint(vectors))
    inner = matmul(adjoint(vectors), g_vectors)
    _check_phase("linalg_eigh_backward", diagonals(inner), "quantity, so it is")
    inner = _off_diagonal(_skew(inner) * 0.5 / _differences(values))
    if g_values is not None:
        inner = inner + on_diagonals(g_values.to(inner._kind))
    return matmul(vectors, matmul(inner, adjoint(vectors)))


def _differences(values: Any) -> Any:
    """Return at row i and column j how much the value j is larger than i, and 1 on the diagonal."""
    found = unsqueeze(values, -2) - unsqueeze(values, -1)
    n = values._array.shape[-1]
    return found + on_diagonals(pw.eq(values, values).to(values._kind)) if n else found


def _off_diagonal(input: Any) -> Any:
    return lower(input, -1) + upper(input, 1)


def _check_phase(function: str, diagonal: Any, what: str) -> None:
    """Raise where a loss depends on the phase of vectors, which is nowhere defined.

    Raises:
        RuntimeError: It does.
    """
    if not is_complex(diagonal) or not diagonal._array.size:
        return
    array = all_of(diagonal._array)
    if bool(reduction.any(pw.gt(pw.abs(wrap(array.imag)), 1e-2))):
        vectors = "singular vectors" if function == "svd_backward" else "eigenvectors"
        raise RuntimeError(
            f"{function}: The {vectors} in the complex case are specified up to multiplication by "
            f"e^{{i phi}}. The specified loss function depends on this {what} ill-defined."
        )


@composite("LinalgEighBackward0")
def _eigvalsh(door: backend.Backend, input: Array, *, upper: bool) -> Array:
    return converged("linalg.eigh", door, "eigvalsh", input, upper=upper)


def _is_upper(UPLO: str) -> bool:
    if UPLO not in ("L", "U", "l", "u"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO in "Uu"


def _check_hermitian(A: Tensor, UPLO: str) -> bool:
    check_square("linalg.eigh", A)
    upper = _is_upper(UPLO)
    check_kernel("linalg_eigh_cpu", A)
    return upper


@public(name="linalg.eigh", method=False, out=True)
def linalg_eigh(input: Tensor, UPLO: str = "L") -> Any:
    """Return eigenvalues, which ascend, and eigenvectors of Hermitian matrices.

    One triangle is read, the lower one or, for "U", the upper one.  A gradient by eigenvectors is
    ``nan`` or infinite where two eigenvalues are equal; one by eigenvalues is not.

    Raises:
        RuntimeError: They are not square, or of no type that LAPACK has; or, in the backward, a
            loss depends on the phase of eigenvectors.
    """
    return LINALG_EIGH(*_eigh(input, upper=_check_hermitian(input, UPLO)))


@public(name="linalg.eigvalsh", method=False, out=True)
def linalg_eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues of Hermitian matrices, which ascend."""
    upper = _check_hermitian(input, UPLO)
    if _differentiated(input):
        found: Tensor = _eigh(input, upper=upper)[0]
        return found
    return _eigvalsh(input, upper=upper)


def _differentiated(input: Tensor) -> bool:
    """Tell whether a call may be differentiated, for which vectors are needed, too."""
    return bool(mode.levels) or bool(mode.enabled and input.requires_grad)


@composite("LinalgEigBackward0", outputs=("values", "vectors"))
def _eig(door: backend.Backend, input: Array) -> tuple[Array, Array]:
    return converged("linalg.eig", door, "eig", input)


@_eig.gradient
def input(g_values: Any, g_vectors: Any, values: Any, vectors: Any) -> Any:
    left = adjoint(vectors)
    if g_vectors is None:
        return linalg_solve(left, unsqueeze(g_values, -1) * left)
    inner = matmul(left, g_vectors)
    diagonal = diagonals(inner)
    _check_phase("linalg_eig_backward", diagonal, "quantity, so it is")
    inner = inner - matmul(left, vectors * unsqueeze(_real(diagonal), -2))
    inner = _off_diagonal(inner / pw.conjugate(_differences(values)))
    if g_values is not None:
        inner = inner + on_diagonals(g_values)
    return linalg_solve(left, matmul(inner, left))


@composite("LinalgEigvalsBackward0")
def _eigvals(door: backend.Backend, input: Array) -> Array:
    return converged("linalg.eig", door, "eigvals", input)


def _check_general(function: str, A: Tensor) -> None:
    check_square(function, A)
    kind = A._array.dtype
    if kind.kind not in INEXACT:
        raise RuntimeError(f"Unknown Complex ScalarType for {_dtype.of(kind).title}")
    check_kernel("linalg_eig_out_cpu", A)
    whole = all_of(A._array)
    if whole.size and not bool(reduction.all(pw.isfinite(wrap(whole)))):
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


@public(name="linalg.eig", method=False, out=True)
def linalg_eig(input: Tensor) -> Any:
    """Return eigenvalues and eigenvectors of square matrices, complex numbers in no order.

    Gradients are ``nan`` or infinite where two eigenvalues are equal, and by eigenvalues where
    there are fewer eigenvectors than dimensions.

    Raises:
        RuntimeError: They are not square, not finite, or of no type that LAPACK has; or, in the
            backward, a loss depends on the phase of eigenvectors.
    """
    _check_general("linalg.eig", input)
    return LINALG_EIG(*_eig(input))


@public(name="linalg.eigvals", method=False, out=True)
def linalg_eigvals(input: Tensor) -> Tensor:
    """Return the eigenvalues of square matrices, complex numbers in no order."""
    _check_general("linalg.eigvals", input)
    if _differentiated(input):
        found: Tensor = _eig(input)[0]
        return found
    return _eigvals(input)


# --------------------------------------------------------------------------- singular values


LINALG_SVD = results("linalg_svd", "U", "S", "Vh")
SVD = results("svd", "U", "S", "V")


@composite("LinalgSvdBackward0", outputs=("U", "S", "Vh"))
def _svd(door: backend.Backend, input: Array, *, full: bool) -> tuple[Array, Array, Array]:
    return converged("linalg.svd", door, "svd", input, full=full)


@_svd.gradient
def input(g_U: Any, g_S: Any, g_Vh: Any, U: Any, S: Any, Vh: Any, like: Like) -> Any:
    rows, columns = like.shape[-2:]
    count = min(rows, columns)
    V, g_V = adjoint(Vh), None if g_Vh is None else adjoint(g_Vh)
    U, g_U = _first_vectors(U, g_U, count)
    V, g_V = _first_vectors(V, g_V, count)
    inner = _svd_gradient(g_U, g_V, U, S, V)
    if inner is None:
        return matmul(U * unsqueeze(g_S.to(U._kind), -2), adjoint(V))
    if g_S is not None:
        inner = inner + on_diagonals(g_S.to(inner._kind))
    left, right = matmul(U, inner), adjoint(V)
    if rows > columns and g_U is not None:
        left = left + _beyond(U, g_U / unsqueeze(S, -2))
    grad = matmul(left, right)
    if rows < columns and g_V is not None:
        grad = grad + matmul(U, adjoint(_beyond(V, g_V / unsqueeze(S, -2))))
    return grad


def _first_vectors(vectors: Any, g: Any, count: int) -> tuple[Any, Any]:
    """Return the vectors of singular values, with the gradient by all that belong to them.

    The others span what is orthogonal to these, and turn with them.
    """
    more = vectors._array.shape[-1] - count
    if not more:
        return vectors, g
    first = narrow(vectors, -1, 0, count)
    if g is None:
        return first, None
    others, g_others = narrow(vectors, -1, count, more), narrow(g, -1, count, more)
    turned = matmul(others, matmul(adjoint(g_others), first))
    return first, narrow(g, -1, 0, count) - turned


def _beyond(vectors: Any, g: Any) -> Any:
    """Return the part of a gradient that is orthogonal to all the vectors."""
    return g - matmul(vectors, matmul(adjoint(vectors), g))


def _svd_gradient(g_U: Any, g_V: Any, U: Any, S: Any, V: Any) -> Any:
    """Return the part of the gradient that comes from vectors, between the two bases.

    Source: J. Townsend, "Differentiating the singular value decomposition", 2016.
    """
    if g_U is None and g_V is None:
        return None
    first = None if g_U is None else _skew(matmul(adjoint(U), g_U))
    second = None if g_V is None else _skew(matmul(adjoint(V), g_V))
    turns = [t for t in (first, second) if t is not None]
    _check_phase("svd_backward", sum(diagonals(t) for t in turns), "phase term, making it")
    squared = _differences(S * S)
    inner = None
    if first is not None:
        inner = _off_diagonal(first / squared) * unsqueeze(S, -2)
    if second is not None:
        part = unsqueeze(S, -1) * _off_diagonal(second / squared)
        inner = part if inner is None else inner + part
    if first is not None and is_complex(first):
        inner = inner + on_diagonals(diagonals(first) / (2 * S))
    return inner


def _skew(input: Any) -> Any:
    return input - adjoint(input)


@composite("LinalgSvdBackward0")
def _svdvals(door: backend.Backend, input: Array) -> Array:
    return converged("linalg.svd", door, "svdvals", input)


def _check_svd(A: Tensor, driver: str | None) -> None:
    check_stack("linalg.svd", A)
    check_floating("linalg.svd", A)
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with "
            "cuSOLVER backend."
        )
    check_kernel("linalg_svd_cpu", A)


@public(name="linalg.svd", method=False, out=True)
def linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """Return U, S and V^H of A = U diag(S) V^H: orthonormal vectors and descending numbers.

    A gradient by vectors is ``nan`` or infinite where two singular values are equal, and where one
    is 0 and the matrix is not square; one by singular values is not.  Those of vectors that belong
    to no singular value, with ``full_matrices``, are right as well, where PyTorch drops them.

    Raises:
        LinAlgError: A matrix is not finite.
        RuntimeError: There is a ``driver``, or the type is no floating point or complex one; or,
            in the backward, a loss depends on the phase of vectors.
    """
    _check_svd(A, driver)
    return LINALG_SVD(*_svd(A, full=bool(full_matrices)))


@public(name="linalg.svdvals", method=False, out=True)
def linalg_svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """Return singular values, which descend."""
    _check_svd(A, driver)
    if _differentiated(A):
        found: Tensor = _svd(A, full=False)[1]
        return found
    return _svdvals(A)


@public(out=True)
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """Return U, S and V of A = U diag(S) V^H; without ``compute_uv`` U and V are zeros."""
    array = input._array
    if array.ndim < 2:
        raise RuntimeError(
            "linalg.svd: input should have at least 2 dimensions, but has "
            f"{array.ndim} dimensions instead"
        )
    if not compute_uv:
        S = linalg_svdvals(input)
        U, V = (nothing(input, (*array.shape[:-2], n, n), array.dtype) for n in array.shape[-2:])
        return SVD(U, S, V)
    U, S, Vh = linalg_svd(input, not some)
    return SVD(U, S, adjoint(Vh))

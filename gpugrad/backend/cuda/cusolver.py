"""What CuPy computes of matrices, stacked over leading axes: by cuSOLVER and cuBLAS.

The functions are those of :mod:`gpugrad.backend.lapack`.  A factorization that fails raises
``LinAlgError``: :func:`gpugrad.backend.cuda.matrices` then asks LAPACK, which knows where.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

Array = Any

xp = cupy
INFO = np.dtype(np.int32)


def _raising() -> Any:
    import cupyx

    return cupyx.errstate(linalg="raise")


def _none(array: Array) -> Array:
    return xp.zeros(array.shape[:-2], INFO)


def _turned(array: Array) -> Array:
    return array.swapaxes(-1, -2).conj()


def _together(*arrays: Array) -> Sequence[Array]:
    """Return matrices with the leading axes that they broadcast to."""
    batch = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
    return [xp.broadcast_to(a, (*batch, *a.shape[-2:])) for a in arrays]


def cholesky(array: Array, upper: bool) -> tuple[Array, Array]:
    """Return the Cholesky factors of what one triangle says, and ``info``."""
    with _raising():
        found = xp.linalg.cholesky(_turned(array) if upper else array)
    return (_turned(found) if upper else found), _none(array)


def lu(array: Array) -> tuple[Array, Array, Array]:
    """Return L and U in one matrix, the rows that were exchanged, from 1 on, and ``info``."""
    from cupyx.scipy.linalg import lu_factor

    rows, columns = array.shape[-2:]
    stack = array.reshape(-1, rows, columns)
    count, batch = min(rows, columns), array.shape[:-2]
    found = xp.empty(stack.shape, array.dtype)
    pivots = xp.empty((len(stack), count), INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # which info says
        for k, matrix in enumerate(stack):
            found[k], exchanged = lu_factor(matrix, check_finite=False)
            pivots[k] = exchanged + 1
    zero = xp.diagonal(found, axis1=-2, axis2=-1) == 0
    info = xp.where(zero.any(-1), zero.argmax(-1) + 1, 0).astype(INFO)
    return found.reshape(array.shape), pivots.reshape(*batch, count), info.reshape(batch)


def qr(array: Array, mode: str) -> tuple[Array, Array]:
    """Return Q and R, Q with as many columns as rows where ``mode`` is "complete"."""
    with _raising():
        q, r = xp.linalg.qr(array, mode)
    return q, r


def qr_r(array: Array) -> Array:
    """Return R alone."""
    with _raising():
        return xp.linalg.qr(array, "r")


def geqrf(array: Array) -> tuple[Array, Array]:
    """Return R with the vectors of the reflections below it, and their factors."""
    with _raising():
        reflections, factors = xp.linalg.qr(array, "raw")
    return xp.ascontiguousarray(reflections.swapaxes(-1, -2)), factors


def eigh(array: Array, upper: bool) -> tuple[Array, Array]:
    """Return eigenvalues, which ascend, and eigenvectors of what one triangle says."""
    with _raising():
        values, vectors = xp.linalg.eigh(array, "U" if upper else "L")
    return values, vectors


def eigvalsh(array: Array, upper: bool) -> Array:
    """Return the eigenvalues of what one triangle says, which ascend."""
    with _raising():
        return xp.linalg.eigvalsh(array, "U" if upper else "L")


def eig(array: Array) -> tuple[Array, Array]:
    """Return eigenvalues and eigenvectors, complex ones."""
    with _general(), _raising():
        values, vectors = xp.linalg.eig(array)
    return values, vectors


def eigvals(array: Array) -> Array:
    """Return eigenvalues, complex ones."""
    with _general(), _raising():
        return xp.linalg.eigvals(array)


class _general:  # noqa: N801  a context, which is entered at once
    """Where cuSOLVER has no eigenvalues of general matrices, before CUDA 12.6, ask LAPACK."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, AttributeError) or "not available" in str(error):
            raise np.linalg.LinAlgError(str(error)) from error


def svd(array: Array, full: bool) -> tuple[Array, Array, Array]:
    """Return left singular vectors, singular values and the adjoint of right singular vectors."""
    with _raising():
        u, s, vh = xp.linalg.svd(array, full)
    return u, s, vh


def svdvals(array: Array) -> Array:
    """Return singular values."""
    with _raising():
        return xp.linalg.svd(array, compute_uv=False)


def det(array: Array) -> Array:
    """Return determinants."""
    factors, pivots, _ = lu(array)
    return _sign(pivots).astype(array.dtype) * _diagonals(factors).prod(-1)


def slogdet(array: Array) -> tuple[Array, Array]:
    """Return the signs of determinants and the logarithms of their sizes."""
    factors, pivots, _ = lu(array)
    diagonals = _diagonals(factors)
    size = xp.abs(diagonals)
    units = diagonals / xp.where(size == 0, 1, size).astype(array.dtype)
    return _sign(pivots).astype(array.dtype) * units.prod(-1), xp.log(size).sum(-1)


def _diagonals(array: Array) -> Array:
    return xp.diagonal(array, axis1=-2, axis2=-1)


def _sign(pivots: Array) -> Array:
    """Return -1 where rows were exchanged an odd number of times, and 1 elsewhere."""
    exchanges = (pivots != xp.arange(1, pivots.shape[-1] + 1, dtype=INFO)).sum(-1)
    return 1 - 2 * (exchanges % 2)


def inverse(array: Array) -> tuple[Array, Array]:
    """Return inverses and ``info``."""
    return solve(array, xp.eye(array.shape[-1], dtype=array.dtype))


def solve(array: Array, other: Array) -> tuple[Array, Array]:
    """Return the solutions of linear equations and ``info``."""
    info = _none(array)
    array, other = _together(array, other)
    with _raising():
        return xp.linalg.solve(array, other), info


def solve_triangular(array: Array, other: Array, upper: bool, unit: bool) -> Array:
    """Return the solutions of equations by what one triangle says; with ``unit``, of ones on it."""
    from cupyx.scipy.linalg import solve_triangular as solved

    array, other = _together(array, other)
    found = solved(array, other, lower=not upper, unit_diagonal=unit)
    return found.reshape(other.shape)

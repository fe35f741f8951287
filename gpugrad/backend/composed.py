"""What is computed of matrices in the same way on each device, by its decompositions.

The first argument is the module that has these: :mod:`gpugrad.backend.lapack` or
:mod:`gpugrad.backend.cuda.cusolver`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

Array = Any


def called(lib: Any, name: str, *arrays: Array, **options: Any) -> Any:
    """Return what a function of a module gives of matrices, or of this one where it gives none."""
    own = getattr(lib, name, None)
    found = None if own is None else own(*arrays, **options)
    return globals()[name](lib, *arrays, **options) if found is None else found


# By the bytes of a real number: up to this product of its norm and its inverse's, a matrix is far
# enough from a singular one for what follows from its inverse.
REGULAR = {4: 1e5, 8: 1e8}


def cofactors(lib: Any, array: Array) -> Array:
    """Return the matrices of cofactors, which are the gradients of determinants."""
    xp, stack = lib.xp, array.reshape(-1, *array.shape[-2:]) if array.size else array
    if not array.size:
        return xp.zeros_like(array)
    inverses, _ = lib.inverse(stack)
    found = lib.det(stack)[:, None, None] * inverses.swapaxes(-1, -2)
    near = ~(_scale(xp, stack, inverses) < REGULAR[stack.real.itemsize])
    if near.any():
        found[near] = _near_cofactors(lib, stack[near])
    return found.reshape(array.shape)


def _scale(xp: Any, array: Array, inverses: Array) -> Array:
    """Return products of norms, which are not less than the condition of the matrices."""
    return _bound(xp, array) * _bound(xp, inverses)


def _bound(xp: Any, array: Array) -> Array:
    """Return numbers that the largest singular values of matrices are not above."""
    size = xp.abs(array)
    rows, columns = size.sum(-1).max(-1), size.sum(-2).max(-1)
    return xp.sqrt(xp.minimum((size * size).sum((-2, -1)), rows * columns))


def _near_cofactors(lib: Any, array: Array) -> Array:
    """Return cofactors by singular values, without a division: singular matrices are no exception.

    Source: G. W. Stewart, "On the adjugate matrix", Linear Algebra and its Applications, 1998.
    """
    xp, n = lib.xp, array.shape[-1]
    known = xp.isfinite(array).all((-2, -1))[:, None, None]
    u, s, vh = lib.svd(xp.where(known, array, xp.zeros_like(array)), False)
    ones = xp.ones_like(s[:, :1])
    before = xp.cumprod(xp.concatenate([ones, s[:, :-1]], -1), -1)
    after = xp.cumprod(xp.concatenate([ones, s[:, :0:-1]], -1), -1)[:, ::-1]
    sign = lib.det(u) * lib.det(vh)
    scaled = (sign[:, None] * before * after)[:, None, :]
    assert scaled.shape[-1] == n
    found = (u.conj() * scaled) @ vh.conj()
    return xp.where(known, found, xp.full_like(found, np.nan))


def pinv(lib: Any, array: Array, atol: Array, rtol: Array, hermitian: bool) -> tuple[Array, Array]:
    """Return the generalized inverses of what is above the tolerances, and the ranks.

    Where a QR decomposition shows that no singular value is below them, there is no need to know
    these; of that there is none in a matrix with a rank that is not full.
    """
    xp, batch = lib.xp, array.shape[:-2]
    rows, columns = array.shape[-2:]
    if not array.size:
        return xp.empty((*batch, columns, rows), array.dtype), xp.zeros(batch, np.int64)
    stack = array.reshape(-1, rows, columns)
    low, part = (xp.broadcast_to(t, (*batch, 1, 1)).reshape(-1, 1, 1) for t in (atol, rtol))
    if hermitian or low.any():
        found, ranks = _pinv(lib, stack, low, part, hermitian)
    else:
        found, ranks = _clear_pinv(lib, stack, low, part)
    return found.reshape(*batch, columns, rows), ranks.reshape(batch)


def _clear_pinv(lib: Any, array: Array, low: Array, part: Array) -> tuple[Array, Array]:
    xp = lib.xp
    count, rows, columns = array.shape
    tall = array if rows >= columns else array.swapaxes(-1, -2).conj()
    q, r = lib.qr(tall, "reduced")
    inverses, _ = lib.inverse(r)
    least = xp.maximum(part[:, 0, 0], float(np.finfo(r.dtype).eps))
    near = ~(_scale(xp, r, inverses) * least < 0.5)
    found = inverses @ q.swapaxes(-1, -2).conj()
    if rows < columns:
        found = found.swapaxes(-1, -2).conj()
    ranks = xp.full(count, min(rows, columns), np.int64)
    if near.any():
        found[near], ranks[near] = _pinv(lib, array[near], low[near], part[near], False)
    return found, ranks


def _pinv(lib: Any, array: Array, low: Array, part: Array, hermitian: bool) -> tuple[Array, Array]:
    xp = lib.xp
    if hermitian:
        values, left = lib.eigh(array, False)
        size, right = xp.abs(values), left
    else:
        left, values, adjoint = lib.svd(array, False)
        size, right = values, adjoint.swapaxes(-1, -2).conj()
    most = size.max(-1)[:, None]
    kept = size > xp.maximum(low[:, 0], part[:, 0] * most)
    inverses = xp.where(kept, 1 / xp.where(kept, values, 1), 0).astype(values.dtype)
    return (right * inverses[:, None, :]) @ left.swapaxes(-1, -2).conj(), kept.sum(-1)


# --------------------------------------------------------------------------- products


def cholesky_inverse(lib: Any, array: Array, upper: bool) -> Array:
    """Return the inverses of the matrices that Cholesky factors are of."""
    other = array.swapaxes(-1, -2).conj()
    first, second = (other, array) if upper else (array, other)
    ones = lib.xp.broadcast_to(lib.xp.eye(array.shape[-1], dtype=array.dtype), array.shape)
    half = lib.solve_triangular(first, ones, upper=False, unit=False)
    return lib.solve_triangular(second, half, upper=True, unit=False)


def householder(lib: Any, array: Array, factors: Array) -> Array:
    """Return the first columns of products of reflections, whose factors are rows.

    Source: R. Schreiber and C. Van Loan, "A storage-efficient WY representation for products of
    Householder transformations", SIAM Journal on Scientific and Statistical Computing, 1989.
    """
    xp, (rows, columns), count = lib.xp, array.shape[-2:], factors.shape[-1]
    vectors = xp.tril(array[..., :count], -1) + xp.eye(rows, count, dtype=array.dtype)
    adjoint = vectors.swapaxes(-1, -2).conj()
    above = xp.triu(adjoint @ vectors, 1) * factors
    inner = lib.solve_triangular(
        above.swapaxes(-1, -2), xp.eye(count, dtype=array.dtype) * factors, upper=False, unit=True
    ).swapaxes(-1, -2)
    return xp.eye(rows, columns, dtype=array.dtype) - vectors @ (inner @ adjoint[..., :columns])


# --------------------------------------------------------------------------- functions

# How far from 0 the rational approximation of a degree is as good as rounding, and its numbers.
_DEGREES = {4: (7, 3.925724783138660), 8: (13, 5.371920351148152)}


@functools.cache
def _coefficients(degree: int) -> list[float]:
    """Return the coefficients of the diagonal Pade approximation of the exponential."""
    found = [1.0]
    for k in range(degree):
        found.append(found[-1] * (degree - k) / ((k + 1) * (2 * degree - k)))
    return found


def exponential(lib: Any, array: Array) -> Array:
    """Return the exponentials of square matrices.

    Source: N. J. Higham, "The scaling and squaring method for the matrix exponential revisited",
    SIAM Journal on Matrix Analysis and Applications, 2005.
    """
    xp = lib.xp
    if not array.size:
        return array.copy()
    degree, reach = _DEGREES[array.real.itemsize]
    size = xp.abs(array).sum(-2).max(-1)
    finite = xp.isfinite(size)
    halvings = xp.ceil(xp.log2(xp.maximum(xp.where(finite, size, 1) / reach, 1)))
    scale = xp.exp2(-halvings)[..., None, None].astype(array.dtype)
    given = xp.where(finite[..., None, None], array * scale, 0).astype(array.dtype)
    even, odd = _parts(xp, given, _coefficients(degree))
    found, _ = lib.solve(even - odd, even + odd)
    for k in range(int(halvings.max())):
        found = xp.where((halvings > k)[..., None, None], found @ found, found)
    return xp.where(finite[..., None, None], found, xp.nan).astype(array.dtype)


def _parts(xp: Any, array: Array, coefficients: list[float]) -> tuple[Array, Array]:
    """Return the even and the odd part of a polynomial of a matrix."""
    square = array @ array
    power = xp.broadcast_to(xp.eye(array.shape[-1], dtype=array.dtype), array.shape)
    even, odd = coefficients[0] * power, coefficients[1] * power
    for k in range(2, len(coefficients), 2):
        power = power @ square
        even = even + coefficients[k] * power
        odd = odd + coefficients[k + 1] * power
    return even.astype(array.dtype, copy=False), array @ odd.astype(array.dtype, copy=False)

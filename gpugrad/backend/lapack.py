"""What NumPy computes of matrices, stacked over leading axes: by LAPACK, without warnings.

Each function is one of :meth:`gpugrad.backend.Backend.matrices`.  Where a factorization may fail
it returns LAPACK's ``info`` for each matrix beside it: 0, or the number of the pivot, counted from
1, at which it ended.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.backend.large import triangle

Array = Any

xp = np

INFO = np.dtype(np.int32)


def _none(array: Array) -> Array:
    return np.zeros(array.shape[:-2], INFO)


def _flat(array: Array) -> Array:
    """Return a stack of matrices as one with one axis before theirs."""
    return array.reshape(math.prod(array.shape[:-2]), *array.shape[-2:])


_FEW = 16  # columns; below, all matrices of a stack are faster together than one by one in LAPACK
_LARGE = 48  # columns from which on calls for each matrix count for little


def _routine(name: str, array: Array, least: int = _LARGE) -> Any:
    """Return LAPACK's routine for large matrices as SciPy has it; ``None`` where it is not there.

    NumPy computes in double precision what is given in single, and has not all of them.
    """
    if array.shape[-1] < least or not array.size:
        return None
    return _scipys(name, array.dtype)


@functools.cache
def _scipys(name: str, kind: np.dtype[Any]) -> Any:
    try:
        from scipy.linalg import get_lapack_funcs
    except ImportError:
        return None
    return get_lapack_funcs(name, dtype=kind)


def _room(array: Array) -> int:
    """Return how many numbers LAPACK may write besides, so that it takes many columns at once."""
    return 64 * max(array.shape[-2:])


# --------------------------------------------------------------------------- factorizations


def cholesky(array: Array, upper: bool) -> tuple[Array, Array]:
    """Return the Cholesky factors of what one triangle says, and ``info``."""
    potrf = _routine("potrf", array)
    if potrf is None:
        try:
            return np.linalg.cholesky(array, upper=upper), _none(array)
        except np.linalg.LinAlgError:
            pass
    found, info = np.zeros(array.shape, array.dtype), _none(array)
    matrices, factors, infos = _flat(array), _flat(found), info.reshape(-1)
    for k, matrix in enumerate(matrices):
        factor = _factor(matrix, upper, potrf)
        if factor is None:
            lower = matrix.conj().T if upper else matrix
            part, infos[k] = _begun(lower)
            factor = part.conj().T if upper else part
        factors[k] = factor
    return factors.reshape(found.shape), infos.reshape(info.shape)


def _factor(matrix: Array, upper: bool, potrf: Any) -> Array | None:
    """Return the Cholesky factor of a matrix, ``None`` if it has none."""
    if potrf is not None:  # which stores by columns: the transpose of a factor is that of the other
        factor, info = potrf(matrix.T, lower=upper, clean=True)
        return None if info else factor.T
    try:
        return np.linalg.cholesky(matrix, upper=upper)
    except np.linalg.LinAlgError:
        return None


def _begun(matrix: Array) -> tuple[Array, int]:
    """Return the Cholesky factor of a matrix that has none, up to the column where that shows."""
    part = triangle(matrix, 0, False)
    for k in range(len(part)):
        row = part[k, :k]
        square = part[k, k].real - np.vdot(row, row).real
        if not square > 0:
            part[k, k] = square
            return part, k + 1
        part[k, k] = root = math.sqrt(square)
        part[k + 1 :, k] = (part[k + 1 :, k] - part[k + 1 :, :k] @ row.conj()) / root
    return part, 0


def lu(array: Array) -> tuple[Array, Array, Array]:
    """Return L and U in one matrix, the rows that were exchanged, from 1 on, and ``info``."""
    m, n = array.shape[-2:]
    found = np.array(array, order="C")
    stack, count = _flat(found), min(m, n)
    pivots = np.empty((len(stack), count), INFO)
    together = 0 < count <= _FEW and len(stack) > count**2
    getrf = None if together else _routine("getrf", array, 0)
    if getrf is not None:
        for k, matrix in enumerate(stack):
            stack[k], rows, _ = getrf(matrix)
            pivots[k] = rows + 1
    else:
        _eliminate(stack, pivots)
    zero = np.diagonal(stack, axis1=-2, axis2=-1) == 0
    info = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if count else np.zeros(len(stack))
    batch = array.shape[:-2]
    shaped = pivots.reshape(*batch, count), info.astype(INFO).reshape(batch)
    return stack.reshape(array.shape), *shaped


def _eliminate(stack: Array, pivots: Array) -> None:
    """Replace matrices by their L and U, with the largest element of each column as its pivot.

    They lie beside each other meanwhile, so that each step is one over all of them.
    """
    work = np.ascontiguousarray(stack.transpose(1, 2, 0))
    for k in range(pivots.shape[1]):
        row, pivots[:, k] = _exchanged(work, k)
        pivot = row[k]
        factors = work[k + 1 :, k]
        factors /= np.where(pivot == 0, 1, pivot)
        work[k + 1 :, k + 1 :] -= factors[:, None] * row[k + 1 :]
    stack[...] = work.transpose(2, 0, 1)


def _exchanged(work: Array, k: int) -> tuple[Array, Array]:
    """Exchange row ``k`` of matrices for that with the largest element there, and return it.

    Beside it stands which row that was, from 1 on.
    """
    column = work[k:, k]
    # as BLAS compares complex numbers; nan is larger than none, and none than it
    size = np.abs(column) if column.dtype.kind == "f" else abs(column.real) + abs(column.imag)
    most, best = size[0], np.full(work.shape[2], k)
    for place, other in enumerate(size[1:], k + 1):
        larger = other > most
        np.copyto(most, other, where=larger)
        np.copyto(best, place, where=larger)
    flat, (columns, count) = work.reshape(-1), work.shape[1:]
    places = best * (columns * count) + np.arange(columns * count).reshape(columns, count)
    row = flat.take(places)
    flat[places] = work[k]
    work[k] = row
    return row, best + 1


def qr(array: Array, mode: Any) -> tuple[Array, Array]:
    """Return Q and R, Q with as many columns as rows where ``mode`` is "complete"."""
    m, n = array.shape[-2:]
    orgqr = _routine("orgqr", array) if m >= n and (mode == "reduced" or m == n) else None
    if orgqr is None:
        q, r = np.linalg.qr(array, mode)
        return q, r
    geqrf, room = _scipys("geqrf", array.dtype), _room(array)
    q, r = np.empty_like(array, order="C"), np.empty((*array.shape[:-2], n, n), array.dtype)
    for matrix, left, right in zip(_flat(array), _flat(q), _flat(r), strict=True):
        reflections, factors, _, _ = geqrf(matrix, lwork=room)
        right[...] = triangle(reflections[:n], 0, True)
        left[...] = orgqr(reflections, factors, lwork=room, overwrite_a=True)[0]
    return q, r


def householder(array: Array, factors: Array) -> Array | None:
    """Return the first columns of large products of reflections, whose factors are rows."""
    orgqr = _routine("orgqr", factors)
    if orgqr is None:
        return None
    batch = np.broadcast_shapes(array.shape[:-2], factors.shape[:-2])
    found = np.empty((*batch, *array.shape[-2:]), array.dtype)
    given = [np.broadcast_to(a, (*batch, *a.shape[-2:])) for a in (array, factors)]
    for out, matrix, row in zip(_flat(found), *map(_flat, given), strict=True):
        out[...] = orgqr(matrix, row[0], lwork=_room(array))[0]
    return found


def qr_r(array: Array) -> Array:
    """Return R alone."""
    return np.linalg.qr(array, "r")


def geqrf(array: Array) -> tuple[Array, Array]:
    """Return R with the vectors of the reflections below it, and their factors."""
    if 0 in array.shape:
        return array.copy(), np.zeros((*array.shape[:-2], min(array.shape[-2:])), array.dtype)
    reflections, factors = np.linalg.qr(array, "raw")
    return np.ascontiguousarray(reflections.swapaxes(-1, -2)), factors


def eigh(array: Array, upper: bool) -> tuple[Array, Array]:
    """Return eigenvalues, which ascend, and eigenvectors of what one triangle says."""
    found = _where_finite(lambda a: tuple(np.linalg.eigh(a, "U" if upper else "L")), array)
    return found[0], found[1]


def eigvalsh(array: Array, upper: bool) -> Array:
    """Return the eigenvalues of what one triangle says, which ascend."""
    return _where_finite(lambda a: (np.linalg.eigvalsh(a, "U" if upper else "L"),), array)[0]


def _where_finite(function: Callable[..., tuple[Array, ...]], array: Array) -> tuple[Array, ...]:
    """Return what is found of finite matrices, and nan of others."""
    finite = np.isfinite(array).all((-2, -1))
    if finite.all():
        return function(array)
    known = finite[..., None, None]
    found = function(np.where(known, array, np.asarray(0, array.dtype)))
    return tuple([np.where(known if f.ndim == array.ndim else known[..., 0], f, np.asarray(
        np.nan, f.dtype)) for f in found])  # fmt: skip


def eig(array: Array) -> tuple[Array, Array]:
    """Return eigenvalues and eigenvectors, complex ones."""
    values, vectors = np.linalg.eig(array)
    kind = np.result_type(array.dtype, np.complex64)
    return values.astype(kind, copy=False), vectors.astype(kind, copy=False)


def eigvals(array: Array) -> Array:
    """Return eigenvalues, complex ones."""
    kind = np.result_type(array.dtype, np.complex64)
    return np.linalg.eigvals(array).astype(kind, copy=False)


def svd(array: Array, full: bool) -> tuple[Array, Array, Array]:
    """Return left singular vectors, singular values and the adjoint of right singular vectors."""
    u, s, vh = np.linalg.svd(array, full)
    return u, s, vh


def svdvals(array: Array) -> Array:
    """Return singular values."""
    return np.linalg.svd(array, compute_uv=False)


def ldl(array: Array, hermitian: bool) -> tuple[Array, Array, Array]:
    """Return the factors of symmetric matrices, their pivots and ``info``; see :func:`_ldl`."""
    found, info = triangle(array, 0, False), _none(array)
    stack = _flat(found)
    pivots, infos = np.empty(stack.shape[:-1], INFO), np.zeros(len(stack), INFO)
    turned = hermitian and array.dtype.kind == "c"
    routine = _routine("hetrf" if turned else "sytrf", array, _FEW)
    for k, matrix in enumerate(stack):
        if routine is None:
            infos[k] = _ldl(matrix, pivots[k], turned)
        else:
            matrix[...], pivots[k], infos[k] = routine(matrix, lower=True, lwork=_room(array))
    return found, pivots.reshape(array.shape[:-1]), infos.reshape(info.shape)


_GROWTH = (1 + math.sqrt(17)) / 8  # from which part of its column on a diagonal element is a pivot


def _ldl(a: Array, pivots: Array, turned: bool) -> int:
    """Replace the lower triangle of a matrix by its factors, and return which pivot is 0, if any.

    They are those of LAPACK: blocks of one or two rows on the diagonal, of which a block of two has
    a negative pivot in both.

    Source: J. R. Bunch and L. Kaufman, "Some stable methods for calculating inertia and solving
    symmetric linear systems", Mathematics of Computation, 1977.
    """
    n, k, info = len(a), 0, 0
    while k < n:
        if turned:
            a[k, k] = a[k, k].real
        own, below = _size(a[k, k]), _size(a[k + 1 :, k])
        other = k + 1 + int(below.argmax()) if k + 1 < n else k
        largest = below[other - k - 1] if k + 1 < n else 0
        place, count = k, 1
        if max(own, largest) == 0 or np.isnan(own):
            info = info or k + 1
            pivots[k] = k + 1
            k += 1
            continue
        if own < _GROWTH * largest:
            beside = np.concatenate([_size(a[other, k:other]), _size(a[other + 1 :, other])]).max()
            if own < _GROWTH * largest * (largest / beside):
                place = other
                count = 1 if _size(a[other, other]) >= _GROWTH * beside else 2
        _exchange(a, k, k + count - 1, place, turned)
        pivots[k : k + count] = place + 1 if count == 1 else -(place + 1)
        columns = a[k + count :, k : k + count].copy()
        block = np.tril(a[k : k + count, k : k + count])
        corner = np.tril(block, -1)
        block = block + (corner.conj().T if turned else corner.T)
        factors = np.linalg.solve(block.T, columns.T).T  # columns times the block's inverse
        change = factors @ (columns.conj().T if turned else columns.T)
        a[k + count :, k + count :] -= np.tril(change)
        a[k + count :, k : k + count] = factors
        k += count
    return info


def _size(a: Array) -> Any:
    return abs(a.real) + abs(a.imag) if a.dtype.kind == "c" else abs(a)


def _exchange(a: Array, start: int, k: int, place: int, turned: bool) -> None:
    """Exchange two rows and columns of the rest of a matrix, of which there is a lower triangle."""
    if place == k:
        return
    a[[k, place], start:k] = a[[place, k], start:k]
    a[place + 1 :, [k, place]] = a[place + 1 :, [place, k]]
    between = slice(k + 1, place)
    column, row = a[between, k].copy(), a[place, between].copy()
    a[between, k] = row.conj() if turned else row
    a[place, between] = column.conj() if turned else column
    a[k, k], a[place, place] = a[place, place], a[k, k]
    if turned:
        a[place, k] = a[place, k].conj()


def ldl_solve(array: Array, pivots: Array, other: Array, hermitian: bool) -> Array:
    """Return the solutions of equations by the factors and pivots of :func:`ldl`, in double.

    Pivots are columns.
    """
    wide = np.result_type(array.dtype, np.float64)
    found = np.linalg.solve(_unfactored_all(array.astype(wide), pivots, hermitian), other)
    return found.astype(array.dtype)


def _unfactored_all(array: Array, pivots: Array, hermitian: bool) -> Array:
    """Return the matrices that were factored."""
    batch = np.broadcast_shapes(array.shape[:-2], pivots.shape[:-2])
    n = array.shape[-1]
    found = np.empty((*batch, n, n), array.dtype)
    stack = _flat(np.broadcast_to(array, found.shape))
    rows = np.broadcast_to(pivots[..., 0], (*batch, n)).reshape(len(stack), n)
    for k, (factors, exchanged) in enumerate(zip(stack, rows, strict=True)):
        _flat(found)[k] = _unfactored(factors, exchanged, hermitian)
    return found


def _unfactored(factors: Array, exchanged: Array, hermitian: bool) -> Array:
    """Return a matrix by its factors; a negative pivot is that of a block of two rows."""
    n = len(factors)
    left, middle = np.eye(n, dtype=factors.dtype), np.zeros_like(factors)
    k = 0
    while k < n:
        size = 1 if exchanged[k] > 0 else 2
        last, other = k + size - 1, abs(int(exchanged[k])) - 1
        left[:, [last, other]] = left[:, [other, last]]
        block = np.tril(factors[k : k + size, k : k + size])
        below = np.tril(block, -1)
        middle[k : k + size, k : k + size] = block + (below.conj() if hermitian else below).T
        left[:, k : k + size] += left[:, k + size :] @ factors[k + size :, k : k + size]
        k += size
    return left @ middle @ (left.conj() if hermitian else left).T


# --------------------------------------------------------------------------- rows


def distances_of_pairs(array: Array) -> Array:
    """Return the Euclidean distances of the rows of each matrix from those behind them."""
    from gpugrad.backend.distances import distances_of_pairs as found

    return found(array)


# --------------------------------------------------------------------------- determinants


def det(array: Array) -> Array:
    """Return determinants."""
    return np.asarray(np.linalg.det(array), array.dtype)


def slogdet(array: Array) -> tuple[Array, Array]:
    """Return the signs of determinants and the logarithms of their sizes."""
    sign, size = np.linalg.slogdet(array)
    return np.asarray(sign), np.asarray(size)


# --------------------------------------------------------------------------- equations


def inverse(array: Array) -> tuple[Array, Array]:
    """Return inverses and ``info``; of singular matrices what has no finite number."""
    getri = _routine("getri", array)
    if getri is not None:
        getrf, room, info = _scipys("getrf", array.dtype), _room(array), _none(array)
        found, infos = np.empty(array.shape, array.dtype), info.reshape(-1)
        for k, matrix in enumerate(_flat(array)):
            factors, rows, infos[k] = getrf(matrix)
            if infos[k]:
                _flat(found)[k] = np.nan
            else:
                _flat(found)[k] = getri(factors, rows, lwork=room, overwrite_lu=True)[0]
        return found, info
    if 0 < array.shape[-1] <= _TINY and array.size >= _MANY * array.shape[-1] ** 2:
        return _inverse(array)
    try:
        return np.linalg.inv(array), _none(array)
    except np.linalg.LinAlgError:
        info = lu(array)[2]
    regular = (info == 0)[..., None, None]
    eye = np.eye(array.shape[-1], dtype=array.dtype)
    return np.where(regular, np.linalg.inv(np.where(regular, array, eye)), np.nan), info


_TINY, _MANY = 6, 256  # so many matrices of so few columns are faster together


def _inverse(array: Array) -> tuple[Array, Array]:
    """Return the same for all matrices together: what becomes of ones beside them."""
    stack = _flat(array)
    count, n = stack.shape[:2]
    work = np.zeros((n, 2 * n, count), array.dtype)
    work[:, :n] = stack.transpose(1, 2, 0)
    work[np.arange(n), np.arange(n, 2 * n)] = 1
    info = np.zeros(count, INFO)
    for k in range(n):
        row, _ = _exchanged(work, k)
        zero = row[k] == 0
        if zero.any():
            info[zero & (info == 0)] = k + 1
        row = row / row[k]
        work[:, k:] -= work[:, k].copy()[:, None] * row[k:]
        work[k] = row
    found = np.ascontiguousarray(work[:, n:].transpose(2, 0, 1)).reshape(array.shape)
    if info.any():
        found.reshape(stack.shape)[info > 0] = np.nan
    return found, info.reshape(array.shape[:-2])


def solve(array: Array, other: Array) -> tuple[Array, Array]:
    """Return the solutions of linear equations and ``info``."""
    gesv = _routine("gesv", array) if array.shape[:-2] == other.shape[:-2] and other.size else None
    if gesv is not None:
        found, info = np.empty(other.shape, other.dtype), _none(array)
        infos = info.reshape(-1)
        for k, (matrix, given) in enumerate(zip(_flat(array), _flat(other), strict=True)):
            _, _, result, infos[k] = gesv(matrix, given)
            _flat(found)[k] = np.nan if infos[k] else result
        return found, info
    try:
        return np.linalg.solve(array, other), _none(array)
    except np.linalg.LinAlgError:
        info = lu(array)[2]
    regular = (info == 0)[..., None, None]
    eye = np.eye(array.shape[-1], dtype=array.dtype)
    found = np.linalg.solve(np.where(regular, array, eye), other)
    return np.where(regular, found, np.asarray(np.nan, found.dtype)), info


_BLOCK = 48  # rows that are solved at once, for which LAPACK eliminates what is 0 already


def solve_triangular(array: Array, other: Array, upper: bool, unit: bool) -> Array:
    """Return the solutions of equations by what one triangle says; with ``unit``, of ones on it.

    Without SciPy: LAPACK's elimination finds nothing to do in an upper triangle, and so substitutes
    only.
    """
    trtrs = _routine("trtrs", array) if array.ndim == other.ndim == 2 and other.size else None
    if trtrs is not None:  # it takes what is stored by columns, which a transpose is
        found, info = trtrs(array.T, other, lower=upper, trans=1, unitdiag=unit)
        if not info:
            return np.ascontiguousarray(found)
    if not upper:  # in reverse, a lower triangle is an upper one
        flipped = solve_triangular(array[..., ::-1, ::-1], other[..., ::-1, :], True, unit)
        return flipped[..., ::-1, :]
    n = array.shape[-1]
    whole = triangle(array, 0, True)
    if unit:
        diagonal = np.arange(n)
        whole[..., diagonal, diagonal] = 1
    many = math.prod(whole.shape[:-2]) > 4 * n and n <= _FEW
    if many or (not unit and (np.diagonal(whole, axis1=-2, axis2=-1) == 0).any()):
        return _substituted(whole, other)
    batch = np.broadcast_shapes(array.shape[:-2], other.shape[:-2])
    found = np.empty((*batch, *other.shape[-2:]), np.result_type(array, other))
    for end in range(n, 0, -_BLOCK):
        start = max(end - _BLOCK, 0)
        rest = other[..., start:end, :]
        if end < n:
            rest = rest - whole[..., start:end, end:] @ found[..., end:, :]
        found[..., start:end, :] = np.linalg.solve(whole[..., start:end, start:end], rest)
    return found


def cholesky_inverse(array: Array, upper: bool) -> Array | None:
    """Return the inverses of the matrices that Cholesky factors are of, of large ones."""
    potri = _routine("potri", array)
    if potri is None:
        return None
    found = np.empty(array.shape, array.dtype)
    for out, matrix in zip(_flat(found), _flat(array), strict=True):
        result, _ = potri(matrix.T, lower=upper)  # of the transpose, of which there is one triangle
        part = triangle(result.T, 0, upper)
        out[...] = part
        out += triangle(part, 1 if upper else -1, upper).conj().T
    return found


def _substituted(whole: Array, other: Array) -> Array:
    """Solve by an upper triangle row by row, dividing by 0 where that is on the diagonal."""
    batch = np.broadcast_shapes(whole.shape[:-2], other.shape[:-2])
    found = np.zeros((*batch, *other.shape[-2:]), np.result_type(whole, other))
    for k in reversed(range(whole.shape[-1])):
        product = whole[..., k : k + 1, k + 1 :] @ found[..., k + 1 :, :]
        found[..., k : k + 1, :] = (other[..., k : k + 1, :] - product) / whole[
            ..., k : k + 1, k : k + 1
        ]
    return found

"""``scipy.linalg`` with gradients, on the CPU and on CUDA.

Matrices may stand in batches.  Arguments that allow SciPy to write over what it is given, or name
a driver of LAPACK's, change nothing.  Where SciPy leaves numbers without a meaning in a triangle,
there are zeros.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import gpugrad.numpy as _numpy
from gpugrad.errors import LinAlgError as _Failed
from gpugrad.graph import mode as _mode
from gpugrad.numpy.operands import DOORS as _DOORS
from gpugrad.numpy.operands import cast as _cast
from gpugrad.numpy.operands import door as _door
from gpugrad.numpy.operands import on_host as _on_host
from gpugrad.numpy.operands import plain as _plain
from gpugrad.numpy.operands import promoted as _promoted
from gpugrad.numpy.operands import sent as _sent
from gpugrad.numpy.ufuncs import op as _op
from gpugrad.scipy import matrices as _matrices
from gpugrad.scipy.theirs import scipy as _scipy

LinAlgError = np.linalg.LinAlgError


def _function(function: Callable[..., Any]) -> Any:
    """Put a function into the namespace whose failures are NumPy's ``LinAlgError``."""

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except _Failed as error:
            raise LinAlgError(str(error)) from error

    called.__doc__ = function.__doc__ or f"See scipy.linalg.{function.__name__}; it has gradients."
    return _door(called)


def _own(name: str) -> Any:
    return _op(f"linalg.{name}")


def _floating(*values: Any, check: bool = True) -> list[Any]:
    """Return operands as plain tensors of one floating point type.

    Raises:
        ValueError: One has an infinity or a nan, and it was asked for.
    """
    found = _promoted(*values)
    kind = found[0]._array.dtype
    kind = np.result_type(kind, np.float32) if kind.kind in "fc" else np.dtype(np.float64)
    found = [_cast(f, kind) for f in found]
    if check and not _mode.batches:
        for f in found:
            if not bool(_op("all")(_op("isfinite")(f.detach()))):
                raise ValueError("array must not contain infs or NaNs")
    return found


def _square(t: Any) -> Any:
    shape = tuple(t._array.shape)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"expected square matrix, but got an array of shape {shape}")
    return t


def _adjoint(t: Any) -> Any:
    return _op("conj")(_op("transpose")(t, -1, -2))


def _transposed(t: Any) -> Any:
    return _op("transpose")(t, -1, -2)


def _assumed(t: Any, assume: str | None, lower: bool) -> Any:
    """Return the matrix that a structure says, of which SciPy reads one part.

    Raises:
        ValueError: There is no such structure.
    """
    name = {None: "general", "gen": "general", "sym": "symmetric", "her": "hermitian",
            "pos": "positive definite"}.get(assume, assume)  # fmt: skip
    if name in ("general", "banded", "tridiagonal"):
        return t
    if name == "diagonal":
        return _op("diag_embed")(_own("diagonal")(t))
    if name in ("upper triangular", "lower triangular"):
        return _op("triu" if name[0] == "u" else "tril")(t)
    if name in ("symmetric", "hermitian", "positive definite"):
        turned = _transposed if name == "symmetric" else _adjoint
        part = _op("tril" if lower else "triu")(t, -1 if lower else 1)
        middle = _own("diagonal")(t)
        middle = middle if name == "symmetric" else _cast(_op("real")(middle), t._array.dtype)
        return _op("diag_embed")(middle) + part + turned(part)
    raise ValueError(f"{assume} is not a recognized matrix structure")


def _columns(b: Any) -> tuple[Any, bool]:
    vector = b._array.ndim == 1
    return (_op("unsqueeze")(b, -1) if vector else b), vector


def _as_given(x: Any, vector: bool) -> Any:
    return _op("squeeze")(x, -1) if vector else x


# --------------------------------------------------------------------------- equations


@_function
def inv(
    a: Any, overwrite_a: bool = False, check_finite: bool = True, *, assume_a: str | None = None,
    lower: bool = False,
) -> Any:  # fmt: skip
    (t,) = _floating(a, check=check_finite)
    return _op("inverse")(_assumed(_square(t), assume_a, lower))


@_function
def solve(
    a: Any, b: Any, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, assume_a: str | None = None, transposed: bool = False,
) -> Any:  # fmt: skip
    t, y = _floating(a, b, check=check_finite)
    t = _assumed(_square(t), assume_a, lower)
    y, vector = _columns(y)
    return _as_given(_own("solve")(_transposed(t) if transposed else t, y), vector)


@_function
def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
    overwrite_b: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    t, y = _floating(a, b, check=check_finite)
    t, (y, vector) = _square(t), _columns(y)
    turn = _turn(trans)
    if turn:
        t = _transposed(t) if turn == 1 else _adjoint(t)
    upper = bool(lower) if turn else not lower
    found = _own("solve_triangular")(t, y, upper=upper, unitriangular=bool(unit_diagonal))
    return _as_given(found, vector)


def _turn(trans: Any) -> int:
    found = {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    if found not in (0, 1, 2):
        raise ValueError(f"trans must be 0, 1, 2, 'N', 'T' or 'C', not {trans!r}")
    return int(found)


@_function
def lstsq(
    a: Any, b: Any, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, lapack_driver: Any = None,
) -> Any:  # fmt: skip
    """Return the solution of least squares, the sums of squares, the rank, singular values."""
    t, y = _floating(a, b, check=check_finite)
    cut = float(np.finfo(t._array.dtype).eps) if cond is None else cond
    found, squares, rank, _ = _numpy.linalg.lstsq(t, y, cut)
    s = _own("svdvals")(t)  # those of lstsq have no gradient
    count = int(_on_host(rank.detach()))
    if y._array.ndim == 1 and squares._array.size:
        squares = _op("squeeze")(squares, 0)
    return found, squares, count, s


@_function
def solve_banded(
    l_and_u: tuple[int, int], ab: Any, b: Any, overwrite_ab: bool = False,
    overwrite_b: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    """Return the solution for a matrix whose diagonals stand in rows; the host computes it."""
    t, y = _floating(ab, b, check=check_finite)
    lower, upper = (int(v) for v in l_and_u)
    if t._array.ndim != 2 or t._array.shape[0] != lower + upper + 1:
        raise ValueError(
            "invalid values for the number of lower and upper diagonals: l+u+1 "
            f"({lower + upper + 1}) does not equal ab.shape[0] ({t._array.shape[0]})"
        )
    if t._array.shape[-1] != y._array.shape[0]:
        raise ValueError("shapes of ab and b are not compatible.")
    return _matrices.Banded.apply((lower, upper), t, y)


@_function
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """Return the solution x of ``a x + x b = q``, which the host computes."""
    x, y, z = _floating(a, b, q)
    _square(x), _square(y)
    shape = (x._array.shape[-1], y._array.shape[-1])
    if tuple(z._array.shape[-2:]) != shape:
        raise ValueError(f"q must have shape {shape}, but has {tuple(z._array.shape)}")
    batch = np.broadcast_shapes(*(t._array.shape[:-2] for t in (x, y, z)))
    x, y, z = (_op("broadcast_to")(t, (*batch, *t._array.shape[-2:])) for t in (x, y, z))
    return _matrices.Sylvester.apply(x, y, z)


@_function
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """Return the solution x of ``a x + x a^H = q``, which the host computes."""
    t = _square(_floating(a)[0])
    return solve_sylvester(t, _op("resolve_conj")(_adjoint(t)), q)


@_function
def solve_discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Any:
    """Return the solution x of ``a x a^H - x + q = 0``.

    "direct" solves equations for all elements at once, and is the default for less than 10 rows;
    "bilinear" solves a continuous equation, and ``a`` must not have the eigenvalue -1.
    """
    t, y = _floating(a, q)
    n = _square(t)._array.shape[-1]
    method = ("bilinear" if n >= 10 else "direct") if method is None else method.lower()
    one = _op("eye")(n, dtype=t.dtype, device=t.device)
    if method == "direct":
        whole = _op("kron")(t, _op("conj_physical")(t))
        every = _op("eye")(n * n, dtype=t.dtype, device=t.device)
        return _op("reshape")(_own("solve")(every - whole, _op("reshape")(y, (-1,))), (n, n))
    if method == "bilinear":
        adjoint = _op("resolve_conj")(_adjoint(t))
        behind = _op("inverse")(adjoint + one)
        b = _op("matmul")(adjoint - one, behind)
        c = 2 * _op("matmul")(_own("solve")(t + one, y), behind)
        return solve_continuous_lyapunov(_op("resolve_conj")(_adjoint(b)), -c)
    raise ValueError(f"Unknown solver {method}")


def _diagonals(c_or_cr: Any, other: Any, check: bool) -> tuple[Any, Any, Any]:
    """Return the first column and row of a matrix of equal diagonals, and the other operand."""
    column, row = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    column = _vector(column)
    row = _op("conj_physical")(column) if row is None else _vector(row)
    return tuple(_floating(column, row, other, check=check))


@_function
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    """Return the solution for a matrix of constant diagonals, which the host computes.

    The matrix is given by its first column, or by that and its first row; see ``toeplitz``.
    """
    column, row, y = _diagonals(c_or_cr, b, check_finite)
    if not column._array.size == row._array.size == y._array.shape[0]:
        raise ValueError("Incompatible dimensions.")
    return _matrices.Toeplitz.apply(column, row, y)


@_function
def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: bool = False, workers: Any = None) -> Any:
    """Return the product of a matrix of constant diagonals and a vector or columns."""
    column, row, y = _diagonals(c_or_cr, x, check_finite)
    if row._array.size != y._array.shape[0]:
        raise ValueError(f"The row has {row._array.size} elements, and x {y._array.shape[0]} rows")
    return _plain(_matrices.diagonals_times(column, row, y))


# --------------------------------------------------------------------------- decompositions


@_function
def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    (t,) = _floating(a, check=check_finite)
    return _own("cholesky")(_square(t), upper=not lower)


@_function
def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    return cholesky(a, lower, overwrite_a, check_finite), lower


@_function
def cho_solve(
    c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    c, lower = c_and_lower
    t, y = _floating(c, b, check=check_finite)
    y, vector = _columns(y)
    return _as_given(_op("cholesky_solve")(y, _square(t), upper=not lower), vector)


@_function
def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True,
    p_indices: bool = False,
) -> Any:  # fmt: skip
    (t,) = _floating(a, check=check_finite)
    p, lower, upper = _own("lu")(t)
    if permute_l:
        return _op("matmul")(p, lower), upper
    if p_indices:
        return _op("argmax")(_op("real")(p), -1), lower, upper
    return p, lower, upper


@_function
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    (t,) = _floating(a, check=check_finite)
    found, pivots = _own("lu_factor")(t)
    return found, pivots - 1


@_function
def lu_solve(
    lu_and_piv: tuple[Any, Any], b: Any, trans: Any = 0, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    factors, pivots = lu_and_piv
    t, y = _floating(factors, b, check=check_finite)
    pivots = _cast(_plain(pivots, t.device) + 1, np.dtype(np.int32))
    y, vector = _columns(y)
    turn = _turn(trans)
    y = _op("conj")(y) if turn == 1 else y
    found = _own("lu_solve")(t, pivots, y, adjoint=turn > 0)
    return _as_given(_op("conj_physical")(found) if turn == 1 else found, vector)


@_function
def qr(
    a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full",
    pivoting: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    """Return Q and R, or R alone; with ``pivoting`` also the order of the columns.

    Raises:
        NotImplementedError: The mode is "raw", of which there is no gradient.
    """
    if mode not in ("full", "r", "economic", "raw"):
        raise ValueError("Mode argument should be one of ['full', 'r', 'economic', 'raw']")
    if mode == "raw":
        raise NotImplementedError("qr: the mode 'raw' has no gradient; use 'economic'")
    (t,) = _floating(a, check=check_finite)
    order: tuple[Any, ...] = ()
    if pivoting:
        columns = _scipy("linalg").qr(_on_host(t.detach()), mode="r", pivoting=True)[-1]
        order = (_sent(columns, t.device),)
        t = _op("index_select")(t, -1, order[0])
    q, r = _own("qr")(t, "complete" if mode == "full" else "reduced")
    if mode != "r":
        return (q, r, *order)
    rest = t._array.shape[-2] - r._array.shape[-2]
    if rest:
        zeros = _op("new_zeros")(r, (*r._array.shape[:-2], rest, r._array.shape[-1]))
        r = _op("cat")([r, zeros], -2)
    return (r, *order)


@_function
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: bool = False,
    check_finite: bool = True, lapack_driver: str = "gesdd",
) -> Any:  # fmt: skip
    (t,) = _floating(a, check=check_finite)
    return tuple(_own("svd")(t, full_matrices)) if compute_uv else _own("svdvals")(t)


@_function
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return _own("svdvals")(*_floating(a, check=check_finite))


@_function
def eigh(
    a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False,
    overwrite_a: bool = False, overwrite_b: bool = False, type: int = 1,
    check_finite: bool = True, subset_by_index: Any = None, subset_by_value: Any = None,
    driver: Any = None,
) -> Any:  # fmt: skip
    """Return eigenvalues and eigenvectors of a Hermitian matrix, or of a pair of them.

    A pair is brought to one matrix by the Cholesky factor of ``b``.
    """
    part = "L" if lower else "U"
    if b is None:
        (t,) = _floating(a, check=check_finite)
        back = None
    else:
        t, y = _floating(a, b, check=check_finite)
        t = _assumed(_square(t), "her", lower)
        factor = _own("cholesky")(_assumed(_square(y), "her", lower))
        if type == 1:
            half = _own("solve_triangular")(factor, t, upper=False)
            t = _adjoint(_own("solve_triangular")(factor, _adjoint(half), upper=False))
        elif type in (2, 3):
            t = _op("matmul")(_op("matmul")(_adjoint(factor), t), factor)
        else:
            raise ValueError('"type" keyword only accepts 1, 2, and 3.')
        back = factor
    if subset_by_index is not None and subset_by_value is not None:
        raise ValueError("Either index or value subsets can be requested.")
    values, vectors = _own("eigh")(_square(t), part)
    if back is not None and not eigvals_only:
        if type == 3:
            vectors = _op("matmul")(back, vectors)
        else:
            vectors = _own("solve_triangular")(_adjoint(back), vectors, upper=True)
    if subset_by_index is not None or subset_by_value is not None:
        kept = _kept(values, subset_by_index, subset_by_value)
        values = _op("index_select")(values, -1, kept)
        vectors = _op("index_select")(vectors, -1, kept)
    return values if eigvals_only else (values, vectors)


def _kept(values: Any, by_index: Any, by_value: Any) -> Any:
    """Return the places of the eigenvalues that are asked for."""
    if by_index is not None:
        first, last = by_index
        return _sent(np.arange(int(first), int(last) + 1), values.device)
    if values._array.ndim > 1:
        raise ValueError("eigh: subset_by_value takes one matrix, not a batch")
    low, high = by_value
    found = np.asarray(_on_host(values.detach()))
    return _sent(np.flatnonzero((found > low) & (found <= high)), values.device)


@_function
def eigvalsh(
    a: Any, b: Any = None, *, lower: bool = True, overwrite_a: bool = False,
    overwrite_b: bool = False, type: int = 1, check_finite: bool = True,
    subset_by_index: Any = None, subset_by_value: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    return eigh(a, b, lower=lower, eigvals_only=True, type=type, check_finite=check_finite,
                subset_by_index=subset_by_index, subset_by_value=subset_by_value)  # fmt: skip


@_function
def eig(
    a: Any, b: Any = None, left: bool = False, right: bool = True, overwrite_a: bool = False,
    overwrite_b: bool = False, check_finite: bool = True, homogeneous_eigvals: bool = False,
) -> Any:  # fmt: skip
    """Return complex eigenvalues, and right and left eigenvectors where they are asked for.

    Raises:
        NotImplementedError: The eigenvalues are asked for as fractions.
    """
    values, vectors = _own("eig")(_pair(a, b, check_finite, homogeneous_eigvals))
    found: tuple[Any, ...] = (values,)
    if left:
        if b is not None:
            raise NotImplementedError("eig: there are no left eigenvectors of a pair")
        rows = _adjoint(_op("inverse")(vectors))
        found += (rows / _own("vector_norm")(rows, 2, -2, True),)
    found += (vectors,) if right else ()
    return found if len(found) > 1 else values


def _pair(a: Any, b: Any, check: bool, homogeneous: bool) -> Any:
    if homogeneous:
        raise NotImplementedError("eig: homogeneous_eigvals=True has no gradient")
    if b is None:
        return _square(_floating(a, check=check)[0])
    t, y = _floating(a, b, check=check)
    return _own("solve")(_square(y), _square(t))


@_function
def eigvals(
    a: Any, b: Any = None, overwrite_a: bool = False, check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:  # fmt: skip
    return _own("eigvals")(_pair(a, b, check_finite, homogeneous_eigvals))


@_function
def polar(a: Any, side: str = "right") -> Any:
    """Return a unitary factor and a positive semidefinite one."""
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    (t,) = _floating(a)
    u, s, v = _own("svd")(t, False)
    s = _op("unsqueeze")(s, -2)
    rest = (_adjoint(v) * s, v) if side == "right" else (u * s, _adjoint(u))
    return _op("matmul")(u, v), _op("matmul")(*rest)


# --------------------------------------------------------------------------- of one matrix


@_function
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    (t,) = _floating(a, check=check_finite)
    return _op("det")(_square(t))


@_function
def pinv(
    a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    (t,) = _floating(a, check=check_finite)
    atol = 0.0 if atol is None else float(atol)
    if rtol is None:
        rtol = max(t._array.shape[-2:]) * float(np.finfo(t._array.dtype).eps)
    found = _own("pinv")(t, atol=atol, rtol=float(rtol))
    if not return_rank:
        return found
    rank = _own("matrix_rank")(t.detach(), atol=atol, rtol=float(rtol))
    return found, int(_on_host(rank)) if not rank._array.ndim else rank


def _rank(s: Any, shape: tuple[int, ...], rcond: Any) -> int:
    values = np.asarray(_on_host(s.detach()))
    part = np.finfo(values.dtype).eps * max(shape) if rcond is None else rcond
    return int(np.count_nonzero(values > values.max(initial=0.0) * part))


@_function
def null_space(
    A: Any, rcond: Any = None, *, overwrite_a: bool = False, check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:  # fmt: skip
    """Return an orthonormal basis of the null space of one matrix.

    It has a gradient where the basis has one: a full set of singular vectors of a wide matrix is
    determined up to a rotation, and raises in a backward.
    """
    (t,) = _floating(A, check=check_finite)
    _, s, v = _own("svd")(t, True)
    return _op("resolve_conj")(_adjoint(v)[:, _rank(s, t._array.shape, rcond) :])


@_function
def orth(A: Any, rcond: Any = None) -> Any:
    """Return an orthonormal basis of the range of one matrix."""
    (t,) = _floating(A)
    u, s, _ = _own("svd")(t, False)
    return u[:, : _rank(s, t._array.shape, rcond)]


@_function
def norm(
    a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True
) -> Any:
    (t,) = _floating(a, check=check_finite)
    return _numpy.linalg.norm(t, ord, axis, keepdims)


@_function
def expm(A: Any) -> Any:
    return _op("matrix_exp")(_square(_floating(A)[0]))


@_function
def expm_frechet(
    A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """Return the exponential of A and how it moves where A moves in the direction E."""
    t, direction = _floating(A, E, check=check_finite)
    n = _square(t)._array.shape[-1]
    upper = _op("cat")([t, direction], -1)
    lower = _op("cat")([_op("zeros_like")(t), t], -1)
    whole = _op("matrix_exp")(_op("cat")([upper, lower], -2))
    found = whole[..., :n, n:]
    return (whole[..., :n, :n], found) if compute_expm else found


@_function
def sqrtm(A: Any, disp: Any = None, blocksize: Any = None) -> Any:
    """Return the principal square root, which the host computes.

    At a singular matrix there is no derivative.
    """
    return _matrices.SquareRoot.apply(_square(_floating(A)[0]))


@_function
def logm(A: Any, disp: Any = None) -> Any:
    """Return the principal logarithm, which the host computes."""
    return _matrices.Logarithm.apply(_square(_floating(A)[0]))


def _turned(A: Any) -> tuple[Any, Any]:
    """Return the cosine and the sine of a matrix, by exp(i A) and its inverse."""
    t = _square(_floating(A)[0])
    ahead = _op("matrix_exp")(t * 1j)
    if t._array.dtype.kind != "c":
        return _op("real")(ahead), _op("imag")(ahead)
    behind = _op("matrix_exp")(t * -1j)
    return (ahead + behind) / 2, (ahead - behind) / 2j


@_function
def cosm(A: Any) -> Any:
    return _turned(A)[0]


@_function
def sinm(A: Any) -> Any:
    return _turned(A)[1]


@_function
def tanm(A: Any) -> Any:
    cosine, sine = _turned(A)
    return _own("solve")(cosine, sine)


def _grown(A: Any) -> tuple[Any, Any]:
    t = _square(_floating(A)[0])
    ahead, behind = _op("matrix_exp")(t), _op("matrix_exp")(-t)
    return (ahead + behind) / 2, (ahead - behind) / 2


@_function
def coshm(A: Any) -> Any:
    return _grown(A)[0]


@_function
def sinhm(A: Any) -> Any:
    return _grown(A)[1]


@_function
def tanhm(A: Any) -> Any:
    cosine, sine = _grown(A)
    return _own("solve")(cosine, sine)


# --------------------------------------------------------------------------- made of vectors


def _arranged(values: Any, places: Any) -> Any:
    """Return elements of a vector at places."""
    return _op("getitem")(values, _sent(places, values.device))


def _vector(c: Any) -> Any:
    t = _plain(c)
    return _op("reshape")(t, (-1,)) if t._array.ndim != 1 else t


@_function
def toeplitz(c: Any, r: Any = None) -> Any:
    """Return the matrix with constant diagonals of a first column and a first row."""
    c = _vector(c)
    row = _op("conj")(c) if r is None else _vector(r)
    c, row = _promoted(c, row)
    m, n = c._array.size, row._array.size
    values = _op("cat")([c, row[1:]])
    k = np.arange(m)[:, None] - np.arange(n)
    return _arranged(values, np.where(k >= 0, k, m - 1 - k))


@_function
def hankel(c: Any, r: Any = None) -> Any:
    """Return the matrix with constant counterdiagonals of a first column and a last row."""
    c = _vector(c)
    row = _op("zeros_like")(c) if r is None else _vector(r)
    c, row = _promoted(c, row)
    values = _op("cat")([c, row[1:]])
    return _arranged(values, np.arange(c._array.size)[:, None] + np.arange(row._array.size))


@_function
def circulant(c: Any) -> Any:
    """Return the matrix whose columns are a vector turned around."""
    t = _plain(c)
    n = t._array.shape[-1]
    places = (np.arange(n)[:, None] - np.arange(n)) % n
    return _op("getitem")(t, (..., _sent(places, t.device)))


@_function
def block_diag(*arrs: Any) -> Any:
    """Return the matrix with matrices along its diagonal; a vector is a row."""
    return _op("block_diag")(*_promoted(*(arrs or ([[]],))))


__all__ = sorted({*_DOORS[__name__], "LinAlgError"})

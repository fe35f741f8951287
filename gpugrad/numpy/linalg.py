"""``numpy.linalg`` with gradients, on the CPU and on CUDA."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gpugrad import _dtype
from gpugrad.errors import LinAlgError as _Failed
from gpugrad.numpy import products as _products
from gpugrad.numpy import shapes as _shapes
from gpugrad.numpy.examples import by_example
from gpugrad.numpy.operands import (
    DOORS,
    array_of,
    cast,
    door,
    on_host,
    plain,
    promoted,
    sent,
    written,
)
from gpugrad.numpy.table import UFUNCS as _UFUNCS
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.op import forms as _forms
from gpugrad.op.saved import is_dual as _is_dual
from gpugrad.ops import part as _parts
from gpugrad.ops import pointwise as pw
from gpugrad.ops import shape as shapes
from gpugrad.ops.complex import real as _real
from gpugrad.ops.matrix import diag_embed as _diag_embed
from gpugrad.ops.matrix import tril as _tril
from gpugrad.ops.matrix import triu as _triu

LinAlgError = np.linalg.LinAlgError
_KNOWN = _forms.declared_in("linalg")


class EigResult(NamedTuple):
    """Of ``eig``."""

    eigenvalues: Any
    eigenvectors: Any


class EighResult(NamedTuple):
    """Of ``eigh``."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """Of ``qr``."""

    Q: Any
    R: Any


class SlogdetResult(NamedTuple):
    """Of ``slogdet``."""

    sign: Any
    logabsdet: Any


class SVDResult(NamedTuple):
    """Of ``svd``."""

    U: Any
    S: Any
    Vh: Any


def _matrix_function(function: Callable[..., Any]) -> Any:
    """Put a function into the namespace whose failures are NumPy's ``LinAlgError``."""

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except _Failed as error:
            raise LinAlgError(str(error)) from error

    return door(called)


def _own(name: str) -> Any:
    """Return the declared operation of a name in PyTorch's linalg."""
    return _KNOWN[name].plain


def _floating(*values: Any) -> list[Any]:
    """Return operands as plain tensors of the floating point type that NumPy computes in.

    Raises:
        TypeError: They are of 16 bits.
    """
    found = promoted(*values)
    kind = found[0]._array.dtype
    kind = kind if kind.kind in _dtype.INEXACT else np.dtype(np.float64)
    if _dtype.is_half(kind):
        raise TypeError(f"array type {kind} is unsupported in linalg")
    return [cast(f, kind) for f in found]


def _matrices(a: Any, square: bool = False) -> Any:
    (t,) = _floating(a)
    if t._array.ndim < 2:
        raise LinAlgError(
            f"{t._array.ndim}-dimensional array given. Array must be at least two-dimensional"
        )
    if square and t._array.shape[-1] != t._array.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    return t


# --------------------------------------------------------------------------- equations


@_matrix_function
def inv(a: Any) -> Any:
    return _own("inv")(_matrices(a, True))


@_matrix_function
def solve(a: Any, b: Any) -> Any:
    """Return the solution of ``a x = b``; ``b`` is a vector where it has one dimension."""
    x, y = _floating(a, b)
    x = _matrices(x, True)
    if y._array.ndim == 1:
        if y._array.shape[0] != x._array.shape[-1]:
            raise ValueError(
                "solve: Input operand 1 has a mismatch in its core dimension 0, with gufunc "
                f"signature (m,m),(m)->(m) (size {y._array.shape[0]} is different from "
                f"{x._array.shape[-1]})"
            )
        return shapes.squeeze(_own("solve")(x, shapes.unsqueeze(y, -1)), -1)
    if y._array.shape[-2] != x._array.shape[-1]:
        raise ValueError(
            "solve: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
            f"(m,m),(m,n)->(m,n) (size {y._array.shape[-2]} is different from "
            f"{x._array.shape[-1]})"
        )
    batch = np.broadcast_shapes(x._array.shape[:-2], y._array.shape[:-2])
    x = shapes.broadcast_to(x, (*batch, *x._array.shape[-2:]))
    y = shapes.broadcast_to(y, (*batch, *y._array.shape[-2:]))
    return _own("solve")(x, y)


@_matrix_function
@by_example
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Return the least squares solution, the residuals, the rank and the singular values."""
    x, y = _floating(a, b)
    if x._array.ndim != 2:
        raise LinAlgError(f"{x._array.ndim}-dimensional array given. Array must be two-dimensional")
    if y._array.shape[0] != x._array.shape[0]:
        raise LinAlgError("Incompatible dimensions")
    vector = y._array.ndim == 1
    y = shapes.unsqueeze(y, -1) if vector else y
    m, n = x._array.shape
    eps = float(np.finfo(x._array.dtype).eps)
    cut = eps * max(m, n) if rcond is None else eps if rcond == -1 else float(rcond)
    found, _, rank, s = _own("lstsq")(x, y, cut, driver="gelsd")
    if x.requires_grad or _is_dual(x):  # the solver's own have no gradient
        s = _own("svdvals")(x)
    rank = int(on_host(rank.detach()))
    if rank == n and m > n:
        away = array_of(pw.sub(y, op("matmul")(x, found)))
        squares = _UFUNCS["square"](_UFUNCS["absolute"](away))
        residuals = plain(_UFUNCS["add"].reduce(squares, 0))
    else:
        residuals = sent(np.empty(0, s._array.dtype), x.device)
    count = sent(np.int32(rank), x.device)
    return shapes.squeeze(found, -1) if vector else found, residuals, count, s


@_matrix_function
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    t = _matrices(a)
    if rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else rtol
    if rcond is None:
        rcond = max(t._array.shape[-2:]) * float(np.finfo(t._array.dtype).eps)
    if 0 in t._array.shape[-2:]:
        shape = (*t._array.shape[:-2], t._array.shape[-1], t._array.shape[-2])
        return sent(np.empty(shape, t._array.dtype), t.device)
    real = cast(sent(on_host(rcond), t.device), np.dtype(np.float64))
    return _own("pinv")(t, hermitian=hermitian, atol=None, rtol=real if real._array.ndim else
                        float(on_host(rcond)))  # fmt: skip


@_matrix_function
def tensorinv(a: Any, ind: int = 2) -> Any:
    (t,) = _floating(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = t._array.shape
    n = int(np.prod(shape[ind:]))
    rows = shapes.reshape(t, (n, -1)) if n else t
    return shapes.reshape(plain(inv(rows)), (*shape[ind:], *shape[:ind]))


@_matrix_function
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    x, y = _floating(a, b)
    n = x._array.ndim
    if axes is not None:
        order = list(range(n))
        for k in axes:
            order.remove(k)
            order.append(k)
        x = shapes.permute(x, tuple(order))
    behind = x._array.shape[-(n - y._array.ndim) :]
    count = int(np.prod(behind))
    if x._array.size != count**2:
        raise LinAlgError(
            "Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == "
            "prod(a.shape[:b.ndim])"
        )
    rows = shapes.reshape(x, (count, count))
    return shapes.reshape(plain(solve(rows, shapes.reshape(y, (-1,)))), behind)


# --------------------------------------------------------------------------- decompositions


@_matrix_function
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return _own("cholesky")(_matrices(a, True), upper=upper)


@_matrix_function
def qr(a: Any, mode: str = "reduced") -> Any:
    """Return Q and R, by the mode "r" R alone.

    Raises:
        NotImplementedError: The mode is "raw", of which there is no gradient.
    """
    mode = {"full": "reduced", "f": "reduced", "economic": "raw", "e": "raw"}.get(mode, mode)
    if mode not in ("reduced", "complete", "r", "raw"):
        raise ValueError(f"Unrecognized mode {mode!r}")
    if mode == "raw":
        raise NotImplementedError("qr: the mode 'raw' has no gradient; use 'reduced'")
    found = _own("qr")(_matrices(a), "reduced" if mode == "r" else mode)
    return found[1] if mode == "r" else QRResult(found[0], found[1])


def _is_real(values: Any) -> bool:
    return bool((np.asarray(on_host(values.detach())).imag == 0).all())


@_matrix_function
@by_example
def eig(a: Any) -> Any:
    """Return eigenvalues and eigenvectors, real ones where all are, of a real matrix."""
    t = _matrices(a, True)
    values, vectors = _own("eig")(t)
    if t._array.dtype.kind != "c" and _is_real(values):
        values, vectors = op("real")(values), op("real")(vectors)
    return EigResult(values, vectors)


@_matrix_function
@by_example
def eigvals(a: Any) -> Any:
    t = _matrices(a, True)
    values = _own("eigvals")(t)
    if t._array.dtype.kind != "c" and _is_real(values):
        return op("real")(values)
    return values


@_matrix_function
def eigh(a: Any, UPLO: str = "L") -> Any:
    return EighResult(*_own("eigh")(*_hermitian(a, UPLO)))


@_matrix_function
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return _own("eigvalsh")(*_hermitian(a, UPLO))


def _hermitian(a: Any, UPLO: str) -> tuple[Any, str]:
    """Return matrices of which one triangle is read, so that the gradient is that triangle's."""
    part = UPLO.upper()
    if part not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    t = _matrices(a, True)
    if not (t.requires_grad or _is_dual(t)):
        return t, part
    strictly = _tril(t, -1) if part == "L" else _triu(t, 1)
    middle = _diag_embed(_real(_parts.diagonal(t, 0, -2, -1)))
    return strictly + strictly.mH + middle, part


@_matrix_function
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    t = _matrices(a)
    if not compute_uv:
        return _own("svdvals")(t)
    found = _own("svd")(t, full_matrices)
    return SVDResult(*found)


@_matrix_function
def svdvals(x: Any, /) -> Any:
    return _own("svdvals")(_matrices(x))


# --------------------------------------------------------------------------- numbers of matrices


@_matrix_function
def det(a: Any) -> Any:
    return _own("det")(_matrices(a, True))


@_matrix_function
def slogdet(a: Any) -> Any:
    return SlogdetResult(*_own("slogdet")(_matrices(a, True)))


@_matrix_function
@by_example
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    (t,) = _floating(A)
    if t._array.ndim < 2:
        return plain(np.asarray(int(not (np.asarray(on_host(t)) == 0).all())))
    if rtol is not None and tol is not None:
        raise ValueError("`tol` and `rtol` can't be both set.")
    s = np.asarray(on_host(_own("svdvals")(t.detach())))
    if tol is None:
        part = (max(t._array.shape[-2:]) * np.finfo(s.dtype).eps if rtol is None
                else np.asarray(on_host(rtol))[..., None])  # fmt: skip
        limit = s.max(-1, keepdims=True, initial=0) * part
    else:
        limit = np.asarray(on_host(tol))[..., None]
    return sent(np.count_nonzero(s > limit, -1), t.device)


@_matrix_function
def cond(x: Any, p: Any = None) -> Any:
    t = _matrices(x)
    if 0 in t._array.shape[-2:]:
        raise LinAlgError("cond is not defined on empty arrays")
    return _own("cond")(t, p)


@_matrix_function
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return a norm of vectors or matrices; by default of all elements as one vector."""
    t = plain(x)
    t = t if t._array.dtype.kind in _dtype.INEXACT else cast(t, np.dtype(np.float64))
    ndim = t._array.ndim
    if axis is None and (ord is None or (ord in ("f", "fro") and ndim == 2) or (
            ord == 2 and ndim == 1)):  # fmt: skip
        found = _own("vector_norm")(shapes.reshape(t, (-1,)), 2)
        return shapes.reshape(found, (1,) * ndim) if keepdims else found
    axes = normal_axes(axis, ndim)
    if axis is None and ndim > 2:
        raise ValueError("Improper number of dimensions to norm.")
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"Invalid norm order '{ord}' for vectors")
        return _own("vector_norm")(t, 2 if ord is None else ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    order = "fro" if ord is None else {"f": "fro"}.get(ord, ord)
    if order not in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        raise ValueError("Invalid norm order for matrices.")
    if order == "fro":
        return _own("vector_norm")(t, 2, axes, keepdims)
    return _own("matrix_norm")(t, order, axes, keepdims)


@_matrix_function
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    t = plain(x)
    t = t if t._array.dtype.kind in _dtype.INEXACT else cast(t, np.dtype(np.float64))
    axes = normal_axes(axis, t._array.ndim)
    return _own("vector_norm")(t, ord, axes if t._array.ndim else None, keepdims)


@_matrix_function
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return norm(x, ord, (-2, -1), keepdims)


# --------------------------------------------------------------------------- products


@_matrix_function
def matrix_power(a: Any, n: int) -> Any:
    t = plain(a)
    if t._array.ndim < 2 or t._array.shape[-1] != t._array.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    if not hasattr(n, "__index__"):
        raise TypeError("exponent must be an integer")
    if t._array.dtype.kind in "biu" and n >= 0:
        return sent(np.linalg.matrix_power(np.asarray(on_host(t)), n), t.device)
    return op("matrix_power")(_floating(t)[0], n.__index__())


@_matrix_function
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    parts = promoted(*arrays)
    if len(parts) < 2:
        raise ValueError("Expecting at least two arrays.")
    for t in parts[1:-1]:
        if t._array.ndim != 2:
            raise LinAlgError(
                f"{t._array.ndim}-dimensional array given. Array must be two-dimensional"
            )
    if parts[0]._array.dtype.kind in "biu":
        found = array_of(parts[0])
        for t in parts[1:]:
            found = _UFUNCS["matmul"](found, array_of(t))
    else:
        found = _own("multi_dot")(parts)
    return written("multi_dot", out, found)


@_matrix_function
def matmul(x1: Any, x2: Any, /) -> Any:
    return _UFUNCS["matmul"](x1, x2)


@_matrix_function
def outer(x1: Any, x2: Any, /) -> Any:
    x, y = promoted(x1, x2)
    if x._array.ndim != 1 or y._array.ndim != 1:
        raise ValueError(
            "Input arrays must be one-dimensional, but they are "
            f"x1.ndim={x._array.ndim} and x2.ndim={y._array.ndim}."
        )
    return _products.outer(x, y)


@_matrix_function
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x, y = promoted(x1, x2)
    if x._array.shape[axis] != 3 or y._array.shape[axis] != 3:
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, but they are "
            f"{x._array.shape[axis]} and {y._array.shape[axis]} dimensional instead."
        )
    return _products.cross(x, y, axis=axis)


@_matrix_function
def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    return _products.tensordot(x1, x2, axes)


@_matrix_function
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x, y = promoted(x1, x2)
    x, y = (shapes.movedim(t, axis, -1) for t in (x, y))
    return _UFUNCS["vecdot"](array_of(x), array_of(y))


@_matrix_function
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return _shapes.diagonal(x, offset, -2, -1)


@_matrix_function
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return _products.trace(x, offset, -2, -1, dtype)


@_matrix_function
def matrix_transpose(x: Any, /) -> Any:
    return _shapes.matrix_transpose(x)


__all__ = sorted({*DOORS[__name__], "LinAlgError"})

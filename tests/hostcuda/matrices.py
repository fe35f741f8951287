"""Stand-ins for what CuPy does with cuSOLVER, written with NumPy and SciPy.

They replace functions of ``cupy.linalg`` and ``cupyx.scipy.linalg``, take what these take, and
raise where these do: stacks do not broadcast, and errors are raised only where
``cupyx.errstate(linalg="raise")`` asks for it.
"""

from __future__ import annotations

import ctypes
import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .libraries import refuse_capture

_TYPES = "fdFD"


def replace_functions(cupy: Any) -> None:
    """Put the stand-ins in their places."""
    for name in ("cholesky", "qr", "svd", "eigh", "eigvalsh", "eig", "eigvals", "solve"):
        setattr(cupy.linalg, name, _on_host(cupy, globals()[f"_{name}"]))
    import cupyx.scipy.linalg as scipys

    scipys.lu_factor = _on_host(cupy, _lu_factor)
    scipys.solve_triangular = _on_host(cupy, _solve_triangular)


def _host(array: Any) -> Any:
    """Return the memory of a CuPy array as NumPy's."""
    if not array.size:
        return np.empty(array.shape, array.dtype)
    low = sum(min(0, (n - 1) * s) for n, s in zip(array.shape, array.strides, strict=True))
    high = sum(max(0, (n - 1) * s) for n, s in zip(array.shape, array.strides, strict=True))
    memory = (ctypes.c_char * (high - low + array.itemsize)).from_address(array.data.ptr + low)
    return np.ndarray(array.shape, array.dtype, memory, offset=-low, strides=array.strides)


def _on_host(cupy: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*arrays: Any, **options: Any) -> Any:
        refuse_capture("cuSOLVER")
        given = [_host(a).copy() if isinstance(a, cupy.ndarray) else a for a in arrays]
        for a in given:
            if isinstance(a, np.ndarray) and a.dtype.char not in _TYPES:
                raise TypeError(f"Unsupported dtype {a.dtype}")
        import cupyx

        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found = function(*given, **options)
            except np.linalg.LinAlgError:
                if cupyx.geterr()["linalg"] == "raise":
                    raise
                raise NotImplementedError(
                    "hostcuda: what cuSOLVER leaves after a failure"
                ) from None
        if isinstance(found, tuple):
            return tuple([_sent(cupy, f) for f in found])
        return _sent(cupy, found)

    return called


def _sent(cupy: Any, array: Any) -> Any:
    found = cupy.ndarray(array.shape, array.dtype)
    _host(found)[...] = array
    return found


def _cholesky(a: Any) -> Any:
    return np.linalg.cholesky(a)


def _qr(a: Any, mode: Any = "reduced") -> Any:
    found = np.linalg.qr(a, mode)
    return tuple(found) if isinstance(found, tuple) else found


def _svd(a: Any, full_matrices: bool = True, compute_uv: Any = True) -> Any:
    found: Any = np.linalg.svd(a, full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


def _eigh(a: Any, UPLO: Any = "L") -> Any:  # noqa: N803  CuPy's name
    return tuple(np.linalg.eigh(a, UPLO))


def _eigvalsh(a: Any, UPLO: Any = "L") -> Any:  # noqa: N803  CuPy's name
    return np.linalg.eigvalsh(a, UPLO)


def _eig(a: Any) -> Any:
    kind = np.result_type(a.dtype, np.complex64)
    return tuple([f.astype(kind) for f in np.linalg.eig(a)])


def _eigvals(a: Any) -> Any:
    return np.linalg.eigvals(a).astype(np.result_type(a.dtype, np.complex64))


def _solve(a: Any, b: Any) -> Any:
    if a.shape[:-1] != (b.shape if b.ndim == 1 else b.shape[:-1]):
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K)")
    return np.linalg.solve(a, b)


def _lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    if a.ndim != 2:
        raise np.linalg.LinAlgError(
            f"{a.ndim}-dimensional array given. Array must be 2-dimensional"
        )
    rows, columns = a.shape
    exchanged = np.empty(min(a.shape), np.int32)
    for k in range(min(rows, columns)):
        best = k + int(np.argmax(abs(a[k:, k].real) + abs(a[k:, k].imag)))
        exchanged[k] = best
        a[[k, best]] = a[[best, k]]
        if a[k, k]:
            a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return np.asfortranarray(a), exchanged


def _solve_triangular(
    a: Any,
    b: Any,
    trans: int = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = False,
) -> Any:
    if a.shape[:-2] != b.shape[: a.ndim - 2]:
        raise ValueError("incompatible batch count")
    if trans:
        raise NotImplementedError("hostcuda: equations by a transposed triangle")
    whole = np.tril(a) if lower else np.triu(a)
    n = a.shape[-1]
    if unit_diagonal:
        whole[..., range(n), range(n)] = 1
    found = np.zeros_like(b)
    for k in range(n) if lower else reversed(range(n)):
        rest = b[..., k : k + 1, :] - whole[..., k : k + 1, :] @ found
        found[..., k : k + 1, :] = rest / whole[..., k : k + 1, k : k + 1]
    return found

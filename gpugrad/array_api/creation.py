"""New arrays."""

from __future__ import annotations

from typing import Any

import gpugrad.numpy as np

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None
) -> Any:
    """Return numbers from ``start`` up to, and without, ``stop``."""
    if stop is None:
        start, stop = 0, start
    return np.arange(start, stop, step, dtype, device=device)


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """Return data as an array, which shares the memory of an array unless it is a copy."""
    return np.asarray(obj, dtype, device=device, copy=copy)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """Return an array whose values are not defined."""
    return np.empty(shape, dtype, device=device)


def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
    """Return an array as large as another, whose values are not defined."""
    return np.empty_like(x, dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Any:
    """Return a matrix with ones on its ``k``-th diagonal."""
    return np.eye(n_rows, n_cols, k, dtype, device=device)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """Return an array on the memory of another library's."""
    return np.from_dlpack(x, device=device, copy=copy)


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """Return an array of one value."""
    return np.full(shape, fill_value, dtype, device=device)


def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """Return an array of one value as large as another."""
    return np.full_like(x, fill_value, dtype, device=device)


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None,
    endpoint: bool = True,
) -> Any:  # fmt: skip
    """Return ``num`` numbers in equal steps."""
    return np.linspace(start, stop, num, endpoint, dtype=dtype, device=device)


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of a grid."""
    return list(np.meshgrid(*arrays, indexing=indexing))


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """Return ones."""
    return np.ones(shape, dtype, device=device)


def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
    """Return ones, as many as another has elements."""
    return np.ones_like(x, dtype, device=device)


def tril(x: Any, /, *, k: int = 0) -> Any:
    """Return the elements on and below the ``k``-th diagonal, and zeros above."""
    return np.tril(x, k)


def triu(x: Any, /, *, k: int = 0) -> Any:
    """Return the elements on and above the ``k``-th diagonal, and zeros below."""
    return np.triu(x, k)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """Return zeros."""
    return np.zeros(shape, dtype, device=device)


def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
    """Return zeros, as many as another has elements."""
    return np.zeros_like(x, dtype, device=device)

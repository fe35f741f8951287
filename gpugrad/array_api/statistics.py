"""Sums, extremes and what else has one value for many elements, or for those up to each."""

from __future__ import annotations

from typing import Any

import gpugrad.numpy as np

__all__ = [
    "all",
    "any",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]  # fmt: skip


def _summed(x: Any, dtype: Any) -> Any:
    """Return the type in which numbers are added up: whole ones in 64 bits."""
    if dtype is None and x.dtype.kind in "iu":
        return np.uint64 if x.dtype.kind == "u" else np.int64
    return dtype


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Return the products of the elements up to each."""
    return np.cumulative_prod(
        x, axis=axis, dtype=_summed(x, dtype), include_initial=include_initial
    )


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Return the sums of the elements up to each."""
    return np.cumulative_sum(x, axis=axis, dtype=_summed(x, dtype), include_initial=include_initial)


def max(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the greatest elements."""
    return np.max(x, axis, keepdims=keepdims)


def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the means."""
    return np.mean(x, axis, keepdims=keepdims)


def min(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the least elements."""
    return np.min(x, axis, keepdims=keepdims)


def prod(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Return the products."""
    return np.prod(x, axis, _summed(x, dtype), keepdims=keepdims)


def std(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """Return the standard deviations, which divide by the number less ``correction``."""
    return np.std(x, axis, ddof=correction, keepdims=keepdims)


def sum(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Return the sums."""
    return np.sum(x, axis, _summed(x, dtype), keepdims=keepdims)


def var(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """Return the variances, which divide by the number less ``correction``."""
    return np.var(x, axis, ddof=correction, keepdims=keepdims)


def all(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether all elements are true."""
    return np.all(x, axis, keepdims=keepdims)


def any(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether one of the elements is true."""
    return np.any(x, axis, keepdims=keepdims)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """Return the ``n``-th differences of neighbours."""
    given = {k: v for k, v in {"prepend": prepend, "append": append}.items() if v is not None}
    return np.diff(x, n, axis, **given)

"""Sparse matrices with tensors as values: products and solutions with gradients.

The places of the values are constant, and SciPy's or CuPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as _np

from gpugrad.numpy.operands import class_of as _class_of
from gpugrad.numpy.operands import own as _own
from gpugrad.numpy.operands import promoted as _promoted
from gpugrad.numpy.operands import raised as _raised
from gpugrad.numpy.ufuncs import op as _op
from gpugrad.scipy.sparse import linalg as linalg
from gpugrad.scipy.sparse.arrays import CLASSES as _CLASSES
from gpugrad.scipy.sparse.arrays import SparseArray as SparseArray
from gpugrad.scipy.sparse.arrays import coo_array as coo_array
from gpugrad.scipy.sparse.arrays import csc_array as csc_array
from gpugrad.scipy.sparse.arrays import csr_array as csr_array
from gpugrad.scipy.sparse.pattern import Pattern as _Pattern


def issparse(x: Any) -> bool:
    """Tell whether a value is one of these sparse matrices."""
    return isinstance(x, SparseArray)


def diags_array(
    diagonals: Any, *, offsets: Any = 0, shape: Any = None, format: str = "csr", dtype: Any = None
) -> Any:
    """Return a sparse matrix with diagonals, which may be tensors.

    A diagonal of one number is that number everywhere.

    Raises:
        ValueError: One has another length than the diagonal of the matrix, or there are not as many
            as ``offsets``.
    """
    if _np.ndim(offsets) == 0:
        offsets = [offsets]
        diagonals = [diagonals] if _own(diagonals).ndim == 1 else diagonals
    offsets = [int(k) for k in offsets]
    given = [_own(d) for d in diagonals]
    if len(given) != len(offsets):
        raise ValueError(f"{len(given)} diagonals are given, and {len(offsets)} offsets")
    if shape is None:
        n = len(_own(given[0]).reshape(-1)) + abs(offsets[0])
        shape = (n, n)
    parts, rows, columns = [], [], []
    for d, k in zip(given, offsets, strict=True):
        length = min(shape[0] + min(k, 0), shape[1] - max(k, 0))
        if length < 0 or d.numel() not in (1, length):
            raise ValueError(
                f"Diagonal length (index {k}: {d.numel()} at offset {k}) does not agree with array "
                f"size ({shape[0]}, {shape[1]})."
            )
        parts.append(d.reshape(-1).expand(length))
        rows.append(_np.arange(length) - min(k, 0))
        columns.append(_np.arange(length) + max(k, 0))
    kind = _class_of((diagonals,))
    data = _raised(_op("cat")(_promoted(*parts), 0), kind)
    pattern = _Pattern.at(_np.concatenate(rows), _np.concatenate(columns), shape)
    return _CLASSES[format](coo_array((data, pattern.places), shape=shape), dtype=dtype)


def eye_array(
    m: int, n: int | None = None, *, k: int = 0, dtype: Any = float, format: str = "csr"
) -> Any:
    """Return a sparse matrix with ones on a diagonal."""
    n = m if n is None else n
    return diags_array(_np.ones((1, 1)), offsets=[k], shape=(m, n), format=format, dtype=dtype)


__all__ = [
    "SparseArray", "coo_array", "csc_array", "csr_array", "diags_array", "eye_array", "issparse",
    "linalg",
]  # fmt: skip

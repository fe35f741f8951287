"""Distances of the rows of matrices, by products of matrices where these are exact enough."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

_BLOCK = 1 << 14  # numbers that are computed at once, in memory that a cache holds
# From which part of the squared sizes of two rows on the square of their distance is exact enough.
_PART = {4: 2.0**-24, 8: 0.25}


def distances_of_pairs(array: Array) -> Array:
    """Return the Euclidean distances of the rows of each matrix from those behind them.

    Their squares are |x|² - 2 x·y + |y|² of rows as they lie around their mean, in double
    precision.  Where a distance is so small beside the rows that digits were lost, or a number is
    not finite, the difference itself is squared.
    """
    batch, (rows, columns) = array.shape[:-2], array.shape[-2:]
    found = np.empty((*batch, rows * (rows - 1) // 2), array.dtype)
    if found.size:
        flat, part = found.reshape(-1, found.shape[-1]), _PART[array.itemsize]
        for out, matrix in zip(flat, array.reshape(len(flat), rows, columns), strict=True):
            _write(matrix.astype(np.float64), part, out)
    return found


def _write(matrix: Array, part: float, out: Array) -> None:
    """Write the distances of a matrix, of some rows after the other."""
    rows = len(matrix)
    centred = matrix - matrix.mean(0)
    sizes = np.vecdot(centred, centred)
    exact = bool(np.isfinite(sizes).all())
    step, done = max(1, _BLOCK // rows), 0
    for start in range(0, rows, step):
        own, behind = slice(start, start + step), slice(start, None)
        squares = centred[own] @ centred[behind].T
        squares *= -2
        beside = sizes[own, None] + sizes[behind]
        squares += beside
        later = ~np.tri(*squares.shape, dtype=np.bool_)
        chosen = squares[later]
        if not exact or not chosen.min(initial=np.inf) >= part * beside.max():
            near = later & (squares < part * beside) if exact else later
            _mend(squares, matrix, start, near)
            chosen = squares[later]
        np.sqrt(chosen, out=out[done : done + len(chosen)], casting="same_kind")
        done += len(chosen)


def _mend(squares: Array, matrix: Array, start: int, near: Array) -> None:
    """Write the squares of distances by differences, where that is asked for."""
    first, second = np.nonzero(near)
    step = max(1, _BLOCK // max(matrix.shape[1], 1))
    for k in range(0, len(first), step):
        i, j = first[k : k + step], second[k : k + step]
        difference = matrix[start + i] - matrix[start + j]
        squares[i, j] = np.vecdot(difference, difference)

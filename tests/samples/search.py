"""Samples of searching."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, whole
from samples.family import NOT, case
from samples.sample import Sample


def _searched(bounds: Any, values: Any, right: bool = False) -> Any:
    side: Any = "right" if right else "left"
    if bounds.ndim == 1:
        return np.searchsorted(bounds, values, side)
    rows = zip(
        bounds.reshape(-1, bounds.shape[-1]), values.reshape(-1, values.shape[-1]), strict=True
    )
    return np.reshape([np.searchsorted(b, v, side) for b, v in rows], values.shape)


def up(bounds: Any) -> Any:
    """Return bounds in their order, which other examples of a batch have lost."""
    return np.sort(bounds, -1) if isinstance(bounds, np.ndarray) else bounds.sort(-1)[0]


BOUNDS = np.sort(whole(-5, 6)((8,), 0)) / 4
ROWS = np.sort(ANY((3, 4), 0), -1)
MANY = np.sort(ANY((12, 5), 0), -1)  # which take each step together
VALUES = whole(-5, 6)((3, 5), 1) / 4
FEW = whole(0, 3)((4, 3), 2)
REPEATED = np.array([[1, 1, 2], [1, 1, 2], [0, 5, 5], [1, 1, 2]])

REFERENCE: dict[str, Any] = {
    "searchsorted": _searched,
    "bucketize": lambda x, bounds, right=False: _searched(bounds, x, right),
    "isin": lambda x, y, invert=False: np.isin(x, y, invert=invert),
    "unique": lambda x, return_inverse=False, return_counts=False, dim=None: np.unique(
        x, False, return_inverse, return_counts, dim
    ),
    "argwhere": np.argwhere,
}

SAMPLES: dict[str, list[Sample]] = {
    "searchsorted": [
        case("ordinary", lambda lib, b, x: lib.searchsorted(up(b), x), BOUNDS, VALUES, **NOT),
        case("right", lambda lib, b, x: lib.searchsorted(up(b), x, right=True), BOUNDS, VALUES,
             **NOT),
        case("rows", lambda lib, b, x: lib.searchsorted(up(b), x), ROWS, VALUES, **NOT),
        case("many rows", lambda lib, b, x: lib.searchsorted(up(b), x, right=True), MANY,
             ANY((12, 7), 1), **NOT),
        case("nan", lambda lib, b, x: lib.searchsorted(up(b), x), MANY,
             np.where(np.arange(24).reshape(12, 2) % 5, 0.2, np.nan), **NOT),
        case("many", lambda lib, b, x: lib.searchsorted(up(b), x, side="right"),
             np.sort(ANY((600,), 0)), ANY((2, 300), 1),
             reference=lambda b, x: _searched(b, x, True), **NOT),
        case("sorter", lambda lib, b, x: lib.searchsorted(b, x, sorter=b.argsort(-1)), -ROWS,
             VALUES, reference=lambda b, x: _searched(np.sort(b, -1), x), **NOT),
        case("0-d", lambda lib, b, x: lib.searchsorted(up(b), x), BOUNDS, np.asarray(0.1),
             **NOT),
        case("of integers", lambda lib, b, x: lib.searchsorted(up(b), x, out_int32=True),
             np.array([0, 1, 1]), VALUES,
             reference=lambda b, x: _searched(b, x).astype(np.int32), **NOT),
    ],
    "bucketize": [
        case("ordinary", lambda lib, x, b: lib.bucketize(x, up(b)), VALUES, BOUNDS, **NOT),
        case("right", lambda lib, x, b: lib.bucketize(x, up(b), right=True), VALUES, BOUNDS,
             **NOT),
    ],
    "isin": [
        case("ordinary", lambda lib, x, y: lib.isin(x, y), FEW, np.array([2, 0, 2]), **NOT),
        case("inverted", lambda lib, x, y: lib.isin(x, y, invert=True), VALUES, BOUNDS, **NOT),
        case("none", lambda lib, x, y: lib.isin(x, y), FEW, np.zeros(0, np.int64), **NOT),
        case("number", lambda lib, x: lib.isin(x, 1), FEW, **NOT),
    ],
    "unique": [
        case("ordinary", lambda lib, x: lib.unique(x), FEW, **NOT),
        case("all", lambda lib, x: lib.unique(x, return_inverse=True, return_counts=True), FEW,
             **NOT),
        case("counts", lambda lib, x: lib.unique(x, return_counts=True), REPEATED[::2], **NOT),
        case("rows", lambda lib, x: lib.unique(x, return_inverse=True, dim=0), REPEATED, **NOT),
        case("columns", lambda lib, x: lib.unique(x, return_counts=True, dim=1), -REPEATED,
             **NOT),
        case("bytes", lambda lib, x: lib.unique(x, dim=0), REPEATED.astype(np.uint8), **NOT),
        case("0-d", lambda lib, x: lib.unique(x), np.asarray(2), **NOT),
        case("zero-size", lambda lib, x: lib.unique(x, return_inverse=True), FEW[:0], **NOT),
    ],
    "unique_consecutive": [
        case("ordinary", lambda lib, x: lib.unique_consecutive(x), np.array([1, 1, 0, 1, 1]),
             reference=lambda x: np.array([1, 0, 1]), **NOT),
        case("all", lambda lib, x: lib.unique_consecutive(x, True, True), np.array([2, 2, 0, 2]),
             reference=lambda x: tuple(map(np.array, ([2, 0, 2], [0, 0, 1, 2], [2, 1, 1]))), **NOT),
        case("rows", lambda lib, x: x.unique_consecutive(return_inverse=True, dim=0), REPEATED,
             reference=lambda x: (x[1:], np.array([0, 0, 1, 2])), **NOT),
    ],
    "argwhere": [
        case("ordinary", lambda lib, x: lib.argwhere(x), FEW, **NOT),
        case("0-d", lambda lib, x: lib.argwhere(x), np.asarray(2.0),
             reference=lambda x: np.zeros((1, 0), np.int64), **NOT),
    ],
    "nonzero_static": [
        case("more", lambda lib, x: lib.nonzero_static(x, size=9), np.array([[0, 1], [2, 0]]),
             reference=lambda x: np.concatenate([np.argwhere(x), np.full((7, 2), -1)]), **NOT),
        case("fewer", lambda lib, x: lib.nonzero_static(x, size=1, fill_value=3),
             np.array([[0, 1], [2, 0]]), reference=lambda x: np.argwhere(x)[:1], **NOT),
    ],
}  # fmt: skip

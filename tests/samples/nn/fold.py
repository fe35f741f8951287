"""Samples of windows of images as columns, and of the sums of these."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _places(sizes: Any, k: Any, d: Any, p: int, s: Any) -> Any:
    """Return of each element of a window the rows and columns in which it is, of all windows."""
    high, wide = ((n + 2 * p - d * (m - 1) - 1) // s + 1 for n, m in zip(sizes, k, strict=True))
    for i, j in np.ndindex(*k):
        rows = [(a * s + i * d, b * s + j * d) for a in range(high) for b in range(wide)]
        yield i * k[1] + j, tuple(np.array(rows).T)


def _unfolded(x: Any, k: Any, d: int = 1, p: int = 0, s: int = 1) -> Any:
    padded = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    found = [padded[(..., *where)] for _, where in _places(x.shape[2:], k, d, p, s)]
    return np.stack(found, 2).reshape(len(x), -1, found[0].shape[-1])


def _folded(x: Any, sizes: Any, k: Any, d: int = 1, p: int = 0, s: int = 1) -> Any:
    split = x.reshape(len(x), -1, k[0] * k[1], x.shape[-1])
    out = np.zeros((*split.shape[:2], sizes[0] + 2 * p, sizes[1] + 2 * p), x.dtype)
    for element, where in _places(sizes, k, d, p, s):
        out[(..., *where)] += split[:, :, element]
    return out[:, :, p : p + sizes[0], p : p + sizes[1]]


X = ANY((2, 2, 4, 3), 0)

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.unfold": [
        case("plain", lambda lib, x: lib.nn.functional.unfold(x, (3, 2)), X,
             reference=lambda x: _unfolded(x, (3, 2))),
        case("all", lambda lib, x: lib.nn.functional.unfold(x, 2, 2, 1, 2), X,
             reference=lambda x: _unfolded(x, (2, 2), 2, 1, 2)),
        case("an example", lambda lib, x: lib.nn.functional.unfold(x, 2), ANY((2, 4, 3), 0),
             reference=lambda x: _unfolded(x[None], (2, 2))[0]),
        case("complex", lambda lib, x: lib.nn.functional.unfold(x, 2), PLANE((1, 1, 3, 3), 0),
             reference=lambda x: _unfolded(x, (2, 2))),
        case("transposed", lambda lib, x: lib.nn.functional.unfold(x, 2, padding=1), X,
             layout="transposed", reference=lambda x: _unfolded(x, (2, 2), 1, 1)),
    ],
    "nn.functional.fold": [
        case("plain", lambda lib, x: lib.nn.functional.fold(x, (4, 3), (3, 2)), ANY((2, 6, 4), 0),
             reference=lambda x: _folded(x, (4, 3), (3, 2))),
        case("all", lambda lib, x: lib.nn.functional.fold(x, (4, 3), 2, 2, 1, 2), ANY((2, 8, 4), 0),
             reference=lambda x: _folded(x, (4, 3), (2, 2), 2, 1, 2)),
        case("an example", lambda lib, x: lib.nn.functional.fold(x, 3, 2), ANY((8, 4), 0),
             reference=lambda x: _folded(x[None], (3, 3), (2, 2))[0]),
    ],
}  # fmt: skip

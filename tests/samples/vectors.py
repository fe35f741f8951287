"""Samples of products of vectors along a dimension, and of powers of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "linalg.cross": [
        case("rows", lambda lib, x, y: lib.linalg.cross(x, y), ANY((2, 3), 0), ANY((2, 3), 1),
             reference=np.cross),
        case("broadcast", lambda lib, x, y: lib.linalg.cross(x, y, dim=0), ANY((3, 2), 0),
             ANY((3, 1), 1), reference=lambda x, y: np.cross(x, y, axis=0)),
        case("complex", lambda lib, x, y: lib.linalg.cross(x, y), PLANE((2, 3), 0),
             PLANE((2, 3), 1), reference=np.cross),
    ],
    "cross": [
        case("dim", lambda lib, x, y: lib.cross(x, y, 0), ANY((3, 2), 0), ANY((3, 2), 1),
             reference=lambda x, y: np.cross(x, y, axis=0)),
    ],
    "linalg.vecdot": [
        case("complex", lambda lib, x, y: lib.linalg.vecdot(x, y, dim=0), PLANE((3, 2), 0),
             PLANE((3, 1), 1), reference=lambda x, y: (x.conj() * y).sum(0)),
    ],
    "linalg.diagonal": [
        case("offset", lambda lib, x: lib.linalg.diagonal(x, offset=1), ANY((2, 3, 4), 1),
             reference=lambda x: np.diagonal(x, 1, -2, -1)),
    ],
    "linalg.vander": [
        case("square", lambda lib, x: lib.linalg.vander(x), ANY((2, 3), 1),
             reference=lambda x: x[..., None] ** np.arange(3)),
        case("many", lambda lib, x: lib.linalg.vander(x, N=11), ANY((2,), 1) * 0.5,
             reference=lambda x: x[..., None] ** np.arange(11)),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

"""Samples of distances and angles between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Array = Any


def cosine(x: Array, y: Array, axis: int = 1) -> Array:
    first, second = (np.sqrt((v * v).sum(axis)) for v in (x, y))
    return (x * y).sum(axis) / (first * second)


def distance(x: Array, y: Array, p: float = 2, eps: float = 1e-6) -> Array:
    return (np.abs(x - y + eps) ** p).sum(-1) ** (1 / p)


def _normalized(x: Array, p: float = 2, axis: Any = 1) -> Array:
    return x / (np.abs(x) ** p).sum(axis, keepdims=True) ** (1 / p)


SAMPLES: dict[str, list[Sample]] = {
    "cosine_similarity": [
        case("rows", lambda lib, x, y: lib.cosine_similarity(x, y), ANY((3, 4), 0), ANY((3, 4), 1),
             reference=cosine),
        case("transposed", lambda lib, x, y: lib.cosine_similarity(x, y, dim=-1), ANY((3, 4), 0),
             ANY((3, 4), 1), reference=cosine, layout="transposed"),
        case("broadcast", lambda lib, x, y: lib.cosine_similarity(x, y, dim=0), ANY((3, 1), 0),
             ANY((4,), 1), reference=lambda x, y: cosine(x + 0 * y, y + 0 * x, 0)),
    ],
    "pairwise_distance": [
        case("rows", lambda lib, x, y: lib.pairwise_distance(x, y), ANY((3, 4), 0),
             ANY((3, 4), 1), reference=distance),
        case("order 3", lambda lib, x, y: lib.pairwise_distance(x, y, p=3, eps=0.1, keepdim=True),
             ANY((3, 4), 0), ANY((4,), 1),
             reference=lambda x, y: distance(x, y, 3, 0.1)[:, None]),
        case("order 1", lambda lib, x, y: lib.pairwise_distance(x, y, 1), ANY((4,), 0),
             ANY((4,), 1), reference=lambda x, y: distance(x, y, 1)),
    ],
    "nn.functional.normalize": [
        case("rows", lambda lib, x: lib.nn.functional.normalize(x), ANY((3, 4), 0),
             reference=_normalized),
        case("order 3", lambda lib, x: lib.nn.functional.normalize(x, p=3.0, dim=0),
             ANY((3, 4), 0), reference=lambda x: _normalized(x, 3, 0)),
        case("dims", lambda lib, x: lib.nn.functional.normalize(x, dim=(0, 2)), ANY((2, 3, 4), 0),
             reference=lambda x: _normalized(x, 2, (0, 2))),
        case("short", lambda lib, x: lib.nn.functional.normalize(x, eps=100.0), ANY((3, 4), 0),
             reference=lambda x: x / 100),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

"""Samples of losses that draw pairs together or push them apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, POSITIVE, lattice
from samples.family import case, single
from samples.nn.distance import cosine, distance
from samples.nn.loss import REDUCED, calls, signs
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Array = Any


def _hinge(x: Array, y: Array, margin: float = 1.0) -> Array:
    return np.where(y == 1, x, np.maximum(margin - x, 0))


def _ranking(x: Array, y: Array, t: Array, margin: float = 0.0) -> Array:
    return np.maximum(-t * (x - y) + margin, 0)


def _angular(x: Array, y: Array, t: Array, margin: float = 0.0) -> Array:
    angle = cosine(x, y)
    return np.where(t == 1, 1 - angle, np.maximum(angle - margin, 0))


def _triplet(a: Array, p: Array, n: Array, swap: bool = False, margin: float = 1.0) -> Array:
    far = distance(a, n)
    if swap:
        far = np.minimum(far, distance(p, n))
    return np.maximum(distance(a, p) - far + margin, 0)


_LEFT, _RIGHT = lattice(0.05), lattice(0.01)
_ROWS = ((3, 4), (3, 4), (3,))
_THREE = (ANY, ANY, ANY)

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.hinge_embedding_loss": [
        *calls("hinge_embedding_loss", (_LEFT, signs), _hinge),
        *calls("hinge_embedding_loss", (_LEFT, signs), lambda x, y: _hinge(x, y, 0.5), "margin",
               margin=0.5),
    ],
    "hinge_embedding_loss": [
        case("sum", lambda lib, x, y: lib.hinge_embedding_loss(x, y, 1.0, 2), _LEFT((3, 4), 0),
             signs((3, 4), 1), reference=lambda x, y: _hinge(x, y).sum()),
    ],
    "nn.functional.margin_ranking_loss": [
        *calls("margin_ranking_loss", (_LEFT, _RIGHT, signs), _ranking),
        *calls("margin_ranking_loss", (_LEFT, _RIGHT, signs),
               lambda x, y, t: _ranking(x, y, t, 0.53), "margin", margin=0.53),
    ],
    "margin_ranking_loss": [
        case("mean", lambda lib, x, y, t: lib.margin_ranking_loss(x, y, t, 0.0, 1),
             _LEFT((3, 4), 0), _RIGHT((3, 4), 1), signs((3, 4), 2),
             reference=lambda x, y, t: _ranking(x, y, t).mean()),
    ],
    "nn.functional.cosine_embedding_loss": [
        *calls("cosine_embedding_loss", (ANY, ANY, signs), _angular, "", _ROWS),
        *calls("cosine_embedding_loss", (ANY, ANY, signs),
               lambda x, y, t: _angular(x, y, t, -0.5), "margin", _ROWS, margin=-0.5),
        *calls("cosine_embedding_loss", (POSITIVE, POSITIVE, signs),
               lambda x, y, t: _angular(x[None], y[None], t)[0], "one", ((4,), (4,), ())),
    ],
    "cosine_embedding_loss": [
        case("sum", lambda lib, x, y, t: lib.cosine_embedding_loss(x, y, t, reduction=2),
             ANY((3, 4), 0), ANY((3, 4), 1), signs((3,), 2),
             reference=lambda x, y, t: _angular(x, y, t).sum()),
    ],
    "nn.functional.triplet_margin_loss": [
        *calls("triplet_margin_loss", _THREE, _triplet),
        *calls("triplet_margin_loss", _THREE, lambda a, p, n: _triplet(a, p, n, True), "swap",
               swap=True),
    ],
    "triplet_margin_loss": [
        case("sum", lambda lib, *x: lib.triplet_margin_loss(*x, reduction=2), ANY((3, 4), 0),
             ANY((3, 4), 1), ANY((3, 4), 2), reference=lambda *x: _triplet(*x).sum()),
    ],
    "nn.functional.triplet_margin_with_distance_loss": [
        *calls("triplet_margin_with_distance_loss", _THREE, _triplet),
        *(case(f"of its own {r}", lambda lib, *x, r=r:
               lib.nn.functional.triplet_margin_with_distance_loss(
                   *x, distance_function=lambda p, q: ((p - q) ** 2).sum(-1), margin=2.0,
                   swap=True, reduction=r), ANY((3, 4), 0), ANY((3, 4), 1), ANY((3, 4), 2),
               reference=lambda a, p, n, r=r: REDUCED[r](np.maximum(
                   ((a - p) ** 2).sum(-1) - np.minimum(((a - n) ** 2).sum(-1),
                                                       ((p - n) ** 2).sum(-1)) + 2, 0)))
          for r in REDUCED),
    ],
}  # fmt: skip
# composed of operations, of which each rounds: PyTorch's in half precision, too
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

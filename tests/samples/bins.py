"""Samples of histograms and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, POSITIVE
from samples.family import INDICES, NOT, case, single
from samples.sample import Sample

_X, _POINTS, _WEIGHTS = ANY((20,), 0), ANY((20, 2), 1), POSITIVE((20,), 2)
_EDGES, _OTHERS = np.array([-2.0, -0.5, 0.25, 1.5]), np.array([-1.0, 0.0, 1.0])


def _dd(x: Any, bins: Any, **options: Any) -> Any:
    counts, edges = np.histogramdd(x, bins, **options)
    return (counts, *edges)


def _counts(*args: Any, **options: Any) -> Any:
    counts, edges = np.histogram(*args, **options)
    return counts.astype(np.float64), edges


REFERENCE: dict[str, Any] = {"bincount": np.bincount}

SAMPLES: dict[str, list[Sample]] = {
    "bincount": [
        case("ordinary", lambda lib, x: lib.bincount(x), INDICES, **NOT),
        case("minlength", lambda lib, x: lib.bincount(x, minlength=5), INDICES,
             reference=lambda x: np.bincount(x, minlength=5), **NOT),
        case("weights", lambda lib, x, w: lib.bincount(x, w.detach().double()), INDICES,
             POSITIVE((3,), 0), reference=np.bincount, half=False, coarse=True, **NOT),
    ],
    "histc": single([
        case("ordinary", lambda lib, x: lib.histc(x.detach(), 5), _X,
             reference=lambda x: _counts(x, 5)[0], **NOT),
        case("range", lambda lib, x: lib.histc(x.detach(), 4, -1, 1.5), _X,
             reference=lambda x: _counts(x, 4, (-1, 1.5))[0], **NOT),
    ]),
    "histogram": single([
        case("ordinary", lambda lib, x: lib.histogram(x.detach(), 5), _X,
             reference=lambda x: _counts(x, 5), **NOT),
        case("edges", lambda lib, x, y: lib.histogram(x.detach(), y.detach()), _X, _EDGES,
             reference=_counts, **NOT),
        case("density", lambda lib, x, w: lib.histogram(
            x.detach(), 4, range=(-1.0, 2.0), weight=w.detach(), density=True), _X, _WEIGHTS,
            reference=lambda x, w: _counts(x, 4, (-1.0, 2.0), True, w), **NOT),
    ]),
    "histogramdd": single([
        case("ordinary", lambda lib, x: lib.histogramdd(x.detach(), [3, 4]), _POINTS,
             reference=lambda x: _dd(x, [3, 4]), **NOT),
        case("edges", lambda lib, x, y, z: lib.histogramdd(x.detach(), [y.detach(), z.detach()]),
             _POINTS, _EDGES, _OTHERS, reference=lambda x, y, z: _dd(x, [y, z]), **NOT),
        case("weights", lambda lib, x, w: lib.histogramdd(x.detach(), [3, 4], weight=w.detach()),
             _POINTS, _WEIGHTS, reference=lambda x, w: _dd(x, [3, 4], weights=w), **NOT),
    ]),
}  # fmt: skip

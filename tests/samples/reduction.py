"""Samples of sums, means and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE, lattice, truth, whole
from samples.family import (
    NONE,
    NOT,
    X,
    Z,
    case,
    rearranged,
    reduced,
    reduction,
)
from samples.sample import Sample

_GAPS = np.array([[1.5, np.nan, -2.0], [np.nan, 0.5, 3.0]])

REFERENCE: dict[str, Any] = {
    "sum": reduced(np.sum),
    "mean": reduced(np.mean),
    "prod": reduced(np.prod),
    "nansum": reduced(np.nansum),
    "nanmean": reduced(np.nanmean),
    "all": reduced(np.all),
    "any": reduced(np.any),
}

SAMPLES: dict[str, list[Sample]] = {
    "sum": [
        *reduction("sum", ANY, PLANE),
        case("zero-size all", lambda lib, x: lib.sum(x), NONE),
        case("dtype", lambda lib, x: lib.sum(x, dtype=lib.float64), X),
        case("dim dtype", lambda lib, x: lib.sum(x, 0, dtype=lib.float32), X, coarse=True),
        case("integers", lambda lib, x: lib.sum(x, 0), whole(-9, 9)((3, 4), 0), **NOT),
        case("bools", lambda lib, x: lib.sum(x), truth((3, 4)), **NOT),
        case("all dims", lambda lib, x: lib.sum(x, ()), X),
    ],
    "mean": [
        *reduction("mean", ANY, PLANE),
        case("dtype", lambda lib, x: lib.mean(x, dtype=lib.float64), X),
        case("dim dtype", lambda lib, x: lib.mean(x, 0, dtype=lib.float32), X, coarse=True),
    ],
    "prod": [
        *reduction("prod", AWAY, PLANE, tuples=False),
        case("zero-size all", lambda lib, x: lib.prod(x), NONE),
        case("zeros", lambda lib, x: lib.prod(x, 1),
             np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.0, 2.0, -3.0]])),
        case("of one", lambda lib, x: lib.prod(x, 1), ANY((3, 1), 0)),
        case("of five", lambda lib, x: lib.prod(x), AWAY((5,), 0)),
        case("dtype", lambda lib, x: lib.prod(x, dtype=lib.float64), X),
        case("integers", lambda lib, x: lib.prod(x, 0), whole(-4, 4)((3, 4), 0), **NOT),
    ],
    "all": reduction("all", lattice(0, 2), **NOT),
    "any": reduction("any", lattice(0, 2), **NOT),
    "nansum": [
        *reduction("nansum", ANY),
        *(case(f"nan {dim}", lambda lib, x, dim=dim: lib.nansum(x, dim), _GAPS, reference=lambda
               x, dim=dim: np.nansum(x, dim)) for dim in (None, 0, (0, 1))),
        case("dtype", lambda lib, x: lib.nansum(x, 0, dtype=lib.float64), _GAPS),
        case("integers", lambda lib, x: lib.nansum(x, 0), whole(-9, 9)((3, 4), 0), **NOT),
    ],
    "nanmean": [
        *(s for s in reduction("nanmean", ANY) if s.name != "zero-size"),
        *(case(f"nan {dim}", lambda lib, x, dim=dim: lib.nanmean(x, dim), _GAPS, reference=lambda
               x, dim=dim: np.nanmean(x, dim)) for dim in (None, 0, (0, 1))),
    ],
    "count_nonzero": [
        case(name, lambda lib, x, dim=dim: lib.count_nonzero(x, dim), lattice(0, 2)((3, 4), 0),
             reference=lambda x, dim=dim: np.count_nonzero(x, dim), **NOT)
        for name, dim in (("all", None), ("dim", 0), ("dims", (0, 1)))
    ],
    "sum_to_size": [
        *rearranged(lambda lib, x: x.sum_to_size(3, 1), (3, 4),
                    reference=lambda x: x.sum(1, keepdims=True)),
        case("leading", lambda lib, x: x.sum_to_size(1, 4), Z,
             reference=lambda x: x.sum((0, 1))[None]),
        case("bools", lambda lib, x: x.sum_to_size(4), truth((3, 4)),
             reference=lambda x: x.sum(0), **NOT),
        case("same", lambda lib, x: x.sum_to_size((3, 4)) * 2, X, reference=lambda x: x * 2),
    ],
}  # fmt: skip

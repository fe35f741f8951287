"""Samples of sums, means and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE, lattice, truth, whole
from samples.family import (
    NONE,
    NOT,
    X,
    case,
    reduced,
    reduction,
)
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "sum": reduced(np.sum),
    "mean": reduced(np.mean),
    "prod": reduced(np.prod),
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
}  # fmt: skip

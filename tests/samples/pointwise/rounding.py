"""Samples of whole numbers near a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    lattice,
    uniform,
)
from samples.family import INDICES, NOT, ODD, case, named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "ceil": np.ceil,
    "floor": np.floor,
    "trunc": np.trunc,
    "frac": lambda x: x - np.trunc(x),
    "round": lambda x, decimals=0: np.round(x, decimals),
}

SAMPLES: dict[str, list[Sample]] = {
    **{name: [
        *named(name, lattice(0.05)),
        case("integers", lambda lib, x, name=name: getattr(lib, name)(x), INDICES, **NOT),
    ] for name in ("ceil", "floor", "trunc")},
    "frac": named("frac", lattice(0.05)),
    "round": [
        *named("round", lattice(0.02)),
        case("halves", lambda lib, x: lib.round(x), np.array([0.5, 1.5, 2.5, -0.5]), **ODD),
        case("integers", lambda lib, x: lib.round(x), INDICES, **NOT),
        case("decimals", lambda lib, x: lib.round(x, decimals=1), lattice(0.02)((3, 4), 0)),
        case("tens", lambda lib, x: lib.round(x, decimals=-1), uniform(11, 14)((3, 4), 0)),
    ],
}  # fmt: skip

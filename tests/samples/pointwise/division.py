"""Samples of quotients."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE
from samples.family import X, case, named, pointwise
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "div": np.true_divide,
    "reciprocal": lambda x: 1 / x,
}

SAMPLES: dict[str, list[Sample]] = {
    "div": [
        *named("div", ANY, AWAY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x / y, X, AWAY((4,), 0)),
        case("number right", lambda lib, x: x / 3, X),
        case("number left", lambda lib, x: 2.5 / x, AWAY((3, 4), 0)),
    ],
    "reciprocal": named("reciprocal", AWAY, planes=(PLANE,)),
    "rdiv": pointwise(lambda lib, x: 3 / x, AWAY, planes=[PLANE]),
}  # fmt: skip

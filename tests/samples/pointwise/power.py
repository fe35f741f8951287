"""Samples of powers and roots."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    AWAY,
    PLANE,
    POSITIVE,
    RIGHT,
)
from samples.family import ROW, X, case, named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "pow": np.power,
    "square": np.square,
    "float_power": np.power,
}

SAMPLES: dict[str, list[Sample]] = {
    "sqrt": named("sqrt", POSITIVE, planes=(RIGHT,)),
    "rsqrt": named("rsqrt", POSITIVE, planes=(RIGHT,)),
    "pow": [
        *named("pow", POSITIVE, ANY, planes=(RIGHT, PLANE)),
        case("operator", lambda lib, x, y: x**y, POSITIVE((3, 4), 0), ROW),
        *(case(f"number {p}", lambda lib, x, p=p: x**p, POSITIVE((3, 4), 0))
          for p in (0, 1, 2, 3, 4, 0.5, -0.5, -1, -2, 2.5, -1.5)),
        case("even power of negatives", lambda lib, x: lib.pow(x, 4), ANY((3, 4), 0)),
        case("number left", lambda lib, x: 2.5**x, X),
        case("number left function", lambda lib, x: lib.pow(2, x), X),
        case("complex number", lambda lib, x: x**3, PLANE((3,), 0)),
        case("complex root", lambda lib, x: x**0.5, RIGHT((3,), 0)),
        case("itself", lambda lib, x: x**x, POSITIVE((3,), 0)),
    ],
    "square": named("square", ANY, planes=(PLANE,)),
    "float_power": [
        *named("float_power", POSITIVE, ANY, planes=(RIGHT, PLANE)),
        case("number", lambda lib, x: lib.float_power(x, -2), AWAY((3,), 0)),
        case("number first", lambda lib, x: lib.float_power(2, x), X),
    ],
}  # fmt: skip

"""Samples of floating point numbers as they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    AWAY,
    PLANE,
    whole,
)
from samples.family import ODD, STRANGE, X, case, named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "ldexp": lambda x, y: x * np.exp2(y),
    "frexp": np.frexp,
    "nextafter": np.nextafter,
}

SAMPLES: dict[str, list[Sample]] = {
    "ldexp": [
        *named("ldexp", ANY, ANY),
        case("complex", lambda lib, x, y: lib.ldexp(x, y), PLANE((3,), 0), PLANE((3,), 1)),
        case("integers", lambda lib, x, y: lib.ldexp(x, y), X, whole(0, 3)((4,), 0)),
    ],
    "frexp": [
        case("matrix", lambda lib, x: tuple(lib.frexp(x)), AWAY((3, 4), 0)),
        case("transposed", lambda lib, x: lib.frexp(x)[0], AWAY((3, 4), 0), layout="transposed"),
        case("strange", lambda lib, x: tuple(lib.frexp(x)), STRANGE, **ODD),
    ],
    "nextafter": [
        case("matrix", lambda lib, x, y: lib.nextafter(x, y), AWAY((3, 4), 0), AWAY((4,), 1)),
    ],
}  # fmt: skip

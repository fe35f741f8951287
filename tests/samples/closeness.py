"""Samples of comparisons of whole tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import PLANE, whole
from samples.family import (
    NOT,
    STRANGE,
    case,
    named,
)
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "isclose": np.isclose,
}

SAMPLES: dict[str, list[Sample]] = {
    "isclose": [
        *named("isclose", whole(-1, 2), whole(-1, 2), **NOT),
        case("strange", lambda lib, x: lib.isclose(x, 0 * x, equal_nan=True), STRANGE,
             **NOT),
        case("tolerances", lambda lib, x, y: lib.isclose(x, y, rtol=0.25, atol=0.5),
             whole(-4, 5)((3, 4), 0), whole(-4, 5)((4,), 1), **NOT),
        case("complex", lambda lib, x, y: lib.isclose(x, y, rtol=0.5),
             PLANE((3, 4), 0), PLANE((3, 4), 1), **NOT),
    ],
}  # fmt: skip

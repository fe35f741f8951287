"""Samples of cumulative sums and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.family import (
    INDICES,
    NONE,
    NOT,
    NUMBER,
    Z,
    case,
    rearranged,
)
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "cumsum": np.cumsum,
}

SAMPLES: dict[str, list[Sample]] = {
    "cumsum": [
        *rearranged(lambda lib, x: lib.cumsum(x, 1), (3, 4)),
        case("first dim", lambda lib, x: x.cumsum(0), Z),
        case("negative dim", lambda lib, x: x.cumsum(-2), Z),
        case("integers", lambda lib, x: lib.cumsum(x, 0), INDICES, **NOT),
        case("0-d", lambda lib, x: lib.cumsum(x, 0) * 2, NUMBER, reference=lambda x: x * 2),
        case("zero-size", lambda lib, x: x.cumsum(0), NONE),
    ],
}  # fmt: skip

"""Samples of combinations of three operands."""

from __future__ import annotations

from typing import Any

from samples.draw import (
    ANY,
    AWAY,
    PLANE,
)
from samples.family import INDICES, NOT, ROW, X, case, named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "lerp": lambda x, y, w: x + w * (y - x),
    "addcmul": lambda x, y, z, value=1: x + value * y * z,
    "addcdiv": lambda x, y, z, value=1: x + value * y / z,
}

SAMPLES: dict[str, list[Sample]] = {
    "lerp": [
        *named("lerp", ANY, ANY, ANY),
        case("number", lambda lib, x, y: lib.lerp(x, y, 0.7), X, ROW),
        case("small number", lambda lib, x, y: lib.lerp(x, y, 0.2), X, ROW),
        case("complex", lambda lib, x, y, w: lib.lerp(x, y, w),
             PLANE((3,), 0), PLANE((3,), 1), PLANE((3,), 2)),
    ],
    "addcmul": [
        *named("addcmul", ANY, ANY, ANY),
        case("value", lambda lib, x, y, z: lib.addcmul(x, y, z, value=3), X, ROW, X),
        case("complex", lambda lib, x, y, z: lib.addcmul(x, y, z, value=2.5),
             PLANE((3,), 0), PLANE((3,), 1), ANY((3,), 2)),
        case("integers", lambda lib, x, y, z: lib.addcmul(x, y, z, value=3), INDICES, INDICES,
             INDICES, **NOT),
    ],
    "addcdiv": [
        *named("addcdiv", ANY, ANY, AWAY),
        case("value", lambda lib, x, y, z: lib.addcdiv(x, y, z, value=3), X, ROW, AWAY((3, 4), 0)),
        case("complex", lambda lib, x, y, z: lib.addcdiv(x, y, z, value=2.5),
             PLANE((3,), 0), PLANE((3,), 1), PLANE((3,), 2)),
    ],
}  # fmt: skip

"""Samples of signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    AWAY,
    PLANE,
    lattice,
    whole,
)
from samples.family import INDICES, NOT, case, named, pointwise, still
from samples.sample import Sample


def _sign(x: Any) -> Any:
    return x / np.abs(x) if x.dtype.kind == "c" else np.sign(x)


REFERENCE: dict[str, Any] = {
    "abs": np.abs,
    "sgn": _sign,
    "sign": np.sign,
    "copysign": np.copysign,
    "signbit": np.signbit,
    "heaviside": np.heaviside,
}

SAMPLES: dict[str, list[Sample]] = {
    "abs": [
        *named("abs", lattice(0.05), planes=(PLANE,)),
        case("builtin", lambda lib, x: abs(x), lattice(0.05)((3,), 0)),
    ],
    "sgn": named("sgn", lattice(0.05), planes=(PLANE,)),
    "sign": named("sign", lattice(0.05)),
    "copysign": [
        *named("copysign", AWAY, AWAY),
        case("number", lambda lib, x: lib.copysign(x, -0.0), AWAY((3,), 0)),
    ],
    "signbit": [
        *named("signbit", lattice(0.05), **NOT),
        case("zeros", lambda lib, x: lib.signbit(x), np.array([0.0, -0.0]), **NOT),
        case("integers", lambda lib, x: lib.signbit(x), whole(-2, 2)((3, 4), 0), **NOT),
    ],
    "heaviside": [
        *pointwise(still(lambda lib, x, y: lib.heaviside(x, y)), lattice(0, 2), ANY, **NOT),
        case("integers", lambda lib, x, y: lib.heaviside(x, y), whole(-2, 2)((3, 4), 0),
             INDICES[:1], reference=lambda x, y: np.heaviside(x, y).astype(int), **NOT),
    ],
}  # fmt: skip

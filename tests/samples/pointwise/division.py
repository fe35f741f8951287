"""Samples of quotients."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    AWAY,
    PLANE,
    lattice,
    signed,
    whole,
)
from samples.family import NOT, X, case, named, pointwise, still
from samples.sample import Sample

DIVISORS = signed(2.3, 2.4)  # of which no multiple is near the dividends
PARTS = np.array([3, -2, 5, -4])


def _div(x: Any, y: Any, rounding_mode: str | None = None) -> Any:
    exact = np.true_divide(x, y)
    if rounding_mode is None:
        return exact
    found = np.floor(exact) if rounding_mode == "floor" else np.trunc(exact)
    return found.astype(np.result_type(x, y))


REFERENCE: dict[str, Any] = {
    "div": _div,
    "reciprocal": lambda x: 1 / x,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "fmod": np.fmod,
}

SAMPLES: dict[str, list[Sample]] = {
    "div": [
        *named("div", ANY, AWAY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x / y, X, AWAY((4,), 0)),
        case("number right", lambda lib, x: x / 3, X),
        case("number left", lambda lib, x: 2.5 / x, AWAY((3, 4), 0)),
        *(case(f"{mode} {kind}", lambda lib, x, y, mode=mode: lib.div(x, y, rounding_mode=mode),
               x, y, differentiable=kind == "floats")
          for mode in ("floor", "trunc") for kind, x, y in (
              ("floats", lattice(0.05)((3, 4), 0), DIVISORS((4,), 1)),
              ("integers", whole(-9, 9)((3, 4), 0), PARTS))),
    ],
    "reciprocal": named("reciprocal", AWAY, planes=(PLANE,)),
    "rdiv": pointwise(lambda lib, x: 3 / x, AWAY, planes=[PLANE]),
    "floor_divide": [
        *pointwise(still(lambda lib, x, y: lib.floor_divide(x, y)), lattice(0.05), DIVISORS, **NOT),
        case("operator", lambda lib, x, y: x // y, whole(-9, 9)((3, 4), 0), PARTS, **NOT),
        case("number left", lambda lib, x: 7 // x, PARTS, **NOT),
    ],
    "remainder": [
        *named("remainder", lattice(0.05), DIVISORS),
        case("operator", lambda lib, x, y: x % y, whole(-9, 9)((3, 4), 0), PARTS, **NOT),
        case("number right", lambda lib, x: x % 0.7, lattice(0.05)((3, 4), 0)),
        case("number left", lambda lib, x: 7 % x, PARTS, **NOT),
    ],
    "fmod": [
        *named("fmod", lattice(0.05), DIVISORS),
        case("integers", lambda lib, x, y: lib.fmod(x, y), whole(-9, 9)((3, 4), 0), PARTS, **NOT),
        case("number", lambda lib, x: lib.fmod(x, 0.7), lattice(0.05)((3, 4), 0)),
    ],
}  # fmt: skip

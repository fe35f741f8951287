"""Samples of choices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    PLANE,
    lattice,
    truth,
)
from samples.family import INDICES, NOT, ODD, ROW, STRANGE, X, case, named, pointwise
from samples.sample import Sample


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    low = x if min is None else np.maximum(x, min)
    return low if max is None else np.minimum(low, max)


def _nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


REFERENCE: dict[str, Any] = {
    "where": lambda c, *xy: np.where(c, *xy) if xy else np.nonzero(c),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "clamp": _clamp,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "clamp_min": np.maximum,
    "clamp_max": np.minimum,
    "nan_to_num": _nan_to_num,
}

SAMPLES: dict[str, list[Sample]] = {
    "where": [
        *pointwise(lambda lib, c, x, y: lib.where(c, x, y), truth, ANY, ANY),
        case("numbers", lambda lib, c, x: lib.where(c, x, 0.0), truth((3, 1)), X),
        case("number first", lambda lib, c, x: lib.where(c, 2.0, x), truth((3, 4)), ROW),
        case("complex", lambda lib, c, x, y: lib.where(c, x, y),
             truth((3,)), PLANE((3,), 0), PLANE((3,), 1)),
        case("complex with real", lambda lib, c, x, y: lib.where(c, x, y),
             truth((3,)), PLANE((3,), 0), ANY((3,), 1)),
        case("indices", lambda lib, c: lib.where(c), truth((3, 4)), **NOT),
    ],
    "maximum": named("maximum", lattice(0.02), lattice(0.07)),
    "minimum": named("minimum", lattice(0.02), lattice(0.07)),
    "clamp": [
        *(s for s in pointwise(lambda lib, x: lib.clamp(x, -1, 1), lattice(0.05))),
        case("min", lambda lib, x: lib.clamp(x, min=0.5), lattice(0.02)((3, 4), 0)),
        case("max", lambda lib, x: lib.clamp(x, max=0.5), lattice(0.02)((3, 4), 0)),
        *(case(f"tensors {s}", s.function, *s.inputs, layout=s.layout) for s in pointwise(
            lambda lib, x, a, b: lib.clamp(x, a, b),
            lattice(0.02), lattice(-0.95, 5), lattice(0.96, 5))),
        case("tensor min", lambda lib, x, a: lib.clamp(x, min=a),
             lattice(0.02)((3, 4), 0), lattice(0.06)((4,), 1)),
        case("tensor max", lambda lib, x, b: lib.clamp(x, max=b),
             lattice(0.02)((3, 4), 0), lattice(0.06)((3, 1), 1)),
        case("min above max", lambda lib, x: lib.clamp(x, 1, -1), lattice(0.05)((3, 4), 0)),
    ],
    **{name: [
        *named(name, lattice(0.02), lattice(0.07)),
        case("nan", lambda lib, x, y, name=name: getattr(lib, name)(x, y), STRANGE, STRANGE[::-1],
             **ODD),
    ] for name in ("fmax", "fmin")},
    **{name: [
        case("number", lambda lib, x, name=name: getattr(lib, name)(x, 0.5),
             lattice(0.02)((3, 4), 0)),
        case("tensor", lambda lib, x, y, name=name: getattr(lib, name)(x, y),
             lattice(0.02)((3, 4), 0), lattice(0.06)((4,), 1)),
    ] for name in ("clamp_min", "clamp_max")},
    "nan_to_num": [
        *named("nan_to_num", ANY, planes=(PLANE,)),
        case("strange", lambda lib, x: lib.nan_to_num(x, 1.5, 2.5, -3.5), STRANGE, **ODD),
        case("strange complex", lambda lib, x: lib.nan_to_num(x, posinf=2, neginf=3),
             np.array([complex(math.nan, 1), complex(math.inf, -math.inf)]), **ODD),
        case("integers", lambda lib, x: lib.nan_to_num(x), INDICES, **NOT),
    ],
}  # fmt: skip

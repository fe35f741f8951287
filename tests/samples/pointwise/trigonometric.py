"""Samples of trigonometric functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    AWAY,
    PLANE,
    around,
    uniform,
)
from samples.family import ODD, case, named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "deg2rad": np.deg2rad,
    "rad2deg": np.rad2deg,
    "sinc": np.sinc,
}

SAMPLES: dict[str, list[Sample]] = {
    "sin": named("sin", ANY, planes=(PLANE,)),
    "cos": named("cos", ANY, planes=(PLANE,)),
    "tan": named("tan", uniform(-1.2, 1.2), planes=(around(uniform(-1, 1)),)),
    "atan2": named("atan2", AWAY, AWAY),
    "hypot": named("hypot", AWAY, AWAY),
    "asin": named("asin", uniform(-0.9, 0.9), planes=(PLANE,)),
    "acos": named("acos", uniform(-0.9, 0.9), planes=(PLANE,)),
    "atan": named("atan", ANY, planes=(around(uniform(-0.7, 0.7)),)),
    "deg2rad": named("deg2rad", ANY),
    "rad2deg": named("rad2deg", ANY),
    "sinc": [
        *named("sinc", AWAY, planes=(PLANE,)),
        case("at zero", lambda lib, x: lib.sinc(x), np.zeros(2), **ODD),
    ],
}  # fmt: skip

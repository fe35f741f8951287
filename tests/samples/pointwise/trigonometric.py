"""Samples of trigonometric functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE, around, uniform
from samples.family import named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan2": np.arctan2,
    "hypot": np.hypot,
}

SAMPLES: dict[str, list[Sample]] = {
    "sin": named("sin", ANY, planes=(PLANE,)),
    "cos": named("cos", ANY, planes=(PLANE,)),
    "tan": named("tan", uniform(-1.2, 1.2), planes=(around(uniform(-1, 1)),)),
    "atan2": named("atan2", AWAY, AWAY),
    "hypot": named("hypot", AWAY, AWAY),
}  # fmt: skip

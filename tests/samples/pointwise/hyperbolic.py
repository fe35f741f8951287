"""Samples of hyperbolic functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    PLANE,
    around,
    uniform,
)
from samples.family import named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}

SAMPLES: dict[str, list[Sample]] = {
    "tanh": named("tanh", ANY, planes=(around(uniform(-1, 1)),)),
    "sinh": named("sinh", ANY, planes=(PLANE,)),
    "cosh": named("cosh", ANY, planes=(PLANE,)),
    "asinh": named("asinh", ANY, planes=(around(ANY, uniform(-0.7, 0.7)),)),
    "acosh": named("acosh", uniform(1.2, 3), planes=(PLANE,)),
    "atanh": named("atanh", uniform(-0.8, 0.8), planes=(PLANE,)),
}  # fmt: skip

"""Samples of hyperbolic functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, around, uniform
from samples.family import named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "tanh": np.tanh,
}

SAMPLES: dict[str, list[Sample]] = {
    "tanh": named("tanh", ANY, planes=(around(uniform(-1, 1)),)),
}  # fmt: skip

"""Samples of conjugates and angles."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, lattice
from samples.family import named
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "conj": np.conj,
    "angle": np.angle,
}

SAMPLES: dict[str, list[Sample]] = {
    "conj": named("conj", ANY, planes=(PLANE,)),
    "angle": named("angle", lattice(0.05), planes=(PLANE,)),
}  # fmt: skip

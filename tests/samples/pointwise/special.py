"""Samples of special functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import named
from samples.sample import Sample


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


REFERENCE: dict[str, Any] = {
    "erf": _erf,
}

SAMPLES: dict[str, list[Sample]] = {
    "erf": named("erf", ANY),
}  # fmt: skip

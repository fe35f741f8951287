"""Samples of activation functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import ANY, lattice
from samples.family import X, case, named
from samples.sample import Sample


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


REFERENCE: dict[str, Any] = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": _gelu,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": _softplus,
}

SAMPLES: dict[str, list[Sample]] = {
    "relu": named("relu", lattice(0.05)),
    "gelu": [
        *named("gelu", ANY),
        case("tanh", lambda lib, x: lib.gelu(x, approximate="tanh"), X),
    ],
    "silu": named("silu", ANY),
    "softplus": [
        *named("softplus", ANY),
        case("beta and threshold", lambda lib, x: lib.softplus(x, 2, 1), lattice(0.05)((3, 4), 0)),
    ],
}  # fmt: skip

"""Samples of activation functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    AWAY,
    lattice,
)
from samples.family import INDICES, NOT, X, case, named, pointwise
from samples.sample import Sample


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


def _prelu(x: Any, weight: Any) -> Any:
    shape = (-1, *(1,) * (np.ndim(x) - 2)) if np.size(weight) > 1 else ()
    return np.where(x > 0, x, np.reshape(weight, shape) * x)


REFERENCE: dict[str, Any] = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": _gelu,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": _softplus,
    "threshold": lambda x, threshold, value: np.where(x > threshold, x, value),
    "celu": lambda x, alpha=1: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543773 * np.expm1(x)),
    "hardshrink": lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0),
    "prelu": _prelu,
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
    "threshold": [
        *pointwise(lambda lib, x: lib.threshold(x, 0.5, -2), lattice(0.05)),
        case("integers", lambda lib, x: lib.threshold(x, 1, 7), INDICES, **NOT),
    ],
    "celu": [
        *named("celu", lattice(0.05)),
        case("alpha", lambda lib, x: lib.celu(x, 0.5), lattice(0.05)((3, 4), 0)),
    ],
    "selu": named("selu", lattice(0.05)),
    "hardshrink": [
        *named("hardshrink", lattice(0.05)),
        case("lambd", lambda lib, x: lib.hardshrink(x, 0.9), lattice(0.05)((3, 4), 0)),
    ],
    "prelu": [
        case("channels", lambda lib, x, w: lib.prelu(x, w), AWAY((2, 3, 4), 0), ANY((3,), 1)),
        case("one", lambda lib, x, w: lib.prelu(x, w), AWAY((3, 4), 0), ANY((1,), 1)),
        case("0-d", lambda lib, x, w: lib.prelu(x, w), AWAY((), 0), ANY((), 1)),
    ],
}  # fmt: skip

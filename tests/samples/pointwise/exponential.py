"""Samples of exponential functions and logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    PLANE,
    POSITIVE,
    RIGHT,
    lattice,
    uniform,
)
from samples.family import ODD, X, case, named
from samples.sample import Sample


def _logit(x: Any, eps: float | None = None) -> Any:
    x = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.log(x / (1 - x))


def _xlogy(x: Any, y: Any) -> Any:
    return np.where(np.isnan(y), y, np.where(np.equal(x, 0), 0, x * np.log(y)))


REFERENCE: dict[str, Any] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "logit": _logit,
    "logaddexp": np.logaddexp,
    "exp2": np.exp2,
    "log2": np.log2,
    "log10": np.log10,
    "logaddexp2": np.logaddexp2,
    "xlogy": _xlogy,
}

SAMPLES: dict[str, list[Sample]] = {
    "exp": named("exp", ANY, planes=(PLANE,)),
    "expm1": [
        *named("expm1", ANY, planes=[PLANE]),
        case("near zero", lambda lib, x: lib.expm1(x), 1e-6 * X),
    ],
    "log": named("log", POSITIVE, planes=(RIGHT,)),
    "log1p": named("log1p", uniform(-0.6, 2), planes=(RIGHT,)),
    "sigmoid": named("sigmoid", ANY, planes=(PLANE,)),
    "logit": [
        *named("logit", uniform(0.1, 0.9)),
        case("eps", lambda lib, x: lib.logit(x, eps=0.3), uniform(0.1, 0.9)((3, 4), 0)),
    ],
    "logaddexp": [
        *named("logaddexp", ANY, ANY),
        case("far out", lambda lib, x, y: lib.logaddexp(x, y), np.array([1000.0, -1000.0, 3.0]),
             np.array([999.0, -999.0, -1000.0])),
    ],
    "exp2": named("exp2", ANY, planes=(PLANE,)),
    "log2": named("log2", POSITIVE, planes=(RIGHT,)),
    "log10": named("log10", POSITIVE, planes=(RIGHT,)),
    "logaddexp2": [
        *named("logaddexp2", lattice(0.02), lattice(0.07)),
        case("far out", lambda lib, x, y: lib.logaddexp2(x, y), np.array([1000.0, -1000.0, 3.0]),
             np.array([999.0, -999.0, -1000.0])),
    ],
    "xlogy": [
        *named("xlogy", ANY, POSITIVE),
        case("zero", lambda lib, x, y: lib.xlogy(x, y), np.zeros(4),
             np.array([2.0, 0.0, -1.0, math.nan]), **ODD),
        case("number", lambda lib, x: lib.xlogy(x, 2.0), X),
        case("number first", lambda lib, x: lib.xlogy(3, x), POSITIVE((3,), 0)),
    ],
}  # fmt: skip

"""Samples of approximate singular values, of matrices of the rank that is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.decompositions import TALL, WIDE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _values(x: Any) -> Any:
    return np.linalg.svd(x, compute_uv=False)


def _drawn(lib: Any, name: str, x: Any) -> Any:
    lib.manual_seed(0)
    return getattr(lib, name)(x, 2)[1]


SAMPLES: dict[str, list[Sample]] = {
    "svd_lowrank": [
        case(name, lambda lib, x: _drawn(lib, "svd_lowrank", x), x, reference=_values)
        for name, x in (("tall", TALL), ("wide", WIDE))
    ],
    "pca_lowrank": [
        case("tall", lambda lib, x: _drawn(lib, "pca_lowrank", x), TALL,
             reference=lambda x: _values(x - x.mean(0))),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

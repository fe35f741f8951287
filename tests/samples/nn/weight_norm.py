"""Samples of norms over all dimensions but one."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "norm_except_dim": [
        case("rows", lambda lib, v: lib.norm_except_dim(v), ANY((4, 3), 0),
             reference=lambda v: np.sqrt((v**2).sum(1, keepdims=True))),
        case("middle", lambda lib, v: lib.norm_except_dim(v, 2, 1), ANY((2, 3, 4), 0),
             reference=lambda v: np.sqrt((v**2).sum((0, 2), keepdims=True))),
        case("all", lambda lib, v: lib.norm_except_dim(v, 1, -1), ANY((4, 3), 0),
             reference=lambda v: abs(v).sum()),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

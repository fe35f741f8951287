"""Samples of affine maps."""

from __future__ import annotations

from typing import Any

from samples.draw import ANY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.linear": [
        case("rows", lambda lib, x, w: lib.nn.functional.linear(x, w), ANY((2, 3), 0),
             ANY((4, 3), 1), reference=lambda x, w: x @ w.T),
        case("bias", lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), ANY((5, 2, 3), 0),
             ANY((4, 3), 1), ANY((4,), 2), reference=lambda x, w, b: x @ w.T + b),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

"""Samples of affine maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.linear": [
        case("rows", lambda lib, x, w: lib.nn.functional.linear(x, w), ANY((2, 3), 0),
             ANY((4, 3), 1), reference=lambda x, w: x @ w.T),
        case("bias", lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), ANY((5, 2, 3), 0),
             ANY((4, 3), 1), ANY((4,), 2), reference=lambda x, w, b: x @ w.T + b),
        case("row", lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), ANY((3,), 0),
             ANY((4, 3), 1), ANY((4,), 2), reference=lambda x, w, b: x @ w.T + b),
        case("matrix", lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), ANY((2, 3), 0),
             ANY((4, 3), 1), ANY((4,), 2), reference=lambda x, w, b: x @ w.T + b),
        case("stack", lambda lib, x, w: lib.nn.functional.linear(x, w), ANY((5, 2, 3), 0),
             ANY((4, 3), 1), reference=lambda x, w: x @ w.T),
        case("complex", lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), PLANE((2, 3), 0),
             PLANE((4, 3), 1), PLANE((4,), 2), reference=lambda x, w, b: x @ w.T + b),
    ],
    "bilinear": [
        case("rows", lambda lib, a, b, w: lib.bilinear(a, b, w), ANY((5, 3), 0), ANY((5, 2), 1),
             ANY((4, 3, 2), 2), reference=lambda a, b, w: np.einsum("ni,oij,nj->no", a, w, b)),
        case("bias", lambda lib, a, b, w, c: lib.nn.functional.bilinear(a, b, w, c),
             ANY((2, 5, 3), 0), ANY((2, 5, 2), 1), ANY((4, 3, 2), 2), ANY((4,), 3),
             reference=lambda a, b, w, c: np.einsum("...i,oij,...j->...o", a, w, b) + c),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

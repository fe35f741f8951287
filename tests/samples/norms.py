"""Samples of norms of vectors and matrices as ``linalg`` has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.decompositions import COMPLEX, SQUARE, STACK, WIDE
from samples.draw import ANY, AWAY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "linalg.vector_norm": [
        case(f"order {p}", lambda lib, x, p=p: lib.linalg.vector_norm(x, p, dim=1), AWAY((2, 3), 1),
             reference=lambda x, p=p: np.linalg.vector_norm(x, ord=p, axis=1))
        for p in (2, 3.5, -math.inf)
    ],
    "linalg.matrix_norm": [
        *(case(f"order {p}", lambda lib, x, p=p: lib.linalg.matrix_norm(x, p), WIDE,
               reference=lambda x, p=p: np.asarray(np.linalg.norm(x, p)))
          for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)),
        case("dims", lambda lib, x: lib.linalg.matrix_norm(x, 1, dim=(2, 0), keepdim=True),
             ANY((2, 3, 2), 1),
             reference=lambda x: np.linalg.norm(x, 1, axis=(2, 0), keepdims=True)),
    ],
    "linalg.norm": [
        case("all", lambda lib, x: lib.linalg.norm(x), STACK,
             reference=lambda x: np.asarray(np.linalg.norm(x))),
        case("matrix", lambda lib, x: lib.linalg.norm(x, 2), COMPLEX,
             reference=lambda x: np.asarray(np.linalg.norm(x, 2))),
    ],
    "linalg.cond": [
        case(f"order {p}", lambda lib, x, p=p: lib.linalg.cond(x, p), SQUARE,
             reference=lambda x, p=p: np.asarray(np.linalg.cond(x, p)))
        for p in (None, -2, "fro", 1)
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

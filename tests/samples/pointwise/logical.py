"""Samples of logic."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import lattice, whole
from samples.family import NOT, case, named
from samples.sample import Sample


def _logical(name: str) -> list[Sample]:
    return [
        *named(name, whole(-1, 2), whole(-1, 2), **NOT),
        *(case(f"{s} of bools", s.function, *(a > 0 for a in s.inputs), **NOT)
          for s in named(name, whole(-1, 2), whole(-1, 2))[:2]),
    ]  # fmt: skip


REFERENCE: dict[str, Any] = {
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
}

SAMPLES: dict[str, list[Sample]] = {
    **{name: _logical(name) for name in ("logical_and", "logical_or", "logical_xor")},
    "logical_not": [
        *named("logical_not", whole(-1, 2), **NOT),
        case("floats", lambda lib, x: lib.logical_not(x), lattice(0, 2)((3, 4), 0), **NOT),
    ],
}  # fmt: skip

"""Samples of signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import PLANE, lattice
from samples.family import case, named
from samples.sample import Sample


def _sign(x: Any) -> Any:
    return x / np.abs(x) if x.dtype.kind == "c" else np.sign(x)


REFERENCE: dict[str, Any] = {
    "abs": np.abs,
    "sgn": _sign,
    "sign": np.sign,
}

SAMPLES: dict[str, list[Sample]] = {
    "abs": [
        *named("abs", lattice(0.05), planes=(PLANE,)),
        case("builtin", lambda lib, x: abs(x), lattice(0.05)((3,), 0)),
    ],
    "sgn": named("sgn", lattice(0.05), planes=(PLANE,)),
    "sign": named("sign", lattice(0.05)),
}  # fmt: skip

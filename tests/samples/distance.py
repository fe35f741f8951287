"""Samples of norms and distances."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from samples.draw import AWAY, PLANE, distinct
from samples.family import (
    case,
    reduction,
)
from samples.sample import Sample


def _norm(x: Any, p: Any = 2.0, dim: Any = None, keepdim: bool = False) -> Any:
    size = np.abs(x)
    if p in (math.inf, -math.inf):
        return (np.max if p > 0 else np.min)(size, axis=dim, keepdims=keepdim)
    if p == 0:
        return np.sum((size != 0).astype(size.dtype), axis=dim, keepdims=keepdim)
    p = 2.0 if p == "fro" else p
    return np.sum(size**p, axis=dim, keepdims=keepdim) ** (1 / p)


REFERENCE: dict[str, Any] = {
    "norm": _norm,
}

SAMPLES: dict[str, list[Sample]] = {
    "norm": [
        *(case(f"{s}", lambda lib, x, s=s: s.function(SimpleNamespace(
            norm=lambda x, dim=None, keepdim=False: lib.norm(x, dim=dim, keepdim=keepdim)), x),
            *s.inputs, layout=s.layout) for s in reduction("norm", AWAY, PLANE)),
        *(case(f"order {p}", lambda lib, x, p=p: lib.norm(x, p, 1), distinct((3, 4)))
          for p in (0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf)),
        *(case(f"complex order {p}", lambda lib, x, p=p: lib.norm(x, p), PLANE((3,), 0))
          for p in (1, 3, math.inf)),
    ],
}  # fmt: skip

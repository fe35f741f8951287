"""Samples of distances of rows and tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, lattice, signed
from samples.family import X, case, single
from samples.sample import Sample


def _cdist(x: Any, y: Any, p: float = 2) -> Any:
    size = np.abs(x[..., :, None, :] - y[..., None, :, :])
    if p == math.inf:
        return size.max(-1)
    if p == 0:
        return (size != 0).sum(-1).astype(size.dtype)
    return (size**p).sum(-1) ** (1 / p)


def _pdist(x: Any, p: float = 2) -> Any:
    return _cdist(x, x, p)[np.triu_indices(len(x), 1)]


def _renorm(x: Any, p: float, axes: Any, most: float) -> Any:
    size = (np.abs(x) ** p).sum(axes, keepdims=True) ** (1 / p)
    return np.where(size > most, x * (most / (size + 1e-7)), x)


_A, _B = ANY((4, 3), 0), signed(3, 5)((5, 3), 1)  # of which no numbers are near

REFERENCE: dict[str, Any] = {"cdist": _cdist}

SAMPLES: dict[str, list[Sample]] = {
    "cdist": single([
        *(case(f"order {p}", lambda lib, x, y, p=p: lib.cdist(x, y, p), _A, _B)
          for p in (0.5, 1.0, 1.5, 2.0, 3.0, math.inf)),
        case("order 0", lambda lib, x, y: lib.cdist(x, y, 0) * x[:, :1], _A, _B,
             reference=lambda x, y: _cdist(x, y, 0) * x[:, :1]),
        case("by products", lambda lib, x, y: lib.cdist(x, y), _A, ANY((30, 3), 2)),
        case("by products where asked", lambda lib, x, y: lib.cdist(
            x, y, compute_mode="use_mm_for_euclid_dist"), _A, _B, reference=_cdist),
        case("stacks", lambda lib, x, y: lib.cdist(x, y), ANY((2, 1, 3, 4), 0),
             ANY((3, 2, 4), 1)),
        case("stacks by products", lambda lib, x, y: lib.cdist(
            x, y, compute_mode="use_mm_for_euclid_dist"), ANY((2, 1, 3, 4), 0),
             ANY((3, 2, 4), 1), reference=_cdist),
        case("no columns", lambda lib, x, y: lib.cdist(x, y), ANY((2, 0), 0), ANY((3, 0), 0)),
        case("many", lambda lib, x, y: lib.cdist(x, y, 1.0), lattice(0.03)((65, 2), 0),
             lattice(0.08)((64, 2), 1)),
    ]),
    "pdist": single([
        case(f"order {p}", lambda lib, x, p=p: lib.pdist(x, p), ANY((4, 3), 2),
             reference=lambda x, p=p: _pdist(x, p)) for p in (1.0, 2.0, 3.0, math.inf)
    ]),
    "dist": single([
        *(case(f"order {p}", lambda lib, x, y, p=p: lib.dist(x, y, p), _A, _A[::-1] + 0.05,
               reference=lambda x, y, p=p: (np.abs(x - y) ** p).sum() ** (1 / p))
          for p in (1.0, 2.0, 3.0)),
        case("broadcast", lambda lib, x, y: lib.dist(x, y), X, ANY((4,), 3),
             reference=lambda x, y: np.sqrt(((x - y) ** 2).sum())),
        case("complex", lambda lib, x, y: lib.dist(x, y), PLANE((3,), 0), PLANE((3,), 1),
             reference=lambda x, y: np.sqrt((np.abs(x - y) ** 2).sum())),
    ]),
    "renorm": single([
        case("ordinary", lambda lib, x: lib.renorm(x, 2, 0, 2.0), X,
             reference=lambda x: _renorm(x, 2, 1, 2.0)),
        case("middle dim", lambda lib, x: lib.renorm(x, 3, 1, 1.0), ANY((2, 3, 4), 1),
             reference=lambda x: _renorm(x, 3, (0, 2), 1.0)),
        case("complex", lambda lib, x: lib.renorm(x, 1.5, -1, 1.0), PLANE((3, 4), 1),
             reference=lambda x: _renorm(x, 1.5, 0, 1.0)),
    ]),
}  # fmt: skip

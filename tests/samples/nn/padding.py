"""Samples of elements around a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

_NUMPYS: dict[str, Any] = {
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}


def _padded(x: Any, pads: Any, mode: str) -> Any:
    around = [(0, 0)] * (x.ndim - len(pads) // 2)
    around += [*zip(pads[::2], pads[1::2], strict=True)][::-1]
    inner = tuple(slice(max(-a, 0), n - max(-b, 0))
                  for n, (a, b) in zip(x.shape, around, strict=True))  # fmt: skip
    return np.pad(x[inner], [(max(a, 0), max(b, 0)) for a, b in around], mode=_NUMPYS[mode])


def _one(mode: str, x: Any, *pads: int, label: str = "", layout: str = "plain") -> Sample:
    return case(f"{mode}{label} {pads}", lambda lib, x: lib.nn.functional.pad(x, pads, mode), x,
                reference=lambda x: _padded(x, pads, mode), layout=layout)  # fmt: skip


X = ANY((2, 1, 4, 3), 0)

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.pad": [
        *(_one(mode, X, 1, 2, 2, 0) for mode in _NUMPYS),
        *(_one(mode, ANY((2, 4), 1), 3, 1) for mode in _NUMPYS),
        *(_one(mode, ANY((1, 3, 4, 3), 2), 1, 1, 0, 2, 2, 1) for mode in ("reflect", "replicate")),
        *(_one(mode, X, -1, 1, 1, -2) for mode in ("constant", "replicate", "circular")),
        _one("reflect", X, 1, 1, 1, 1, label=" transposed", layout="transposed"),
        _one("circular", PLANE((2, 4), 0), 1, 2, label=" complex"),
    ],
}

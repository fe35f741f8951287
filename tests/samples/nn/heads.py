"""Samples of attention by several heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import uniform
from samples.family import case, single
from samples.nn.attention import attended
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _heads(lib: Any, x: Any, y: Any, w: Any, b: Any, out: Any, **options: Any) -> Any:
    return lib.nn.functional.multi_head_attention_forward(
        x, y, y, 4, 2, w, b, None, None, False, 0.0, out, None, **options
    )


def _of_heads(x: Any, y: Any, w: Any, b: Any, out: Any) -> tuple[Any, Any]:
    parts = [t @ m.T + c for t, m, c in zip((x, y, y), np.split(w, 3), np.split(b, 3), strict=True)]
    q, k, v = (t.reshape(len(t), -1, 2, 2).transpose(1, 2, 0, 3) for t in parts)
    found = attended(q, k, v).transpose(2, 0, 1, 3).reshape(x.shape) @ out.T
    weights = attended(q, k, np.broadcast_to(np.eye(len(y)), (*k.shape[:2], len(y), len(y))))
    return found, weights.mean(1)


SHAPES = (3, 2, 4), (5, 2, 4), (12, 4), (12,), (4, 4)
HEADS = [uniform(-1, 1)(shape, k) for k, shape in enumerate(SHAPES)]

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.multi_head_attention_forward": [
        case("weights", _heads, *HEADS, reference=_of_heads),
        case("none", lambda lib, *t: _heads(lib, *t, need_weights=False)[0], *HEADS,
             reference=lambda *t: _of_heads(*t)[0]),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

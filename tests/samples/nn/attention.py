"""Samples of attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Q, K, V = ANY((2, 2, 3, 4), 0), ANY((2, 2, 5, 4), 1), ANY((2, 2, 5, 4), 2)
COUNTS = np.array([[True, False, True, True, False], [True] * 5, [False] * 5])
CAUSAL = np.arange(5) <= np.arange(3)[:, None]


def attended(q: Any, k: Any, v: Any, added: Any = 0, scale: Any = None) -> Any:
    scores = q @ k.swapaxes(-1, -2) * (scale or q.shape[-1] ** -0.5) + added
    most = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isinf(most), 0, most))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total) @ v


def _masked(value: float) -> Any:
    return np.where(COUNTS, 0, -value)


NAME = "nn.functional.scaled_dot_product_attention"

SAMPLES: dict[str, list[Sample]] = {
    NAME: [
        case("plain", lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(q, k, v),
             Q, K, V, reference=attended),
        case("matrices", lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(
                q, k, v, scale=0.7), Q[0, 0], K[0, 0], V[0, 0],
             reference=lambda q, k, v: attended(q, k, v, 0, 0.7)),
        case("stacks", lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(q, k, v),
             Q[0], K[0], V[0], reference=attended),
        case("causal", lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(
                q, k, v, is_causal=True), Q, K, V,
             reference=lambda q, k, v: attended(q, k, v, np.where(CAUSAL, 0, -np.inf))),
        case("bools", lambda lib, q, k, v, m: lib.nn.functional.scaled_dot_product_attention(
                q, k, v, m), Q, K, V, COUNTS,
             reference=lambda q, k, v, m: attended(q, k, v, _masked(np.inf))),
        case("numbers", lambda lib, q, k, v, m: lib.nn.functional.scaled_dot_product_attention(
                q, k, v, m.to(q.dtype)), Q, K, V, ANY((2, 1, 3, 5), 3).round().astype(int),
             reference=attended),
        case("learned", lambda lib, q, k, v, m: lib.nn.functional.scaled_dot_product_attention(
                q, k, v, m), Q, K, V, ANY((3, 5), 3), reference=attended),
        case("groups", lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(
                q, k, v, enable_gqa=True), ANY((2, 4, 3, 4), 0), K, V,
             reference=lambda q, k, v: attended(q, k.repeat(2, 1), v.repeat(2, 1))),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

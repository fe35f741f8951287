"""Samples of channels that become places, and of channels in another order."""

from __future__ import annotations

from typing import Any

from samples.draw import ANY
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _larger(x: Any, r: int) -> Any:
    n, c, h, w = x.shape
    return x.reshape(n, c // r**2, r, r, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(
        n, c // r**2, h * r, w * r)  # fmt: skip


def _smaller(x: Any, r: int) -> Any:
    n, c, h, w = x.shape
    return x.reshape(n, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4).reshape(
        n, c * r**2, h // r, w // r)  # fmt: skip


X = ANY((2, 4, 2, 4), 0)

SAMPLES: dict[str, list[Sample]] = {
    "pixel_shuffle": [
        case("plain", lambda lib, x: lib.pixel_shuffle(x, 2), X,
             reference=lambda x: _larger(x, 2)),
        case("transposed", lambda lib, x: lib.pixel_shuffle(x, 2), X, layout="transposed",
             reference=lambda x: _larger(x, 2)),
    ],
    "pixel_unshuffle": [
        case("plain", lambda lib, x: lib.pixel_unshuffle(x, 2), X,
             reference=lambda x: _smaller(x, 2)),
    ],
    "channel_shuffle": [
        case("plain", lambda lib, x: lib.channel_shuffle(x, 2), X,
             reference=lambda x: x[:, [0, 2, 1, 3]]),
    ],
}  # fmt: skip

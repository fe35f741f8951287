"""Samples of losses that compare element by element."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from samples.draw import ANY, Draw, lattice, signed, truth, uniform
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Array = Any
PROBABILITY = uniform(0.1, 0.9)
REDUCED: dict[str, Callable[[Array], Array]] = {
    "none": lambda x: x, "mean": np.mean, "sum": np.sum,
}  # fmt: skip


def signs(shape: Any, seed: int) -> Array:
    """Draw 1 or -1, as integers."""
    return signed(1, 1)(shape, seed).astype(int)


def fixed(lib: Any, array: Array, like: Any) -> Any:
    """Return weights, which have no gradients, as a tensor like another one."""
    return lib.tensor(array, dtype=like.dtype, device=like.device)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def answered(shape: Any, seed: int) -> Array:
    """Draw answers, 0 or 1, as numbers."""
    return truth(shape, seed).astype(float)


def calls(
    name: str,
    draws: tuple[Draw, ...],
    values: Callable[..., Array],
    label: str = "",
    shapes: Any = None,
    **options: Any,
) -> list[Sample]:
    """Return samples of a loss with each reduction; the values are those of its elements."""
    shapes = shapes or ((3, 4),) * len(draws)
    inputs = [d(s, k) for k, (d, s) in enumerate(zip(draws, shapes, strict=True))]

    def call(lib: Any, *x: Any, reduction: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of shapes that differ, and of the mean of kl_div
            return getattr(lib.nn.functional, name)(*x, reduction=reduction, **options)

    def reference(*x: Array, reduction: str) -> Array:
        return REDUCED[reduction](values(*x))

    return [
        case(f"{label} {reduction}".strip(), partial(call, reduction=reduction), *inputs,
             reference=partial(reference, reduction=reduction))
        for reduction in REDUCED
    ]  # fmt: skip


def _smooth(x: Array, y: Array, beta: float = 1.0) -> Array:
    z = np.abs(x - y)
    return np.where(z < beta, z * z / 2 / beta, z - beta / 2)


def _huber(x: Array, y: Array, delta: float = 1.0) -> Array:
    z = np.abs(x - y)
    return np.where(z <= delta, z * z / 2, delta * (z - delta / 2))


def _binary(x: Array, y: Array) -> Array:
    return -(y * np.log(x) + (1 - y) * np.log(1 - x))


def _logits(x: Array, y: Array, p: Any = 1) -> Array:
    return -(p * y * np.log(sigmoid(x)) + (1 - y) * np.log(sigmoid(-x)))


_WEIGHT, _ROWS = PROBABILITY((4,), 2), PROBABILITY((3, 1), 3)
_LEFT, _RIGHT = lattice(0.05), lattice(0.01)  # which keep their distance, also from 1

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.l1_loss": [
        *calls("l1_loss", (_LEFT, _RIGHT), lambda x, y: np.abs(x - y)),
        case("weighted", lambda lib, x, y, w: lib.nn.functional.l1_loss(x, y, weight=w),
             _LEFT((3, 4), 0), _RIGHT((3, 4), 1), PROBABILITY((3, 4), 2),
             reference=lambda x, y, w: (np.abs(x - y) * w).sum() / w.sum()),
    ],
    "nn.functional.mse_loss": [
        *calls("mse_loss", (ANY, ANY), lambda x, y: (x - y) ** 2),
        *calls("mse_loss", (ANY, ANY), lambda x, y: (x - y) ** 2, "0-d", ((), ())),
        *calls("mse_loss", (ANY, ANY), lambda x, y: (x - y) ** 2, "broadcast", ((3, 1), (4,))),
        case("transposed", lambda lib, x, y: lib.nn.functional.mse_loss(x, y), ANY((3, 4), 0),
             ANY((3, 4), 1), reference=lambda x, y: np.mean((x - y) ** 2), layout="transposed"),
        *(case(f"weighted {r}", lambda lib, x, y, w, r=r: lib.nn.functional.mse_loss(
            x, y, weight=w, reduction=r), ANY((3, 4), 0), ANY((3, 4), 1), PROBABILITY((3, 4), 2),
            reference=lambda x, y, w, r=r: REDUCED[r]((x - y) ** 2 * w) / (
                w.mean() if r == "mean" else 1)) for r in REDUCED),
    ],
    "nn.functional.smooth_l1_loss": [
        *calls("smooth_l1_loss", (_LEFT, _RIGHT), _smooth),
        *calls("smooth_l1_loss", (_LEFT, _RIGHT), partial(_smooth, beta=0.5), "beta", beta=0.5),
        *calls("smooth_l1_loss", (_LEFT, _RIGHT), lambda x, y: np.abs(x - y), "beta 0", beta=0),
    ],
    "nn.functional.huber_loss": [
        *calls("huber_loss", (_LEFT, _RIGHT), _huber),
        *calls("huber_loss", (_LEFT, _RIGHT), partial(_huber, delta=0.5), "delta", delta=0.5),
        case("weighted", lambda lib, x, y, w: lib.nn.functional.huber_loss(x, y, weight=w),
             _LEFT((3, 4), 0), _RIGHT((3, 4), 1), PROBABILITY((3, 4), 2),
             reference=lambda x, y, w: (_huber(x, y) * w).mean()),
    ],
    "nn.functional.binary_cross_entropy": [
        *calls("binary_cross_entropy", (PROBABILITY, PROBABILITY), _binary),
        *(case(f"weighted {r}", lambda lib, x, y, r=r: lib.nn.functional.binary_cross_entropy(
            x, y, fixed(lib, _WEIGHT, x), reduction=r), PROBABILITY((3, 4), 0),
            PROBABILITY((3, 4), 1), reference=lambda x, y, r=r: REDUCED[r](_binary(x, y) * _WEIGHT))
          for r in REDUCED),
    ],
    "nn.functional.binary_cross_entropy_with_logits": [
        *calls("binary_cross_entropy_with_logits", (ANY, PROBABILITY), _logits),
        *(case(f"weighted {r}", lambda lib, x, y, r=r:
               lib.nn.functional.binary_cross_entropy_with_logits(
                   x, y, fixed(lib, _ROWS, x), pos_weight=fixed(lib, _WEIGHT, x), reduction=r),
               ANY((3, 4), 0), PROBABILITY((3, 4), 1),
               reference=lambda x, y, r=r: REDUCED[r](_logits(x, y, _WEIGHT) * _ROWS))
          for r in REDUCED),
        case("positive", lambda lib, x, y: lib.nn.functional.binary_cross_entropy_with_logits(
            x, y, pos_weight=fixed(lib, _WEIGHT, x)), ANY((3, 4), 0), PROBABILITY((3, 4), 1),
            reference=lambda x, y: _logits(x, y, _WEIGHT).mean()),
        case("each", lambda lib, x, y: lib.nn.functional.binary_cross_entropy_with_logits(
            x, y, fixed(lib, _WEIGHT, x)), ANY((3, 4), 0), answered((3, 4), 1),
            reference=lambda x, y: (_logits(x, y) * _WEIGHT).mean()),
        case("far out", lambda lib, x, y: lib.nn.functional.binary_cross_entropy_with_logits(
            x, y, reduction="sum"), np.array([800.0, -800.0]), np.array([0.0, 1.0]),
            reference=lambda x, y: np.sum(np.abs(x))),
    ],
    "binary_cross_entropy_with_logits": [
        case("mean", lambda lib, x, y: lib.binary_cross_entropy_with_logits(x, y, reduction=1),
             ANY((3, 4), 0), PROBABILITY((3, 4), 1), reference=lambda x, y: _logits(x, y).mean()),
    ],
    "nn.functional.soft_margin_loss": calls(
        "soft_margin_loss", (ANY, signs), lambda x, y: np.log1p(np.exp(-x * y))
    ),
}  # fmt: skip

"""Samples of losses of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from samples.draw import ANY, uniform, whole
from samples.family import case
from samples.nn.loss import REDUCED, fixed
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Array = Any
_WEIGHT = uniform(0.2, 2)((5,), 3)
_HALVES = uniform(0.2, 2)((3,), 4)


def log_softmax(x: Array, axis: int) -> Array:
    below = x - x.max(axis, keepdims=True)
    return below - np.log(np.exp(below).sum(axis, keepdims=True))


def _nll(x: Array, y: Array, weight: Any = None, ignored: int = -100, reduction: str = "mean",
         smoothing: float = 0.0) -> Array:  # fmt: skip
    """Return the loss of logarithms, by one-hot vectors."""
    axis = min(1, x.ndim - 1)
    classes = np.moveaxis(x, axis, -1)
    count = classes.shape[-1]
    w = np.ones(count) if weight is None else weight
    there = y != ignored
    hot = np.equal.outer(y, np.arange(count)) * w * there[..., None]
    even = w * there[..., None] / count
    losses = -(classes * ((1 - smoothing) * hot + smoothing * even)).sum(-1)
    return losses.sum() / hot.sum() if reduction == "mean" else REDUCED[reduction](losses)


def _entropy(x: Array, y: Array, *args: Any, **options: Any) -> Array:
    return _nll(log_softmax(x, min(1, x.ndim - 1)), y, *args, **options)


def _of_probabilities(x: Array, y: Array, weight: Any = 1, reduction: str = "mean",
                      smoothing: float = 0.0) -> Array:  # fmt: skip
    axis = min(1, x.ndim - 1)
    terms = log_softmax(x, axis) * (y * (1 - smoothing) + smoothing / x.shape[axis])
    return REDUCED[reduction](-np.moveaxis(np.moveaxis(terms, axis, -1) * weight, -1, axis)
                              .sum(axis))  # fmt: skip


def _classes(name: str, values: Callable[..., Array]) -> list[Sample]:
    def made(label: str, x: Array, y: Array, weight: Any = None, **options: Any) -> Sample:
        ignored = options.get("ignore_index", -100)
        others = {k: v for k, v in options.items() if k != "ignore_index"}

        def call(lib: Any, x: Any, y: Any) -> Any:
            w = None if weight is None else fixed(lib, weight, x)
            return getattr(lib.nn.functional, name)(x, y, weight=w, **options)

        def reference(x: Array, y: Array) -> Array:
            return values(x, y, weight, ignored, **others)

        # sums of both signs lose digits, in PyTorch as well
        return case(label, call, x, y, reference=reference, half="image" not in label)

    rows, places = ANY((4, 5), 0), whole(0, 5)((4,), 1)
    image, spots = ANY((2, 3, 2, 2), 0), whole(0, 3)((2, 2, 2), 1)
    return [
        *(made(r, rows, places, reduction=r) for r in REDUCED),
        *(made(f"weighted {r}", rows, places, _WEIGHT, reduction=r) for r in REDUCED),
        *(made(f"ignored {r}", rows, np.array([2, 1, 2, 4]), _WEIGHT, ignore_index=2, reduction=r)
          for r in REDUCED),
        *(made(f"image {r}", image, spots, _HALVES, reduction=r) for r in REDUCED),
        made("columns", ANY((2, 3, 4), 0), whole(0, 3)((2, 4), 1)),
        made("one", ANY((5,), 0), np.array(3)),
        made("one loss", ANY((5,), 0), np.array(3), reduction="none"),
        made("one of one", ANY((5,), 0), np.array([3]), reduction="sum"),
        made("bytes", rows, places.astype(np.uint8)),
    ]  # fmt: skip


_ROWS, _PLACES = ANY((4, 5), 0), whole(0, 5)((4,), 1)
_SHARES = uniform(0.1, 0.9)((4, 5), 2)

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.nll_loss": _classes("nll_loss", _nll),
    "nn.functional.cross_entropy": [
        *_classes("cross_entropy", _entropy),
        case("transposed", lambda lib, x, y: lib.nn.functional.cross_entropy(x, y), _ROWS, _PLACES,
             reference=_entropy, layout="transposed"),
        case("far out", lambda lib, x, y: lib.nn.functional.cross_entropy(x, y),
             np.array([[1000.0, 0.0, -1000.0], [3.0, 800.0, 2.0]]), np.array([0, 0]),
             reference=_entropy, half=False),
        case("long", lambda lib, x, y: lib.nn.functional.cross_entropy(x, y), ANY((3, 70), 0),
             whole(0, 70)((3,), 1), reference=_entropy),
        *(case(f"smoothed {r}", lambda lib, x, y, r=r: lib.nn.functional.cross_entropy(
            x, y, label_smoothing=0.3, reduction=r), _ROWS, np.array([1, -100, 4, 2]),
            reference=lambda x, y, r=r: _entropy(x, y, reduction=r, smoothing=0.3))
          for r in REDUCED),
        case("smoothed image", lambda lib, x, y: lib.nn.functional.cross_entropy(
            x, y, label_smoothing=0.3), ANY((2, 3, 2, 2), 0), whole(0, 3)((2, 2, 2), 1),
            reference=lambda x, y: _entropy(x, y, smoothing=0.3), half=False),
        *(case(f"smoothed weighted {r}", lambda lib, x, y, r=r: lib.nn.functional.cross_entropy(
            x, y, fixed(lib, _WEIGHT, x), label_smoothing=0.3, reduction=r), _ROWS,
            np.array([1, -100, 4, 2]),
            reference=lambda x, y, r=r: _entropy(x, y, _WEIGHT, reduction=r, smoothing=0.3))
          for r in REDUCED),
        *(case(f"probabilities {r}", lambda lib, x, y, w, r=r: lib.nn.functional.cross_entropy(
            x, y, w, reduction=r), _ROWS, _SHARES, _WEIGHT,
            reference=lambda x, y, w, r=r: _of_probabilities(x, y, w, r)) for r in REDUCED),
        case("smoothed probabilities", lambda lib, x, y: lib.nn.functional.cross_entropy(
            x, y, label_smoothing=0.3), ANY((2, 3, 4), 0), uniform(0.1, 0.9)((2, 3, 4), 1),
            reference=lambda x, y: _of_probabilities(x, y, smoothing=0.3)),
    ],
    "nn.functional.linear_cross_entropy": [
        case("rows", lambda lib, x, w, y: lib.nn.functional.linear_cross_entropy(x, w, y),
             ANY((4, 3), 0), ANY((5, 3), 1), _PLACES,
             reference=lambda x, w, y: _entropy(x @ w.T, y)),
        case("bias", lambda lib, x, w, b, y: lib.nn.functional.linear_cross_entropy(
            x, w, y, linear_bias=b, reduction="sum", label_smoothing=0.2), ANY((4, 3), 0),
            ANY((5, 3), 1), ANY((5,), 2), _PLACES,
            reference=lambda x, w, b, y: _entropy(x @ w.T + b, y, reduction="sum",
                                                  smoothing=0.2)),
        case("more dimensions", lambda lib, x, w, b, y: lib.nn.functional.linear_cross_entropy(
            x, w, y, linear_bias=b), ANY((4, 3), 0), ANY((5, 2, 3), 1), ANY((5, 2), 2),
            whole(0, 5)((4, 2), 3),
            reference=lambda x, w, b, y: _entropy(np.einsum("nf,ckf->nck", x, w) + b, y)),
        case("one", lambda lib, x, w, y: lib.nn.functional.linear_cross_entropy(x, w, y),
             ANY((3,), 0), ANY((5, 3), 1), np.array(2),
             reference=lambda x, w, y: _entropy(w @ x, y)),
    ],
}  # fmt: skip

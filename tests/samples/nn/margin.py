"""Samples of losses that ask the right classes to be ahead of the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import whole
from samples.family import case
from samples.nn.loss import PROBABILITY, calls, fixed
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Array = Any


def _scores(shape: Any, seed: int) -> Array:
    """Draw numbers of which no two are apart by a margin."""
    count = int(np.prod(shape))
    steps = np.arange(count) * 0.27 - 1.5
    return np.random.default_rng((seed, *shape)).permutation(steps).reshape(shape)


def _multi(x: Array, y: Array, p: int = 1, margin: float = 1.0, weight: Any = None) -> Array:
    found = []
    for row, right in zip(x, y, strict=True):
        terms = np.maximum(margin - row[right] + row, 0) ** p
        found.append(np.delete(terms, right).sum() / len(row)
                     * (1 if weight is None else weight[right]))  # fmt: skip
    return np.array(found)


def _multilabel(x: Array, y: Array) -> Array:
    found = []
    for row, labels in zip(x, y, strict=True):
        stop = np.flatnonzero(labels < 0)
        right = labels[: stop[0]] if len(stop) else labels
        others = np.setdiff1d(np.arange(len(row)), right)
        terms = [max(1 - row[j] + row[k], 0) for j in right for k in others]
        found.append(sum(terms) / len(row))
    return np.array(found)


_WEIGHT = PROBABILITY((4,), 3)
_LABELS = np.array([[3, 0, -1, 1], [-1, 2, 1, 0], [1, 2, 3, -1]])

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.multi_margin_loss": [
        *calls("multi_margin_loss", (_scores, whole(0, 4)), _multi, "", ((3, 4), (3,))),
        *calls("multi_margin_loss", (_scores, whole(0, 4)),
               lambda x, y: _multi(x, y, 2, 0.5), "squared", ((3, 4), (3,)), p=2, margin=0.5),
        case("weighted", lambda lib, x, y: lib.nn.functional.multi_margin_loss(
            x, y, weight=fixed(lib, _WEIGHT, x)), _scores((3, 4), 0), whole(0, 4)((3,), 1),
            reference=lambda x, y: _multi(x, y, weight=_WEIGHT).mean()),
        case("one", lambda lib, x, y: lib.nn.functional.multi_margin_loss(x, y, reduction="none"),
             _scores((4,), 0), np.array(2),
             reference=lambda x, y: _multi(x[None], y[None])[0]),
    ],
    "nn.functional.multilabel_margin_loss": [
        *(case(r, lambda lib, x, y, r=r: lib.nn.functional.multilabel_margin_loss(
            x, y, reduction=r), _scores((3, 4), 0), _LABELS,
            reference=lambda x, y, f=f: f(_multilabel(x, y)))
          for r, f in (("none", np.copy), ("mean", np.mean), ("sum", np.sum))),
        case("one", lambda lib, x, y: lib.nn.functional.multilabel_margin_loss(x, y),
             _scores((4,), 0), _LABELS[0],
             reference=lambda x, y: _multilabel(x[None], y[None]).mean()),
    ],
}  # fmt: skip

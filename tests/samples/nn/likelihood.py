"""Samples of losses that are logarithms of probabilities."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from samples.draw import ANY, POSITIVE, uniform
from samples.family import case, single
from samples.nn.loss import PROBABILITY, answered, calls, sigmoid
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Array = Any
COUNT = uniform(2, 6)


def _divergence(x: Array, y: Array) -> Array:
    return y * (np.log(y) - x)


def _poisson(x: Array, y: Array, log: bool = True, full: bool = False) -> Array:
    values = np.exp(x) - y * x if log else x - y * np.log(x + 1e-8)
    stirling = y * np.log(y) - y + 0.5 * np.log(2 * math.pi * y)
    return values + stirling if full else values


def _gaussian(x: Array, y: Array, v: Array) -> Array:
    return 0.5 * (np.log(v) + (x - y) ** 2 / v)


def _multilabel(x: Array, y: Array) -> Array:
    return -(y * np.log(sigmoid(x)) + (1 - y) * np.log(sigmoid(-x))).mean(-1)


SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.kl_div": [
        *calls("kl_div", (ANY, PROBABILITY), _divergence),
        *calls("kl_div", (ANY, ANY), lambda x, y: np.exp(y) * (y - x), "logarithms",
               log_target=True),
        case("batchmean", lambda lib, x, y: lib.nn.functional.kl_div(x, y, reduction="batchmean"),
             ANY((3, 4), 0), PROBABILITY((3, 4), 1),
             reference=lambda x, y: _divergence(x, y).sum() / 3),
    ],
    "kl_div": [
        case("sum", lambda lib, x, y: lib.kl_div(x, y, 2), ANY((3, 4), 0), PROBABILITY((3, 4), 1),
             reference=lambda x, y: _divergence(x, y).sum()),
    ],
    "nn.functional.poisson_nll_loss": [
        *calls("poisson_nll_loss", (ANY, COUNT), _poisson),
        *calls("poisson_nll_loss", (POSITIVE, COUNT), partial(_poisson, log=False, full=True),
               "full", log_input=False, full=True),
    ],
    "poisson_nll_loss": [
        case("mean", lambda lib, x, y: lib.poisson_nll_loss(x, y, True, False, 1e-8, 1),
             ANY((3, 4), 0), COUNT((3, 4), 1), reference=lambda x, y: _poisson(x, y).mean()),
    ],
    "nn.functional.gaussian_nll_loss": [
        *calls("gaussian_nll_loss", (ANY, ANY, POSITIVE), _gaussian),
        *calls("gaussian_nll_loss", (ANY, ANY, POSITIVE),
               lambda x, y, v: _gaussian(x, y, v) + 0.5 * math.log(2 * math.pi), "full",
               ((3, 4), (3, 4), (3, 1)), full=True),
        *calls("gaussian_nll_loss", (ANY, ANY, POSITIVE),
               lambda x, y, v: _gaussian(x, y, v[:, None]), "of rows", ((3, 4), (3, 4), (3,))),
    ],
    "nn.functional.multilabel_soft_margin_loss": [
        *calls("multilabel_soft_margin_loss", (ANY, answered), _multilabel),
        case("weighted", lambda lib, x, y, w: lib.nn.functional.multilabel_soft_margin_loss(
            x, y, w), ANY((3, 4), 0), answered((3, 4), 1), PROBABILITY((4,), 2),
            reference=lambda x, y, w: -((y * np.log(sigmoid(x)) + (1 - y) * np.log(sigmoid(-x)))
                                        * w).mean()),
    ],
}  # fmt: skip
# composed of operations, of which each rounds: PyTorch's in half precision, too
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

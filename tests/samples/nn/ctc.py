"""Samples of the loss of sequences whose alignment with labels is not known."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import case, single
from samples.nn.classes import log_softmax
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

Array = Any
_LABELS = np.array([[1, 2, 2], [3, 1, 0], [2, 3, 1]])
_TIMES, _SIZES = (5, 4, 5), (3, 2, 0)


def _read(path: tuple[int, ...], blank: int) -> list[int]:
    """Return the labels that a path of classes is read as."""
    return [k for k, _ in itertools.groupby(path) if k != blank]


def _ctc(x: Array, blank: int = 0, times: Any = _TIMES, sizes: Any = _SIZES) -> Array:
    """Return losses by their definition: sums over all paths that are read as the labels."""
    scores = log_softmax(x, 2)
    found = []
    for k, (steps, size) in enumerate(zip(times, sizes, strict=True)):
        wanted = _LABELS[k, :size].tolist()
        paths = itertools.product(range(x.shape[2]), repeat=steps)
        total = sum(np.exp(sum(scores[t, k, c] for t, c in enumerate(path)))
                    for path in paths if _read(path, blank) == wanted)  # fmt: skip
        found.append(-np.log(total))
    return np.array(found)


def _call(reduction: str, joined: bool = False, **options: Any) -> Callable[..., Any]:
    labels = np.concatenate([_LABELS[k, :n] for k, n in enumerate(_SIZES)]) if joined else _LABELS

    def call(lib: Any, x: Any) -> Any:
        targets = lib.tensor(labels, device=x.device)
        return lib.nn.functional.ctc_loss(
            x.log_softmax(2), targets, _TIMES, _SIZES, reduction=reduction, **options
        )

    return call


_SCORES = ANY((5, 3, 4), 0)


def _mean(x: Array) -> Array:
    return (_ctc(x) / np.maximum(_SIZES, 1)).mean()


def _short(lib: Any, x: Any) -> Any:
    targets = lib.tensor(_LABELS, device=x.device)
    return lib.nn.functional.ctc_loss(
        x.log_softmax(2), targets, (2, 4, 0), _SIZES, reduction="none", zero_infinity=True
    )


def _one(lib: Any, x: Any) -> Any:
    targets = lib.tensor(_LABELS[0], device=x.device)
    return lib.nn.functional.ctc_loss(x.log_softmax(1), targets, (5,), (3,), reduction="sum")


SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.ctc_loss": single([
        case("none", _call("none"), _SCORES, reference=_ctc),
        case("mean", _call("mean"), _SCORES, reference=_mean),
        case("sum of joined", _call("sum", True), _SCORES, reference=lambda x: _ctc(x).sum()),
        case("too short", _short, _SCORES,
             reference=lambda x: _ctc(x, times=(5, 4, 5)) * (0, 1, 0)),
        case("one", _one, ANY((5, 4), 0), reference=lambda x: _ctc(
            np.repeat(x[:, None], 3, 1), times=(5, 5, 5), sizes=(3, 2, 0))[0]),
    ]),
    "ctc_loss": single([
        case("none", lambda lib, x: lib.ctc_loss(
            x.log_softmax(2), lib.tensor(_LABELS, device=x.device), _TIMES, _SIZES), _SCORES,
            reference=_ctc),
    ]),
}  # fmt: skip

"""Losses as layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from layers.layer import Layer, layer

_RANDOM = np.random.default_rng(0)
_X = (4, 5)
_SHARES = _RANDOM.uniform(0.1, 0.9, _X)
_OTHERS = _RANDOM.uniform(0.1, 0.9, _X)
_SIGNS = _RANDOM.choice((-1, 1), _X)
_CLASSES = _RANDOM.integers(0, 5, 4)
_LABELS = np.array([[3, 0, -1, 1, 2], [-1, 2, 1, 0, 3], [1, 2, 3, -1, 0], [0, 1, 2, 3, 4]])
_WEIGHT = [0.3, 1.5, 0.7, 1.0, 2.0]
_REDUCTIONS = ("mean", "sum", "none")


def _weight(nn: Any) -> Any:
    """Return weights as a tensor of the library that a module ``nn`` is of."""
    library: Any = __import__(nn.__name__.partition(".")[0])
    return library.tensor(_WEIGHT)


def _aligned(layer: Any, x: Any, targets: Any) -> Any:
    return layer(x.log_softmax(2), targets, (6, 5, 2), (3, 2, 1))


def _losses(name: str, *inputs: Any, **options: Any) -> list[Layer]:
    """Return a row for each reduction; weights are made where they are asked for."""
    weights = [k for k, v in options.items() if v is _weight]
    label = ", ".join([name, *weights, *(f"{k} {v}" for k, v in options.items()
                                         if k not in weights)])  # fmt: skip

    def make(nn: Any, reduction: str) -> Any:
        given = {k: _weight(nn) if k in weights else v for k, v in options.items()}
        return getattr(nn, name)(reduction=reduction, **given)

    return [
        layer(f"{label}, {r}", lambda nn, r=r: make(nn, r), *inputs)  # type: ignore[misc]
        for r in _REDUCTIONS
    ]


LAYERS = [
    *(layer(f"CTCLoss, {r}", lambda nn, r=r: nn.CTCLoss(reduction=r), (6, 3, 4),  # type: ignore[misc]
            np.array([[1, 1, 2], [3, 2, 0], [1, 0, 0]]), call=_aligned) for r in _REDUCTIONS),
    layer("CTCLoss, blank", lambda nn: nn.CTCLoss(3, zero_infinity=True), (6, 3, 4),
          np.array([[1, 1, 1], [0, 2, 0], [1, 0, 0]]), call=_aligned),
    *_losses("L1Loss", _X, _X), *_losses("MSELoss", _X, _X), *_losses("SmoothL1Loss", _X, _X),
    *_losses("SmoothL1Loss", _X, _X, beta=0.5), *_losses("HuberLoss", _X, _X, delta=0.5),
    *_losses("BCELoss", _SHARES, _OTHERS), *_losses("BCEWithLogitsLoss", _X, _SHARES),
    *_losses("BCEWithLogitsLoss", _X, _SHARES, weight=_weight, pos_weight=_weight),
    *_losses("CrossEntropyLoss", _X, _CLASSES), *_losses("CrossEntropyLoss", _X, _SHARES),
    *_losses("CrossEntropyLoss", _X, _CLASSES, weight=_weight, ignore_index=2),
    *_losses("CrossEntropyLoss", _X, _CLASSES, weight=_weight, label_smoothing=0.1),
    *_losses("NLLLoss", _X, _CLASSES), *_losses("NLLLoss", _X, _CLASSES, weight=_weight),
    *_losses("NLLLoss", (2, 5, 3, 2), np.arange(12).reshape(2, 3, 2) % 5, ignore_index=1),
    layer("LinearCrossEntropyLoss", lambda nn: nn.LinearCrossEntropyLoss(5, 3, bias=True), _X,
          _CLASSES % 3),
    layer("LinearCrossEntropyLoss, more", lambda nn: nn.LinearCrossEntropyLoss(
        5, 3, out_features=(2,), label_smoothing=0.1), _X, np.arange(8).reshape(4, 2) % 3),
    *_losses("PoissonNLLLoss", _X, _CLASSES[:, None] + 0.5),
    *_losses("PoissonNLLLoss", _SHARES, 3 * _OTHERS, log_input=False, full=True),
    *_losses("GaussianNLLLoss", _X, _X, _SHARES), *_losses("GaussianNLLLoss", _X, _X, _SHARES,
                                                            full=True),
    *_losses("KLDivLoss", _X, _SHARES, log_target=False)[1:],
    *_losses("KLDivLoss", _X, _X, log_target=True)[1:],
    layer("KLDivLoss, batchmean", lambda nn: nn.KLDivLoss(reduction="batchmean"), _X, _SHARES),
    *_losses("SoftMarginLoss", _X, _SIGNS), *_losses("HingeEmbeddingLoss", _X, _SIGNS),
    *_losses("MultiLabelMarginLoss", _X, _LABELS),
    *_losses("MultiLabelSoftMarginLoss", _X, (_SIGNS + 1) // 2, weight=_weight),
    *_losses("MultiMarginLoss", _X, _CLASSES),
    *_losses("MultiMarginLoss", _X, _CLASSES, p=2, margin=0.5, weight=_weight),
    *_losses("CosineEmbeddingLoss", _X, _X, _SIGNS[:, 0], margin=-0.5),
    *_losses("MarginRankingLoss", _X, _X, _SIGNS, margin=0.5),
    *_losses("TripletMarginLoss", _X, _X, _X), *_losses("TripletMarginLoss", _X, _X, _X, swap=True),
    *_losses("TripletMarginWithDistanceLoss", _X, _X, _X, margin=2.0),
]  # fmt: skip

"""Samples of recurrent layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from samples.draw import ANY, uniform
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

SMALL = uniform(-1, 1)
TIME, COUNT, FEATURES, HIDDEN = 3, 2, 3, 2
X, H, C = (
    ANY((TIME, COUNT, FEATURES), 0),
    SMALL((1, COUNT, HIDDEN), 1),
    SMALL((1, COUNT, HIDDEN), 2),
)
SIZES = (2, 2, 1)
PACKED = ANY((sum(SIZES), FEATURES), 0)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _long(given: Any, h: Any, w: Any, b: Any, c: Any) -> tuple[Any, Any]:
    i, f, g, o = np.split(given + h @ w.T + b, 4, 1)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c), c


def _gated(given: Any, h: Any, w: Any, b: Any, c: Any) -> tuple[Any, Any]:
    (r, z, n), (s, t, m) = np.split(given, 3, 1), np.split(h @ w.T + b, 3, 1)
    z = _sigmoid(z + t)
    return (1 - z) * np.tanh(n + _sigmoid(r + s) * m) + z * h, c


def _tanh(given: Any, h: Any, w: Any, b: Any, c: Any) -> tuple[Any, Any]:
    return np.tanh(given + h @ w.T + b), c


def _relu(given: Any, h: Any, w: Any, b: Any, c: Any) -> tuple[Any, Any]:
    return np.maximum(given + h @ w.T + b, 0), c


def _outputs(step: Callable[..., Any], x: Any, h: Any, c: Any, weights: Any) -> Any:
    """Return all outputs of one layer."""
    w, u, *biases = weights
    b, d = biases or (0, 0)
    found = []
    for row in x:
        h, c = step(row @ w.T + b, h, u, d, c)
        found.append(h)
    return np.stack(found)


def _weights(gates: int, biases: bool = True) -> list[Any]:
    rows = gates * HIDDEN
    found = [SMALL((rows, FEATURES), 3), SMALL((rows, HIDDEN), 4)]
    return [*found, SMALL((rows,), 5), SMALL((rows,), 6)] if biases else found


def _rows(name: str, gates: int, step: Callable[..., Any]) -> list[Sample]:
    two = name == "lstm"

    def call(biases: bool) -> Callable[..., Any]:
        def called(lib: Any, x: Any, h: Any, c: Any, *weights: Any) -> Any:
            hx = (h, c) if two else h
            options = (biases, 1, 0.0, True, False, False)
            return getattr(lib, name)(x, hx, list(weights), *options)[0]

        return called

    def packed(lib: Any, x: Any, h: Any, c: Any, *weights: Any) -> Any:
        """Return the last outputs of two sequences, of which one is shorter; both ways."""
        hx = [lib.cat([s, s]) for s in (h, c)]
        args = (tuple(hx) if two else hx[0], [*weights] * 2, True, 1, 0.0, True, True)
        return getattr(lib, name)(x, lib.tensor(SIZES), *args)[1]

    def both(x: Any, h: Any, c: Any, *weights: Any) -> Any:
        ends = []
        for k, rows in enumerate(([0, 2, 4], [1, 3])):
            for order in (1, -1):
                some = x[rows][::order, None]
                ends.append(_outputs(step, some, h[0, k : k + 1], c[0, k : k + 1], weights)[-1, 0])
        return np.stack([np.stack([ends[0], ends[2]]), np.stack([ends[1], ends[3]])])

    def plain(x: Any, h: Any, c: Any, *weights: Any) -> Any:
        return _outputs(step, x, h[0], c[0], weights)

    return [
        case("biases", call(True), X, H, C, *_weights(gates), reference=plain),
        case("none", call(False), X, H, C, *_weights(gates, False), reference=plain),
        case("packed", packed, PACKED, H, C, *_weights(gates), reference=both),
    ]


def _steps(name: str, gates: int, step: Callable[..., Any]) -> list[Sample]:
    def called(lib: Any, x: Any, h: Any, c: Any, *weights: Any) -> Any:
        if name == "lstm_cell":
            return getattr(lib, name)(x, (h, c), *weights)
        return getattr(lib, name)(x, h, *weights)

    def reference(x: Any, h: Any, c: Any, w: Any, u: Any, b: Any = 0, d: Any = 0) -> Any:
        found = step(x @ w.T + b, h, u, d, c)
        return found if name == "lstm_cell" else found[0]

    return [
        case("biases", called, X[0], H[0], C[0], *_weights(gates), reference=reference),
        case("none", called, X[0], H[0], C[0], *_weights(gates, False), reference=reference),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "lstm": _rows("lstm", 4, _long),
    "gru": _rows("gru", 3, _gated),
    "rnn_tanh": _rows("rnn_tanh", 1, _tanh),
    "rnn_relu": _rows("rnn_relu", 1, _relu),
    "lstm_cell": _steps("lstm_cell", 4, _long),
    "gru_cell": _steps("gru_cell", 3, _gated),
    "rnn_tanh_cell": _steps("rnn_tanh_cell", 1, _tanh),
    "rnn_relu_cell": _steps("rnn_relu_cell", 1, _relu),
}
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

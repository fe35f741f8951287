"""Samples of softmax, and of logarithms of sums of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, RIGHT
from samples.family import NONE, NOT, NUMBER, X, Z, case, rearranged, reduced, reduction
from samples.sample import Sample


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _log_softmax(x: Any, axis: int) -> Any:
    below = x - x.max(axis, keepdims=True)
    return below - np.log(np.exp(below).sum(axis, keepdims=True))


_INFINITE = np.array([
    [-np.inf, 1.0, -np.inf, 2.0], [-np.inf] * 4, [1.0, np.inf, 0.0, 2.0], [1.0, np.nan, 0.0, 1.0],
    [1000.0, 1001.0, -1000.0, 999.0],
])  # fmt: skip


REFERENCE: dict[str, Any] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": reduced(np.logaddexp.reduce),
}

SAMPLES: dict[str, list[Sample]] = {
    "logsumexp": [
        *(case(str(s), s.function, *s.inputs, layout=s.layout)
          for s in reduction("logsumexp", ANY) if s.name not in ("all", "sliced all", "0-d")),
        case("0-d", lambda lib, x: lib.logsumexp(x, 0), NUMBER, reference=np.copy),
        case("complex", lambda lib, x: lib.logsumexp(x, 1), RIGHT((3, 4), 0),
             reference=lambda x: np.log(np.exp(x).sum(1))),
        case("far out", lambda lib, x: lib.logsumexp(x, 1),
             np.array([[1000.0, 999.0, 998.0], [-1000.0, -1001.0, -999.0]])),
    ],
    **{name: [
        *(s for s in rearranged(lambda lib, x, name=name: getattr(lib, name)(x, 1), (3, 4))
          if s.name != "complex"),
        case("first dim", lambda lib, x, name=name: getattr(lib, name)(x, 0), Z),
        case("middle dim", lambda lib, x, name=name: getattr(lib, name)(x, -2), Z),
        case("long", lambda lib, x, name=name: getattr(lib, name)(x, 1), ANY((2, 70), 3)),
        case("long columns", lambda lib, x, name=name: getattr(lib, name)(x, 0), ANY((9, 40), 4)),
        case("dtype", lambda lib, x, name=name: getattr(lib, name)(x, 0, dtype=lib.float64), X,
             reference=lambda x, name=name: REFERENCE[name](x, 0)),
        case("0-d", lambda lib, x, name=name: getattr(lib, name)(x, 0), NUMBER,
             reference=lambda x, name=name: REFERENCE[name](x[None], 0)[0]),
        case("zero-size", lambda lib, x, name=name: getattr(lib, name)(x, 0), NONE,
             reference=np.copy),
        case("infinite", lambda lib, x, name=name: getattr(lib, name)(x.detach(), 1), _INFINITE,
             reference=lambda x, name=name: REFERENCE[name](x, 1), **NOT),
    ] for name in ("softmax", "log_softmax")},
    "softmin": [case("ordinary", lambda lib, x: lib.softmin(x, 1), X,
                     reference=lambda x: _softmax(-x, 1))],
}  # fmt: skip

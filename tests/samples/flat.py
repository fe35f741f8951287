"""Samples of elements that are named among all."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import INDICES, NUMBER, PLACES, ROW, X, case, placed, rearranged
from samples.sample import Sample


def _put(x: Any, y: Any, i: Any, adds: bool = False) -> Any:
    return placed(x.reshape(-1), i, y, adds).reshape(x.shape)


FLAT = np.array([[2, -1], [7, 0]])  # of twelve elements, each once
AGAIN = np.array([[2, -1], [7, 2]])

REFERENCE: dict[str, Any] = {"take": lambda x, i: np.take(x, i, mode="wrap")}

SAMPLES: dict[str, list[Sample]] = {
    "take": [
        *(case(str(s), s.function, *s.inputs, AGAIN, layout=s.layout)
          for s in rearranged(lambda lib, x, i: lib.take(x, i), (3, 4))),
        case("0-d", lambda lib, x, i: lib.take(x, i), NUMBER, np.zeros((2, 1), np.int64)),
    ],
    "put": [
        *(case(str(s), s.function, *s.inputs, FLAT, layout=s.layout, reference=_put)
          for s in rearranged(lambda lib, x, y, i: lib.put(x, i, y), (3, 4), (2, 2))),
        case("accumulated", lambda lib, x, y, i: lib.put(x, i, y, True), X, ANY((2, 2), 1), AGAIN,
             reference=lambda x, y, i: _put(x, y, i, True)),
        case("accumulated, transposed", lambda lib, x, y, i: lib.put(x, i, y, accumulate=True), X,
             ANY((2, 2), 1), AGAIN, layout="transposed",
             reference=lambda x, y, i: _put(x, y, i, True)),
    ],
    "take_along_dim": [
        *(case(str(s), s.function, *s.inputs, PLACES, layout=s.layout,
               reference=lambda x, i: np.take_along_axis(x, i, 0))
          for s in rearranged(lambda lib, x, i: lib.take_along_dim(x, i, 0), (3, 4))),
        case("broadcast", lambda lib, x, i: lib.take_along_dim(x, i, 1), X, INDICES[None],
             reference=lambda x, i: x[:, i[0]]),
        case("negative", lambda lib, x, i: x.take_along_dim(i, 0), ROW, INDICES - 3,
             reference=lambda x, i: x[i % 4]),
        case("of all", lambda lib, x, i: x.take_along_dim(i), X, INDICES + 4,
             reference=lambda x, i: x.reshape(-1)[i]),
    ],
}  # fmt: skip

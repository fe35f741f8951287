"""Samples of determinants."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.decompositions import COMPLEX, EACH, SQUARE
from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "det": np.linalg.det,
}


def _sized(x: Any) -> Any:
    sign, size = np.linalg.slogdet(x)
    return np.asarray(sign), np.asarray(size)


SAMPLES: dict[str, list[Sample]] = {
    "det": [
        *(case(str(shape), lambda lib, x: lib.det(x), ANY(shape, 3))
          for shape in ((1, 1), (2, 2), (3, 3), (2, 3, 3), (0, 2, 2), (2, 0, 0))),
        *(case(layout, lambda lib, x: lib.det(x), ANY((3, 3), 3), layout=layout)
          for layout in ("transposed", "sliced")),
        case("complex", lambda lib, x: lib.det(x), PLANE((3, 3), 0)),
        case("singular", lambda lib, x: lib.det(x), np.array([[1.0, 2.0, 0.5], [2.0, 4.0, 1.0],
                                                              [1.0, 0.0, 3.0]])),
        case("of rank 1", lambda lib, x: lib.det(x), np.outer((1.0, 2.0, 0.5), (1.0, -1.0, 3.0))),
        case("some singular", lambda lib, x: lib.det(x), np.stack([SQUARE, np.ones((3, 3))])),
    ],
    "linalg.slogdet": [
        *(case(name, lambda lib, x: tuple(lib.linalg.slogdet(x)), x, reference=_sized)
          for name, x in EACH.items()),
    ],
    "slogdet": [
        case("square", lambda lib, x: lib.slogdet(x)[1], SQUARE, reference=lambda x: _sized(x)[1]),
    ],
    "logdet": [
        case("square", lambda lib, x: lib.logdet(x), SQUARE, reference=lambda x: _sized(x)[1]),
        case("complex", lambda lib, x: lib.logdet(x), COMPLEX,
             reference=lambda x: np.log(np.linalg.det(x))),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

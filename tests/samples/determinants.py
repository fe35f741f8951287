"""Samples of operations of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "det": np.linalg.det,
}

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
    ],
}  # fmt: skip

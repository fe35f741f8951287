"""Samples of products and other operations of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import X, case, product
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "det": np.linalg.det,
    "dot": np.dot,
    "mv": np.matmul,
    "mm": np.matmul,
    "bmm": np.matmul,
    "matmul": np.matmul,
    "outer": np.outer,
}

SAMPLES: dict[str, list[Sample]] = {
    "dot": product("dot", ((4,), (4,)), ((0,), (0,)), ((1,), (1,))),
    "mv": product("mv", ((3, 4), (4,)), ((0, 4), (4,)), ((3, 0), (0,))),
    "mm": product("mm", ((3, 4), (4, 2)), ((0, 4), (4, 2)), ((3, 0), (0, 2)), ((1, 4), (4, 1))),
    "bmm": product("bmm", ((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5)), ((2, 3, 0), (2, 0, 5))),
    "matmul": [
        *product(
            "matmul", ((2, 3, 4), (4, 5)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 3)),
            ((2, 4), (4, 3)), ((2, 3, 4), (4,)), ((4,), (2, 4, 3)), ((3, 4), (2, 4, 5)),
            ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((2, 3, 4), (1, 4, 5)),
            ((0, 3, 4), (4, 5)), ((2, 3, 0), (0, 5)),
        ),
        case("operator", lambda lib, x, y: x @ y, X, ANY((4, 2), 1)),
    ],
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
    "outer": product("outer", ((3,), (4,)), ((0,), (4,)), ((1,), (2,))),
}  # fmt: skip

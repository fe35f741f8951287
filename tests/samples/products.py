"""Samples of products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import X, case, product
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "dot": np.dot,
    "mv": np.matmul,
    "mm": np.matmul,
    "bmm": np.matmul,
    "matmul": np.matmul,
    "outer": np.outer,
    "vdot": np.vdot,
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
    "vdot": product("vdot", ((4,), (4,)), ((0,), (0,))),
    "outer": product("outer", ((3,), (4,)), ((0,), (4,)), ((1,), (2,))),
}  # fmt: skip

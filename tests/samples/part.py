"""Samples of parts: slices and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import X, Z, case, rearranged
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "select": lambda x, dim, index: np.take(x, index, dim),
    "narrow": lambda x, dim, start, length: np.take(x, range(start, start + length), dim),
}

SAMPLES: dict[str, list[Sample]] = {
    "select": [
        *rearranged(lambda lib, x: lib.select(x, 1, 2), (3, 4)),
        case("negative", lambda lib, x: lib.select(x, -1, -2), Z),
    ],
    "narrow": [
        *rearranged(lambda lib, x: lib.narrow(x, 1, 1, 2), (3, 4)),
        case("zero-size", lambda lib, x: lib.narrow(x, 0, 1, 0), X),
    ],
    "narrow_copy": rearranged(lambda lib, x: lib.narrow_copy(x, 1, 1, 2), (3, 4),
                              reference=lambda x: x[:, 1:3]),
    "constant_pad_nd": [
        *rearranged(lambda lib, x: lib.constant_pad_nd(x, (1, 2, 0, 1), 2.5), (3, 4),
                    reference=lambda x: np.pad(x, ((0, 1), (1, 2)), constant_values=2.5)),
        case("less", lambda lib, x: lib.constant_pad_nd(x, (-1, 1)), X,
             reference=lambda x: np.pad(x[:, 1:], ((0, 0), (0, 1)))),
        case("nothing left", lambda lib, x: lib.constant_pad_nd(x, (-1, -3)), X,
             reference=lambda x: x[:, :0]),
    ],
    "diagonal": [
        *rearranged(lambda lib, x: lib.diagonal(x), (3, 4), reference=np.diagonal),
        case("above", lambda lib, x: x.diagonal(1, -1, 0), ANY((3, 4, 2), 0),
             reference=lambda x: x.diagonal(1, -1, 0)),
        case("outside", lambda lib, x: lib.diagonal(x, 9), X, reference=lambda x: x.diagonal(9)),
    ],
}  # fmt: skip

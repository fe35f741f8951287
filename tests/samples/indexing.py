"""Samples of indices and masks that are read."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import PLANE, truth, whole
from samples.family import INDICES, NONE, NOT, NUMBER, ROW, X, Z, case, rearranged
from samples.sample import Sample

COLUMNS = np.array([[1], [3]])


REFERENCE: dict[str, Any] = {
    "flip": np.flip,
    "index_select": lambda x, dim, index: np.take(x, np.atleast_1d(index), dim),
    "nonzero": lambda x: np.argwhere(x),
}

SAMPLES: dict[str, list[Sample]] = {
    "flip": [
        *rearranged(lambda lib, x: lib.flip(x, (0,)), (3, 4)),
        case("both", lambda lib, x: lib.flip(x, (0, 1)), X),
        case("zero-size", lambda lib, x: lib.flip(x, (0, 1)), NONE),
    ],
    "getitem": [
        *rearranged(lambda lib, x: x[1:, ::2], (3, 4)),
        case("integer", lambda lib, x: x[1], X),
        case("negative integer", lambda lib, x: x[-1], X),
        case("element", lambda lib, x: x[1, 2], X),
        case("integer in a vector", lambda lib, x: x[2], ROW),
        case("ellipsis", lambda lib, x: x[..., 0], Z),
        case("ellipsis between", lambda lib, x: x[0, ..., 1:3], Z),
        case("none", lambda lib, x: x[None, :, None, 1], X),
        case("everything", lambda lib, x: x[...], X),
        case("empty tuple", lambda lib, x: x[()], X),
        case("empty slice", lambda lib, x: x[1:1], X),
        case("0-d none", lambda lib, x: x[None], NUMBER),
        case("zero-size", lambda lib, x: x[:, 1:], NONE),
        case("list", lambda lib, x: x[[2, 0]], X),
        case("empty list", lambda lib, x: x[[]], X),
        case("repeated indices", lambda lib, x, i: x[i], X, INDICES),
        case("negative indices", lambda lib, x, i: x[i], X, np.array([-1, 0, -3])),
        case("indices behind a slice", lambda lib, x, i: x[:, i], X, INDICES),
        case("two indices", lambda lib, x, i, j: x[i, j], X, INDICES, COLUMNS),
        case("indices apart", lambda lib, x, i: x[i - 1, :, i], Z, np.array([1, 0])),
        case("index and integer", lambda lib, x, i: x[1, i], X, INDICES),
        case("index and none", lambda lib, x, i: x[i, None], X, INDICES),
        case("index in order of memory", lambda lib, x, i: x[i], X, INDICES, layout="transposed"),
        case("0-d index", lambda lib, x, i: x[i], X, np.asarray(2)),
        case("mask", lambda lib, x, m: x[m], X, truth((3, 4))),
        case("mask of rows", lambda lib, x, m: x[m], X, np.array([True, False, True])),
        case("mask of columns", lambda lib, x, m: x[:, m], X, np.array([True, False, True, True])),
        case("mask and integer", lambda lib, x, m: x[m, 1], X, np.array([True, False, True])),
        case("empty mask", lambda lib, x, m: x[m], X, np.zeros((3, 4), bool)),
        case("mask, strided", lambda lib, x, m: x[m], X, truth((3, 4)), layout="sliced"),
        case("complex indices", lambda lib, x, i: x[i], PLANE((3, 2), 0), INDICES),
    ],
    "index_select": [
        *(case(str(s), s.function, *s.inputs, INDICES, layout=s.layout) for s in rearranged(
            lambda lib, x, i: lib.index_select(x, 1, i), (3, 4))),
        case("rows", lambda lib, x, i: lib.index_select(x, 0, i), X, INDICES),
    ],
    "masked_select": [
        case("ordinary", lambda lib, x, m: lib.masked_select(x, m), X, truth((3, 4)),
             reference=lambda x, m: x[m]),
        case("broadcast", lambda lib, x, m: lib.masked_select(x, m), ROW, truth((3, 1)),
             reference=lambda x, m: np.broadcast_to(x, (3, 4))[m[:, 0]].ravel()),
        case("complex", lambda lib, x, m: lib.masked_select(x, m), PLANE((4,), 0), truth((4,)),
             reference=lambda x, m: x[m]),
        case("0-d", lambda lib, x, m: lib.masked_select(x, m), NUMBER, np.asarray(True),
             reference=lambda x, m: x.reshape(1)),
    ],
    "nonzero": [
        case(str(shape), lambda lib, x: lib.nonzero(x), whole(-1, 2)(shape, 0), **NOT)
        for shape in ((3, 4), (5,), (0, 3))
    ],
}  # fmt: skip

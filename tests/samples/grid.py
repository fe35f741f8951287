"""Samples of tensors brought to one shape and combined."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import NOT, NUMBER, PLACES, ROW, X, case, rearranged
from samples.sample import Sample

COLUMN, FIVE = ANY((3, 1), 0), ANY((5,), 1)


def _chosen(x: Any, r: int = 2, again: bool = False) -> Any:
    choices = itertools.combinations_with_replacement if again else itertools.combinations
    return x[np.array(list(choices(range(len(x)), r)))]


def _product(*x: Any) -> Any:
    return np.stack([a.reshape(-1) for a in np.meshgrid(*x, indexing="ij")], 1)


REFERENCE: dict[str, Any] = {
    "broadcast_tensors": lambda *x: tuple(np.broadcast_arrays(*x)),
    "meshgrid": lambda *x, indexing: tuple(np.meshgrid(*x, indexing=indexing)),
    "hstack": np.hstack,
    "vstack": np.vstack,
    "dstack": np.dstack,
    "column_stack": np.column_stack,
    "atleast_1d": np.atleast_1d,
    "atleast_2d": np.atleast_2d,
    "atleast_3d": np.atleast_3d,
}

SAMPLES: dict[str, list[Sample]] = {
    "broadcast_tensors": rearranged(
        lambda lib, x, y: lib.broadcast_tensors(x, y), (3, 1), (2, 1, 4)
    ),
    "atleast_1d": [
        case("0-d", lambda lib, x: lib.atleast_1d(x), NUMBER),
        case("several", lambda lib, x, y: lib.atleast_1d(x, y * 2), NUMBER, ROW),
    ],
    "atleast_2d": [
        case("vector", lambda lib, x: lib.atleast_2d(x), ROW),
        case("0-d", lambda lib, x: lib.atleast_2d(x), NUMBER),
        case("several", lambda lib, x, y: lib.atleast_2d((x * 2, y)), X, ROW,
             reference=lambda x, y: (x * 2, y[None])),
    ],
    "atleast_3d": [
        case("vector", lambda lib, x: lib.atleast_3d(x), ROW),
        case("matrix", lambda lib, x: lib.atleast_3d(x), X),
        case("0-d", lambda lib, x: lib.atleast_3d(x), NUMBER),
    ],
    "hstack": [
        *rearranged(lambda lib, x, y: lib.hstack((x, y)), (3, 4), (3, 2)),
        case("vectors", lambda lib, x, y: lib.hstack((x, y)), ROW, NUMBER),
    ],
    "vstack": [
        *rearranged(lambda lib, x, y: lib.vstack((x, y)), (3, 4), (2, 4)),
        case("vectors", lambda lib, x, y: lib.vstack((x, y)), ROW, X),
    ],
    "dstack": [
        *rearranged(lambda lib, x, y: lib.dstack((x, y)), (3, 4), (3, 4, 2)),
        case("vectors", lambda lib, x, y: lib.dstack((x, y)), ROW, ROW),
    ],
    "column_stack": [
        *rearranged(lambda lib, x, y: lib.column_stack((x, y)), (3,), (3, 2)),
        case("0-d", lambda lib, x, y: lib.column_stack((x, y)), NUMBER, NUMBER),
    ],
    "meshgrid": [
        *rearranged(lambda lib, x, y: lib.meshgrid(x, y, indexing="ij"), (3,), (4,)),
        case("xy", lambda lib, x, y, z: lib.meshgrid(x, y, z, indexing="xy"), ROW, FIVE, NUMBER,
             reference=lambda *x: tuple(np.meshgrid(*x))),
    ],
    "cartesian_prod": [
        *rearranged(lambda lib, x, y: lib.cartesian_prod(x, y), (3,), (2,), reference=_product),
        case("of one", lambda lib, x: lib.cartesian_prod(x * 2), ROW, reference=lambda x: 2 * x),
    ],
    "unravel_index": [
        case("matrix", lambda lib, i: lib.unravel_index(i, (3, 4)), PLACES,
             reference=lambda i: np.unravel_index(i, (3, 4)), **NOT),
    ],
    "combinations": [
        *rearranged(lambda lib, x: lib.combinations(x), (4,), reference=_chosen),
        case("of three", lambda lib, x: lib.combinations(x, 3), FIVE,
             reference=lambda x: _chosen(x, 3)),
        case("again", lambda lib, x: lib.combinations(x, 2, True), ROW,
             reference=lambda x: _chosen(x, 2, True)),
        case("too many", lambda lib, x: lib.combinations(x, 5), ROW,
             reference=lambda x: x[:0].reshape(0, 5)),
    ],
}  # fmt: skip

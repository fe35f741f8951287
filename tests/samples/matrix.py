"""Samples of matrices made of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import NONE, NUMBER, ROW, X, Z, case, rearranged
from samples.sample import Sample


def _embedded(x: Any, offset: int = 0) -> Any:
    n = x.shape[-1] + abs(offset)
    result = np.zeros((*x.shape[:-1], n, n), x.dtype)
    k = np.arange(x.shape[-1])
    result[..., k - min(offset, 0), k + max(offset, 0)] = x
    return result


def _blocks(*parts: Any) -> Any:
    parts = tuple(map(np.atleast_2d, parts))
    result = np.zeros(np.sum([p.shape for p in parts], 0), np.result_type(*parts))
    row = column = 0
    for p in parts:
        n, m = p.shape
        result[row : row + n, column : column + m] = p
        row, column = row + n, column + m
    return result


REFERENCE: dict[str, Any] = {
    "diag": np.diag,
    "diag_embed": _embedded,
    "diagflat": np.diagflat,
    "trace": np.trace,
    "tril": np.tril,
    "triu": np.triu,
    "block_diag": _blocks,
    "kron": np.kron,
    "vander": np.vander,
}

SAMPLES: dict[str, list[Sample]] = {
    "diag": [
        *rearranged(lambda lib, x: lib.diag(x), (3, 4)),
        case("above", lambda lib, x: lib.diag(x, 1), X),
        case("vector", lambda lib, x: lib.diag(x, -1), ROW),
    ],
    "diag_embed": [
        *rearranged(lambda lib, x: lib.diag_embed(x), (2, 3)),
        case("below", lambda lib, x: lib.diag_embed(x, -2), ROW),
        case("first dimensions", lambda lib, x: lib.diag_embed(x, 1, 0, 1), X,
             reference=lambda x: np.moveaxis(_embedded(x, 1), 0, -1)),
    ],
    "diagflat": [
        *rearranged(lambda lib, x: lib.diagflat(x), (2, 2)),
        case("above", lambda lib, x: lib.diagflat(x, 1), ROW),
        case("0-d", lambda lib, x: lib.diagflat(x), NUMBER),
    ],
    "trace": [
        *rearranged(lambda lib, x: lib.trace(x), (3, 4)),
        case("zero-size", lambda lib, x: lib.trace(x), NONE),
    ],
    "tril": [
        *rearranged(lambda lib, x: lib.tril(x), (3, 4)),
        case("above", lambda lib, x: lib.tril(x, 1), Z),
        case("outside", lambda lib, x: lib.tril(x, -9), X),
        case("zero-size", lambda lib, x: lib.tril(x), NONE),
    ],
    "triu": [
        *rearranged(lambda lib, x: lib.triu(x), (3, 4)),
        case("below", lambda lib, x: lib.triu(x, -1), Z),
        case("outside", lambda lib, x: lib.triu(x, 9), X),
    ],
    "block_diag": [
        *rearranged(lambda lib, x, y: lib.block_diag(x, y), (2, 3), (2,)),
        case("of one", lambda lib, x: lib.block_diag(x), X),
        case("numbers", lambda lib, x, y: lib.block_diag(x, y), NUMBER, PLANE((), 0)),
    ],
    "vander": [
        *rearranged(lambda lib, x: lib.vander(x), (3,)),
        case("some", lambda lib, x: lib.vander(x, 2), ROW),
        case("none", lambda lib, x: lib.vander(x, 0), ROW),
    ],
    "kron": [
        *rearranged(lambda lib, x, y: lib.kron(x, y), (2, 3), (2, 1)),
        case("vector", lambda lib, x, y: lib.kron(x, y), ANY((2, 3, 2), 0), ROW),
        case("0-d", lambda lib, x, y: lib.kron(x, y), NUMBER, ROW),
    ],
}  # fmt: skip

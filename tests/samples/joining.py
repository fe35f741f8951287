"""Samples of joining and dividing."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import NONE, NUMBER, ROW, X, case, rearranged
from samples.sample import Sample


def _split(x: Any, size: Any, dim: int = 0) -> Any:
    step = np.cumsum(size)[:-1] if isinstance(size, list) else range(size, x.shape[dim], size)
    return tuple(np.split(x, step, dim))


def _parts(parts: Any, dim: int = 0) -> Any:
    return lambda x: tuple(np.array_split(x, parts, dim))


REFERENCE: dict[str, Any] = {
    "cat": np.concatenate,
    "stack": np.stack,
    "split": _split,
    "chunk": lambda x, n, dim=0: _split(x, max(-(-x.shape[dim] // n), 1), dim),
    "unbind": lambda x, dim=0: tuple(np.moveaxis(x, dim, 0)),
}

SAMPLES: dict[str, list[Sample]] = {
    "cat": [
        *rearranged(lambda lib, x, y: lib.cat([x, y], 1), (3, 4), (3, 2)),
        case("zero-size", lambda lib, x, y: lib.cat([x, y]), NONE, ANY((2, 3), 0)),
        case("of one", lambda lib, x: lib.cat((x,), -1), X),
        case("twice", lambda lib, x: lib.cat((x, x), 0), X),
        case("complex with real", lambda lib, x, y: lib.cat((x, y)), PLANE((2,), 0), ANY((3,), 0)),
    ],
    "stack": [
        *rearranged(lambda lib, x, y: lib.stack([x, y], 1), (3, 4), (3, 4)),
        case("0-d", lambda lib, x, y: lib.stack((x, y)), NUMBER, ANY((), 1)),
        case("last", lambda lib, x, y: lib.stack((x, y), -1), X, ANY((3, 4), 0)),
        case("zero-size", lambda lib, x, y: lib.stack((x, y)), NONE, NONE),
    ],
    "split": [
        *rearranged(lambda lib, x: lib.split(x, 2), (5, 2)),
        case("sections", lambda lib, x: lib.split(x, [1, 3], 1), X),
        case("one part used", lambda lib, x: lib.split(x, 3, 1)[0], X),
    ],
    "chunk": [
        *rearranged(lambda lib, x: lib.chunk(x, 3), (5, 2)),
        case("last dim", lambda lib, x: lib.chunk(x, 2, -1), X),
    ],
    "unbind": [
        *rearranged(lambda lib, x: lib.unbind(x, 1), (3, 2)),
        case("vector", lambda lib, x: lib.unbind(x), ROW),
        case("iteration", lambda lib, x: list(x)[1] * 2, X),
    ],
    "tensor_split": [
        *rearranged(lambda lib, x: lib.tensor_split(x, 3), (5, 2), reference=_parts(3)),
        case("indices", lambda lib, x: lib.tensor_split(x, (1, 3), 1), X,
             reference=_parts([1, 3], 1)),
        case("in another order", lambda lib, x: lib.tensor_split(x, (2, 1), 1), X,
             reference=_parts([2, 1], 1)),
        case("more than there are", lambda lib, x: x.tensor_split(6, -1), X,
             reference=_parts(6, -1)),
    ],
    "split_with_sizes": rearranged(lambda lib, x: lib.split_with_sizes(x, [1, 3], 1), (3, 4),
                                   reference=_parts([1], 1)),
    "hsplit": [
        *rearranged(lambda lib, x: lib.hsplit(x, 2), (3, 4), reference=_parts(2, 1)),
        case("vector", lambda lib, x: lib.hsplit(x, [1]), ROW, reference=_parts([1])),
    ],
    "vsplit": rearranged(lambda lib, x: lib.vsplit(x, 3), (3, 4), reference=_parts(3)),
    "dsplit": rearranged(lambda lib, x: lib.dsplit(x, [1]), (2, 2, 4), reference=_parts([1], 2)),
    "unsafe_chunk": [case("ordinary", lambda lib, x: lib.unsafe_chunk(x, 2), X,
                          reference=lambda x: (x[:2], x[2:]))],
    "unsafe_split": rearranged(lambda lib, x: lib.unsafe_split(x, 2, 1), (3, 4),
                               reference=_parts(2, 1)),
    "unsafe_split_with_sizes": [
        case("ordinary", lambda lib, x: lib.unsafe_split_with_sizes(x, (1, 3), 1), X,
             reference=_parts([1], 1)),
    ],
}  # fmt: skip

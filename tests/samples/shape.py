"""Samples of shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import NONE, NUMBER, ROW, X, Z, case, rearranged
from samples.sample import Sample


def _flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    shape = x.shape or (1,)
    end = end_dim % len(shape)
    return x.reshape((*shape[:start_dim], math.prod(shape[start_dim : end + 1]), *shape[end + 1 :]))


REFERENCE: dict[str, Any] = {
    "reshape": np.reshape,
    "flatten": _flatten,
    "transpose": np.swapaxes,
    "t": np.transpose,
    "permute": np.transpose,
    "adjoint": lambda x: np.conj(np.swapaxes(x, -2, -1)),
    "squeeze": lambda x, dim=None: (
        x.squeeze() if dim is None else (x if x.shape == (3, 4) else x.squeeze(dim))
    ),
    "unsqueeze": np.expand_dims,
    "broadcast_to": np.broadcast_to,
}

SAMPLES: dict[str, list[Sample]] = {
    "resolve_neg": [case("ordinary", lambda lib, x: lib.resolve_neg(x) * 2, X,
                         reference=lambda x: 2 * x)],
    "view_as": [
        case("ordinary", lambda lib, x, y: x.view_as(y) * 2, X, ANY((2, 6), 0),
             reference=lambda x, y: 2 * x.reshape(2, 6)),
    ],
    "reshape_as": [
        case("transposed", lambda lib, x, y: x.reshape_as(y) * 2, X, ANY((2, 6), 0),
             reference=lambda x, y: 2 * x.reshape(2, 6), layout="transposed"),
    ],
    "expand_as": [
        case("ordinary", lambda lib, x, y: x.expand_as(y) * 2, ROW, X,
             reference=lambda x, y: 2 * np.broadcast_to(x, (3, 4))),
    ],
    "reshape": [
        *rearranged(lambda lib, x: lib.reshape(x, (2, 6)), (3, 4)),
        case("inferred", lambda lib, x: lib.reshape(x, (-1, 2)), X),
        case("same", lambda lib, x: lib.reshape(x, (3, 4)), X),
        case("zero-size", lambda lib, x: lib.reshape(x, (3, 0, 2)), NONE),
        case("0-d", lambda lib, x: lib.reshape(x, (1, 1)), NUMBER),
    ],
    "view": [
        case("ordinary", lambda lib, x: x.view(2, -1), X, reference=lambda x: x.reshape(2, -1)),
        case("as", lambda lib, x, y: x.view_as(y), X, ANY((2, 6), 0),
             reference=lambda x, y: x.reshape(2, 6)),
        case("sliced", lambda lib, x: x.view(3, 2, 2), X, layout="sliced",
             reference=lambda x: x.reshape(3, 2, 2)),
        case("reshape_as", lambda lib, x, y: x.reshape_as(y), X, ANY((2, 6), 0),
             reference=lambda x, y: x.reshape(2, 6)),
    ],
    "flatten": [
        *rearranged(lambda lib, x: lib.flatten(x), (2, 3, 4)),
        case("some", lambda lib, x: lib.flatten(x, 1, 2), Z),
        case("0-d", lambda lib, x: lib.flatten(x), NUMBER),
    ],
    "transpose": [
        *rearranged(lambda lib, x: lib.transpose(x, 0, -1), (2, 3, 4)),
        case("0-d", lambda lib, x: lib.transpose(x, 0, 0), NUMBER, reference=np.copy),
        case("mT", lambda lib, x: x.mT, Z, reference=lambda x: x.swapaxes(-2, -1)),
        case("mH", lambda lib, x: x.mH, PLANE((2, 3), 0), reference=lambda x: x.conj().T),
        case("H", lambda lib, x: x.H, PLANE((2, 3), 0), reference=lambda x: x.conj().T),
    ],
    "adjoint": [
        case("complex", lambda lib, x: x.adjoint(), PLANE((2, 3), 0),
             reference=lambda x: x.conj().T),
        case("real", lambda lib, x: x.adjoint(), Z, reference=lambda x: x.swapaxes(-2, -1)),
    ],
    "t": [
        *rearranged(lambda lib, x: lib.t(x), (3, 4)),
        case("vector", lambda lib, x: lib.t(x), ROW),
        case("0-d", lambda lib, x: lib.t(x), NUMBER),
    ],
    "permute": [
        *rearranged(lambda lib, x: lib.permute(x, (2, 0, 1)), (2, 3, 4)),
        case("T", lambda lib, x: x.T, X),
        case("zero-size", lambda lib, x: lib.permute(x, (1, 0)), NONE),
        case("0-d", lambda lib, x: lib.permute(x, ()), NUMBER),
    ],
    "squeeze": [
        *rearranged(lambda lib, x: lib.squeeze(x), (1, 3, 1)),
        case("dim", lambda lib, x: lib.squeeze(x, 0), ANY((1, 3, 1), 0)),
        case("dims", lambda lib, x: lib.squeeze(x, (0, 2)), ANY((1, 3, 1), 0)),
        case("of another size", lambda lib, x: lib.squeeze(x, 1), X),
        case("0-d", lambda lib, x: lib.squeeze(x), NUMBER),
    ],
    "unsqueeze": [
        *rearranged(lambda lib, x: lib.unsqueeze(x, 1), (3, 4)),
        case("last", lambda lib, x: lib.unsqueeze(x, -1), X),
        case("0-d", lambda lib, x: lib.unsqueeze(x, 0), NUMBER),
    ],
    "expand": [
        *rearranged(lambda lib, x: x.expand(2, -1, 4), (3, 1),
                    reference=lambda x: np.broadcast_to(x, (2, 3, 4))),
        case("0-d", lambda lib, x: x.expand(2, 3), NUMBER,
             reference=lambda x: np.broadcast_to(x, (2, 3))),
        case("zero-size", lambda lib, x: x.expand(0, 4), ROW,
             reference=lambda x: np.broadcast_to(x, (0, 4))),
        case("as", lambda lib, x, y: x.expand_as(y), ROW, X,
             reference=lambda x, y: np.broadcast_to(x, (3, 4))),
    ],
    "broadcast_to": rearranged(lambda lib, x: lib.broadcast_to(x, (2, 3, 4)), (3, 1)),
    "ravel": [
        *rearranged(lambda lib, x: lib.ravel(x), (3, 4), reference=np.ravel),
        case("0-d", lambda lib, x: lib.ravel(x), NUMBER, reference=np.ravel),
    ],
    "movedim": [
        *rearranged(lambda lib, x: lib.movedim(x, (0, 1), (-1, 0)), (2, 3, 4),
                    reference=lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
        case("one", lambda lib, x: x.movedim(0, 2), ANY((2, 3, 4), 0),
             reference=lambda x: np.moveaxis(x, 0, 2)),
    ],
    "unflatten": [
        case("inferred", lambda lib, x: lib.unflatten(x, -1, (2, -1)), X,
             reference=lambda x: x.reshape(*x.shape[:-1], 2, -1)),
        case("first", lambda lib, x: x.unflatten(0, [3, 1]), X,
             reference=lambda x: x.reshape(3, 1, *x.shape[1:])),
    ],
}  # fmt: skip

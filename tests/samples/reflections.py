"""Samples of products of reflections."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _product(a: Any, tau: Any) -> Any:
    rows = a.shape[-2]
    found = np.eye(rows, dtype=a.dtype)
    for k in range(tau.shape[-1]):
        v = np.concatenate([np.zeros(k), [1], a[k + 1 :, k]])
        found = found @ (np.eye(rows) - tau[k] * np.outer(v, v.conj()))
    return found


def _columns(a: Any, tau: Any) -> Any:
    return _product(a, tau)[:, : a.shape[1]]


TALL, TAU = ANY((4, 2), 4), np.array([0.5, 0.0])
PLANES, PHASES = PLANE((3, 2), 4) * 0.3, PLANE((2,), 1) * 0.3

SAMPLES: dict[str, list[Sample]] = {
    "linalg.householder_product": [
        case(name, lambda lib, a, t: lib.linalg.householder_product(a, t), a, t, reference=_columns)
        for name, a, t in (("tall", TALL, TAU), ("complex", PLANES, PHASES))
    ],
    "orgqr": [case("tall", lambda lib, a, t: lib.orgqr(a, t), TALL, TAU, reference=_columns)],
    "ormqr": [
        case("left", lambda lib, a, t, c: lib.ormqr(a, t, c), TALL, TAU, ANY((4, 2), 2),
             reference=lambda a, t, c: _product(a, t) @ c),
        case("adjoint", lambda lib, a, t, c: lib.ormqr(a, t, c, False, True), PLANES, PHASES,
             PLANE((2, 3), 2), reference=lambda a, t, c: c @ _product(a, t).conj().T),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

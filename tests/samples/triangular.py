"""Samples of equations by triangular matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.decompositions import COMPLEX, SQUARE, STACK, turned
from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _one(a: Any) -> Any:
    return np.tril(a, -1) + np.eye(a.shape[-1])


LARGE = ANY((50, 50), 1) * 0.02 + np.eye(50)

SAMPLES: dict[str, list[Sample]] = {
    "linalg.solve_triangular": [
        case("upper", lambda lib, a, b: lib.linalg.solve_triangular(a, b, upper=True), SQUARE,
             ANY((3, 2), 1), reference=lambda a, b: np.linalg.solve(np.triu(a), b)),
        case("lower", lambda lib, a, b: lib.linalg.solve_triangular(a, b, upper=False), STACK,
             ANY((3, 1, 2, 2), 1), reference=lambda a, b: np.linalg.solve(np.tril(a), b)),
        case("ones",
             lambda lib, a, b: lib.linalg.solve_triangular(a, b, upper=False, unitriangular=True),
             COMPLEX, PLANE((2, 1), 1), reference=lambda a, b: np.linalg.solve(_one(a), b)),
        case("on the right",
             lambda lib, a, b: lib.linalg.solve_triangular(a, b, upper=True, left=False), SQUARE,
             ANY((2, 3), 1), reference=lambda a, b: np.linalg.solve(np.triu(a).T, b.T).T),
        case("large", lambda lib, a, b: lib.linalg.solve_triangular(a, b, upper=True), LARGE,
             ANY((50, 1), 1), reference=lambda a, b: np.linalg.solve(np.triu(a), b)),
    ],
    "triangular_solve": [
        case("transpose", lambda lib, b, a: lib.triangular_solve(b, a, True, True)[0],
             ANY((3, 2), 1), SQUARE, reference=lambda b, a: np.linalg.solve(np.triu(a).T, b)),
    ],
    "cholesky_solve": [
        case("lower", lambda lib, b, a: lib.cholesky_solve(b, lib.linalg.cholesky(a @ a.mH)),
             ANY((3, 2), 1), SQUARE, reference=lambda b, a: np.linalg.solve(a @ a.T, b)),
        case("upper", lambda lib, b, a: lib.cholesky_solve(b, lib.cholesky(a @ a.mH, True), True),
             PLANE((2, 1), 1), COMPLEX,
             reference=lambda b, a: np.linalg.solve(a @ turned(a), b)),
    ],
    "cholesky_inverse": [
        case("lower", lambda lib, a: lib.cholesky_inverse(lib.linalg.cholesky(a @ a.mH)), SQUARE,
             reference=lambda a: np.linalg.inv(a @ a.T)),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

"""Samples of linear equations and inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.decompositions import COMPLEX, EACH, SQUARE, STACK, info, regular
from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _solve(lib: Any, a: Any, b: Any) -> Any:
    return lib.linalg.solve(a, b)


CUBE = regular((6, 6), 6).reshape(2, 3, 6)

SAMPLES: dict[str, list[Sample]] = {
    "inverse": [
        case(name, lambda lib, x: lib.inverse(x), x, reference=np.linalg.inv)
        for name, x in {**EACH, "zero-size": np.ones((2, 0, 0))}.items()
    ],
    "linalg.inv_ex": [
        case("stack", lambda lib, x: lib.linalg.inv_ex(x), STACK,
             reference=lambda x: (np.linalg.inv(x), info((2,)))),
    ],
    "linalg.solve": [
        case("matrices", _solve, SQUARE, ANY((3, 2), 1), reference=np.linalg.solve),
        case("vector", _solve, SQUARE, ANY((3,), 1), reference=np.linalg.solve),
        case("broadcast", _solve, STACK, ANY((3, 1, 2, 1), 1), reference=np.linalg.solve),
        case("vectors", _solve, STACK, ANY((2, 2), 1),
             reference=lambda a, b: np.linalg.solve(a, b[..., None])[..., 0]),
        case("complex", _solve, COMPLEX, PLANE((2, 1), 1), reference=np.linalg.solve),
        case("on the right", lambda lib, a, b: lib.linalg.solve(a, b, left=False), COMPLEX,
             PLANE((3, 2), 1), reference=lambda a, b: np.linalg.solve(a.T, b.T).T),
        case("zero-size", _solve, np.ones((2, 0, 0)), np.ones((2, 0, 1)),
             reference=np.linalg.solve),
    ],
    "linalg.solve_ex": [
        case("matrices", lambda lib, a, b: lib.linalg.solve_ex(a, b), SQUARE, ANY((3, 2), 1),
             reference=lambda a, b: (np.linalg.solve(a, b), info())),
    ],
    "linalg.tensorinv": [
        case("ind", lambda lib, x: lib.linalg.tensorinv(x, ind=2), CUBE.reshape(2, 3, 6),
             reference=lambda x: np.linalg.tensorinv(x, 2)),
    ],
    "linalg.tensorsolve": [
        case("dims", lambda lib, a, b: lib.linalg.tensorsolve(a, b), CUBE.reshape(2, 3, 6),
             ANY((2, 3), 1), reference=np.linalg.tensorsolve),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

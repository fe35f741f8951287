"""Samples of powers and exponentials of matrices, and of products of many."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.decompositions import COMPLEX, EACH, SQUARE, STACK
from samples.draw import ANY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _exponential(x: Any) -> Any:
    term = total = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)
    for k in range(1, 80):
        term = term @ x / k
        total = total + term
    return total


def _dots(lib: Any, *x: Any) -> Any:
    return lib.linalg.multi_dot(x)


SAMPLES: dict[str, list[Sample]] = {
    "matrix_power": [
        case(str(n), lambda lib, x, n=n: lib.matrix_power(x, n), x,
             reference=lambda x, n=n: np.linalg.matrix_power(x, n))
        for n, x in ((0, STACK), (1, SQUARE), (5, SQUARE), (-2, COMPLEX))
    ],
    "matrix_exp": [
        *(case(name, lambda lib, x: lib.matrix_exp(x), x * 0.5, reference=_exponential)
          for name, x in EACH.items()),
        case("large", lambda lib, x: lib.matrix_exp(x), SQUARE * -3, reference=_exponential),
        case("zero-size", lambda lib, x: lib.matrix_exp(x), np.ones((0, 2, 2)),
             reference=_exponential),
    ],
    "chain_matmul": [
        case(
            "four", lambda lib, *x: lib.chain_matmul(*x), ANY((2, 5), 0), ANY((5, 1), 1),
            ANY((1, 4), 2), ANY((4, 3), 3), reference=lambda *x: np.linalg.multi_dot(x),
        ),
    ],
    "linalg.multi_dot": [
        case("matrices", _dots, ANY((2, 3), 0), ANY((3, 1), 1), ANY((1, 4), 2),
             reference=lambda *x: np.linalg.multi_dot(x)),
        case("vectors", _dots, ANY((3,), 0), ANY((3, 2), 1), ANY((2,), 2),
             reference=lambda *x: np.asarray(np.linalg.multi_dot(x))),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

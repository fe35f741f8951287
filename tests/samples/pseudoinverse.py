"""Samples of generalized inverses, least squares and ranks."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.decompositions import COMPLEX, SQUARE, STACK, TALL, WIDE, turned
from samples.draw import ANY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

ALMOST = np.array([[1.0, 2.0, 0.5], [2.0, 4.0, 1.0], [1.0, 0.0, 3.0]])  # of rank 2


def _lstsq(lib: Any, a: Any, b: Any) -> Any:
    return lib.linalg.lstsq(a, b)[0]


def _reference(a: Any, b: Any) -> Any:
    return np.linalg.pinv(a) @ b


SAMPLES: dict[str, list[Sample]] = {
    "linalg.pinv": [
        *(case(name, lambda lib, x: lib.linalg.pinv(x), x, reference=np.linalg.pinv)
          for name, x in {"tall": TALL, "wide": WIDE, "stack": STACK, "complex": COMPLEX}.items()),
        case("rank", lambda lib, x: lib.linalg.pinv(x[:, :1] @ x[:1], rtol=1e-4), SQUARE,
             reference=lambda x: np.linalg.pinv(x[:, :1] @ x[:1])),
        case("hermitian", lambda lib, x: lib.linalg.pinv(x + x.mH, hermitian=True), COMPLEX,
             reference=lambda x: np.linalg.pinv(x + turned(x))),
    ],
    "pinverse": [
        case("tall", lambda lib, x: lib.pinverse(x), TALL, reference=np.linalg.pinv),
    ],
    "linalg.lstsq": [
        case("tall", _lstsq, TALL, ANY((4, 2), 1), reference=_reference),
        case("wide", _lstsq, WIDE, ANY((2,), 1), reference=_reference),
        case("all", lambda lib, a, b: tuple(lib.linalg.lstsq(a, b, driver="gels"))[:2], TALL,
             ANY((4, 2), 1),
             reference=lambda a, b: (
                 _reference(a, b), ((a @ _reference(a, b) - b) ** 2).sum(0))),
        case("rank and values",
             lambda lib, a, b: lib.linalg.lstsq(a.detach(), b.detach(), driver="gelsd")[2:], TALL,
             ANY((4, 2), 1), differentiable=False,
             reference=lambda a, b: (np.asarray(2), np.linalg.svd(a, compute_uv=False))),
    ],
    "linalg.matrix_rank": [
        case("rank 2", lambda lib, x: lib.linalg.matrix_rank(x), ALMOST, differentiable=False,
             reference=lambda x: np.asarray(np.linalg.matrix_rank(x, rtol=1e-5))),
        case("hermitian", lambda lib, x: lib.linalg.matrix_rank(x, hermitian=True, atol=0.5),
             np.diag([2.0, 0.1]), differentiable=False, reference=lambda x: np.asarray(1)),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

"""Samples of sums, differences and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import ROW, X, case, named, pointwise
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "add": lambda x, y, alpha=1: x + alpha * y,
    "sub": lambda x, y, alpha=1: x - alpha * y,
    "rsub": lambda x, y, alpha=1: y - alpha * x,
    "mul": np.multiply,
    "neg": np.negative,
}

SAMPLES: dict[str, list[Sample]] = {
    "add": [
        *named("add", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x + y, X, ROW),
        case("number right", lambda lib, x: x + 2, X),
        case("number left", lambda lib, x: 2.5 + x, X),
        case("alpha", lambda lib, x, y: lib.add(x, y, alpha=3), X, ROW),
        case("itself", lambda lib, x: x + x, X),
    ],
    "sub": [
        *named("sub", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x - y, X, ROW),
        case("number right", lambda lib, x: x - 2, X),
        case("number left", lambda lib, x: 2.5 - x, X),
        case("alpha", lambda lib, x, y: lib.sub(x, y, alpha=3), X, ROW),
    ],
    "rsub": [
        *named("rsub", ANY, ANY),
        case("alpha", lambda lib, x, y: lib.rsub(x, y, alpha=3), X, ROW),
    ],
    "mul": [
        *named("mul", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x * y, X, ROW),
        case("number right", lambda lib, x: x * 3, X),
        case("number left", lambda lib, x: 2.5 * x, X),
        case("complex number", lambda lib, x: x * (1 + 2j), PLANE((3,), 0)),
        case("itself", lambda lib, x: x * x, X),
    ],
    "neg": [*named("neg", ANY, planes=(PLANE,)), case("operator", lambda lib, x: -x, X)],
    "positive": pointwise(
        lambda lib, x: lib.positive(x) * 2, ANY, planes=[PLANE], reference=lambda x: x * 2
    ),
}  # fmt: skip

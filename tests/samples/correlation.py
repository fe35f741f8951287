"""Samples of covariances and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import PLANE, POSITIVE
from samples.family import X, case, single
from samples.sample import Sample

_OFTEN, _COUNT = np.array([1, 3, 0, 2]), POSITIVE((4,), 0)

REFERENCE: dict[str, Any] = {"cov": np.cov, "corrcoef": np.corrcoef}

SAMPLES: dict[str, list[Sample]] = {
    "cov": single([
        case("ordinary", lambda lib, x: lib.cov(x), X),
        case("complex", lambda lib, x: lib.cov(x), PLANE((3, 4), 0)),
        case("of one", lambda lib, x: lib.cov(x), X[0]),
        case("biased", lambda lib, x: lib.cov(x, correction=0), X,
             reference=lambda x: np.cov(x, ddof=0)),
        case("fweights", lambda lib, x, f: lib.cov(x, fweights=f), X, _OFTEN,
             reference=lambda x, f: np.cov(x, fweights=f)),
        case("aweights", lambda lib, x, a: lib.cov(x, aweights=a), X, _COUNT,
             reference=lambda x, a: np.cov(x, aweights=a)),
        case("both weights", lambda lib, x, f, a: lib.cov(x, fweights=f, aweights=a), X, _OFTEN,
             _COUNT, reference=lambda x, f, a: np.cov(x, fweights=f, aweights=a)),
    ]),
    "corrcoef": single([
        case("ordinary", lambda lib, x: lib.corrcoef(x), X),
        case("complex", lambda lib, x: lib.corrcoef(x), PLANE((3, 4), 0)),
        case("of one", lambda lib, x: lib.corrcoef(x) * x, X[0],
             reference=lambda x: np.ones(()) * x),
    ]),
}  # fmt: skip

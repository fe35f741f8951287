"""Samples of variances and standard deviations."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import (
    X,
    case,
    reduction,
)
from samples.sample import Sample


def _spread(function: Any) -> Any:
    def reference(
        x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False,
        correction: float | None = None,
    ) -> Any:  # fmt: skip
        ddof = int(unbiased) if correction is None else correction
        return function(x, axis=dim, keepdims=keepdim, ddof=ddof)

    return reference


REFERENCE: dict[str, Any] = {
    "var": _spread(np.var),
    "std": _spread(np.std),
}

SAMPLES: dict[str, list[Sample]] = {
    "var": [
        *(s for s in reduction("var", ANY, PLANE) if s.name != "0-d"),
        case("correction", lambda lib, x: lib.var(x, 1, correction=2), X),
        case("biased", lambda lib, x: lib.var(x, 1, unbiased=False), X),
    ],
    "std": [
        *(s for s in reduction("std", ANY, PLANE) if s.name != "0-d"),
        case("correction", lambda lib, x: lib.std(x, 1, correction=0), X),
        case("biased", lambda lib, x: lib.std(x, 1, False, True), X),
    ],
    **{f"{name}_mean": [
        case("all", lambda lib, x, name=name: getattr(lib, f"{name}_mean")(x), X,
             reference=lambda x, spread=spread: (spread(x, ddof=1), x.mean())),
        case("dim", lambda lib, x, name=name: getattr(lib, f"{name}_mean")(x, 0, keepdim=True), X,
             reference=lambda x, spread=spread: (spread(x, 0, ddof=1, keepdims=True),
                                                 x.mean(0, keepdims=True))),
        case("biased", lambda lib, x, name=name: getattr(lib, f"{name}_mean")(x, False), X,
             reference=lambda x, spread=spread: (spread(x), x.mean())),
    ] for name, spread in (("var", np.var), ("std", np.std))},
}  # fmt: skip

"""Samples of logarithms of sums of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, RIGHT
from samples.family import (
    NUMBER,
    case,
    reduced,
    reduction,
)
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "logsumexp": reduced(np.logaddexp.reduce),
}

SAMPLES: dict[str, list[Sample]] = {
    "logsumexp": [
        *(case(str(s), s.function, *s.inputs, layout=s.layout)
          for s in reduction("logsumexp", ANY) if s.name not in ("all", "sliced all", "0-d")),
        case("0-d", lambda lib, x: lib.logsumexp(x, 0), NUMBER, reference=np.copy),
        case("complex", lambda lib, x: lib.logsumexp(x, 1), RIGHT((3, 4), 0),
             reference=lambda x: np.log(np.exp(x).sum(1))),
        case("far out", lambda lib, x: lib.logsumexp(x, 1),
             np.array([[1000.0, 999.0, 998.0], [-1000.0, -1001.0, -999.0]])),
    ],
}  # fmt: skip

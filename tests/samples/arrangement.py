"""Samples of other orders and of repetitions."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import NONE, NOT, NUMBER, ROW, X, Z, case, rearranged
from samples.sample import Sample

REFERENCE: dict[str, Any] = {"roll": np.roll, "rot90": np.rot90, "tile": np.tile}

COUNTS = np.array([2, 0, 3])

SAMPLES: dict[str, list[Sample]] = {
    "roll": [
        *rearranged(lambda lib, x: lib.roll(x, 1, 1), (3, 4)),
        case("as a vector", lambda lib, x: lib.roll(x, 5), X),
        case("several", lambda lib, x: lib.roll(x, (1, -5), (0, 2)), Z),
        case("zero-size", lambda lib, x: lib.roll(x, 1, 0), NONE),
        case("0-d", lambda lib, x: lib.roll(x, 2), NUMBER),
    ],
    "rot90": [
        *rearranged(lambda lib, x: lib.rot90(x), (3, 4)),
        case("backwards", lambda lib, x: lib.rot90(x, -1, (2, 0)), Z),
        case("twice", lambda lib, x: lib.rot90(x, 2), X),
        case("not at all", lambda lib, x: lib.rot90(x, 4), X),
    ],
    "fliplr": rearranged(lambda lib, x: lib.fliplr(x), (3, 4), reference=np.fliplr),
    "flipud": rearranged(lambda lib, x: lib.flipud(x), (3, 4), reference=np.flipud),
    "repeat": [
        *rearranged(lambda lib, x: x.repeat(2, 1, 3), (3, 4),
                    reference=lambda x: np.tile(x, (2, 1, 3))),
        case("never", lambda lib, x: x.repeat(0, 2), X, reference=lambda x: np.tile(x, (0, 2))),
        case("0-d", lambda lib, x: x.repeat(3), NUMBER, reference=lambda x: np.tile(x, 3)),
    ],
    "tile": [
        *rearranged(lambda lib, x: lib.tile(x, (2,)), (3, 4)),
        case("more dimensions", lambda lib, x: lib.tile(x, (2, 1, 2)), ROW),
    ],
    "repeat_interleave": [
        *rearranged(lambda lib, x: lib.repeat_interleave(x, 2, 1), (3, 4),
                    reference=lambda x: np.repeat(x, 2, 1)),
        case("as a vector", lambda lib, x: lib.repeat_interleave(x, 3), X,
             reference=lambda x: np.repeat(x, 3)),
        case("each", lambda lib, x, n: lib.repeat_interleave(x, n, dim=0), X, COUNTS,
             reference=lambda x, n: np.repeat(x, COUNTS, 0)),
        case("one for all", lambda lib, x, n: lib.repeat_interleave(x, n, dim=-1), X,
             np.array([2]), reference=lambda x, n: np.repeat(x, 2, -1)),
        case("numbers", lambda lib, n: lib.repeat_interleave(n), COUNTS,
             reference=lambda n: np.array([0, 0, 2, 2, 2]), **NOT),
        case("never", lambda lib, x: lib.repeat_interleave(x, 0, 0), ANY((2, 3), 0),
             reference=lambda x: np.repeat(x, 0, 0)),
    ],
}  # fmt: skip

"""Samples of operations on bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import truth, whole
from samples.family import NOT, case, named
from samples.sample import Sample


def _bits(name: str, symbol: str) -> list[Sample]:
    operator: Any = eval(f"lambda lib, x, y: x {symbol} y")
    return [
        *named(name, whole(-9, 9), whole(-9, 9), **NOT),
        case("of bools", operator, truth((3, 4), 0), truth((4,), 1), **NOT),
    ]


REFERENCE: dict[str, Any] = {
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.bitwise_not,
}

SAMPLES: dict[str, list[Sample]] = {
    "bitwise_and": _bits("bitwise_and", "&"),
    "bitwise_or": _bits("bitwise_or", "|"),
    "bitwise_xor": _bits("bitwise_xor", "^"),
    "bitwise_not": [
        *named("bitwise_not", whole(-9, 9), **NOT),
        case("of bools", lambda lib, x: ~x, truth((3, 4)), **NOT),
    ],
    "invert": [
        case("integers", lambda lib, x: ~x, whole(-9, 9)((3, 4), 0), reference=np.invert, **NOT),
        case("of bools", lambda lib, x: ~x, truth((3, 4), 0), reference=np.invert, **NOT),
    ],
}  # fmt: skip

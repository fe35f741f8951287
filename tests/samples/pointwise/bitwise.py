"""Samples of operations on bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    truth,
    whole,
)
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
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "gcd": np.gcd,
    "lcm": np.lcm,
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
    **{name: [
        *named(name, whole(-9, 9), whole(0, 5), **NOT),
        case("operator", operator, whole(-9, 9)((3, 4), 0), np.array([0, 3, 64, -1]), **NOT),
        case("number left", reflected, np.array([0, 3, 64, -1]), **NOT),
    ] for name, operator, reflected in (
        ("bitwise_left_shift", lambda lib, x, y: x << y, lambda lib, x: 5 << x),
        ("bitwise_right_shift", lambda lib, x, y: x >> y, lambda lib, x: -5 >> x))},
    "gcd": named("gcd", whole(-30, 30), whole(-30, 30), **NOT),
    "lcm": named("lcm", whole(-30, 30), whole(-30, 30), **NOT),
}  # fmt: skip

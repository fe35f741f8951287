"""Samples of comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import (
    ANY,
    around,
    lattice,
    whole,
)
from samples.family import INDICES, NOT, STRANGE, case, named
from samples.sample import Sample


def _compared(name: str) -> list[Sample]:
    few = lattice(0, 2)  # so that equal numbers occur
    symbol = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}[name]
    operator: Any = eval(f"lambda lib, x, y: x {symbol} y")
    number: Any = eval(f"lambda lib, x: x {symbol} 0")
    return [
        *named(name, few, few, **NOT),
        case("nan", operator, STRANGE, STRANGE[::-1], **NOT),
        case("number", number, few((3, 4), 0), **NOT),
        case("integers", operator, whole(-2, 2)((3, 4), 0), whole(-2, 2)((4,), 1), **NOT),
    ]


REFERENCE: dict[str, Any] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isreal": np.isreal,
    "isfinite": np.isfinite,
    "isposinf": np.isposinf,
    "isneginf": np.isneginf,
}

SAMPLES: dict[str, list[Sample]] = {
    **{name: _compared(name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{name: [
        *named(name, ANY, **NOT),
        case("strange", lambda lib, x, name=name: getattr(lib, name)(x), STRANGE, **NOT),
    ] for name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf")},
    "isreal": [
        *named("isreal", around(ANY, lattice(0, 2)), **NOT),
        case("of real", lambda lib, x: lib.isreal(x), STRANGE, **NOT),
        case("of integers", lambda lib, x: lib.isreal(x), INDICES, **NOT),
    ],

}  # fmt: skip

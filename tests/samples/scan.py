"""Samples of cumulative sums, products and extrema."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import AWAY, around, distinct, lattice, truth, uniform, whole
from samples.family import INDICES, NONE, NOT, NUMBER, STRANGE, X, Z, case, rearranged
from samples.sample import Sample


def _extreme(ufunc: Any) -> Any:
    def reference(x: Any, axis: int) -> Any:
        values = ufunc.accumulate(x, axis)
        shape = [-1 if k == axis % x.ndim else 1 for k in range(x.ndim)]
        here = ((x == values) | np.isnan(x)) * np.arange(x.shape[axis]).reshape(shape)
        return values, np.maximum.accumulate(here, axis)

    return reference


def _logcumsumexp(x: Any, axis: int) -> Any:
    if x.dtype.kind == "c":
        return np.log(np.cumsum(np.exp(x), axis))
    return np.logaddexp.accumulate(x, axis)


# Rows of which a step is taken in all, and one that is divided into parts.
_LONG = uniform(-1, 1)((3, 80), 0)

_ZEROS = np.array([[2.0, 0.0, 3.0, -1.5], [0.0, 0.5, 0.0, 2.0], [1.0, 2.0, -3.0, 0.0]])

REFERENCE: dict[str, Any] = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "cummax": _extreme(np.maximum),
    "cummin": _extreme(np.minimum),
    "logcumsumexp": _logcumsumexp,
}

SAMPLES: dict[str, list[Sample]] = {
    "cumsum": [
        *rearranged(lambda lib, x: lib.cumsum(x, 1), (3, 4)),
        case("first dim", lambda lib, x: x.cumsum(0), Z),
        case("negative dim", lambda lib, x: x.cumsum(-2), Z),
        case("integers", lambda lib, x: lib.cumsum(x, 0), INDICES, **NOT),
        case("0-d", lambda lib, x: lib.cumsum(x, 0) * 2, NUMBER, reference=lambda x: x * 2),
        case("zero-size", lambda lib, x: x.cumsum(0), NONE),
    ],
    "cumprod": [
        *rearranged(lambda lib, x: lib.cumprod(x, 1), (3, 4)),
        case("zeros", lambda lib, x: lib.cumprod(x, 1), _ZEROS),
        case("first dim", lambda lib, x: x.cumprod(0), AWAY((2, 3, 4), 0)),
        case("long", lambda lib, x: lib.cumprod(x, 1), 1 + 0.1 * _LONG, half=False),
        case("long of zeros", lambda lib, x: lib.cumprod(x, 1), np.round(_LONG, 1), half=False),
        case("integers", lambda lib, x: lib.cumprod(x, 0), whole(-3, 4)((3, 4), 0), **NOT),
        case("dtype", lambda lib, x: lib.cumprod(x, 0, dtype=lib.float64), X,
             reference=lambda x: np.cumprod(x, 0)),
        case("0-d", lambda lib, x: lib.cumprod(x, 0) * 2, NUMBER, reference=lambda x: x * 2),
        case("zero-size", lambda lib, x: x.cumprod(0), NONE),
    ],
    **{name: [
        case("ordinary", lambda lib, x, name=name: getattr(lib, name)(x, 1), distinct((3, 4))),
        case("first dim", lambda lib, x, name=name: getattr(lib, name)(x, 0), distinct((5, 3, 2))),
        case("transposed", lambda lib, x, name=name: getattr(lib, name)(x, -1), distinct((3, 4)),
             layout="transposed"),
        case("long", lambda lib, x, name=name: getattr(lib, name)(x, 1), distinct((2, 80))),
        case("integers", lambda lib, x, name=name: getattr(lib, name)(x, 0), INDICES, **NOT),
        case("bools", lambda lib, x, name=name: getattr(lib, name)(x, 1), truth((3, 4)), **NOT),
        case("nan", lambda lib, x, name=name: getattr(lib, name)(x.detach(), 1),
             STRANGE, reference=lambda x, name=name: REFERENCE[name](x, 1), **NOT),
        case("0-d", lambda lib, x, name=name: getattr(lib, name)(x, 0), NUMBER,
             reference=lambda x: (x, np.int64(0))),
    ] for name in ("cummax", "cummin")},
    "logcumsumexp": [
        case("ordinary", lambda lib, x: lib.logcumsumexp(x, 1), X),
        case("first dim", lambda lib, x: lib.logcumsumexp(x, 0), Z),
        case("transposed", lambda lib, x: lib.logcumsumexp(x, -1), X, layout="transposed"),
        case("long", lambda lib, x: lib.logcumsumexp(x, 1), _LONG),
        case("far out", lambda lib, x: lib.logcumsumexp(x.detach(), 1),
             np.array([[1000.0, 999.0, 1001.0], [-1000.0, -1001.0, -999.0]]),
             reference=lambda x: np.logaddexp.accumulate(x, 1), **NOT),
        case("infinite", lambda lib, x: lib.logcumsumexp(x.detach(), 0),
             np.array([-math.inf, -math.inf, 0.5, -math.inf, 1.0]),
             reference=np.logaddexp.accumulate, **NOT),
        case("complex", lambda lib, x: lib.logcumsumexp(x, 0),
             around(lattice(0.03), uniform(-0.5, 0.5))((5, 2), 0)),
        case("0-d", lambda lib, x: lib.logcumsumexp(x, 0) * 2, NUMBER, reference=lambda x: x * 2),
    ],
}  # fmt: skip

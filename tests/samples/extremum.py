"""Samples of maxima and minima."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import distinct, lattice
from samples.family import (
    INDICES,
    NOT,
    STRANGE,
    case,
    reduced,
    reduction,
)
from samples.sample import Sample


def _extremum(values: Any, positions: Any, elementwise: Any) -> Any:
    def reference(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, np.ndarray):
            return elementwise(x, dim)
        if dim is None:
            return values(x)
        if not x.ndim:
            return x, np.int64(0)
        return values(x, axis=dim, keepdims=keepdim), positions(x, axis=dim, keepdims=keepdim)

    return reference


_EXTREMA = {
    name: [
        *reduction(name, distinct, tuples=False),
        case("method", lambda lib, x, name=name: getattr(lib, name)(x, 0)[0], distinct((3, 2))),
        case("of two", lambda lib, x, y, name=name: getattr(lib, name)(x, y),
             lattice(0.02)((3, 1), 0), lattice(0.07)((4,), 1)),
        case("0-d dim", lambda lib, x, name=name: getattr(lib, name)(x, 0), distinct(())),
    ]
    for name in ("max", "min")
}  # fmt: skip


def _both(options: Any) -> Any:
    axis, keeps = options.get("dim"), options.get("keepdim", False)
    return lambda x: (x.min(axis, keepdims=keeps), x.max(axis, keepdims=keeps))


REFERENCE: dict[str, Any] = {
    "max": _extremum(np.max, np.argmax, np.maximum),
    "min": _extremum(np.min, np.argmin, np.minimum),
    "amax": reduced(np.max),
    "amin": reduced(np.min),
    "argmax": lambda x, dim=None, keepdim=False: np.argmax(x, axis=dim, keepdims=keepdim),
    "argmin": lambda x, dim=None, keepdim=False: np.argmin(x, axis=dim, keepdims=keepdim),
}

SAMPLES: dict[str, list[Sample]] = {
    "amax": reduction("amax", distinct),
    "amin": reduction("amin", distinct),
    **_EXTREMA,
    **{name: [
        *reduction(name, distinct, tuples=False, **NOT),
        case("integers", lambda lib, x, name=name: getattr(lib, name)(x), INDICES, **NOT),
        case("nan", lambda lib, x, name=name: getattr(lib, name)(x, 1), STRANGE, **NOT),
    ] for name in ("argmax", "argmin")},
    "aminmax": [
        case(name, lambda lib, x, options=options: lib.aminmax(x, **options), distinct((3, 4)),
             reference=_both(options))
        for name, options in (("all", {}), ("dim", {"dim": 0}), ("keepdim", {"dim": 1, "keepdim":
                              True}))
    ],
}  # fmt: skip

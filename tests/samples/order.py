"""Samples of sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import distinct, whole
from samples.family import NOT, case
from samples.sample import LAYOUTS, Sample


def _along(find: Any) -> Any:
    """Return a reference of values and places from a function that finds the places."""

    def reference(x: Any, *args: Any, **kwargs: Any) -> Any:
        places, axis = find(np.atleast_1d(x), *args, **kwargs)
        values = np.take_along_axis(np.atleast_1d(x), places, axis)
        return (values, places) if x.ndim else (values.reshape(()), places.reshape(()))

    return reference


def _sorted(x: Any, dim: int = -1, descending: bool = False, stable: Any = None) -> Any:
    return np.argsort(-x if descending else x, dim, kind="stable"), dim


def _top(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    places, _ = _sorted(x, dim, largest)
    return np.take(places, np.arange(k), dim), dim


def layouts(function: Any) -> list[Sample]:
    return [case(layout, function, distinct((3, 4)), layout=layout) for layout in LAYOUTS]


LONG = distinct((3, 300))  # more than are sorted in NumPy's own stable way
TIES = whole(-3, 4)((400,), 0)
NANS = np.where(np.arange(600) % 7 == 0, np.nan, np.arange(600) % 5)

REFERENCE: dict[str, Any] = {
    "sort": _along(_sorted),
    "msort": lambda x: np.sort(x, 0),
    "argsort": lambda x, **options: _sorted(x, **options)[0],
    "topk": _along(_top),
}

SAMPLES: dict[str, list[Sample]] = {
    "sort": [
        *layouts(lambda lib, x: lib.sort(x)),
        case("descending", lambda lib, x: lib.sort(x, 0, True), distinct((3, 4))),
        case("stable", lambda lib, x: lib.sort(x, stable=True), distinct((5,))),
        case("long", lambda lib, x: lib.sort(x, dim=1, descending=True), LONG, half=False),
        case("integers", lambda lib, x: lib.sort(x, descending=True, stable=True), TIES, **NOT),
        case("large integers", lambda lib, x: lib.sort(x, descending=True, stable=True),
             np.concatenate([TIES, TIES * 2**60]), **NOT),
        case("bools", lambda lib, x: lib.sort(x, stable=True), TIES > 0, **NOT),
        case("nans", lambda lib, x: lib.argsort(x, stable=True), NANS,
             reference=lambda x: np.argsort(x, kind="stable"), **NOT),
        case("nans descending", lambda lib, x: lib.argsort(x, descending=True, stable=True), NANS,
             reference=lambda x: np.argsort(np.where(np.isnan(x), -9, -x), kind="stable"), **NOT),
        case("0-d", lambda lib, x: lib.sort(x), distinct(())),
        case("zero-size", lambda lib, x: lib.sort(x, 1), distinct((3, 0))),
    ],
    "msort": layouts(lambda lib, x: lib.msort(x)),
    "argsort": [
        case("ordinary", lambda lib, x: lib.argsort(x), distinct((3, 4)), **NOT),
        case("descending", lambda lib, x: x.argsort(dim=0, descending=True), distinct((40,)), **NOT,
             reference=lambda x: np.argsort(-x, kind="stable")),
    ],
    "topk": [
        *layouts(lambda lib, x: lib.topk(x, 2)),
        case("smallest", lambda lib, x: lib.topk(x, 2, 0, largest=False), distinct((3, 4))),
        case("of many", lambda lib, x: lib.topk(x, 3), LONG, half=False),
        case("smallest of many", lambda lib, x: x.topk(3, largest=False), LONG, half=False,
             reference=lambda x: _along(_top)(x, 3, largest=False)),
        case("none", lambda lib, x: lib.topk(x, 0), LONG, half=False),
        case("0-d", lambda lib, x: lib.topk(x, 1), distinct(())),
    ],
}  # fmt: skip

"""Samples of reductions."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE, RIGHT, distinct, lattice, truth, whole
from samples.family import (
    INDICES,
    NONE,
    NOT,
    NUMBER,
    STRANGE,
    X,
    Z,
    case,
    named,
    rearranged,
    reduction,
)
from samples.sample import Sample


def _reduced(function: Any) -> Any:
    def reference(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        return function(x, axis=dim or (None if dim == () else dim), keepdims=keepdim)

    return reference


def _spread(function: Any) -> Any:
    def reference(
        x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False,
        correction: float | None = None,
    ) -> Any:  # fmt: skip
        ddof = int(unbiased) if correction is None else correction
        return function(x, axis=dim, keepdims=keepdim, ddof=ddof)

    return reference


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


def _norm(x: Any, p: Any = 2.0, dim: Any = None, keepdim: bool = False) -> Any:
    size = np.abs(x)
    if p in (math.inf, -math.inf):
        return (np.max if p > 0 else np.min)(size, axis=dim, keepdims=keepdim)
    if p == 0:
        return np.sum((size != 0).astype(size.dtype), axis=dim, keepdims=keepdim)
    p = 2.0 if p == "fro" else p
    return np.sum(size**p, axis=dim, keepdims=keepdim) ** (1 / p)


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


REFERENCE: dict[str, Any] = {
    "cumsum": np.cumsum,
    "isclose": np.isclose,
    "sum": _reduced(np.sum),
    "mean": _reduced(np.mean),
    "prod": _reduced(np.prod),
    "amax": _reduced(np.max),
    "amin": _reduced(np.min),
    "all": _reduced(np.all),
    "any": _reduced(np.any),
    "argmax": lambda x, dim=None, keepdim=False: np.argmax(x, axis=dim, keepdims=keepdim),
    "argmin": lambda x, dim=None, keepdim=False: np.argmin(x, axis=dim, keepdims=keepdim),
    "max": _extremum(np.max, np.argmax, np.maximum),
    "min": _extremum(np.min, np.argmin, np.minimum),
    "var": _spread(np.var),
    "std": _spread(np.std),
    "norm": _norm,
    "logsumexp": _reduced(np.logaddexp.reduce),
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
    "isclose": [
        *named("isclose", whole(-1, 2), whole(-1, 2), **NOT),
        case("strange", lambda lib, x: lib.isclose(x, 0 * x, equal_nan=True), STRANGE,
             **NOT),
        case("tolerances", lambda lib, x, y: lib.isclose(x, y, rtol=0.25, atol=0.5),
             whole(-4, 5)((3, 4), 0), whole(-4, 5)((4,), 1), **NOT),
        case("complex", lambda lib, x, y: lib.isclose(x, y, rtol=0.5),
             PLANE((3, 4), 0), PLANE((3, 4), 1), **NOT),
    ],
    "sum": [
        *reduction("sum", ANY, PLANE),
        case("zero-size all", lambda lib, x: lib.sum(x), NONE),
        case("dtype", lambda lib, x: lib.sum(x, dtype=lib.float64), X),
        case("dim dtype", lambda lib, x: lib.sum(x, 0, dtype=lib.float32), X, coarse=True),
        case("integers", lambda lib, x: lib.sum(x, 0), whole(-9, 9)((3, 4), 0), **NOT),
        case("bools", lambda lib, x: lib.sum(x), truth((3, 4)), **NOT),
        case("all dims", lambda lib, x: lib.sum(x, ()), X),
    ],
    "mean": [
        *reduction("mean", ANY, PLANE),
        case("dtype", lambda lib, x: lib.mean(x, dtype=lib.float64), X),
        case("dim dtype", lambda lib, x: lib.mean(x, 0, dtype=lib.float32), X, coarse=True),
    ],
    "prod": [
        *reduction("prod", AWAY, PLANE, tuples=False),
        case("zero-size all", lambda lib, x: lib.prod(x), NONE),
        case("zeros", lambda lib, x: lib.prod(x, 1),
             np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.0, 2.0, -3.0]])),
        case("of one", lambda lib, x: lib.prod(x, 1), ANY((3, 1), 0)),
        case("of five", lambda lib, x: lib.prod(x), AWAY((5,), 0)),
        case("dtype", lambda lib, x: lib.prod(x, dtype=lib.float64), X),
        case("integers", lambda lib, x: lib.prod(x, 0), whole(-4, 4)((3, 4), 0), **NOT),
    ],
    **_EXTREMA,
    "amax": reduction("amax", distinct),
    "amin": reduction("amin", distinct),
    **{name: [
        *reduction(name, distinct, tuples=False, **NOT),
        case("integers", lambda lib, x, name=name: getattr(lib, name)(x), INDICES, **NOT),
        case("nan", lambda lib, x, name=name: getattr(lib, name)(x, 1), STRANGE, **NOT),
    ] for name in ("argmax", "argmin")},
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
    "norm": [
        *(case(f"{s}", lambda lib, x, s=s: s.function(SimpleNamespace(
            norm=lambda x, dim=None, keepdim=False: lib.norm(x, dim=dim, keepdim=keepdim)), x),
            *s.inputs, layout=s.layout) for s in reduction("norm", AWAY, PLANE)),
        *(case(f"order {p}", lambda lib, x, p=p: lib.norm(x, p, 1), distinct((3, 4)))
          for p in (0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf)),
        *(case(f"complex order {p}", lambda lib, x, p=p: lib.norm(x, p), PLANE((3,), 0))
          for p in (1, 3, math.inf)),
    ],
    "logsumexp": [
        *(case(str(s), s.function, *s.inputs, layout=s.layout)
          for s in reduction("logsumexp", ANY) if s.name not in ("all", "sliced all", "0-d")),
        case("0-d", lambda lib, x: lib.logsumexp(x, 0), NUMBER, reference=np.copy),
        case("complex", lambda lib, x: lib.logsumexp(x, 1), RIGHT((3, 4), 0),
             reference=lambda x: np.log(np.exp(x).sum(1))),
        case("far out", lambda lib, x: lib.logsumexp(x, 1),
             np.array([[1000.0, 999.0, 998.0], [-1000.0, -1001.0, -999.0]])),
    ],
    "all": reduction("all", lattice(0, 2), **NOT),
    "any": reduction("any", lattice(0, 2), **NOT),
}  # fmt: skip

"""Samples of elements that are put together at the places which an index names."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE, distinct
from samples.family import EACH, INDICES, NUMBER, PLACES, X, case, placed, rearranged
from samples.sample import Sample

FUNCTIONS = {
    "sum": np.add,
    "mean": np.add,
    "prod": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
}
FIRST = {"sum": 0, "mean": 0, "prod": 1, "amax": -np.inf, "amin": np.inf}


def reduced(way: str, x: Any, index: Any, values: Any, include_self: bool = True) -> Any:
    """Return values put together with what is at an index, one after the other."""
    result, counts = np.copy(x), np.ones_like(x)
    if not include_self:
        result[index], counts[index] = FIRST[way], 0
    FUNCTIONS[way].at(result, index, values)
    np.add.at(counts, index, np.ones_like(values))
    return result / np.maximum(counts, 1) if way == "mean" else result


ALONE = np.array([[1, 1, 2, 0], [1, 0, 2, 2], [0, 1, 2, 1]])  # a place for more than one, and none
ZEROS = np.array([[0.0, 2.0, 0.0, 1.5], [3.0, 0.0, 0.0, 1.0], [2.0, 1.0, 4.0, -1.0]])


def ways(*names: str, function: str, argument: str) -> list[Sample]:
    """Return samples of a function that puts elements together, by each way."""
    found = []
    for way in names:
        for include in True, False:

            def call(
                lib: Any, x: Any, y: Any, i: Any, way: Any = way, include: Any = include
            ) -> Any:
                return getattr(lib, function)(x, 0, i, y, way, include_self=include)

            def expected(x: Any, y: Any, i: Any, way: Any = way, include: Any = include) -> Any:
                return reduced(way, x, (i, EACH) if i.ndim == 2 else i, y, include)

            index = PLACES if argument == "elements" else INDICES
            values = distinct((6, 4))
            label = f"{way}{'' if include else ', alone'}"
            found.append(case(label, call, values[:3], values[3:], index, reference=expected))
    return found


REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "index_add": [
        *(case(str(s), s.function, *s.inputs, INDICES, layout=s.layout,
               reference=lambda x, y, i: placed(x, (slice(None), i), y, adds=True))
          for s in rearranged(lambda lib, x, y, i: lib.index_add(x, 1, i, y), (3, 4), (3, 3))),
        case("alpha", lambda lib, x, y, i: x.index_add(0, i, y, alpha=-2), X, X, INDICES,
             reference=lambda x, y, i: placed(x, i, -2 * y, adds=True)),
    ],
    "scatter": [
        *(case(str(s), s.function, *s.inputs, PLACES[:1], layout=s.layout,
               reference=lambda x, y, i: placed(x, (i, EACH), y))
          for s in rearranged(lambda lib, x, y, i: lib.scatter(x, 0, i, y), (3, 4), (1, 4))),
        case("larger source", lambda lib, x, y, i: x.scatter(0, i, y), X, X, PLACES[:1],
             reference=lambda x, y, i: placed(x, (i, EACH), y[:1])),
        case("number", lambda lib, x, i: x.scatter(0, i, 2.5), X, PLACES,
             reference=lambda x, i: placed(x, (i, EACH), 2.5)),
        case("0-d", lambda lib, x, y, i: x.scatter(0, i, y) * 2, NUMBER, ANY((), 1), np.asarray(0),
             reference=lambda x, y, i: 2 * y),
    ],
    "scatter_add": [
        *(case(str(s), s.function, *s.inputs, PLACES, layout=s.layout,
               reference=lambda x, y, i: placed(x, (i, EACH), y, adds=True))
          for s in rearranged(lambda lib, x, y, i: lib.scatter_add(x, 0, i, y), (3, 4), (3, 4))),
        case("larger source", lambda lib, x, y, i: x.scatter_add(0, i, y), X, X, PLACES[:1],
             reference=lambda x, y, i: placed(x, (i, EACH), y[:1], adds=True)),
        case("0-d", lambda lib, x, y, i: x.scatter_add(0, i, y) * 2, NUMBER, ANY((), 1),
             np.asarray(0), reference=lambda x, y, i: 2 * (x + y)),
    ],
    "scatter_reduce": [
        *ways("sum", "prod", "mean", "amax", "amin", function="scatter_reduce",
              argument="elements"),
        *(case(f"{layout} {way}", lambda lib, x, y, i, way=way: x.scatter_reduce(1, i, y, way),
               distinct((3, 4)), distinct((3, 4), 1), PLACES, layout=layout,
               reference=lambda x, y, i, way=way: reduced(way, x, (np.arange(3)[:, None], i), y))
          for layout, way in (("transposed", "amax"), ("sliced", "prod"), ("transposed", "mean"))),
        case("zeros", lambda lib, x, y, i: x.scatter_reduce(0, i, y, "prod"), AWAY((3, 4), 3),
             ZEROS * (ZEROS.cumsum(0) > 0), np.array([[0, 0, 1, 1], [1, 1, 2, 2], [0, 0, 0, 0]]),
             reference=lambda x, y, i: reduced("prod", x, (i, EACH), y)),
        case("of zeros", lambda lib, x, y, i: x.scatter_reduce(0, i, y, "prod"), ZEROS,
             AWAY((3, 4), 4), PLACES, reference=lambda x, y, i: reduced("prod", x, (i, EACH), y)),
        case("complex", lambda lib, x, y, i: x.scatter_reduce(0, i, y, "prod"), PLANE((3, 4), 0),
             PLANE((3, 4), 1), PLACES, reference=lambda x, y, i: reduced("prod", x, (i, EACH), y)),
        case("0-d", lambda lib, x, y, i: x.scatter_reduce(0, i, y, "sum") * 2, NUMBER, ANY((), 1),
             np.asarray(0), reference=lambda x, y, i: 2 * (x + y)),
        case("integers", lambda lib, x, y, i: x.scatter_reduce(0, i, y, "mean"),
             np.array([7, -7, 4]), np.array([2, 2]), np.array([0, 1]), differentiable=False,
             reference=lambda x, y, i: np.array([4, -3, 4])),
    ],
    "index_reduce": [
        *ways("prod", "mean", "amax", "amin", function="index_reduce", argument="slices"),
        case("0-d", lambda lib, x, y, i: x.index_reduce(0, i, y, "prod") * 2, NUMBER, ANY((), 1),
             np.asarray(0), reference=lambda x, y, i: 2 * x * y),
    ],
}  # fmt: skip

"""Samples of error functions, the normal distribution, and entropies."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
from scipy import special

from samples.draw import ANY, POSITIVE, Array, Draw, uniform
from samples.family import NOT, case, named
from samples.sample import Sample


def at_points(
    function: Callable[..., Any],
    reference: Any,
    *points: Array,
    name: str = "points",
    half: bool = False,
) -> Sample:
    """Return a sample of values only, at the ends of a domain, at poles, and of large numbers."""

    def values(lib: Any, *x: Any) -> Any:
        return function(lib, *(t.detach() for t in x))

    return case(name, values, *points, reference=reference, half=half, **NOT)


def of_one(path: str, reference: Any, draw: Draw, *points: float) -> list[Sample]:
    """Return samples of a function of one operand: of ordinary numbers, and of points."""

    def function(lib: Any, x: Any) -> Any:
        return attrgetter(path)(lib)(x)

    ordinary = case("ordinary", function, draw((3, 4), 0), reference=reference)
    return [ordinary, at_points(function, reference, np.array(points))]


def of_two(
    path: str, reference: Any, x: Draw, y: Draw, *points: tuple[float, float]
) -> list[Sample]:
    """Return samples of a function of two operands, which broadcast, and of points."""

    def function(lib: Any, x: Any, y: Any) -> Any:
        return attrgetter(path)(lib)(x, y)

    inputs: list[Array] = [x((3, 1), 0), y((4,), 1)]
    broadcast = case("broadcast", function, *inputs, reference=reference)
    return [broadcast, at_points(function, reference, *np.array(points).T)]


REFERENCE: dict[str, Any] = {
    "erf": special.erf,
}

ENDS = -math.inf, 0.0, math.inf, math.nan

OF_ONE: dict[str, tuple[Any, ...]] = {
    "erfc": (special.erfc, ANY, 5.0, *ENDS),
    "erfinv": (special.erfinv, uniform(-0.9, 0.9), -1.0, 0.0, 1.0, 1.5, math.nan),
    "special.erfcx": (special.erfcx, ANY, 3.0, 30.0, *ENDS),
    "special.ndtr": (special.ndtr, ANY, -3.0, *ENDS),
    "special.ndtri": (special.ndtri, uniform(0.05, 0.95), 0.0, 1.0, 1.5, math.nan),
    "special.log_ndtr": (special.log_ndtr, ANY, -1.0, -100.0, *ENDS),
    "special.entr": (special.entr, POSITIVE, -1.0, *ENDS),
}

SAMPLES: dict[str, list[Sample]] = {
    "erf": named("erf", ANY),
    **{name: of_one(name, *given) for name, given in OF_ONE.items()},
    "special.xlog1py": of_two(
        "special.xlog1py", special.xlog1py, ANY, uniform(-0.5, 2), (0.0, -1.0), (0.0, -2.0),
        (1.0, -1.0), (0.0, math.inf), (0.0, math.nan), (math.nan, 1.0),
    ),
}  # fmt: skip

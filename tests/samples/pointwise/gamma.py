"""Samples of the gamma function's logarithm, its derivatives, and incomplete gamma functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from samples.draw import POSITIVE, uniform
from samples.family import case
from samples.pointwise.special import at_points, of_one
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _lgamma(x: Any) -> Any:
    return np.where(np.isinf(x), math.inf, special.gammaln(x))


def _polygamma(n: int) -> list[Sample]:
    def function(lib: Any, x: Any) -> Any:
        return lib.polygamma(n, x)

    def reference(x: Any) -> Any:
        return special.polygamma(n, x)

    return [
        case(f"order {n}", function, POSITIVE((3, 4), 0), reference=reference),
        at_points(function, reference, np.array([-0.7, -1.5, 30.0]), name=f"order {n} at points"),
    ]  # fmt: skip


def _mvlgamma(p: int) -> Sample:
    return case(
        f"of {p} dimensions",
        lambda lib, x: lib.mvlgamma(x, p),
        uniform(3, 6)((3, 4), 0),
        reference=lambda x: special.multigammaln(x, p),
    )


def _incomplete(name: str, reference: Any) -> list[Sample]:
    """Return samples, of which gradients are by the second operand only."""
    points = [
        (0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, -1.0), (math.inf, 1.0),
        (1.0, math.inf), (math.inf, math.inf), (1e-5, 0.3), (0.3, 1e-5), (0.2, 1.05), (2.0, 0.7),
        (15.0, 9.0), (9.0, 40.0), (150.0, 140.0), (150.0, 155.0), (3e4, 2.99e4), (3e4, 3.02e4),
        (3e4, 5e4),
    ]  # fmt: skip
    orders = [[0.6], [1.5], [7.0]]
    return [
        at_points(
            lambda lib, a, x: getattr(lib, name)(a, x), reference, *np.array(points).T, half=True
        ),
        case(
            "by the second",
            lambda lib, x: getattr(lib, name)(x.new_tensor(orders), x),
            uniform(0.5, 5)((4,), 1),
            reference=lambda x: reference(orders, x),
        ),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "lgamma": of_one("lgamma", _lgamma, POSITIVE, -1.5, -1.0, 0.0, 200.0, -math.inf, math.inf),
    "digamma": of_one(
        "digamma", special.psi, POSITIVE, -1.5, -20.3, -1.0, -0.0, 0.0, 40.0, -math.inf, math.inf
    ),
    "polygamma": [s for n in (0, 1, 2, 5) for s in _polygamma(n)],
    "mvlgamma": [_mvlgamma(1), _mvlgamma(4)],
    "igamma": _incomplete("igamma", special.gammainc),
    "igammac": _incomplete("igammac", special.gammaincc),
    "special.zeta": [
        case(
            "by the second",
            lambda lib, x: lib.special.zeta(2.5, x),
            uniform(0.3, 4)((2, 3), 1),
            reference=lambda x: special.zeta(2.5, x),
        ),
        at_points(
            lambda lib, s, q: lib.special.zeta(s, q),
            special.zeta,
            np.array([1.0, 0.5, 2.0, 2.5, 3.0, 2.0, 1.1, 30.0]),
            np.array([1.0, 1.0, -2.0, -0.5, -0.5, 100.0, 0.2, 1.5]),
            half=True,
        ),
    ],
}

"""Samples of differences, integrals and slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, truth
from samples.family import NOT, X, Z, case, rearranged, single
from samples.sample import Sample

_POINTS = np.array([0.0, 0.5, 2.0, 2.5])
_WIDE = ANY((3, 5), 0)

REFERENCE: dict[str, Any] = {}


def _cumulative(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return SciPy's integrals up to each sample."""
    low, high = (np.moveaxis(y, axis, -1)[..., part] for part in (slice(-1), slice(1, None)))
    widths = dx if x is None else np.diff(x)
    return np.moveaxis(np.cumsum((low + high) / 2 * widths, -1), -1, axis)


SAMPLES: dict[str, list[Sample]] = {
    "diff": [
        *rearranged(lambda lib, x: lib.diff(x), (3, 4), reference=np.diff),
        case("twice", lambda lib, x: lib.diff(x, 2, 0), X, reference=lambda x: np.diff(x, 2, 0)),
        case("joined", lambda lib, x, y: lib.diff(x, dim=0, prepend=y, append=y), X,
             ANY((2, 4), 1), reference=lambda x, y: np.diff(x, axis=0, prepend=y, append=y)),
        case("bools", lambda lib, x: lib.diff(x), truth((3, 4)), reference=np.diff, **NOT),
    ],
    "trapezoid": single([
        *rearranged(lambda lib, y: lib.trapezoid(y), (3, 4), reference=np.trapezoid),
        case("dx", lambda lib, y: lib.trapezoid(y, dx=0.5, dim=0), Z,
             reference=lambda y: np.trapezoid(y, dx=0.5, axis=0)),
        case("points", lambda lib, y, x: lib.trapezoid(y, x), X, _POINTS,
             reference=np.trapezoid),
        case("points of each", lambda lib, y, x: lib.trapezoid(y, x, dim=0), X, ANY((3, 4), 5),
             reference=lambda y, x: np.trapezoid(y, x, axis=0)),
    ]),
    "cumulative_trapezoid": single([
        *rearranged(lambda lib, y: lib.cumulative_trapezoid(y), (3, 4), reference=_cumulative),
        case("dx", lambda lib, y: lib.cumulative_trapezoid(y, dx=0.5, dim=0), Z,
             reference=lambda y: _cumulative(y, dx=0.5, axis=0)),
        case("points", lambda lib, y, x: lib.cumulative_trapezoid(y, x), X, _POINTS,
             reference=_cumulative),
    ]),
    "gradient": single([
        *rearranged(lambda lib, x: lib.gradient(x), (3, 4), reference=lambda x:
                    tuple(np.gradient(x))),
        case("spacing", lambda lib, x: lib.gradient(x, spacing=(0.5, 2.0), edge_order=2), _WIDE,
             reference=lambda x: tuple(np.gradient(x, 0.5, 2.0, edge_order=2))),
        *(case(f"coordinates {order}", lambda lib, x, y, order=order: lib.gradient(
            x, spacing=[y], dim=1, edge_order=order)[0], X, _POINTS,
            reference=lambda x, y, order=order: np.gradient(x, y, axis=1, edge_order=order))
          for order in (1, 2)),
    ]),
}  # fmt: skip

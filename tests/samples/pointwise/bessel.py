"""Samples of Bessel functions, and of Airy's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from samples.draw import AWAY, POSITIVE, uniform
from samples.family import case
from samples.pointwise.special import of_one
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _spherical(x: Any) -> Any:
    return np.where(np.isinf(x), 0, special.spherical_jn(0, np.where(np.isinf(x), 1, x)))


FAR = -30.0, -7.0, 0.0, 7.0, 30.0, math.nan  # on each of the intervals of a function
WIDE = uniform(-9, 9)
RIGHT = -1.0, 0.0, 0.5, 30.0, math.inf, math.nan

OF_ONE: dict[str, tuple[Any, ...]] = {
    "i0": (special.i0, WIDE, *FAR),
    "special.i0e": (special.i0e, WIDE, *FAR, math.inf),
    "special.i1": (special.i1, AWAY, *FAR),
    "special.i1e": (special.i1e, AWAY, *FAR, math.inf),
    "special.modified_bessel_k0": (special.k0, POSITIVE, *RIGHT),
    "special.modified_bessel_k1": (special.k1, POSITIVE, *RIGHT),
    "special.scaled_modified_bessel_k0": (special.k0e, POSITIVE, *RIGHT),
    "special.scaled_modified_bessel_k1": (special.k1e, POSITIVE, *RIGHT),
    "special.bessel_j0": (special.j0, AWAY, *FAR),
    "special.bessel_j1": (special.j1, AWAY, *FAR),
    "special.bessel_y0": (special.y0, POSITIVE, *RIGHT[:4]),
    "special.bessel_y1": (special.y1, POSITIVE, *RIGHT[:4]),
    "special.spherical_bessel_j0": (_spherical, AWAY, 0.01, *FAR, math.inf),
    "special.airy_ai": (
        lambda x: special.airy(x)[0], WIDE, -30.0, -6.5, -6.0, -3.0, -2.0, 0.0, 2.0, 7.0, math.nan,
    ),
}  # fmt: skip

SAMPLES: dict[str, list[Sample]] = {name: of_one(name, *given) for name, given in OF_ONE.items()}
SAMPLES["special.spherical_bessel_j0"].append(
    case("near zero", lambda lib, x: lib.special.spherical_bessel_j0(x),
         np.array([0.3, -0.2, 1e-2]), reference=_spherical),
)  # fmt: skip

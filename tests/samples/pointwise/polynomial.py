"""Samples of orthogonal polynomials."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from samples.draw import ANY
from samples.family import case
from samples.pointwise.special import at_points
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

DEGREES = np.array([0, 1, 2, 5])


def _of(name: str, known: Any) -> list[Sample]:
    def reference(x: Any, n: Any) -> Any:
        whole = np.trunc(n).astype(np.int64)
        return np.where(whole < 0, 0, known(np.maximum(whole, 0), x))

    def function(lib: Any, x: Any, n: Any) -> Any:
        return getattr(lib.special, name)(x, n)

    return [
        case("degrees", function, ANY((3, 1), 0), DEGREES, reference=reference, half=False),
        at_points(
            function,
            reference,
            np.array([-1.0, 0.0, 1.0, 0.3])[:, None],
            np.array([-2.0, -0.5, 2.7, 12.0]),
        ),
    ]


def _third(n: Any, x: Any) -> Any:
    return special.eval_chebyu(n, x) - special.eval_chebyu(n - 1, x)


def _fourth(n: Any, x: Any) -> Any:
    return special.eval_chebyu(n, x) + special.eval_chebyu(n - 1, x)


KNOWN: dict[str, Any] = {
    "hermite_polynomial_h": special.eval_hermite,
    "hermite_polynomial_he": special.eval_hermitenorm,
    "laguerre_polynomial_l": special.eval_laguerre,
    "legendre_polynomial_p": special.eval_legendre,
}
for letter, known in {
    "t": special.eval_chebyt, "u": special.eval_chebyu, "v": _third, "w": _fourth,
}.items():  # fmt: skip
    KNOWN[f"chebyshev_polynomial_{letter}"] = known
    KNOWN[f"shifted_chebyshev_polynomial_{letter}"] = lambda n, x, known=known: known(n, 2 * x - 1)

SAMPLES: dict[str, list[Sample]] = {
    f"special.{name}": _of(name, known) for name, known in KNOWN.items()
}

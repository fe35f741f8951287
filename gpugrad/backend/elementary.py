"""Elementary functions of formulas that NumPy lacks, or computes otherwise than PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def _of_parts(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return a function to whole numbers; integers, which NumPy might convert, are copied."""

    def whole(x: Array) -> Array:
        return function(x) if x.dtype.kind == "f" else np.copy(x)

    return whole


def _dividing(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function of a dividend and a divisor that raises where integers divide by 0."""

    def divided(x: Array, y: Array) -> Array:
        if y.dtype.kind in "iu" and not np.all(y):
            raise RuntimeError("ZeroDivisionError")
        return function(x, y)

    return divided


def _remainder(x: Array, y: Array) -> Array:
    if y.dtype.kind != "f":
        return np.remainder(x, y)
    rest = np.fmod(x, y)  # the remainder of NumPy gives a 0 the sign of y
    opposite = np.not_equal(np.signbit(rest), np.signbit(y))
    opposite &= rest != 0
    return np.add(rest, y, out=np.asarray(rest), where=opposite)[()]


def _trunc_divide(x: Array, y: Array) -> Array:
    if y.dtype.kind == "f":
        return np.trunc(np.true_divide(x, y))
    return np.floor_divide(x - np.fmod(x, y), y)


def _fraction(x: Array) -> Array:
    return np.frexp(x)[0]


def _exponent(x: Array) -> Array:
    return np.where(np.isfinite(x), np.frexp(x)[1], np.int32(0))


FUNCTIONS: dict[str, Callable[..., Array]] = {
    **{name: _of_parts(getattr(np, name)) for name in ("ceil", "floor", "rint", "trunc")},
    "floor_divide": _dividing(np.floor_divide),
    "fmod": _dividing(np.fmod),
    "frexp_exponent": _exponent,
    "frexp_fraction": _fraction,
    "remainder": _dividing(_remainder),
    "trunc_divide": _dividing(_trunc_divide),
}

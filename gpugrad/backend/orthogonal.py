"""Orthogonal polynomials: SciPy's, and of many numbers in single precision our own.

These are computed by the recurrences of the kernels for a GPU, formulas 18.9.1 and 18.9.2 of the
NIST Digital Library of Mathematical Functions, in double precision.  So is what SciPy has not: the
polynomials at infinities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.backend.blocks import HALF_BLOCK, SINGLE, Array, in_blocks
from gpugrad.backend.special import Function, found_in_scipy

_FEW = 2048  # elements, of which SciPy's loop takes no longer
_SHORT = 32  # degrees, up to which the recurrence takes no longer than SciPy for each number

# The polynomial of degree k + 1, of x, k, those of degrees k and k - 1, and a parameter.
Step = Callable[..., Array]


def _values(step: Step, x: Array, degree: Array, parameters: tuple[Any, ...]) -> Array:
    """Return the polynomials of whole degrees, given for each number."""
    before, last = np.zeros_like(x), np.ones_like(x)
    found = np.where(degree == 0, last, before)
    for k in range(int(degree.max(initial=0))):
        before, last = last, step(x, k, last, before, *parameters)
        found = np.where(degree == k + 1, last, found)
        if np.isnan(last).all():
            return np.where(degree > k + 1, last, found)
    return found


def _of_many(step: Step, parameters: tuple[Any, ...], most: int) -> Callable[..., None]:
    """Return what writes the polynomials of degrees up to ``most`` at a block of numbers."""

    def write(x: Array, degree: Array, out: Array) -> None:
        wide = x.astype(np.float64)
        before: Any = 0.0
        last: Any = 1.0
        same = not degree.ndim
        if same:
            out.fill(1 if most == 0 else 0)
        else:
            np.copyto(out, (degree > -1) & (degree < 1))
        for k in range(most):
            before, last = last, step(wide, k, last, before, *parameters)
            if same:
                continue
            here = (degree >= k + 1) & (degree < k + 2)
            if here.any():
                bits = last.astype(SINGLE).view(np.int32)
                bits *= here.view(np.int8)
                found = out.view(np.int32)
                found |= bits  # one of the two is 0
        if same and most > 0:
            np.copyto(out, last, casting="same_kind")

    return write


def _polynomial(called: str, name: str, step: Step) -> Function:
    """Return a function of the argument, the degree, cut to a whole number, and parameters."""

    def function(x: Array, degree: Array, *parameters: Any) -> Array:
        plain = all(isinstance(p, int | float) for p in parameters)
        if plain and np.size(x) >= _FEW and np.result_type(x, degree) == SINGLE:
            most = np.trunc(np.max(degree))
            if -1 <= most <= _SHORT:
                write = _of_many(step, parameters, int(most))
                found = in_blocks(write, x, np.asarray(degree), dtype=SINGLE, size=HALF_BLOCK)
                if found is not None:
                    return found
        whole = np.asarray(degree).astype(np.int64)
        special = _SPECIAL.get((name, *parameters)) if plain else None
        known = found_in_scipy(special or name, called)
        values = known(np.maximum(whole, 0), *(() if special else parameters), x)
        kind = np.result_type(x)
        values = np.where(whole == 0, kind.type(1), values.astype(kind, copy=False))  # even at nan
        endless = np.isinf(x)
        if np.any(endless):
            operands = np.broadcast_arrays(x, whole, *parameters)
            at = np.broadcast_to(endless, operands[0].shape)
            some, degrees, *rest = [v[at] for v in operands]
            values[at] = _values(step, some, degrees, tuple(rest))
        return np.where(whole < 0, kind.type(0), values)

    return function


_SPECIAL = {
    ("eval_gegenbauer", 0.5): "eval_legendre",
    ("eval_gegenbauer", 1): "eval_chebyu",
    ("eval_genlaguerre", 0): "eval_laguerre",
}


def _chebyshev_t(x: Array, k: int, last: Array, before: Array) -> Array:
    return 2 * x * last - before if k else x


def _gegenbauer(x: Array, k: int, last: Array, before: Array, a: Any) -> Array:
    if not k:
        return 2 * a * x
    return (2 * (k + a) * x * last - (k + 2 * a - 1) * before) / (k + 1)


def _hermite_h(x: Array, k: int, last: Array, before: Array) -> Array:
    return 2 * (x * last - k * before)


def _hermite_he(x: Array, k: int, last: Array, before: Array) -> Array:
    return x * last - k * before


def _laguerre(x: Array, k: int, last: Array, before: Array, a: Any) -> Array:
    return ((2 * k + 1 + a - x) * last - (k + a) * before) / (k + 1)


chebyshev_t = _polynomial("chebyshev_t", "eval_chebyt", _chebyshev_t)
gegenbauer = _polynomial("gegenbauer", "eval_gegenbauer", _gegenbauer)
hermite_h = _polynomial("hermite_h", "eval_hermite", _hermite_h)
hermite_he = _polynomial("hermite_he", "eval_hermitenorm", _hermite_he)
laguerre = _polynomial("laguerre", "eval_genlaguerre", _laguerre)

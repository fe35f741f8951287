"""Elementary functions of formulas that NumPy lacks, or computes otherwise than PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.backend.blocks import BLOCK, DOUBLE, SINGLE

Array = Any


def _of_parts(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return a function to whole numbers; integers, which NumPy might convert, are copied."""

    def whole(x: Array) -> Array:
        return function(x) if x.dtype.kind == "f" else np.copy(x)

    return whole


def _dividing(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function of a dividend and a divisor that raises where integers divide by 0."""

    def divided(x: Array, y: Array) -> Array:
        if y.dtype.kind in "iu" and x.size and not np.all(y):
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


def _all_finite(x: Array) -> bool:
    if x.dtype in (SINGLE, DOUBLE) and x.flags.forc:
        line = x.ravel(order="K")
        if line.dot(line) < np.inf:  # in half the time
            return True
    return bool(np.isfinite(x).all())


def _replacing(x: Array, lost: Array, high: Array, low: Array) -> Array:
    """Return other numbers for nan, inf and -inf, in each part of a complex number."""
    if _all_finite(x):
        return np.array(x)
    if x.dtype.kind == "c":
        parts = [_replacing(part, lost, high, low) for part in (x.real, x.imag)]
        return np.stack(parts, -1).view(x.dtype)[..., 0]
    limited = np.where(np.isinf(x), np.where(x > 0, high, low), x)
    return np.where(np.isnan(x), lost, limited).astype(x.dtype)


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
    "modulo": np.remainder,
    "remainder": _dividing(_remainder),
    "replacing": _replacing,
    "trunc_divide": _dividing(_trunc_divide),
}


# --------------------------------------------------------------------------- what division leaves

# NumPy's loops call the C library for each element, which takes 15 to 25 ns.  Where quotients are
# small whole numbers, what is left of the dividends is exact in a few steps that are vectorised.

_WHOLE, _HALVED = 2.0**24, 2.0**22  # below these are quotients of such numbers
_COARSE = np.array(-(1 << 24), np.int64)  # a mask of the upper 29 bits of a fraction of 53
_FINE = np.array((1 << 24) - 1, np.int64)

Divided = Callable[[Array, Array], Array | None]  # None: not by these steps


def _small(whole: Array, limit: float) -> bool:
    """Tell whether all numbers are below a limit in size; nan is not."""
    if whole.dot(whole) < limit * limit:
        return True
    return bool(whole.max() < limit and whole.min() > -limit)


def _finite(x: Array) -> bool:
    return bool(x.dot(x) < np.inf)


def _signed_zeros(rest: Array, x: Array) -> Array:
    """Give zeros the sign of the dividends."""
    return rest if rest.all() else np.where(rest == 0, np.copysign(rest, x), rest)


# The quotient of single precision numbers is never rounded to a whole number in double precision:
# it is that, or at least 2**-48 of it away.  Its product with the divisor has 48 bits.


def _whole_of_singles(rounded: Any) -> Divided:
    def whole(x: Array, y: Array) -> Array | None:
        y = y.astype(np.float64)
        found = x / y
        rounded(found, out=found)
        return found if _small(found, _WHOLE) and _finite(y) else None

    return whole


def _rest_of_singles(rounded: Any) -> Divided:
    def rest(x: Array, y: Array) -> Array | None:
        y = y.astype(np.float64)
        found = x / y
        rounded(found, out=found)
        if not _small(found, _WHOLE):
            return None
        found *= y
        np.subtract(x, found, out=found)
        return _signed_zeros(found, x) if _finite(found) else None

    return rest


def _parts(x: Array, y: Array) -> tuple[Array, Array] | None:
    """Return whole parts of quotients in double precision, cut, and what is left, both exact."""
    whole = x / y
    np.trunc(whole, out=whole)
    if not _small(whole, _HALVED):
        return None
    # Of an upper and a lower part of y both products are exact, and so are the differences, as the
    # upper part is the one further from 0.
    upper = y.view(np.int64) + _FINE
    upper &= _COARSE
    upper = upper.view(np.float64)
    rest = whole * upper
    np.subtract(x, rest, out=rest)
    lower = y - upper
    rest -= whole * lower
    over = (rest < 0) != (x < 0)
    if over.any():  # zeros, or a quotient that was rounded away from 0
        over &= rest != 0
        rest += np.copysign(y, x) * over
        whole -= np.copysign(1.0, whole) * over
    return (whole, rest) if _finite(rest) else None


def _apart(rest: Array, y: Array) -> Array:
    """Return where what is left lies on the other side of 0 than the divisor."""
    found = (rest < 0) != (y < 0)
    found &= rest != 0
    return found


def _rest(x: Array, y: Array) -> Array | None:
    parts = _parts(x, y)
    return None if parts is None else _signed_zeros(parts[1], x)


def _upper_rest(x: Array, y: Array) -> Array | None:
    parts = _parts(x, y)
    if parts is None:
        return None
    rest = parts[1]
    rest += y * _apart(rest, y)
    return _signed_zeros(rest, x)


def _lower_whole(x: Array, y: Array) -> Array | None:
    parts = _parts(x, y)
    return None if parts is None else parts[0] - _apart(parts[1], y)


def _in_blocks(
    general: Callable[[Array, Array], Array], single: Divided, double: Divided
) -> Callable[[Array, Array], Array]:
    """Return a function of many dividends, and as many divisors or one.

    It is ``general`` where the others return ``None``.
    """

    def blockwise(x: Array, y: Array) -> Array:
        plain = x.dtype.kind == "f" and x.ndim and x.flags.c_contiguous and x.dtype == y.dtype
        if not plain or (y.ndim and not (y.shape == x.shape and y.flags.c_contiguous)):
            return general(x, y)
        out = np.empty(x.shape, x.dtype)
        dividends, divisors, results = x.reshape(-1), np.reshape(y, -1), out.reshape(-1)
        fast = single if x.dtype.itemsize == 4 else double
        for start in range(0, dividends.size, BLOCK):
            block = slice(start, start + BLOCK)
            operands = dividends[block], divisors[block] if y.ndim else divisors
            found = fast(*operands)
            results[block] = general(*operands) if found is None else found
        return out

    return blockwise


LARGE_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "floor_divide": _dividing(
        _in_blocks(np.floor_divide, _whole_of_singles(np.floor), _lower_whole)
    ),
    "fmod": _dividing(_in_blocks(np.fmod, _rest_of_singles(np.trunc), _rest)),
    "remainder": _dividing(_in_blocks(_remainder, _rest_of_singles(np.floor), _upper_rest)),
}

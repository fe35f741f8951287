"""Functions of large arrays, computed block by block, so that what they need stays in a cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy._core import umath

Array = Any

clip: Any = umath.clip  # type: ignore[attr-defined]

BLOCK = 51200  # elements whose temporaries stay in the second-level cache
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


HALF_BLOCK = 25600  # the same in double precision
WIDE = 131072  # the same where these are few, or bools


def in_blocks(
    write: Callable[..., None],
    *operands: Any,
    dtype: np.dtype[Any] | None = None,
    size: int = BLOCK,
) -> Array | None:
    """Return an array that is written block by block; ``None``: the operands lie too differently.

    Operands are arrays of one shape that lie in one order, without gaps, and numbers, which are
    given whole.  The result lies as they do.

    Args:
        write: Takes the operands' parts, each of one dimension, and the part that it writes.
        operands: One of them at least has dimensions.
        dtype: The result's type; ``None``: that of the first operand with dimensions.
        size: How many elements a block has.
    """
    full = [a for a in operands if a.__class__ is np.ndarray and a.ndim]
    if not full or any(a.shape != full[0].shape for a in full[1:]):
        return None
    if not all(a.flags.c_contiguous for a in full):
        if not all(a.flags.f_contiguous for a in full):
            return None
        turned = [a.T if a.__class__ is np.ndarray else a for a in operands]
        return in_blocks(write, *turned, dtype=dtype, size=size).T  # type: ignore[union-attr]
    out = np.empty(full[0].shape, dtype or full[0].dtype)
    lines = [a.reshape(-1) if a.__class__ is np.ndarray and a.ndim else a for a in operands]
    line = out.reshape(-1)
    if line.size <= size:
        write(*lines, line)
        return out
    sliced = [a.__class__ is np.ndarray and bool(a.ndim) for a in lines]
    for start in range(0, line.size, size):
        block = slice(start, start + size)
        write(*[a[block] if s else a for a, s in zip(lines, sliced, strict=True)], line[block])
    return out


def blockwise(
    general: Callable[..., Array],
    types: tuple[np.dtype[Any], ...] = (SINGLE, DOUBLE),
    size: int = BLOCK,
    costly: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., Array]]:
    """Make a function of arrays of one of these types from one that writes a block of its result.

    For all others, and for operands that lie too differently, it is ``general``; where that is
    ``costly``, operands that lie differently are copied instead.
    """

    def make(write: Callable[..., None]) -> Callable[..., Array]:
        def function(*operands: Any) -> Array:
            arrays = [a for a in operands if hasattr(a, "dtype")]
            kind = arrays[0].dtype
            if kind not in types or any(a.dtype != kind for a in arrays[1:]):
                return general(*operands)
            found = in_blocks(write, *operands, size=size)
            if found is None and costly:
                copies = [np.ascontiguousarray(a) for a in np.broadcast_arrays(*operands)]
                found = in_blocks(write, *copies, size=size)
            return general(*operands) if found is None else found

        function.__doc__ = general.__doc__
        return function

    return make


# --------------------------------------------------------------------------- polynomials


def coefficients(dtype: Any, *numbers: float) -> tuple[Array, ...]:
    """Return numbers as arrays, with which NumPy computes in half of the time."""
    return tuple([np.array(c, dtype) for c in numbers])


def polynomial(x: Array, numbers: tuple[Array, ...]) -> Array:
    """Return a polynomial of x by Horner's rule; the coefficients begin with the highest.

    There are two at least.
    """
    first, second, *others = numbers
    found = x + second if first == 1 else x * first
    if first != 1:
        found += second
    for c in others:
        found *= x
        found += c
    return found


def quotient(x: Array, above: tuple[Array, ...], below: tuple[Array, ...]) -> Array:
    """Return a quotient of two polynomials."""
    found = polynomial(x, above)
    found /= polynomial(x, below)
    return found

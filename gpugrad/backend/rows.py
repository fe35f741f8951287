"""What is computed along rows of NumPy's arrays, by loops in C++ where there is a compiler.

Each function returns ``None`` where NumPy is to compute, which depends on types and shapes alone.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.backend import loops

Array = Any

LEAST = 1 << 6  # elements from which calls take a loop; building them takes 1 s once

_INT64 = np.dtype(np.int64)
_REDUCTIONS = {"none": 0, "sum": 1, "mean": 2}
_ITEMS = tuple.__basicsize__  # where, in a tuple, the addresses of its objects begin


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return the loops, ``None`` where none can be built."""
    from gpugrad.kernels import host

    made = loops.with_frames(host.ROWS)
    if isinstance(made, str):
        return None
    long, int_, real = ctypes.c_long, ctypes.c_int, ctypes.c_double
    for name, kinds in {
        "soft": (int_, int_, int_),
        "entropy": (int_, long, int_, int_),
        "entropy_gradient": (int_, int_),
        "likelihood": (int_, long, int_),
        "likelihood_gradient": (int_,),
        "normalize": (int_, int_, real, int_, int_),
        "normalize_gradient": (int_, int_, real, int_, int_),
    }.items():
        function = getattr(made, f"gpugrad_{name}")
        function.argtypes = (ctypes.c_void_p, int_, long, long, *kinds)
        function.restype = int_ if name == "normalize_gradient" else None
    return made


def _loops(rows: Array) -> ctypes.CDLL | None:
    """Return the loops for some rows."""
    return _library() if rows.size >= LEAST and rows.dtype.char in "fd" else None


def _alike(kind: np.dtype[Any], *arrays: Array | None) -> bool:
    """Tell whether the arrays that there are have a type."""
    return not [a for a in arrays if a is not None and a.dtype is not kind and a.dtype != kind]


def _plain(array: Array) -> Array:
    if array.__class__ is not np.ndarray:  # one number
        array = np.asarray(array)
    flags = array.flags
    if flags.c_contiguous and flags.aligned:
        return array
    return np.require(array, None, ("C", "A", "E"))


def soft(first: Array, second: Array, axis: int, log: bool, gradient: bool) -> Array | None:
    """Return softmax of the first along its last axis, or its logarithm.

    Or, of a gradient and of what was softmax, the ``gradient``.
    """
    shape, kind = first.shape, first.dtype
    if axis not in (-1, len(shape) - 1) or (second.shape, second.dtype) != (shape, kind):
        return None
    made = _loops(first)
    if made is None:
        return None
    out = np.empty(shape, kind)
    first, second = _plain(first), _plain(second)
    length, size = shape[-1], out.size
    arrays = first, second, out
    made.gpugrad_soft(
        id(arrays) + _ITEMS, kind.itemsize, size // length, length, log, gradient,
        loops.threads_for(size),
    )  # fmt: skip
    return out


def cross_entropy(
    rows: Array, places: Array, weight: Array | None, reduction: str, ignored: int
) -> tuple[Array, Array, Array] | None:
    """Return what ``classes.cross_entropy`` does, of rows; losses are a vector, or their sum."""
    made = _loops(rows)
    kind = rows.dtype
    if made is None or (weight is not None and weight.dtype != kind) or places.dtype != _INT64:
        return None
    rows, places = _plain(rows), _plain(places)
    weight = rows if weight is None else _plain(weight)
    count, classes = rows.shape
    terms, scales = np.empty(rows.shape, kind), np.empty((2, count), kind)
    losses, found = np.empty(count, kind), np.empty((), kind)
    arrays = rows, places, weight, terms, scales, losses, found
    made.gpugrad_entropy(
        id(arrays) + _ITEMS, kind.itemsize, count, classes, weight is not rows,
        ignored, _REDUCTIONS[reduction], loops.threads_for(rows.size),
    )  # fmt: skip
    return losses if reduction == "none" else found, terms, scales


def cross_entropy_gradient(g: Array, terms: Array, scales: Array, places: Array) -> Array | None:
    """Return the gradient by the rows of what :func:`cross_entropy` computed."""
    made = _loops(terms)
    kind = terms.dtype
    if made is None or g.dtype != kind or places.dtype != _INT64:
        return None
    g, terms, scales, places = map(_plain, (g, terms, scales, places))
    out = np.empty(terms.shape, kind)
    arrays = g, terms, scales, places, out
    made.gpugrad_entropy_gradient(
        id(arrays) + _ITEMS, kind.itemsize, *terms.shape, g.size > 1,
        loops.threads_for(out.size),
    )  # fmt: skip
    return out


def nll(
    rows: Array, places: Array, weight: Array | None, reduction: str, ignored: int
) -> tuple[Array, Array] | None:
    """Return what ``classes.nll`` does, of rows; losses are a vector, or their sum."""
    made, kind = _loops(rows), rows.dtype
    if made is None or not _alike(kind, weight) or places.dtype != _INT64:
        return None
    rows, places = _plain(rows), _plain(places)
    weight = rows if weight is None else _plain(weight)
    count, classes = rows.shape
    shares, losses, found = np.empty(count, kind), np.empty(count, kind), np.empty((), kind)
    arrays = rows, places, weight, shares, losses, found
    made.gpugrad_likelihood(
        id(arrays) + _ITEMS, kind.itemsize, count, classes, weight is not rows, ignored,
        _REDUCTIONS[reduction],
    )  # fmt: skip
    return losses if reduction == "none" else found, shares


def nll_gradient(g: Array, shares: Array, places: Array, classes: int) -> Array | None:
    """Return the gradient by the rows of what :func:`nll` computed."""
    kind = g.dtype
    if shares.dtype != kind or places.dtype != _INT64:
        return None
    out = np.zeros((shares.size, classes), kind)
    made = _loops(out)
    if made is None:
        return None
    g, shares, places = map(_plain, (g, shares, places))
    arrays = g, shares, places, out
    made.gpugrad_likelihood_gradient(
        id(arrays) + _ITEMS, kind.itemsize, shares.size, classes, g.size > 1
    )
    return out


def normalize(
    rows: Array, weight: Array | None, bias: Array | None, eps: float, centered: bool
) -> tuple[Array, Array, Array] | None:
    """Return what ``normalization.normalize`` does, of rows."""
    made, kind = _loops(rows), rows.dtype
    if made is None or not _alike(kind, weight, bias):
        return None
    rows = _plain(rows)
    given = [rows if a is None else _plain(a) for a in (weight, bias)]
    out, (mean, var) = np.empty(rows.shape, kind), np.empty((2, len(rows), 1), kind)
    arrays = rows, *given, out, mean, var
    made.gpugrad_normalize(
        id(arrays) + _ITEMS, kind.itemsize, *rows.shape, weight is not None, bias is not None,
        eps, centered, loops.threads_for(rows.size),
    )  # fmt: skip
    return out, mean, var


def normalize_gradient(
    g: Array,
    rows: Array,
    weight: Array | None,
    mean: Array,
    var: Array,
    eps: float,
    centered: bool,
    wanted: Sequence[bool],
) -> list[Array | None] | None:
    """Return those gradients of :func:`normalize` that are wanted."""
    made, kind = _loops(rows), rows.dtype
    if made is None or not _alike(kind, g, weight, mean):
        return None
    g, rows, mean, var = map(_plain, (g, rows, mean, var))
    count, length = rows.shape
    outs = [
        np.empty(shape, kind) if needed else None
        for shape, needed in zip(((count, length), length, length), wanted, strict=True)
    ]
    there = [rows if a is None else a for a in (None if weight is None else _plain(weight), *outs)]
    bits = sum(1 << k for k, needed in enumerate(wanted) if needed)
    arrays = g, rows, there[0], mean, var, *there[1:]
    if not made.gpugrad_normalize_gradient(
        id(arrays) + _ITEMS, kind.itemsize, count, length,
        weight is not None, bits, eps, centered, loops.threads_for(rows.size),
    ):  # fmt: skip
        raise MemoryError
    return outs

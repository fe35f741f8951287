"""Cross entropy of classes over NumPy's arrays, some rows at a time while a cache holds them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.backend import rows as compiled
from gpugrad.backend.quiet import quiet

Array = Any

_BLOCK = 1 << 14  # elements


def _rows(array: Array, axis: int) -> Array:
    """Return an array as a matrix, with its classes along rows."""
    if axis != array.ndim - 1:
        array = np.moveaxis(array, axis, -1)
    *others, classes = array.shape
    return array.reshape(math.prod(others), classes)


def _inside(places: Array, classes: int) -> Array:
    """Return the class of each row; one that is ignored may become any that there is."""
    return np.minimum(places.reshape(-1).view(np.uint64), max(classes - 1, 0)).view(np.int64)


def _shares(
    places: Array, weight: Array | None, ignored: int, classes: int, wide: Any
) -> tuple[Array, Any, Array | None]:
    """Return the class of each row, and by what its term is multiplied; 1 where all are by that.

    Those that are ignored have the share 0, and any class that there is.  Which these are comes
    last, ``None`` where there are none.
    """
    flat = places.reshape(-1)
    inside = flat.size and np.maximum.reduce(flat.view(np.uint64)) < classes
    some = not inside or 0 <= ignored < classes
    at = _inside(flat, classes) if some else flat
    if weight is None and not some:
        return at, wide.type(1), None
    share = np.ones(len(at), wide) if weight is None else weight.astype(wide)[at]
    if not some:
        return at, share, None
    left_out = flat == ignored
    share[left_out] = 0
    return at, share, left_out


def _reduced(
    losses: Array,
    share: Array,
    left_out: Array | None,
    parts: Array,
    reduction: str,
    shape: tuple[int, ...],
) -> Array:
    """Return losses, or their sum or mean; ``parts`` become by what each is multiplied in it."""
    if left_out is not None:
        losses[left_out] = 0  # also where they are infinite
    parts[...] = share
    if reduction == "none":
        return losses.reshape(shape)
    found = np.add.reduce(losses)
    if reduction == "mean":
        whole = np.add.reduce(share) if share.ndim else losses.dtype.type(len(losses))
        found = found / whole
        parts /= whole
        if left_out is not None:
            parts[left_out] = 0  # also where all are
    return found


def _placed(rows: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Return an array with its classes along an axis, of those along rows."""
    if axis != len(shape) - 1:
        others = [n for k, n in enumerate(shape) if k != axis]
        rows = np.moveaxis(rows.reshape(*others, rows.shape[1]), -1, axis)
    return np.ascontiguousarray(rows).reshape(shape)


@quiet
def nll(
    array: Array, places: Array, weight: Array | None, axis: int, reduction: str, ignored: int
) -> tuple[Array, Array]:
    """Return -weight * array at places along an axis, or the sum or mean of it.

    With it comes by what each is multiplied in that.
    """
    rows, wide = _rows(array, axis), accumulation(array.dtype)
    known = compiled.nll(rows, places, weight, reduction, ignored)
    if known is not None:
        found, parts = known
        return found.reshape(places.shape if reduction == "none" else ()), parts.reshape(
            places.shape
        )
    count, classes = rows.shape
    at, share, left_out = _shares(places, weight, ignored, classes, wide)
    losses = rows[np.arange(count), at].astype(wide, copy=False) * -share
    parts = np.empty(count, wide)
    found = _reduced(losses, share, left_out, parts, reduction, places.shape)
    return found.astype(array.dtype, copy=False), parts.reshape(places.shape)


@quiet
def nll_gradient(g: Array, parts: Array, places: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Return the gradient of what :func:`nll` computed of an array of a shape."""
    known = compiled.nll_gradient(g, parts, places, shape[axis])
    if known is not None:
        return _placed(known, shape, axis)
    flat = parts.reshape(-1)
    result = np.zeros((flat.size, shape[axis]), g.dtype)
    slopes = flat * g.reshape(-1).astype(flat.dtype, copy=False)
    result[np.arange(flat.size), _inside(places, shape[axis])] -= slopes.astype(g.dtype, copy=False)
    return _placed(result, shape, axis)


@quiet
def cross_entropy(
    array: Array, places: Array, weight: Array | None, axis: int, reduction: str, ignored: int
) -> tuple[Array, Array, Array]:
    """Return -weight * log_softmax(array) at places along an axis, or the sum or mean of it.

    With it comes what the gradient is made of: the exponentials of rows less their greatest
    numbers; and by what these are multiplied, and what is taken away at the places, of each row.
    The plain definition is :func:`gpugrad.ops.nn.classes.cross_entropy_plain`.
    """
    kind = array.dtype
    wide = accumulation(kind)
    rows = _rows(array, axis)
    known = compiled.cross_entropy(rows, places, weight, reduction, ignored)
    if known is not None:
        return known[0].reshape(places.shape if reduction == "none" else ()), *known[1:]
    count, classes = rows.shape
    at, share, left_out = _shares(places, weight, ignored, classes, wide)
    terms, total = np.empty(rows.shape, wide), np.empty(count, wide)
    most, ones = np.empty(count, kind), np.ones(classes, wide)
    step = max(1, _BLOCK // max(classes, 1))
    for start in range(0, count, step):
        block = slice(start, start + step)
        np.maximum.reduce(rows[block], 1, out=most[block])
        some = np.subtract(rows[block], most[block, None], out=terms[block])
        np.exp(some, out=some)
        np.dot(some, ones, out=total[block])  # a fifth of the time of a sum
    losses = np.log(total)
    losses += most
    losses -= rows[np.arange(count), at]
    if share.ndim:
        losses *= share
    scales = np.empty((2, count), wide)
    found = _reduced(losses, share, left_out, scales[1], reduction, places.shape)
    np.divide(scales[1], total, out=scales[0])
    return found.astype(kind, copy=False), terms, scales


@quiet
def cross_entropy_gradient(
    g: Array,
    array: Array,
    terms: Array,
    scales: Array,
    places: Array,
    weight: Array | None,
    axis: int,
    reduction: str,
    ignored: int,
) -> Array:
    """Return the gradient of what :func:`cross_entropy` computed, of that of its result."""
    kind, wide = array.dtype, terms.dtype
    count, classes = terms.shape
    result = compiled.cross_entropy_gradient(g, terms, scales, places) if kind == wide else None
    if result is None:
        scales = scales * g.reshape(-1).astype(wide, copy=False)
        result = np.multiply(terms, scales[0, :, None])
        result[np.arange(count), _inside(places, classes)] -= scales[1]
    if kind != wide:
        result = result.astype(kind)
    return _placed(result, array.shape, axis)

"""Cross entropy of classes over NumPy's arrays, some rows at a time while a cache holds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpugrad._dtype import accumulation
from gpugrad.backend.quiet import quiet

Array = Any

_BLOCK = 1 << 14  # elements


def _rows(array: Array, axis: int) -> Array:
    """Return an array as a matrix, with its classes along rows."""
    if axis != array.ndim - 1:
        array = np.moveaxis(array, axis, -1)
    return array.reshape(-1, array.shape[-1])


def _shares(
    places: Array, weight: Array | None, ignored: int, classes: int, wide: Any
) -> tuple[Array, Array | None]:
    """Return the class of each row, 0 where it is ignored, and by what its term is multiplied.

    That is ``None`` where it is 1 for all.
    """
    at = places.reshape(-1)
    inside = at.size and int(at.view(np.uint64).max()) < classes  # negative ones are the largest
    some = not inside or 0 <= ignored < classes
    if some:
        left_out = at == ignored
        at = np.where(left_out, 0, at)
    if weight is None:
        if not some:
            return at, None
        return at, np.logical_not(left_out).astype(wide)
    share = weight.astype(wide)[at]
    if some:
        share[left_out] = 0
    return at, share


@quiet
def cross_entropy(
    array: Array, places: Array, weight: Array | None, axis: int, reduction: str, ignored: int
) -> tuple[Array, Array, Array]:
    """Return -weight * log_softmax(array) at places along an axis, or the sum or mean of it.

    With it come the exponentials of rows less their greatest numbers, and their sums, which the
    gradient is made of.  The plain definition is
    :func:`gpugrad.ops.nn.classes.cross_entropy_plain`.
    """
    kind = array.dtype
    wide = accumulation(kind)
    rows = _rows(array, axis)
    count, classes = rows.shape
    at, share = _shares(places, weight, ignored, classes, wide)
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
    if share is not None:
        losses = np.where(share == 0, 0, losses * share)  # also where they are infinite
    if reduction == "none":
        found = losses.reshape(places.shape)
    else:
        found = np.add.reduce(losses)
        if reduction == "mean":
            found = found / wide.type(count) if share is None else found / np.add.reduce(share)
    return found.astype(kind, copy=False), terms, total


@quiet
def cross_entropy_gradient(
    g: Array,
    array: Array,
    terms: Array,
    total: Array,
    places: Array,
    weight: Array | None,
    axis: int,
    reduction: str,
    ignored: int,
) -> Array:
    """Return the gradient of what :func:`cross_entropy` computed, of that of its result."""
    kind, wide = array.dtype, terms.dtype
    count, classes = terms.shape
    at, share = _shares(places, weight, ignored, classes, wide)
    scale = g.reshape(-1).astype(wide, copy=False)
    if reduction == "mean":
        scale = scale / (wide.type(count) if share is None else np.add.reduce(share))
    if share is not None:
        scale = np.where(share == 0, 0, share * scale)  # also where all are ignored
    result = np.multiply(terms, (scale / total)[:, None])
    result[np.arange(count), at] -= scale
    if kind != wide:
        result = result.astype(kind)
    if axis != array.ndim - 1:
        others = [n for k, n in enumerate(array.shape) if k != axis]
        result = np.moveaxis(result.reshape(*others, classes), -1, axis)
    return np.ascontiguousarray(result).reshape(array.shape)

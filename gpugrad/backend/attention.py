"""Attention over NumPy's arrays, some queries at a time, without the matrix of all scores.

Of that matrix the logarithms of the sums of each query's are kept, and it is computed again for the
gradients.  Queries lie side by side in it, so that what is done for each is done for many at once.

Source: Dao et al., "FlashAttention: fast and memory-efficient exact attention", 2022.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpugrad._dtype import is_half
from gpugrad.backend import half
from gpugrad.backend import queries as few
from gpugrad.backend.evaluation import LARGE, evaluated, function_of
from gpugrad.backend.quiet import quiet
from gpugrad.formulas import Formula, call, variable

Array = Any
Shape = tuple[int, ...]

_MOST = 1 << 18  # scores at a time, which stay in a cache

_x, _y, _z = map(variable, "xyz")
_WEIGHTS = Formula(
    "weights",
    [_x, _y],
    [call("where", _x - _y < few.LEAST, 0, call("exp", call("maximum", _x - _y, few.LEAST)))],
)
_SLOPES = Formula("slopes", [_x, _y, _z], [(_x - _y) * _z])


def _computed(formula: Formula, *arrays: Array) -> Array:
    """Return what a formula gives; of few, which the first are, by single functions of NumPy's."""
    if arrays[0].size >= LARGE:
        return evaluated(formula, arrays)[0]
    return function_of(formula)(*arrays)


@functools.lru_cache(8)
def _ahead(keys: int, begin: int, end: int) -> Array:
    """Return which keys are ahead of which queries, as a matrix that is only read."""
    return np.arange(keys)[:, None] > np.arange(begin, end)


def _wide(*arrays: Array) -> Sequence[Array]:
    return [half.widened(a) for a in arrays] if is_half(arrays[0].dtype) else arrays


def _stored(array: Array, kind: np.dtype[Any]) -> Array:
    return half.rounded(array, kind) if is_half(kind) else array


def _for_each(array: Array, query: Array) -> Array:
    """Return the matrices of an array in one row, each as often as queries' heads share it."""
    shape = array.shape
    flat = array.reshape((-1, *shape[-2:]))
    if shape[-3:-2] == query.shape[-3:-2]:
        return flat
    return np.repeat(flat, query.shape[-3] // array.shape[-3], 0)


def _summed(array: Array, like: Array) -> Array:
    """Return the sums of matrices that were one of those of ``like``."""
    stacks = math.prod(like.shape[:-2])
    if len(array) == stacks:
        return array
    return array.reshape(stacks, -1, *array.shape[-2:]).sum(1)


def _of_operands(grads: Sequence[Array], operands: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Return the gradients of operands, by those of matrices in one row."""
    first, second, third = (
        _stored(_summed(g, o), o.dtype).reshape(o.shape)
        for g, o in zip(grads, operands, strict=True)
    )
    return first, second, third


def _blocks(shape: Shape, keys: int) -> Iterator[tuple[slice, slice]]:
    """Return which stacks and which queries are taken at a time."""
    stacks, queries = shape
    rows = min(queries, max(_MOST // max(keys, 1), 1))
    together = max(_MOST // max(rows * keys, 1), 1)
    for g in range(0, stacks, together):
        for q in range(0, queries, rows):
            yield slice(g, g + together), slice(q, min(q + rows, queries))


class _Masks:
    """What is added to scores, or which of them count, for some stacks and queries.

    Scores are of shape (stacks, keys, queries).
    """

    def __init__(self, mask: Array | None, shape: Shape, causal: bool):
        """Make it of a mask that broadcasts to a shape: (..., queries, keys)."""
        self.mask = None
        if mask is not None:
            whole = np.broadcast_to(mask, shape)
            flat = (math.prod(shape[:-2]), *shape[-2:])
            alike = all(s == 0 for s in whole.strides[:-2])  # for all stacks
            first = whole[(0,) * (len(shape) - 2)] if alike and flat[0] else None
            self.mask = whole.reshape(flat) if first is None else first[None]
        self.causal = causal

    def put_on(self, scores: Array, stacks: slice, queries: slice) -> None:
        """Add it to scores, or make those that do not count -inf."""
        keys = scores.shape[1]
        if self.causal:
            np.copyto(scores, -np.inf, where=_ahead(keys, queries.start, queries.stop))
        if self.mask is not None:
            part = self.mask[stacks if len(self.mask) > 1 else slice(None), queries, :keys]
            part = part.swapaxes(1, 2)
            if part.dtype.kind == "b":
                np.copyto(scores, -np.inf, where=~part)
            else:
                scores += part


def _scores(
    q: Array, k: Array, masks: _Masks, scale: float, stacks: slice, queries: slice
) -> tuple[Array, Array, int]:
    """Return the scores of some queries, these scaled, and how many keys they have scores with."""
    keys = min(queries.stop, k.shape[1]) if masks.causal else k.shape[1]
    some = q[stacks, queries] * q.dtype.type(scale)
    found = np.matmul(k[stacks, :keys], some.swapaxes(1, 2))
    masks.put_on(found, stacks, queries)
    return found, some, keys


def _add_product(a: Array, b: Array, total: Array, queries: slice) -> None:
    """Add the product of some queries to that of those before; the first ones find zeros."""
    if queries.start:
        total += np.matmul(a, b)
    else:
        np.matmul(a, b, out=total)


@quiet
def attention(
    query: Array, key: Array, value: Array, mask: Array | None, scale: float, causal: bool
) -> tuple[Array, Array]:
    """Return the values, each query's own means of them, and logarithms of sums of weights.

    The operands have the same dimensions before their last two, but that neighbouring heads of
    queries may share one of keys and values.  A query for which no key counts gets 0, and infinity
    for its logarithm.
    """
    kind = query.dtype
    q, k, v = (_for_each(a, query) for a in _wide(query, key, value))
    shape = query.shape[:-1]
    known = few.attention(q, k, v, scale, causal) if mask is None else None
    if known is not None:
        return _stored(known[0], kind).reshape((*shape, v.shape[2])), known[1].reshape(shape)
    out = np.empty((*q.shape[:2], v.shape[2]), q.dtype)
    logs = np.empty((len(q), 1, q.shape[1]), q.dtype)
    masks = _Masks(mask, (*query.shape[:-1], key.shape[-2]), causal)
    for stacks, queries in _blocks(q.shape[:2], k.shape[1]):
        weights, _, keys = _scores(q, k, masks, scale, stacks, queries)
        most = np.maximum.reduce(weights, 1, keepdims=True)
        if mask is not None:
            most[most == -np.inf] = 0
        weights = _computed(_WEIGHTS, weights, most)
        sums = np.einsum("gkq->gq", weights)[:, None]
        found = np.matmul(weights.swapaxes(1, 2), v[stacks, :keys], out=out[stacks, queries])
        if mask is not None:
            none = sums == 0
            sums[none] = 1
            most[none] = np.inf
        found /= sums.swapaxes(1, 2)
        logs[stacks, :, queries] = np.log(sums) + most
    return _stored(out, kind).reshape(*shape, v.shape[2]), logs.reshape(shape)


@quiet
def attention_gradient(
    g: Array,
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    out: Array,
    logs: Array,
    scale: float,
    causal: bool,
    of_mask: bool,
) -> tuple[Array, Array, Array, Array | None]:
    """Return the gradients of queries, keys and values, and those of all scores or ``None``."""
    g, q, k, v, o = (_for_each(a, query) for a in _wide(g, query, key, value, out))
    if mask is None:
        known = few.attention_gradient(g, q, k, v, o, logs, scale, causal)
        if known is not None:
            return *_of_operands(known, (query, key, value)), None
    logs = logs.reshape(len(q), 1, q.shape[1])
    of_q, of_k, of_v = np.empty(q.shape, q.dtype), np.zeros(k.shape, q.dtype), np.zeros_like(v)
    of_scores = np.zeros((*q.shape[:2], k.shape[1]), q.dtype) if of_mask else None
    along = np.einsum("gqe,gqe->gq", g, o)[:, None]
    masks = _Masks(mask, (*query.shape[:-1], key.shape[-2]), causal)
    for stacks, queries in _blocks(q.shape[:2], k.shape[1]):
        weights, scaled, keys = _scores(q, k, masks, scale, stacks, queries)
        weights = _computed(_WEIGHTS, weights, logs[stacks, :, queries])
        some = g[stacks, queries]
        _add_product(weights, some, of_v[stacks, :keys], queries)
        slopes = np.matmul(v[stacks, :keys], some.swapaxes(1, 2))
        slopes = _computed(_SLOPES, slopes, along[stacks, :, queries], weights)
        if of_scores is not None:
            of_scores[stacks, queries, :keys] = slopes.swapaxes(1, 2)
        found = np.matmul(slopes.swapaxes(1, 2), k[stacks, :keys], out=of_q[stacks, queries])
        found *= q.dtype.type(scale)
        _add_product(slopes, scaled, of_k[stacks, :keys], queries)
    first, second, third = _of_operands((of_q, of_k, of_v), (query, key, value))
    if of_scores is not None:
        of_scores = of_scores.reshape(*query.shape[:-1], key.shape[-2])
    return first, second, third, of_scores

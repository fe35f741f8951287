"""Losses of alignments, by one recursion over time with all examples and labels at once.

The functions are of NumPy's arrays and of CuPy's: they are told which module ``xp`` that is.

Source: Graves et al., "Connectionist temporal classification", 2006.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def _added(xp: Any, terms: list[Array]) -> Array:
    """Return the logarithm of a sum of exponentials, -inf of nothing."""
    most = terms[0]
    for term in terms[1:]:
        most = xp.maximum(most, term)
    level = xp.where(most == -np.inf, 0, most)
    total = xp.exp(terms[0] - level)
    for term in terms[1:]:
        total += xp.exp(term - level)
    return xp.log(total) + level


def _moved(xp: Any, array: Array, steps: int) -> Array:
    """Return rows that begin later by some steps, or earlier, with -inf where nothing comes."""
    result = xp.full_like(array, -np.inf)
    if steps > 0:
        result[:, steps:] = array[:, :-steps]
    else:
        result[:, :steps] = array[:, -steps:]
    return result


def _ends(xp: Any, sizes: Array, length: int) -> Array:
    """Return where an alignment may end: at the last label, or the blank behind it."""
    places = xp.arange(length)
    return (places == 2 * sizes[:, None]) | (places == 2 * sizes[:, None] - 1)


def ctc(
    xp: Any, scores: Array, labels: Array, skips: Array, times: Array, sizes: Array
) -> tuple[Array, Array]:
    """Return minus the logarithms of examples' probabilities, and those of all beginnings.

    The plain definition is :func:`gpugrad.ops.nn.ctc.ctc_plain`.

    Args:
        xp: The module of the arrays.
        scores: Logarithms, of shape (times, examples, classes).
        labels: The classes with blanks between them, of shape (examples, 2 * most labels + 1).
        skips: Where the blank before a label may be left out.
        times: How many steps each example has.
        sizes: How many labels.
    """
    with np.errstate(all="ignore"):
        steps, count, _ = scores.shape
        length = labels.shape[1]
        rows = xp.arange(count)[:, None]
        begun = xp.full((steps, count, length), -np.inf, scores.dtype)
        first = xp.arange(length) < xp.minimum(2, 2 * sizes[:, None] + 1)
        begun[0] = xp.where(first, scores[0][rows, labels], -np.inf)
        for t in range(1, steps):
            before = begun[t - 1]
            skipped = xp.where(skips, _moved(xp, before, 2), -np.inf)
            begun[t] = _added(xp, [before, _moved(xp, before, 1), skipped])
            begun[t] += scores[t][rows, labels]
        last = begun[xp.maximum(times - 1, 0), xp.arange(count)]
        last = xp.where(_ends(xp, sizes, length), last, -np.inf)
        last = xp.where((times == 0)[:, None], xp.where(sizes == 0, 0, -np.inf)[:, None], last)
        most = last.max(1, keepdims=True)
        level = xp.where(most == -np.inf, 0, most)
        total = xp.log(xp.exp(last - level).sum(1)) + level[:, 0]
        total = xp.where(times == 0, xp.where(sizes == 0, 0, -np.inf), total)
        return -total.astype(scores.dtype), begun


def ctc_gradient(
    xp: Any,
    g: Array,
    scores: Array,
    losses: Array,
    begun: Array,
    labels: Array,
    skips: Array,
    times: Array,
    sizes: Array,
) -> Array:
    """Return how probable each label is at each time, times ``-g``; 0 beyond the examples' times.

    It is the gradient by the scores of the labels, of shape (times, examples, labels).
    """
    with np.errstate(all="ignore"):
        steps, count, _ = scores.shape
        length = labels.shape[1]
        rows = xp.arange(count)[:, None]
        ends = xp.where(_ends(xp, sizes, length), 0, -np.inf).astype(scores.dtype)
        result = xp.empty_like(begun)
        ahead = xp.full((count, length), -np.inf, scores.dtype)
        onward = _moved(xp, xp.where(skips, 0, -np.inf).astype(scores.dtype), -2)
        for t in reversed(range(steps)):
            own = scores[t][rows, labels]
            skipped = _moved(xp, ahead, -2) + onward
            rest = _added(xp, [ahead, _moved(xp, ahead, -1), skipped])
            rest = xp.where((times == t + 1)[:, None], ends, rest)
            result[t] = xp.exp(begun[t] + rest + losses[:, None])
            ahead = rest + own
        there = (xp.arange(steps)[:, None] < times) & (g != 0)  # not nan of what was left out
        return xp.where(there[:, :, None], -g[:, None] * result, 0).astype(scores.dtype)

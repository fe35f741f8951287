"""What do operations cost that follow one another on the same arrays?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.work import Results, Work, by_size, cases, gradients

CLASSES = 1000


def two_vectors(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.uniform(0.5, 1.5, n) for _ in range(2)]


def logits_and_labels(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return the logits of n examples, and their classes as rows with a single one."""
    return random.standard_normal((n, CLASSES)), np.eye(CLASSES)[random.integers(CLASSES, size=n)]


def chain(xp: Any, x: Any, y: Any) -> Any:
    """Eight elementwise operations, and a sum."""
    z = xp.exp(xp.tanh(x * y)) + x
    return (xp.sqrt(z / y) * x + y).sum()


def chain_by_hand(xp: Any, x: Any, y: Any) -> Results:
    t = xp.tanh(x * y)
    e = xp.exp(t)
    r = xp.sqrt((e + x) / y)
    total = (r * x + y).sum()
    quotient = x / (2 * r)  # the gradient of z / y
    z = quotient / y
    product = z * e * (1 - t * t)  # that of x * y
    return total, r + z + product * y, 1 - z * (r * r) + product * x


def cross_entropy(xp: Any, logits: Any, labels: Any) -> Any:
    """Return the mean cross entropy of the softmax, in operations that everyone has."""
    shifted = logits - xp.amax(logits, 1)[:, None]
    log_sum = xp.log(xp.exp(shifted).sum(1))
    return (log_sum - (shifted * labels).sum(1)).mean()


def cross_entropy_by_hand(xp: Any, logits: Any, labels: Any) -> Results:
    shifted = logits - logits.max(1, keepdims=True)
    e = xp.exp(shifted)
    total = e.sum(1, keepdims=True)
    loss = (xp.log(total) - (shifted * labels).sum(1, keepdims=True)).mean()
    return loss, (e / total - labels) / logits.shape[0]


CHAIN = gradients(
    "chain of 8 elementwise", two_vectors, 2, chain, chain_by_hand,
    by_size({1_000: 0.40, 100_000: 0.60, 10_000_000: 0.55}), compiled=True,
)  # fmt: skip
CROSS_ENTROPY = gradients(
    "softmax cross entropy", logits_and_labels, 1, cross_entropy, cross_entropy_by_hand,
    by_size({256: 0.7}), compiled=True,
)  # fmt: skip
WORKS = [CHAIN, CROSS_ENTROPY]


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_composition(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

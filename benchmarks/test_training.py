"""What does a whole training step cost: forward, backward and the update of a small network?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.comparison import Work

EXAMPLES, INPUTS, HIDDEN, OUTPUTS = 64, 1000, 100, 10
LEARNING_RATE = 1e-6


def network(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return two weights, the inputs and the outputs of n examples."""
    shapes = (INPUTS, HIDDEN), (HIDDEN, OUTPUTS), (n, INPUTS), (n, OUTPUTS)
    return [random.standard_normal(s) for s in shapes]


def step(torch: Any, w1: Any, w2: Any, x: Any, y: Any) -> Any:
    y_pred = x.mm(w1).clamp(min=0).mm(w2)
    loss = (y_pred - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        w1 -= LEARNING_RATE * w1.grad
        w2 -= LEARNING_RATE * w2.grad
        w1.grad.zero_()
        w2.grad.zero_()
    return loss, w1, w2


def step_by_hand(xp: Any, w1: Any, w2: Any, x: Any, y: Any) -> Any:
    hidden = x @ w1
    active = xp.maximum(hidden, 0)
    wrong = active @ w2 - y
    loss = (wrong * wrong).sum()
    g = 2 * wrong
    g_hidden = (g @ w2.T) * (hidden >= 0)
    w2 -= LEARNING_RATE * (active.T @ g)
    w1 -= LEARNING_RATE * (x.T @ g_hidden)
    return loss, w1, w2


WORKS = [Work("training step", network, 2, step, step_by_hand, keeps_grad=True)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("work", WORKS, ids=str)
def test_training(compare: Callable[..., None], work: Work, dtype: str) -> None:
    compare(work, EXAMPLES, dtype)

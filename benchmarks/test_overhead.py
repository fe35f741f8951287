"""What does the library add to each small operation?

A chain of 1000 operations on three elements is arithmetic of no length: what is timed is the
recording of a call, and the walk over what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.comparison import Work

LENGTH = 1000


def operands(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return x and two vectors that leave a long chain of products and sums of moderate size."""
    return random.uniform(0.5, 1.5, n), random.uniform(0.99, 1.01, n), random.uniform(-0.1, 0.1, n)


def chain(x: Any, a: Any, b: Any) -> Any:
    for _ in range(LENGTH // 2):
        x = x * a
        x = x + b
    return x


def recorded(torch: Any, x: Any, a: Any, b: Any) -> Any:
    return (chain(x, a, b),)


def unrecorded(torch: Any, x: Any, a: Any, b: Any) -> Any:
    with torch.no_grad():
        return (chain(x, a, b),)


def built(torch: Any, x: Any, a: Any, b: Any) -> Any:
    return x, chain(x, a, b), torch.ones_like(x)


def backward(torch: Any, graph: Any) -> Any:
    x, y, g = graph
    y.backward(g)
    return (x.grad,)


def forward_by_hand(xp: Any, x: Any, a: Any, b: Any) -> Any:
    return (chain(x, a, b),)


def backward_by_hand(xp: Any, x: Any, a: Any, b: Any) -> Any:
    g = xp.ones_like(x)
    for _ in range(LENGTH // 2):
        g = g * a
    return (g,)


def three(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.uniform(0.5, 1.5, n)]


def twice(torch: Any, x: Any) -> Any:
    z = (x * 2).sum()
    z.backward()
    return z, x.grad


def twice_by_hand(xp: Any, x: Any) -> Any:
    return (x * 2).sum(), xp.full_like(x, 2)


WORKS = [
    Work("(x*2).sum(), backward", three, 1, twice, twice_by_hand),
    Work("chain: forward", operands, 1, recorded, forward_by_hand, calls=LENGTH),
    Work("chain: forward, no_grad", operands, 1, unrecorded, forward_by_hand, calls=LENGTH),
    Work("chain: backward", operands, 1, backward, backward_by_hand, built, calls=LENGTH),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("work", WORKS, ids=str)
def test_overhead(compare: Callable[..., None], work: Work, dtype: str) -> None:
    compare(work, 3, dtype)

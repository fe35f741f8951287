"""What does one operation cost, forward and backward, at every size?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.work import Results, Work, by_size, cases, dot, gradients

EXPONENT = 3
SHAPES = {10: (2, 5), 1_000: (10, 100), 100_000: (100, 1_000), 10_000_000: (1_000, 10_000)}


def vectors(count: int) -> Callable[[int, np.random.Generator], Sequence[Any]]:
    """Return a function that draws positive vectors of length n."""
    return lambda n, random: [random.uniform(0.5, 1.5, n) for _ in range(count)]


def matrix_and_row(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return a matrix of n elements, a row that broadcasts against it, and a gradient."""
    shape = SHAPES[n]
    return [random.uniform(0.5, 1.5, s) for s in (shape, shape[1], shape)]


# --------------------------------------------------------------------------- in everyone's names


def scalar_power(xp: Any, x: Any) -> Any:
    return x**EXPONENT


def power(xp: Any, x: Any, y: Any) -> Any:
    return x**y


def mul(xp: Any, x: Any, y: Any) -> Any:
    return x * y


def add(xp: Any, x: Any, y: Any) -> Any:
    return x + y


def total(xp: Any, x: Any) -> Any:
    return x.sum()


def mean(xp: Any, x: Any) -> Any:
    return x.mean()


# --------------------------------------------------------------------------- by hand


def scalar_power_by_hand(xp: Any, x: Any, g: Any) -> Results:
    square = x * x
    return square * x, g * EXPONENT * square


def power_by_hand(xp: Any, x: Any, y: Any, g: Any) -> Results:
    z = x**y
    return z, g * y * x ** (y - 1), summed(g * z * xp.log(x), y)


def mul_by_hand(xp: Any, x: Any, y: Any, g: Any) -> Results:
    return x * y, g * y, summed(g * x, y)


def add_by_hand(xp: Any, x: Any, y: Any, g: Any) -> Results:
    return x + y, g, summed(g, y)


def summed(g: Any, y: Any) -> Any:
    """Undo the broadcasting of a row."""
    return g.sum(0) if g.ndim > y.ndim else g


def dot_by_hand(xp: Any, x: Any, y: Any) -> Results:
    return x.dot(y), y, x


def total_by_hand(xp: Any, x: Any) -> Results:
    return x.sum(), xp.full_like(x, 1)


def mean_by_hand(xp: Any, x: Any) -> Results:
    return x.mean(), xp.full_like(x, 1 / x.size)


def targets(at_hundred_thousand: float) -> Any:
    """Return the targets of an operation: they differ at one size only."""
    return by_size({10: 0.25, 1_000: 0.35, 100_000: at_hundred_thousand, 10_000_000: 0.65})


WORKS = [
    gradients("pow by a scalar", vectors(2), 1, scalar_power,
              scalar_power_by_hand, targets(0.7), cotangent=True),
    gradients("pow by a tensor", vectors(3), 2, power, power_by_hand, targets(0.45),
              cotangent=True),
    gradients("mul", vectors(3), 2, mul, mul_by_hand, targets(0.8), cotangent=True),
    gradients("add", vectors(3), 2, add, add_by_hand, targets(0.8), cotangent=True),
    gradients("dot", vectors(2), 2, dot, dot_by_hand, targets(0.8)),
    gradients("sum", vectors(1), 1, total, total_by_hand, targets(1.0)),
    gradients("mean", vectors(1), 1, mean, mean_by_hand, targets(1.0)),
    gradients("pow, broadcast", matrix_and_row, 2, power, power_by_hand, targets(1.1),
              cotangent=True),
    gradients("mul, broadcast", matrix_and_row, 2, mul, mul_by_hand, targets(1.1), cotangent=True),
    gradients("add, broadcast", matrix_and_row, 2, add, add_by_hand, targets(1.1), cotangent=True),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_operation(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

"""What does one operation cost, forward and backward, at every size?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.comparison import Work

SIZES = [10, 1_000, 100_000, 10_000_000]
BROADCAST_SIZES = [1_000, 100_000, 10_000_000]
DTYPES = ["float32", "float64"]


def vectors(count: int) -> Callable[[int, np.random.Generator], Sequence[Any]]:
    """Return a function that draws positive vectors of length n."""
    return lambda n, random: [random.uniform(0.5, 1.5, n) for _ in range(count)]


def matrix_and_row(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return a matrix of n elements, a row that broadcasts against it, and a gradient."""
    columns = 10 ** (len(str(n)) // 2)
    shape = (n // columns, columns)
    return [random.uniform(0.5, 1.5, s) for s in (shape, columns, shape)]


# --------------------------------------------------------------------------- with PyTorch's names


def power(torch: Any, x: Any, y: Any, g: Any) -> Any:
    z = x**y
    z.backward(g)
    return z, x.grad, y.grad


def mul(torch: Any, x: Any, y: Any, g: Any) -> Any:
    z = x * y
    z.backward(g)
    return z, x.grad, y.grad


def add(torch: Any, x: Any, y: Any, g: Any) -> Any:
    z = x + y
    z.backward(g)
    return z, x.grad, y.grad


def dot(torch: Any, x: Any, y: Any) -> Any:
    z = x.dot(y)
    z.backward()
    return z, x.grad, y.grad


def total(torch: Any, x: Any) -> Any:
    z = x.sum()
    z.backward()
    return z, x.grad


def mean(torch: Any, x: Any) -> Any:
    z = x.mean()
    z.backward()
    return z, x.grad


# --------------------------------------------------------------------------- by hand


def power_by_hand(xp: Any, x: Any, y: Any, g: Any) -> Any:
    z = x**y
    return z, g * y * x ** (y - 1), summed(g * z * xp.log(x), y)


def mul_by_hand(xp: Any, x: Any, y: Any, g: Any) -> Any:
    return x * y, g * y, summed(g * x, y)


def add_by_hand(xp: Any, x: Any, y: Any, g: Any) -> Any:
    return x + y, g, summed(g, y)


def summed(g: Any, y: Any) -> Any:
    """Undo the broadcasting of a row."""
    return g.sum(0) if g.ndim > y.ndim else g


def dot_by_hand(xp: Any, x: Any, y: Any) -> Any:
    return x.dot(y), y, x


def total_by_hand(xp: Any, x: Any) -> Any:
    return x.sum(), xp.full_like(x, 1)


def mean_by_hand(xp: Any, x: Any) -> Any:
    return x.mean(), xp.full_like(x, 1 / x.size)


WORKS = [
    Work("pow", vectors(3), 2, power, power_by_hand),
    Work("mul", vectors(3), 2, mul, mul_by_hand),
    Work("add", vectors(3), 2, add, add_by_hand),
    Work("dot", vectors(2), 2, dot, dot_by_hand),
    Work("sum", vectors(1), 1, total, total_by_hand),
    Work("mean", vectors(1), 1, mean, mean_by_hand),
]
BROADCAST_WORKS = [
    Work("pow, broadcast", matrix_and_row, 2, power, power_by_hand),
    Work("mul, broadcast", matrix_and_row, 2, mul, mul_by_hand),
    Work("add, broadcast", matrix_and_row, 2, add, add_by_hand),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("work", WORKS, ids=str)
def test_operation(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", BROADCAST_SIZES)
@pytest.mark.parametrize("work", BROADCAST_WORKS, ids=str)
def test_broadcast(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

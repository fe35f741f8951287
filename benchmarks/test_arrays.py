"""What do operations cost that read, add or multiply many elements of an array?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.work import (
    Results,
    Work,
    by_size,
    cases,
    gather,
    gradients,
    tabled,
    windows,
)

SINGLE, HALF = ("float32",), ("float16",)
WIDTH = 1_000
COLUMNS = 64  # of a table
LENGTH = 5  # of a window

# --------------------------------------------------------------------------- inputs


def matrix_and_columns(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return a matrix, n columns, and a gradient."""
    return [random.uniform(0.5, 1.5, s) for s in ((WIDTH, WIDTH), *[(n, WIDTH, 1)] * 2)]


def rows_and_matrix(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return n rows, a matrix, and a gradient."""
    return [random.uniform(0.5, 1.5, s) for s in ((n, 1, WIDTH), (WIDTH, WIDTH), (n, 1, WIDTH))]


def factors(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return n numbers whose product is near 1."""
    return [np.exp2(random.uniform(-1, 1, n) / n**0.5)]


def factors_and_a_zero(n: int, random: np.random.Generator) -> Sequence[Any]:
    (x,) = factors(n, random)
    x[n // 3] = 0
    return [x]


def rows_of_factors(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return n rows of numbers whose product is near 1, and a gradient."""
    return [np.exp2(random.uniform(-1, 1, (n, WIDTH)) / WIDTH**0.5), random.uniform(0.5, 1.5, n)]


def images(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return images of n by n pixels, and the gradient of their windows."""
    return [random.uniform(0.5, 1.5, s) for s in ((2, 3, n, n), (2, 3, n, n - LENGTH + 1, LENGTH))]


def rows_and_places(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return a matrix of n elements, and as many indices of its columns."""
    shape = (n // 500, 500)
    return [random.uniform(0.5, 1.5, shape), random.integers(0, 500, shape)]


def table_and_places(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return a table of 10,000 rows, n indices of them, and a gradient."""
    table = random.uniform(0.5, 1.5, (10_000, COLUMNS))
    return [table, random.integers(0, 10_000, n), random.uniform(0.5, 1.5, (n, COLUMNS))]


def matrix(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.uniform(0.5, 1.5, (n, WIDTH))]


def vectors(count: int) -> Callable[[int, np.random.Generator], Sequence[Any]]:
    """Return a function that draws vectors of length n."""
    return lambda n, random: [random.uniform(0.5, 1.5, n) for _ in range(count)]


# --------------------------------------------------------------------------- in everyone's names


def product_of(xp: Any, x: Any, y: Any) -> Any:
    return x @ y


def prod(xp: Any, x: Any) -> Any:
    return xp.prod(x)


def prod_of_rows(xp: Any, x: Any) -> Any:
    return xp.prod(x, 1)


def unfolded(xp: Any, x: Any) -> Any:
    return windows(xp, x, LENGTH)


def gathered(xp: Any, x: Any, index: Any) -> Any:
    return gather(xp, x, index).sum()


def looked_up(xp: Any, x: Any, index: Any) -> Any:
    return x[index]


def rows_in_turn(xp: Any, x: Any) -> Any:
    total = 0
    for row in x:
        total = total + row.sum()
    return total


def exp(xp: Any, x: Any) -> Any:
    return xp.exp(x)


def mul(xp: Any, x: Any, y: Any) -> Any:
    return x * y


def relu(xp: Any, x: Any) -> Any:
    return xp.relu(x) if hasattr(xp, "relu") else xp.maximum(x, 0)


# --------------------------------------------------------------------------- by hand


def columns_by_hand(xp: Any, m: Any, x: Any, g: Any) -> Results:
    side, slope = x[..., 0], g[..., 0]
    return (side @ m.T)[..., None], slope.T @ side, (slope @ m)[..., None]


def rows_by_hand(xp: Any, x: Any, m: Any, g: Any) -> Results:
    rows, slope = x[:, 0], g[:, 0]
    return (rows @ m)[:, None], (slope @ m.T)[:, None], rows.T @ slope


def prod_by_hand(xp: Any, x: Any) -> Results:
    total = xp.prod(x)
    return total, total / x


def prod_with_a_zero_by_hand(xp: Any, x: Any) -> Results:
    grad = xp.zeros_like(x)
    at = len(x) // 3
    grad[at] = xp.prod(x[:at]) * xp.prod(x[at + 1 :])
    return xp.prod(x), grad


def prod_of_rows_by_hand(xp: Any, x: Any, g: Any) -> Results:
    total = xp.prod(x, 1)
    return total, (g * total)[:, None] / x


def unfolded_by_hand(xp: Any, x: Any, g: Any) -> Results:
    grad = xp.zeros_like(x)
    for k in range(LENGTH):
        grad[..., k : k + g.shape[-2]] += g[..., k]
    return windows(xp, x, LENGTH), grad


def gathered_by_hand(xp: Any, x: Any, index: Any) -> Results:
    places = (index + xp.arange(len(x))[:, None] * x.shape[1]).reshape(-1)
    grad = xp.zeros_like(x)
    xp.add.at(grad.reshape(-1), places, x.dtype.type(1))
    return x.reshape(-1)[places].sum(), grad


def looked_up_by_hand(xp: Any, x: Any, index: Any, g: Any) -> Results:
    grad = xp.zeros_like(x)
    places = (index[:, None] * COLUMNS + xp.arange(COLUMNS)).reshape(-1)
    xp.add.at(grad.reshape(-1), places, g.reshape(-1))
    return x[index], grad


def rows_in_turn_by_hand(xp: Any, x: Any) -> Results:
    return sum(row.sum() for row in x), xp.ones_like(x)


def exp_by_hand(xp: Any, x: Any, g: Any) -> Results:
    out = xp.exp(x)
    return out, g * out


def mul_by_hand(xp: Any, x: Any, y: Any, g: Any) -> Results:
    return x * y, g * y, g * x


def relu_by_hand(xp: Any, x: Any, g: Any) -> Results:
    return xp.maximum(x, 0), xp.where(x > 0, g, 0)


def total(xp: Any, x: Any) -> Any:
    return x.sum()


def total_by_hand(xp: Any, x: Any) -> Results:
    return x.sum(dtype=xp.float32).astype(x.dtype), xp.ones_like(x)


MANY = {100_000: 1.2, 1_000_000: 1.2}
FEW_AND_MANY = {1_000: 1.2} | MANY
WORKS = [
    gradients("matrix times columns", matrix_and_columns, 2, product_of, columns_by_hand,
              by_size({20: 1.2}, SINGLE), cotangent=True),
    gradients("rows times a matrix", rows_and_matrix, 2, product_of, rows_by_hand,
              by_size({20: 1.2}, SINGLE), cotangent=True),
    gradients("prod", factors, 1, prod, prod_by_hand, by_size(MANY)),
    gradients("prod with a zero", factors_and_a_zero, 1, prod, prod_with_a_zero_by_hand,
              by_size(MANY, SINGLE)),
    gradients("prod of rows", rows_of_factors, 1, prod_of_rows, prod_of_rows_by_hand,
              by_size({1_000: 1.2}, SINGLE), cotangent=True),
    gradients("unfold", images, 1, unfolded, unfolded_by_hand, by_size({300: 1.2}, SINGLE),
              cotangent=True),
    gradients("gather", rows_and_places, 1, gathered, gathered_by_hand, by_size(MANY, SINGLE)),
    gradients("table look-up", table_and_places, 1, looked_up, looked_up_by_hand,
              by_size({4_096: 1.2}, SINGLE), cotangent=True),
    gradients("index_select", table_and_places, 1, tabled, looked_up_by_hand,
              by_size({4_096: 1.2}, SINGLE), cotangent=True),
    gradients("rows in turn", matrix, 1, rows_in_turn, rows_in_turn_by_hand,
              by_size({1_000: 1.2}, SINGLE)),
    gradients("exp of halves", vectors(2), 1, exp, exp_by_hand, by_size(FEW_AND_MANY, HALF),
              cotangent=True),
    gradients("mul of halves", vectors(3), 2, mul, mul_by_hand, by_size(FEW_AND_MANY, HALF),
              cotangent=True),
    gradients("relu of halves", vectors(2), 1, relu, relu_by_hand, by_size(FEW_AND_MANY, HALF),
              cotangent=True),
    gradients("sum of halves", vectors(1), 1, total, total_by_hand, by_size({10_000: 1.2}, HALF)),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_arrays(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

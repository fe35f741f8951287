"""What does a graph cost that is long, used again, or narrow at one place?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.test_composition import chain as short_chain
from benchmarks.test_composition import chain_by_hand as short_chain_by_hand
from benchmarks.test_composition import two_vectors
from benchmarks.work import Results, Work, by_size, cases, gradients

USES = 100
BACKWARDS = 10


def vector(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.uniform(0.5, 1.5, n)]


def scalars_and_length(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return x, two numbers that leave any chain of moderate size, and an axis of its length."""
    return random.uniform(0.5, 1.5), 1 - 1e-6, 1e-6, np.zeros(n)


# --------------------------------------------------------------------------- a tensor used often


def used_often(xp: Any, x: Any) -> Any:
    y = x
    for k in range(1, USES):
        y = y + x * (k / USES)
    return y.sum()


def used_often_by_hand(xp: Any, x: Any) -> Results:
    y, g = x, xp.ones_like(x)
    for k in range(1, USES):
        y = y + x * (k / USES)
        g += k / USES
    return y.sum(), g


# --------------------------------------------------------------------------- ten backwards


def again(torch: Any, x: Any, y: Any) -> Results:
    total = short_chain(torch, x, y)
    for _ in range(BACKWARDS):
        total.backward(retain_graph=True)
    return x.grad, y.grad


def again_function(lib: Any, x: Any, y: Any) -> Results:
    out, pull = lib.vjp(lambda x, y: short_chain(lib.numpy, x, y), x, y)
    gx, gy = pull(np.ones_like(out))
    for _ in range(BACKWARDS - 1):
        more_x, more_y = pull(np.ones_like(out))
        gx, gy = gx + more_x, gy + more_y
    return gx, gy


def again_by_hand(xp: Any, x: Any, y: Any) -> Results:
    _, gx, gy = short_chain_by_hand(xp, x, y)
    return BACKWARDS * gx, BACKWARDS * gy


# --------------------------------------------------------------------------- a long chain


def extended(x: Any, a: Any, b: Any, length: Any) -> Any:
    for _ in range(length.shape[0] // 2):
        x = x * a
        x = x + b
    return x


def long_chain(torch: Any, x: Any, a: Any, b: Any, length: Any) -> Results:
    y = extended(x, a, b, length)
    y.backward()
    return y.detach(), x.grad  # and frees the graph


def long_chain_by_hand(xp: Any, x: Any, a: Any, b: Any, length: Any) -> Results:
    g = xp.ones_like(x)
    for _ in range(length.shape[0] // 2):
        g = g * a
    return extended(x, a, b, length), g


# --------------------------------------------------------------------------- parts that are written


def parts(torch: Any, x: Any) -> Results:
    """Write each element of a vector through a view of its own."""
    y = x * 1
    for part in [y[k : k + 1] for k in range(y.shape[0])]:
        part.mul_(2)
    y.sum().backward()
    return y.detach(), x.grad


def parts_by_hand(xp: Any, x: Any) -> Results:
    y, g = x * 1, xp.ones_like(x)
    for k in range(y.shape[0]):
        y[k : k + 1] *= 2
        g[k : k + 1] *= 2
    return y, g


def assigned(torch: Any, x: Any) -> Results:
    """Assign to each element of a vector, and add to it."""
    y = x * 1
    for k in range(y.shape[0]):
        y[k] = 2.0
        y[k] += 1.0
    y.sum().backward()
    return y.detach(), x.grad


def assigned_by_hand(xp: Any, x: Any) -> Results:
    y, g = x * 1, xp.ones_like(x)
    for k in range(y.shape[0]):
        y[k] = 2.0
        y[k] += 1.0
        g[k] = 0
    return y, g


WORKS = [
    gradients(
        f"a tensor used {USES} times", vector, 1, used_often, used_often_by_hand,
        by_size({10: 0.35, 100_000: 0.6}),
    ),
    Work(
        f"{BACKWARDS} backwards, retain_graph", two_vectors, 2,
        {"torch": again, "autograd": again_function}, again_by_hand, by_size({1_000: 0.6}),
    ),
    Work(
        "long chain: build, backward, free", scalars_and_length, 1,
        {"torch": long_chain}, long_chain_by_hand,
        by_size({10_000: None, 100_000: 0.45, 1_000_000: None}, ["float64"]), growth=1.1,
    ),
    Work(
        "every element written through a view", vector, 1,
        {"torch": parts}, parts_by_hand, by_size({100: 1.2}, ["float32"]),
    ),
    Work(
        "every element assigned and added to", vector, 1,
        {"torch": assigned}, assigned_by_hand, by_size({100: 1.2}, ["float32"]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_graph(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

"""What does the library add to each small operation?

A chain of 1000 operations on one or ten elements is arithmetic of no length: what is timed is the
recording of a call, and the walk over what was recorded.  n = 1 is a tensor without axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.test_composition import two_vectors
from benchmarks.work import Results, Work, by_size, cases

LENGTH = 1000


def operands(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return x and two tensors that leave a long chain of products and sums of moderate size."""
    shape = n if n > 1 else ()
    ranges = (0.5, 1.5), (0.99, 1.01), (-0.1, 0.1)
    return [random.uniform(*limits, shape) for limits in ranges]


def chain(x: Any, a: Any, b: Any) -> Any:
    for _ in range(LENGTH // 2):
        x = x * a
        x = x + b
    return x


# --------------------------------------------------------------------------- with PyTorch's names


def recorded(torch: Any, x: Any, a: Any, b: Any) -> Results:
    return (chain(x, a, b),)


def unrecorded(torch: Any, x: Any, a: Any, b: Any) -> Results:
    with torch.no_grad():
        return (chain(x, a, b),)


def built(torch: Any, x: Any, a: Any, b: Any) -> Any:
    return x, chain(x, a, b), torch.ones_like(x)


def backward(torch: Any, graph: Any) -> Results:
    x, y, g = graph
    y.backward(g)
    return (x.grad,)


def both(torch: Any, x: Any, a: Any, b: Any) -> Results:
    return backward(torch, built(torch, x, a, b))


# --------------------------------------------------------------------------- of HIPS autograd


def recorded_function(lib: Any, x: Any, a: Any, b: Any) -> Results:
    out, _ = lib.vjp(lambda x: chain(x, a, b), x)
    return (out,)


def built_function(lib: Any, x: Any, a: Any, b: Any) -> Any:
    _, pull = lib.vjp(lambda x: chain(x, a, b), x)
    return pull, np.ones_like(x)


def backward_function(lib: Any, graph: Any) -> Results:
    pull, g = graph
    return pull(g)  # type: ignore[no-any-return]


def both_functions(lib: Any, x: Any, a: Any, b: Any) -> Results:
    return backward_function(lib, built_function(lib, x, a, b))


# --------------------------------------------------------------------------- by hand


def forward_by_hand(xp: Any, x: Any, a: Any, b: Any) -> Results:
    return (chain(x, a, b),)


def backward_by_hand(xp: Any, x: Any, a: Any, b: Any) -> Results:
    g = xp.ones_like(x)
    for _ in range(LENGTH // 2):
        g = g * a
    return (g,)


def both_by_hand(xp: Any, x: Any, a: Any, b: Any) -> Results:
    chain(x, a, b)
    return backward_by_hand(xp, x, a, b)


# --------------------------------------------------------------------------- in place


def inplace(torch: Any, v: Any, g: Any) -> Results:
    """Do what every optimizer does: arithmetic in place with a number, and with alpha."""
    with torch.no_grad():
        for _ in range(LENGTH // 3):
            v.mul_(0.9)
            v.add_(g, alpha=0.5)
            v.sub_(g, alpha=0.1)
    return (v,)


def inplace_by_hand(xp: Any, v: Any, g: Any) -> Results:
    for _ in range(LENGTH // 3):
        v *= 0.9
        v += g * 0.5
        v -= g * 0.1
    return (v,)


WORKS = [
    Work(
        "chain: forward", operands, 1,
        {"torch": recorded, "autograd": recorded_function}, forward_by_hand,
        by_size({1: 0.50, 10: 0.50}), calls=LENGTH,
    ),
    Work(
        "chain: forward, no_grad", operands, 1,
        {"torch": unrecorded}, forward_by_hand,
        by_size({1: 0.50, 10: 0.50}), calls=LENGTH,
    ),
    Work(
        "chain: backward", operands, 1,
        {"torch": backward, "autograd": backward_function}, backward_by_hand,
        by_size({1: 0.25, 10: 0.25}), calls=LENGTH,
        prepared={"torch": built, "autograd": built_function},
    ),
    Work(
        "chain: forward + backward", operands, 1,
        {"torch": both, "autograd": both_functions}, both_by_hand,
        by_size({1: 0.33, 10: 0.33}), calls=LENGTH,
    ),
    Work(
        "arithmetic in place with numbers", two_vectors, 0,
        {"torch": inplace}, inplace_by_hand,
        by_size({10: 0.70}), calls=LENGTH // 3 * 3,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_overhead(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

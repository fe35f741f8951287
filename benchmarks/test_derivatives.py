"""What do derivatives of derivatives cost?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.work import Results, Way, Work, by_size, cases

INPUTS, HIDDEN, OUTPUTS = 100, 100, 10


def vector(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.uniform(0.5, 1.5, n)]


def network(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return two weights, n examples, and the direction in which the gradient is differentiated."""
    weights = (INPUTS, HIDDEN), (HIDDEN, OUTPUTS)
    shapes = (*weights, (n, INPUTS), (n, OUTPUTS), *weights)
    return [random.standard_normal(s) / 10 for s in shapes]


# --------------------------------------------------------------------------- in everyone's names


def curve(xp: Any, x: Any) -> Any:
    return (x**3 * xp.sin(x)).sum()


def rosenbrock(xp: Any, x: Any) -> Any:
    head, tail = x[:-1], x[1:]
    return (100 * (tail - head**2) ** 2 + (1 - head) ** 2).sum()


def loss(xp: Any, w1: Any, w2: Any, x: Any, y: Any) -> Any:
    return ((xp.tanh(x @ w1) @ w2 - y) ** 2).sum()


# --------------------------------------------------------------------------- with PyTorch's names


def repeated(order: int) -> Way:
    """Return a way to differentiate ``curve``, and each derivative's sum, so many times."""

    def derivative(torch: Any, x: Any) -> Results:
        y = curve(torch, x)
        for _ in range(order - 1):
            (g,) = torch.autograd.grad(y, x, create_graph=True)
            y = g.sum()
        return torch.autograd.grad(y, x)  # type: ignore[no-any-return]

    return derivative


def hessian(torch: Any, x: Any) -> Results:
    (g,) = torch.autograd.grad(rosenbrock(torch, x), x, create_graph=True)
    rows = [torch.autograd.grad(g[k], x, retain_graph=True)[0] for k in range(x.shape[0])]
    return (torch.stack(rows),)


def product(torch: Any, w1: Any, w2: Any, x: Any, y: Any, v1: Any, v2: Any) -> Results:
    g1, g2 = torch.autograd.grad(loss(torch, w1, w2, x, y), (w1, w2), create_graph=True)
    return torch.autograd.grad((g1 * v1).sum() + (g2 * v2).sum(), (w1, w2))  # type: ignore[no-any-return]


# --------------------------------------------------------------------------- of JAX, HIPS autograd


def repeated_function(order: int) -> Way:
    """Return the same with functions of functions."""

    def derivative(lib: Any, x: Any) -> Results:
        def summed(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
            return lambda x: lib.grad(function)(x).sum()

        function: Callable[[Any], Any] = lambda x: curve(lib.numpy, x)  # noqa: E731
        for _ in range(order - 1):
            function = summed(function)
        return (lib.grad(function)(x),)

    return derivative


def hessian_function(lib: Any, x: Any) -> Results:
    return (lib.hessian(lambda x: rosenbrock(lib.numpy, x))(x),)


def product_function(lib: Any, w1: Any, w2: Any, x: Any, y: Any, v1: Any, v2: Any) -> Results:
    gradient = lib.grad(lambda w1, w2: loss(lib.numpy, w1, w2, x, y), (0, 1))

    def slope(w1: Any, w2: Any) -> Any:
        g1, g2 = gradient(w1, w2)
        return (g1 * v1).sum() + (g2 * v2).sum()

    return lib.grad(slope, (0, 1))(w1, w2)  # type: ignore[no-any-return]


# --------------------------------------------------------------------------- by hand


def second_by_hand(xp: Any, x: Any) -> Results:
    return ((6 * x - x * x * x) * xp.sin(x) + 6 * x * x * xp.cos(x),)


def third_by_hand(xp: Any, x: Any) -> Results:
    square = x * x
    return ((6 - 9 * square) * xp.sin(x) + (18 - square) * x * xp.cos(x),)


def hessian_by_hand(xp: Any, x: Any) -> Results:
    n = x.shape[0]
    head, tail = x[:-1], x[1:]
    out = xp.zeros((n, n), x.dtype)
    rows = xp.arange(n - 1)
    out[rows, rows] = 1200 * head * head - 400 * tail + 2
    out[rows + 1, rows + 1] += 200
    out[rows, rows + 1] = out[rows + 1, rows] = -400 * head
    return (out,)


def product_by_hand(xp: Any, w1: Any, w2: Any, x: Any, y: Any, v1: Any, v2: Any) -> Results:
    """Pearlmutter 1994, "Fast exact multiplication by the Hessian": each line, then its slope."""
    h = xp.tanh(x @ w1)
    slope = 1 - h * h
    h_slope = slope * (x @ v1)
    g = 2 * (h @ w2 - y)
    g_slope = 2 * (h_slope @ w2 + h @ v2)
    back = g @ w2.T
    back_slope = g_slope @ w2.T + g @ v2.T
    return x.T @ (back_slope * slope - 2 * back * h * h_slope), h_slope.T @ g + h.T @ g_slope


WORKS = [
    Work(
        f"{name} derivative", vector, 1,
        {"torch": repeated(order), "jax": repeated_function(order),
         "autograd": repeated_function(order)}, by_hand,
        by_size({10: 0.5, 100_000: 1.0}, ["float64"]),
    )
    for order, name, by_hand in [(2, "second", second_by_hand), (3, "third", third_by_hand)]
]  # fmt: skip
WORKS += [
    Work(
        "Hessian, row by row", vector, 1,
        {"torch": hessian, "jax": hessian_function, "autograd": hessian_function},
        hessian_by_hand, by_size({100: 0.5}),
    ),
    Work(
        "Hessian-vector product", network, 2,
        {"torch": product, "jax": product_function, "autograd": product_function},
        product_by_hand, by_size({64: 0.6}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_derivative(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

"""HIPS/autograd's optimizers, of parameters in nested tuples, lists and dictionaries.

``grad(x, i)`` is the gradient in step ``i``, and ``callback(x, i, g)`` is called in each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.numpy.misc.vectors import flatten

Step = Callable[[Any, Any, int], tuple[Any, Any]]


def _optimizer(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an optimizer of vectors as one of what can be flattened."""

    @functools.wraps(function)
    def optimize(
        grad: Callable[..., Any], x0: Any, callback: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        start, unflatten = flatten(x0)

        def gradient(x: Any, i: int) -> Any:
            params = unflatten(x)
            g = grad(params, i)
            if callback:
                callback(params, i, g)
            return flatten(g)[0]

        return unflatten(function(gradient, start, *args, **kwargs))

    return optimize


@_optimizer
def sgd(grad: Any, x: Any, num_iters: int = 200, step_size: float = 0.1, mass: float = 0.9) -> Any:
    """Return the parameters after steps along the gradients' moving average."""
    velocity = np.zeros_like(x)
    for i in range(num_iters):
        velocity = mass * velocity - (1 - mass) * grad(x, i)
        x = x + step_size * velocity
    return x


@_optimizer
def rmsprop(
    grad: Any, x: Any, num_iters: int = 100, step_size: float = 0.1, gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:  # fmt: skip
    """Return the parameters after steps along gradients in units of their mean size.

    Source: T. Tieleman and G. Hinton, lecture 6.5 of "Neural networks for machine learning", 2012.
    """
    mean = np.ones_like(x)
    for i in range(num_iters):
        g = grad(x, i)
        mean = gamma * mean + (1 - gamma) * g**2
        x = x - step_size * g / (np.sqrt(mean) + eps)
    return x


@_optimizer
def adam(
    grad: Any, x: Any, num_iters: int = 100, step_size: float = 0.001, b1: float = 0.9,
    b2: float = 0.999, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """Return the parameters after Adam's steps.

    Source: D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014.
    """
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for i in range(num_iters):
        g = grad(x, i)
        mean = b1 * mean + (1 - b1) * g
        square = b2 * square + (1 - b2) * g**2
        direction = mean / (1 - b1 ** (i + 1))
        x = x - step_size * direction / (np.sqrt(square / (1 - b2 ** (i + 1))) + eps)
    return x

"""Gradients in units of their mean size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_rate


class RMSprop(Elementwise):
    """Steps along the gradients, divided by the root of their mean square.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        alpha: How much of the mean square stays in each step.
        eps: What is added to its root.
        weight_decay: How much of the parameter is added to its gradient.
        momentum: How much of the last step stays.
        centered: Divide by the standard deviation instead (Graves 2013, arXiv:1308.0850).
        capturable: Count steps on the GPU, for which the host never waits.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        differentiable: Record the step.

    Raises:
        ValueError: An option is out of range.

    Source: Tieleman and Hinton 2012, lecture 6.5 of "Neural networks for machine learning".
    """

    flags = ("maximize", "weight_decay", "momentum", "centered")
    foreach_on_xla = True

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        check(eps >= 0, "Invalid epsilon value", eps)
        check(momentum >= 0, "Invalid momentum value", momentum)
        check(weight_decay >= 0, "Invalid weight_decay value", weight_decay)
        check(alpha >= 0, "Invalid alpha value", alpha)
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable,
            },
        )  # fmt: skip

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter, the mean square, the step where it has momentum, and the mean."""
        square = n.alpha * states[0] + n.new * (g * g)
        new = [square]
        variance = square
        if "centered" in on:
            mean = states[-1] + n.new * (g - states[-1])
            variance = square - mean * mean
        step = g / (call("sqrt", variance) + n.eps)
        if "momentum" in on:
            step = n.momentum * states[1] + step
            new.append(step)
        if "centered" in on:
            new.append(mean)
        return p - n.lr * step, *new

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        momentum = ("momentum_buffer",) if group["momentum"] > 0 else ()
        return ("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ()))

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the options."""
        return {**group, "new": 1 - group["alpha"]}, (counted[0] + 1,)

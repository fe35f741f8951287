"""Gradients in units of their mean size, times that of the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_rate


class Adadelta(Elementwise):
    """Steps as long as the last ones, along gradients divided by their mean size.

    Args:
        params: Tensors, or groups of them.
        lr: What the steps are multiplied by.
        rho: How much of the two mean squares stays in each step.
        eps: What is added to the mean squares.
        weight_decay: How much of the parameter is added to its gradient.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        capturable: Count steps on the GPU, for which the host never waits.
        maximize: Climb instead of descending.
        differentiable: Record the step.

    Raises:
        ValueError: An option is out of range.

    Source: Zeiler 2012, arXiv:1212.5701.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        check(0 <= rho <= 1, "Invalid rho value", rho)
        check(eps >= 0, "Invalid epsilon value", eps)
        check(weight_decay >= 0, "Invalid weight_decay value", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay,
                "maximize": maximize, "capturable": capturable, "foreach": foreach,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter, and the mean squares of the gradients and of the steps."""
        square = n.rho * states[0] + n.new * (g * g)
        step = call("sqrt", states[1] + n.eps) / call("sqrt", square + n.eps) * g
        return p - n.lr * step, square, n.rho * states[1] + n.new * (step * step)

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("square_avg", "acc_delta")

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the options."""
        return {**group, "new": 1 - group["rho"]}, (counted[0] + 1,)

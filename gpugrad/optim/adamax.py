"""Adam by the largest gradient in place of the mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_betas, check_rate


class Adamax(Elementwise):
    """Steps along the mean of the gradients, in units of the largest one, which decays.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        betas: How much of the mean, and of the largest gradient, stays in each step.
        eps: What is added to the size of a gradient.
        weight_decay: How much of the parameter is added to its gradient.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        differentiable: Record the step.
        capturable: Count steps on the GPU, for which the host never waits.

    Raises:
        ValueError: An option is out of range.

    Source: Kingma and Ba 2014, arXiv:1412.6980, section 7.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        check_rate(lr)
        check(eps >= 0, "Invalid epsilon value", eps)
        check_betas(betas)
        check(weight_decay >= 0, "Invalid weight_decay value", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                "capturable": capturable,
            },
        )  # fmt: skip

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter, the mean gradient and the largest size of one."""
        mean = states[0] + n.new * (g - states[0])
        largest = call("maximum", n.beta2 * states[1], call("abs", g) + n.eps)
        return p - n.rate * mean / largest, mean, largest

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("exp_avg", "exp_inf")

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the weights, and what is missing of the mean in the first steps."""
        beta1, beta2 = group["betas"]
        step = counted[0] + 1
        return {
            "new": 1 - beta1, "beta2": beta2, "eps": group["eps"],
            "rate": group["lr"] / (1 - beta1**step), "weight_decay": group["weight_decay"],
        }, (step,)  # fmt: skip

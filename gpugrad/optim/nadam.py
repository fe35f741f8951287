"""Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call
from gpugrad.graph import TensorBase
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_betas, check_rate, number


class NAdam(Elementwise):
    """Adam that looks ahead along its momentum, which grows with the steps.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        betas: How much of the two means stays in each step.
        eps: What is added to the root of the mean square.
        weight_decay: How much of the parameter is added to its gradient.
        momentum_decay: How fast the momentum grows.
        decoupled_weight_decay: Shorten the parameter itself, as AdamW does.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        capturable: Count steps on the GPU, for which the host never waits.
        differentiable: Record the step.

    Raises:
        ValueError: An option is out of range.

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam".
    """

    counted = ("step", "mu_product")

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        check(eps >= 0, "Invalid epsilon value", eps)
        check_betas(betas)
        check(weight_decay >= 0, "Invalid weight_decay value", weight_decay)
        check(momentum_decay >= 0, "Invalid momentum_decay value", momentum_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize, "foreach": foreach, "capturable": capturable,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    def begin(self, group: Group, p: Tensor) -> dict[str, Any]:
        """Return the state of a parameter before its first step."""
        state = super().begin(group, p)
        state["mu_product"].fill_(1)
        return state

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter, the mean gradient and the mean square."""
        mean = states[0] + n.new * (g - states[0])
        square = n.beta2 * states[1] + n.new2 * (g * g)
        size = call("sqrt", square / n.correction) + n.eps
        return p - (n.rate * g + n.ahead * mean) / size, mean, square

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("exp_avg", "exp_avg_sq")

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the momenta of this step and of the next, by the product of all before."""
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["momentum_decay"]
        step = counted[0] + 1
        momentum = beta1 * (1 - 0.5 * 0.96 ** (step * decay))
        next_one = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * decay))
        product = counted[1] * momentum
        if not isinstance(product, TensorBase):  # in the precision of the state
            product = (number(counted[1]) * momentum).item()
        return {
            "new": 1 - beta1, "beta2": beta2, "new2": 1 - beta2, "eps": group["eps"],
            "correction": 1 - beta2**step, "rate": lr * (1 - momentum) / (1 - product),
            "ahead": lr * next_one / (1 - product * next_one),
            "weight_decay": group["weight_decay"], "kept": 1 - lr * group["weight_decay"],
        }, (step, product)  # fmt: skip

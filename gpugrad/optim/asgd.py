"""Stochastic gradient descent, with an average of the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.graph import TensorBase
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_rate


class ASGD(Elementwise):
    """Gradient descent at a decreasing rate; the state ``ax`` is the average of the parameters.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate of the first step.
        lambd: How fast it decreases, and the parameters with it.
        alpha: The exponent by which it does.
        t0: From which step on parameters are averaged.
        weight_decay: How much of the parameter is added to its gradient.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        differentiable: Record the step.
        capturable: Count steps on the GPU, for which the host never waits.

    Raises:
        ValueError: An option is out of range.

    Source: Polyak and Juditsky 1992, SIAM Journal on Control and Optimization 30.
    """

    counted = ("step", "eta", "mu")
    on_device = True

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        check_rate(lr)
        check(weight_decay >= 0, "Invalid weight_decay value", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                "capturable": capturable,
            },
        )  # fmt: skip

    def begin(self, group: Group, p: Tensor) -> dict[str, Any]:
        """Return the state of a parameter before its first step."""
        state = super().begin(group, p)
        lr = group["lr"]
        state["eta"].fill_(lr.item() if isinstance(lr, Tensor) else lr)
        state["mu"].fill_(1)
        return state

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter and its average."""
        p = n.kept * p - n.rate * g
        return p, states[0] + n.weight * (p - states[0])

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("ax",)

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the rate and the weight that the last step left, and leave those of the next."""
        before, rate, weight = counted
        lr, lambd, step = group["lr"], group["lambd"], before + 1
        eta = lr / (1 + lambd * lr * step) ** group["alpha"]
        since = step - group["t0"]
        mu = 1 / (since.clamp(1) if isinstance(since, TensorBase) else max(1, since))  # type: ignore[attr-defined]
        numbers = {
            "rate": rate, "weight": weight, "kept": 1 - lambd * rate,
            "weight_decay": group["weight_decay"],
        }  # fmt: skip
        return numbers, (step, eta, mu)

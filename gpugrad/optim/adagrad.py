"""Gradients in units of all that there were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_fused, check_rate


class Adagrad(Elementwise):
    """Steps along the gradients, divided by the root of the sum of all squares so far.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        lr_decay: How fast it decreases with the steps.
        weight_decay: How much of the parameter is added to its gradient.
        initial_accumulator_value: Where the sums of squares begin.
        eps: What is added to the root.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        differentiable: Record the step.
        fused: As ``foreach``; it asks for parameters of floating point.

    Raises:
        ValueError: An option is out of range.
        RuntimeError: ``fused`` is combined with ``foreach`` or ``differentiable``.

    Source: Duchi, Hazan and Singer 2011, Journal of Machine Learning Research 12.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        check_rate(lr)
        check(lr_decay >= 0, "Invalid lr_decay value", lr_decay)
        check(weight_decay >= 0, "Invalid weight_decay value", weight_decay)
        first = initial_accumulator_value
        check(first >= 0, "Invalid initial_accumulator_value value", first)
        check(eps >= 0, "Invalid epsilon value", eps)
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                "initial_accumulator_value": first, "foreach": foreach, "maximize": maximize,
                "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        check_fused(foreach, differentiable, fused)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p].update(self.begin(group, p))

    def begin(self, group: Group, p: Tensor) -> dict[str, Any]:
        """Return the state of a parameter before its first step."""
        state = super().begin(group, p)
        first = self.defaults["initial_accumulator_value"]
        state["sum"].fill_(complex(first, first) if p.is_complex() else first)
        return state

    def share_memory(self) -> None:
        """Say that memory is shared by threads anyway.

        Raises:
            NotImplementedError: Always: memory that several processes share is not supported.
        """
        raise NotImplementedError(
            "Adagrad.share_memory() would put its state into memory that other processes see, "
            "which gpugrad does not do. Threads share the state as it is."
        )

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter and the sum of squares."""
        total = states[0] + g * g
        return p - n.rate * g / (call("sqrt", total) + n.eps), total

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("sum",)

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the options, and the rate of this step."""
        rate = group["lr"] / (1 + counted[0] * group["lr_decay"])
        return {**group, "rate": rate}, (counted[0] + 1,)

"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_fused, check_rate


class SGD(Elementwise):
    """Stochastic gradient descent, with momentum.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        momentum: How much of the last step stays.
        dampening: How much less than the whole gradient enters the momentum.
        weight_decay: Half the derivative of the penalty on squared parameters.
        nesterov: Look ahead along the momentum (Sutskever et al. 2013).
        maximize: Climb instead of descending.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        differentiable: Record the step.
        fused: As ``foreach``; it asks for parameters of floating point.

    Raises:
        ValueError: An option is out of range.
        RuntimeError: ``fused`` is combined with ``foreach`` or ``differentiable``.
    """

    flags = ("maximize", "weight_decay", "momentum", "nesterov")
    counted = ()

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        check_rate(lr)
        check(momentum >= 0, "Invalid momentum value", momentum)
        check(bool(weight_decay >= 0), "Invalid weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening,
                "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
                "foreach": foreach, "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        check_fused(foreach, differentiable, fused)

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return ``p - lr * velocity``, and the velocity."""
        if "momentum" not in on:
            return (p - n.lr * g,)
        velocity = g if "first" in on else n.momentum * states[0] + n.kept * g
        step = g + n.momentum * velocity if "nesterov" in on else velocity
        return p - n.lr * step, velocity

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def begin(self, group: Group, p: Tensor) -> dict[str, Any]:
        """Return nothing: the first velocity is the first gradient."""
        return {}

    def ways(self, states: list[dict[str, Any]]) -> list[tuple[str, ...]] | None:
        """Return whether it is the first step of a parameter."""
        return [("first",) if s.get("momentum_buffer") is None else () for s in states]

    def column(self, states: list[dict[str, Any]], name: str, grads: list[Any]) -> list[Any]:
        """Return one of the states of each parameter, or memory for it."""
        for state, g in zip(states, grads, strict=True):
            if state.get(name) is None:
                state[name] = g.detach().clone()
        return super().column(states, name, grads)

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the options."""
        return {**group, "kept": 1 - group["dampening"]}, ()

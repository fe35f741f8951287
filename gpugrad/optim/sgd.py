"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        momentum: How much of the last step stays.
        dampening: How much less than the whole gradient enters the momentum.
        weight_decay: Half the derivative of the penalty on squared parameters.
        nesterov: Look ahead along the momentum (Sutskever et al. 2013).
        maximize: Climb instead of descending.

    Raises:
        ValueError: An option is out of range.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ):
        if lr < 0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening,
                "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, group: dict[str, Any], params: Iterable[Tensor]) -> None:
        """Update the parameters of a group that have a gradient."""
        momentum, lr = group["momentum"], group["lr"]
        for p in params:
            assert p.grad is not None
            step = -p.grad if group["maximize"] else p.grad
            if group["weight_decay"]:
                step = step + group["weight_decay"] * p
            if momentum:
                state = self.state.setdefault(p, {})
                velocity = state.get("momentum_buffer")
                if velocity is None:
                    velocity = state["momentum_buffer"] = step.detach().clone()
                else:
                    velocity.mul_(momentum).add_(step, alpha=1 - group["dampening"])
                step = step + momentum * velocity if group["nesterov"] else velocity
            p.sub_(step, alpha=lr)

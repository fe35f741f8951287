"""Adam that is rectified while the variance of its mean square is large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call
from gpugrad.ops.pointwise.choice import where
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_betas, check_rate


class RAdam(Elementwise):
    """Adam whose first steps do not divide by a mean square of too few gradients.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        betas: How much of the two means stays in each step.
        eps: What is added to the root of the mean square.
        weight_decay: How much of the parameter is added to its gradient.
        decoupled_weight_decay: Shorten the parameter itself, as AdamW does.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        capturable: Count steps on the GPU, for which the host never waits.
        differentiable: Record the step.

    Raises:
        ValueError: An option is out of range.

    Source: Liu et al. 2019, arXiv:1908.03265.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "maximize": maximize, "foreach": foreach, "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
            },
        )  # fmt: skip

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter, the mean gradient and the mean square."""
        mean = states[0] + n.new * (g - states[0])
        square = n.beta2 * states[1] + n.new2 * (g * g)
        adapted = n.rectified / (call("sqrt", square) + n.eps)
        return p - mean * call("where", n.rectified > 0, adapted, n.plain), mean, square

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("exp_avg", "exp_avg_sq")

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the rate by the mean square, 0 while its variance is too large, and that without.

        ``length`` is that of a moving average with the same centre of mass, ``most`` its limit.
        """
        lr, (beta1, beta2) = group["lr"], group["betas"]
        step = counted[0] + 1
        correction = 1 - beta2**step
        most = 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / correction
        rate = lr / (1 - beta1**step)

        def rectified(length: Any) -> Any:
            rectification = (length - 4) * (length - 2) * most
            rectification = rectification / ((most - 4) * (most - 2) * length)
            return rate * (rectification * correction) ** 0.5

        if isinstance(length, Tensor):
            adapted: Any = where(length > 5, rectified(length.clamp(5)), 0.0)
        else:
            adapted = rectified(length) if length > 5 else 0.0
        return {
            "new": 1 - beta1, "beta2": beta2, "new2": 1 - beta2, "eps": group["eps"],
            "rectified": adapted, "plain": rate,
            "weight_decay": group["weight_decay"], "kept": 1 - lr * group["weight_decay"],
        }, (step,)  # fmt: skip

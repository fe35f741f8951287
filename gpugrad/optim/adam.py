"""Adam and its relatives that decay weights, and that never shorten their steps again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call
from gpugrad.graph import TensorBase
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check, check_betas, check_fused, check_rate

_NO_TENSOR = "{} as a Tensor is not supported for capturable=False and foreach=True"


class Adam(Elementwise):
    """Steps along the mean of the gradients, in units of the root of their mean square.

    Args:
        params: Tensors, or groups of them.
        lr: The learning rate.
        betas: How much of the two means stays in each step, as two numbers or two tensors.
        eps: What is added to the root of the mean square.
        weight_decay: How much of the parameter is added to its gradient.
        amsgrad: Divide by the largest mean square so far (Reddi et al. 2018, arXiv:1904.09237).
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        capturable: Count steps on the GPU, for which the host never waits.
        differentiable: Record the step.
        fused: As ``foreach``; it asks for parameters of floating point.
        decoupled_weight_decay: Shorten the parameter itself, as :class:`AdamW` does.

    Raises:
        ValueError: An option is out of range.
        RuntimeError: ``fused`` is combined with ``foreach`` or ``differentiable``.

    Source: Kingma and Ba 2014, arXiv:1412.6980.
    """

    flags = ("maximize", "weight_decay", "decoupled_weight_decay", "amsgrad")

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ):
        if isinstance(lr, TensorBase) and foreach and not capturable:
            raise ValueError(_NO_TENSOR.format("lr"))
        check_rate(lr)
        check(eps >= 0, "Invalid epsilon value", eps)
        check_betas(betas)
        check(bool(weight_decay >= 0), "Invalid weight_decay value", weight_decay)
        kinds = {Tensor if isinstance(beta, TensorBase) else type(beta) for beta in betas}
        if kinds not in ({float}, {Tensor}):
            raise ValueError("betas must be either both floats or both Tensors")
        for k, beta in enumerate(betas):
            if not isinstance(beta, Tensor):
                continue
            if foreach and not capturable:
                raise ValueError(_NO_TENSOR.format(f"betas[{k}]"))
            if beta.numel() != 1:
                raise ValueError(f"Tensor betas[{k}] must be 1-element")
        betas = tuple([b.squeeze() if isinstance(b, Tensor) else b for b in betas])  # type: ignore[assignment]
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach,
                "capturable": capturable, "differentiable": differentiable, "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )  # fmt: skip
        check_fused(foreach, differentiable, fused)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("decoupled_weight_decay", False)

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter, the mean gradient, the mean square, and the largest of these."""
        mean = states[0] + n.new * (g - states[0])
        square = n.beta2 * states[1] + n.new2 * (g * g)
        if "amsgrad" not in on:
            return p - n.rate * mean / (call("sqrt", square) / n.root + n.eps), mean, square
        most = call("maximum", states[2], square)
        return p - n.rate * mean / (call("sqrt", most) / n.root + n.eps), mean, square, most

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return names if group["amsgrad"] else names[:2]

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the means' weights, and what is missing of them in the first steps."""
        lr, (beta1, beta2) = group["lr"], group["betas"]
        step = counted[0] + 1
        return {
            "new": 1 - beta1, "beta2": beta2, "new2": 1 - beta2, "eps": group["eps"],
            "rate": lr / (1 - beta1**step), "root": (1 - beta2**step) ** 0.5,
            "weight_decay": group["weight_decay"], "kept": 1 - lr * group["weight_decay"],
        }, (step,)  # fmt: skip

    def check(self, group: Group, p: Tensor, state: dict[str, Any]) -> None:
        """Raise where a parameter, or its state, does not agree with the options."""
        super().check(group, p, state)
        if group["differentiable"] and state["step"].requires_grad:
            raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")


class AdamW(Adam):
    """Adam that shortens the parameters by ``lr * weight_decay`` of them in each step.

    Its arguments are those of :class:`Adam`.

    Source: Loshchilov and Hutter 2017, arXiv:1711.05101.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True

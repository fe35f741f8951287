"""Momentum of matrices, made orthogonal."""

from __future__ import annotations

import math
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.optim.optimizer import Optimizer, check, check_begun, stepping

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(Optimizer):
    """Steps along the orthogonal matrix that is nearest to the mean of a matrix' gradients.

    Args:
        params: Matrices, or groups of them.
        lr: The learning rate.
        weight_decay: How much of the parameter is subtracted, times ``lr``.
        momentum: How much of the mean stays in each step.
        nesterov: Look ahead along the momentum.
        ns_coefficients: Of the polynomial that brings singular values near 1.
        eps: What bounds the norm that a matrix is divided by.
        ns_steps: How often the polynomial is applied.
        adjust_lr_fn: How the rate depends on the shape: "original" or None, by the root of the
            ratio of rows to columns where that is above 1; "match_rms_adamw", as large as AdamW's.

    Raises:
        ValueError: An option is out of range, or a parameter is no matrix.
        RuntimeError: In a step: a parameter is complex.

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        check(bool(lr >= 0), "Learning rate should be >= 0 but is", lr)
        check(momentum >= 0, "momentum should be >= 0 but is", momentum)
        check(weight_decay >= 0, "weight decay should be >= 0 but is", weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(
            params,
            {
                "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
                "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )  # fmt: skip
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{p.size()}"
                    )

    @stepping
    def step(self) -> None:
        """Update the parameters once; return what ``closure``, which recomputes the loss, gives."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    if p.is_complex():
                        raise RuntimeError("Muon does not support complex parameters")
                    self._update(group, p, p.grad)

    def _update(self, group: dict[str, Any], p: Any, g: Any) -> None:
        state = self.state[p]
        if "momentum_buffer" not in state:
            check_begun(self)
            state["momentum_buffer"] = g.detach().clone().zero_()
        mean = state["momentum_buffer"].lerp_(g, 1 - group["momentum"])
        step = g.lerp(mean, group["momentum"]) if group["nesterov"] else mean
        step = orthogonal(step, group["ns_coefficients"], group["ns_steps"], group["eps"])
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        else:
            ratio = math.sqrt(max(1, rows / columns))
        p.mul_(1 - lr * group["weight_decay"])
        p.sub_(step.to(p.dtype), alpha=lr * ratio)


def orthogonal(
    matrix: Any, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Any:
    """Return about the orthogonal matrix nearest to another one, in bfloat16.

    The singular values end between 0.7 and 1.2, by the steps of Newton and Schulz.

    Raises:
        ValueError: There are 100 steps or more, or not three coefficients.
    """
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    found = matrix.bfloat16()
    tall = matrix.size(0) > matrix.size(1)
    if tall:
        found = found.T
    found = found / found.norm().clamp(min=eps)
    for _ in range(steps):
        gram = found @ found.T
        found = found.addmm(gram.addmm(gram, gram, beta=b, alpha=c), found, beta=a)
    return found.T if tall else found

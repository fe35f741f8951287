"""Adam whose mean squares are kept by rows and columns."""

from __future__ import annotations

from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.optim.optimizer import Optimizer, check, number, stepping
from gpugrad.type_info import finfo


class Adafactor(Optimizer):
    """Gradients in units of their mean size, of which rows and columns of matrices are remembered.

    Args:
        params: Tensors, or groups of them.
        lr: The largest step, in units of the parameter's mean size.
        beta2_decay: The power of the number of steps by which a new square enters the means.
        eps: What bounds the mean squares from below, None for the type's precision, and what
            bounds the parameter's mean size.
        d: A step is not longer than this, in units of its mean size.
        weight_decay: How much of the parameter is subtracted, times ``lr``.
        foreach: Taken for PyTorch's sake.
        maximize: Climb instead of descending.

    Raises:
        ValueError: An option is out of range.
        RuntimeError: In a step: a parameter is complex.

    Source: Shazeer and Stern 2018, arXiv:1804.04235.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        check(bool(lr >= 0), "Learning rate should be >= 0 but is", lr)
        check(beta2_decay <= 0, "beta2_decay should be <= 0 but is", beta2_decay)
        check(eps[0] is None or eps[0] >= 0, "epsilon1 should be >= 0 but is", eps[0])
        check(eps[1] >= 0, "epsilon2 should be >= 0 but is", eps[1])
        check(d >= 1, "Clipping threshold d should be >= 1 but is", d)
        check(weight_decay >= 0, "weight_decay should be >= 0 but is", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
                "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
            },
        )  # fmt: skip

    @stepping
    def step(self) -> None:
        """Update the parameters once; return what ``closure``, which recomputes the loss, gives."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    if p.is_complex():
                        raise RuntimeError("Adafactor does not support complex parameters")
                    self._update(group, p, -p.grad if group["maximize"] else p.grad)

    def _update(self, group: dict[str, Any], p: Any, g: Any) -> None:
        state = self.state[p]
        if not state:
            state["step"] = number(0.0)
            if g.dim() > 1:
                state["row_var"] = g.new_zeros((*g.shape[:-1], 1))
                state["col_var"] = g.new_zeros((*g.shape[:-2], 1, g.shape[-1]))
            else:
                state["variance"] = g.detach().clone().zero_()
        state["step"] += 1
        step = state["step"].item()
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        eps1, eps2 = group["eps"]
        eps1 = finfo(p.dtype).eps if eps1 is None else eps1
        new = step ** group["beta2_decay"]
        rate = max(eps2, _size(p)) * min(lr, 1 / step**0.5)
        if group["weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        if g.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_((g * g).mean(-1, keepdim=True), new)
            columns.lerp_((g * g).mean(-2, keepdim=True), new)
            square = (rows @ columns) / rows.mean(-2, keepdim=True).clamp(min=eps1)
        else:
            square = state["variance"].lerp_(g * g, new)
        step_of = square.clamp(min=eps1 * eps1).rsqrt() * g
        p.sub_(step_of, alpha=rate / max(1.0, _size(step_of) / group["d"]))


def _size(tensor: Any) -> float:
    """Return the root of the mean square of the elements."""
    size: float = tensor.detach().norm(2).item() / tensor.numel() ** 0.5
    return size

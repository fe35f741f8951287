"""Steps whose length depends on the signs of gradients alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.formulas import call, eq
from gpugrad.optim.elementwise import Elementwise, Group, Names, Numbers
from gpugrad.optim.optimizer import check_rate


class Rprop(Elementwise):
    """Steps that grow while the gradient keeps its sign, and shrink where it changes.

    Args:
        params: Tensors, or groups of them.
        lr: The length of the first step.
        etas: What a step is multiplied by where the sign has changed, and where it has not.
        step_sizes: The shortest and the longest step.
        capturable: Count steps on the GPU, for which the host never waits.
        foreach: Taken for PyTorch's sake: many parameters are always written together.
        maximize: Climb instead of descending.
        differentiable: Record the step.

    Raises:
        ValueError: An option is out of range.

    Source: Riedmiller and Braun 1993, "A direct adaptive method for faster backpropagation
    learning: the RPROP algorithm".
    """

    foreach_on_xla = True

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(
            params,
            {
                "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def begin(self, group: Group, p: Tensor) -> dict[str, Any]:
        """Return the state of a parameter before its first step."""
        state = super().begin(group, p)
        lr = group["lr"]
        lr = lr.item() if isinstance(lr, Tensor) else lr
        state["step_size"].fill_(complex(lr, lr) if p.is_complex() else lr)
        return state

    @staticmethod
    def rule(on: frozenset[str], n: Names, p: Any, g: Any, *states: Any) -> Sequence[Any]:
        """Return the parameter, the gradient that counts for the next step, and its length."""
        turn = g * states[0]
        factor = call("where", turn > 0, n.longer, call("where", turn < 0, n.shorter, 1 + 0 * turn))
        length = call("minimum", call("maximum", states[1] * factor, n.least), n.most)
        g = call("where", eq(factor, n.shorter), 0 * n.least, g)
        return p - call("sign", g) * length, g, length

    def shaped(self, group: Group) -> tuple[str, ...]:
        """Return the names of the states that have an element for each of the parameter's."""
        return ("prev", "step_size")

    def numbers(self, group: Group, *counted: Any) -> tuple[Numbers, Sequence[Any]]:
        """Return the options."""
        (shorter, longer), (least, most) = group["etas"], group["step_sizes"]
        numbers = {"shorter": shorter, "longer": longer, "least": least, "most": most}
        return numbers, (counted[0] + 1,)

"""What every optimizer has: parameter groups, ``zero_grad``, and a state that can be stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.graph import TensorBase
from gpugrad.op.saved import type_name


class Optimizer:
    """The base of the optimizers.

    Args:
        params: Tensors, or dictionaries with "params" and options of their own.
        defaults: The options of groups that do not say otherwise.

    Raises:
        TypeError: ``params`` is a tensor, or holds something else.
        ValueError: There are none, one is not a leaf, or one is in two groups.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]):
        if isinstance(params, TensorBase):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or "
                f"dicts, but got {type_name(params)}"
            )
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        params = [params] if isinstance(params, TensorBase) else list(params)
        for p in params:
            if not isinstance(p, TensorBase):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is "
                    f"{type(p).__name__}"
                )
            if not p.is_leaf:  # type: ignore[attr-defined]
                raise ValueError("can't optimize a non-leaf Tensor")
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append({**self.defaults, **param_group, "params": params})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients; with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                grad = p.grad
                if set_to_none:
                    p.grad = None
                elif grad is not None:
                    if grad.requires_grad:
                        grad = p.grad = grad.detach()
                    grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once; return what ``closure``, which recomputes the loss, gives."""
        from gpugrad.autograd.grad_mode import enable_grad

        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._update_all()
        return loss

    @no_grad()
    def _update_all(self) -> None:
        for group in self.param_groups:
            self.update(group, [p for p in group["params"] if p.grad is not None])

    def update(self, group: dict[str, Any], params: Iterable[Tensor]) -> None:
        """Update the parameters of a group that have a gradient."""
        raise NotImplementedError(f"{type(self).__name__} must say how it updates: define update()")

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options, with numbers in place of the parameters."""
        numbers = {
            id(p): k
            for k, p in enumerate(p for group in self.param_groups for p in group["params"])
        }
        return {
            "state": {numbers[id(p)]: s for p, s in self.state.items()},
            "param_groups": [
                {**group, "params": [numbers[id(p)] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state and the options that :meth:`state_dict` gave.

        Raises:
            ValueError: The groups are not of the same number and sizes.
        """
        groups, saved = self.param_groups, state_dict["param_groups"]
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        params: dict[int, Tensor] = {}
        for group, other in zip(groups, saved, strict=True):
            params.update(zip(other["params"], group["params"], strict=True))
            group.update({k: v for k, v in other.items() if k != "params"})
        self.state = {params[k]: _copied(s, params[k]) for k, s in state_dict["state"].items()}


def _copied(state: dict[str, Any], param: Tensor) -> dict[str, Any]:
    return {
        k: v.detach().to(param.device).clone() if isinstance(v, TensorBase) else v  # type: ignore[attr-defined]
        for k, v in state.items()
    }

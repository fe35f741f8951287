"""The older form of :func:`gpugrad.nn.utils.parametrizations.weight_norm`, by a hook."""

from __future__ import annotations

import warnings
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter, is_lazy
from gpugrad.ops.nn.weight_norm import norm_except_dim
from gpugrad.ops.nn.weight_norm import weight_norm as normalized


class WeightNorm:
    """What computes a weight of its lengths and directions before each call of a module."""

    def __init__(self, name: str, dim: int | None):
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """Return the weight."""
        g, v = (getattr(module, f"{self.name}_{part}") for part in "gv")
        return normalized(v, g, self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Put lengths and directions in the place of a weight.

        Raises:
            RuntimeError: They are there already.
            ValueError: The weight has no shape yet.
        """
        warnings.warn(
            "`gpugrad.nn.utils.weight_norm` is deprecated in favor of "
            "`gpugrad.nn.utils.parametrizations.weight_norm`.",
            FutureWarning,
            stacklevel=3,
        )
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two weight_norm hooks on the same parameter {name}"
                )
        made = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure "
                "to run the dummy forward before applying weight normalization"
            )
        del module._parameters[name]
        lengths = norm_except_dim(weight, 2, made.dim)
        module.register_parameter(f"{name}_g", Parameter(lengths.data))
        module.register_parameter(f"{name}_v", Parameter(weight.data))
        setattr(module, name, made.compute_weight(module))
        module.register_forward_pre_hook(made)
        return made

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        for part in "gv":
            del module._parameters[f"{self.name}_{part}"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Module, inputs: Any) -> None:
        """Compute the weight."""
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Any:
    """Warn, and have a weight be lengths times directions, ``name_g`` and ``name_v``.

    Args:
        module: The module, which is returned.
        name: The name of the weight.
        dim: The dimension along which there are several lengths; one for ``None``.

    Raises:
        RuntimeError: It is so already.
        ValueError: The weight has no shape yet.
    """
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Any:
    """Make a weight under :func:`weight_norm` a parameter again, and return the module.

    Raises:
        ValueError: It is not under it.
    """
    for number, hook in [*module._forward_pre_hooks.items()]:
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[number]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")

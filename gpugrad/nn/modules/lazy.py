"""Modules that know the shapes of their parameters only when they are first called."""

from __future__ import annotations

from typing import Any

from gpugrad.autograd.grad_mode import no_grad
from gpugrad.nn.parameter import is_lazy


class LazyModuleMixin:
    """The first base of a module whose parameters are uninitialised until its first call.

    A class has a method ``initialize_parameters``, which is given the arguments of that call and
    gives the parameters their shapes, and may say in ``cls_to_become`` which class the module is
    of from then on.
    """

    cls_to_become: type[Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        module: Any = self
        module._load_hook = module._register_load_state_dict_pre_hook(self._lazy_load_hook)
        module._initialize_hook = module.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def _tensors(self) -> dict[str, Any]:
        module: Any = self
        both = {**module._parameters, **module._buffers}
        return {name: tensor for name, tensor in both.items() if tensor is not None}

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *others: Any) -> None:
        """Give what is loaded the shapes of the values."""
        for name, tensor in self._tensors().items():
            value = state_dict.get(prefix + name)
            if value is not None and is_lazy(tensor) and not is_lazy(value):
                with no_grad():
                    tensor.materialize(value.shape)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes, by the arguments of the first call; classes say how.

        Raises:
            NotImplementedError: The class does not.
        """
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Return whether a parameter or buffer has no shape yet."""
        return any(is_lazy(tensor) for tensor in self._tensors().values())

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        """Initialise the module in its first call, and make it one of the other class."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

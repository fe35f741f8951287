"""The class of parameters, which operations must know to treat them as plain tensors."""

from __future__ import annotations

from typing import Any

from gpugrad._tensor import Dual, Tensor
from gpugrad.op import saved
from gpugrad.ops import copy as copies
from gpugrad.ops.filled import empty


class _ParameterMeta(type):
    """Makes tensors of the user's classes instances of ``Parameter``, where they were given it."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return type.__instancecheck__(cls, instance) or (
            cls is Parameter and isinstance(instance, Tensor) and "_is_param" in vars(instance)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a module has as a parameter: an attribute of this class is one of those.

    It is on the memory of ``data``, and a leaf that requires grad, also where it is made under
    ``no_grad``.  Results of operations with parameters are plain tensors.
    """

    _inherited = False

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Any:
        """Return the parameter; of a tensor of a user's class, one of that class.

        Raises:
            AttributeError: It is no tensor.
            RuntimeError: The type has no gradients, or ``detach`` of a user's class returns
                another class.
        """
        if data is None:
            data = empty(0)
        if not isinstance(data, Tensor):
            raise AttributeError(
                f"'{type(data).__name__}' object has no attribute 'detach': a Parameter is made of "
                "a tensor, gpugrad.tensor(...)"
            )
        if saved.is_plain(data):
            return Tensor._make_subclass(cls, data, requires_grad)
        made: Any = data.detach().requires_grad_(requires_grad)
        if type(made) is not type(data):
            raise RuntimeError(
                f"Creating a Parameter from an instance of type {type(data).__name__} requires "
                "that detach() returns an instance of the same type, but return type "
                f"{type(made).__name__} was found instead. To use the type as a Parameter, please "
                "correct the detach() semantics defined by its __torch_dispatch__() implementation."
            )
        vars(made)["_is_param"] = True
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a parameter of the same values in memory of its own, without ``.grad``."""
        if id(self) not in memo:
            values = copies.clone(copies.detach(self))
            memo[id(self)] = type(self)(values, self.requires_grad)
        return memo[id(self)]

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


Parameter.__module__ = "gpugrad.nn.parameter"  # where users find it, and pickles


class DualParameter(Parameter, Dual):
    """A parameter with tangents."""


saved.moving[Parameter] = DualParameter
saved.parameter_class = Parameter

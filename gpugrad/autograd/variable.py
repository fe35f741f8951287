"""``Variable``, PyTorch's name for a tensor with a gradient before tensors had one."""

from __future__ import annotations

from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.ops.creation import finish


class _VariableMeta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableMeta):
    """``Variable(data, requires_grad)`` is ``data.detach()`` as a leaf; tensors are instances."""

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = False) -> Any:
        """Return a tensor on the memory of ``data`` without its history.

        Raises:
            RuntimeError: ``requires_grad`` with a type that has no gradients.
            TypeError: ``data`` is no tensor.
        """
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return finish(data.detach(), requires_grad)

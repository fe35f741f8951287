"""How the tensors of a module are brought to other types and devices, and stay the same objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad import _dtype
from gpugrad._device import device as Device  # noqa: N812  arguments have its name
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad


def converted(parameter: Any, fn: Callable[[Tensor], Tensor]) -> None:
    """Give a parameter and its gradient the memory of what a function makes of them."""
    grad = parameter.grad
    with no_grad():
        parameter.data = fn(parameter)
        if grad is not None:
            grad.data = fn(grad)


def destination(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """Return the device, type, whether to wait, and memory format that arguments of ``to`` mean.

    Raises:
        TypeError: They do not fit.
    """
    first = args[0] if args else None
    chosen: Any = _of_device
    if isinstance(first, Tensor) or "tensor" in kwargs:
        chosen = _of_tensor
    elif isinstance(first, _dtype.dtype):
        chosen = _of_dtype
    if not args and not kwargs:
        raise TypeError("to() received an invalid combination of arguments - got ()")
    return chosen(*args, **kwargs)


def _of_device(
    device: Any = None,
    dtype: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    *,
    memory_format: Any = None,
) -> tuple[Any, Any, bool, Any]:
    return None if device is None else Device(device), dtype, non_blocking, memory_format


def _of_dtype(
    dtype: Any, non_blocking: bool = False, copy: bool = False, *, memory_format: Any = None
) -> tuple[Any, Any, bool, Any]:
    return None, dtype, non_blocking, memory_format


def _of_tensor(
    tensor: Tensor, non_blocking: bool = False, copy: bool = False, *, memory_format: Any = None
) -> tuple[Any, Any, bool, Any]:
    return tensor.device, tensor.dtype, non_blocking, memory_format

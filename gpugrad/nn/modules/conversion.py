"""How the tensors of a module are brought to other types and devices, and stay the same objects."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, Self

from gpugrad import _dtype, functions
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


class Convertible:
    """A module, as far as the types and devices of its tensors are concerned."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    children: Callable[[], Iterator[Any]]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Give each parameter, buffer and gradient the memory of what a function makes of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                converted(parameter, fn)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Bring all parameters and buffers to a device, and those of inexact types to a type.

        ``to(device=None, dtype=None, non_blocking=False)``, ``to(dtype)``, ``to(tensor)``, whose
        device and type are meant, or ``to(memory_format=...)``, which concerns 4 and 5 dimensions.
        The parameters stay the same objects.

        Raises:
            TypeError: The type is neither floating point nor complex, or the arguments do not fit.
        """
        device, dtype, non_blocking, memory_format = destination(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )
        if dtype is not None and dtype.is_complex:
            warnings.warn(
                "Complex modules are a new feature under active development whose design may "
                "change, and some modules might not work as expected when using complex tensors "
                "as parameters or buffers. Please file an issue at "
                "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a "
                "complex module does not work as expected.",
                stacklevel=2,
            )

        def moved(t: Tensor) -> Tensor:
            kind = dtype if t.is_floating_point() or t.is_complex() else None
            if memory_format is not None and t.dim() in (4, 5):
                return t.to(device, kind, non_blocking, memory_format=memory_format)
            return t.to(device, kind, non_blocking)

        return self._apply(moved)

    def cuda(self, device: int | str | Device | None = None) -> Self:
        """Bring all parameters and buffers to a GPU; return the module."""
        return self._apply(lambda t: t.cuda(device))

    def cpu(self) -> Self:
        """Bring all parameters and buffers to the CPU; return the module."""
        return self._apply(lambda t: t.cpu())

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a type; return the module."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Convert parameters and buffers of floating-point types to float32; return the module."""
        return self._floating(_dtype.float32)

    def double(self) -> Self:
        """Convert parameters and buffers of floating-point types to float64; return the module."""
        return self._floating(_dtype.float64)

    def half(self) -> Self:
        """Convert parameters and buffers of floating-point types to float16; return the module."""
        return self._floating(_dtype.float16)

    def bfloat16(self) -> Self:
        """Convert parameters and buffers of floating-point types to bfloat16; return the module."""
        return self._floating(_dtype.bfloat16)

    def _floating(self, dtype: _dtype.dtype) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Give all parameters and buffers new memory on a device, not filled; return the module."""
        return self._apply(lambda t: functions.empty_like(t, device=device), recurse)

"""Tensors of another type or on another device: the short names of :func:`gpugrad.ops.copy.to`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._device import device as place
from gpugrad._layout import memory_format
from gpugrad.op import public
from gpugrad.op.saved import descended, own_array, type_name, wrap
from gpugrad.ops.copy import to

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(function=False)
def cpu(input: Tensor, *, memory_format: memory_format | None = None) -> Tensor:
    """Return the tensor on the CPU; itself where it is there."""
    return to(input, "cpu", memory_format=memory_format)


@public(function=False)
def cuda(
    input: Tensor, device: Any = None, non_blocking: bool = False, *,
    memory_format: memory_format | None = None,
) -> Tensor:  # fmt: skip
    """Return the tensor on a GPU, the current one by default; itself where it is there.

    ``non_blocking`` is accepted and has no effect.
    """
    return to(input, "cuda" if device is None else device, memory_format=memory_format)


@public(function=False)
def pin_memory(input: Tensor, device: Any = None) -> Tensor:
    """Return the tensor in memory of the host from which a GPU copies without a detour.

    That is the tensor itself where it is there already; a copy has no history.

    Raises:
        RuntimeError: There is no GPU, the tensor is on one, or it requires grad.
    """
    if backend.of(input._array).type != "cpu":
        raise RuntimeError(f"cannot pin '{type_name(input)}' only dense CPU tensors can be pinned")
    if input.requires_grad:
        raise RuntimeError("a tensor that requires grad is not pinned; use tensor.detach()")
    if is_pinned(input):
        return input
    door: Any = backend.of_device(place("cuda"))
    return descended(wrap(door.pinned(own_array(input))), (input,))


@public(function=False)
def is_pinned(input: Tensor, device: Any = None) -> bool:
    """Return whether the tensor lies in memory from which a GPU copies without a detour."""
    if backend.of(input._array).type != "cpu" or backend.cuda_problem() is not None:
        return False
    door: Any = backend.of_device(place("cuda"))
    return door.is_pinned(own_array(input))


@public(function=False)
def type_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the tensor with the type of another."""
    return to(input, other._kind)


def _named_after(kind: _dtype.dtype, name: str) -> None:
    def convert(input: Tensor, *, memory_format: memory_format | None = None) -> Tensor:
        return to(input, kind, memory_format=memory_format)

    convert.__doc__ = f"Return the tensor as {kind.name}; itself where it is that."
    public(function=False, name=name)(convert)


for _name, _kind in {
    "half": _dtype.float16, "bfloat16": _dtype.bfloat16,
    "float": _dtype.float32, "double": _dtype.float64,
    "char": _dtype.int8, "short": _dtype.int16, "int": _dtype.int32, "long": _dtype.int64,
    "byte": _dtype.uint8, "bool": _dtype.bool_,
    "cfloat": _dtype.complex64, "cdouble": _dtype.complex128,
}.items():  # fmt: skip
    _named_after(_kind, _name)

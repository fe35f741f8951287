"""What is asked of a tensor, and answered by a bool or a number of Python's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype
from gpugrad._dtype import dtype
from gpugrad.graph import TensorBase
from gpugrad.op import promotion, public
from gpugrad.op.follower import follower_of
from gpugrad.op.promotion import as_operand
from gpugrad.op.saved import type_name

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor
    from gpugrad.ops.pointwise.operand import Operand


@public()
def is_complex(input: Tensor) -> bool:
    """Return whether the type of a tensor is complex."""
    return input._kind.is_complex


@public()
def is_floating_point(input: Tensor) -> bool:
    """Return whether the type of a tensor is a floating point type."""
    return input._kind.is_floating_point


@public()
def is_conj(input: Tensor) -> bool:
    """Return whether a tensor is a view of the conjugate of another: of ``conj``, ``mH``, ..."""
    base = follower_of(input)
    return base is not None and input._kind.is_complex and not is_conj(base.source)


@public()
def is_signed(input: Tensor) -> bool:
    """Return whether the type of a tensor has negative numbers."""
    return input._kind.is_signed


@public()
def is_neg(input: Tensor) -> bool:
    """Return False: no tensor here is a view of the negative of another.

    PyTorch has such views of imaginary parts of conjugates, which are copies here.
    """
    return False


@public()
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same shape."""
    return input._array.shape == other._array.shape


@public()
def is_nonzero(input: Tensor) -> bool:
    """Return whether the one element of a tensor is not 0.

    Raises:
        RuntimeError: It has none, or several.
    """
    return bool(input)


@public()
def get_device(input: Tensor) -> int:
    """Return the number of the GPU that holds a tensor, -1 for NumPy's arrays."""
    index = input.device.index
    return -1 if index is None else index


@public(method=False)
def typename(obj: Any, /) -> str:
    """Return the name of the type of an object: of a tensor such as ``gpugrad.FloatTensor``."""
    if isinstance(obj, TensorBase):
        return type_name(obj)
    kind = obj if hasattr(obj, "__qualname__") else type(obj)
    module = kind.__module__ or "builtins"
    if module.startswith("gpugrad._"):  # where it is, not where users find it
        module = "gpugrad"
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


@public(method=False)
def is_tensor(obj: object, /) -> bool:
    """Return whether an object is a tensor; arrays are none."""
    return isinstance(obj, TensorBase)


@public(method=False)
def can_cast(from_: dtype, to: dtype) -> bool:
    """Return whether results of one type may be written into tensors of the other.

    They may, unless that loses the kind of number: complex, floating point, integer, bool.

    Raises:
        TypeError: One of them is no type of ours.
    """
    for place, (name, given) in enumerate((("from_", from_), ("to", to)), 1):
        if not isinstance(given, dtype):
            raise TypeError(
                f"can_cast(): argument '{name}' (position {place}) must be gpugrad.dtype, not "
                f"{type(given).__name__}"
            )
    return _dtype.can_cast(from_, to)


@public(method=False)
def result_type(tensor1: Operand, tensor2: Operand) -> dtype:
    """Return the type that an operation of two operands, tensors or numbers, computes in."""
    operands = [
        as_operand("result_type", f"tensor{k + 1}", k, t) for k, t in enumerate((tensor1, tensor2))
    ]
    return promotion.result_type(operands)


@public(method=False)
def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return input.numel()

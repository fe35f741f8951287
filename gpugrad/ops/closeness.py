"""Whether tensors are equal, or nearly so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, errors
from gpugrad.backend.batched import levels_of
from gpugrad.graph import TensorBase
from gpugrad.op import different_devices, public
from gpugrad.op.promotion import as_operand
from gpugrad.op.saved import read
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import detach
from gpugrad.ops.reduction import all

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _other(function: str, other: Any) -> Any:
    found = as_operand(function, "other", 1, other)
    if not isinstance(found, TensorBase):
        raise errors.must_be_tensor(function, "other", 2, other)
    return found


@public()
def equal(input: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same shape and values; their types may differ.

    nan is not equal to itself.

    Raises:
        RuntimeError: They are on different devices, or inside ``vmap``, where it may differ by
            example.
        TypeError: ``other`` is no tensor.
    """
    other = _other("equal", other)
    read(input)
    read(other)
    if levels_of(input._array) or levels_of(other._array):
        raise RuntimeError(
            "Batching rule not implemented for aten::equal. We could not generate a fallback."
        )
    if input.device != other.device:
        raise different_devices([input.device, other.device])
    if input._array.shape != other._array.shape:
        return False
    return bool(all(pw.eq(input, other)).item())


@public(promotes=True)
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Return where ``|input - other| <= atol + rtol |other|``, as bool.

    An infinity is close to itself only.  Integers are compared in the default floating point type,
    beside being equal.

    Args:
        input: Of any type and shape.
        other: Of the same type, and of a shape that broadcasts with that of ``input``.
        rtol: The relative tolerance.
        atol: The absolute tolerance.
        equal_nan: Whether nan is close to nan.

    Raises:
        RuntimeError: The types differ, or a tolerance is negative.
        TypeError: ``other`` is no tensor.
    """
    x, y = detach(input), detach(_other("isclose", other))
    kind = _dtype.of(x._array.dtype)
    if x._array.dtype != y._array.dtype:
        raise RuntimeError(f"{kind.title} did not match {_dtype.of(y._array.dtype).title}")
    for name, value in ("rtol", rtol), ("atol", atol):
        if not value >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}")
    close: Tensor = pw.eq(x, y)
    if equal_nan:
        close = close | (pw.isnan(x) & pw.isnan(y))
    if rtol == 0 and atol == 0:
        return close
    if kind.category < _dtype.FLOAT:
        x, y = x.to(_dtype.get_default_dtype()), y.to(_dtype.get_default_dtype())
    error, allowed = pw.abs(x - y), atol + pw.abs(rtol * y)
    return close | ((error < math.inf) & (error <= allowed))


@public(promotes=True)
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Return whether :func:`isclose` holds everywhere.

    Raises:
        RuntimeError: As :func:`isclose`; or inside ``vmap``, where it may differ by example.
        TypeError: ``other`` is no tensor.
    """
    other = _other("allclose", other)
    read(input)
    read(other)
    if levels_of(input._array) or levels_of(other._array):
        raise RuntimeError(
            "vmap over gpugrad.allclose isn't supported yet. Please file an issue at "
            "https://github.com/pytorch/pytorch/issues if you need this feature."
        )
    return bool(all(isclose(input, other, rtol, atol, equal_nan)).item())

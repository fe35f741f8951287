"""Operands: of one device, of one type, and broadcastable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._device import device
from gpugrad._dtype import dtype
from gpugrad.graph import (
    TensorBase,
)
from gpugrad.op.operation import cast as to_type
from gpugrad.op.operation import different_devices, move
from gpugrad.op.saved import (
    wrap,
)

Array = Any
Shape = tuple[int, ...]


def as_operand(function: str, argument: str, position: int, value: Any) -> Any:
    """Return a tensor as it is, an array as a tensor, a number as a Python number.

    Raises:
        TypeError: ``value`` is none of these.
    """
    if isinstance(value, TensorBase | bool | int | float | complex):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if backend.is_array(value):
        return wrap(value)
    if value is errors.MISSING:
        raise errors.missing(function, [argument])
    raise errors.must_be_tensor(function, argument, position + 1, value)


def result_type(operands: Sequence[Any]) -> dtype:
    """Return the type that the operands promote to, by PyTorch's rules."""
    found: list[dtype | None] = [None, None, None]  # of tensors with dimensions, 0-d ones, numbers
    for o in operands:
        if isinstance(o, TensorBase):
            d, rank = _dtype.of(o._array.dtype), 0 if o._array.ndim else 1
        else:
            d, rank = _dtype.of_number(o), 2
        before = found[rank]
        found[rank] = d if before is None else _dtype.promote_types(before, d)
    return _dtype.combine(*found)


def of_one_type(tensors: Sequence[Any]) -> list[Any]:
    """Return tensors of the type that all promote to."""
    common = result_type(tensors).numpy
    return [t if t._array.dtype == common else to_type(t, dtype=common) for t in tensors]


def as_scalar(value: complex, compute: np.dtype[Any]) -> Any:
    """Return a Python number as a NumPy scalar of the type the operands are computed in."""
    compute = _dtype.accumulation(compute)
    if hasattr(value, "as_tensor"):  # another one in each run of a program
        return value.as_tensor(compute)
    with np.errstate(all="ignore"):
        if compute.kind in "iu":
            return np.asarray(value).astype(compute)[()]  # wraps around, as PyTorch's does
        return compute.type(value)


def to_one_device(values: list[Any]) -> list[Any]:
    """Return the operands with 0-d tensors of the CPU moved to where the others are."""
    tensors = [v for v in values if isinstance(v, TensorBase)]
    doors = [backend.of(t._array) for t in tensors]
    if all(d.type == doors[0].type for d in doors):
        return values
    elsewhere = [
        d.device_of(t._array) for d, t in zip(doors, tensors, strict=True) if d.type != "cpu"
    ]
    large = [d for d, t in zip(doors, tensors, strict=True) if d.type == "cpu" and t._array.ndim]
    if large:
        raise different_devices([elsewhere[0], device("cpu")])
    return [
        move(v, where=elsewhere[0])
        if isinstance(v, TensorBase) and backend.of(v._array).type == "cpu" else v
        for v in values
    ]  # fmt: skip


def check_shapes(values: Sequence[Any]) -> None:
    """Raise PyTorch's error where the operands' shapes do not broadcast."""
    shapes = [v._array.shape for v in values if isinstance(v, TensorBase)]
    if any(s != shapes[0] for s in shapes[1:]):
        errors.broadcast_shape(*shapes)


def is_operand(value: Any, numbers: bool = True) -> bool:
    """Tell whether a value is an operand: a tensor, an array, or a number where these are."""
    if isinstance(value, TensorBase) or (numbers and isinstance(value, _NUMBERS)):
        return True
    return backend.is_array(value)


_NUMBERS = bool | int | float | complex | np.generic

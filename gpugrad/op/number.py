"""Numbers that become elements: of which types they may be, in PyTorch's words."""

from __future__ import annotations

import math
from typing import Any

from gpugrad import _dtype, errors
from gpugrad._dtype import dtype


def check_word(value: Any) -> None:
    """Raise for an integer of more than 64 bits.

    Raises:
        ValueError: It is one.
    """
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(errors.OVERFLOW)


def checked_integer(value: float, wanted: dtype, title: str) -> int:
    """Return a number as ``wanted`` stores it: cut, and wrapped around where it is negative.

    Raises:
        RuntimeError: It does not fit.
    """
    limits = _dtype.limits(wanted.numpy)
    wraps = isinstance(value, int) and limits.min == 0
    if not (-limits.max if wraps else limits.min) <= value <= limits.max:
        raise RuntimeError(f"value cannot be converted to type {title} without overflow")
    return int(value) % (limits.max + 1) if wraps else int(value)


_C_NAMES = {
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
    "uint16": "uint16_t", "uint32": "uint32_t", "uint64": "uint64_t", "bfloat16": "c10::BFloat16",
    "float16": "c10::Half", "float32": "float", "float64": "double",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip


def checked_number(value: Any, wanted: dtype, half: str = "c10::Half") -> Any:
    """Return a number that fills a tensor of type ``wanted``.

    Where PyTorch takes a half from a number of another type, ``half``, that may hold more:
    where a tensor of one element is filled.

    Raises:
        OverflowError: It is an integer of more than 64 bits.
        RuntimeError: It does not fit.
    """
    if isinstance(value, int) and value >= 2**64:
        raise OverflowError("int too big to convert")
    if isinstance(value, int) and value < -(2**63):
        raise OverflowError("can't convert negative int to unsigned")
    if wanted.category == _dtype.BOOL:
        return bool(value)
    title = half if wanted.name == "float16" else _C_NAMES[wanted.name]
    if isinstance(value, complex) and wanted.category < _dtype.COMPLEX:
        if value.imag:
            raise RuntimeError(f"value cannot be converted to type {title} without overflow")
        value = value.real
    if wanted.category == _dtype.INTEGER:
        return checked_integer(value, wanted, title)
    most = math.inf if title == "double" else float(_dtype.limits(wanted.numpy).max)
    for part in value.real, value.imag:
        if most < abs(part) < math.inf:
            raise RuntimeError(f"value cannot be converted to type {title} without overflow")
    return value


def check_number(value: Any, function: str, argument: str = "fill_value", place: int = 2) -> None:
    """Raise for what is no number.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, bool | int | float | complex):
        raise TypeError(
            f"{function}(): argument '{argument}' (position {place}) must be Number, not "
            f"{type(value).__name__}"
        )


def half_for(shape: Any) -> str:
    """Return the type of the number from which PyTorch fills halves of a shape."""
    return "double" if math.prod(shape) == 1 else "c10::Half"

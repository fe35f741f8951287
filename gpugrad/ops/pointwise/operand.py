"""Operands: tensors, arrays or Python numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad.graph import TensorBase
from gpugrad.op import result_type
from gpugrad.op.number import checked_number

Number = bool | int | float | complex


Operand = Any  # a tensor, an array or a Python number


def is_bool(operand: Operand) -> bool:
    return isinstance(operand, TensorBase) and operand._array.dtype.kind == "b"


def check_held(numbers: Sequence[Any], operands: Sequence[Any], half: str = "c10::Half") -> None:
    """Raise where one of the numbers does not fit the type that the operands promote to.

    Raises:
        RuntimeError: It does not; :func:`checked_number` says what ``half`` is.
    """
    for n in numbers:
        if not isinstance(n, int | float) or 0 <= n <= 127:  # what every type holds
            continue
        given = [o for o in operands if o is not None]
        floating = any(isinstance(o, TensorBase) and o._array.dtype.kind == "f" for o in given)
        if not (floating and -65504 <= n <= 65504):  # what halves hold
            checked_number(n, result_type(given), half)

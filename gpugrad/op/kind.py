"""Kinds of arguments: which values an annotation of a public function admits.

The annotations of a declaration are those of the stub files.  Each of them is here with PyTorch's
name of the kind, which its errors say, and with the condition by which a generated function knows
the usual values of it; all others are looked at by :class:`gpugrad.op.arguments.Arguments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gpugrad.errors import type_name
from gpugrad.graph import TensorBase
from gpugrad.op.promotion import is_operand


class Kind(NamedTuple):
    """The values of an annotation."""

    title: str  # what an error says that the argument must be
    usual: str  # the condition that there is nothing to check of {0}
    admits: Callable[[Any], bool]
    of_ints: bool = False  # whether there may be several integers: the first other one is told


def are_ints(value: Any) -> bool:
    """Tell whether a value is a tuple or list of plain integers."""
    if value.__class__ is not tuple and value.__class__ is not list:
        return False
    for v in value:  # noqa: SIM110  half as long as all()
        if v.__class__ is not int:
            return False
    return True


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool | np.bool_)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _is_float(value: Any) -> bool:
    return isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating | TensorBase)


def _is_number(value: Any) -> bool:
    return _is_float(value) or isinstance(value, complex)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, tuple | list)


def _none(kind: Kind) -> Kind:
    """Return the kind that admits ``None``, too."""
    return kind._replace(
        usual=f"{{0}} is None or {kind.usual}", admits=lambda v: v is None or kind.admits(v)
    )


_INT = Kind("int", "{0}.__class__ is int", _is_int)
_BOOL = Kind("bool", "{0}.__class__ is bool", _is_bool)
_FLOAT = Kind("float", "{0}.__class__ is float or {0}.__class__ is int", _is_float)
_NUMBER = Kind("Number", "{0}.__class__ is float or {0}.__class__ is int", _is_number)
_INTS = Kind("tuple of ints", "are_ints({0})", _is_sequence, of_ints=True)
_INT_OR_INTS = _INTS._replace(
    usual="{0}.__class__ is int or are_ints({0})", admits=lambda v: _is_int(v) or _is_sequence(v)
)
_TENSOR = "{0}.__class__ is Tensor or isinstance({0}, TensorBase)"

KINDS = {
    "Tensor": Kind("Tensor", _TENSOR, lambda v: is_operand(v, numbers=False)),
    "Operand": Kind("Tensor", f"{_NUMBER.usual} or {_TENSOR}", is_operand),
    "Sequence[Tensor]": Kind(
        "tuple of Tensors", "{0}.__class__ is tuple or {0}.__class__ is list", _is_sequence
    ),
    "int": _INT,
    "int | None": _none(_INT),
    "bool": _BOOL,
    "bool | None": _none(_BOOL),
    "float": _FLOAT,
    "float | None": _none(_FLOAT),
    "Number": _NUMBER,
    "Sequence[int]": _INTS,
    "int | Sequence[int]": _INT_OR_INTS,
    "int | Sequence[int] | None": _none(_INT_OR_INTS),
    "Dim": _none(_INT_OR_INTS),
}


def check(function: str, argument: str, position: int | None, kind: Kind, value: Any) -> None:
    """Raise where an argument is not of its kind, in PyTorch's words.

    The position is that by which users may give it.

    Raises:
        TypeError: It is not.
    """
    if kind.admits(value):
        if not kind.of_ints or not _is_sequence(value):
            return
        found = [k for k, v in enumerate(value) if not _is_int(v)]
        if not found:
            return
        wrong = f"but found element of type {type_name(value[found[0]])} at pos {found[0]}"
    else:
        wrong = f"not {type_name(value)}"
    place = "" if position is None else f" (position {position})"
    raise TypeError(f"{function}(): argument '{argument}'{place} must be {kind.title}, {wrong}")

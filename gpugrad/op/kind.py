"""Kinds of arguments: which values an annotation of a public function admits.

The annotations of a declaration are those of the stub files.  Each of them is here with PyTorch's
name of the kind, which its errors say, and with the condition by which a generated function knows
the usual values of it; all others are looked at by :class:`gpugrad.op.arguments.Arguments`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, NamedTuple

import numpy as np

from gpugrad.errors import type_name
from gpugrad.graph import TensorBase
from gpugrad.op.promotion import is_operand

Value = Any  # anything; where it is a tensor of a class of the user's, the result is of that class


class Kind(NamedTuple):
    """The values of an annotation."""

    title: str  # what an error says that the argument must be
    usual: str  # the condition that there is nothing to check of {0}
    admits: Callable[[Any], bool]
    element: str = ""  # what the elements of a sequence must be, of which the first other is told
    ints: bool = False  # whether a value is an integer, or several


def are_ints(value: Any) -> bool:
    """Tell whether a value is a tuple or list of plain integers."""
    if value.__class__ is not tuple and value.__class__ is not list:
        return False
    for v in value:  # noqa: SIM110  half as long as all()
        if v.__class__ is not int:
            return False
    return True


def are_tensors(value: Any) -> bool:
    """Tell whether a value is a tuple or list of tensors."""
    if value.__class__ is not tuple and value.__class__ is not list:
        return False
    for v in value:  # noqa: SIM110
        if not isinstance(v, TensorBase):
            return False
    return True


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool | np.bool_)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


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


_INT = Kind("int", "{0}.__class__ is int", _is_int, ints=True)
_BOOL = Kind("bool", "{0}.__class__ is bool", _is_bool)
_FLOAT = Kind("float", "{0}.__class__ is float or {0}.__class__ is int", _is_float)
_NUMBER = Kind("Number", "{0}.__class__ is float or {0}.__class__ is int", _is_number)
_INTS = Kind("tuple of ints", "are_ints({0})", _is_sequence, "int", ints=True)
_INT_OR_INTS = _INTS._replace(
    usual="{0}.__class__ is int or are_ints({0})", admits=lambda v: _is_int(v) or _is_sequence(v)
)
# One of a class of the user's gives that to the result, whatever it is an operand for.
_TENSOR = "{0}.__class__ is Tensor or is_plain({0})"

KINDS = {
    "Tensor": Kind("Tensor", _TENSOR, lambda v: is_operand(v, numbers=False)),
    "Operand": Kind("Tensor", f"{_NUMBER.usual} or {_TENSOR}", is_operand),
    "Sequence[Tensor]": Kind("tuple of Tensors", "are_tensors({0})", _is_sequence, "Tensor"),
    "int": _INT,
    "int | None": _none(_INT),
    "bool": _BOOL,
    "bool | None": _none(_BOOL),
    "float": _FLOAT,
    "float | None": _none(_FLOAT),
    "Number": _NUMBER,
    "int | Tensor": _INT._replace(
        usual=f"{_INT.usual} or {_TENSOR}",
        admits=lambda v: (
            _is_int(v) or (is_operand(v, numbers=False) and not isinstance(v, np.generic))
        ),
        ints=False,
    ),
    "Sequence[int]": _INTS,
    "int | Sequence[int]": _INT_OR_INTS,
    "int | Sequence[int] | None": _none(_INT_OR_INTS),
    "int | Sequence[int] | Tensor": _INT_OR_INTS._replace(
        usual=f"{_INT_OR_INTS.usual} or {_TENSOR}",
        admits=lambda v: _is_int(v) or _is_sequence(v) or is_operand(v, numbers=False),
        ints=False,
    ),
    "int | Sequence[int] | str": _INT_OR_INTS._replace(
        usual=f"{_INT_OR_INTS.usual} or {{0}}.__class__ is str",
        admits=lambda v: _is_int(v) or _is_sequence(v) or isinstance(v, str),
        ints=False,
    ),
    "Dim": _none(_INT_OR_INTS),
}


def checked(function: str, argument: str, position: int | None, kind: Kind, value: Any) -> Any:
    """Return an argument that is of its kind; numbers of NumPy's, and integer tensors, as Python's.

    The position is that by which users may give it.

    Raises:
        TypeError: It is not, in PyTorch's words.
    """
    several = kind.element and _is_sequence(value)
    if not kind.admits(value):
        place = "" if position is None else f" (position {position})"
        raise TypeError(
            f"{function}(): argument '{argument}'{place} must be {kind.title}, "
            f"not {type_name(value)}"
        )
    if several:
        for k, v in enumerate(value):
            if kind.element == "int" and not _is_int(v):
                raise _wrong_int(function, argument, position, k, v)
            if kind.element == "Tensor" and not (v is None or is_operand(v, numbers=False)):
                raise TypeError(
                    f"expected Tensor as element {k} in argument {(position or 1) - 1}, "
                    f"but got {type_name(v)}"
                )
    if isinstance(value, np.generic) and kind.title in ("int", "float", "Number"):
        return value.item()
    if not kind.ints or value is None:
        return value
    return tuple(map(index, value)) if several else index(value)


def _wrong_int(function: str, argument: str, position: int | None, k: int, value: Any) -> TypeError:
    """Return the error for an element of several integers that is none."""
    kind = type_name(value)
    if k:
        return TypeError(
            f"{function}(): argument '{argument}' failed to unpack the object at pos {k + 1} "
            f'with error "type must be tuple of ints,but got {kind}"'
        )
    place = "" if position is None else f" (position {position})"
    return TypeError(
        f"{function}(): argument '{argument}'{place} must be tuple of ints, "
        f"but found element of type {kind} at pos 0"
    )

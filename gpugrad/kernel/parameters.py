"""The parameters of a kernel, and the element types of their arguments, by CuPy's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.graph import TensorBase
from gpugrad.kernel.types import NAMES
from gpugrad.op import as_operand

DType = np.dtype[Any]

_NAME = re.compile(r"[A-Za-z_]\w*")
_RESERVED = {"i", "n"}


@dataclass(frozen=True)
class Parameter:
    """A parameter: ``dtype`` is None where its type ``letter`` stands for that of the argument."""

    name: str
    letter: str
    dtype: DType | None
    raw: bool


def parsed(text: str) -> tuple[Parameter, ...]:
    """Return the parameters that a text such as ``"T x, raw int32 k"`` lists.

    Raises:
        ValueError: A part of it is none, or its name is reserved.
    """
    return tuple([_one(part) for part in text.split(",") if part.strip()])


def _one(text: str) -> Parameter:
    words = [w for w in text.split() if w != "const"]
    raw = "raw" in words[:-1]
    words = [w for w in words if w != "raw"]
    if len(words) != 2 or not all(map(_NAME.fullmatch, words)):
        raise ValueError(f"Syntax error: {text.strip()}")
    letter, name = words
    if name in _RESERVED or name.startswith("_"):
        raise ValueError(f"The name '{name}' is reserved: it may not be that of a parameter")
    if len(letter) == 1 and letter.isupper():
        return Parameter(name, letter, None, raw)
    return Parameter(name, letter, _named(letter), raw)


def _named(name: str) -> DType:
    if name == "bfloat16":
        return _dtype.bfloat16.numpy
    try:
        return np.dtype(name)
    except TypeError:
        if name in NAMES:
            return NAMES[name].dtype
        raise TypeError(f"'{name}' is no type of a parameter, and no letter for one") from None


def given(name: str, parameters: Sequence[Parameter], values: Sequence[Any]) -> list[Any]:
    """Return arguments as tensors, and numbers as they are.

    Raises:
        TypeError: One is none of these.
    """
    return [
        as_operand(name, p.name, k, v)
        for k, (p, v) in enumerate(zip(parameters, values, strict=True))
    ]


def decided(
    parameters: Sequence[Parameter], values: Sequence[Any], outputs: Sequence[Parameter]
) -> Mapping[str, DType]:
    """Return the element type of each parameter, by name.

    A letter stands for the type of the arguments that are arrays; numbers take it.

    Raises:
        TypeError: Arguments of one letter have different types, one is not of the type that its
            parameter has, or a letter stands for nothing.
    """
    letters: dict[str, DType] = {}
    for p, value in zip(parameters, values, strict=True):
        if not isinstance(value, TensorBase):
            continue
        found = value._array.dtype
        expected = letters.get(p.letter) if p.dtype is None else p.dtype
        if expected is not None and expected != found:
            raise TypeError(f"Type is mismatched. {p.name} {found} {expected} {p.letter}")
        if p.dtype is None:
            letters[p.letter] = found
    result: dict[str, DType] = {}
    for p in (*parameters, *outputs):
        dtype = letters.get(p.letter) if p.dtype is None else p.dtype
        if dtype is None:
            raise TypeError(
                f"the type '{p.letter}' of '{p.name}' is not known: no argument that is an array "
                "has it"
            )
        result[p.name] = dtype
    return result


def letters(parameters: Sequence[Parameter], dtypes: Mapping[str, DType]) -> dict[str, DType]:
    """Return what the letters of parameters stand for."""
    return {p.letter: dtypes[p.name] for p in parameters if p.dtype is None}


def written(parameters: Sequence[Parameter]) -> str:
    """Return the text that lists parameters."""
    return ", ".join(f"{'raw ' if p.raw else ''}{p.letter} {p.name}" for p in parameters)

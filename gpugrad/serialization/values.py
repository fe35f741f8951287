"""What a file may hold: tensors, and plain values and containers around them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad import _dtype
from gpugrad._device import device
from gpugrad._parameter import Parameter
from gpugrad._size import Size
from gpugrad.graph import TensorBase
from gpugrad.op.saved import is_plain

DEEPEST = 200  # how far containers may be nested
PLAIN = (bool, int, float, complex, str, bytes, type(None), _dtype.dtype, device)
_NUMBERS = "?bBhHiIlLqQefdFD"  # the codes of NumPy's types whose numbers Python has, too
_KNOWN = (
    "tensors, parameters, numbers, strings, bytes, None, types, devices, and the lists, tuples, "
    "sets and dictionaries of these"
)


class Found(NamedTuple):
    """A tensor that is to be saved, and the names that lead to it."""

    tensor: Any
    path: tuple[str, ...]


class DamagedError(Exception):
    """What a file holds is not what its format says; the text goes on after the file's name."""


class MisplacedError(Exception):
    """Memory cannot be put where ``map_location`` says; its cause is what the caller is told."""


def plain_number(value: Any) -> Any:
    """Return NumPy's number as Python's, and everything else as it is.

    >>> plain_number(np.float64(0.5)), plain_number(np.True_), plain_number("text")
    (0.5, True, 'text')
    """
    return value.item() if isinstance(value, np.generic) and value.dtype.char in _NUMBERS else value


def is_parameter(tensor: Any) -> bool:
    """Tell whether a tensor is a parameter of a network's."""
    return type(tensor) is Parameter


def parameter(tensor: Any, requires_grad: Any) -> Any:
    """Return a tensor from a file as a parameter.

    Raises:
        DamagedError: What it says of the gradient is no bool.
    """
    if not isinstance(requires_grad, bool):
        raise DamagedError("a parameter requires grad, or not, by something that is no bool")
    return Parameter(tensor.detach(), requires_grad)


def give_attributes(made: Any, attributes: Any) -> None:
    """Give an object from a file its attributes, as a state dictionary has ``_metadata``.

    Raises:
        DamagedError: They have no names, or would hide what all objects of the class have.
    """
    if type(attributes) is not dict or not all(type(name) is str for name in attributes):
        raise DamagedError("attributes have no names")
    hidden = next((name for name in attributes if hasattr(type(made), name)), None)
    if hidden is not None:
        raise DamagedError(
            f"an attribute {hidden!r:.40} would hide that of a {type(made).__name__}"
        )
    vars(made).update(attributes)


def children(value: Any) -> list[tuple[str, Any]]:
    """Return what a container holds, with names, and nothing for a leaf."""
    kind = type(value)
    if kind is dict or kind is OrderedDict:
        inner = [(str(key), v) for key, v in value.items()]
        return inner + [("", v) for v in vars(value).values()] if kind is OrderedDict else inner
    if kind is list or kind is tuple:
        return [(str(k), v) for k, v in enumerate(value)]
    return []


def tensors_in(root: Any) -> list[Found]:
    """Return the tensors that a value holds, each once, after a look at all that it holds.

    Raises:
        TypeError: It holds what no file may hold.
        ValueError: It is nested too deeply, or in itself.
    """
    found: dict[int, Found] = {}
    for value, path in _walked(root, (), set()):
        if isinstance(value, TensorBase) and id(value) not in found:
            found[id(value)] = Found(value, path)
    return list(found.values())


def _walked(
    value: Any, path: tuple[str, ...], around: set[int]
) -> Iterator[tuple[Any, tuple[str, ...]]]:
    if (reason := _refused(value)) is not None:
        where = "the object itself" if not path else "at " + "".join(f"[{p!r}]" for p in path)
        raise TypeError(f"save: {where}: {reason}")
    yield value, path
    if len(path) > DEEPEST:
        raise ValueError(f"save: containers are nested more than {DEEPEST} deep")
    inner = children(value)
    if inner:
        if id(value) in around:
            raise ValueError("save: a container holds itself")
        around.add(id(value))
        for name, child in inner:
            yield from _walked(child, (*path, name), around)
        around.remove(id(value))


def _refused(value: Any) -> str | None:
    """Return why a value is not saved, apart from what it contains; ``None`` where it is."""
    value = plain_number(value)
    kind = type(value)
    if isinstance(value, TensorBase):
        if not is_plain(value) and not is_parameter(value):
            return f"{kind.__name__} is a class of tensors of your own; save value.detach()"
        if vars(value):
            names = ", ".join(map(repr, vars(value)))
            return f"the tensor has attributes ({names}), which no file holds; save value.detach()"
        return None
    if kind in (dict, OrderedDict):
        return next(filter(None, map(_no_key, value)), None)
    if kind is set or kind is Size:
        return next(filter(None, map(_no_key, value)), None)
    if kind in PLAIN or kind in (list, tuple):
        return None
    if hasattr(value, "state_dict"):
        return f"this is a {kind.__name__}; save its state_dict()"
    if kind.__module__ == "numpy":
        advice = "use gpugrad.tensor(value)" if hasattr(value, "__len__") else "use value.item()"
        return f"this is a numpy.{kind.__name__}; {advice}"
    return f"this is a {kind.__module__}.{kind.__qualname__}; files hold {_KNOWN}"


def _no_key(key: Any) -> str | None:
    if is_key(tuple(map(plain_number, key)) if type(key) is tuple else plain_number(key)):
        return None
    return f"a key, or what is in a set, is a {type(key).__name__}"


def is_key(key: Any) -> bool:
    """Tell whether a value may be a key of a dictionary: a plain one, or a tuple of such."""
    if type(key) is tuple:
        return all(type(part) in PLAIN for part in key)
    return type(key) in PLAIN


def check_depth(root: Any) -> None:
    """Raise where what was read is nested too deeply for those who will walk through it.

    Raises:
        DamagedError: It is, or it holds itself.
    """
    heights: dict[int, int] = {}
    pending: list[tuple[Any, bool]] = [(root, False)]
    around: set[int] = set()
    while pending:
        value, done = pending.pop()
        if done:
            around.discard(id(value))
            inner = [heights.get(id(v), 0) for _, v in children(value)]
            heights[id(value)] = 1 + max(inner, default=0)
            if heights[id(value)] > DEEPEST:
                raise DamagedError(f"containers are nested more than {DEEPEST} deep")
        elif id(value) in around:
            raise DamagedError("a container holds itself")
        elif id(value) not in heights and (inner_values := children(value)):
            around.add(id(value))
            pending.append((value, True))
            pending.extend((v, False) for _, v in inner_values)


def names_of(found: Sequence[Found], pieces: Sequence[int]) -> dict[int, str]:
    """Return a name for each piece, by the first tensor in it; pieces are given by tensor."""
    names: dict[int, str] = {}
    taken = {"__metadata__"}
    for one, piece in zip(found, pieces, strict=True):
        if piece in names:
            continue
        plain = ".".join(one.path) or "tensor"
        name = plain = plain.encode("utf-8", "replace").decode()
        number = 1
        while name in taken:
            number += 1
            name = f"{plain}.{number}"
        taken.add(name)
        names[piece] = name
    return names

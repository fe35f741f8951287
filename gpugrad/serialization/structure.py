"""The structure around the tensors of a file, as JSON.

Texts, whole numbers, finite floats, bools, ``None`` and lists are JSON's own; all others are an
object with one key, which says what it is, as in ``{"tuple": [1, 2]}``.
"""

from __future__ import annotations

import base64
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import _dtype
from gpugrad._device import device
from gpugrad._size import Size
from gpugrad.serialization.pieces import known
from gpugrad.serialization.values import DamagedError, give_attributes, is_key, plain_number

VERSION = 1


def written(root: Any, number_of: dict[int, int], tensors: Sequence[dict[str, Any]]) -> str:
    """Return a value as text; its tensors are described in the order of their numbers."""
    return json.dumps(
        {"version": VERSION, "tensors": list(tensors), "root": _node(root, number_of)},
        separators=(",", ":"),
        allow_nan=False,
    )


def _node(value: Any, numbers: dict[int, int]) -> Any:
    if id(value) in numbers:
        return {"tensor": numbers[id(value)]}
    value = plain_number(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, complex):
        return {"complex": [_node(part, numbers) for part in (value.real, value.imag)]}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, _dtype.dtype):
        return {"dtype": value.name}
    if isinstance(value, device):
        return {"device": str(value)}
    if isinstance(value, dict):
        return _dictionary(value, numbers)
    inner = [_node(v, numbers) for v in value]
    return inner if isinstance(value, list) else {type(value).__name__: inner}


def _dictionary(value: dict[Any, Any], numbers: dict[int, int]) -> Any:
    pairs = [[_node(k, numbers), _node(v, numbers)] for k, v in value.items()]
    if not isinstance(value, OrderedDict):
        return {"dict": pairs}
    attributes = [[k, _node(v, numbers)] for k, v in vars(value).items()]
    return {"OrderedDict": [pairs, attributes] if attributes else [pairs]}


def read(text: str, make: Callable[[Any], Any]) -> Any:
    """Return the value that a text describes; ``make`` makes a tensor of its description.

    Raises:
        DamagedError: The text is none of ours.
    """
    try:
        top = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"its structure is no JSON: {error}") from None
    if not isinstance(top, dict) or top.get("version") != VERSION:
        version = top.get("version") if isinstance(top, dict) else None
        raise DamagedError(f"its structure is of the version {version!r}, not {VERSION}")
    described = top.get("tensors")
    if not isinstance(described, list) or "root" not in top:
        raise DamagedError("its structure has no tensors, or no root")
    try:
        return _Reader([make(d) for d in described]).value(top["root"])
    except RecursionError:
        raise DamagedError("its structure is nested too deeply") from None


class _Reader:
    """Makes values of the nodes of JSON."""

    def __init__(self, tensors: list[Any]):
        self.tensors = tensors

    def value(self, node: Any) -> Any:
        """Return what a node describes."""
        if isinstance(node, list):
            return [self.value(n) for n in node]
        if not isinstance(node, dict):
            return node
        if len(node) != 1:
            raise DamagedError("an object of its structure has not one key")
        ((kind, inner),) = node.items()
        make = getattr(self, f"_{kind}", None) if kind in _KINDS else None
        if make is None:
            raise DamagedError(f"its structure has a {kind!r}, which is unknown")
        try:
            return make(inner)
        except (ValueError, TypeError, IndexError, RuntimeError) as error:
            raise DamagedError(f"its structure has a {kind} that is none: {error}") from None

    def _tensor(self, inner: Any) -> Any:
        if type(inner) is not int or inner < 0:
            raise ValueError(f"number {inner!r}")
        return self.tensors[inner]

    def _float(self, inner: Any) -> float:
        return float(_text(inner))

    def _complex(self, inner: Any) -> complex:
        real, imaginary = (self.value(part) for part in _list(inner))
        return complex(float(real), float(imaginary))

    def _bytes(self, inner: Any) -> bytes:
        return base64.b64decode(_text(inner), validate=True)

    def _dtype(self, inner: Any) -> Any:
        return known(inner)

    def _device(self, inner: Any) -> device:
        return device(_text(inner))

    def _tuple(self, inner: Any) -> tuple[Any, ...]:
        return tuple(self.value(n) for n in _list(inner))

    def _set(self, inner: Any) -> set[Any]:
        return {self._key(n) for n in _list(inner)}

    def _Size(self, inner: Any) -> Size:  # noqa: N802  a kind of the format
        return Size(inner)

    def _dict(self, inner: Any) -> dict[Any, Any]:
        return {self._key(k): self.value(v) for k, v in _pairs(inner)}

    def _OrderedDict(self, inner: Any) -> OrderedDict[Any, Any]:  # noqa: N802  a kind of the format
        pairs, *attributes = _list(inner)
        made = OrderedDict((self._key(k), self.value(v)) for k, v in _pairs(pairs))
        for given in attributes:
            give_attributes(made, {_text(k): self.value(v) for k, v in _pairs(given)})
        return made

    def _key(self, node: Any) -> Any:
        key = self.value(node)
        if not is_key(key):
            raise DamagedError(f"a {type(key).__name__} is a key")
        return key


_KINDS = (
    "tensor", "float", "complex", "bytes", "dtype", "device", "tuple", "set", "Size", "dict",
    "OrderedDict",
)  # fmt: skip


def _text(inner: Any) -> str:
    if not isinstance(inner, str):
        raise TypeError(f"a text is a {type(inner).__name__}")
    return inner


def _list(inner: Any) -> list[Any]:
    if not isinstance(inner, list):
        raise TypeError(f"a list is a {type(inner).__name__}")
    return inner


def _pairs(inner: Any) -> list[tuple[Any, Any]]:
    return [(key, value) for key, value in _list(inner)]


def header(data: bytes) -> dict[str, str]:
    """Return the metadata in the header of a file of which the rest has been read.

    Raises:
        ValueError: It is no JSON.
    """
    found = json.loads(data).get("__metadata__")
    return found if isinstance(found, dict) else {}

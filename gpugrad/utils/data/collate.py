"""A batch made of examples: tensors are stacked, containers are walked into."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from gpugrad import _dtype, functions
from gpugrad._tensor import Tensor

_NO_BATCH = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def default_convert(data: Any) -> Any:
    """Return data with tensors for NumPy's arrays and numbers, in whatever containers they are.

    Tuples become lists, arrays of texts and objects stay.
    """
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in "SaUO" else functions.as_tensor(data)
    return mapped(default_convert, data, tuples=list)


def mapped(function: Callable[[Any], Any], data: Any, tuples: type = tuple) -> Any:
    """Return a container of the same class with a function applied to what it holds.

    What is no container is returned as it is; a plain tuple becomes one of ``tuples``.
    """
    if isinstance(data, Mapping):
        return _mapping(data, {key: function(data[key]) for key in data})
    if isinstance(data, tuple):
        parts = [function(part) for part in data]
        return type(data)(*parts) if hasattr(data, "_fields") else tuples(parts)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _sequence(data, [function(part) for part in data])
    return data


def _mapping(like: Any, found: dict[Any, Any]) -> Any:
    """Return a mapping of the class of another one, with its other properties where it has some."""
    try:
        if isinstance(like, MutableMapping):
            made = copy.copy(like)
            made.update(found)
            return made
        return type(like)(found)
    except TypeError:  # the class has another constructor, or no copy
        return found


def _sequence(like: Any, found: list[Any]) -> Any:
    try:
        if isinstance(like, MutableSequence):
            made = copy.copy(like)
            for k, part in enumerate(found):
                made[k] = part
            return made
        return type(like)(found)
    except TypeError:  # as of a range
        return found


Collate = Callable[..., Any]


def collate(
    batch: Sequence[Any],
    *,
    collate_fn_map: dict[type | tuple[type, ...], Collate] | None = None,
) -> Any:
    """Return one object for a batch, by functions for classes of examples.

    A function is given the batch and, as ``collate_fn_map``, this table; that of the class itself
    comes first, then the first one of whose class the example is.  Containers are walked into.

    Raises:
        RuntimeError: Examples that are lists have different lengths.
        TypeError: There is no function for an example.
    """
    example = batch[0]
    kind = type(example)
    table = collate_fn_map or {}
    if kind in table:
        return table[kind](batch, collate_fn_map=collate_fn_map)
    for known, function in table.items():
        if isinstance(example, known):
            return function(batch, collate_fn_map=collate_fn_map)

    def together(parts: Sequence[Any]) -> Any:
        return collate(parts, collate_fn_map=collate_fn_map)

    if isinstance(example, Mapping):
        return _mapping(example, {key: together([d[key] for d in batch]) for key in example})
    if isinstance(example, tuple) and hasattr(example, "_fields"):
        return kind(*map(together, zip(*batch, strict=False)))
    if isinstance(example, Sequence):
        if any(len(other) != len(example) for other in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        found = [together(parts) for parts in zip(*batch, strict=True)]
        return found if isinstance(example, tuple) else _sequence(example, found)
    raise TypeError(_NO_BATCH.format(kind))


def _tensors(batch: Sequence[Tensor], *, collate_fn_map: Any = None) -> Tensor:
    stacked: Tensor = functions.stack(list(batch), 0)
    return stacked


def _arrays(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    if batch[0].dtype.kind in "SaUO":
        raise TypeError(_NO_BATCH.format(batch[0].dtype))
    return collate([functions.as_tensor(b) for b in batch], collate_fn_map=collate_fn_map)


def _numpys_numbers(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    return functions.as_tensor(batch)


def _floats(batch: Sequence[float], *, collate_fn_map: Any = None) -> Any:
    return functions.tensor(batch, dtype=_dtype.float64)


def _whole_numbers(batch: Sequence[int], *, collate_fn_map: Any = None) -> Any:
    return functions.tensor(batch)


def _as_they_are(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    return batch


default_collate_fn_map: dict[type | tuple[type, ...], Collate] = {
    Tensor: _tensors,
    np.ndarray: _arrays,
    (np.bool_, np.number, np.object_): _numpys_numbers,
    float: _floats,
    int: _whole_numbers,
    str: _as_they_are,
    bytes: _as_they_are,
}


def default_collate(batch: Sequence[Any]) -> Any:
    """Return one object for a batch of examples, with one more dimension in front.

    Tensors, and arrays as tensors, are stacked; numbers become a tensor, floats one of float64;
    texts and bytes stay; dictionaries, lists and named tuples hold the batches of what they held,
    and tuples become lists.

    Raises:
        RuntimeError: Lists have different lengths, or tensors different shapes.
        TypeError: There is something else.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)

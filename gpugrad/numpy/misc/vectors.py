"""Nested tuples, lists and dictionaries of numbers and arrays as one vector, and back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gpugrad.numpy.differential import values_of
from gpugrad.numpy.operands import own, promoted
from gpugrad.ops.joining import cat


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return all numbers in one vector, and the function that arranges a vector like ``value``.

    Dictionaries are read in the order of their keys.  Numbers are of one type, to which those of
    ``value`` are promoted.
    """
    parts = [own(leaf) for leaf in _leaves(value)]
    sizes = [int(np.prod(p._array.shape)) for p in parts]
    shapes = [tuple(p._array.shape) for p in parts]
    flat = cat([p.reshape(-1) for p in promoted(*parts)]) if parts else own(np.zeros(0))

    def unflatten(vector: Any) -> Any:
        given = own(vector)
        if tuple(given._array.shape) != (sum(sizes),):
            raise ValueError(
                f"unflatten: a vector of {sum(sizes)} numbers is expected, not one of shape "
                f"{tuple(given._array.shape)}"
            )
        ends = list(itertools.accumulate(sizes, initial=0))
        found = [
            given[start:end].reshape(shape)
            for start, end, shape in zip(ends, ends[1:], shapes, strict=False)
        ]
        return values_of(_rebuilt(value, iter(found)), vector)

    return values_of(own(flat), list(_leaves(value))), unflatten


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Any, Any, Any]:
    """Return a function of a vector, the way back from vectors, and the vector of ``example``."""
    vector, unflatten = flatten(example)
    return (lambda x, *args: flatten(func(unflatten(x), *args))[0]), unflatten, vector


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        for child in value:
            yield from _leaves(child)
    else:
        yield value


def _rebuilt(value: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(value, dict):
        found = {key: _rebuilt(value[key], leaves) for key in sorted(value)}
        return {key: found[key] for key in value}
    if isinstance(value, list | tuple):
        parts = [_rebuilt(child, leaves) for child in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return next(leaves)

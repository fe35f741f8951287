"""The user's functions, called along axes and for each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad.numpy.operands import array_of, class_of, door, own, plain, plains, raised
from gpugrad.numpy.shapes import stack, transpose
from gpugrad.numpy.ufuncs import normal_axes
from gpugrad.ops import shape as shapes


@door
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """Return what a function gives for each line along an axis; lines are tensors."""
    arr = array_of(arr)
    (k,) = normal_axes(axis, arr.ndim)
    moved = array_of(shapes.movedim(plain(arr), k, -1))
    before = moved.shape[:-1]
    if 0 in before:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    lines = array_of(shapes.reshape(plain(moved), (-1, moved.shape[-1])))
    found = [plain(func1d(lines[j], *args, **kwargs)) for j in range(lines.shape[0])]
    behind = tuple(found[0]._array.shape)
    whole = shapes.reshape(plain(stack(found)), (*before, *behind))
    n, m = len(before), len(behind)
    return transpose(whole, (*range(k), *range(n, n + m), *range(k, n)))


@door
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """Return what a function of an array and an axis gives, called for one axis after the other."""
    found = array_of(a)
    ndim = found.ndim
    for axis in (axes,) if isinstance(axes, int) else axes:
        (k,) = normal_axes(axis, ndim)
        value = array_of(func(found, k))
        if value.ndim != found.ndim:
            value = array_of(shapes.unsqueeze(plain(value), k))
            if value.ndim != found.ndim:
                raise ValueError("function is not returning an array of the correct shape")
        found = value
    return found


class vectorize:  # noqa: N801  NumPy's name
    """A function of elements as one of arrays: called once for each, with 0-d tensors.

    Takes ``signature`` for functions of lines and matrices, ``excluded`` and ``otypes`` as
    NumPy's does; the results keep their history.
    """

    def __init__(
        self, pyfunc: Any = None, otypes: Any = None, doc: str | None = None,
        excluded: Any = None, cache: bool = False, signature: str | None = None,
    ):  # fmt: skip
        """Make the function of arrays that is ``pyfunc`` for each element."""
        self.pyfunc, self.otypes, self.signature = pyfunc, otypes, signature
        self.excluded = set(excluded or ())
        self.__doc__ = doc or getattr(pyfunc, "__doc__", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the results, in arrays."""
        if self.pyfunc is None:  # as a decorator with arguments
            self.pyfunc = args[0]
            return self
        kind = class_of((args, kwargs))
        found = self._called(args, kwargs)
        return raised(found, kind)

    def _called(self, args: Any, kwargs: Any) -> Any:
        names = [k for k in kwargs if k not in self.excluded]
        places = [k for k in range(len(args)) if k not in self.excluded]
        given = [own(v) for v in plains(*(args[k] for k in places), *(kwargs[n] for n in names))]
        cores = _cores(self.signature, len(given))
        shape = np.broadcast_shapes(*(
            g._array.shape[: g._array.ndim - c] for g, c in zip(given, cores, strict=True)
        ))  # fmt: skip
        given = [
            shapes.broadcast_to(g, (*shape, *g._array.shape[g._array.ndim - c :]))
            for g, c in zip(given, cores, strict=True)
        ]
        results = []
        for index in np.ndindex(*shape):
            values = [array_of(g[index] if index else g) for g in given]
            positional = list(args)
            for k, v in zip(places, values, strict=False):
                positional[k] = v
            named = dict(kwargs, **dict(zip(names, values[len(places) :], strict=True)))
            results.append(self.pyfunc(*positional, **named))
        if not results:
            raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
        several = isinstance(results[0], tuple)
        columns = list(zip(*results, strict=True)) if several else [results]
        found = []
        for k, column in enumerate(columns):
            whole = plain(stack([array_of(v) for v in column]))
            whole = shapes.reshape(whole, (*shape, *whole._array.shape[1:]))
            if self.otypes is not None:
                whole = plain(array_of(whole).astype(np.dtype(self.otypes[k])))
            found.append(whole)
        return tuple(found) if several else found[0]


def _cores(signature: str | None, count: int) -> list[int]:
    """Return how many dimensions of each operand a function takes at once."""
    if signature is None:
        return [0] * count
    left = signature.replace(" ", "").partition("->")[0]
    parts = left.strip("()").split("),(")
    return [len(p.split(",")) if p else 0 for p in parts]

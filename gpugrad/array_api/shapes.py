"""Shapes, joining, and which elements: manipulation, indexing, searching, sorting and sets."""

from __future__ import annotations

from typing import Any

import gpugrad.numpy as np

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "broadcast_arrays",
    "broadcast_to",
    "concat",
    "count_nonzero",
    "expand_dims",
    "flip",
    "moveaxis",
    "nonzero",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "searchsorted",
    "sort",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "where",
]  # fmt: skip


def broadcast_arrays(*arrays: Any) -> list[Any]:
    """Return arrays of one shape."""
    return list(np.broadcast_arrays(*arrays))


def broadcast_to(x: Any, /, shape: tuple[int, ...]) -> Any:
    """Return a view of another shape, in which elements are repeated."""
    return np.broadcast_to(x, shape)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Return arrays one after the other along an axis."""
    return np.concatenate(arrays, axis)


def expand_dims(x: Any, /, axis: int = 0) -> Any:
    """Return a view with one more axis."""
    return np.expand_dims(x, axis)


def flip(x: Any, /, *, axis: Any = None) -> Any:
    """Return the elements in reverse order along axes."""
    return np.flip(x, axis)


def moveaxis(x: Any, source: Any, destination: Any, /) -> Any:
    """Return a view with axes at other places."""
    return np.moveaxis(x, source, destination)


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Any:
    """Return a view with the axes in another order."""
    return np.transpose(x, axes)


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Return each element some times."""
    return np.repeat(x, repeats, axis)


def reshape(x: Any, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Any:
    """Return the elements in another shape."""
    return np.reshape(x, shape, copy=copy)


def roll(x: Any, /, shift: Any, *, axis: Any = None) -> Any:
    """Return the elements moved along axes; those that leave at one end come in at the other."""
    return np.roll(x, shift, axis)


def squeeze(x: Any, /, axis: Any) -> Any:
    """Return a view without some axes, which have the length 1."""
    return np.squeeze(x, axis)


def stack(arrays: Any, /, *, axis: int = 0) -> Any:
    """Return arrays of one shape along a new axis."""
    return np.stack(arrays, axis)


def tile(x: Any, repetitions: tuple[int, ...], /) -> Any:
    """Return the array some times side by side."""
    return np.tile(x, repetitions)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """Return the parts along an axis."""
    return tuple(np.unstack(x, axis=axis))


# ------------------------------------------------------------------- indexing and searching


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """Return the elements at some places along an axis."""
    return np.take(x, indices, axis)


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """Return the elements at the places that indices of the same number of axes name."""
    return np.take_along_axis(x, indices, axis)


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the greatest elements are."""
    return np.argmax(x, axis, keepdims=keepdims)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the least elements are."""
    return np.argmin(x, axis, keepdims=keepdims)


def count_nonzero(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Return how many elements are not 0."""
    return np.asarray(np.count_nonzero(x, axis, keepdims=keepdims))


def nonzero(x: Any, /) -> tuple[Any, ...]:
    """Return where elements are not 0: an array of indices for each axis."""
    if not x.ndim:
        raise ValueError("nonzero: the array must have at least one axis; reshape it to (1,)")
    return tuple(np.nonzero(x))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Return where elements of ``x2`` belong among those of ``x1``, which are sorted."""
    return np.searchsorted(x1, x2, side, sorter)


def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """Return elements of ``x1`` where the condition is true, and of ``x2`` elsewhere."""
    return np.where(condition, x1, x2)


# ------------------------------------------------------------------- sorting and sets


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Return the places of the elements in their order; equal ones stay in theirs."""
    if not descending:
        return np.argsort(x, axis, stable=True)
    # sorted from the other end: so equal elements keep their order
    found = np.flip(np.argsort(np.flip(x, axis), axis, stable=True), axis)
    return x.shape[axis] - 1 - found if x.ndim else found


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Return the elements in their order."""
    found = np.sort(x, axis, stable=True)
    return np.flip(found, axis) if descending else found


def unique_all(x: Any, /) -> Any:
    """Return the different elements, where each is first, which each one is, and their counts."""
    return np.unique_all(x)


def unique_counts(x: Any, /) -> Any:
    """Return the different elements, and how often each occurs."""
    return np.unique_counts(x)


def unique_inverse(x: Any, /) -> Any:
    """Return the different elements, and which of them each element is."""
    return np.unique_inverse(x)


def unique_values(x: Any, /) -> Any:
    """Return the different elements."""
    return np.unique_values(x)

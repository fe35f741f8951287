"""Arrays with a border: of values, or of their own elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpugrad.graph import TensorBase
from gpugrad.numpy.arrays import function
from gpugrad.numpy.operands import array_of, cast, door, on_host, plain, sent
from gpugrad.numpy.shapes import broadcast_to, concatenate
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.ops import shape as shapes

_MODES = {"symmetric", "reflect", "wrap", "edge", "empty"}


@door
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """Return a copy with a border: of values, or of elements of the array.

    Raises:
        TypeError: A function for ``mode`` writes into arrays that have no history.
    """
    array = array_of(array)
    ndim = array.ndim
    if isinstance(pad_width, dict):
        by = {normal_axes(k, ndim)[0]: w for k, w in pad_width.items()}
        pad_width = [
            by[k] if isinstance(by.get(k), tuple) else (by.get(k, 0),) * 2 for k in range(ndim)
        ]  # fmt: skip
    widths = np.broadcast_to(np.asarray(on_host(pad_width), int), (ndim, 2)).tolist()
    if callable(mode):
        raise TypeError("pad: mode as a function is not supported; it would lose the history")
    if mode in _MODES:
        odd = kwargs.pop("reflect_type", "even") == "odd"
        numbers = np.arange(array.size).reshape(array.shape)
        places = np.pad(numbers, widths, mode, **kwargs)
        if mode == "empty":
            return pad(array, widths)
        flat = shapes.reshape(plain(array), (-1,))
        found = op("index_select")(flat, 0, sent(places.reshape(-1), array.device))
        found = shapes.reshape(found, places.shape)
        return _odd(array, widths, mode) if odd else found
    if mode not in ("constant", "linear_ramp", "maximum", "mean", "median", "minimum"):
        raise ValueError(f"mode '{mode}' is not supported")
    for k in range(ndim):
        array = _padded_along(array, k, widths[k], mode, kwargs, ndim)
    return array


def _padded_along(
    array: Any, k: int, widths: Any, mode: str, options: dict[str, Any], ndim: int
) -> Any:
    parts = [array]
    for side, width in enumerate(widths):
        shape = (*array.shape[:k], width, *array.shape[k + 1 :])
        if mode == "constant" or mode == "linear_ramp":
            name = "constant_values" if mode == "constant" else "end_values"
            given = options.get(name, 0)
            if isinstance(given, TensorBase) and given._array.ndim == 0:
                end = given
            else:
                pairs = np.broadcast_to(np.asarray(on_host(given)), (ndim, 2))
                end = sent(pairs[k, side], array.device)
            end = cast(plain(end, array.device), array.dtype)
            if mode == "constant" or not width:
                border = broadcast_to(end, shape)
            else:
                edge = _slab(array, k, side, 1)
                steps = np.arange(width, dtype=float)[:: 1 if side == 0 else -1] / width
                steps = steps.reshape((-1,) + (1,) * (ndim - k - 1))
                weight = array_of(sent(steps, array.device))
                border = array_of(end) * (1 - weight) + edge * weight
                border = border.astype(array.dtype)
        else:
            length = options.get("stat_length")
            if length is not None:
                length = np.broadcast_to(np.asarray(on_host(length)), (ndim, 2))[k, side]
            inner = array if length is None else _slab(array, k, side, int(length))
            stat = {"maximum": "max", "minimum": "min"}.get(mode, mode)
            value = function(stat)(inner, axis=k, keepdims=True)
            if array.dtype.kind in "iu":
                value = function("rint")(value)
            border = broadcast_to(value.astype(array.dtype), shape)
        parts = [border, *parts] if side == 0 else [*parts, border]
    return array_of(concatenate(parts, k))


def _slab(array: Any, k: int, side: int, length: int) -> Any:
    n = array.shape[k]
    places = slice(0, length) if side == 0 else slice(max(n - length, 0), n)
    return array[(slice(None),) * k + (places,)]


def _odd(array: Any, widths: Any, mode: str) -> Any:
    """Return an array that is continued by what is opposite to it, turned about its ends."""
    for k, (before, behind) in enumerate(widths):
        width = [[0, 0]] * array.ndim
        while before or behind:
            n = array.shape[k]
            most = n - 1 if mode == "reflect" else n
            step = [min(before, most), min(behind, most)]
            even = array_of(pad(array, [*width[:k], step, *width[k + 1 :]], mode))
            first, last = _slab(array, k, 0, 1), _slab(array, k, 1, 1)
            head, tail = _slab(even, k, 0, step[0]), _slab(even, k, 1, step[1])
            parts = [2 * first - head, array, 2 * last - tail if step[1] else tail]
            array = array_of(concatenate(parts, k))
            before, behind = before - step[0], behind - step[1]
    return array

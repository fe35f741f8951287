"""Samples of means over windows and parts of dimensions, and of norms over windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from samples.draw import ANY, POSITIVE
from samples.family import NOT, case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def windows(
    x: Any, ndim: int, function: Callable[[Any, float], Any], kernel: Any, stride: Any = None,
    padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False, padded: bool = True,
) -> Any:  # fmt: skip
    """Return what a function gives of each window, and of how many elements that counts."""
    kernel, padding, dilation = (
        (n,) * ndim if isinstance(n, int) else n for n in (kernel, padding, dilation)
    )
    stride = kernel if stride is None else (stride,) * ndim if isinstance(stride, int) else stride
    sizes = x.shape[-ndim:]
    counts, results = [], {}
    for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True):
        span = (n + 2 * p - d * (k - 1) - 1) / s
        count = (math.ceil(span) if ceil_mode else math.floor(span)) + 1
        counts.append(count - (ceil_mode and (count - 1) * s >= n + p))
    for place in np.ndindex(*counts):
        index, number = [], 1
        for i, n, k, s, p, d in zip(place, sizes, kernel, stride, padding, dilation, strict=True):
            first = i * s - p
            inside = [j for j in range(first, first + k * d, d) if 0 <= j < n]
            number *= min(first + k, n + p) - first if padded else len(inside)
            index.append(inside)
        results[place] = function(x[(..., *np.ix_(*index))], number)
    first = next(iter(results.values()))
    out = np.empty((*first.shape, *counts), first.dtype)
    for place, value in results.items():
        out[(..., *place)] = value
    return out


def parts(x: Any, sizes: Any, function: Callable[[Any], Any]) -> Any:
    """Return what a function gives of each of the parts into which dimensions are divided."""
    ndim = len(sizes)
    out = np.empty((*x.shape[:-ndim], *sizes))
    for place in np.ndindex(*sizes):
        index = [slice(i * n // m, -(-(i + 1) * n // m))
                 for i, n, m in zip(place, x.shape[-ndim:], sizes, strict=True)]  # fmt: skip
        out[(..., *place)] = function(x[(..., *index)])
    return out


def _mean(x: Any, ndim: int, *args: Any, **options: Any) -> Any:
    axes = tuple(range(-ndim, 0))
    divisor = options.pop("divisor_override", None)
    options["padded"] = options.pop("count_include_pad", True)
    return windows(x, ndim, lambda w, n: w.sum(axes) / (divisor or n), *args, **options)


def _named(lib: Any, name: str) -> Any:
    for part in name.split("."):
        lib = getattr(lib, part)
    return lib


def _windowed(ndim: int) -> dict[str, list[Sample]]:
    name = "avg_pool1d" if ndim == 1 else f"nn.functional.avg_pool{ndim}d"
    x = ANY((2, 1, *(5, 4, 3)[:ndim]), 0)

    def one(label: str, *args: Any, x: Any = x, layout: str = "plain", **options: Any) -> Sample:
        return case(label, lambda lib, x: _named(lib, name)(x, *args, **options), x, layout=layout,
                    reference=lambda x: _mean(x, ndim, *args, **options))  # fmt: skip

    found = [one("plain", 2), one("overlapping", 3, 1, 1, ceil_mode=True)]
    if ndim == 2:
        found += [
            one("all", (3, 2), (2, 1), (1, 0), ceil_mode=True, count_include_pad=False),
            one("divisor", 3, 2, 1, divisor_override=3),
            one("an example", 2, x=ANY((2, 5, 4), 0)),
            one("transposed", 2, layout="transposed"),
            case("integers", lambda lib, x: lib.nn.functional.avg_pool2d(x, 2, 1, 1),
                 np.arange(-8, 8).reshape(1, 4, 4),
                 reference=lambda x: np.trunc(_mean(x, 2, 2, 1, 1)).astype(int), **NOT),
        ]  # fmt: skip
    return {name: found}


def _adaptive(ndim: int) -> dict[str, list[Sample]]:
    name = "adaptive_avg_pool1d" if ndim == 1 else f"nn.functional.adaptive_avg_pool{ndim}d"
    x, sizes, axes = ANY((2, 1, *(5, 4, 3)[:ndim]), 0), (3, 2, 4)[:ndim], tuple(range(-ndim, 0))
    return {name: [
        case("plain", lambda lib, x: _named(lib, name)(x, sizes), x,
             reference=lambda x: parts(x, sizes, lambda w: w.mean(axes))),
    ]}  # fmt: skip


def _norms(ndim: int) -> dict[str, list[Sample]]:
    name, axes = f"nn.functional.lp_pool{ndim}d", tuple(range(-ndim, 0))
    x = POSITIVE((2, 1, *(5, 4, 3)[:ndim]), 0)

    def norm(x: Any, p: float, *args: Any) -> Any:
        return windows(x, ndim, lambda w, n: (w**p).sum(axes) ** (1 / p), *args)

    return {name: [
        case("plain", lambda lib, x: _named(lib, name)(x, 2, 2), x,
             reference=lambda x: norm(x, 2, 2)),
        case("overlapping", lambda lib, x: _named(lib, name)(x, 3.0, 2, 1), x,
             reference=lambda x: norm(x, 3, 2, 1)),
        case("largest", lambda lib, x: _named(lib, name)(x, math.inf, 2), x,
             reference=lambda x: windows(x, ndim, lambda w, n: w.max(axes), 2)),
    ]}  # fmt: skip


SAMPLES: dict[str, list[Sample]] = {}
for _ndim in (1, 2, 3):
    SAMPLES |= _windowed(_ndim) | _adaptive(_ndim) | _norms(_ndim)

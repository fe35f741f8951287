"""Samples of resizing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import case
from samples.nn.average import parts
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _cubic(d: float, a: float) -> float:
    d = abs(d)
    if d < 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0


def _weights(
    mode: str, n: int, m: int, corners: bool, factor: float | None, smooth: bool
) -> np.ndarray[Any, Any]:
    """Return a matrix: the weight of each element in each result along a dimension."""
    found = np.zeros((m, n))
    step = ((n - 1) / (m - 1) if m > 1 else 0.0) if corners else 1 / factor if factor else n / m
    for i in range(m):
        if mode == "nearest":
            found[i, min(math.floor(i * step), n - 1)] = 1
        elif mode == "nearest-exact":
            found[i, min(math.floor((i + 0.5) * step), n - 1)] = 1
        elif smooth:
            wide, center = max(step, 1), (i + 0.5) * step
            reach = wide * {"bilinear": 1, "bicubic": 2, "lanczos": 3}[mode]
            for j in range(max(int(center - reach + 0.5), 0), min(int(center + reach + 0.5), n)):
                d = (j + 0.5 - center) / wide
                found[i, j] = {
                    "bilinear": max(1 - abs(d), 0), "bicubic": _cubic(d, -0.5),
                    "lanczos": np.sinc(d) * np.sinc(d / 3) if abs(d) < 3 else 0,
                }[mode]  # fmt: skip
            found[i] /= found[i].sum()
        else:
            place = i * step if corners else (i + 0.5) * step - 0.5
            if mode == "bicubic":
                for j in range(math.floor(place) - 1, math.floor(place) + 3):
                    found[i, min(max(j, 0), n - 1)] += _cubic(place - j, -0.75)
            else:
                place = max(place, 0)
                first = min(math.floor(place), n - 1)
                found[i, first] += 1 - (place - first)
                found[i, min(first + 1, n - 1)] += place - first
    return found


def _resized(
    x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: Any = None, recompute_scale_factor: Any = None, antialias: bool = False,
) -> Any:  # fmt: skip
    shape = x.shape[2:]
    factors: list[Any] = [None] * len(shape)
    if size is None:
        factors = [scale_factor] * len(shape) if isinstance(scale_factor, float) else scale_factor
        size = [math.floor(n * f) for n, f in zip(shape, factors, strict=True)]
        if recompute_scale_factor:
            factors = [None] * len(shape)
    sizes = [size] * len(shape) if isinstance(size, int) else size
    if mode == "area":
        return parts(x, sizes, lambda w: w.mean(tuple(range(-len(shape), 0))))
    for k, (n, m, f) in enumerate(zip(shape, sizes, factors, strict=True)):
        matrix = _weights(mode, n, m, bool(align_corners), f, antialias)
        x = np.moveaxis(np.tensordot(x, matrix, (k + 2, 1)), -1, k + 2)
    return x


def _one(x: Any, size: Any = None, layout: str = "plain", **options: Any) -> Sample:
    label = ", ".join([str(size), *(f"{k}={v}" for k, v in options.items()), layout])
    return case(label, lambda lib, x: lib.nn.functional.interpolate(x, size, **options), x,
                reference=lambda x: _resized(x, size, **options), layout=layout)  # fmt: skip


X, LINE, CUBE = ANY((1, 2, 5, 3), 0), ANY((2, 1, 5), 1), ANY((1, 1, 3, 2, 4), 2)

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.interpolate": [
        _one(X, 4),
        _one(X, (3, 7), mode="nearest-exact"),
        _one(X, scale_factor=1.7),
        _one(X, (7, 2), mode="bilinear"),
        _one(X, (7, 2), mode="bilinear", align_corners=True),
        _one(X, scale_factor=(0.7, 1.5), mode="bilinear"),
        _one(X, scale_factor=(0.7, 1.5), mode="bilinear", recompute_scale_factor=True),
        _one(X, (3, 2), mode="bilinear", antialias=True),
        _one(X, (4, 6), mode="bicubic"),
        _one(X, (4, 6), mode="bicubic", align_corners=True),
        _one(X, (2, 4), mode="bicubic", antialias=True),
        _one(X, (2, 4), mode="lanczos", antialias=True),
        _one(X, (2, 4), mode="area"),
        _one(LINE, 3, mode="linear"),
        _one(LINE, 8, mode="nearest"),
        _one(CUBE, (2, 3, 5), mode="trilinear"),
        _one(X, (7, 2), mode="bilinear", layout="transposed"),
    ],
    "nn.functional.upsample": [
        case("plain", lambda lib, x: _quietly(lib, "upsample", x, 4), LINE,
             reference=lambda x: _resized(x, 4)),
    ],
    "nn.functional.upsample_nearest": [
        case("plain", lambda lib, x: _quietly(lib, "upsample_nearest", x, 4), X,
             reference=lambda x: _resized(x, 4)),
    ],
    "nn.functional.upsample_bilinear": [
        case("plain", lambda lib, x: _quietly(lib, "upsample_bilinear", x, 4), X,
             reference=lambda x: _resized(x, 4, mode="bilinear", align_corners=True)),
    ],
}  # fmt: skip


def _quietly(lib: Any, name: str, *args: Any) -> Any:
    """Call a function that warns of its age."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(lib.nn.functional, name)(*args)

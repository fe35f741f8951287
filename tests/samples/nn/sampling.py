"""Samples of images at the places of a grid, and of the places that affine maps give."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from samples.draw import ANY
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _mirrored(p: float, n: int, corners: bool) -> float:
    low, high = (0.0, n - 1.0) if corners else (-0.5, n - 0.5)
    while not low <= p <= high:
        p = 2 * low - p if p < low else 2 * high - p
    return p


def _kept(p: float, n: int, padding: str, corners: bool) -> float:
    if padding == "reflection":
        p = _mirrored(p, n, corners)
    return p if padding == "zeros" else min(max(p, 0.0), n - 1.0)


def _cubic(d: float) -> float:
    d, a = abs(d), -0.75
    if d < 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0


def _sampled(x: Any, grid: Any, mode: str, padding: str, corners: bool) -> Any:
    """Return an image at the places of a grid, one result after the other."""
    sizes = x.shape[2:]
    out = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for place in np.ndindex(*grid.shape[:-1]):
        named = [g * (n - 1) / 2 + (n - 1) / 2 if corners else ((g + 1) * n - 1) / 2
                 for g, n in zip(grid[place][::-1], sizes, strict=True)]  # fmt: skip
        if mode != "bicubic":
            named = [_kept(p, n, padding, corners) for p, n in zip(named, sizes, strict=True)]
        around = {"nearest": (0,), "bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}[mode]
        for steps in itertools.product(around, repeat=len(sizes)):
            weight, index = 1.0, []
            for p, k, n in zip(named, steps, sizes, strict=True):
                here = float(np.round(p)) if mode == "nearest" else math.floor(p) + k
                if mode == "bilinear":
                    weight *= 1 - abs(p - here)
                if mode == "bicubic":
                    weight *= _cubic(p - here)
                    here = _kept(here, n, padding, corners)
                index.append(int(np.round(here)))
            if all(0 <= i < n for i, n in zip(index, sizes, strict=True)):
                out[(place[0], slice(None), *place[1:])] += weight * x[(place[0], slice(None),
                                                                        *index)]  # fmt: skip
    return out


X, GRID = ANY((2, 2, 4, 3), 0), ANY((2, 2, 3, 2), 1) * 0.7
CUBE, PLACES = ANY((1, 2, 3, 2, 4), 2), ANY((1, 2, 1, 2, 3), 3) * 0.6
_MODES = ("bilinear", "nearest", "bicubic")


def _one(x: Any, grid: Any, mode: str, padding: str, corners: bool, **options: Any) -> Sample:
    return case(f"{x.ndim - 2}d {mode}, {padding}{', corners' * corners}",
                lambda lib, x, g: lib.nn.functional.grid_sample(x, g, mode, padding, corners), x,
                grid, reference=lambda x, g: _sampled(x, g, mode, padding, corners),
                **options)  # fmt: skip


def _numbered(name: str, x: Any, grid: Any) -> list[Sample]:
    return [case("plain", lambda lib, x, g: getattr(lib, name)(x, g, 0, 1, False), x, grid,
                 reference=lambda x, g: _sampled(x, g, "bilinear", "border", False),
                 half=False)]  # fmt: skip


def _grid(theta: Any, size: Any, corners: bool) -> Any:
    spatial = size[2:]
    lines = [(np.linspace(-1, 1, n) if n > 1 else np.zeros(n)) * (1 if corners else (n - 1) / n)
             for n in spatial]  # fmt: skip
    axes = np.meshgrid(*lines, indexing="ij")
    base = np.stack([*axes[::-1], np.ones(spatial)], -1)
    return np.einsum("...j,nij->n...i", base, theta)


SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.grid_sample": [
        # a half is too coarse a place
        *(_one(X, GRID, mode, padding, corners, half=False)
          for mode in _MODES for padding, corners in (("zeros", False), ("border", True),
                                                      ("reflection", False))),
        _one(X, GRID, "bilinear", "reflection", True, half=False),
        _one(CUBE, PLACES, "bilinear", "zeros", True, half=False),
        _one(CUBE, PLACES, "nearest", "border", False, half=False),
    ],
    "grid_sampler": _numbered("grid_sampler", X, GRID),
    # places are rounded to halves as in PyTorch
    "nn.functional.affine_grid": [
        case("planes", lambda lib, t: lib.nn.functional.affine_grid(t, (2, 1, 3, 4), False),
             ANY((2, 2, 3), 0), reference=lambda t: _grid(t, (2, 1, 3, 4), False),
             half=False),
        case("spaces", lambda lib, t: lib.nn.functional.affine_grid(t, (1, 1, 2, 3, 4), True),
             ANY((1, 3, 4), 0), reference=lambda t: _grid(t, (1, 1, 2, 3, 4), True),
             half=False),
    ],
    "affine_grid_generator": [
        case("plain", lambda lib, t: lib.affine_grid_generator(t, (2, 1, 3, 1), False),
             ANY((2, 2, 3), 0), reference=lambda t: _grid(t, (2, 1, 3, 1), False),
             half=False),
    ],
}  # fmt: skip

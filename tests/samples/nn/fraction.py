"""Samples of maxima over windows that are drawn, by given numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import distinct, uniform
from samples.family import case
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _starts(sample: float, n: int, length: int, count: int) -> list[int]:
    step = (n - length) / (count - 1)
    found = [int((i + sample) * step) - int(sample * step) for i in range(count - 1)]
    return [*found, n - length]


def _pooled(x: Any, numbers: Any, length: int, count: int) -> Any:
    ndim = numbers.shape[-1]
    out = np.empty((*x.shape[:2], *(count,) * ndim))
    for row in np.ndindex(*x.shape[:2]):
        given = numbers[row][::-1] if ndim == 2 else numbers[row]
        starts = [_starts(u, n, length, count) for u, n in zip(given, x.shape[2:], strict=True)]
        for place in np.ndindex(*out.shape[2:]):
            window = tuple(slice(s[p], s[p] + length) for s, p in zip(starts, place, strict=True))
            out[(*row, *place)] = x[(*row, *window)].max()
    return out


def _tables(ndim: int) -> dict[str, list[Sample]]:
    x = distinct((2, 1, *(6, 5, 5)[:ndim]))
    numbers = uniform(0.1, 0.9)((2, 1, ndim), 1)
    name = f"fractional_max_pool{ndim}d"

    def call(lib: Any, x: Any, u: Any) -> Any:
        return getattr(lib.nn.functional, name)(x, 2, 3, _random_samples=u.detach())

    def pair(lib: Any, x: Any, u: Any) -> Any:
        found = getattr(lib.nn.functional, f"{name}_with_indices")
        return found(x, 2, 3, _random_samples=u.detach())[0]

    def expected(x: Any, u: Any) -> Any:
        return _pooled(x, u, 2, 3)

    options: dict[str, Any] = {"reference": expected, "half": False}
    return {
        f"nn.functional.{name}": [case("plain", call, x, numbers, **options)],
        f"nn.functional.{name}_with_indices": [case("plain", pair, x, numbers, **options)],
    }


SAMPLES: dict[str, list[Sample]] = _tables(2) | _tables(3)

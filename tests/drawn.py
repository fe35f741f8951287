"""The same random numbers for both libraries, so that what is made of them can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import functions


def give_numbers(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a library's tensors be filled with the same numbers at each call of this function."""
    drawn = np.random.default_rng(0)

    def uniform_(tensor: Any, low: float = 0.0, high: float = 1.0, **_: Any) -> Any:
        u = drawn.uniform(size=tuple(tensor.shape))
        return tensor.copy_(library.tensor(low + (high - low) * u))

    def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, **_: Any) -> Any:
        n = drawn.standard_normal(tuple(tensor.shape))
        return tensor.copy_(library.tensor(mean + std * n))

    def rand_like(tensor: Any) -> Any:
        return library.tensor(drawn.uniform(size=tuple(tensor.shape)))

    def randn(*shape: Any, dtype: Any = None, device: Any = None) -> Any:
        sizes = shape[0] if isinstance(shape[0], tuple) else shape
        return library.tensor(drawn.standard_normal(sizes), dtype=dtype)

    monkeypatch.setattr(library.Tensor, "uniform_", uniform_)
    monkeypatch.setattr(library.Tensor, "normal_", normal_)
    where = functions if library is gpugrad else library
    monkeypatch.setattr(where, "randperm", lambda n: library.tensor(drawn.permutation(n)))
    monkeypatch.setattr(where, "rand_like", rand_like)
    monkeypatch.setattr(where, "randn", randn)

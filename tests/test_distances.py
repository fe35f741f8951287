"""Distances of rows, computed by products of matrices: where these would lose digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.backend import distances

t: Any = gpugrad  # as users see it who do not check types


def _clusters(dtype: Any) -> Any:
    """Return rows of which some are far from 0 and close to each other, and two are equal."""
    random = np.random.default_rng(0)
    rows = random.standard_normal((30, 20)) + 100
    rows[10:20] += 50
    rows[20:] = rows[:10] + random.standard_normal((10, 20)) * 1e-4
    rows = rows.astype(dtype)
    rows[29] = rows[9]
    return rows


def _differences(rows: Any, weights: Any) -> tuple[Any, Any]:
    """Return the distances of pairs and the gradient of their weighted sum, in extended range."""
    wide = rows.astype(np.longdouble)
    i, j = np.triu_indices(len(rows), 1)
    difference = wide[i] - wide[j]
    size = np.sqrt((difference**2).sum(-1))
    slope = weights[:, None] * difference / np.where(size == 0, 1, size)[:, None]
    grad = np.zeros_like(wide)
    np.add.at(grad, i, slope)
    np.subtract.at(grad, j, slope)
    return size, grad


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("block", [distances._BLOCK, 64])
def test_distances_and_gradients_of_close_rows_keep_their_digits(
    dtype: str, block: int, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr(distances, "_BLOCK", block)
    rows = _clusters(dtype)
    weights = np.random.default_rng(1).uniform(0.5, 1, 30 * 29 // 2)
    size, grad = _differences(rows, weights)
    x = t.tensor(rows, requires_grad=True, device=device)
    found = t.pdist(x)
    (found * t.tensor(weights.astype(dtype), device=device)).sum().backward()
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found.detach().cpu().numpy(), size, rtol=8 * eps)
    np.testing.assert_allclose(x.grad.cpu().numpy(), grad, atol=300 * eps)  # of 29 terms up to 1


def test_distances_of_rows_that_are_not_finite() -> None:
    rows = np.ones((4, 3), np.float32)
    rows[1, 0], rows[2, 0], rows[3, 0] = math.inf, math.inf, math.nan
    found = t.pdist(t.tensor(rows))
    inf, nan = math.inf, math.nan
    np.testing.assert_array_equal(found.numpy(), np.array([inf, inf, nan, nan, nan, nan]))

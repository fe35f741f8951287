"""Softmax on CUDA: how many kernels, and rows of all lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.testing import assert_agree, count_kernels, devices_agree

t: Any = gpugrad


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_takes_one_kernel_and_so_does_its_gradient(name: str) -> None:
    x = t.ones((30, 40), device="cuda", requires_grad=True)
    with count_kernels() as launched:
        y = getattr(t, name)(x, 1)
    assert launched.total == 1
    g = t.ones_like(y)
    with count_kernels() as launched:
        t.autograd.grad(y, x, g)
    assert launched.total == 1


@pytest.mark.cuda
@pytest.mark.parametrize("shape", [(1,), (3, 1), (2, 1030), (300, 5), (4, 33, 7), (1100, 2)])
def test_rows_of_all_lengths(shape: Any) -> None:
    x = np.random.default_rng(0).uniform(-3, 3, shape)
    for axis in range(len(shape)):
        for function in t.softmax, t.log_softmax:
            devices_agree(lambda x, f=function, axis=axis: f(x, axis), x)


def test_halves_are_computed_in_single_precision_and_may_become_others() -> None:
    x = t.tensor(np.linspace(-3, 3, 5000).astype(np.float16))
    wide = t.softmax(x.double(), 0)
    assert_agree(t.softmax(x, 0), wide.half())
    assert_agree(t.softmax(x, 0, dtype=t.float64), wide)
    assert_agree(t.softmax(x, 0, dtype=t.float32), wide.float())

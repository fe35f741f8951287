"""Products on the CPU: of long and short axes, with zeros, and where parts leave the range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.backend import products
from gpugrad.testing import assert_agree

# divided once, twice and not at all, with and without a rest; of few rows and of many
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((100_003,), (0,)), ((70, 300), (1,)), ((300, 70), (0,)), ((2000, 10), (1,)),
    ((7, 53, 37), (1,)), ((7, 53, 37), (0, 2)), ((3, 1001), (0, 1)), ((4, 3000, 3), (1,)),
    ((33, 1), (0,)), ((5, 1), (1,)), ((0, 3), (1,)), ((100, 40, 2), (1, 2)),
    ((400, 100), (1,)), ((300, 131), (1,)), ((20000, 2), (1,)), ((3, 13, 900), (1,)),
]  # fmt: skip


def expected(array: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """Return the product, and at each element that of the others, one number after the other."""
    order = [k for k in range(array.ndim) if k not in axes] + list(axes)
    shape = [array.shape[k] for k in order]
    count = math.prod(array.shape[k] for k in axes)
    rows = array.transpose(order).reshape(-1, count).astype(np.result_type(array, np.float64))
    ones = np.ones((len(rows), 1), rows.dtype)
    left = np.multiply.accumulate(np.hstack([ones, rows[:, :-1]]), axis=1)
    right = np.multiply.accumulate(np.hstack([ones, rows[:, :0:-1]]), axis=1)[:, ::-1]
    others = (left * right if count else rows).reshape(shape).transpose(np.argsort(order))
    return rows.prod(1), others


@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.float32])
@pytest.mark.parametrize("zeros", [0, 1, 2])
@pytest.mark.parametrize(("shape", "axes"), SHAPES, ids=str)
def test_products_and_those_of_others(shape: Any, axes: Any, zeros: int, dtype: Any) -> None:
    random = np.random.default_rng(zeros)
    array = np.exp2(random.uniform(-1, 1, shape) / max(1, math.prod(shape)) ** 0.5).astype(dtype)
    array *= random.choice([-1, 1], shape)
    flat = array.reshape(-1)
    flat[random.integers(0, flat.size, zeros) if flat.size else []] = 0
    total, others = expected(array, axes)
    rtol = 2e-3 if dtype == np.float32 else 1e-10

    found = products.product(array, axes, array.dtype)
    assert_agree(found.reshape(-1), total.astype(dtype), rtol, 0)
    result = products.others(array, axes)

    assert result is not None
    assert_agree(result, others.astype(dtype), rtol, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_of_short_rows_and_columns_of_which_parts_are_out_of_range(dtype: Any) -> None:
    random = np.random.default_rng(0)
    far = np.finfo(dtype).maxexp - 2
    for length in (3, 101, 300):
        exponents = random.integers(-far, far, (33000 // length + 1, length // 2))
        values = random.uniform(1, 1.5, (len(exponents), length))
        values[:, : length // 2] *= np.exp2(exponents.astype(np.longdouble))
        values[:, length // 2 : length // 2 * 2] *= np.exp2(-exponents.astype(np.longdouble))
        values[::7, 1], values[::11, 0], values[::13, 2] = 0, np.inf, np.nan
        array = values.astype(dtype)
        with np.errstate(all="ignore"):
            mantissas, whole = np.frexp(array)
            expected = np.ldexp(
                np.multiply.reduce(mantissas.astype(np.longdouble), axis=1), whole.sum(1)
            ).astype(dtype)

        rows = products.product(array, (1,), array.dtype)
        columns = products.product(np.ascontiguousarray(array.T), (0,), array.dtype)

        rtol = 1e-12 if dtype == np.float64 else 1e-6
        assert_agree(rows.reshape(-1), expected, rtol, 0)
        assert_agree(columns.reshape(-1), expected, rtol, 0)


ONES = [1.0] * 5000


@pytest.mark.parametrize("values", [
    [1e30, 1e-30] * 3000, [1e-30, 1e30] * 3000, [2.0] * 200 + [0.5] * 3000,
    [1e30] * 2 + [0.0] * 5000, [1e30, 0, 1e30, *ONES], [math.inf, *ONES], [math.inf, 0, *ONES],
    [math.nan, *ONES], [1e-30, 1e-30, *ONES], [1e-40, *ONES], [-0.0, *ONES],
    [1e20, 0, 1e20, 1e20], [1e-25, 1e-25, 1e25, 1e25],
], ids=lambda v: str(v[:3]))  # fmt: skip
def test_products_of_which_parts_are_out_of_range(values: list[float]) -> None:
    x, y = (gpugrad.tensor(values, requires_grad=True) for _ in range(2))
    wide = np.array(values, np.float32).astype(np.longdouble)

    total = x.prod()
    total.backward()

    y.prod().backward(create_graph=True)
    assert x.grad is not None
    assert y.grad is not None
    with np.errstate(all="ignore"):
        product = np.multiply.reduce(wide)
        small = (wide == 0) | (np.abs(wide) < np.finfo(np.float32).tiny) | ~np.isfinite(wide)
        if small.any():  # what is differentiated further decides
            assert_agree(x.grad, y.grad.detach(), rtol=1e-4)
        else:
            assert_agree(x.grad, (product / wide).astype(np.float32), rtol=1e-4)
        if len(values) > products.LARGE:  # NumPy's way is that of few numbers
            assert_agree(total.detach(), product.astype(np.float32), rtol=1e-4)

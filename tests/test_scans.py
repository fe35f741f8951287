"""Scans along long axes, on both devices, and at the ends of the range of a type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import backend
from gpugrad.backend import reductions, scans
from gpugrad.testing import assert_agree, check_gradient, count_kernels, devices_agree

t: Any = gpugrad


def numbers(*shape: int) -> Any:
    return np.random.default_rng(shape).uniform(-1, 1, shape)


SHAPES = [((9000,), 0), ((3, 5000), 1), ((5000, 3), 0), ((2, 300, 40), 1), ((700, 21), 1)]


@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex128", "int64"])
def test_long_scans_are_numpys(shape: Any, axis: int, dtype: str) -> None:
    x = (numbers(*shape) * (9 if dtype == "int64" else 0.01)).astype(dtype)
    near_one = (1 + x).astype(dtype)
    wide = np.result_type(dtype, np.float64) if x.dtype.kind in "fc" else None
    for reverse in False, True:
        turned, close = (np.flip(a, axis) if reverse else a for a in (x, near_one))
        total = np.add.accumulate(turned, axis, wide)
        product = np.multiply.accumulate(close, axis, wide)
        total, product = (np.flip(a, axis) if reverse else a for a in (total, product))
        assert_agree(scans.scan("sum", [x], axis, reverse), total.astype(dtype))
        assert_agree(scans.scan("prod", [near_one], axis, reverse), product.astype(dtype))
    if x.dtype.kind != "c":
        for greatest, ufunc in (True, np.maximum), (False, np.minimum):
            values, places = scans.extreme(x, axis, greatest)
            assert_agree(values, ufunc.accumulate(x, axis))
            assert_agree(np.take_along_axis(x, places, axis), values)


@pytest.mark.cuda
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_long_scans_are_the_same_on_cuda(shape: Any, axis: int) -> None:
    x = numbers(*shape)
    for function in t.cumsum, t.logcumsumexp, t.cummax, t.cummin:
        devices_agree(lambda x, function=function: function(x, axis), x)
    devices_agree(lambda x: t.cumprod(x, axis), 1 + 0.01 * x)


@pytest.mark.cuda
def test_a_scan_takes_one_kernel_and_three_where_rows_are_divided() -> None:
    for shape, kernels in ((40,), 1), ((30, 40), 1), ((6000,), 3):
        x = t.ones(shape, device="cuda")
        for function in t.cumsum, t.cumprod, t.logcumsumexp, t.cummax:
            with count_kernels() as launched:
                function(x, 0)
            assert launched.total == kernels


def test_products_of_parts_may_leave_the_range_of_the_type() -> None:
    x = np.ones(6000)
    x[:16] = 1e150
    x[1::2][:8] = 1e-150  # whose products are in range, but those of parts that begin elsewhere
    x[100:104] = 1e-160
    x[104:106] = 1e160
    found = t.cumprod(t.tensor(x), 0)
    assert_agree(found, np.multiply.accumulate(x))
    x[3000], x[5000] = 0, math.nan
    assert_agree(t.cumprod(t.tensor(x), 0), np.multiply.accumulate(x))
    x = np.full(6000, 1e308)
    x[1::2] *= -1
    assert_agree(t.cumsum(t.tensor(x), 0), np.add.accumulate(x))


def test_roundings_of_long_sums_and_products_do_not_add_up() -> None:
    x = np.float32(numbers(100_000) * 0.01)
    wide = np.float64(x)
    assert_agree(t.cumsum(t.tensor(x), 0).double(), np.cumsum(wide), 1e-6, 1e-6)
    assert_agree(t.cumprod(t.tensor(1 + x), 0).double(), np.cumprod(np.float64(1 + x)), 1e-6, 0)


@pytest.mark.parametrize("zeros", [0, 1, 3])
def test_the_gradient_of_a_long_product_is_right_with_zeros(zeros: int) -> None:
    x = 1 + 0.3 * numbers(150)
    x[40 : 40 + 20 * zeros : 20] = 0
    leaf = t.tensor(x, requires_grad=True)
    (grad,) = t.autograd.grad(t.cumprod(leaf, 0).sum(), leaf)
    before = np.concatenate([[1], np.cumprod(x)[:-1]])
    expected = [
        before[k] * np.sum(np.cumprod(np.concatenate([[1], x[k + 1 :]]))) for k in range(len(x))
    ]
    assert_agree(grad, np.array(expected), 1e-12, 1e-12)
    check_gradient(lambda x: t.cumprod(x, 0), [leaf], 3)


def test_the_gradient_of_a_product_whose_parts_are_out_of_range() -> None:
    x = np.ones(300)
    x[20:40] = 1e20  # as long as a part, whose product is infinite
    x[10] = 0
    leaf = t.tensor(x, requires_grad=True)
    weights = t.zeros(300, dtype=t.float64)
    weights[15] = 1
    (grad,) = t.autograd.grad(t.cumprod(leaf, 0), leaf, weights)
    expected = np.zeros(300)
    expected[10] = 1
    assert_agree(grad, expected)


def test_cumulative_logarithms_of_infinities() -> None:
    x = t.tensor([-math.inf, -math.inf, 0.0, -math.inf, math.inf, 1.0], requires_grad=True)
    y = t.logcumsumexp(x, 0)
    assert_agree(y, [-math.inf, -math.inf, 0.0, 0.0, math.inf, math.inf])
    (grad,) = t.autograd.grad(y[:4].sum(), x)
    assert_agree(grad, [math.nan, math.nan, 2.0, 0.0, math.nan, 0.0])


@pytest.mark.cuda
@pytest.mark.parametrize("kind", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("rows", [1, 40])
def test_a_recurrence_whose_products_leave_the_range_is_right_on_cuda(kind: str, rows: int) -> None:
    far = 1e30 if kind in ("float32", "complex64") else 1e250
    factor, term = np.ones((5000, rows), kind), np.full((5000, rows), 1 / far, kind)
    factor[10:12] = far  # a product of these is infinite, what they multiply is not
    factor[12] = 0
    factor[2500:2502], factor[2502:2504] = 1 / far, far
    expected = term.astype("complex256" if kind.startswith("complex") else "longdouble")
    for k in range(1, len(expected)):
        expected[k] += factor[k] * expected[k - 1]
    for reverse in False, True:
        step = -1 if reverse else 1
        arrays = [t.tensor(a[::step].copy(), device="cuda")._array for a in (factor, term)]
        door = backend.of(arrays[0])
        found = door.to_numpy(door.scan("recurrence", arrays, 0, reverse))
        np.testing.assert_allclose(found[::step], expected, 1e-4)


# --------------------------------------------------------------------------- loops

LOOPED = [((1003,), 0), ((7, 100), 1), ((100, 7), 0), ((3, 50, 70), 1), ((1, 3), 1)]


@pytest.mark.compiler
@pytest.mark.parametrize("dtype", [np.dtype(np.float32), np.dtype(np.float64)], ids=str)
@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize(("shape", "axis"), LOOPED, ids=str)
def test_loops_give_what_numpy_gives(
    shape: tuple[int, ...], axis: int, special: bool, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that loses what comes before it, and numbers out of range in parts only."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1.5, shape).astype(dtype)
    if special:
        most = np.finfo(dtype).max
        known = np.array([0, -0.0, np.inf, -1, most, most, 1 / most, 1 / most, -most, np.nan])
        places = rng.integers(0, x.size, 10)
        x.ravel()[np.sort(places)] = known.astype(dtype)
    found = []
    for least in (1, 1 << 62):
        monkeypatch.setattr(scans, "_LEAST", least)
        with np.errstate(all="ignore"):
            found.append([
                *(scans.scan(k, [x], axis, r) for k in ("sum", "prod") for r in (False, True)),
                *scans.extreme(x, axis, True), *scans.extreme(x, axis, False),
                reductions.prod(x, (axis,), False, dtype),
            ])  # fmt: skip
    # NumPy may have left the range in a part of a product in another order
    for ours, numpys in zip(*found, strict=True):
        assert ours.dtype == numpys.dtype
        tolerance = 1e3 * np.finfo(dtype).eps
        if special:
            both = np.isfinite(ours) & np.isfinite(numpys)
            ours, numpys = ours[both], numpys[both]
        np.testing.assert_allclose(ours, numpys, tolerance, np.finfo(dtype).smallest_subnormal)


@pytest.mark.compiler
@pytest.mark.parametrize("dtype", [np.dtype(np.float32), np.dtype(np.float64)], ids=str)
@pytest.mark.parametrize(("shape", "axis"), LOOPED, ids=str)
def test_recurrences_by_loops_are_those_step_by_step(
    shape: tuple[int, ...], axis: int, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first factor that counts, and groups whose factors are 0 or leave the range together."""
    monkeypatch.setattr(scans, "_LEAST", 1)
    rng = np.random.default_rng(0)
    factor, term = (rng.uniform(-1.2, 1.2, shape).astype(dtype) for _ in range(2))
    factor.ravel()[:5] = np.array([np.inf, 0, 1e-38, 1e30, 0], dtype)[: factor.size]
    for reverse in False, True:
        a, b = (np.moveaxis(np.flip(v, axis) if reverse else v, axis, 0) for v in (factor, term))
        steps = [b[0].astype(np.float64)]
        for k in range(1, len(a)):
            steps.append(a[k] * steps[-1] + b[k])
        expected = np.moveaxis(np.array(steps), 0, axis)
        with np.errstate(all="ignore"):
            found = scans.scan("recurrence", [factor, term], axis, reverse)
        expected = (np.flip(expected, axis) if reverse else expected).astype(dtype)
        np.testing.assert_allclose(found, expected, 1e3 * np.finfo(dtype).eps, 1e-30)


@pytest.mark.compiler
def test_products_by_loops_are_right_wherever_they_are_in_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parts that leave the range, zeros, subnormal numbers, and what is infinite or nan."""
    monkeypatch.setattr(scans, "_LEAST", 1)
    cases = [
        ([1e300] * 40 + [1e-300] * 40, 1.0), ([5e-324, 2.0**1000, 2.0**74], 1.0),
        ([1e-300] * 20 + [0.0] + [1e300] * 20, 0.0), ([np.inf, 1e-300, 1e-300], np.inf),
        ([np.inf, 0.0], np.nan), ([2.0, np.nan], np.nan), ([1e300] * 10 + [-1.0], -np.inf),
        ([1e-300] * 10, 0.0),
    ]  # fmt: skip
    for numbers, expected in cases:
        for along in (np.array(numbers)[None, :, None], np.tile(numbers, (20, 1)).T[None]):
            result = scans.product(along)
            assert result is not None
            np.testing.assert_allclose(result, np.full(result.shape, expected), 1e-13)

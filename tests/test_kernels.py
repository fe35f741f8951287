"""The kernels of the CUDA backend, called by themselves: emulated or on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpugrad import backend
from gpugrad._device import device
from gpugrad.formula import COMPLEX, REAL, Formula, variable
from gpugrad.testing import assert_close, count_kernels

pytestmark = pytest.mark.cuda

FLOATING = ["float16", "float32", "float64", "complex64", "complex128"]


@pytest.fixture
def door() -> Any:
    """Return CUDA's backend."""
    return backend.cuda_backend()


def numbers(dtype: str, *shape: int, seed: int = 0) -> Any:
    """Return numbers whose sums and products are exact in every floating point type."""
    random = np.random.default_rng((seed, *shape))
    values = random.integers(-4, 5, shape) / 2
    if np.dtype(dtype).kind == "c":
        values = values + 1j * random.integers(-4, 5, shape)
    return values.astype(dtype)


def products(dtype: str) -> Formula:
    """Return the formula of x * y and x - y."""
    kind = COMPLEX if np.dtype(dtype).kind == "c" else REAL
    x, y = variable("x", kind), variable("y", kind)
    return Formula("products", [x, y], [x * y, x - y])


class TestAddAll:
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("count", [2, 3, 8, 9, 17])
    def test_adds_arrays_eight_by_one_kernel(self, door: Any, dtype: str, count: int) -> None:
        found = [numbers(dtype, 5, 7, seed=k) for k in range(count)]
        arrays = [door.from_numpy(a, device("cuda")) for a in found]

        with count_kernels() as launched:
            total = door.add_all(arrays)

        assert launched.total == -(-count // 8)
        assert_close(total, np.sum(found, axis=0, dtype=dtype))
        for array, before in zip(arrays, found, strict=True):
            assert_close(array, before)

    def test_expanded_gradients_are_added_without_being_filled(self, door: Any) -> None:
        one = door.from_numpy(np.float32(2), device("cuda"))
        x = door.from_numpy(numbers("float32", 5, 7), device("cuda"))

        with count_kernels() as launched:
            total = door.add_all([door.broadcast_to(one, (5, 7)), x, x.T.copy().T])

        assert launched.total == 1
        assert_close(total, 2 + 2 * numbers("float32", 5, 7))


class TestAddingToAnExistingArray:
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("given", [(True, True), (True, False), (False, True)])
    def test_outputs_are_added_to_what_is_there(
        self, door: Any, dtype: str, given: tuple[bool, bool]
    ) -> None:
        x, y = numbers(dtype, 5, 7), numbers(dtype, 7, seed=1)
        before = [numbers(dtype, 5, 7, seed=2), numbers(dtype, 5, 7, seed=3)]
        arrays = [door.from_numpy(a, device("cuda")) for a in (x, y)]
        into = [
            door.from_numpy(b, device("cuda")) if g else None
            for b, g in zip(before, given, strict=True)
        ]

        with count_kernels() as launched:
            results = door.evaluate(products(dtype), arrays, x.dtype, (x.dtype, x.dtype), into=into)

        assert launched.total == 1
        for result, array, value, b in zip(results, into, (x * y, x - y), before, strict=True):
            assert array is None or result is array
            assert_close(result, value if array is None else b + value)


# Shape, the axes that are summed, and how many kernels that takes.
SUMS = {
    "all": ((7, 9), (0, 1), 1),
    "all, in parts": ((100, 170), (0, 1), 2),
    "all, no multiple of the width": ((10001,), (0,), 2),
    "rows": ((33, 5), (1,), 1),
    "short rows": ((500, 2), (1,), 1),
    "long rows": ((6, 3000), (1,), 1),
    "rows in parts": ((3, 12000), (1,), 2),
    "columns": ((33, 12), (0,), 1),
    "narrow columns": ((33, 3), (0,), 1),
    "columns in parts": ((3000, 16), (0,), 2),
    "middle": ((4, 33, 8), (1,), 1),
    "middle in parts": ((2, 3000, 24), (1,), 2),
    "wide middle": ((2, 3, 600), (1,), 1),
    "channels": ((6, 3, 40), (0, 2), 1),
    "channels in parts": ((40, 2, 500), (0, 2), 2),
    "nothing": ((5, 1, 6), (1,), 1),
    "scattered": ((3, 4, 5, 6), (0, 2), 1),
}


def left(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


class TestSums:
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize(("shape", "axes", "kernels"), SUMS.values(), ids=SUMS)
    def test_agrees_with_numpy(
        self, door: Any, dtype: str, shape: tuple[int, ...], axes: tuple[int, ...], kernels: int
    ) -> None:
        a = numbers(dtype, *shape)
        array = door.from_numpy(a, device("cuda"))
        wide = np.result_type(dtype, np.float64)

        with count_kernels() as launched:
            total = door.sum(array, axes, False, a.dtype)
        mean = door.mean(array, axes, True, a.dtype)

        assert launched.total == kernels
        assert_close(total, a.sum(axes, wide).astype(dtype))
        assert_close(mean, a.mean(axes, wide, keepdims=True).astype(dtype))

    @pytest.mark.parametrize("given", [False, True])
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("name", SUMS)
    def test_of_a_formula(self, door: Any, dtype: str, name: str, given: bool) -> None:
        shape, axes, kernels = SUMS[name]
        kernels += given and name == "scattered"  # added by a kernel of its own
        kind = COMPLEX if np.dtype(dtype).kind == "c" else REAL
        x, y = variable("x", kind), variable("y", kind)
        a, b = numbers(dtype, *shape), numbers(dtype, shape[-1], seed=1)
        before = numbers(dtype, *left(shape, axes), seed=2)
        arrays = [door.from_numpy(value, device("cuda")) for value in (a, b)]
        into = [door.from_numpy(before, device("cuda"))] if given else None

        with count_kernels() as launched:
            (total,) = door.evaluate(
                Formula("product", [x, y], [x * y]), arrays, a.dtype, (a.dtype,),
                sum_to=left(shape, axes), into=into,
            )  # fmt: skip

        assert launched.total == kernels
        wide = np.result_type(dtype, np.float64)
        expected = (a.astype(wide) * b).sum(axes, keepdims=True)
        assert_close(total, (expected.astype(dtype) + before * given).astype(dtype))

    @pytest.mark.parametrize("given", [False, True])
    @pytest.mark.parametrize("dtype", FLOATING)
    @pytest.mark.parametrize("name", SUMS)
    def test_with_another_output_in_full(
        self, door: Any, dtype: str, name: str, given: bool
    ) -> None:
        shape, axes, kernels = SUMS[name]
        if name == "scattered":
            kernels = 3 if given else 2
        a, b = numbers(dtype, *shape), numbers(dtype, shape[-1], seed=1)
        wide = np.result_type(dtype, np.float64)
        expected = [a * b, (a.astype(wide) - b).sum(axes, keepdims=True).astype(dtype)]
        before = [numbers(dtype, *e.shape, seed=2) for e in expected]
        arrays = [door.from_numpy(value, device("cuda")) for value in (a, b)]
        into = [door.from_numpy(array, device("cuda")) for array in before] if given else None

        with count_kernels() as launched:
            results = door.evaluate(
                products(dtype), arrays, a.dtype, (a.dtype, a.dtype),
                sum_to=left(shape, axes), summed=1, into=into,
            )  # fmt: skip

        assert launched.total == kernels
        for result, value, old in zip(results, expected, before, strict=True):
            assert_close(result, (value + old).astype(dtype) if given else value)

    @pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64"])
    def test_of_integers(self, door: Any, dtype: str) -> None:
        a = np.random.default_rng(0).integers(0, 2, (300, 70)).astype(dtype)
        array = door.from_numpy(a, device("cuda"))

        for axes in (0,), (1,), (0, 1):
            assert_close(door.sum(array, axes, False, np.dtype(np.int64)), a.sum(axes, np.int64))

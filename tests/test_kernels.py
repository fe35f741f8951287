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

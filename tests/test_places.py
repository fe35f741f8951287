"""Reading and adding at places on the CPU: equal to NumPy's own indexing, to the last bit.

But one number that is added many times is added as a multiple, which rounds once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.backend import indexed, places

SHAPES = [(7,), (5, 6), (4, 3, 20), (3, 5, 2, 4)]


@pytest.fixture(autouse=True, params=["numpy", pytest.param("loops", marks=pytest.mark.compiler)])
def few_are_many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(indexed, "_library", lambda: None)
    monkeypatch.setattr(places, "LARGE", 1)
    monkeypatch.setattr(places, "ADDED", 1)
    monkeypatch.setattr(places, "_BLOCK", 50)
    monkeypatch.setattr(places, "_FEW", 60)


def indices(shape: tuple[int, ...], random: Any) -> Iterator[Any]:
    """Return indices of arrays, slices and an ellipsis, of which some name places twice."""
    kinds = ["i1", "u1", "i4", "i8"]
    for _ in range(60):
        count = int(random.integers(1, len(shape) + 1))
        common = tuple(random.integers(0, 5, random.integers(0, 3)))
        index: list[Any] = []
        for n in shape[:count]:
            kind = random.choice([*kinds, "slice", "slice"])
            if kind == "slice":
                start, step = random.integers(0, n), random.integers(1, 3)
                index.append(slice(None) if random.random() < 0.5 else slice(start, None, step))
            else:
                low = 0 if kind == "u1" else -n
                sizes = [m if random.random() < 0.8 else 1 for m in common]
                index.append(random.integers(low, n, sizes).astype(kind))
        if not any(isinstance(i, np.ndarray) for i in index):
            index[0] = random.integers(0, shape[0], 30)
        if random.random() < 0.3:
            index.insert(int(random.integers(0, len(index) + 1)), ...)
        yield tuple(index)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_places_are_numpys(shape: tuple[int, ...], order: Any) -> None:
    random = np.random.default_rng(len(shape))
    array = np.asarray(np.round(random.standard_normal(shape) * 8) / 8, order=order)
    for index in indices(shape, random):
        expected = array[index]
        assert np.array_equal(places.taken(array, index), expected), index

        added, wanted = array.copy(order), array.copy(order)
        for values in (
            random.integers(-9, 9, expected.shape) / 4,
            np.broadcast_to(0.5, expected.shape),
        ):
            places.reduce(added, index, values, "sum")
            np.add.at(wanted, index, values)
        assert np.array_equal(added, wanted), index


@pytest.mark.parametrize("width", [1, 3, 40])
@pytest.mark.parametrize("different", [1, 5, 400])
def test_what_is_named_often_is_added_in_its_order(width: int, different: int) -> None:
    random = np.random.default_rng(0)
    numbers = random.integers(0, different, 300)
    values = random.standard_normal((300, width)).astype(np.float32)
    array = np.zeros((400, width), np.float32)
    expected = array.copy()

    places.reduce(array, numbers, values, "sum")

    np.add.at(expected, numbers, values)
    assert np.array_equal(array, expected)


@pytest.mark.parametrize("shape", [(5, 4, 0), (5, 4, 0, 3)])
def test_rows_of_no_elements_are_named_too(shape: tuple[int, ...]) -> None:
    index = np.arange(5), np.zeros(5, int)
    array = np.zeros(shape)
    for named in (index, index[:1]):
        expected = array[named]
        assert places.taken(array, named).shape == expected.shape
        places.put(array, named, expected)
        places.reduce(array, named, expected, "sum")
    with pytest.raises(IndexError):
        places.taken(np.zeros((5, 0)), index)


def test_rows_are_moved_whose_elements_alone_are_aligned() -> None:
    random = np.random.default_rng(0)
    memory = random.integers(0, 99, 1999).astype(np.int8)
    index = random.integers(0, 9, (2, 60))
    for width in (2, 4, 8, 16):
        array = memory[1 : 1 + 81 * width].reshape(9, 9, width)
        values = memory[-1 - 60 * width : -1].reshape(60, width) if width < 16 else array[0, 0]
        assert np.array_equal(places.taken(array, tuple(index)), array[tuple(index)])
        found, expected = np.zeros_like(array), np.zeros_like(array)
        places.put(found, tuple(index), values)
        expected[tuple(index)] = values
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("wrong", [-6, 5])
def test_no_other_element_stands_for_one_that_is_not_there(wrong: int) -> None:
    index = np.zeros(9, int), np.full(9, wrong)
    array = np.zeros((4, 5))
    with pytest.raises(IndexError):
        places.taken(array, index)
    with pytest.raises(IndexError):
        places.reduce(array, index, np.ones(9), "sum")


def test_an_index_of_few_bits_has_no_sign_that_counts() -> None:
    x = gpugrad.arange(300.0).requires_grad_()
    i = gpugrad.tensor([-1, -128, 127, -1], dtype=gpugrad.int8)

    x[i].sum().backward()

    assert x.grad is not None
    assert x.grad.nonzero().reshape(-1).tolist() == [127, 172, 299]
    assert x.grad[299] == 2


@pytest.mark.parametrize("way", places.WAYS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_rows_that_are_named_often_are_put_together_in_their_order(way: str, dtype: str) -> None:
    random = np.random.default_rng(0)
    numbers = np.minimum(random.geometric(0.1, 300) - 1, 40)
    values = (random.standard_normal((300, 20)) * 2).astype(dtype)
    found = random.standard_normal((50, 20)).astype(dtype)
    expected = found.copy()
    places.reduce(found, (numbers,), values, way)
    places.WAYS[way].at(expected, numbers, values)
    assert np.array_equal(found, expected)


def test_what_is_written_by_a_grid_or_a_mask_is_numpys() -> None:
    random = np.random.default_rng(0)
    array = random.standard_normal((30, 20, 3))
    mask = random.random((30, 20)) < 0.5
    rows, columns = np.arange(30)[:, None], random.permuted(np.tile(np.arange(20), (30, 1)), axis=1)
    for index in (mask,), (rows, columns), (rows, columns - 20), (mask[:, 0],):
        for values in (array[index] * 2, np.float64(3), np.asarray(1.5), array[index][..., :1]):
            found, expected = array.copy(), array.copy()
            places.put(found, index, values)
            expected[index] = values
            assert np.array_equal(found, expected)
        assert np.array_equal(places.taken(array, index), array[index])


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "c8", "c16"])
def test_loops_over_several_blocks_are_numpys(dtype: str) -> None:
    """Of numbers in steps and repeated ones, with nan, and of memory that is written itself."""
    random = np.random.default_rng(0)
    array = (random.standard_normal((40, 30)) * 4).astype(dtype)
    if array.dtype.kind != "i":
        array.flat[random.integers(0, array.size, 9)] = np.nan
    rows, columns = np.arange(40)[:, None], random.integers(-30, 30, (40, 60))[:, ::2]
    spread = np.broadcast_to(random.integers(-40, 40, 30), (50, 30))
    values = (random.standard_normal((50, 60)) * 4).astype(dtype)[:, ::2]
    for index, source in (
        ((rows, columns), array[:, ::-1]), ((rows, columns), array), ((spread, columns[0]), values),
        ((rows, columns), values[:1].T[:1]),
    ):  # fmt: skip
        assert np.array_equal(places.taken(array, index), array[index], array.dtype.kind != "i")
        ways = ["sum"] if array.dtype.kind == "c" else [*places.WAYS]
        for way in ("write", *ways):
            found, expected = array.copy(), array.copy()
            given = [found if source is array else source, array if source is array else source]
            if way == "write":
                places.put(found, index, given[0])
                expected[index] = given[1]
            else:
                places.reduce(found, index, given[0], way)
                places.WAYS[way].at(expected, index, given[1])
            assert np.array_equal(found, expected, array.dtype.kind != "i"), way


def test_numbers_that_are_written_to_are_read_first() -> None:
    x = np.arange(60).reshape(6, 10)[:, ::-1].copy() // 10
    index = (x, np.arange(10))
    expected = x.copy()
    np.add.at(expected, (x.copy(), np.arange(10)), np.broadcast_to(1, x.shape))
    places.reduce(x, index, np.broadcast_to(1, x.shape), "sum")
    assert np.array_equal(x, expected)

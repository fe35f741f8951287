"""Elements that are put together at indices: in a fixed order, and what has no derivative."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import backend


@pytest.fixture
def in_any_order() -> Iterator[None]:
    gpugrad.use_deterministic_algorithms(False)
    yield
    gpugrad.use_deterministic_algorithms(True)


WAYS = {"sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def many(dtype: str, count: int, width: int) -> tuple[Any, Any, Any]:
    """Return rows of numbers, of which most belong to a few rows, and where."""
    random = np.random.default_rng(0)
    where = np.minimum(random.geometric(0.3, count) - 1, 6)
    values = random.uniform(-1.5, 1.5, (count, width))
    if dtype.startswith("complex"):
        values = values + 1j * random.uniform(-1, 1, values.shape)
    if np.dtype(dtype).kind in "iu":
        values = values * 3
    return np.ones((7, width), dtype), where, values.astype(dtype)


TYPES = "float32", "float64", "float16", "complex64", "int32", "bool"


@pytest.mark.parametrize(
    ("way", "dtype"),
    [
        (way, dtype)
        for way in WAYS
        for dtype in TYPES
        if not (dtype == "complex64" and way.startswith("am"))  # which have no order
    ],
)
@pytest.mark.parametrize("count", [5, 900])
def test_rows_are_put_together_in_their_order(
    device: str, dtype: str, way: str, count: int
) -> None:
    """Rows of one place that lie in several pieces, of which each thread takes one."""
    array, where, values = many(dtype, count, 3)
    wide = np.dtype("float32" if dtype == "float16" else dtype)
    expected = array.astype(wide)
    WAYS[way].at(expected, where, values.astype(wide))
    found, index, rows = (gpugrad.tensor(a, device=device)._array for a in (array, where, values))
    door = backend.of(found)
    door.reduce_at(found, (index,), rows, way)
    tolerance = 2e-3 if dtype == "float16" else 1e-5
    np.testing.assert_allclose(door.to_numpy(found), expected.astype(dtype), tolerance, tolerance)


# Programs in which two values meet at one place, over 5 numbers, 3 others, and indices.
MEETING: dict[str, Any] = {
    "x[i]": lambda x, y, i: x[i],
    "two indices": lambda x, y, i: x.reshape(5, 1)[i, i * 0],
    "of complex": lambda x, y, i: (x * (1 + 1j))[i],
    "gather": lambda x, y, i: x.gather(0, i),
    "index_select": lambda x, y, i: x.index_select(0, i),
    "take": lambda x, y, i: x.take(i),
    "repeat_interleave": lambda x, y, i: x[:3].repeat_interleave(i),
    "unfold": lambda x, y, i: x.unfold(0, 3, 1),
    "as_strided": lambda x, y, i: x.as_strided((3, 3), (1, 1)),
    "index_add": lambda x, y, i: x.index_add(0, i, y),
    "index_put": lambda x, y, i: x.index_put((i,), y, accumulate=True),
    "put": lambda x, y, i: x.put(i, y, accumulate=True),
    "scatter_add": lambda x, y, i: x.scatter_add(0, i, y),
    "scatter_reduce": lambda x, y, i: x.scatter_reduce(0, i, y, "mean"),
    "bincount": lambda x, y, i: x.sum() * i.bincount(y.detach()),
    "assigned": lambda x, y, i: x.index_put((i,), y),
    "index_copy": lambda x, y, i: x.index_copy(0, i, y),
    "scatter": lambda x, y, i: x.scatter(0, i, y),
    "put without adding": lambda x, y, i: x.put(i, y),
    "as_strided_scatter": lambda x, y, i: x.as_strided_scatter(y, (3,), (0,)),
}


def met(program: Any) -> list[str]:
    """Return the kernels of CuPy's by which values meet: the threads take turns as they come by.

    The gradient of what is written over is 0 at many places, which may meet.
    """
    import hostcuda

    x, y = (gpugrad.arange(float(n), device="cuda", requires_grad=True) for n in (5, 3))
    with hostcuda.trace() as forward:
        found = program(x, y, gpugrad.tensor([2, 0, 2], device="cuda"))
    with hostcuda.trace() as backward:
        found.abs().square().sum().backward()
    names = [*forward, *(n for n in backward if n != "cupy_scatter_update")]
    return [n for n in names if n.startswith("cupy_scatter")]


@pytest.mark.cuda
@pytest.mark.emulated  # only the emulator knows the names
@pytest.mark.parametrize("name", MEETING)
def test_what_meets_at_one_place_does_so_in_a_fixed_order(name: str) -> None:
    assert gpugrad.are_deterministic_algorithms_enabled()
    assert not met(MEETING[name])


@pytest.mark.cuda
@pytest.mark.emulated
@pytest.mark.parametrize("name", MEETING)
def test_the_switch_allows_any_order(name: str, in_any_order: None) -> None:
    assert met(MEETING[name])


def test_of_what_is_written_to_one_place_the_last_remains(device: str) -> None:
    x, i = gpugrad.zeros(4, 2, device=device), gpugrad.tensor([3, 1, 3, 3], device=device)
    rows = gpugrad.arange(8.0, device=device).reshape(4, 2)
    expected = [[0, 0], [2, 3], [0, 0], [6, 7]]
    assert x.index_copy(0, i, rows).tolist() == expected
    assert x.index_put((i,), rows.to(x.dtype)).tolist() == expected
    x.t()[:, i] = rows.t()  # into memory that is not dense
    assert x.tolist() == expected
    x[i, 0] = gpugrad.tensor([[9.0, 8.0, 7.0, 5.0]], device=device)
    assert x[:, 0].tolist() == [0, 8, 0, 5]


@pytest.mark.parametrize("way", ["sum", "amax", "amin"])
def test_in_any_order_the_same_is_put_together(device: str, way: str, in_any_order: None) -> None:
    assert not gpugrad.are_deterministic_algorithms_enabled()
    array, where, values = many("float64", 40, 1)
    expected = array[:, 0].copy()
    WAYS[way].at(expected, where, values[:, 0])
    x, i, y = (gpugrad.tensor(a, device=device) for a in (array[:, 0], where, values[:, 0]))
    np.testing.assert_allclose(x.scatter_reduce(0, i, y, way).cpu(), expected, 1e-12)
    if way == "sum":
        z = x * (1 + 1j)
        np.testing.assert_allclose(z.index_add(0, i, y * 1j).cpu()[:1].real, [1.0])


def test_the_switch_takes_nothing_but_bools() -> None:
    use: Any = gpugrad.use_deterministic_algorithms
    with pytest.raises(TypeError, match=r"argument 'mode' \(position 1\) must be bool, not int"):
        use(1)
    try:
        use(True, warn_only=True)
        assert gpugrad.is_deterministic_algorithms_warn_only_enabled()
    finally:
        use(True)
    assert not gpugrad.is_deterministic_algorithms_warn_only_enabled()


def test_indices_name_places_as_in_reading(device: str) -> None:
    """Negative ones, of few bits, masks, slices, and what makes dimensions."""
    x = np.zeros((3, 4, 130))
    indices: list[Any] = [
        (np.array([-1, 2, 0], np.int8),),
        (slice(None), slice(1, 3), np.array([-1, 127, 5], np.int8)),
        (np.array([0, 2]), slice(None), np.array([[1], [-1]])),
        (np.array([True, False, True]), np.array([1, 3])),
        (np.array([1, 1]), None, slice(2)),
        (Ellipsis, np.array([3, 3, -127])),
    ]
    for index in indices:
        values = np.arange(x[index].size, dtype=float).reshape(x[index].shape)
        expected = x.copy()
        np.add.at(expected, index, values)
        there = tuple(
            gpugrad.tensor(i, device=device)._array if isinstance(i, np.ndarray) else i
            for i in index
        )
        found = gpugrad.tensor(x, device=device)._array
        door = backend.of(found)
        door.add_at(found, there, gpugrad.tensor(values, device=device)._array)
        np.testing.assert_array_equal(door.to_numpy(found), expected)


def test_products_of_several_zeros_have_one_derivative() -> None:
    x = gpugrad.tensor([2.0], requires_grad=True)
    y = gpugrad.tensor([0.0, 0.0, 3.0], requires_grad=True)
    index = gpugrad.tensor([0, 0, 0])
    product = x.scatter_reduce(0, index, y, "prod")
    grads = gpugrad.autograd.grad(product.sum(), (x, y), create_graph=True)
    assert [g.tolist() for g in grads] == [[0.0], [0.0, 0.0, 0.0]]
    with pytest.raises(RuntimeError, match="Double backward is unsupported for src when >1 zeros"):
        gpugrad.autograd.grad(grads[1].sum(), (x, y))


def test_what_is_not_included_has_no_part_in_a_tie() -> None:
    x = gpugrad.tensor([5.0, 1.0], requires_grad=True)
    y = gpugrad.tensor([5.0, 5.0], requires_grad=True)
    index = gpugrad.tensor([0, 0])
    found = x.scatter_reduce(0, index, y, "amax", include_self=False)
    grads = gpugrad.autograd.grad(found.sum(), (x, y))
    assert tuple(g.tolist() for g in grads) == ([0.0, 1.0], [0.5, 0.5])


def test_scatter_with_what_is_there_has_gradients(device: str) -> None:
    """PyTorch has none; ours are those of scatter_reduce."""
    x = gpugrad.tensor([2.0, 3.0], device=device, requires_grad=True)
    y = gpugrad.tensor([4.0, 5.0], device=device, requires_grad=True)
    index = gpugrad.tensor([1, 1], device=device)
    added = x.scatter(0, index, y, reduce="add")
    product = x.scatter(0, index, y, reduce="multiply")
    assert (added.tolist(), product.tolist()) == ([2, 12], [2, 60])
    assert [g.tolist() for g in gpugrad.autograd.grad(product.sum(), (x, y))] == [[1, 20], [15, 12]]
    assert gpugrad.autograd.grad(added.sum(), y)[0].tolist() == [1, 1]
    assert x.detach().scatter_(0, index, 2, reduce="multiply").tolist() == [2, 12]
    with pytest.raises(RuntimeError, match="reduce argument must be either add or multiply"):
        x.scatter(0, index, y, reduce="sum")


@pytest.mark.cuda
def test_an_index_out_of_bounds_writes_nowhere_else() -> None:
    """The error for it comes later; the memory behind belongs to others until then."""
    memory = gpugrad.zeros(30, device="cuda")
    part = memory[10:20]._array
    index = gpugrad.tensor([12, -25, 3], device="cuda")._array
    backend.of(part).add_at(part, (index,), gpugrad.ones(3, device="cuda")._array)
    assert memory[:10].sum() == memory[20:].sum() == 0

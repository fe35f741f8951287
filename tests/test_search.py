"""What is looked for in ways that samples do not show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gpugrad

t: Any = gpugrad  # as users see it who do not check types


def test_values_that_occur_once_have_a_history_without_a_gradient() -> None:
    x = gpugrad.tensor([2.0, 1.0, 2.0], requires_grad=True)
    found, inverse = x.unique(return_inverse=True)
    assert type(found.grad_fn).__name__ == "Unique2Backward0"
    assert not inverse.requires_grad
    with pytest.raises(NotImplementedError, match="the derivative for '_unique2' is not"):
        found.sum().backward()
    with pytest.raises(NotImplementedError, match="the derivative for 'unique_dim' is not"):
        x.unique(dim=0).sum().backward()


def test_nan_is_equal_to_nothing() -> None:
    x = gpugrad.tensor([math.nan, 1.0, math.nan, 1.0])
    found, counts = gpugrad.unique(x, return_counts=True)
    assert np.array_equal(found, [1, math.nan, math.nan], equal_nan=True)
    assert counts.tolist() == [2, 1, 1]
    assert len(gpugrad.unique(x.reshape(2, 2), dim=0)) == 2
    assert len(gpugrad.unique_consecutive(x[::2])) == 2
    assert gpugrad.isin(x, x).tolist() == [False, True, False, True]


@pytest.mark.parametrize("function", [gpugrad.unique, gpugrad.unique_consecutive])
def test_how_many_values_there_are_may_not_differ_by_example(function: Any) -> None:
    with pytest.raises(RuntimeError, match="dynamic shape"):
        gpugrad.vmap(function)(gpugrad.ones(2, 3))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16", "int64", "uint8"])
@pytest.mark.parametrize("descending", [False, True])
def test_what_is_equal_stays_in_its_order(dtype: str, descending: bool) -> None:
    values = np.random.default_rng(0).integers(0, 50, (3, 700)).astype(dtype)
    if dtype.startswith("float"):
        values[:, ::9], values[:, ::7], values[:, ::11] = -0.0, math.nan, 0.0
    key = values.astype(float)
    key = np.where(np.isnan(key), 99, key)
    found = gpugrad.tensor(values).sort(stable=True, descending=descending)
    expected = np.argsort(-key if descending else key, kind="stable")
    assert np.array_equal(found.indices, expected)
    assert np.array_equal(found.values, np.take_along_axis(values, expected, -1), equal_nan=True)


def test_an_order_that_is_larger_than_32_bits_is_found_without_losing_any() -> None:
    values = np.arange(600)[::-1] * 2**53
    assert gpugrad.tensor(values).argsort().tolist() == [*range(600)][::-1]


def test_results_print_as_pytorchs_do() -> None:
    x = gpugrad.tensor([3.0, 1.0])
    assert repr(x.sort()) == (
        "gpugrad.return_types.sort(\nvalues=tensor([1., 3.]),\nindices=tensor([1, 0]))"
    )
    values, indices = gpugrad.empty(0), gpugrad.empty(0, dtype=gpugrad.int64)
    topk: Any = gpugrad.topk  # whose out= is a tuple
    found = topk(x, 1, out=(values, indices))
    assert found.values is values
    assert (values.tolist(), indices.tolist()) == ([3.0], [0])


@pytest.mark.parametrize("name", ["gather", "take", "index_select", "scatter_add", "index_add"])
def test_a_result_lies_apart_from_what_is_read(name: str) -> None:
    """``out=`` that a kernel would write while another thread of it still reads."""
    x, y = gpugrad.arange(6.0), gpugrad.ones(3)
    index = gpugrad.tensor([2, 0, 1])
    calls: dict[str, Any] = {
        "gather": lambda out: gpugrad.gather(x, 0, index, out=out),
        "take": lambda out: gpugrad.take(x, index, out=out),
        "index_select": lambda out: gpugrad.index_select(x, 0, index, out=out),
        "scatter_add": lambda out: gpugrad.scatter_add(x, 0, index, y, out=out),
        "index_add": lambda out: gpugrad.index_add(x, 0, index, y, out=out),
    }
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        calls[name](x[:3])
    with pytest.raises(RuntimeError, match="to have dtype float, but got double instead"):
        calls[name](gpugrad.empty(0, dtype=gpugrad.float64))
    if name.endswith("add"):
        assert calls[name](x) is x
    else:
        with pytest.raises(RuntimeError, match="refer to a single memory location"):
            calls[name](x)


def test_what_comes_first_among_many_is_what_an_order_gives() -> None:
    random = np.random.default_rng(0)
    for values in (random.standard_normal(9001), random.integers(0, 99, 9001).astype(float)):
        for place in (None, 5, 9000) if values[0] % 1 else (None,):
            x = values.copy()
            if place is not None:
                x[place] = np.nan
            for kind in ("float32", "float64"):
                a = t.tensor(x.astype(kind))
                for largest in (True, False):
                    found = t.topk(a, 7, largest=largest)
                    order = t.argsort(a, descending=largest, stable=True)[:7]
                    assert found.indices.tolist() == order.tolist()
                middle = t.nanmedian(a)
                known = np.sort(x[~np.isnan(x)].astype(kind))
                assert float(middle) == known[(len(known) - 1) // 2]


def test_numbers_at_the_edges_of_even_bins_lie_behind_them() -> None:
    for kind in ("float32", "float64"):
        edges = t.linspace(-1, 2, 34, dtype=getattr(t, kind))
        x = t.cat([edges, edges + 1e-6, edges - 1e-6])
        found, _ = t.histogram(x, 33, range=(-1.0, 2.0))
        expected, _ = np.histogram(x.numpy(), edges.numpy())
        assert found.tolist() == expected.tolist()

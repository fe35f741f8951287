"""Products of matrices in stacks that broadcast: sums over a stack are taken inside a product."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.errors import summed_axes
from gpugrad.func import vmap
from gpugrad.ops import einsum
from gpugrad.testing import assert_agree, check_gradient

# narrow and wide, one matrix and several, on either side, stacked once and twice
SHAPES = [
    ((5, 4), (3, 4, 1)),
    ((5, 4), (3, 4, 2)),
    ((5, 4), (3, 4, 40)),
    ((1, 5, 4), (3, 4, 2)),
    ((5, 4), (2, 3, 4, 1)),
    ((3, 5, 4), (4, 2)),
    ((3, 1, 4), (4, 2)),
    ((3, 50, 4), (1, 4, 2)),
    ((2, 3, 5, 4), (4,)),
    ((4,), (2, 3, 4, 5)),
    ((2, 1, 5, 4), (3, 4, 2)),
    ((2, 1, 5, 4), (1, 3, 4, 1)),
    ((2, 1, 9, 8), (3, 8, 1)),  # of outer products, with dimensions of the stack that are kept
    ((1, 1, 5, 4), (4, 2)),
    ((3, 5, 1), (1, 2)),
    ((0, 5, 4), (4, 2)),
    ((5, 0), (3, 0, 2)),
    ((1, 4), (1, 1, 4, 2)),
]


def operands(shapes: Any, dtype: Any = np.float64) -> list[Any]:
    random = np.random.default_rng(0)
    return [random.standard_normal(s).astype(dtype) for s in shapes]


def summed_to(array: Any, shape: tuple[int, ...]) -> Any:
    return array.sum(summed_axes(array.shape, shape)).reshape(shape)


@pytest.mark.parametrize("layout", ["plain", "transposed"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_gradients_of_broadcast_products(shapes: Any, layout: str, device: str) -> None:
    arrays = operands(shapes)
    a, b = (gpugrad.tensor(x, device=device) for x in arrays)
    if layout == "transposed":
        a, b = (t.mT.contiguous().mT if t.ndim > 1 else t for t in (a, b))
    x, y = (t.detach().requires_grad_() for t in (a, b))
    left, right = arrays
    left = left[None] if left.ndim == 1 else left
    right = right[:, None] if right.ndim == 1 else right
    product = left @ right
    g = np.random.default_rng(1).standard_normal(product.shape)

    out = x @ y
    out.backward(gpugrad.tensor(g.reshape(out.shape), device=device))

    assert_agree(out, product.reshape(out.shape))
    expected = g @ np.swapaxes(right, -1, -2), np.swapaxes(left, -1, -2) @ g
    assert_agree(x.grad, summed_to(expected[0], left.shape).reshape(x.shape))
    assert_agree(y.grad, summed_to(expected[1], right.shape).reshape(y.shape))


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_higher_orders_of_broadcast_products(shapes: Any) -> None:
    check_gradient(gpugrad.matmul, list(map(gpugrad.tensor, operands(shapes))), order=2)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_gradients_of_broadcast_products_by_example(shapes: Any) -> None:
    x, y = map(gpugrad.tensor, operands(shapes))
    several = gpugrad.stack([y, y * 2, y - 1])

    def gradients(y: Any) -> Any:
        return gpugrad.func.grad(lambda x, y: (x @ y).sin().sum(), (0, 1))(x, y)

    found = vmap(gradients)(several)

    for k, y in enumerate(several):
        for one, expected in zip(found, gradients(y), strict=True):
            assert_agree(one[k], expected)


@pytest.mark.parametrize(
    "shapes", [((200, 200), (40, 200, 1)), ((40, 1, 200), (200, 200)),
               ((40, 1, 200, 200), (5, 200, 1))], ids=str
)  # fmt: skip
def test_no_outer_product_is_written_for_each_column(shapes: Any) -> None:
    x, y = (gpugrad.tensor(a).requires_grad_() for a in operands(shapes, np.float32))
    out = (x @ y).sum()
    tracemalloc.start()

    out.backward()

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * (x.nbytes + y.nbytes)


@pytest.mark.parametrize("dtype", ["float16", "int64", "complex64", "bool"])
def test_narrow_products_of_every_type(dtype: str) -> None:
    arrays = [(a * 3).astype(dtype) for a in operands([(5, 4), (3, 4, 1)])]
    x, y = map(gpugrad.tensor, arrays)
    if dtype == "bool":
        arrays = [a.astype(int) for a in arrays]
    wide = [a.astype(np.float32) if dtype == "float16" else a for a in arrays]
    for a, b, found in (wide[0], wide[1], x @ y), (
        wide[1].swapaxes(-1, -2), wide[0].T, y.mT @ x.T,
    ):  # fmt: skip
        expected = a @ b
        assert_agree(found, expected.astype(dtype) if dtype != "bool" else expected > 0)


def test_more_than_two_operands_are_multiplied_in_the_order_that_was_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Planner:
        asked: Any = None

        def contract_path(self, equation: str, *shapes: Any, **options: Any) -> Any:
            self.asked = equation, shapes, options
            return [(1, 2), (0, 1)], "a report"

    planner = Planner()
    monkeypatch.setattr(einsum, "_planner", lambda: planner)
    x, y, z = (
        gpugrad.tensor(o, dtype=gpugrad.float64)
        for o in (np.eye(2) + 1, np.ones((2, 3)), np.ones((3, 1)))
    )

    result = gpugrad.einsum("ij,jk,kl->il", x, y, z)

    assert_agree(result, x.array @ y.array @ z.array)
    shapes = (2, 2), (2, 3), (3, 1)
    assert planner.asked == ("ij,jk,kl->il", shapes, {"shapes": True, "optimize": "auto"})


def test_a_tensor_that_is_multiplied_by_0_is_not_seen(device: str) -> None:
    x: Any = gpugrad.full((2, 2), np.nan, device=device, requires_grad=True)
    y: Any = gpugrad.ones(2, 2, device=device)
    result = gpugrad.addmm(x, y, y, beta=0)
    result.sum().backward()
    assert_agree(result, np.full((2, 2), 2, np.float32))
    assert_agree(x.grad, np.zeros((2, 2), np.float32))

"""Cross entropy in one go: how many kernels on CUDA, rows of all lengths, and wrong classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.testing import assert_agree, count_kernels, devices_agree

t: Any = gpugrad
F: Any = gpugrad.nn.functional


@pytest.mark.cuda
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_takes_one_kernel_and_so_does_its_gradient(reduction: str, weighted: bool) -> None:
    x = t.ones((300, 40), device="cuda", requires_grad=True)
    target = t.arange(300, device="cuda") % 40
    weight = t.ones(40, device="cuda") if weighted else None
    with count_kernels() as launched:
        y = F.cross_entropy(x, target, weight, reduction=reduction)
    assert launched.total == 1
    g = t.ones_like(y)
    with count_kernels() as launched:
        t.autograd.grad(y, x, g)
    assert launched.total == 1


@pytest.mark.cuda
@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 1030), (300, 5), (4, 33, 7), (600, 2), (5, 3, 2, 300)]
)
def test_rows_of_all_lengths(shape: Any) -> None:
    draw = np.random.default_rng(0)
    x = draw.uniform(-3, 3, shape)
    places = draw.integers(0, shape[1], (shape[0], *shape[2:]))
    places.reshape(-1)[::7] = -100
    weight = draw.uniform(0.2, 2, shape[1])
    for reduction in "mean", "sum", "none":
        for given in None, weight:
            devices_agree(
                lambda x, r=reduction, w=given: F.cross_entropy(
                    x, t.tensor(places, device=x.device),
                    None if w is None else t.tensor(w, device=x.device, dtype=x.dtype),
                    reduction=r,
                ),
                x,
            )  # fmt: skip


@pytest.mark.parametrize("place", [7, -1])
def test_a_class_out_of_range_is_an_error(place: int, device: str) -> None:
    with pytest.raises(IndexError, match=f"Target {place} is out of bounds"):
        F.cross_entropy(t.ones(2, 3, device=device), t.tensor([0, place], device=device)).item()


def test_what_is_ignored_is_not_seen(device: str) -> None:
    x = t.tensor([[float("inf"), 0.0], [1.0, 3.0]], device=device, requires_grad=True)
    target = t.tensor([-100, 0], device=device)
    loss = F.cross_entropy(x, target)
    assert_agree(loss, t.tensor(2.126928, device=device))
    assert F.cross_entropy(x.detach(), target, reduction="none")[0].item() == 0


@pytest.mark.parametrize("smoothing", [None, 0.0, 0.1])
@pytest.mark.parametrize("shape", [(0, 0), (0, 0, 2), (3, 0, 0)])
def test_there_may_be_no_classes_where_there_are_no_examples(
    shape: tuple[int, ...], smoothing: float | None
) -> None:
    found = []
    for lib in gpugrad, pytorch():
        target = lib.zeros(shape[:1] + shape[2:], dtype=lib.int64)
        for reduction in "none", "sum", "mean":
            x = lib.zeros(shape, requires_grad=True)
            if smoothing is None:
                out = lib.nn.functional.nll_loss(x, target, reduction=reduction)
            else:
                out = lib.nn.functional.cross_entropy(
                    x, target, reduction=reduction, label_smoothing=smoothing
                )
            out.sum().backward()
            found.append([str(out.tolist()), tuple(x.grad.shape)])
    assert found[:3] == found[3:]


def test_the_gradient_of_a_gradient_is_that_of_the_definition(device: str) -> None:
    x = t.linspace(-1, 1, 12, device=device, dtype=t.float64).reshape(3, 4).requires_grad_()
    target = t.tensor([1, 3, 0], device=device)

    def curvature(loss: Any) -> Any:
        (slope,) = t.autograd.grad(loss, x, create_graph=True)
        return t.autograd.grad((slope * slope).sum(), x)[0]

    expected = curvature(F.nll_loss(x.log_softmax(1), target))
    assert_agree(curvature(F.cross_entropy(x, target)), expected)


_INF = float("inf")
_ROWS = [[0.3, -_INF, 0.5], [1.0, 2.0, -0.2]]


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, [0, 0, 1], [1, 0, 1], [-1, 1, 1], [_INF, 1, 1]])
def test_only_what_is_ignored_is_left_out(
    name: str, reduction: str, weight: Any, device: str
) -> None:
    for places in [1, 0], [-100, 1], [0, -100], [-100, -100], []:
        found = _orders(gpugrad, device, name, reduction, places, weight)
        expected = _orders(pytorch(), "cpu", name, reduction, places, weight)
        for one, other in zip(found, expected, strict=True):
            assert_agree(one, other)


def _orders(
    lib: Any, device: str, name: str, reduction: str, places: list[int], weight: Any
) -> list[Any]:
    """Return a loss, its gradient, computed at once and recorded, and those of this one."""
    rows = np.array(_ROWS)[: len(places)]
    x = lib.tensor(rows, device=device, requires_grad=True)
    target = lib.tensor(places, dtype=lib.int64, device=device)
    w = None if weight is None else lib.tensor(weight, dtype=lib.float64, device=device)
    loss = getattr(lib.nn.functional, name)(x, target, w, reduction=reduction)
    g = lib.ones_like(loss).requires_grad_()
    (at_once,) = lib.autograd.grad(loss, x, g.detach(), retain_graph=True)
    (slope,) = lib.autograd.grad(loss, x, g, create_graph=True)
    along = lib.tensor(np.arange(1.0, 1 + rows.size).reshape(rows.shape), device=device)
    second = lib.autograd.grad(slope, g, along)
    return [a.detach().cpu().numpy() for a in (loss, at_once, slope, *second)]


@pytest.mark.parametrize("name", ["l1_loss", "poisson_nll_loss"])
def test_the_second_gradient_of_a_mean_of_nothing(name: str, device: str) -> None:
    x = t.ones(0, 3, device=device, requires_grad=True)
    loss = getattr(F, name)(x, t.ones(0, 3, device=device))
    g = t.ones_like(loss).requires_grad_()
    (slope,) = t.autograd.grad(loss, x, g, create_graph=True)
    assert t.autograd.grad(slope.sum(), g)[0].item() == 0

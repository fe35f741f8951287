"""Dropout of networks and samples of categories: what remains, how it is scaled, who is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import agree_on
from gpugrad.func import vmap
from gpugrad.testing import assert_agree, count_kernels

F: Any = gpugrad.nn.functional
t: Any = gpugrad

_F = "torch.nn.functional"
_SHAPES = ("(3,)", "(3, 4)", "(2, 3, 4)", "(2, 3, 4, 5)", "(2, 3, 4, 5, 2)")
# What is compared with PyTorch: the type and the shape of each, the error, and what is warned of.
CALLS = [
    *(f"{_F}.{name}(torch.ones{shape}, {options})"
      for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
                   "feature_alpha_dropout")
      for shape in _SHAPES for options in ("0.3", "0.3, True, True", "p=0.3, training=False")),
    *(f"{_F}.{name}(torch.ones(2, 3, requires_grad=True), 0.5, True).grad_fn.name()"
      for name in ("dropout", "dropout1d", "alpha_dropout", "feature_alpha_dropout")),
    *(f"{_F}.{name}(torch.ones(2, 3), {p})" for name in ("dropout", "dropout1d", "alpha_dropout")
      for p in (-0.1, 1.1, 0, 1)),
    f"{_F}.dropout(torch.ones(3, dtype=torch.int64))",
    f"{_F}.gumbel_softmax(torch.ones(2, 3), hard=True, eps=1e-3)",
    f"{_F}.gumbel_softmax(torch.ones(2, 3, requires_grad=True)).grad_fn.name()",
    f"{_F}.gumbel_softmax(torch.ones(2, 3, dtype=torch.int64))",
    f"{_F}.rrelu(torch.ones(2), 2, 1)", f"{_F}.rrelu(-torch.ones(2), 0.5, 0.7, True)",
    f"{_F}.rrelu(-torch.ones(2, requires_grad=True), training=True).grad_fn.name()",
    f"{_F}.rrelu(torch.ones(2, dtype=torch.int64), training=True)",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_types_shapes_errors_and_warnings_are_pytorchs(call: str, device: str) -> None:
    seen = "y if isinstance(y, str) else (y.shape, str(y.dtype).split('.')[1])"
    agree_on(f"torch.manual_seed(0)\ny = {call}\n{seen}", device, warned=device == "cpu")


def test_what_remains_is_scaled_and_has_its_scale_for_a_gradient(device: str) -> None:
    t.manual_seed(0)
    for inplace in False, True:
        x = t.ones(1000, device=device, requires_grad=True)
        y = F.dropout(x * 1, 0.25, inplace=inplace)
        y.sum().backward()
        assert {*y.tolist()} == {0.0, 1 / 0.75} or abs(y.max().item() * 0.75 - 1) < 1e-6
        assert_agree(x.grad, y.detach())
        assert 650 < (y != 0).sum().item() < 850


@pytest.mark.parametrize(
    ("name", "shape"), [("dropout1d", (40, 5, 3)), ("dropout2d", (40, 5, 3, 2)),
                        ("dropout3d", (40, 5, 3, 2, 2)), ("dropout1d", (200, 3)),
                        ("dropout3d", (200, 3, 2, 2))],
)  # fmt: skip
def test_channels_are_dropped_as_a_whole(name: str, shape: Any, device: str) -> None:
    t.manual_seed(0)
    y = getattr(F, name)(t.ones(shape, device=device), 0.5)
    spatial = int(name[7])
    flat = y.reshape(-1, *shape[-spatial:]).flatten(1)
    assert {*flat.amax(1).tolist()} == {0.0, 2.0}
    assert_agree(flat.amax(1), flat.amin(1))


def test_alpha_dropout_keeps_mean_and_variance(device: str) -> None:
    t.manual_seed(0)
    x = t.randn(20_000, device=device)
    y = F.alpha_dropout(x, 0.3, training=True)
    assert abs(y.mean().item()) < 0.05
    assert abs(y.std().item() - 1) < 0.05
    assert F.alpha_dropout(x, 0.3) is x


def test_slopes_of_rrelu_lie_within_their_bounds(device: str) -> None:
    t.manual_seed(0)
    x = -t.ones(1000, device=device).requires_grad_()
    for inplace in False, True:
        y = F.rrelu(x * 1, 0.2, 0.6, training=True, inplace=inplace)
        (slopes,) = t.autograd.grad(y.sum(), x)
        assert_agree(-y, slopes)
        assert 0.2 <= slopes.min().item() < 0.25
        assert 0.55 < slopes.max().item() <= 0.6


def test_categories_are_sampled_as_often_as_their_probabilities_say(device: str) -> None:
    t.manual_seed(0)
    weights = t.tensor([0.2, 0.5, 0.3], device=device)
    logits = weights.log().expand(20_000, 3).clone().requires_grad_()
    y = F.gumbel_softmax(logits, tau=0.5, hard=True)
    assert_agree(y.detach().mean(0), weights, atol=0.02)
    (y * weights).sum().backward()
    assert logits.grad.abs().sum().item() > 0  # that of the smooth sample
    assert_agree(logits.grad.sum(1), t.zeros(20_000, device=device), atol=1e-5)


def test_examples_of_vmap_have_samples_of_their_own_or_the_same(device: str) -> None:
    x = t.zeros(2, 50, device=device)
    for draw in lambda r: F.gumbel_softmax(r), lambda r: F.dropout(r + 1):
        same = vmap(draw, randomness="same")(x)
        other = vmap(draw, randomness="different")(x)
        assert_agree(same[0], same[1])
        assert (other[0] != other[1]).any()


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_gpu_draws_what_remains_by_one_kernel(dtype: str) -> None:
    """And multiplies by it; a chance of less than 2**-16 takes more bits."""
    x = t.ones(100000, dtype=getattr(t, dtype), device="cuda")
    with count_kernels() as launched:
        y = t.nn.functional.dropout(x, 0.25)
    assert launched.total == 2
    assert set(y.cpu().numpy().tolist()) == {0.0, np.dtype(dtype).type(4 / 3).item()}
    assert abs((y == 0).float().mean().item() - 0.25) < 0.01  # seven deviations
    rare = t.nn.functional.dropout(x, 1 - 2.0**-17)
    assert (rare != 0).sum().item() < 12  # 0.8 are expected

"""Recurrent functions: types, weights and states that do not fit, and both ways to compute."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.testing import assert_agree, count_kernels

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def numbers(*shape: int, seed: int = 0) -> Any:
    return gpugrad.tensor(np.random.default_rng(seed).uniform(-1, 1, shape), requires_grad=True)


def called(name: str, x: Any, h: Any, weights: Any, *options: Any) -> Any:
    function = getattr(gpugrad, name)
    hx = (h, h) if name == "lstm" else h
    return function(x, hx, weights, *(options or (True, 1, 0.0, True, False, False)))


def weights_of(name: str, features: int = 3, hidden: int = 2) -> list[Any]:
    rows = GATES[name] * hidden
    shapes = (rows, features), (rows, hidden), (rows,), (rows,)
    return [numbers(*shape, seed=k) for k, shape in enumerate(shapes)]


@pytest.mark.parametrize("name", GATES)
def test_gradients_are_those_of_the_plain_definition(name: str) -> None:
    """One goes back through time in one go, the other is recorded, and so derived from steps."""
    x, h, weights = numbers(4, 2, 3), numbers(1, 2, 2, seed=1), weights_of(name)
    out, *ends = called(name, x, h, weights)
    loss = (out**3).sum() + sum((e**3).sum() for e in ends)
    fused = gpugrad.autograd.grad(loss, [x, h, *weights], retain_graph=True)
    plain = gpugrad.autograd.grad(loss, [x, h, *weights], create_graph=True)
    for one, other in zip(fused, plain, strict=True):
        assert other.requires_grad
        assert_agree(one, other.detach(), 1e-12, 1e-13)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", GATES)
def test_gradients_of_packed_sequences_are_those_of_the_plain_definition(
    name: str, backwards: bool, device: str
) -> None:
    """Sequences end at different times, or, of two directions, begin at these."""
    sizes = gpugrad.tensor([3, 3, 2, 1])
    directions = 1 + backwards
    several = [weights_of(name) for _ in range(directions)]
    x, h, weights = numbers(9, 3), numbers(directions, 3, 2, seed=1), [*itertools.chain(*several)]
    x, h, *weights = (t.detach().to(device).requires_grad_() for t in (x, h, *weights))
    function = getattr(gpugrad, name)
    hx = (h, h * 0.5) if name == "lstm" else h
    out, *ends = function(x, sizes, hx, weights, True, 1, 0.0, True, backwards)
    for loss in (out**3).sum() + sum((e**3).sum() for e in ends), (ends[-1] ** 3).sum():
        fused = gpugrad.autograd.grad(loss, [x, h, *weights], retain_graph=True)
        plain = gpugrad.autograd.grad(loss, [x, h, *weights], create_graph=True)
        for one, other in zip(fused, plain, strict=True):
            assert_agree(one, other.detach(), 1e-12, 1e-13)


@pytest.mark.parametrize("name", GATES)
def test_a_cell_is_a_layer_of_one_time(name: str, device: str) -> None:
    x, h, *weights = (
        t.detach().to(device).requires_grad_()
        for t in (numbers(4, 3), numbers(4, 2, seed=1), *weights_of(name))
    )
    cell = getattr(gpugrad, f"{name}_cell")
    found = cell(x, (h, h * 0.5) if name == "lstm" else h, *weights)
    found = found if name == "lstm" else (found,)
    hx = (h[None], h[None] * 0.5) if name == "lstm" else h[None]
    other = getattr(gpugrad, name)(x[None], hx, weights, True, 1, 0.0, True, False, False)[1:]
    for one, two in zip(found, other, strict=True):
        assert_agree(one, two[0])
    loss, last = sum((t**3).sum() for t in found), sum((t**3).sum() for t in other)
    inputs = [x, h, *weights]
    for one, two in zip(
        gpugrad.autograd.grad(loss, inputs), gpugrad.autograd.grad(last, inputs), strict=True
    ):
        assert_agree(one, two)
    with pytest.raises(RuntimeError):
        cell(x, (h[:3], h[:3]) if name == "lstm" else h[:3], *weights)


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [gpugrad.float64, gpugrad.float16, gpugrad.bfloat16])
@pytest.mark.parametrize("name", GATES)
def test_a_time_takes_one_product_and_one_kernel_in_each_direction(name: str, dtype: Any) -> None:
    def counts(length: int) -> tuple[int, int]:
        h, *weights = (
            t.detach().to("cuda", dtype).requires_grad_()
            for t in (numbers(1, 2, 2), *weights_of(name))
        )
        x = numbers(length, 2, 3).detach().to("cuda", dtype)
        with count_kernels() as forward:
            out = called(name, x, h, weights)[0]
        g = gpugrad.ones_like(out)
        with count_kernels() as backward:
            gpugrad.autograd.grad(out, [h, *weights], g)
        return forward.total, backward.total

    assert np.subtract(counts(7), counts(5)).tolist() == [4, 4]


@pytest.mark.cuda
@pytest.mark.parametrize(("dtype", "eps"), [(gpugrad.float16, 2**-11), (gpugrad.bfloat16, 2**-8)])
@pytest.mark.parametrize("name", GATES)
def test_layers_of_halves_compute_in_single_precision(name: str, dtype: Any, eps: float) -> None:
    x, h, *weights = (
        t.detach().to(dtype)
        for t in (numbers(4, 2, 3), numbers(1, 2, 2, seed=1), *weights_of(name))
    )

    def results(dtype: Any) -> list[Any]:
        given = [t.to("cuda", dtype).requires_grad_() for t in (x, h, *weights)]
        out, *ends = called(name, given[0], given[1], given[2:])
        loss = (out * out).sum() + sum((e * e).sum() for e in ends)
        return [t.detach() for t in (out, *ends, *gpugrad.autograd.grad(loss, given))]

    for mine, expected in zip(results(dtype), results(gpugrad.float64), strict=True):
        assert mine.dtype == dtype
        # states, gates and their gradients are rounded at each time
        assert_agree(mine.double(), expected, 8 * eps, 8 * eps * expected.abs().max().item())


@pytest.mark.parametrize("name", GATES)
def test_gradients_of_two_biases_are_two_tensors(name: str) -> None:
    x, h, weights = numbers(4, 2, 3), numbers(1, 2, 2, seed=1), weights_of(name)
    called(name, x, h, weights)[0].sum().backward()
    kept = weights[3].grad.clone()
    weights[2].grad.zero_()
    assert_agree(weights[3].grad, kept)


@pytest.mark.parametrize("name", GATES)
def test_shapes_that_do_not_fit_are_named(name: str) -> None:
    x, h, weights = numbers(4, 2, 3), numbers(1, 2, 2), weights_of(name)
    w, u, b, d = weights
    for wrong, match in (
        ((x[0], h, weights), "the input has 2 dimensions, expected 3"),
        ((x[:0], h, weights), "Expected sequence length to be larger than 0 in RNN"),
        ((x, h[0], weights), r"a state has the shape \[2, 2\], expected \[1, examples, hidden\]"),
        ((x, h, [w[:, :2], u, b, d]), r"the input has the shape"),
        ((x, h, [w, u[:, :1], b, d]), r"weight has the shape"),
        ((x, h, [w, u, b[:1], d]), r"the first bias has the shape \[1\]"),
        ((x, h[..., :1], weights), r"state 0 has the shape \[2, 1\], expected \[2, 2\]"),
    ):
        with pytest.raises(RuntimeError, match=match):
            called(name, *wrong)
    with pytest.raises(TypeError, match="received an invalid combination of arguments - got 4"):
        called(name, x, h, weights, True)


def test_dropout_is_between_layers_only() -> None:
    x, h = numbers(4, 2, 3), numbers(2, 2, 2)
    two = [*weights_of("gru"), *weights_of("gru", 2)]
    one = called("gru", x, h[:1], two[:4], True, 1, 1.0, True, False, False)[0]
    assert_agree(one, called("gru", x, h[:1], two[:4])[0])
    dropped = called("gru", x, h, two, True, 2, 1.0, True, False, False)[0]
    zero = called("gru", x[..., :2] * 0, h[1:], two[4:])[0]
    assert_agree(dropped, zero)
    still = called("gru", x, h, two, True, 2, 1.0, False, False, False)[0]
    assert not gpugrad.equal(still, dropped)

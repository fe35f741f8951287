"""Recurrent functions: types, weights and states that do not fit, and both ways to compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.testing import assert_close

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
        assert_close(one, other.detach(), 1e-12, 1e-13)


@pytest.mark.parametrize("name", GATES)
def test_gradients_of_two_biases_are_two_tensors(name: str) -> None:
    x, h, weights = numbers(4, 2, 3), numbers(1, 2, 2, seed=1), weights_of(name)
    called(name, x, h, weights)[0].sum().backward()
    kept = weights[3].grad.clone()
    weights[2].grad.zero_()
    assert_close(weights[3].grad, kept)


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
    assert_close(one, called("gru", x, h[:1], two[:4])[0])
    dropped = called("gru", x, h, two, True, 2, 1.0, True, False, False)[0]
    zero = called("gru", x[..., :2] * 0, h[1:], two[4:])[0]
    assert_close(dropped, zero)
    still = called("gru", x, h, two, True, 2, 1.0, False, False, False)[0]
    assert not gpugrad.equal(still, dropped)

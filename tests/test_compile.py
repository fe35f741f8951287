"""Compiled functions give what the functions give: values, gradients and effects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.errors import Unsupported


def same(a: Any, b: Any) -> None:
    """See that two results are equal but for the order in which loops add."""
    if isinstance(a, tuple | list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
        return
    assert a.dtype == b.dtype
    a, b = (t.detach().numpy() for t in (a, b))
    tolerance = {"f": 2e-5, "c": 2e-5}.get(a.dtype.kind, 0) * (1e-8 if a.itemsize > 4 else 1)
    np.testing.assert_allclose(a, b, tolerance, tolerance)


def runs(compiled: Any, *inputs: Any) -> Any:
    """Return what a compiled function gives for some inputs, all of one program."""
    found = [compiled(*given) for given in inputs]
    assert compiled.reasons == []
    assert compiled.count == 1
    return found


def test_a_function_of_tensors() -> None:
    def f(x: Any, y: Any) -> Any:
        return (x * y).sin().sum() + x.mean(), x[1:].t() * 2

    inputs = [(gpugrad.randn(3, 4), gpugrad.randn(3, 4)) for _ in range(3)]

    for given, found in zip(inputs, runs(gpugrad.compile(f), *inputs), strict=True):
        same(found, f(*given))


def test_gradients_inside() -> None:
    def f(x: Any) -> Any:
        x = x.detach().requires_grad_()
        (first,) = gpugrad.autograd.grad((x**3).sum(), x, create_graph=True)
        return gpugrad.autograd.grad(first.sin().sum(), x)[0]

    inputs = [(gpugrad.randn(5),) for _ in range(3)]

    for given, found in zip(inputs, runs(gpugrad.compile(f), *inputs), strict=True):
        same(found, f(*given))


@pytest.mark.parametrize("transform", ["grad", "jacrev", "hessian", "vmap", "jacfwd"])
def test_transforms_inside(transform: Any) -> None:
    def f(x: Any) -> Any:
        return (x.sin() * x).sum()

    g = getattr(gpugrad.func, transform)(f)
    inputs = [(gpugrad.randn(3, 3),) for _ in range(3)]

    for given, found in zip(inputs, runs(gpugrad.compile(g), *inputs), strict=True):
        same(found, g(*given))


def test_a_history_goes_on_through_the_call() -> None:
    w = gpugrad.randn(4, requires_grad=True)
    c = gpugrad.compile(lambda x: (w * x).exp().sum())

    for _ in range(3):
        x = gpugrad.randn(4, requires_grad=True)
        z = x * 2
        found = gpugrad.autograd.grad(c(z), (w, x), retain_graph=True)
        same(found, gpugrad.autograd.grad((w * z).exp().sum(), (w, x)))
    assert c(z).grad_fn.name() == "CompiledFunctionBackward"


def test_random_numbers_are_drawn_anew() -> None:
    def f(x: Any) -> Any:
        return gpugrad.rand(3) + x.bernoulli()

    x = gpugrad.full((3,), 0.5)
    c = gpugrad.compile(f)
    found, expected = [
        [gpugrad.manual_seed(0), *(function(x) for _ in range(3))][1:] for function in (c, f)
    ]

    same(found, expected)
    assert c.count == 1


def test_a_branch_on_a_value_runs_as_it_is_written() -> None:
    @gpugrad.compile
    def f(x: Any) -> Any:
        return x * 2 if x.sum() > 0 else x * 3

    for x in (gpugrad.ones(2), -gpugrad.ones(2), gpugrad.ones(2)):
        same(f(x), x * (2 if x[0] > 0 else 3))
    assert f.count == 0


def test_with_fullgraph_a_branch_names_the_line() -> None:
    @gpugrad.compile(fullgraph=True)
    def f(x: Any) -> Any:
        return x * 2 if x.sum() > 0 else x * 3  # here

    with pytest.raises(Unsupported, match=r"# here(?s:.)*fullgraph=False"):
        f(gpugrad.ones(2))
    assert not gpugrad.compiler.is_compiling()
    assert (gpugrad.ones(2) + 1)._array.__class__ is np.ndarray


def test_derivatives_of_any_order_of_a_compiled_call() -> None:
    w = gpugrad.randn(4, requires_grad=True, dtype=gpugrad.float64)

    def f(x: Any) -> Any:
        return (w * x).sin().sum(), x.exp()

    def orders(f: Any, x: Any) -> Any:
        y = x * 1.5
        first, second = f(y)
        (g,) = gpugrad.autograd.grad(first + second.sum(), x, create_graph=True)
        h = gpugrad.autograd.grad(g.pow(2).sum(), (x, w), create_graph=True)
        return g, *h, *gpugrad.autograd.grad(h[0].sum() + h[1].sum(), (x, w))

    c = gpugrad.compile(f)
    for _ in range(3):
        x = gpugrad.randn(4, requires_grad=True, dtype=gpugrad.float64)
        same(orders(c, x), orders(f, x))
    assert c.count == 1


def test_a_second_derivative_draws_again_what_was_drawn() -> None:
    f = gpugrad.compile(lambda x: (gpugrad.nn.functional.dropout(x, 0.5) ** 3).sum())
    for _ in range(3):
        x = gpugrad.full((50,), 2.0, requires_grad=True)
        (g,) = gpugrad.autograd.grad(f(x), x, create_graph=True)
        (h,) = gpugrad.autograd.grad(g.sum(), x)
        assert (g == 3 * 8 * 4 * (g > 0)).all()
        assert (h == 6 * 8 * 2 * (g > 0)).all()
        assert 0 < (g > 0).sum() < 50


@pytest.mark.parametrize("transform", ["grad", "jacrev", "hessian", "vmap", "jacfwd"])
def test_transforms_around(transform: Any) -> None:
    def f(x: Any) -> Any:
        return (x.sin() * x).sum()

    c = gpugrad.compile(f)
    x = gpugrad.randn(3, 3)
    same(c(x), f(x))
    same(getattr(gpugrad.func, transform)(c)(x), getattr(gpugrad.func, transform)(f)(x))


def test_batched_gradients_of_a_compiled_call() -> None:
    c = gpugrad.compile(lambda x: x.sin())
    for _ in range(2):
        x = gpugrad.randn(3, requires_grad=True)
        (rows,) = gpugrad.autograd.grad(c(x), x, gpugrad.eye(3), is_grads_batched=True)
        same(rows, x.cos().diag())


def test_several_results_of_which_some_have_no_gradient() -> None:
    def f(x: Any) -> Any:
        top, places = x.max(1)
        return top, places, x.detach().sum(), {"twice": x * 2}

    c = gpugrad.compile(f)
    for _ in range(3):
        x = gpugrad.randn(3, 4, requires_grad=True)
        top, places, total, rest = c(x)
        assert top.requires_grad
        assert not places.requires_grad
        assert not total.requires_grad
        same((top, places, total, rest["twice"]), (*f(x)[:3], f(x)[3]["twice"]))
        (g,) = gpugrad.autograd.grad(rest["twice"].sum() + top.sum(), x)
        same(g, 2 + gpugrad.nn.functional.one_hot(places, 4).float())
    assert c.count == 1


def test_a_loss_whose_backward_was_in_the_call() -> None:
    def step(x: Any) -> Any:
        loss = (x * x).sin().sum()
        loss.backward()
        return loss

    compiled = gpugrad.compile(step)
    for _ in range(3):
        x = gpugrad.randn(5, requires_grad=True)
        loss = compiled(x)
        same(x.grad, 2 * x * (x * x).cos())
        assert loss.requires_grad
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()
    assert compiled.reasons == []

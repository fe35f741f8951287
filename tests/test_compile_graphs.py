"""Compiled functions on a GPU that are replayed as CUDA graphs."""

from __future__ import annotations

from typing import Any

import pytest
from test_compile import same

import gpugrad
from gpugrad import nn
from gpugrad.compiler.graphed import Graphed

pytestmark = pytest.mark.cuda


def graphed(compiled: Any) -> Graphed:
    """Return what runs the program of a compiled function."""
    run = compiled.last.run
    assert isinstance(run, Graphed)
    return run


def on_host(tensor: Any) -> Any:
    return tensor.detach().cpu()


def test_a_program_is_replayed() -> None:
    w = gpugrad.randn(8, device="cuda")

    def f(x: Any) -> Any:
        y = (x * w).exp()
        return y.sum(), y + 1, x[1:]

    compiled = gpugrad.compile(f, mode="reduce-overhead")
    kept = []
    for k in range(5):
        x = gpugrad.randn(8, device="cuda") * k
        kept.append((compiled(x), f(x)))
    w.mul_(2)
    kept.append((compiled(x), f(x)))
    w.data = w.data + 1
    kept.append((compiled(x), f(x)))
    for found, expected in kept:  # none is overwritten by the next replay
        for a, b in zip(found, expected, strict=True):
            same(on_host(a), on_host(b))
    assert graphed(compiled).captures == 2


def trained(loss_of: Any) -> Any:
    """Return the parameters of a module after some steps, and its loss."""
    gpugrad.manual_seed(0)
    net = nn.Linear(3, 2, device="cuda")
    x = gpugrad.randn(4, 3, device="cuda")
    for _ in range(4):
        net.zero_grad()
        loss_of(net, x).backward()
        with gpugrad.no_grad():
            for p in net.parameters():
                p.sub_(p.grad, alpha=0.1)
    return [*map(on_host, net.parameters()), on_host(loss_of(net, x))]


def test_training_by_graphs_of_both_directions() -> None:
    def loss_of(net: Any, x: Any) -> Any:
        return (net(x) ** 2).sum()

    compiled: Any = gpugrad.compile(loss_of, mode="reduce-overhead")
    for a, b in zip(trained(compiled), trained(loss_of), strict=True):
        same(a, b)
    assert graphed(compiled).captures == 1
    assert compiled.last.gradient.run.captures == 1


def test_what_is_written_is_written_in_place() -> None:
    total = gpugrad.zeros(3, device="cuda")

    @gpugrad.compile(mode="reduce-overhead")
    def f(x: Any) -> Any:
        total.add_(x)
        return total * 2

    for k in range(1, 6):
        assert on_host(f(gpugrad.ones(3, device="cuda"))).tolist() == [2 * k] * 3
        assert on_host(total).tolist() == [k] * 3
    assert graphed(f).captures == 1


def test_results_are_parts_of_what_is_not_returned() -> None:
    @gpugrad.compile(mode="reduce-overhead")
    def f(x: Any) -> Any:
        y = x + 1
        return y[:2], y[2:]

    found = [f(gpugrad.full((4,), float(k), device="cuda")) for k in range(4)]
    for k, (first, second) in enumerate(found):
        assert on_host(first).tolist() == on_host(second).tolist() == [k + 1] * 2
    assert graphed(f).captures == 1


def test_random_numbers_are_drawn_at_each_call() -> None:
    @gpugrad.compile(mode="reduce-overhead")
    def f(x: Any) -> Any:
        return x + gpugrad.rand(4, device="cuda")

    x = gpugrad.zeros(4, device="cuda")
    found = [tuple(on_host(f(x)).tolist()) for _ in range(4)]
    assert len(set(found)) == 4


def test_on_the_cpu_the_mode_says_nothing() -> None:
    compiled = gpugrad.compile(lambda x: (x * 2).exp(), mode="reduce-overhead")
    for _ in range(3):
        x = gpugrad.randn(4)
        same(compiled(x), (x * 2).exp())
    assert not isinstance(compiled.last.run, Graphed)

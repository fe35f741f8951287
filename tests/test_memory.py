"""Memory and depth: graphs die by reference counting, steps leave nothing, chains may be long."""

from __future__ import annotations

import copy
import functools
import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import choice
import gpugrad
from gpugrad.graph import below
from gpugrad.testing import flat
from gpugrad.utils.checkpoint import checkpoint
from samples import SAMPLES, Sample

EVERY = {f"{op} {sample}": sample for op, sample in choice.by_rule(choice.DIFFERENTIABLE)}


def leaf(data: Any, device: str = "cpu") -> Any:
    return gpugrad.tensor(data, dtype=gpugrad.float64, device=device, requires_grad=True)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What dies in this test dies by its last reference, or where it collects what it made."""
    gc.disable()
    gc.freeze()  # collecting does not look at what was there before
    yield
    gc.enable()


def watched(outs: Any) -> list[Any]:
    """Return weak references to tensors, to their arrays and to all nodes that they come from."""
    nodes = below([t.grad_fn for t in outs]).values()
    found: list[Any] = [weakref.ref(n) for n in nodes]
    for t in outs:
        found.append(weakref.ref(t))
        if isinstance(t._array, np.ndarray) and t._view is None:  # a view's may be its base's
            found.append(weakref.ref(t._array))
    return found


def alive(references: list[Any]) -> list[Any]:
    return [r() for r in references if r() is not None]


# --------------------------------------------------------------------------- freeing


def outputs(sample: Sample, device: str) -> tuple[list[Any], list[Any]]:
    leaves = sample.tensors(device=device)
    return leaves, [t for t in flat(sample.function(gpugrad, *leaves)) if t.grad_fn is not None]


def test_a_graph_of_any_operation_is_freed_by_reference_counting(
    device: str, no_collector: None
) -> None:
    kept = []
    for name, sample in EVERY.items():
        for walks in False, True:
            leaves, outs = outputs(sample, device)
            references = watched(outs)
            if walks:
                weights = [gpugrad.ones_like(t) for t in outs]
                gpugrad.autograd.backward(outs, weights, retain_graph=True)
            outs = weights = []
            kept += [(name, walks, str(type(r))) for r in alive(references)]
            references = [weakref.ref(t) for t in leaves]
            leaves = []
            kept += [(name, walks, str(type(r))) for r in alive(references)]
    assert kept == []


def test_after_create_graph_one_collection_frees_all(device: str, no_collector: None) -> None:
    kept = []
    for name, sample in EVERY.items():
        leaves, outs = outputs(sample, device)
        references = watched(outs) + [weakref.ref(t) for t in leaves]
        weights = [gpugrad.ones_like(t) for t in outs]
        gpugrad.autograd.backward(outs, weights, create_graph=True)
        recorded = [t.grad for t in leaves if t.grad is not None and t.grad.grad_fn is not None]
        references += watched(recorded)
        leaves = outs = weights = recorded = []
        gc.collect()
        kept += [(name, r) for r in alive(references)]
    assert kept == []


class Cube(gpugrad.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = x * x * x
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, _ = ctx.saved_tensors
        return g * 3 * x * x


def hooked(x: Any) -> Any:
    y = x.exp()
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_prehook(lambda grads: grads)
    y.grad_fn.register_hook(lambda inputs, outputs: inputs)
    y.grad_fn.metadata["note"] = [1]
    assert y.grad_fn.next_functions[0][0].variable is x
    return y * y


def packed(x: Any) -> Any:
    with gpugrad.autograd.graph.saved_tensors_hooks(lambda t: (t, [t]), lambda p: p[0]):
        return x.exp() * x


def written(x: Any) -> Any:
    base = x * 2
    view, other = base[:1], base.view(2, 1)
    view.mul_(x[1:]).exp_()
    other[1:] += view
    return other.t() * base


def anomalous(x: Any) -> Any:
    with gpugrad.autograd.set_detect_anomaly(True, check_nan=False):
        return x.exp() * x


def on_host(x: Any) -> Any:
    with gpugrad.autograd.graph.save_on_cpu():
        return x.exp() * x


WAYS: dict[str, Callable[[Any], Any]] = {
    "hooks": hooked,
    "hooks on saved tensors": packed,
    "function": Cube.apply,
    "views and in place": written,
    "checkpoint": lambda x: checkpoint(lambda x: x.exp() * x, x, use_reentrant=False),
    "reentrant checkpoint": lambda x: checkpoint(lambda x: x.exp() * x, x, use_reentrant=True),
    "anomaly": anomalous,
    "kept on the host": on_host,
}


@pytest.mark.parametrize("walks", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("name", WAYS)
def test_a_graph_with_all_that_stands_beside_it_is_freed(
    name: str, walks: bool, device: str, no_collector: None
) -> None:
    x = leaf([1.0, 2.0], device)
    out = WAYS[name](x)
    references = watched([out])
    if walks:
        out.sum().backward(retain_graph=True)
        out.sum().backward()
    del out
    assert alive(references) == []
    references = [weakref.ref(x)]
    del x
    assert alive(references) == []


def test_a_walk_that_failed_keeps_nothing(no_collector: None) -> None:
    x = leaf([1.0, 2.0])
    y = (x * 2).exp()
    out = (y * y).sum()
    with gpugrad.no_grad():
        y.add_(1)
    references = watched([y, out])
    try:
        out.backward()
    except RuntimeError as error:
        assert "inplace" in str(error)  # noqa: PT017  what pytest.raises returns keeps the frames
    del y, out
    assert alive(references) == []


# --------------------------------------------------------------------------- many steps

STEPS = """
import resource
import gpugrad as torch
from gpugrad.utils.checkpoint import checkpoint

device, WARM, STEPS = {given}
torch.manual_seed(0)
data = torch.randn(16, 4, device=device)
target = (data ** 2).sum(1, keepdim=True)
w1 = torch.randn(4, 8, device=device, requires_grad=True)
w2 = torch.randn(8, 1, device=device, requires_grad=True)
b = torch.zeros(8, device=device, requires_grad=True)
optimizer = torch.optim.SGD([w1, w2, b], lr=1e-3, momentum=0.9)
w1.register_hook(lambda g: g.clamp(-1, 1))
b.register_post_accumulate_grad_hook(lambda p: None)


def step(k):
    optimizer.zero_grad(set_to_none=k % 2 == 0)
    hidden = (data @ w1 + b).tanh() * 2
    hidden[:, 0].mul_(0.5)
    hidden.register_hook(lambda g: g * 1)
    hidden = hidden.view(4, 4, 8)
    hidden = checkpoint(lambda h: h.exp().log1p(), hidden.reshape(16, 8), use_reentrant=False)
    loss = ((hidden @ w2 - target) ** 2).mean()
    if k % 10 == 0:
        (g,) = torch.autograd.grad(loss, w2, create_graph=True)
        loss = loss + 1e-3 * (g ** 2).sum()
    loss.backward()
    optimizer.step()
    return loss


def grown():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


import gc
first = step(0).item()
for k in range(WARM):
    step(k)
gc.collect()
gc.disable()
before = grown()
for k in range(STEPS):
    last = step(k)
print(grown() - before, first, last.item())
"""


EMULATION = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
import hostcuda
hostcuda.install()
"""


def kept_objects() -> tuple[int, int]:
    """Return how many objects there are, and how many entries caches of functions have."""
    gc.collect()
    found = gc.get_objects()
    caches = [o for o in found if isinstance(o, functools._lru_cache_wrapper)]
    return len(found), sum(c.cache_info().currsize for c in caches)


def test_calls_of_no_operation_leave_anything(no_collector: None) -> None:
    """Nothing that is compiled or remembered for a call is made anew for the next ones."""
    grown = []
    for name, samples in SAMPLES.items():
        calls = [(s, s.tensors()) for s in samples if s.layout == "plain"]

        def call(times: int, calls: list[Any] = calls) -> None:
            for sample, leaves in calls * times:
                outs = [t for t in flat(sample.function(gpugrad, *leaves)) if t.requires_grad]
                gpugrad.autograd.backward(outs, [gpugrad.ones_like(t) for t in outs])

        call(3)
        before = kept_objects()
        call(7)
        after = kept_objects()
        if after > before:  # by these calls, or by something else that went on meanwhile
            call(7)
            if (again := kept_objects()) > after:
                grown.append((name, before, after, again))
        calls.clear()
    assert grown == []


# Numbers that differ from call to call.
NUMBERED: dict[str, Callable[[Any, float], Any]] = {
    "pow": lambda x, k: x**k,
    "rpow": lambda x, k: k**x,
    "norm": lambda x, k: x.norm(k),
    "norm below one": lambda x, k: x.norm(1 / k, 0),
    "clamp": lambda x, k: x.clamp(-k, k),
    "softplus": lambda x, k: gpugrad.softplus(x, k, 2 * k),
    "arithmetic": lambda x, k: gpugrad.add(x * k / k - k, k, alpha=k),
    "masked_fill": lambda x, k: x.masked_fill(x > k, k),
    "std": lambda x, k: x.std(0, correction=1 / k),
    "vmap": lambda x, k: gpugrad.func.vmap(lambda row: row * k)(x),
    "jvp": lambda x, k: gpugrad.func.jvp(lambda x: x * k, (x,), (x,))[1],
}


# How many tensors there are differs from call to call.  On a GPU plans of shapes are remembered,
# the last 4096 of them, so that these are for the CPU.
COUNTED: dict[str, Callable[[Any, float], Any]] = {
    "cat": lambda x, k: gpugrad.cat([x] * int(64 * k)),  # of a list that grows
    "some of cat": lambda x, k: gpugrad.cat([x] * int(64 * k - 180) + [x.detach()]),
    "split": lambda x, k: sum(x.expand(int(64 * k), 2).unbind()),
    "sections": lambda x, k: sum(gpugrad.tensor_split(x.expand(int(64 * k), 2), int(64 * k))),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_nothing_is_compiled_or_kept_for_a_number(
    name: str, device: str, no_collector: None
) -> None:
    check_nothing_is_kept(NUMBERED[name], device)


@pytest.mark.parametrize("name", COUNTED)
def test_nothing_is_kept_for_a_number_of_tensors(name: str, no_collector: None) -> None:
    check_nothing_is_kept(COUNTED[name], "cpu")


def check_nothing_is_kept(function: Callable[[Any, float], Any], device: str) -> None:
    x = leaf([1.5, 2.5], device)

    def call(first: int, last: int) -> None:
        for k in range(first, last):
            (y := function(x, 3 + k / 64)).backward(gpugrad.ones_like(y))

    call(0, 3)
    before = kept_objects()
    call(3, 30)
    # what is kept by a call is there 27 times; a few come and go with the threads of pytest-xdist
    for now, then in zip(kept_objects(), before, strict=True):
        assert now <= then + 10


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_steps(device: str) -> None:
    # what is kept in each step takes 200 bytes and more: a tensor and its memory, or a write
    warm, steps = (1000, 10_000) if choice.thorough else (500, 2000 if device == "cpu" else 1000)
    most = 1_000_000 if choice.thorough else 200 * steps
    emulated = device == "cuda" and os.environ.get("GPUGRAD_HOSTCUDA", "") not in ("", "0")
    start = EMULATION if emulated else ""
    done = subprocess.run(
        [sys.executable, "-c", start + STEPS.format(given=(device, warm, steps))],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    growth, first, last = map(float, done.stdout.split())
    assert growth <= most
    assert last < first / 2  # it has learned


def test_writes_are_forgotten_when_the_checkpoints_between_them_are() -> None:
    """Also where each checkpoint lives longer than until the next write."""
    w = gpugrad.ones(3, requires_grad=True)
    alive: list[Any] = []
    for _ in range(50):
        alive = [*alive[-2:], checkpoint(lambda w: w * w, w, use_reentrant=False)]
        with gpugrad.no_grad():
            w.mul_(0.5)
    assert w._counter is not None
    assert len(w._counter.writes) <= 8


# --------------------------------------------------------------------------- depth


def function_of_several(x: Any) -> Any:
    a, b = gpugrad.stack([x, x]).unbind()
    return (a + b) * 0.5


def into_a_slice(x: Any) -> Any:
    y = x + 0
    y[0].mul_(1.0)
    return y


# What is done link by link in a recursion ends at a thousand in Python, at some ten thousand in C.
LINKS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "neg": (lambda x: -x, 100_000),
    "saves": (lambda x: x * 1.0, 30_000),
    "saves its output": (lambda x: x.relu(), 30_000),
    "in place": (lambda x: x.clone() if x.is_leaf else x.neg_(), 30_000),
    "view": (lambda x: x.view(2), 30_000),
    "slice": (into_a_slice, 3000),
    "several outputs": (function_of_several, 3000),
    "function": (Cube.apply, 3000),
}


@pytest.mark.parametrize("walks", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("name", LINKS)
def test_a_long_chain_is_built_printed_copied_differentiated_and_freed(
    name: str, walks: bool, no_collector: None
) -> None:
    link, length = LINKS[name]
    length *= 10 if choice.thorough else 1
    x = leaf([1.0, 1.0])
    y = x
    for _ in range(length):
        y = link(y)
    assert "grad_fn" in repr(y)
    assert repr(y.grad_fn).startswith("<")
    assert copy.copy(y).tolist() == copy.deepcopy(y.detach()).tolist() == y.tolist()
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(y)
    if walks:
        (g,) = gpugrad.autograd.grad(y.sum(), x, retain_graph=True)
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == g.tolist()
    last = weakref.ref(y.grad_fn)
    del y
    assert last() is None


def test_a_long_chain_has_second_derivatives(no_collector: None) -> None:
    length, rate = 20_000, 1 + 1e-5
    x = leaf(1.0)
    y = x * x
    for _ in range(length):
        y = y * rate
    for _ in range(length):
        y = y + x * x
    (first,) = gpugrad.autograd.grad(y, x, create_graph=True)
    (second,) = gpugrad.autograd.grad(first, x, create_graph=True)
    assert first.item() == pytest.approx(2 * rate**length + 2 * length)
    assert second.item() == pytest.approx(2 * rate**length + 2 * length)
    assert "grad_fn" in repr(first)
    last = weakref.ref(first.grad_fn)
    del y, first, second
    assert last() is None


def test_the_second_derivative_of_a_chain_of_squares_is_as_deep(no_collector: None) -> None:
    x = leaf(1.0)
    y = x * 1
    steps = 4000  # of five nodes
    for _ in range(steps):
        y = (y * y + y) * 0.5  # y stays 1; its derivative by the last one is 1.5
        y = y / 1.5 + 1 / 3
    (first,) = gpugrad.autograd.grad(y, x, create_graph=True)
    (second,) = gpugrad.autograd.grad(first, x, create_graph=True)
    assert first.item() == pytest.approx(1.0)
    # f(f(...)) of f with f' = 1 and f'' = 2 / 3 at its fixed point
    assert second.item() == pytest.approx(steps * 2 / 3)
    last = weakref.ref(second.grad_fn)
    del y, first, second
    assert last() is None


def test_a_wide_graph_is_differentiated_twice() -> None:
    x = leaf(1.0)
    branches = [x * x * k for k in range(2000)]
    y = gpugrad.stack(branches).sum()
    (first,) = gpugrad.autograd.grad(y, x, create_graph=True)
    (second,) = gpugrad.autograd.grad(first, x)
    assert first.item() == second.item() == 2 * 1_999_000


def test_ten_thousand_leaves_and_roots() -> None:
    leaves = [leaf(1.0) for _ in range(10_000)]
    shared = leaf(2.0)
    gpugrad.autograd.backward([x * shared for x in leaves])
    assert shared.grad is not None
    assert shared.grad.item() == 10_000
    assert all(x.grad is not None and x.grad.item() == 2 for x in leaves)

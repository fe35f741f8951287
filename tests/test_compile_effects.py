"""What compiled functions do beside their results: writes, gradients, steps of optimizers."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import nn, optim

OPTIMIZERS = [
    "SGD", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop",
    "Rprop", "Adafactor",
]  # fmt: skip


def close(found: Any) -> None:
    compiled, eager = found
    for a, b in zip(compiled, eager, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), 1e-5, 1e-6)


def training(name: Any) -> Any:
    net = nn.Sequential(
        nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)
    )
    decay = {} if name == "Rprop" else {"weight_decay": 0.1}
    opt = getattr(optim, name)(net.parameters(), lr=0.01, **decay)
    schedule = optim.lr_scheduler.StepLR(opt, 2, 0.5)

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        return loss.detach()

    return net, schedule, step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_with_a_schedule(name: Any) -> None:
    found = []
    for way in (gpugrad.compile, lambda f: f):
        gpugrad.manual_seed(0)
        net, schedule, step = training(name)
        compiled = way(step)
        losses = []
        for _ in range(5):
            losses.append(compiled(gpugrad.randn(16, 4), gpugrad.randint(0, 3, (16,))))
            schedule.step()
        if way is gpugrad.compile and name != "Adafactor":  # which asks for numbers
            assert compiled.reasons == []
            assert compiled.count <= 2  # with gradients from before, and without
        found.append([losses, [*net.parameters(), *net.buffers()]])
    close(found)


def test_writes_in_place_are_seen_and_counted() -> None:

    # the version is Python's: it is the same in all runs, and looked at outside
    total = gpugrad.zeros(3)

    @gpugrad.compile
    def f() -> None:
        total.add_(1)
        total[1:].mul_(2)

    for k in range(1, 5):
        f()
        assert total._version == 2 * k
    assert total.tolist() == [4, 30, 30]
    assert f.count == 1

    leaf = nn.Parameter(gpugrad.ones(3))
    leaf.grad = gpugrad.ones(3)
    adam = optim.Adam([leaf])
    step = gpugrad.compile(adam.step)
    for k in range(1, 5):
        step()
        assert adam.state[leaf]["step"]._version == k


def test_a_write_after_a_run_is_noticed_by_a_backward() -> None:
    x = gpugrad.ones(3, requires_grad=True)
    f = gpugrad.compile(lambda x: (x * x).sum())
    for _ in range(3):
        loss = f(x)
        with gpugrad.no_grad():
            x.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_an_argument_is_written() -> None:
    f = gpugrad.compile(lambda x: x.mul_(2))
    for _ in range(3):
        x = gpugrad.ones(2)
        assert f(x) is x
        assert x.tolist() == [2, 2]
        assert x._version == 1


def test_results_are_views_of_arguments_and_of_each_other() -> None:
    @gpugrad.compile
    def f(x: Any) -> Any:
        y = x + 1
        return x[1:], y, y.view(2, 2), x.detach()

    for _ in range(3):
        x = gpugrad.zeros(4)
        part, y, square, same = f(x)
        x.add_(5)
        assert part.tolist() == [5, 5, 5]
        assert same.tolist() == [5, 5, 5, 5]
        assert part._base is x
        y.zero_()
        assert square.sum() == 0
        assert square._version == 1
    assert f.count == 1


def test_results_that_are_parts_of_what_is_not_returned(device: Any) -> None:
    @gpugrad.compile
    def f(x: Any) -> Any:
        y = x + 1
        return y[:2], y[2:]

    for k in range(4):
        first, second = f(gpugrad.full((4,), float(k), device=device))
        assert first.tolist() == second.tolist() == [k + 1] * 2
        assert first._base is second._base


def test_an_argument_is_a_part_of_what_is_not_one() -> None:
    f = gpugrad.compile(lambda part: part.add_(1))
    for k in range(3):
        whole = gpugrad.full((3,), float(k))
        f(whole[1:])
        assert whole.tolist() == [k, k + 1, k + 1]
        assert whole._version == 1
        del whole


def test_gradients_add_up_in_the_leaves() -> None:

    w: Any = gpugrad.ones(2, requires_grad=True)

    @gpugrad.compile
    def f(x: Any) -> None:
        (w * x).sum().backward()

    for k in range(1, 5):
        f(gpugrad.ones(2))
        assert w.grad.tolist() == [k, k]
    w.grad = None
    f(gpugrad.ones(2))
    assert w.grad.tolist() == [1, 1]
    assert f.reasons == []


def test_zero_grad_inside_and_retain_graph() -> None:
    w: Any = gpugrad.ones(2, requires_grad=True)

    @gpugrad.compile
    def f(x: Any) -> None:
        w.grad = None
        loss = (w * x).exp().sum()
        loss.backward(retain_graph=True)
        loss.backward()

    for k in range(4):
        f(gpugrad.full((2,), float(k)))
        np.testing.assert_allclose(w.grad.numpy(), 2 * k * np.exp(k), 1e-6)
    assert f.reasons == []


def test_captured_tensors_get_other_data() -> None:
    w = gpugrad.ones(3)
    f = gpugrad.compile(lambda x: x * w)
    for k in range(4):
        w.data = gpugrad.full((3,), float(k))
        assert f(gpugrad.ones(3)).tolist() == [k] * 3
    assert f.count == 1


def test_data_is_set_inside() -> None:
    w = gpugrad.ones(3)

    @gpugrad.compile
    def f() -> None:
        w.data = w.data * 2

    for k in range(1, 5):
        f()
        assert w.tolist() == [2.0**k] * 3


def test_variables_and_attributes_are_watched() -> None:
    scale = 2.0
    holder = nn.Linear(1, 1)
    holder.factor = 1.0
    f = gpugrad.compile(lambda x: x * scale * holder.factor)
    x = gpugrad.ones(1)
    assert f(x).item() == 2
    scale = 3.0
    assert f(x).item() == 3
    holder.factor = 5.0
    assert f(x).item() == 15
    assert f(x).item() == 15
    assert f.count == 3


def test_numbers_and_shapes_are_recorded_anew_and_not_without_end() -> None:
    f = gpugrad.compile(lambda x, k: x * k)
    for k in range(8):
        assert f(gpugrad.ones(k + 1), k).tolist() == [k] * (k + 1)
    with pytest.warns(UserWarning, match="recorded 8 times"):
        f(gpugrad.ones(9), 1)
    assert f(gpugrad.ones(9), 2).tolist() == [2] * 9


def test_training_and_evaluation() -> None:
    net = gpugrad.compile(nn.Dropout(0.5))
    x = gpugrad.ones(1000)
    for _ in range(2):
        assert 0 < (net(x) == 0).sum() < 1000
    net.eval()
    assert (net(x) == 1).all()
    net.train()
    assert 0 < (net(x) == 0).sum() < 1000


def test_what_a_function_keeps_is_not_lost() -> None:
    kept = []

    @gpugrad.compile
    def f(x: Any) -> None:
        kept.append(x * 2)

    for k in range(5):
        f(gpugrad.full((1,), float(k)))
    assert [t.item() for t in kept] == [0, 2, 4, 6, 8]
    assert "keeps" in f.reasons[0]


def test_hooks_compute_in_the_program() -> None:
    w: Any = gpugrad.ones(2, requires_grad=True)

    @gpugrad.compile
    def f(x: Any) -> Any:
        y = w * x
        y.register_hook(lambda g: g * 3)
        return gpugrad.autograd.grad(y.sum(), w)[0]

    for k in range(3):
        assert f(gpugrad.full((2,), float(k))).tolist() == [3 * k] * 2
    assert f.count == 1


def test_hooks_of_leaves_run_once() -> None:
    w: Any = gpugrad.ones(2, requires_grad=True)
    calls: list[Any] = []

    def doubled(g: Any) -> Any:
        calls.append(1)
        return g * 2

    w.register_hook(doubled)
    f = gpugrad.compile(lambda x: (w * x).sum())
    for k in range(1, 4):
        w.grad = None
        f(gpugrad.ones(2)).backward()
        assert w.grad.tolist() == [2, 2]
        assert len(calls) == k


def test_nothing_is_kept_alive() -> None:
    f = gpugrad.compile(lambda x: (x * 2).exp().sum())
    x = gpugrad.ones(1000, requires_grad=True)
    for _ in range(3):
        f(x).backward()
    found = weakref.ref(x)
    gc.collect()
    gc.disable()
    try:
        del x
        assert found() is None
    finally:
        gc.enable()


def test_scalars_that_are_leaves() -> None:
    w: Any = gpugrad.tensor(2.0, requires_grad=True)
    f = gpugrad.compile(lambda x: w * x)
    for k in range(3):
        w.grad = None
        out = f(gpugrad.tensor(float(k)))
        out.backward()
        assert (out.item(), w.grad.item()) == (2 * k, k)


RATES = [1.0]


@gpugrad.compile
def step(x: Any) -> Any:
    optimizer = SimpleNamespace(step=2.0)
    return x * optimizer.step * len(RATES)  # an attribute, not the function of this name


def test_names_of_attributes_are_no_variables() -> None:
    for _ in range(3):
        step(gpugrad.ones(2))
    assert step.count == 1


def test_what_a_compiled_function_within_reads_is_watched() -> None:
    outer = gpugrad.compile(lambda x: step(x) + 1)
    for k in 1, 1, 2, 2, 2:
        RATES[:] = [1.0] * k
        assert outer(gpugrad.ones(1)).item() == 2 * k + 1
    assert outer.count == 2


@pytest.mark.parametrize("lie", ["detach", "detach.view", "no_grad"])
def test_what_lies_in_an_argument_without_its_history(lie: str) -> None:
    def f(x: Any) -> Any:
        if lie == "no_grad":
            with gpugrad.no_grad():
                return x[1:]
        found = x.detach()
        return found if lie == "detach" else found.view(3, 1)

    compiled = gpugrad.compile(f)
    for _ in range(3):
        x = gpugrad.ones(3, requires_grad=True)
        expected, found = f(x), compiled(x)
        assert found.requires_grad == expected.requires_grad
        assert found.shape == expected.shape
        assert found.data_ptr() == expected.data_ptr()
        with gpugrad.no_grad():
            found.mul_(2)
        assert expected._version == found._version == x._version == 1


def chained(n: int) -> tuple[Any, Any]:
    """Return a leaf, and the function that computes its gradient anew."""
    x = gpugrad.linspace(0, 1, n, requires_grad=True)

    def f() -> None:
        x.grad = None
        (x.exp() * x.tanh()).sum().backward()

    return x, gpugrad.compile(f)


@pytest.mark.compiler
def test_calls_are_not_repeated_with_what_a_function_finds_now() -> None:
    factor = [2.0]
    f = gpugrad.compile(lambda x: (x**3 * factor[0]).sum())
    x = gpugrad.ones(2, requires_grad=True)
    for _ in range(2):  # the first call is recorded, and has a history of its own
        y = f(x)
    factor[0] = 5.0
    with pytest.raises(RuntimeError, match="finds by name has changed"):
        gpugrad.autograd.grad(y, x, create_graph=True)
    (slope,) = gpugrad.autograd.grad(f(x), x, create_graph=True)
    assert slope.tolist() == [15.0, 15.0]


def test_gradients_take_the_memory_of_those_that_they_replace() -> None:
    x, f = chained(100_000)
    for _ in range(3):
        f()
    tracemalloc.start()
    try:
        f()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert f.reasons == []
    assert peak < x.nbytes / 4


@pytest.mark.parametrize("held", ["tensor", "array", "view", "part"])
def test_replaced_gradients_that_somebody_has_stay_what_they_are(held: str) -> None:
    x, f = chained(100_000)
    for _ in range(3):
        f()
    ways: dict[str, Any] = {
        "tensor": lambda g: g, "array": lambda g: g.numpy(), "view": lambda g: g[:10],
        "part": lambda g: memoryview(g.numpy()),
    }  # fmt: skip
    kept = ways[held](x.grad)
    before = np.array(kept)
    with gpugrad.no_grad():
        x.mul_(2)

    f()

    assert f.reasons == []
    np.testing.assert_array_equal(np.array(kept), before)
    expected = (x.exp() * x.tanh() + x.exp() / x.cosh() ** 2).detach()
    np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), 1e-5)

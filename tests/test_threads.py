"""Threads: sums that lose nothing, modes of their own, walks within walks without deadlock."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import agree
from gpugrad.op.results import Results
from gpugrad.utils.checkpoint import checkpoint

THREADS = 8
PATIENCE = 120  # seconds after which what still runs counts as a deadlock


@pytest.fixture(autouse=True)
def hasty() -> Iterator[None]:
    """Let the interpreter change threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(work: Callable[[], Any], count: int = THREADS) -> list[Any]:
    """Return what ``work`` gives in each of several threads, which start it at one moment."""
    start = threading.Barrier(count)
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            start.wait()
            results.append(work())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(PATIENCE)
        assert not t.is_alive(), "deadlock"
    if errors:
        raise errors[0]
    return results


# --------------------------------------------------------------------------- one leaf


class Identity(gpugrad.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x / x


def with_hooks(x: Any) -> Any:
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g.mul_(0.5))  # in place
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 1,))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0].mul_(1), None))
    return y


def into_a_view(x: Any) -> Any:
    base = gpugrad.zeros_like(x)
    view = base.view(2, 1)
    view[1:].copy_(x[1:].view(1, 1))
    base[:1].add_(x[:1])
    return view


# Each has the derivative 1 by each element.
LOSSES: dict[str, Callable[[Any], Any]] = {
    "product": lambda x: (x * 1.0).sum(),
    "itself": lambda x: x.sum(),
    "saved output": lambda x: x.exp().log().sum(),
    "broadcast": lambda x: (x + gpugrad.ones(4, 2, device=x.device)).mean(0).sum(),
    "in place": lambda x: (x * 2).mul_(0.5).sum(),
    "written view": lambda x: into_a_view(x).sum(),
    "hooks": lambda x: (with_hooks(x) * 1).sum(),
    "function": lambda x: Identity.apply(x).sum(),
    "checkpoint": lambda x: checkpoint(lambda x: x.exp().log(), x, use_reentrant=False).sum(),
    "reentrant checkpoint": lambda x: checkpoint(
        lambda x: x.exp().log(), x, use_reentrant=True
    ).sum(),
}


@pytest.mark.parametrize(
    ("name", "hooked"),
    # hooks of the leaf meet only the last gradient of what stands between it and the loss
    [*((name, False) for name in LOSSES), *((name, True) for name in ("product", "hooks"))],
)
def test_eight_threads_add_to_one_leaf_without_loss(name: str, hooked: bool, device: str) -> None:
    x = gpugrad.ones(2, dtype=gpugrad.float64, device=device, requires_grad=True)
    calls: list[str] = []
    if hooked:

        def doubling(g: Any) -> Any:
            calls.append("tensor")
            return g * 2

        x.register_hook(doubling)
        x.register_post_accumulate_grad_hook(lambda p: calls.append("accumulated"))
    each = 60 if device == "cpu" else 10
    times = each * THREADS

    def work() -> None:
        for _ in range(each):
            LOSSES[name](x).backward()

    in_threads(work)
    assert x.grad is not None
    # one that is lost is a difference of 6e-4 and more; the derivatives of exp and log are rounded
    expected = [times * (2.0 if hooked else 1.0)] * 2
    np.testing.assert_allclose(x.grad.tolist(), expected, rtol=1e-12)
    assert sorted(calls) == ["accumulated"] * times + ["tensor"] * times if hooked else not calls


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("shape", [(), (3,), (40, 50)], ids=str)
def test_gradients_of_any_size_add_up_without_loss(
    shape: tuple[int, ...], create_graph: bool, device: str
) -> None:
    x = gpugrad.ones(shape, dtype=gpugrad.float64, device=device, requires_grad=True)
    each = 60 if device == "cpu" else 10

    def work() -> None:
        for _ in range(each):
            (x * 1.0).sum().backward(create_graph=create_graph, inputs=[x])

    in_threads(work)
    assert x.grad is not None
    assert (x.grad.detach() == each * THREADS).all()
    x.grad = None  # a recorded gradient holds its own leaf


def test_losses_of_several_threads_may_share_leaves_and_not_all_of_them() -> None:
    leaves = [gpugrad.zeros(2, requires_grad=True) for _ in range(4)]
    numbers = iter(range(THREADS))

    def work() -> None:
        mine = next(numbers) % 4
        for _ in range(200):
            (leaves[mine] + leaves[(mine + 1) % 4] * 2).sum().backward()

    in_threads(work)
    assert [t.grad.tolist() for t in leaves if t.grad is not None] == [[1200.0, 1200.0]] * 4


# --------------------------------------------------------------------------- one graph


def test_threads_may_walk_one_graph_that_is_retained(device: str) -> None:
    x = gpugrad.tensor([0.5, 2.0], device=device, requires_grad=True)
    y = checkpoint(lambda x: (x.exp() * x).tanh(), into_a_view(x), use_reentrant=False).sum()
    (expected,) = gpugrad.autograd.grad(y, x, retain_graph=True)

    def work() -> None:
        for _ in range(50 if device == "cpu" else 5):
            (g,) = gpugrad.autograd.grad(y, x, retain_graph=True)
            assert g.tolist() == expected.tolist()

    in_threads(work)


def test_of_several_walks_of_a_graph_that_is_freed_none_is_wrong() -> None:
    x = gpugrad.tensor([0.5, 2.0], requires_grad=True)
    outcomes = set()
    for _ in range(100):
        y = x
        for _ in range(10):
            y = (y * y).tanh() * y.reshape(2, 1).sum(1) / x
        (right,) = gpugrad.autograd.grad(y.sum(), x, retain_graph=True)
        total = y.sum()

        def work(total: Any = total, right: Any = right) -> str:
            try:
                (g,) = gpugrad.autograd.grad(total, x)
            except RuntimeError as error:
                return str(error)
            return "right" if g.tolist() == right.tolist() else f"{g}, not {right}"

        outcomes |= set(in_threads(work, 4))
    assert outcomes <= {"right", gpugrad.errors.SECOND_BACKWARD}
    assert "right" in outcomes


# --------------------------------------------------------------------------- modes


def test_a_new_thread_has_none_of_the_modes_of_the_one_that_starts_it(device: str) -> None:
    packed: list[Any] = []

    def work() -> list[Any]:
        x = gpugrad.tensor(2.0, device=device, requires_grad=True)
        y = x * x
        y.backward()
        assert x.grad is not None
        with gpugrad.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass  # they are not disabled here
        moved = gpugrad.autograd.forward_ad.unpack_dual(x * x, level=0).tangent
        return [
            gpugrad.is_grad_enabled(), gpugrad.is_inference_mode_enabled(), y.is_inference(),
            gpugrad.autograd.anomaly_mode.is_anomaly_enabled(), x.grad.item(), moved,
            gpugrad.graph.mode.walk, np.geterr()["divide"],
        ]  # fmt: skip

    expected = [True, False, False, False, 4.0, None, None, "warn"]
    graph, forward_ad = gpugrad.autograd.graph, gpugrad.autograd.forward_ad
    modes: list[Callable[[], Any]] = [
        gpugrad.no_grad,
        gpugrad.inference_mode,
        lambda: gpugrad.set_grad_enabled(False),
        lambda: gpugrad.autograd.set_detect_anomaly(True),
        lambda: graph.saved_tensors_hooks(packed.append, lambda t: t),
        lambda: graph.disable_saved_tensors_hooks("not here"),
        graph.allow_mutation_on_saved_tensors,
        forward_ad.dual_level,
    ]
    for mode in modes:
        with mode():
            assert in_threads(work, 1) == [expected]
    x = gpugrad.tensor(1.0, device=device, requires_grad=True)
    x.register_hook(lambda g: packed.append(in_threads(work, 1)))  # in the middle of a walk
    (x * 1).backward()
    assert packed == [[expected]]


def test_threads_change_their_modes_at_one_time() -> None:
    numbers = iter(range(THREADS))

    def work() -> None:
        number = next(numbers)
        packed: list[Any] = []

        def pack(t: Any) -> Any:
            packed.append(1)
            return t.detach()

        x = gpugrad.tensor([2.0], requires_grad=True)
        for k in range(100):
            kind = (number + k) % 5
            if kind == 0:
                with gpugrad.no_grad():
                    assert not (x * x).requires_grad
            elif kind == 1:
                with gpugrad.inference_mode():
                    assert (x * x).is_inference()
            elif kind == 2:
                with gpugrad.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
                    (x * x).exp().backward()
                assert len(packed) == 3
                packed.clear()
            elif kind == 3:
                with gpugrad.autograd.set_detect_anomaly(True):
                    y: Any = x * x
                assert "traceback_" in y.grad_fn.metadata
            else:
                y = x * x
                assert y.requires_grad
                assert not y.is_inference()
                assert "traceback_" not in y.grad_fn.metadata
                assert packed == []
        assert gpugrad.graph.mode.enabled is True

    in_threads(work)


def test_hooks_run_in_the_thread_that_walks() -> None:
    seen: list[tuple[str, int]] = []

    def note(what: str) -> Callable[..., None]:
        return lambda *args: seen.append((what, threading.get_ident()))

    class Noting(gpugrad.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            note("forward")()
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            note("backward")()
            return g * 2

    x = gpugrad.tensor([1.0], requires_grad=True)
    x.register_hook(note("leaf"))
    x.register_post_accumulate_grad_hook(note("accumulated"))
    y = x * 2
    y.register_hook(note("tensor"))
    assert y.grad_fn is not None
    y.grad_fn.register_prehook(note("before"))
    y.grad_fn.register_hook(note("after"))
    z = Noting.apply(y)
    gpugrad.autograd.graph.register_multi_grad_hook([x, y], note("several"))

    def work() -> int:
        z.backward(retain_graph=True)
        return threading.get_ident()

    for _ in range(3):
        seen.clear()
        (walker,) = in_threads(work, 1)
        names = ("tensor", "before", "after", "leaf", "accumulated", "backward", "several")
        assert sorted(seen) == sorted((n, walker) for n in names)


# --------------------------------------------------------------------------- walks within walks


def inner(torch: Any, leaf: Any) -> Any:
    """Build a graph and walk through it, twice."""
    with torch.enable_grad():
        w = leaf([3.0, 5.0])
        (g,) = torch.autograd.grad((w * w * w).sum(), w, create_graph=True)
        g.sum().backward()
    return w.grad


def within_a_tensor_hook(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    y.register_hook(lambda g: g * inner(torch, leaf))
    (y * 2).sum().backward()
    note(x.grad)


def within_a_hook_on_a_leaf(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([1.0, 1.0])
    x.register_hook(lambda g: g * inner(torch, leaf))

    def accumulated(p: Any) -> None:
        with torch.enable_grad():
            (w * p.grad).sum().backward()

    x.register_post_accumulate_grad_hook(accumulated)
    (x * x).sum().backward()
    note(x.grad, w.grad)


def within_hooks_on_nodes(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    y.grad_fn.register_prehook(lambda grads: (grads[0] * inner(torch, leaf),))
    y.grad_fn.register_hook(lambda ins, outs: tuple(g * inner(torch, leaf) for g in ins))
    (y * 2).sum().backward()
    note(x.grad)


def within_a_hook_the_same_graph_again(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    depth: list[int] = []
    y = x * x
    z = (y * y).sum()

    def hook(g: Any) -> None:
        if len(depth) < 3:
            depth.append(len(depth))
            z.backward(retain_graph=True)
            note(depth, x.grad)

    y.register_hook(hook)
    z.backward(retain_graph=True)
    note(x.grad)


def within_a_function(torch: Any, leaf: Any, note: Any) -> None:
    class Walking(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            with torch.enable_grad():
                w = x.detach().requires_grad_()
                value = (w * w * w).sum()
            (g,) = torch.autograd.grad(value, w, retain_graph=True)
            ctx.save_for_backward(g)
            ctx.w, ctx.value = w, value
            return value.detach() * inner(torch, leaf).sum()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            ctx.value.backward()
            (first,) = ctx.saved_tensors
            return g * (first + ctx.w.grad) * inner(torch, leaf)

    x = leaf([1.0, 2.0])
    (Walking.apply(x * 2) * Walking.apply(x)).backward()
    note(x.grad)


def within_a_checkpoint(torch: Any, leaf: Any, note: Any) -> None:
    def part(x: Any) -> Any:
        return (x * inner(torch, leaf)).tanh() * x

    for reentrant in True, False:
        x = leaf([0.01, 0.02])
        again = torch.utils.checkpoint.checkpoint

        def nested(x: Any, again: Any = again, reentrant: bool = reentrant) -> Any:
            return again(part, x, use_reentrant=reentrant).sin()

        y = again(nested, x, use_reentrant=reentrant)
        y.sum().backward()
        note(x.grad)


def within_hooks_on_saved_tensors(torch: Any, leaf: Any, note: Any) -> None:
    hooks = torch.autograd.graph.saved_tensors_hooks

    def pack(t: Any) -> Any:
        with hooks(lambda t: t.detach(), lambda t: t):  # the inner ones count: no recursion
            return t.detach() * inner(torch, leaf)

    def unpack(t: Any) -> Any:
        return t + inner(torch, leaf)

    x = leaf([1.0, 2.0])
    with hooks(pack, unpack):
        y = (x * x).exp()
    y.sum().backward()
    note(x.grad)


def within_a_hook_of_several_tensors(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    torch.autograd.graph.register_multi_grad_hook(
        [x, w], lambda grads: note(inner(torch, leaf), grads)
    )
    (x * w).sum().backward()
    note(x.grad, w.grad)


NESTED = [
    within_a_tensor_hook, within_a_hook_on_a_leaf, within_hooks_on_nodes,
    within_a_hook_the_same_graph_again, within_a_function, within_a_checkpoint,
    within_hooks_on_saved_tensors, within_a_hook_of_several_tensors,
]  # fmt: skip


@pytest.mark.parametrize("program", NESTED, ids=lambda p: p.__name__)
def test_a_walk_within_a_walk_gives_pytorchs_numbers(program: Any, device: str) -> None:
    noted = agree(program, device)
    assert not any(isinstance(values, tuple) for values in noted), "it ends with an error"


@pytest.mark.parametrize("program", NESTED, ids=lambda p: p.__name__)
def test_walks_within_walks_of_eight_threads_end(program: Any, device: str) -> None:
    def leaf(data: Any) -> Any:
        return gpugrad.tensor(data, dtype=gpugrad.float64, device=device, requires_grad=True)

    def work() -> list[Any]:
        noted: list[Any] = []
        for _ in range(10 if device == "cpu" else 1):
            program(gpugrad, leaf, lambda *values: noted.append(str(values)))
        return noted

    first, *others = in_threads(work)
    assert first
    assert others == [first] * (THREADS - 1)


def test_a_hook_may_wait_for_a_walk_of_another_thread() -> None:
    x = gpugrad.ones(2, requires_grad=True)
    y = gpugrad.ones(2, requires_grad=True)

    def hook(*args: Any) -> None:
        in_threads(lambda: (x * y).sum().backward(), 2)

    z = x * 2
    z.register_hook(hook)
    z.sum().backward()
    y.register_post_accumulate_grad_hook(lambda p: None)
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.tolist(), y.grad.tolist()) == ([4.0, 4.0], [2.0, 2.0])


# --------------------------------------------------------------------------- what is made once

AT_FIRST = (
    f"""
import sys; sys.path.append({str(Path(__file__).parent)!r})
"""
    + """
import threading
import time
import gpugrad
from gpugrad.testing import flat
from samples import SAMPLES

sys.setswitchinterval(1e-6)
start = threading.Barrier(4, timeout=60)  # at each operation; broken when one fails
found = []

def work():
    mine = []
    for samples in SAMPLES.values():
        sample = samples[0]
        leaves = sample.tensors()
        start.wait()
        outs = flat(sample.function(gpugrad, *leaves))
        outs = [o for o in outs if getattr(o, "requires_grad", False)]
        mine.append([repr(o) for o in outs])
        if outs:
            gpugrad.autograd.backward(outs, [gpugrad.ones_like(o) for o in outs], create_graph=True)
            # without grad_fn: while another thread computes, a call takes the general way, whose
            # gradient may be a sum where the other's is a copy of a reshaped sum
            mine.append([t.grad if t.grad is None else repr(t.grad.detach()) for t in leaves])
            for t in leaves:
                t.grad = None
    found.append(mine)

threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert len(found) == 4, found
assert len(found[0]) > 100
for mine in found[1:]:
    for a, b in zip(mine, found[0]):
        assert a == b, (a, b)
"""
)


def test_threads_may_call_each_operation_for_the_first_time() -> None:
    # some of them warn that another function has their place
    command = [sys.executable, "-W", "ignore::UserWarning", "-c", AT_FIRST]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


# --------------------------------------------------------------------------- walks within walks


def nested(depth: int, innermost: Callable[[], None]) -> None:
    """Walk inside a hook of a walk inside a hook, and so on."""
    x = gpugrad.ones(1, requires_grad=True)
    y = x * 2

    def hook(g: Any) -> None:
        with gpugrad.enable_grad():
            nested(depth - 1, innermost) if depth else innermost()

    y.register_hook(hook)
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0]


class Countdown(gpugrad.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        with gpugrad.enable_grad():
            ctx.rest = x.detach().requires_grad_() - 1
        return ctx.rest.detach()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if ctx.rest > 0:
            with gpugrad.enable_grad():
                Countdown.apply(ctx.rest).sum().backward()
        return g


def test_walks_lie_within_each_other_to_any_depth() -> None:
    x = gpugrad.tensor(3100.0, requires_grad=True)
    Countdown.apply(x).backward()
    assert x.grad is not None
    assert x.grad.tolist() == 1.0


def test_a_deep_walk_has_the_modes_of_the_thread_that_began_it() -> None:
    seen: list[Any] = []
    leaf = gpugrad.ones(1, requires_grad=True)

    def innermost() -> None:
        seen.append((threading.current_thread(), np.geterr()["over"], gpugrad.is_grad_enabled()))
        node: Any = (leaf * 3).grad_fn
        seen.append(node.metadata.get("traceback_"))
        raise ValueError("innermost")

    with (
        gpugrad.autograd.set_detect_anomaly(True, check_nan=False),
        np.errstate(over="raise"),
        pytest.raises(ValueError, match="innermost"),
    ):
        nested(200, innermost)
    (thread, over, enabled), lines = seen
    assert thread is not threading.current_thread()
    assert (over, enabled) == ("raise", True)
    assert lines
    assert gpugrad.graph.mode.walk is None
    (leaf * 2).sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.tolist() == [2.0]


def test_an_interrupt_ends_walks_of_other_threads() -> None:
    started, main = threading.Event(), threading.get_ident()

    def innermost() -> None:
        started.set()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(0.001)

    def interrupt() -> None:
        started.wait(PATIENCE)
        signal.pthread_kill(main, signal.SIGINT)

    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = set(threading.enumerate())
    watcher = threading.Thread(target=interrupt, daemon=True)
    watcher.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            nested(200, innermost)
    finally:
        signal.signal(signal.SIGINT, previous)
    watcher.join(PATIENCE)
    for _ in range(1000):  # the last steps of a thread
        if set(threading.enumerate()) <= before:
            break
        time.sleep(0.001)
    assert set(threading.enumerate()) <= before
    assert gpugrad.graph.mode.enabled is True


# --------------------------------------------------------------------------- first use

FIRST = """
import sys, threading
import gpugrad
from gpugrad import return_types

sys.setswitchinterval(1e-6)
NAMES = "exp sigmoid erf logit tanh atan2 hypot clamp where max sort logsumexp cumsum".split()
start, found = threading.Barrier(8), []

def work():
    x = gpugrad.tensor([[0.25, 0.5], [0.75, 0.125]], requires_grad=True)
    y = gpugrad.tensor([[0.5, 0.25], [0.5, 0.75]], requires_grad=True)
    others = {
        "atan2": (y,), "hypot": (y,), "clamp": (0.25, 0.6), "max": (1,), "sort": (1,),
        "logsumexp": (1,), "cumsum": (1,), "where": (y > 0.3, y),
    }
    results = []
    for name in NAMES:
        start.wait()
        out = getattr(x, name)(*others.get(name, ()))
        kind = type(out)
        out = out if isinstance(out, gpugrad.Tensor) else out[0]
        grads = gpugrad.autograd.grad((out * out).sum(), (x, y), allow_unused=True)
        results.append((kind, out.tolist(), [None if g is None else g.tolist() for g in grads]))
    results.append(gpugrad.optim.SGD)
    found.append(results)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 8 and all(one == found[0] for one in found), found
assert found[0][NAMES.index("max")][0] is return_types.max
print("same")
"""


def test_threads_that_use_operations_for_the_first_time_at_once_have_the_same_results() -> None:
    root = str(Path(gpugrad.__file__).parents[1])
    start = f"import sys; sys.path.insert(0, {root!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", start + FIRST],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.stdout, done.stderr) == ("same\n", "")


def test_threads_make_one_class_of_the_results_of_a_function() -> None:
    for _ in range(10):
        results = Results("found", ("values", "indices"))
        kinds = in_threads(lambda results=results: type(results(1, 2)))  # type: ignore[misc]
        assert set(kinds) == {results.made}

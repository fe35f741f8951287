"""Errors and interrupts at every node and at any moment of a walk."""

from __future__ import annotations

import linecache
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad.errors import SECOND_BACKWARD
from gpugrad.graph import below
from gpugrad.op.accumulation import _ACCUMULATING
from gpugrad.utils.checkpoint import checkpoint

Leaves = list[Any]


class Square(gpugrad.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 2 * x


def network(device: str, hooked: bool) -> tuple[Leaves, Any]:
    """Return leaves, of which some have a gradient already, and a scalar made of every kind."""
    leaves = [
        gpugrad.tensor([k + 1.0, k + 2.0], dtype=gpugrad.float64, device=device, requires_grad=True)
        for k in range(5)
    ]
    a, b, c, d, e = leaves
    a.grad = gpugrad.tensor([10.0, 20.0], dtype=gpugrad.float64, device=device)
    e.grad = gpugrad.tensor([30.0, 40.0], dtype=gpugrad.float64, device=device)
    if hooked:
        b.register_hook(lambda g: g * 2)
        c.register_post_accumulate_grad_hook(lambda p: None)
    base = (a * b).clone()
    base[0].mul_(c[1])
    first, second = gpugrad.stack([base, Square.apply(d)]).unbind()
    third = checkpoint(lambda x: x.tanh() * c, first, use_reentrant=False)
    out = (third * second + e.exp()).sum() + a.sum()
    return leaves, out


def state(leaves: Leaves) -> list[Any]:
    return [None if t.grad is None else t.grad.tolist() for t in leaves]


def check_after(leaves: Leaves, before: list[Any], complete: list[Any], atomic: bool) -> None:
    """Check what an interrupted walk left of gradients and of this thread's modes."""
    found = state(leaves)
    for k, (now, old, new) in enumerate(zip(found, before, complete, strict=True)):
        assert now in (old, new), f"leaf {k}"
    if atomic:
        assert found in (before, complete)
    assert gpugrad.graph.mode.enabled is True
    assert gpugrad.graph.mode.walk is None
    assert np.geterr()["divide"] == "warn"


def reset(leaves: Leaves, before: list[Any]) -> None:
    for t, old in zip(leaves, before, strict=True):
        t.grad = None if old is None else gpugrad.tensor(old, dtype=t.dtype, device=t.device)


def expected(device: str, hooked: bool) -> tuple[list[Any], list[Any]]:
    leaves, out = network(device, hooked)
    before = state(leaves)
    out.backward()
    return before, state(leaves)


def raising(error: type[BaseException]) -> Callable[..., None]:
    def hook(*args: Any) -> None:
        raise error("stop")

    return hook


def interrupting(*args: Any) -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Have Ctrl-C interrupt, which it does not in a process that was started in the background."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


STOPS = {
    "error": (raising(ValueError), ValueError),
    "interrupt": (raising(KeyboardInterrupt), KeyboardInterrupt),
    "signal": (interrupting, KeyboardInterrupt),
}


@pytest.mark.parametrize("keep", [False, True], ids=["freed", "retained"])
@pytest.mark.parametrize("hooked", [False, True], ids=["plain leaves", "hooked leaves"])
@pytest.mark.parametrize("kind", STOPS)
def test_a_walk_may_be_stopped_before_and_after_every_node(
    kind: str, hooked: bool, keep: bool, device: str
) -> None:
    stop, error = STOPS[kind]
    before, complete = expected(device, hooked)
    assert complete != before
    count = len(below([network(device, hooked)[1].grad_fn]))
    assert count > 10
    for number in range(count):
        for register in "register_prehook", "register_hook":
            leaves, out = network(device, hooked)
            nodes = below([out.grad_fn])
            handle = getattr(nodes[sorted(nodes)[number]], register)(stop)
            with pytest.raises(error):
                out.backward(retain_graph=keep)
            check_after(leaves, before, complete, atomic=error is KeyboardInterrupt and not hooked)
            handle.remove()
            reset(leaves, before)
            again = outcome(out)
            if keep or again is None:
                assert again is None
                assert state(leaves) == complete
            else:
                assert again == SECOND_BACKWARD
                check_after(leaves, before, complete, atomic=False)


def outcome(out: Any) -> str | None:
    """Walk and return what the error says, if there is one."""
    try:
        out.backward()
    except RuntimeError as error:
        return str(error)
    return None


def interrupted_after(seconds: float, work: Callable[[], None]) -> bool:
    """Call ``work`` and have it interrupted; return whether it was."""

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        work()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return True
    finally:
        signal.signal(signal.SIGALRM, previous)
    return False


# Python ignores an interrupt that comes within a finalizer, and says so; CuPy has some.
FINALIZERS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@FINALIZERS
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("hooked", [False, True], ids=["plain leaves", "hooked leaves"])
def test_a_walk_may_be_interrupted_at_any_moment(
    hooked: bool, create_graph: bool, device: str
) -> None:
    before, complete = expected(device, hooked)
    leaves, out = network(device, hooked)
    out.backward(retain_graph=True, create_graph=create_graph)
    times = []
    for _ in range(10):  # the shortest, because a machine that is busy with others takes longer
        start = time.perf_counter()
        out.backward(retain_graph=True, create_graph=create_graph)
        times.append(time.perf_counter() - start)
    step = min(times) / (200 if device == "cpu" else 40)
    delay = interrupts = ended = 0
    while ended < 10:
        delay += 1
        reset(leaves, before)
        stopped = interrupted_after(
            delay * step, lambda: out.backward(retain_graph=True, create_graph=create_graph)
        )
        interrupts, ended = interrupts + stopped, 0 if stopped else ended + 1
        check_after(leaves, before, complete, atomic=False)
        reset(leaves, before)
        out.backward(retain_graph=True)
        assert state(leaves) == complete
    assert interrupts >= 20
    for t in leaves:
        t.grad = None


@FINALIZERS  # and callbacks of the garbage collector, which other libraries have registered
def test_an_interrupt_while_gradients_are_accumulated_leaves_each_whole() -> None:
    leaves = [gpugrad.zeros(50, requires_grad=True) for _ in range(100)]
    out = sum((t * 2).sum() for t in leaves)
    assert isinstance(out, gpugrad.Tensor)
    out.backward(retain_graph=True)
    partly = 0
    for step in range(300):
        for t in leaves:
            t.grad = gpugrad.ones(50)
        stopped = interrupted_after(2e-6 + 4e-6 * step, lambda: out.backward(retain_graph=True))
        found = {tuple(t.grad.tolist()) for t in leaves if t.grad is not None}
        assert found <= {(1.0,) * 50, (3.0,) * 50}
        partly += stopped and len(found) == 2
    out.backward()  # not freed, not locked


# --------------------------------------------------------------------------- at every line

# What enters and leaves modes, or holds gradients; a trace function stands for the signal.
MODAL = {
    "accumulation.py", "graph.py", "hooked.py", "observed.py", "replay.py", "recomputation.py",
    "reentrant.py", "function.py", "operation.py", "dual.py", "batching.py", "reverse.py",
    "forward.py", "batch.py", "engine.py", "functional.py", "optimizer.py", "inplace.py",
}  # fmt: skip
LIBRARY = os.path.dirname(gpugrad.__file__)


def _leaves_a_block(event: str, frame: Any) -> bool:
    """Tell of a line that is also traced on the way out of a block, where no signal can come.

    Python handles signals after calls and jumps: none is between the end of the block and the call
    that leaves it, so that a lock cannot stay behind.
    """
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return event == "line" and line.lstrip().startswith("with ")


class Injected:
    """A trace function that raises an error at one event in the library, and where that was."""

    def __init__(self, error: type[BaseException], number: int, events: set[str]):
        self.error = error
        self.left = number
        self.events = events
        self.place = ""

    def __call__(self, frame: Any, event: str, value: Any) -> Any:
        code = frame.f_code
        folder, name = os.path.split(code.co_filename)
        # Python ignores errors of generators that are being closed
        if not folder.startswith(LIBRARY) or name not in MODAL or code.co_name == "<genexpr>":
            return None
        if event in self.events and not _leaves_a_block(event, frame):
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                self.place = f"{event} of {code.co_name}, {name}:{frame.f_lineno}"
                raise self.error("injected")
        return self


def three_ways() -> tuple[Leaves, Callable[..., Any]]:
    a = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, requires_grad=True)
    p, q = gpugrad.stack([a.exp(), a.sin()]).unbind()
    out = (p * q).sum() + a.sum()
    return [a], out.backward


def three_ways_recorded() -> tuple[Leaves, Callable[[], Any]]:
    (a,), run = three_ways()
    backward: Any = run
    return [a], lambda: backward(create_graph=True)


def hooked_leaf() -> tuple[Leaves, Callable[[], Any]]:
    (a,), run = three_ways()
    a.register_hook(lambda g: None)
    return [a], run


def again(reentrant: bool) -> Callable[[], tuple[Leaves, Callable[[], Any]]]:
    def make() -> tuple[Leaves, Callable[[], Any]]:
        a = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, requires_grad=True)
        out = checkpoint(lambda x: x.sin() * x, a, use_reentrant=reentrant).sum() + a.sum()
        return [a], out.backward

    return make


def of_function(make: Callable[[Any], Any]) -> Callable[[], tuple[Leaves, Callable[[], Any]]]:
    def leaves() -> tuple[Leaves, Callable[[], Any]]:
        a = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64)
        return [a], lambda: make(a)

    return leaves


def product(x: Any) -> Any:
    return (x.sin() * x).sum()


def stepped(x: Any) -> None:
    x.requires_grad_()
    x.grad = gpugrad.ones_like(x)
    gpugrad.optim.SGD([x], lr=0.5).step()


LINES = {"call", "return", "line"}
MOMENTS: dict[str, tuple[Callable[[], tuple[Leaves, Callable[[], Any]]], set[str]]] = {
    "backward": (three_ways, LINES),
    "recorded": (three_ways_recorded, {"call", "return"}),
    "hooked": (hooked_leaf, {"call", "return"}),
    "checkpoint": (again(False), {"call", "return"}),
    "reentrant checkpoint": (again(True), {"call", "return"}),
    "checkpoint begins": (
        of_function(lambda x: checkpoint(product, x.requires_grad_(), use_reentrant=False)),
        {"call", "return"},
    ),
    "Function": (of_function(lambda x: Square.apply(x.requires_grad_())), {"call", "return"}),
    "grad": (of_function(gpugrad.func.grad(product)), {"call", "return"}),
    "jvp": (of_function(lambda x: gpugrad.func.jvp(product, (x,), (x,))), {"call", "return"}),
    "vmap": (of_function(gpugrad.func.vmap(gpugrad.exp)), {"call", "return"}),
    "jacobian": (
        of_function(lambda x: gpugrad.autograd.functional.jacobian(product, x, vectorize=True)),
        {"call", "return"},
    ),
    "step": (of_function(stepped), {"call"}),
}


@pytest.mark.parametrize(
    ("name", "error"),
    [("backward", KeyboardInterrupt), *((name, TimeoutError) for name in MOMENTS)],
)
def test_an_error_at_any_line_leaves_modes_and_gradients_whole(
    name: str, error: type[BaseException]
) -> None:
    make, events = MOMENTS[name]
    leaves, run = make()
    run()
    complete = state(leaves)
    modes = dict(vars(gpugrad.graph.mode))
    number = 0
    while True:
        number += 1
        leaves, run = make()
        before = state(leaves)
        trace = Injected(error, number, events)
        tracer = sys.gettrace()
        sys.settrace(trace)
        try:
            run()
        except error:
            assert trace.place
        finally:
            sys.settrace(tracer)
        if not trace.place:
            break
        assert state(leaves) in (before, complete), trace.place
        found = {k: v for k, v in vars(gpugrad.graph.mode).items() if v != modes.get(k)}
        defaults = {k: getattr(type(gpugrad.graph.mode), k) for k in found}
        assert found == defaults, trace.place
        assert not gpugrad.graph.inferring, trace.place
        assert not _ACCUMULATING._is_owned(), trace.place  # type: ignore[attr-defined]
        assert np.geterr()["divide"] == "warn", trace.place
    assert number > 5

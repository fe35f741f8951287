"""What checkpointing has besides :func:`checkpoint` itself: policies, groups, debugging."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import gpugrad
from comparison import Programs, agree, pytorch
from gpugrad.ops.products import _mm
from gpugrad.utils import checkpoint as module
from gpugrad.utils.checkpoint import (
    CheckpointError,
    CheckpointPolicy,
    checkpoint,
    create_selective_checkpoint_contexts,
)

PROGRAMS = Programs()
program = PROGRAMS.add


def of(torch: Any) -> Any:
    """Return the module of a library."""
    return __import__(f"{torch.__name__}.utils.checkpoint", fromlist=["checkpoint"])


def named(torch: Any, *names: str) -> list[Any]:
    """Return operations as a policy receives them."""
    if torch is gpugrad:
        return list(names)
    spelled = {"mul": "Tensor", "add": "Tensor"}
    return [getattr(getattr(torch.ops.aten, n), spelled.get(n, "default")) for n in names]


def name_of(op: Any) -> str:
    return op if isinstance(op, str) else str(op.overloadpacket.__name__)


def layers(w: Any, runs: list[int]) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        runs.append(1)
        return (((x @ w).sin() * 2) @ w).exp() * x.sin()

    return f


def leaves(leaf: Any) -> tuple[Any, Any]:
    return leaf([[0.5, 0.25], [0.125, 1.0]]), leaf([[0.75, -0.5], [0.375, 0.25]])


# --------------------------------------------------------------------------- overwritten meanwhile

OTHERS: dict[str, Callable[[Any], Any]] = {  # what a function reads besides its argument
    "ones": lambda torch: torch.ones(2, dtype=torch.float64),
    "part": lambda torch: torch.ones(4, dtype=torch.float64)[1:3],
    "leaf": lambda torch: torch.ones(2, dtype=torch.float64, requires_grad=True),
    "matrix": lambda torch: torch.ones(2, 2, dtype=torch.float64),
    "index": lambda torch: torch.tensor([0, 1]),
    "mask": lambda torch: torch.tensor([True, False]),
    "number": lambda torch: torch.ones((), dtype=torch.float64),
}
# Each computes from q and from something older what a backward needs.
READS: dict[str, tuple[str, Callable[[Any, Any, Any], Any]]] = {
    "an operand": ("ones", lambda torch, q, c: q.sin() * c),
    "a result": ("ones", lambda torch, q, c: (q + c).exp()),
    "a result that nothing records": ("ones", lambda torch, q, c: q.sin() * (c * 2)),
    "a detached alias": ("leaf", lambda torch, q, c: (q + c.detach()).exp()),
    "a view": ("part", lambda torch, q, c: (q + c).exp()),
    "copies and views": (
        "ones", lambda torch, q, c: q.exp() * torch.stack([c.clone().mul_(2)]).expand(3, 2)),
    "what is written into something new": (
        "ones", lambda torch, q, c: q.exp() * torch.zeros(2, dtype=torch.float64).copy_(c)),
    "a product of matrices": ("matrix", lambda torch, q, c: (c @ q).exp()),
    "a product of vectors": ("ones", lambda torch, q, c: torch.dot(c, q).exp()),
    "an index": ("index", lambda torch, q, c: q.exp() * q[c].sin()),
    "an index of gather": ("index", lambda torch, q, c: q.exp() * q.gather(0, c).sin()),
    "a mask": ("mask", lambda torch, q, c: torch.where(c, q, 0).exp() * q),
    "a filled mask": ("mask", lambda torch, q, c: q.masked_fill(c, 0).exp() * q),
    "a position": ("ones", lambda torch, q, c: q[c.argmax()].exp() * q),
    "a number": ("number", lambda torch, q, c: (q * c.item()).exp()),
    "a decision": ("number", lambda torch, q, c: (q.exp() if c > 0 else q.sin()) * q),
    "an array": ("ones", lambda torch, q, c: q.exp() * torch.from_numpy(c.detach().numpy() * 2)),
    "what it writes itself": ("ones", lambda torch, q, c: q.sin() * c.add_(1)),
}  # fmt: skip
WRITES: dict[str, Callable[[Any, Any], Any]] = {
    "in place": lambda torch, c: c.copy_(c.detach().clone().flip(0) if c.ndim else -c),
    "detached": lambda torch, c: c.detach().zero_(),
    "data": lambda torch, c: setattr(c, "data", c.data.clone()),
    "by others": lambda torch, c: torch.autograd.graph.increment_version(c),
    "step": lambda torch, c: stepped(torch, c),
    "backward": lambda torch, c: accumulated(torch, c),
}


def stepped(torch: Any, parameter: Any) -> None:
    parameter.grad = parameter.detach() + 1
    torch.optim.SGD([parameter], lr=0.5).step()


def accumulated(torch: Any, grad: Any) -> None:
    with torch.enable_grad():
        x = torch.zeros_like(grad).requires_grad_()
        x.grad = grad.detach()
        (x * 2).sum().backward()


VARIANTS: dict[str, Callable[..., Any]] = {
    "not reentrant": partial(checkpoint, use_reentrant=False),
    "reentrant": partial(checkpoint, use_reentrant=True),
    "selective": partial(
        checkpoint, use_reentrant=False,
        context_fn=partial(create_selective_checkpoint_contexts, ["sum"]),
    ),
    "nested": lambda f, x: checkpoint(
        lambda q: checkpoint(f, q * 1, use_reentrant=False).exp(), x, use_reentrant=False
    ),
    "nested reentrant": lambda f, x: checkpoint(
        lambda q: checkpoint(f, q * 1, use_reentrant=True).exp(), x, use_reentrant=True
    ),
}  # fmt: skip


SILENT = pytest.mark.filterwarnings("ignore:None of the inputs")  # nothing is recorded inside


def gradient_after(
    write: Callable[[Any, Any], Any] | None, call: Callable[..., Any], what: str, device: str
) -> Any:
    """Return the gradient of what a checkpoint computed, if something was written meanwhile."""
    kind, read = READS[what]
    c = OTHERS[kind](gpugrad).detach().to(device).requires_grad_(kind == "leaf")
    x = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, device=device, requires_grad=True)
    z = call(lambda q: read(gpugrad, q, c), x)
    if write is not None:
        with gpugrad.no_grad():
            write(gpugrad, c)
    z.sum().backward()
    return x.grad


@SILENT
@pytest.mark.parametrize("variant", ["not reentrant", "reentrant", "nested reentrant"])
@pytest.mark.parametrize("what", READS)
def test_what_was_overwritten_is_not_computed_with_again(what: str, variant: str) -> None:
    if what != "what it writes itself":
        nested = variant.startswith("nested")
        expected = gradient_after(None, lambda f, x: f(x).exp() if nested else f(x), what, "cpu")
        found = gradient_after(None, VARIANTS[variant], what, "cpu")
        assert found.tolist() == pytest.approx(expected.tolist())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        gradient_after(WRITES["in place"], VARIANTS[variant], what, "cpu")


@SILENT
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("how", WRITES)
def test_a_checkpoint_notices_each_kind_of_write(how: str, variant: str, device: str) -> None:
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        gradient_after(WRITES[how], VARIANTS[variant], "a detached alias", device)
    assert "overwritten by" in caught.value.__notes__[0]


def argument_written(reentrant: bool) -> Callable[..., None]:
    """Return a program in which an argument is overwritten whose values no backward needs."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x, unused = leaf([1.0, 2.0]), leaf([3.0, 4.0]).detach()
        z = of(torch).checkpoint(lambda q, u: q.sin() + u, x, unused, use_reentrant=reentrant)
        note("written")
        unused.mul_(3)
        z.sum().backward()

    return run


PROGRAMS["an_argument_is_written"] = argument_written(False)
PROGRAMS["an_argument_is_written_reentrant"] = argument_written(True)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("place", ["list", "dict", "keyword"])
def test_overwritten_tensors_are_found_in_all_arguments(place: str, reentrant: bool) -> None:
    x, c = gpugrad.ones(2, requires_grad=True), gpugrad.ones(2)
    if place == "keyword":
        z = checkpoint(lambda q, c: q.sin() * c, x, use_reentrant=False, c=c)
    elif place == "list":
        z = checkpoint(lambda q, c: q.sin() * c[0], x, [c], use_reentrant=reentrant)
    else:
        z = checkpoint(lambda q, c: q.sin() * c["c"], x, {"c": c}, use_reentrant=reentrant)
    c.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


# A recorded backward keeps what was computed again, and its writes.
def written_between_orders(variant: str) -> Callable[..., None]:
    """Return a program that writes to an argument after the first derivative."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x, call = leaf([1.0, 2.0]), of(torch).checkpoint
        y = x * 1

        def cube(q: Any) -> Any:
            return q**3

        def inner(q: Any) -> Any:
            return call(cube, q, use_reentrant=False)

        z = call(inner if variant == "nested" else cube, y, use_reentrant=False)
        (g,) = torch.autograd.grad(z.sum(), x, create_graph=True)
        note(g)
        y.mul_(2)
        torch.autograd.grad(g.sum(), x)

    return run


PROGRAMS["written_between_orders"] = written_between_orders("plain")
PROGRAMS["written_between_orders_nested"] = written_between_orders("nested")


# Writes that change nothing of what a backward needs.
def running_mean(torch: Any, q: Any, c: Any) -> Any:
    c.mul_(0.9).add_(q.detach())
    return q.sin() * q


def scratch(torch: Any, q: Any, c: Any) -> Any:
    c.zero_()
    return q.exp() * c.add_(q.detach())


def scratch_of_a_copy(torch: Any, q: Any, c: Any) -> Any:
    return q.exp() * c.copy_(q.detach())


def other_part(torch: Any, q: Any, c: Any) -> Any:
    return q.sin() * c[1:].expand(2)


def only_added(torch: Any, q: Any, c: Any) -> Any:
    return q.exp() + c


HARMLESS = [running_mean, scratch, scratch_of_a_copy, other_part, only_added]


@SILENT
@pytest.mark.parametrize("variant", ["not reentrant", "reentrant", "nested"])
@pytest.mark.parametrize("read", HARMLESS, ids=[f.__name__ for f in HARMLESS])
def test_harmless_writes_are_no_error(read: Any, variant: str) -> None:
    c = gpugrad.ones(2, dtype=gpugrad.float64)
    x = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, requires_grad=True)
    z = read(gpugrad, x, c.clone())
    call = VARIANTS[variant]
    if variant == "nested":
        z, call = (
            z * 2,
            lambda f, x: checkpoint(
                lambda q: checkpoint(f, q * 1, use_reentrant=False) * 2, x, use_reentrant=False
            ),
        )
    (expected,) = gpugrad.autograd.grad(z.sum(), x)
    z = call(lambda q: read(gpugrad, q, c), x)
    c[:1].add_(5)
    z.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == expected.tolist()


def test_what_was_kept_is_right_whatever_was_overwritten() -> None:
    u = gpugrad.ones(2)
    x = gpugrad.ones(2, requires_grad=True)
    contexts = partial(create_selective_checkpoint_contexts, ["add", "exp"])
    y = checkpoint(lambda q: (q + u).exp().sin(), x, use_reentrant=False, context_fn=contexts)
    (expected,) = gpugrad.autograd.grad((x + u).exp().sin().sum(), x)
    u.add_(1)
    assert gpugrad.autograd.grad(y.sum(), x)[0].tolist() == expected.tolist()


# --------------------------------------------------------------------------- policies


@program
def a_list_of_what_is_kept(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaves(leaf)
    ops = named(torch, "mm", "sin")
    contexts = partial(of(torch).create_selective_checkpoint_contexts, ops)
    y = of(torch).checkpoint(layers(w, []), x, use_reentrant=False, context_fn=contexts)
    note(torch.autograd.grad(y.sum(), [x, w]))


@program
def what_a_policy_is_told(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaves(leaf)

    def policy(ctx: Any, op: Any, *args: Any, **kwargs: Any) -> Any:
        shapes = [list(a.shape) if hasattr(a, "shape") else a for a in args]
        note(name_of(op), shapes, kwargs, ctx.is_recompute, ctx.op_output)
        note(ctx.op_output.requires_grad)
        return of(torch).CheckpointPolicy.PREFER_RECOMPUTE

    y = of(torch).checkpoint(
        layers(w, []), x, use_reentrant=False,
        context_fn=lambda: of(torch).create_selective_checkpoint_contexts(policy),
    )  # fmt: skip
    note("backward")
    note(torch.autograd.grad(y.sum(), [x, w]))


def answered(answer: Callable[[Any, str, int], Any]) -> Callable[..., None]:
    """Return a program in which a policy answers by operation and by number of the call."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x, w = leaves(leaf)
        count = [0]

        def policy(ctx: Any, op: Any, *args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            return answer(of(torch).CheckpointPolicy, name_of(op), count[0])

        runs: list[int] = []
        y = of(torch).checkpoint(
            layers(w, runs), x, use_reentrant=False,
            context_fn=lambda: of(torch).create_selective_checkpoint_contexts(policy),
        )  # fmt: skip
        note(y)
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        note(g, torch.autograd.grad(g.sum(), [x, w], allow_unused=True))
        note(len(runs))

    return run


for _policy in CheckpointPolicy:
    if not _policy.name.endswith("OFFLOAD"):
        PROGRAMS[f"always_{_policy.name}"] = answered(lambda p, *_, n=_policy.name: getattr(p, n))
PROGRAMS["every_second"] = answered(lambda _, name, number: number % 2 == 0)
PROGRAMS["true_for_mm"] = answered(lambda _, name, number: name == "mm")


@program
def a_second_backward_through_what_was_kept(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaves(leaf)
    contexts = partial(of(torch).create_selective_checkpoint_contexts, named(torch, "mm"))
    y = of(torch).checkpoint(layers(w, []), x, use_reentrant=False, context_fn=contexts).sum()
    y.backward(retain_graph=True)
    note(x.grad)
    y.backward()


def written(**options: Any) -> Callable[..., None]:
    """Return a program in which what is kept is written in place."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x, _ = leaves(leaf)
        contexts = partial(
            of(torch).create_selective_checkpoint_contexts, named(torch, "sin"), **options
        )
        y = of(torch).checkpoint(
            lambda x: x.sin().add_(1).exp(), x, use_reentrant=False, context_fn=contexts
        )
        note(y)
        note(torch.autograd.grad(y.sum(), x))

    return run


PROGRAMS["what_is_kept_may_not_be_written"] = written()
PROGRAMS["unless_that_is_allowed"] = written(allow_cache_entry_mutation=True)


@pytest.mark.parametrize(
    ("again", "words"),
    [
        (lambda x: x.sin().cos(), "cos encountered during backward but not found in storage. This"),
        (lambda x: x.sin().sin(), "sin invocation index 1 encountered during backward but not"),
    ],
)
def test_other_operations_than_before_are_an_error(
    again: Callable[[Any], Any], words: str, device: str
) -> None:
    runs: list[int] = []

    def f(x: Any) -> Any:
        runs.append(1)
        return (x.sin() if len(runs) == 1 else again(x)).exp()

    x = gpugrad.ones(2, device=device, requires_grad=True)
    contexts = partial(create_selective_checkpoint_contexts, ["sin"])
    y = checkpoint(f, x, use_reentrant=False, context_fn=contexts, early_stop=False)
    with pytest.raises(RuntimeError, match=words):
        y.sum().backward()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (3, TypeError, "policy_fn_or_list must be either a function or a list of ops"),
        ([gpugrad.mm], ValueError, "Expected op in `op_list` to be the name of an operation but"),
    ],
)
def test_a_policy_is_a_function_or_names(given: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        create_selective_checkpoint_contexts(given)


def test_what_is_kept_is_not_computed_again(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    computed: list[int] = []
    forward = _mm.op.forward

    def counting(*args: Any, **params: Any) -> Any:
        computed.append(1)
        return forward(*args, **params)

    monkeypatch.setattr(_mm.op, "forward", counting)
    w = gpugrad.full((2, 2), 0.5, device=device)
    x = gpugrad.ones(2, 2, device=device, requires_grad=True)
    found = {}
    for kept in ["mm"], []:
        computed.clear()
        contexts = partial(create_selective_checkpoint_contexts, kept)
        y = checkpoint(lambda x: (x @ w).exp().sum(), x, use_reentrant=False, context_fn=contexts)
        first = len(computed)
        (g,) = gpugrad.autograd.grad(y, x)
        found[bool(kept)] = first, len(computed) - first - 1, g.tolist()  # one is the gradient's
    assert found[True][:2] == (1, 0)
    assert found[False][:2] == (1, 1)
    assert found[True][2] == found[False][2]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("dot", lambda x: (x[0].dot(x[1]) * 2).exp()),
        ("split", lambda x: x.split(1)[0].exp() * x.split(1)[1].exp()),
        ("max", lambda x: x.max(0)[0].exp()),
        ("t", lambda x: x.t().exp()),
        ("cat", lambda x: gpugrad.cat([x, x]).exp()),
    ],
)
def test_results_of_every_kind_are_kept(
    name: str, function: Callable[[Any], Any], device: str
) -> None:
    x = gpugrad.tensor([[0.5, 0.25], [0.75, 1.0]], device=device, requires_grad=True)
    pair = create_selective_checkpoint_contexts([name])
    y = checkpoint(function, x, use_reentrant=False, context_fn=lambda: pair)
    storage: Any = pair[1].storage  # type: ignore[attr-defined]
    (key,) = [k for k in storage if k.startswith(name.title())]
    assert None not in storage[key]
    (g,) = gpugrad.autograd.grad(y.sum(), x)
    assert set(storage[key]) == {None}
    (expected,) = gpugrad.autograd.grad(function(x).sum(), x)
    assert g.tolist() == expected.tolist()


def test_what_is_offloaded_is_in_the_memory_of_the_host(device: str) -> None:
    x = gpugrad.tensor([0.5, 0.25], device=device, requires_grad=True)
    pair = create_selective_checkpoint_contexts(lambda *_: CheckpointPolicy.MUST_CPU_OFFLOAD)
    y = checkpoint(lambda x: x.sin().exp(), x, use_reentrant=False, context_fn=lambda: pair)
    storage: Any = pair[1].storage  # type: ignore[attr-defined]
    kept = [k.tensor.device.type for entries in storage.values() for e in entries for k in e]
    assert kept == ["cpu", "cpu"]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.device == x.device
    assert x.grad.tolist() == ((x.sin().exp() * x.cos()).tolist())


def test_what_is_kept_has_no_history() -> None:
    import gc
    import weakref

    x = gpugrad.ones(2, requires_grad=True)
    contexts = partial(create_selective_checkpoint_contexts, lambda *_: True)
    y = checkpoint(lambda x: x.sin().exp(), x, use_reentrant=False, context_fn=contexts)
    node = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()


def test_a_plain_checkpoint_lies_within_a_selective_one(device: str) -> None:
    x = gpugrad.tensor([0.5, 0.25], device=device, requires_grad=True)

    def f(x: Any) -> Any:
        return checkpoint(lambda x: x.sin().exp(), x.tanh(), use_reentrant=False).cos()

    contexts = partial(create_selective_checkpoint_contexts, ["sin", "tanh"])
    y = checkpoint(f, x, use_reentrant=False, context_fn=contexts)
    (g,) = gpugrad.autograd.grad(y.sum(), x)
    (expected,) = gpugrad.autograd.grad(x.tanh().sin().exp().cos().sum(), x)
    assert g.tolist() == expected.tolist()


# --------------------------------------------------------------------------- when it ends


def ending(outside: bool | None, **options: Any) -> Callable[..., None]:
    """Return a program that notes how far the second computation goes."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x = leaf([1.0, 2.0])

        def f(x: Any) -> Any:
            y = x.sin()
            note("saved one")
            z = y.exp()
            note("saved all")
            return z + 1

        def work() -> Any:
            return of(torch).checkpoint(f, x, use_reentrant=False, **options)

        if outside is None:
            y = work()
        else:
            with of(torch).set_checkpoint_early_stop(outside):
                y = work()
        note(torch.autograd.grad(y.sum(), x))

    return run


PROGRAMS["ends_early"] = ending(None)
PROGRAMS["ends_late"] = ending(None, early_stop=False)
PROGRAMS["outside_it_is_said_early"] = ending(True, early_stop=False)
PROGRAMS["outside_it_is_said_late"] = ending(False)


@pytest.mark.parametrize("early", [True, False])
def test_more_than_was_saved_is_an_error_where_all_is_computed(early: bool, device: str) -> None:
    runs: list[int] = []

    def f(x: Any) -> Any:
        runs.append(1)
        return x.sin() if len(runs) == 1 else x.sin().cos()

    x = gpugrad.ones(2, device=device, requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False, early_stop=early).sum()
    if early:
        y.backward()
    else:
        with pytest.raises(CheckpointError, match="trying to save more tensors during recomputati"):
            y.backward()


# --------------------------------------------------------------------------- errors


def different(x: Any, runs: list[int]) -> Any:
    runs.append(1)
    y = x.sin() if len(runs) == 1 else x[:1].sin()
    return y.exp()


@pytest.mark.parametrize("outside", [True, False])
def test_debugging_lists_what_was_computed(outside: bool, device: str) -> None:
    runs: list[int] = []
    x = gpugrad.ones(2, device=device, requires_grad=True)
    if outside:
        with module.set_checkpoint_debug_enabled(True):
            y = checkpoint(different, x, runs, use_reentrant=False)
    else:
        y = checkpoint(different, x, runs, use_reentrant=False, debug=True)
    with pytest.raises(CheckpointError) as caught:
        y.sum().backward()
    text = str(caught.value)
    first, second = text.split("Operations executed during recomputation")
    assert "float32[2] = sin(float32[2])\nfloat32[2] = exp(float32[2])" in first
    assert "float32[1] = slice(float32[2])\nfloat32[1] = sin(float32[1])" in second
    assert "y = x.sin() if len(runs) == 1 else x[:1].sin()" in first
    assert "have different metadata" in str(caught.value.__cause__)


def test_debugging_can_be_forbidden(device: str) -> None:
    x = gpugrad.ones(2, device=device, requires_grad=True)
    with module.set_checkpoint_debug_enabled(False):
        y = checkpoint(different, x, [], use_reentrant=False, debug=True)
    with pytest.raises(CheckpointError, match="Tip: To see a more detailed error message"):
        y.sum().backward()


def called(**keywords: Any) -> Callable[..., None]:
    def run(torch: Any, leaf: Any, note: Any) -> None:
        note("begins")
        fill = {"contexts": lambda: of(torch).noop_context_fn()}
        options = {k: fill.get(v, v) for k, v in keywords.items()}
        note(of(torch).checkpoint(lambda x: x.sin(), leaf([1.0]), **options))

    return run


PROGRAMS["no_such_check"] = called(use_reentrant=False, determinism_check="foo")
PROGRAMS["contexts_of_the_reentrant"] = called(use_reentrant=True, context_fn="contexts")
PROGRAMS["debug_of_the_reentrant"] = called(use_reentrant=True, debug=True)
PROGRAMS["no_check_of_the_reentrant"] = called(use_reentrant=True, determinism_check="foo")
PROGRAMS["contexts_and_debug"] = called(use_reentrant=False, context_fn="contexts", debug=True)
PROGRAMS["contexts_that_do_nothing"] = called(use_reentrant=False, context_fn="contexts")


@program
def a_sequence_has_no_other_keywords(torch: Any, leaf: Any, note: Any) -> None:
    note("begins")
    of(torch).checkpoint_sequential([abs], 1, leaf([1.0]), use_reentrant=False, foo=3)


@program
def a_context_that_swallows_errors(torch: Any, leaf: Any, note: Any) -> None:
    import contextlib

    note("begins")
    of(torch).checkpoint(
        lambda x: x.reshape(5), leaf([1.0]), use_reentrant=False,
        context_fn=lambda: (contextlib.suppress(RuntimeError), contextlib.nullcontext()),
    )  # fmt: skip


# --------------------------------------------------------------------------- groups


def in_parts(torch: Any, leaf: Any, note: Any, grouped: bool, overlap: bool) -> None:
    import contextlib

    x, runs = leaf([1.0, 2.0]), list[int]()

    def f(x: Any) -> Any:
        runs.append(1)
        return x.sin(), x.exp()

    first, second = of(torch).checkpoint(f, x, use_reentrant=False)
    with of(torch).GraphExecGroup() if grouped else contextlib.nullcontext():
        first.sum().backward(retain_graph=True)
        note(x.grad)
        (first if overlap else second).sum().backward()
    note(x.grad)
    if grouped:
        note(len(runs))


PROGRAMS["two_backwards_of_a_group"] = partial(in_parts, grouped=True, overlap=False)
PROGRAMS["two_backwards_without_a_group"] = partial(in_parts, grouped=False, overlap=False)
PROGRAMS["overlap_in_a_group"] = partial(in_parts, grouped=True, overlap=True)
PROGRAMS["overlap_without_a_group"] = partial(in_parts, grouped=False, overlap=True)


def test_groups_are_not_nested() -> None:
    with (
        module.GraphExecGroup(),
        pytest.raises(RuntimeError, match="GraphExecGroup contexts cannot be nested"),
        module.GraphExecGroup(),
    ):
        pass
    with module.GraphExecGroup():
        pass


# --------------------------------------------------------------------------- small parts


@program
def what_is_detached(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    found = of(torch).detach_variable((x * 2, 3, x.detach()))
    note([(t.requires_grad, t.is_leaf) if hasattr(t, "is_leaf") else t for t in found])
    of(torch).detach_variable([x])


@pytest.mark.parametrize("requires_grad", [True, False])
def test_the_reentrant_variant_warns_where_there_will_be_no_gradient(requires_grad: bool) -> None:
    torch = pytorch()
    found = []
    for library in (gpugrad, torch):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            x = library.ones(2, requires_grad=requires_grad)
            of(library).checkpoint(lambda x: x.sin(), x, use_reentrant=True)
        found.append([str(w.message) for w in told])
    assert found[0] == found[1]
    assert bool(found[0]) is not requires_grad


@pytest.mark.parametrize("name", sorted(module.__all__))
def test_parameters_are_pytorchs(name: str) -> None:
    pytorch()
    import torch.utils.checkpoint as theirs

    expected, found = (getattr(m, name) for m in (theirs, module))
    if inspect.isclass(expected) and "__init__" not in vars(expected):
        return  # it takes none of its own
    parameters = [
        [(p.name, p.default) for p in inspect.signature(f).parameters.values()]
        for f in (expected, found)
    ]
    known = {getattr(theirs, n): getattr(module, n) for n in ("noop_context_fn",)}
    expected_parameters = [(n, known.get(d, d)) for n, d in parameters[0]]
    extra = [p for p in parameters[1] if p[0] != "preserve_rng_state"]  # one of PyTorch's kwargs
    assert [n for n, _ in extra] == [n for n, _ in expected_parameters]
    assert extra == expected_parameters


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_it_does_with_pytorch(name: str, device: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(PROGRAMS[name], device)

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
from gpugrad.ops.linalg import _mm
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
        pytest.skip("it takes none of its own")
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

"""Hooks on tensors, leaves and nodes; gradient edges; what nodes say of themselves."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import Programs, agree

PROGRAMS = Programs()
program = PROGRAMS.add


def noisy(note: Callable[..., Any], y: Any) -> None:
    """Put every kind of hook on a product that was computed from one leaf."""
    x = y.grad_fn.next_functions[0][0].variable
    y.register_hook(lambda g: (note("first", g), g * 10)[1])
    y.retain_grad()
    y.register_hook(lambda g: (note("second", g), g + 1)[1])
    y.grad_fn.register_prehook(lambda gs: (note("before", gs), (gs[0] * 2,))[1])
    y.grad_fn.register_hook(lambda gi, go: (note("after", gi, go), (gi[0] * 5, None))[1])
    x.register_hook(lambda g: note("leaf", g))
    x.register_post_accumulate_grad_hook(lambda p: note("accumulated", p.grad))
    end = y.grad_fn.next_functions[0][0]
    end.register_prehook(lambda gs: note("before the end", gs))
    end.register_hook(lambda gi, go: note("after the end", gi, go))


@program
def all_hooks_of_a_backward(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(2.0)
    y = x * 2
    noisy(note, y)
    (y * 3).backward()
    note(y.grad, x.grad)


@program
def all_hooks_of_grad(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(2.0)
    y = x * 2
    noisy(note, y)
    note(torch.autograd.grad(y * 3, x), y.grad, x.grad)


@program
def grad_of_what_was_computed_runs_its_tensor_hooks(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(2.0)
    y = x * 2
    noisy(note, y)
    note(torch.autograd.grad(y * 3, y), y.grad, x.grad)


@program
def all_hooks_of_a_backward_to_inputs(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf(2.0), leaf(3.0)
    w.register_hook(lambda g: note("never", g))
    y = x * 2
    noisy(note, y)
    (y * w).backward(inputs=[x])
    note(y.grad, x.grad, w.grad)


@program
def hooks_with_create_graph(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * x, gi[1]))
    (g,) = torch.autograd.grad(y * x, x, create_graph=True)
    note(g)
    g.backward()
    note(x.grad)


def ends_with(hook: Callable[[Any], Callable[..., Any]], kind: str) -> Callable[..., Any]:
    def run(torch: Any, leaf: Any, note: Any) -> None:
        x = leaf([1.0, 2.0])
        y = x * 2
        if kind == "tensor":
            y.register_hook(hook(torch))
        elif kind == "leaf":
            x.register_hook(hook(torch))
        elif kind == "accumulated":
            x.register_post_accumulate_grad_hook(hook(torch))
        elif kind == "before":
            y.grad_fn.register_prehook(hook(torch))
        else:
            y.grad_fn.register_hook(hook(torch))
        y.backward(torch.ones_like(y))
        note(x.grad)

    return run


def ones(torch: Any, *shape: int, dtype: str = "float64") -> Any:
    where = DEVICE.get(torch.__name__, "cpu")
    return torch.ones(*shape, dtype=getattr(torch, dtype), device=where)


DEVICE = {"gpugrad": "cpu"}
RETURNS: dict[str, tuple[str, Callable[[Any], Callable[..., Any]]]] = {
    "another shape": ("tensor", lambda t: lambda g: ones(t, 3)),
    "another shape to a leaf": ("leaf", lambda t: lambda g: ones(t, 3)),
    "another type": ("tensor", lambda t: lambda g: ones(t, 2, dtype="float32")),
    "a number": ("tensor", lambda t: lambda g: 3),
    "a number to a leaf": ("leaf", lambda t: lambda g: 3),
    "a number from a prehook": ("before", lambda t: lambda g: 3),
    "a tensor from a prehook": ("before", lambda t: lambda g: g[0]),
    "a list from a prehook": ("before", lambda t: lambda g: [g[0]]),
    "a tuple of a number from a prehook": ("before", lambda t: lambda g: (3,)),
    "two from a prehook": ("before", lambda t: lambda g: (g[0], g[0])),
    "another shape from a prehook": ("before", lambda t: lambda g: (ones(t, 3),)),
    "no gradient from a prehook": ("before", lambda t: lambda g: (None,)),
    "a tensor from a posthook": ("after", lambda t: lambda gi, go: go[0]),
    "too few from a posthook": ("after", lambda t: lambda gi, go: (gi[0],)),
    "as many from a posthook": ("after", lambda t: lambda gi, go: (gi[0] * 2, None)),
    "more than there was": ("after", lambda t: lambda gi, go: (gi[0], gi[0])),
    "no gradient from a posthook": ("after", lambda t: lambda gi, go: (None, None)),
    "another shape from a posthook": ("after", lambda t: lambda gi, go: (ones(t, 3), None)),
    "a number after accumulation": ("accumulated", lambda t: lambda p: 3),
    "a tensor after accumulation": ("accumulated", lambda t: lambda p: p),
}


@pytest.mark.parametrize("name", sorted(RETURNS))
def test_what_a_hook_returns_is_taken_or_refused_as_by_pytorch(
    name: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEVICE, "gpugrad", device)
    kind, hook = RETURNS[name]
    agree(ends_with(hook, kind), device)


@program
def the_hooks_of_two_leaves_run_in_the_order_of_their_node(
    torch: Any, leaf: Any, note: Any
) -> None:
    x, y = leaf(1.0), leaf(2.0)
    x.register_hook(lambda g: note("x", g))
    y.register_hook(lambda g: note("y", g))
    (x * y).backward()
    (y * x).backward()
    (x * 1 + y * 1).backward()
    (x + (y + x)).backward()


@program
def a_leaf_is_complete_before_older_nodes_run(torch: Any, leaf: Any, note: Any) -> None:
    x, y = leaf(1.0), leaf(2.0)
    early = y.exp()
    early.register_hook(lambda g: note("early", g))
    x.register_post_accumulate_grad_hook(lambda p: note("x", p.grad))
    y.register_post_accumulate_grad_hook(lambda p: note("y", p.grad))
    (early * x * x).backward()


@program
def a_leaf_as_root(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(1.0)
    x.register_hook(lambda g: g * 3)
    x.backward()
    note(x.grad)
    torch.autograd.backward([x, x * 2])
    note(x.grad)


@program
def outputs_of_several(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    a, b = (x * 1).unbind(0)
    a.register_hook(lambda g: (note("a", g), g * 10)[1])
    b.register_hook(lambda g: (note("b", g), g * 100)[1])
    b.retain_grad()
    (a * 2 + b * 3).backward()
    note(x.grad, b.grad)


@program
def a_removed_hook_does_not_run(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(1.0)
    y = x * 2
    handles = [
        x.register_hook(lambda g: g * 2),
        y.register_hook(lambda g: g * 3),
        y.grad_fn.register_hook(lambda gi, go: (gi[0] * 5, None)),
        x.register_post_accumulate_grad_hook(lambda p: note("accumulated")),
    ]
    with y.register_hook(lambda g: g * 7):
        y.backward(retain_graph=True)
    note(x.grad)
    for handle in handles:
        handle.remove()
        handle.remove()
        x.grad = None
        y.backward(retain_graph=True)
        note(x.grad)


@program
def a_hook_may_remove_itself(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(1.0)
    handles: list[Any] = []

    def once(g: Any) -> None:
        note("once", g)
        handles[0].remove()

    handles.append(x.register_hook(once))
    x.register_hook(lambda g: note("always", g))
    x.backward()
    x.backward()


@program
def needs_a_gradient(torch: Any, leaf: Any, note: Any) -> None:
    torch.tensor(1.0).register_hook(lambda g: g)


@program
def accumulation_needs_a_gradient(torch: Any, leaf: Any, note: Any) -> None:
    torch.tensor(1.0).register_post_accumulate_grad_hook(lambda p: None)


@program
def accumulation_needs_a_leaf(torch: Any, leaf: Any, note: Any) -> None:
    (leaf(1.0) * 2).register_post_accumulate_grad_hook(lambda p: None)


@program
def an_edge_needs_a_gradient(torch: Any, leaf: Any, note: Any) -> None:
    torch.autograd.graph.get_gradient_edge(torch.tensor(1.0))


@program
def edges_stand_for_tensors(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y.sum()
    edge = torch.autograd.graph.get_gradient_edge
    note(edge(y).output_nr, edge(y).node is y.grad_fn, edge(x).node.name())
    note(torch.autograd.grad(z, [edge(y), edge(x)], retain_graph=True))
    z.backward(inputs=[edge(x)], retain_graph=True)
    note(x.grad)
    note(torch.autograd.grad(edge(z), x, torch.ones_like(z), retain_graph=True))
    note(torch.autograd.grad(edge(y), [x], torch.ones_like(x), retain_graph=True))
    torch.autograd.backward([edge(y)], [torch.ones_like(x)], retain_graph=True)
    note(x.grad)
    a, b = (x * 1).unbind(0)
    note(edge(b).output_nr, torch.autograd.grad(a * b, edge(b)))
    torch.autograd.grad(edge(y), x)


@program
def an_edge_knows_what_gradient_fits(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    edge = torch.autograd.graph.get_gradient_edge
    note(torch.autograd.grad(edge(y.sum()), x, retain_graph=True))
    note(torch.autograd.grad(edge(y[:1].reshape(1, 1)), x, retain_graph=True))
    torch.autograd.backward(edge(y.sum()), retain_graph=True)
    note(x.grad)
    note(edge(y) == edge(y), len({edge(y), edge(y), edge(x)}))
    single = torch.ones_like(y, dtype=torch.float32)
    note(torch.autograd.grad(edge(y), x, single, retain_graph=True)[0].dtype == x.dtype)
    wrong = (
        (y, None), ((y * 1j).sum(), None), (y, torch.ones_like(y[:1])),
        (y, torch.ones_like(y, dtype=torch.complex128)),
    )  # fmt: skip
    for root, weight in wrong:
        try:
            torch.autograd.grad(edge(root), x, weight, retain_graph=True)
        except RuntimeError as error:
            note(str(error).replace("torch.", "gpugrad."))
    torch.autograd.grad(edge(y), x, torch.ones_like(y.expand(3, 2))[:, :1], is_grads_batched=True)


@program
def an_edge_of_a_view_whose_base_got_a_history(torch: Any, leaf: Any, note: Any) -> None:
    w = leaf([1.0, 2.0])
    x = w.detach().clone()
    view = x[:1]
    x.mul_(w)
    edge = torch.autograd.graph.get_gradient_edge(view)
    note(torch.autograd.grad(edge, w, torch.ones_like(view)))


def test_an_edge_made_by_hand_needs_a_gradient() -> None:
    x = gpugrad.tensor([1.0, 2.0], requires_grad=True)
    y: Any = (x * x).sum()
    by_hand = gpugrad.autograd.graph.GradientEdge(y.grad_fn, 0)
    with pytest.raises(RuntimeError, match=r"only for gradient edges that get_gradient_edge retur"):
        gpugrad.autograd.grad(by_hand, x)
    (grad,) = gpugrad.autograd.grad(by_hand, x, gpugrad.tensor(3.0))
    assert grad.tolist() == [6.0, 12.0]


@program
def an_edge_keeps_the_graph(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    edge = torch.autograd.graph.get_gradient_edge(y)
    del y
    note(torch.autograd.grad(edge, x, torch.ones_like(x)))


@program
def several_tensors_at_once(torch: Any, leaf: Any, note: Any) -> None:
    for mode in "all", "any":
        x, w, u = leaf(1.0), leaf(2.0), leaf(3.0)
        a, b = x * 2, w * 3
        handle = torch.autograd.graph.register_multi_grad_hook(
            (a, b, u),
            lambda g, mode=mode: note(mode, g),
            mode=mode,
        )
        (a * b).backward(retain_graph=True)
        (a * 2).backward(retain_graph=True)
        torch.autograd.grad(a * b, [x, w])
        handle.remove()
        a = x * 2
        (a * 2).backward()
    torch.autograd.graph.register_multi_grad_hook((a,), note, mode="most")


@program
def retain_grad_after_hooks(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(1.0)
    y = x * 2
    note(y.retains_grad)
    y.retain_grad()
    y.retain_grad()
    note(y.retains_grad)
    y.register_hook(lambda g: g * 2)
    y.backward(retain_graph=True)
    note(y.grad)
    y.backward(retain_graph=True)
    note(y.grad)


@program
def saved_values_under_pytorchs_names(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 0.5])
    for out in x * w, x / w, x * 2, x.exp(), x.tanh(), x.sqrt(), x**w, x.log(), x.sin():
        node = out.grad_fn
        names = sorted(n for n in NAMES if hasattr(node, n))
        note(node.name(), names, [getattr(node, n) for n in names])
    note((x * w).grad_fn._saved_self is x)
    power = (x**2.7).grad_fn
    note(power._saved_self is x, power._saved_exponent)
    y = x.exp()
    y.backward(torch.ones_like(y))
    note(y.grad_fn._saved_result)


@program
def no_such_saved_value(torch: Any, leaf: Any, note: Any) -> None:
    (leaf(1.0) * 2).grad_fn._saved_foo  # noqa: B018


NAMES = ["_saved_self", "_saved_other", "_saved_result", "_saved_exponent", "_saved_foo"]


@program
def metadata_is_kept_with_the_node(torch: Any, leaf: Any, note: Any) -> None:
    y = leaf(1.0) * 2
    note(y.grad_fn.metadata)
    y.grad_fn.metadata["mine"] = 1
    note(y.grad_fn.metadata)
    note(isinstance(y.grad_fn, torch.autograd.graph.Node))
    note(isinstance(y.grad_fn.next_functions[0][0], torch.autograd.graph.Node))


# --------------------------------------------------------------------------- changed since

POWERS: dict[str, Callable[..., Any]] = {
    "product": lambda torch, h: h * h * h,
    "power": lambda torch, h: h**3,
    "product with a constant": lambda torch, h: h * torch.ones_like(h),
    "sine": lambda torch, h: h.sin(),
    "exponential": lambda torch, h: h.exp(),
    "sum": lambda torch, h: h.sum() * 2,
    "dot": lambda torch, h: torch.dot(h, h),
    "variance": lambda torch, h: h.var(),
}


def detached(torch: Any, leaf: Any, note: Any, power: str, create_graph: bool) -> None:
    w = leaf([2.0, 3.0])
    h = w * 1
    alias = h.detach()
    y, z = POWERS[power](torch, h), (w * alias).sum()
    h.detach_()
    note(h._version, h.is_leaf)
    note(torch.autograd.grad(z, w))
    (g,) = torch.autograd.grad(y.sum(), w, create_graph=create_graph)
    note(g)
    note(torch.autograd.grad(g.sum(), w))


for _power in POWERS:
    for _create in False, True:
        PROGRAMS[f"detached after {_power}, {_create}"] = partial(
            detached, power=_power, create_graph=_create
        )


@program
def detached_and_required_again(torch: Any, leaf: Any, note: Any) -> None:
    h = leaf([2.0, 3.0]) * 1
    y = h * h
    h.detach_().requires_grad_()
    note(h._version)
    y.sum().backward()


@program
def an_output_is_detached(torch: Any, leaf: Any, note: Any) -> None:
    w = leaf([2.0, 3.0])
    y = (w * 1).exp()
    z = y.sin()
    y.detach_().mul_(1)
    note(y._version)
    z.sum().backward()


FREEZES: dict[str, Callable[[Any], Any]] = {
    "requires_grad_": lambda w: w.requires_grad_(False),
    "requires_grad": lambda w: setattr(w, "requires_grad", False),
    "detach_": lambda w: w.detach_(),
    "and used again": lambda w: w.detach_().requires_grad_(),
}


def frozen(torch: Any, leaf: Any, note: Any, freeze: str, hooked: bool) -> None:
    for graph in False, True:
        w, v = leaf([1.0, 2.0]), leaf([3.0, 4.0])
        y = (w * v).sum()
        edge = torch.autograd.graph.get_gradient_edge(w)
        if hooked:
            w.register_hook(lambda g: note("hook", g))
            w.register_post_accumulate_grad_hook(lambda t: note("accumulated", t.grad))
        FREEZES[freeze](w)
        note(torch.autograd.grad(y, [edge, v], retain_graph=True))
        y.backward(retain_graph=True, create_graph=graph)
        note(w.grad, v.grad, v.grad.requires_grad)
        w.grad = torch.ones_like(w)
        y.backward(retain_graph=True)
        note(w.grad)
    y.backward(inputs=[w, v])


for _freeze in FREEZES:
    for _hooked in False, True:
        PROGRAMS[f"frozen by {_freeze}, {_hooked}"] = partial(
            frozen, freeze=_freeze, hooked=_hooked
        )


# --------------------------------------------------------------------------- every way of walking

# Walks of z, made of y, made of the leaf x; w is another leaf.
WALKS: dict[str, Callable[..., Any]] = {
    "all": lambda torch, x, y, z, w: z.backward(),
    "to x": lambda torch, x, y, z, w: z.backward(inputs=[x]),
    "to y": lambda torch, x, y, z, w: z.backward(inputs=[y]),
    "to both": lambda torch, x, y, z, w: z.backward(inputs=[y, x]),
    "to the root": lambda torch, x, y, z, w: z.backward(inputs=[z]),
    "to nothing": lambda torch, x, y, z, w: z.backward(inputs=[w]),
    "from y": lambda torch, x, y, z, w: y.backward(torch.ones_like(y)),
    "from x": lambda torch, x, y, z, w: x.backward(torch.ones_like(x)),
    "from x to x": lambda torch, x, y, z, w: x.backward(torch.ones_like(x), inputs=[x]),
    "from x to nothing": lambda torch, x, y, z, w: x.backward(torch.ones_like(x), inputs=[w]),
    "from two": lambda torch, x, y, z, w: torch.autograd.backward([z, y.sum()]),
    "twice": lambda torch, x, y, z, w: (z.backward(inputs=[y]), y.sum().backward()),
    "grad of x": lambda torch, x, y, z, w: torch.autograd.grad(z, x),
    "grad of y": lambda torch, x, y, z, w: torch.autograd.grad(z, y),
    "grad of y twice": lambda torch, x, y, z, w: torch.autograd.grad(z, [y, y]),
    "grad of both": lambda torch, x, y, z, w: torch.autograd.grad(z, [y, x]),
    "grad of the root": lambda torch, x, y, z, w: torch.autograd.grad(z, [z, x]),
    "grad of nothing": lambda torch, x, y, z, w: torch.autograd.grad(z, w, allow_unused=True),
    "grad of nothing from two": lambda torch, x, y, z, w: torch.autograd.grad(
        [z, y.sum()], w, allow_unused=True
    ),
    "grad of x from x": lambda torch, x, y, z, w: torch.autograd.grad(x, x, torch.ones_like(x)),
}


def without_gradient(torch: Any) -> Any:
    """Return a function of one tensor whose backward returns None."""
    methods = {"forward": lambda ctx, x: x * 1, "backward": lambda ctx, g: None}
    of_class = {n: staticmethod(f) for n, f in methods.items()}
    made: Any = type("N", (torch.autograd.Function,), of_class)
    return made.apply


MIDDLES: dict[str, Callable[..., Any]] = {
    "product": lambda torch, x: x * 3,
    "square": lambda torch, x: x * x,
    "part": lambda torch, x: torch.stack([x, x]).unbind()[0],
    "no gradient below": lambda torch, x: without_gradient(torch)(x),
}


def hooked_everywhere(torch: Any, leaf: Any, note: Any, walk: str, middle: str) -> None:
    x, w = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    y = MIDDLES[middle](torch, x)
    z = (y * 2).sum()
    node = y.grad_fn.next_functions[0][0]  # kept, as PyTorch's forgets its hooks otherwise
    for name, tensor in {"x": x, "y": y, "z": z}.items():
        tensor.register_hook(lambda g, name=name: note(name, g))
        if tensor.grad_fn is not None:
            tensor.grad_fn.register_prehook(lambda o, name=name: note("before", name, o))
            tensor.grad_fn.register_hook(lambda i, o, name=name: note("after", name, i, o))
    x.register_post_accumulate_grad_hook(lambda t: note("accumulated", t.grad))
    y.retain_grad()
    note("begins", node is None)
    try:
        WALKS[walk](torch, x, y, z, w)
    finally:
        note(x.grad, y.grad)


for _walk in WALKS:
    for _middle in MIDDLES:
        PROGRAMS[f"{_walk}, {_middle}"] = partial(hooked_everywhere, walk=_walk, middle=_middle)


def hooked_together(torch: Any, leaf: Any, note: Any, walk: str, mode: str) -> None:
    register = torch.autograd.graph.register_multi_grad_hook
    for chosen in (lambda *some: some), (lambda x, y, z, w: (x,)), (lambda x, y, z, w: (y, w)):
        x, w = leaf([1.0, 2.0]), leaf([1.0, 2.0])
        y = x * 3
        z = (y * 2).sum()
        register(chosen(x, y, z, w), lambda grads: note(grads), mode=mode)
        note("begins")
        try:
            WALKS[walk](torch, x, y, z, w)
        except RuntimeError as error:
            note(str(error))


for _walk in WALKS:
    for _mode in "all", "any":
        PROGRAMS[f"{_walk}, {_mode} together"] = partial(hooked_together, walk=_walk, mode=_mode)


@program
def together_with_a_constant(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(1.0)
    register = torch.autograd.graph.register_multi_grad_hook
    register([torch.ones(2), x], note, mode="any")
    (x * 2).backward()
    register([torch.ones(2), x], note)


@program
def no_gradient_arrives(torch: Any, leaf: Any, note: Any) -> None:
    for materialize in True, False:

        def forward(ctx: Any, x: Any, materialize: bool = materialize) -> Any:
            ctx.set_materialize_grads(materialize)
            return x * 1

        def backward(ctx: Any, g: Any) -> Any:
            note("backward", g)
            return g

        methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        x = leaf([1.0, 2.0])
        function: Any = type("F", (torch.autograd.Function,), methods)
        y = function.apply(x) * 1
        x.register_hook(lambda g: note("leaf", g))
        torch.autograd.graph.register_multi_grad_hook([x, y], note)
        without_gradient(torch)(y).sum().backward(retain_graph=True)
        note(x.grad)
        (without_gradient(torch)(y) + y).sum().backward()
        note(x.grad)


@program
def what_is_run_without_gradient_is_freed(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    without_gradient(torch)(y).sum().backward()
    note("freed")
    y.sum().backward()


@program
def one_hook_of_several_outputs(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    a, b = x.unbind()
    b.register_hook(lambda g: note("b", g))
    a.register_hook(lambda g: note("a", g))
    a.backward()
    a, b = x.unbind()
    b.register_hook(lambda g: leaf(1.0))
    a.backward()


def accumulated(*returns: Callable[[Any], Any]) -> Callable[..., None]:
    """Return a program with hooks that return something when a gradient was accumulated."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        x = leaf([1.0, 2.0])
        for function in returns:
            x.register_post_accumulate_grad_hook(function)
        x.register_post_accumulate_grad_hook(lambda t: note(t is x))
        try:
            (x * 2).sum().backward()
        finally:
            note(x.grad)

    return run


PROGRAMS["accumulated: another tensor"] = accumulated(lambda t: t.grad * 2)
PROGRAMS["accumulated: the tensor"] = accumulated(lambda t: t)
PROGRAMS["accumulated: a number"] = accumulated(lambda t: 3)
PROGRAMS["accumulated: another, then the tensor"] = accumulated(lambda t: t.grad, lambda t: t)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_it_does_with_pytorch(name: str, device: str) -> None:
    agree(PROGRAMS[name], device)


# --------------------------------------------------------------------------- what is ours alone


def test_hooks_have_run_on_every_gradient_that_grad_returns(device: str) -> None:
    x = gpugrad.tensor(2.0, device=device, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    dx, dy = gpugrad.autograd.grad(y * 3, [x, y])
    assert (dx.item(), dy.item()) == (60.0, 30.0)


def test_a_leaf_dies_with_its_hooks() -> None:
    gc.collect()
    gc.disable()
    try:
        before = len(gpugrad.hooks.of_leaves)
        x = gpugrad.ones(2, requires_grad=True)
        x.register_hook(lambda g: g)
        assert len(gpugrad.hooks.of_leaves) == before + 1
        x.sum().backward()
        dead = weakref.ref(x)
        del x
        assert dead() is None
        assert len(gpugrad.hooks.of_leaves) == before
    finally:
        gc.enable()


def test_a_retained_tensor_with_hooks_makes_no_cycle() -> None:
    x = gpugrad.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g)
    dead = weakref.ref(y)
    gc.disable()
    try:
        del y
        assert dead() is None
    finally:
        gc.enable()


def test_what_a_hook_keeps_or_returns_is_not_added_to(device: str) -> None:
    kept: list[Any] = []
    mine = gpugrad.full((2,), 5.0, device=device)
    x = gpugrad.ones(2, device=device, requires_grad=True)
    y = gpugrad.ones(2, device=device, requires_grad=True)
    x.register_hook(kept.append)
    y.register_hook(lambda g: mine)
    for _ in range(3):
        (x * 2 + y).sum().backward()
    assert [g.tolist() for g in kept] == [[2.0, 2.0]] * 3
    assert mine.tolist() == [5.0, 5.0]
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 6.0]


def test_a_hook_may_walk_another_graph_or_this_one_again(device: str) -> None:
    x = gpugrad.tensor(3.0, device=device, requires_grad=True)
    y = x * x
    inner: list[float] = []

    def hook(g: Any) -> None:
        with gpugrad.enable_grad():
            other = gpugrad.tensor(5.0, device=device, requires_grad=True)
            (other * other).backward()
            (again,) = gpugrad.autograd.grad(y, x, retain_graph=True)
        assert other.grad is not None
        inner.extend([other.grad.item(), again.item()])

    z = y * 2
    z.register_hook(hook)
    z.backward()
    assert x.grad is not None
    assert x.grad.item() == 12.0
    assert inner[:2] == [10.0, 6.0]


def test_a_hook_runs_in_the_error_state_of_the_user() -> None:
    x = gpugrad.ones(2, requires_grad=True)
    seen: list[Any] = []
    x.register_hook(lambda g: seen.append(np.geterr()["divide"]))
    x.register_post_accumulate_grad_hook(lambda p: seen.append(np.geterr()["divide"]))
    with np.errstate(divide="raise"):
        x.sum().backward()
    assert seen == ["raise", "raise"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_each_gradient_as_it_was_or_complete(
    error: type[BaseException], device: str
) -> None:
    def broken(*args: Any) -> None:
        raise error("broken")

    for kind in "tensor", "leaf", "accumulated", "node":
        leaves = [gpugrad.ones(2, device=device, requires_grad=True) for _ in range(4)]
        a, b, c, d = leaves
        middle = a * b
        for t in (middle, c) if kind == "tensor" else (b, d):
            if kind == "tensor":
                t.register_hook(broken if t is middle else lambda g: g)
            elif kind == "leaf":
                t.register_hook(broken)
            elif kind == "accumulated":
                t.register_post_accumulate_grad_hook(broken)
            else:
                assert middle.grad_fn is not None
                middle.grad_fn.register_hook(broken)
        out = (middle * c + d + a).sum()
        with pytest.raises(error):
            out.backward()
        for t, complete in zip(leaves, [2.0, 1.0, 1.0, 1.0], strict=True):
            assert t.grad is None or t.grad.tolist() == [complete] * 2, kind

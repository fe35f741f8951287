"""Operations with a backward of the user's: ``autograd.Function``."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import Programs, agree
from gpugrad import func
from gpugrad.testing import jvp

PROGRAMS = Programs()
program = PROGRAMS.add


def made(torch: Any, forward: Any, backward: Any = None, setup: Any = None, **more: Any) -> Any:
    """Return a class ``F`` with these methods."""
    methods = {"forward": forward, "backward": backward, "setup_context": setup, **more}
    return type(
        "F",
        (torch.autograd.Function,),
        {n: staticmethod(f) if callable(f) else f for n, f in methods.items() if f is not None},
    )


def same(ctx: Any, *grads: Any) -> Any:
    return grads[0] if len(grads) == 1 else grads


@program
def it_is_differentiated_twice(torch: Any, leaf: Any, note: Any) -> None:
    def forward(ctx: Any, x: Any, n: int) -> Any:
        y = x.exp() * n
        ctx.save_for_backward(y, None, x)
        ctx.n = n
        note(ctx.needs_input_grad, ctx.saved_tensors, torch.is_grad_enabled())
        return y

    def backward(ctx: Any, g: Any) -> Any:
        y, nothing, x = ctx.saved_tensors
        note(ctx.needs_input_grad, nothing, ctx.n, g)
        return g * y * x / x, None

    x = leaf([1.0, 2.0])
    y = made(torch, forward, backward).apply(x, 3)
    note(y.grad_fn.name(), len(y.grad_fn.next_functions), y.grad_fn.n, y.grad_fn.needs_input_grad)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    note(g)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    note(h)
    (k,) = torch.autograd.grad(h.sum(), x)
    note(k.to(torch.float32))  # its terms are added up in another order than PyTorch's


@program
def setup_context_is_given_what_forward_was(torch: Any, leaf: Any, note: Any) -> None:
    def setup(ctx: Any, inputs: Any, output: Any) -> None:
        note(inputs, output)
        ctx.save_for_backward(inputs[0], output)
        ctx.save_for_forward(inputs[0])
        note(ctx.saved_for_forward)

    def backward(ctx: Any, g: Any) -> Any:
        x, out = ctx.saved_tensors
        return g * (x + out), None

    x = leaf([1.0, 2.0])
    f = made(torch, lambda x, n: x * n, backward, setup)
    f.apply(x, 3.0).sum().backward()
    note(x.grad)


@program
def only_needed_gradients_are_said_to_be_needed(torch: Any, leaf: Any, note: Any) -> None:
    def backward(ctx: Any, g: Any) -> Any:
        note(ctx.needs_input_grad)
        return g, g, None, None

    f = made(torch, lambda ctx, x, y, z, n: x * y, backward)
    x, y = leaf(2.0), leaf(3.0)
    z = torch.tensor(1.0)
    note(torch.autograd.grad(f.apply(x, y, z, "text"), x))
    f.apply(x, y, z, "text").backward()
    note(x.grad, y.grad)


@program
def outputs_may_be_anything(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    f = made(torch, lambda ctx, x: (x * 2, 3, "text"), lambda ctx, *g: (note(g), g[0])[1])
    y, n, t = f.apply(x)
    note(y, n, t)
    y.sum().backward()
    note(made(torch, lambda ctx, x: None, same).apply(x))
    note(made(torch, lambda ctx, x: x.long(), same).apply(x).requires_grad)
    made(torch, lambda ctx, x: "a", same).apply(x).backward()


@program
def gradients_that_are_missing_are_zeros(torch: Any, leaf: Any, note: Any) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        unused = x * 3
        ctx.mark_non_differentiable(unused)
        return x * 2, x > 1, unused, x * 4

    x = leaf([1.0, 2.0])
    outs = made(torch, forward, lambda ctx, *g: (note(g), g[0])[1]).apply(x)
    note([o.requires_grad for o in outs])
    outs[0].sum().backward()


@program
def or_none_if_that_is_asked_for(torch: Any, leaf: Any, note: Any) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    outs = made(torch, forward, lambda ctx, *g: (note(g), g[1])[1]).apply(leaf([1.0, 2.0]))
    outs[1].sum().backward()


@program
def an_input_that_is_returned(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    y = made(torch, lambda ctx, x: x, lambda ctx, g: g * 7).apply(x)
    note(y is x, y.grad_fn.name())
    y.sum().backward()
    note(x.grad)


@program
def an_input_that_is_written_to(torch: Any, leaf: Any, note: Any) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        x.add_(1)
        ctx.save_for_backward(x)
        return x

    x = leaf([1.0, 2.0])
    a = x * 1
    y = made(torch, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(a)
    note(y is a, a, a.grad_fn.name())
    (g,) = torch.autograd.grad((y * 2).sum(), x, create_graph=True)
    note(g)
    note(torch.autograd.grad(g.sum(), x))
    made(torch, forward, same).apply(x)


@program
def what_is_marked_dirty_is_returned(torch: Any, leaf: Any, note: Any) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.add_(1) * 1

    made(torch, forward, same).apply(leaf(1.0) * 1)


@program
def a_saved_input_that_was_written_to(torch: Any, leaf: Any, note: Any) -> None:
    a = leaf([1.0, 2.0]) * 1
    f = made(
        torch,
        lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1],
        lambda ctx, g: g * ctx.saved_tensors[0],
    )
    y = f.apply(a)
    a.add_(1)
    y.sum().backward()


@program
def freed_tensors(torch: Any, leaf: Any, note: Any) -> None:
    f = made(
        torch,
        lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1],
        lambda ctx, g: g * ctx.saved_tensors[0],
    )
    y = f.apply(leaf(1.0))
    y.backward(retain_graph=True)
    note(y.grad_fn.saved_tensors)
    y.backward()
    y.grad_fn.saved_tensors  # noqa: B018


@program
def once_differentiable(torch: Any, leaf: Any, note: Any) -> None:
    once = torch.autograd.function.once_differentiable
    f = made(
        torch,
        lambda ctx, x: (ctx.save_for_backward(x), x * x)[1],
        once(lambda ctx, g: g * 2 * ctx.saved_tensors[0]),
    )
    x, w = leaf([1.0, 2.0]), leaf([1.0, 1.0])
    (g,) = torch.autograd.grad(f.apply(x).sum(), x, create_graph=True)
    note(g, g.requires_grad)
    (g,) = torch.autograd.grad((f.apply(x) * w).sum(), x, create_graph=True)
    note(g, g.requires_grad, g.grad_fn.name())
    g.sum().backward()


@program
def vjp_is_another_name(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(1.0)
    made(torch, lambda ctx, x: x * 2, vjp=lambda ctx, g: g * 5).apply(x).backward()
    note(x.grad)
    made(torch, lambda ctx, x: x * 2, same, vjp=same).apply(x).backward()


@program
def functions_inside_functions(torch: Any, leaf: Any, note: Any) -> None:
    inner = made(torch, lambda ctx, x: x * 2, lambda ctx, g: g * 3)

    def forward(ctx: Any, x: Any) -> Any:
        with torch.enable_grad():
            copy = x.detach().requires_grad_()
            out = inner.apply(copy) * copy
        ctx.save_for_backward(copy, out)
        return out.detach()

    def backward(ctx: Any, g: Any) -> Any:
        copy, out = ctx.saved_tensors
        with torch.enable_grad():
            out = inner.apply(copy) * copy
        return torch.autograd.grad(out, copy, g)[0]

    x = leaf([1.0, 2.0])
    inner.apply(made(torch, forward, backward).apply(inner.apply(x))).sum().backward()
    note(x.grad)


@program
def nothing_is_recorded_under_no_grad(torch: Any, leaf: Any, note: Any) -> None:
    f = made(torch, lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1], same)
    with torch.no_grad():
        y = f.apply(leaf(1.0))
    note(y.requires_grad, y.grad_fn)
    note(f.apply(torch.tensor(1.0)).requires_grad)


@program
def forward_is_needed(torch: Any, leaf: Any, note: Any) -> None:
    made(torch, None, same).apply(leaf(1.0))


@program
def backward_is_needed(torch: Any, leaf: Any, note: Any) -> None:
    made(torch, lambda ctx, x: x * 2).apply(leaf(1.0)).backward()


@program
def an_object_is_no_function(torch: Any, leaf: Any, note: Any) -> None:
    made(torch, lambda ctx, x: x * 2, same)()(leaf(1.0))


@program
def only_tensors_are_saved(torch: Any, leaf: Any, note: Any) -> None:
    made(torch, lambda ctx, x: (ctx.save_for_backward(3), x * 2)[1], same).apply(leaf(1.0))


@program
def only_tensors_are_saved_for_forward(torch: Any, leaf: Any, note: Any) -> None:
    made(torch, lambda ctx, x: (ctx.save_for_forward(3), x * 2)[1], same).apply(leaf(1.0))


@program
def an_error_in_forward(torch: Any, leaf: Any, note: Any) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        raise ValueError("inside")

    made(torch, forward, same).apply(leaf(1.0))


@program
def an_error_in_backward(torch: Any, leaf: Any, note: Any) -> None:
    def backward(ctx: Any, g: Any) -> Any:
        raise ValueError("inside backward")

    made(torch, lambda ctx, x: x * 2, backward).apply(leaf(1.0)).backward()


def called(call: Callable[..., Any], forward: Any, setup: Any = None) -> Callable[..., None]:
    """Return a program that calls a function of some arguments by keyword."""

    def run(torch: Any, leaf: Any, note: Any) -> None:
        def backward(ctx: Any, g: Any) -> Any:
            note(ctx.needs_input_grad)
            return g * 2, g * 3, None

        x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
        note("begins")
        out = call(made(torch, forward, backward, setup).apply, x, y)
        note(out, len(out.grad_fn.next_functions))
        note(torch.autograd.grad(out.sum(), [x, y], allow_unused=True))

    return run


def product(ctx: Any, x: Any, y: Any = 2, z: Any = 3) -> Any:
    return x * y * z


def plain_product(x: Any, y: Any = 2, z: Any = 3) -> Any:
    return x * y * z


KEYWORDS: dict[str, Callable[..., Any]] = {
    "the last": lambda f, x, y: f(x, y=y),
    "all": lambda f, x, y: f(z=4, y=y, x=x),
    "only there a gradient": lambda f, x, y: f(x.detach(), y=y),
    "no tensor": lambda f, x, y: f(x, y=5),
    "one left out": lambda f, x, y: f(x, z=5),
    "the first left out": lambda f, x, y: f(y=y),
    "twice": lambda f, x, y: f(x, y, y=y),
    "unknown": lambda f, x, y: f(x, other=y),
    "ctx": lambda f, x, y: f(x, ctx=y),
}
for _name, _call in KEYWORDS.items():
    PROGRAMS[f"keywords: {_name}"] = called(_call, product)
    PROGRAMS[f"keywords with setup: {_name}"] = called(_call, plain_product, lambda *_: None)
KEYWORDS_ONLY: dict[str, Callable[..., Any]] = {
    "keyword only": lambda ctx, x, *, y: x * y,
    "any keyword": lambda ctx, x, **others: x * 2,
}
for _name, _forward in KEYWORDS_ONLY.items():
    PROGRAMS[f"keywords: {_name}"] = called(KEYWORDS["the last"], _forward)


@program
def a_context_is_kept_longer_than_the_graph(torch: Any, leaf: Any, note: Any) -> None:
    kept: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x, x * 2)
        kept.append(ctx)
        return x * x

    def backward(ctx: Any, g: Any) -> Any:
        note(ctx is kept[-1])
        return 2 * g * ctx.saved_tensors[0]

    f = made(torch, forward, backward).apply
    x = leaf([1.0, 2.0])
    y = f(x)
    y.sum().backward(retain_graph=True)
    del y
    note(kept[-1].saved_tensors, kept[-1].needs_input_grad)
    f(x.detach())
    note(kept[-1].saved_tensors)
    f(x).sum().backward()
    for k in -1, 0:
        try:
            note(kept[k].saved_tensors)
        except RuntimeError as error:
            note(str(error))
    x.detach().mul_(2)
    kept[0].saved_tensors  # noqa: B018


RETURNS: dict[str, Callable[[Any, Any], Any]] = {
    "none": lambda t, g: None,
    "none of two": lambda t, g: (None, None),
    "too few": lambda t, g: (g,),
    "too many": lambda t, g: (g, None, g),
    "too many that are none": lambda t, g: (g, None, None, None),
    "one for what is no tensor": lambda t, g: (g, g),
    "a number": lambda t, g: (3.0, None),
    "a list": lambda t, g: [g, None],
    "another shape": lambda t, g: (g[:1].expand(3), None),
    "no dimension": lambda t, g: (g.sum(), None),
    "what broadcasts": lambda t, g: (g.expand(4, 2), None),
    "another type": lambda t, g: (g.float(), None),
}


@pytest.mark.parametrize("name", sorted(RETURNS))
def test_what_backward_returns_is_taken_or_refused_as_by_pytorch(name: str, device: str) -> None:
    def run(torch: Any, leaf: Any, note: Any) -> None:
        x = leaf([1.0, 2.0])
        note("begins")
        f = made(torch, lambda ctx, x, n: x * n, lambda ctx, g: RETURNS[name](torch, g))
        note(torch.autograd.grad(f.apply(x, 3).sum(), x, allow_unused=True))

    agree(run, device)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_it_does_with_pytorch(name: str, device: str) -> None:
    agree(PROGRAMS[name], device)


# --------------------------------------------------------------------------- what is ours alone


@pytest.mark.parametrize("setup", [None, lambda ctx, inputs, output: None])
@pytest.mark.parametrize(
    "forward",
    [
        lambda x: x.detach().array * 2,
        lambda x: (x * 2, x.detach().array),
        lambda x: x.detach().array.sum(),
    ],
    ids=["alone", "among others", "a scalar"],
)
def test_an_array_that_would_lose_its_gradient_is_refused(
    forward: Any, setup: Any, device: str
) -> None:
    f = made(gpugrad, forward if setup else lambda ctx, x: forward(x), same, setup, jvp=same).apply
    x = gpugrad.ones(2, device=device)
    f(x)
    with pytest.raises(TypeError, match=r"the forward of F returned an array .* Return a tensor"):
        f(x.requires_grad_())
    with pytest.raises(TypeError, match=r"the forward of F returned an array .* Return a tensor"):
        jvp(f, (x.detach(),), (x.detach(),))
    counts = made(gpugrad, lambda ctx, x: (x * 2, np.arange(2)), same).apply(x)[1]
    assert counts.tolist() == [0, 1]


def test_gradients_may_be_any_tensors_and_are_not_added_to(device: str) -> None:
    mine = gpugrad.full((2,), 5.0, device=device)

    def backward(ctx: Any, g: Any) -> Any:
        return ctx.saved_tensors[0], mine, g, g

    f = made(
        gpugrad, lambda ctx, a, b, c, d: (ctx.save_for_backward(a), a + b + c + d)[1], backward
    )
    leaves = [gpugrad.ones(2, device=device, requires_grad=True) for _ in range(4)]
    out = f.apply(*leaves)
    for _ in range(2):
        out.sum().backward(retain_graph=True)
    f.apply(leaves[1], *leaves[1:]).sum().backward()
    assert mine.tolist() == [5.0, 5.0]
    assert leaves[0].tolist() == leaves[1].tolist() == [1.0, 1.0]
    assert [t.grad.tolist() for t in leaves if t.grad is not None] == [
        [2.0, 2.0], [16.0, 16.0], [3.0, 3.0], [3.0, 3.0],
    ]  # fmt: skip


@pytest.mark.parametrize("saves", ["input", "output"])
def test_a_call_makes_no_cycle(saves: str) -> None:
    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        ctx.save_for_backward(x if saves == "input" else y)
        return y

    x = gpugrad.ones(2, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        y = made(gpugrad, forward, same).apply(x)
        dead = weakref.ref(y), weakref.ref(y.grad_fn)
        del y
        assert [d() for d in dead] == [None, None]
    finally:
        gc.enable()


def test_an_output_that_was_saved_and_written_to_is_refused(device: str) -> None:
    f = made(
        gpugrad,
        lambda ctx, x: (ctx.save_for_backward(y := x * 2), y)[1],
        lambda ctx, g: g * ctx.saved_tensors[0],
    )
    y = f.apply(gpugrad.ones(2, device=device, requires_grad=True))
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.* is at version 1"):
        y.sum().backward()


@program
def forward_mode_calls_jvp(torch: Any, leaf: Any, note: Any) -> None:
    def forward(ctx: Any, x: Any, y: Any, n: int) -> Any:
        out = x * y * n
        ctx.save_for_backward(x, y, out)
        ctx.save_for_forward(x, y)
        ctx.n = n
        return out, x.sum()

    def backward(ctx: Any, g: Any, h: Any) -> Any:
        x, y, out = ctx.saved_tensors
        return g * out / x + h, g * out / y, None

    def move(ctx: Any, s: Any, t: Any, n: int) -> Any:
        note(s, t, n)
        x, y = ctx.saved_for_forward
        return ctx.n * (s * y + x * t), s.sum()

    forward_ad = torch.autograd.forward_ad
    f = made(torch, forward, backward, jvp=move)
    x, y = leaf([1.0, 2.0]), leaf([4.0, 8.0])
    v, w = leaf([1.0, 0.5]).detach(), leaf([0.25, 2.0]).detach()
    with forward_ad.dual_level():
        for second in (y, forward_ad.make_dual(y, w)):
            for part in f.apply(forward_ad.make_dual(x.detach(), v), second, 2):
                note(forward_ad.unpack_dual(part).tangent)
        out, _ = f.apply(forward_ad.make_dual(x, v), forward_ad.make_dual(y, w), 2)
        for grad in torch.autograd.grad((out * out).sum(), (x, y)):
            note(grad, forward_ad.unpack_dual(grad).tangent)


@program
def forward_mode_needs_a_jvp(torch: Any, leaf: Any, note: Any) -> None:
    forward_ad = torch.autograd.forward_ad
    x = leaf([1.0, 2.0])
    with forward_ad.dual_level():
        made(torch, lambda ctx, x: x * 2, same).apply(forward_ad.make_dual(x, x.detach()))


def test_transforms_nest_over_a_function() -> None:
    def setup(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    f = made(
        gpugrad, lambda x: x.sin(), lambda ctx, g: g * ctx.saved_tensors[0].cos(), setup,
        jvp=lambda ctx, t: t * ctx.saved_for_forward[0].cos(), generate_vmap_rule=True,
    ).apply  # fmt: skip
    x = gpugrad.tensor([0.3, 0.7])
    ones = gpugrad.ones(2)
    expected = [-math.sin(0.3), -math.sin(0.7)]
    assert func.hessian(lambda x: f(x).sum())(x).diagonal().tolist() == pytest.approx(expected)
    _, twice = func.jvp(lambda x: func.jvp(f, (x,), (ones,))[1], (x,), (ones,))
    assert twice.tolist() == pytest.approx(expected)
    mixed = func.grad(lambda x: func.jvp(f, (x,), (ones,))[1].sum())(x)
    assert mixed.tolist() == pytest.approx(expected)
    _, pushforward = func.linearize(f, x)
    assert pushforward(ones).tolist() == pytest.approx([math.cos(0.3), math.cos(0.7)])


def test_jvp_is_kept_for_forward_mode() -> None:
    def forward(ctx: Any, x: Any, n: float) -> Any:
        ctx.n = n
        ctx.save_for_forward(x)
        return x * x * n

    f = made(
        gpugrad, forward, same,
        jvp=lambda ctx, t, n: 2 * ctx.n * ctx.saved_for_forward[0] * t,
    )  # fmt: skip
    x = gpugrad.tensor(3.0, requires_grad=True)
    outs, moved = jvp(lambda x: f.apply(x, 2.0), [x], [gpugrad.tensor(10.0)])
    assert outs[0].item() == 18.0
    assert moved[0].item() == 120.0


def test_backward_runs_in_the_error_state_of_the_user() -> None:
    seen: list[str] = []

    def backward(ctx: Any, g: Any) -> Any:
        seen.append(np.geterr()["over"])
        return g

    f = made(gpugrad, lambda ctx, x: x * 2, backward)
    with np.errstate(over="raise"):
        f.apply(gpugrad.tensor(1.0, requires_grad=True)).backward()
    assert seen == ["raise"]


def test_threads_may_walk_inside_the_backward_of_a_function() -> None:
    x = gpugrad.zeros(1, requires_grad=True)

    def backward(ctx: Any, g: Any) -> Any:
        with gpugrad.enable_grad():
            (x * 1).sum().backward()
        return g

    f = made(gpugrad, lambda ctx, x: x * 1, backward)

    def work() -> None:
        for k in range(100):
            f.apply(x).sum().backward(create_graph=k % 2 == 0)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=120)
        assert not t.is_alive()
    assert x.grad is not None
    assert x.grad.item() == 1600.0
    x.grad = None


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("mark_dirty", "mark_dirty can only accept variables, but argument 1 is of type int"),
        (
            "mark_non_differentiable",
            "mark_non_differentiable only accepts variable arguments, but got int",
        ),
    ],
)
def test_only_tensors_are_marked(mark: str, text: str) -> None:
    """PyTorch's sentences end before they say what came."""

    def forward(ctx: Any, x: Any) -> Any:
        getattr(ctx, mark)(x, 3)
        return x

    with pytest.raises(RuntimeError, match=text):
        made(gpugrad, forward).apply(gpugrad.ones(2))

"""Every style of ``Function`` in every transform: PyTorch's results, and the order of its calls."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from snippets import raised, run

import gpugrad
from comparison import agree, agree_on, outcome
from gpugrad import autograd, func, tree
from gpugrad.testing import assert_agree

Note = Callable[..., None]
Call = Callable[[Any, Any], Any]

# how a class is written: what make() below makes of it
PLAIN: dict[str, dict[str, Any]] = {
    "no rule": {},
    "old style": {"ctx_in_forward": True},
    "both rules": {"generated": True, "own": True},
}
STYLES: dict[str, dict[str, Any]] = {
    "input": {},
    "output": {"saves": "output"},
    "attribute": {"saves": "attribute"},
    "a None": {"saves": "a None"},
    "pair": {"outputs": 2},
    "pair, one not differentiable": {"outputs": 2, "differentiable": False},
    "pair, not materialized": {"outputs": 2, "materializes": False},
    "once differentiable": {"once": True},
    "no jvp": {"forward_mode": False},
    "a number": {"number": True},
}
GENERATED = {name: {"generated": True, **style} for name, style in STYLES.items()}
OWN: dict[str, dict[str, Any]] = {
    **{name: {"own": True, **style} for name, style in STYLES.items()},
    "NumPy": {"own": True, "numpy": True},
    "NumPy, output": {"own": True, "numpy": True, "saves": "output"},
    "NumPy, pair": {"own": True, "numpy": True, "outputs": 2},
    "NumPy in the rule": {"own": True, "numpy": True, "raw_rule": True},
}
CLASSES = {
    **PLAIN,
    **{f"generated: {name}": style for name, style in GENERATED.items()},
    **{f"own: {name}": style for name, style in OWN.items()},
}


def make(
    torch: Any,
    note: Note,
    *,
    outputs: int = 1,
    generated: bool = False,
    own: bool = False,
    saves: str = "input",
    forward_mode: bool = True,
    once: bool = False,
    numpy: bool = False,
    raw_rule: bool = False,
    differentiable: bool = True,
    materializes: bool = True,
    number: bool = False,
    ctx_in_forward: bool = False,
) -> Any:
    """Return ``sin(x) * w`` as a function that notes how its methods are called."""

    def called(name: str, *values: Any) -> None:
        note(name, *(list(v.shape) if hasattr(v, "shape") else v for v in values))

    def product(x: Any, w: Any) -> Any:
        if not numpy:
            return x.sin() * w
        return torch.tensor(np.sin(x.numpy(force=True)) * w.numpy(force=True), device=x.device)

    def forward(x: Any, w: Any, *rest: Any) -> Any:
        called("forward", x, w, *rest)
        out = product(x, w)
        return out if outputs == 1 else (out, out + 1 if differentiable else out > 0)

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, w = inputs[:2]
        out = output if outputs == 1 else output[0]
        kept = {"input": (x, w), "output": (x, w, out), "a None": (x, w, None)}.get(saves, ())
        ctx.save_for_backward(*kept)
        ctx.save_for_forward(*kept)
        if saves == "attribute":
            ctx.values = x, w
        if not differentiable:
            ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(materializes)

    def kept(ctx: Any) -> Any:
        return ctx.values if saves == "attribute" else ctx.saved_tensors[:2]

    def total(*terms: Any) -> Any:
        found = [t for t in terms if t is not None]
        return sum(found[1:], found[0]) if found else None

    def backward(ctx: Any, *grads: Any) -> Any:
        called("backward", *grads, list(ctx.needs_input_grad))
        x, w = kept(ctx)
        g = total(*grads) if differentiable else grads[0]
        if g is None:
            found: Any = (None, None)
        else:
            needs = ctx.needs_input_grad
            found = (g * w * x.cos() if needs[0] else None, g * x.sin() if needs[1] else None)
        return (*found, None) if number else found

    def jvp(ctx: Any, s: Any, t: Any, *rest: Any) -> Any:
        called("jvp", s, t, *rest)
        x, w = kept(ctx)
        moved = total(
            None if s is None else s * w * x.cos(),
            None if t is None else t * x.sin(),
        )
        return moved if outputs == 1 else (moved, moved * 1 if differentiable else None)

    def vmap(info: Any, in_dims: Any, x: Any, w: Any, *rest: Any) -> Any:
        called("vmap", info.batch_size, info.randomness, list(in_dims), x, w, *rest)

        def first(t: Any, dim: int | None) -> Any:
            return t.expand(info.batch_size, *t.shape) if dim is None else t.movedim(dim, 0)

        x, w = first(x, in_dims[0]), first(w, in_dims[1])
        w = w.reshape(*w.shape[:1], *(1,) * (x.dim() - w.dim()), *w.shape[1:])
        x = x.reshape(*x.shape[:1], *(1,) * (w.dim() - x.dim()), *x.shape[1:])
        if raw_rule:
            return product(x, w), 0
        return cls.apply(x, w, *rest), 0 if outputs == 1 else (0, 0)

    def old(ctx: Any, *inputs: Any) -> Any:
        output = forward(*inputs)
        setup_context(ctx, inputs, output)
        return output

    methods: dict[str, Any] = {
        "forward": old if ctx_in_forward else forward,
        "backward": torch.autograd.function.once_differentiable(backward) if once else backward,
    }
    if number:
        methods["forward"] = lambda x, w, k: forward(x, w, k)
    if not ctx_in_forward:
        methods["setup_context"] = setup_context
    if forward_mode:
        methods["jvp"] = jvp
    if own:
        methods["vmap"] = vmap
    made = {name: staticmethod(method) for name, method in methods.items()}
    cls: Any = type("F", (torch.autograd.Function,), {**made, "generate_vmap_rule": generated})

    def function(x: Any, w: Any) -> Any:
        out = cls.apply(x, w, *([4] if number else []))
        if outputs == 1:
            return out
        return out[0] * out[1] if differentiable else out[0]

    return function


class Given:
    """A library, the arguments that its functions are called with, and the function."""

    def __init__(self, torch: Any, leaf: Callable[..., Any], note: Note, style: Any):
        self.torch, self.note = torch, note
        self.x, self.w = leaf([0.3, -1.0, 2.0]).detach(), leaf([1.5, 0.5, -0.7]).detach()
        self.xs = leaf([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]]).detach()
        self.ws = leaf([[0.1, 0.2, 0.3], [1.5, -1.0, 2.0]]).detach()
        self.cube = leaf(np.sin(np.arange(12.0)).reshape(2, 2, 3).tolist()).detach()
        self.f = make(torch, note, **style)

    def scalar(self, x: Any, w: Any) -> Any:
        return (self.f(x, w) ** 2 * x).sum()

    def of_sum(self, f: Any) -> Any:
        return lambda *args: f(*args).exp().sum()


def leaves(*tensors: Any) -> list[Any]:
    return [t.clone().requires_grad_() for t in tensors]


def gradients(f: Any, *tensors: Any) -> list[Any]:
    args = leaves(*tensors)
    f(*args).sum().backward()
    return [t.grad for t in args]


def at_once(a: Given) -> Any:
    args = leaves(a.x, a.w)
    vectors = a.torch.eye(3, dtype=a.x.dtype, device=a.x.device)
    return a.torch.autograd.grad(a.f(*args), args, vectors, is_grads_batched=True)


def dual(a: Given) -> Any:
    ad = a.torch.autograd.forward_ad
    with ad.dual_level():
        return tuple(ad.unpack_dual(a.f(ad.make_dual(a.x, a.w), ad.make_dual(a.w, a.x))))


# a library's func, as t, and what it is given
CALLS: dict[str, Callable[[Any, Given], Any]] = {
    "call": lambda t, a: a.f(a.x, a.w),
    "backward": lambda t, a: gradients(a.f, a.x, a.w),
    "dual": lambda t, a: dual(a),
    "grad": lambda t, a: t.grad(a.scalar)(a.x, a.w),
    "grad by both": lambda t, a: t.grad(a.scalar, argnums=(0, 1))(a.x, a.w),
    "vjp": lambda t, a: t.vjp(a.f, a.x, a.w)[1](a.x),
    "jvp": lambda t, a: t.jvp(a.f, (a.x, a.w), (a.w, a.x)),
    "jvp by one": lambda t, a: t.jvp(lambda x: a.f(x, a.w), (a.x,), (a.w,)),
    "jacrev": lambda t, a: t.jacrev(a.f, argnums=(0, 1))(a.x, a.w),
    "jacrev in chunks": lambda t, a: t.jacrev(a.f, chunk_size=2)(a.x, a.w),
    "jacrev one by one": lambda t, a: t.jacrev(a.f, chunk_size=1)(a.x, a.w),
    "jacfwd": lambda t, a: t.jacfwd(a.f, argnums=(0, 1))(a.x, a.w),
    "hessian": lambda t, a: t.hessian(a.scalar)(a.x, a.w),
    "hessian by both": lambda t, a: t.hessian(a.scalar, argnums=(0, 1))(a.x, a.w),
    "vmap": lambda t, a: t.vmap(a.f)(a.xs, a.ws),
    "vmap by the first": lambda t, a: t.vmap(a.f, (0, None))(a.xs, a.w),
    "vmap by the second": lambda t, a: t.vmap(a.f, (None, 0), -1)(a.x, a.ws),
    "vmap in chunks": lambda t, a: t.vmap(a.f, chunk_size=1)(a.xs, a.ws),
    "vmap, randomness": lambda t, a: t.vmap(a.f, (0, None), randomness="same")(a.xs, a.w),
    "vmap of what is the same": lambda t, a: t.vmap(lambda c: a.f(a.x, a.w) * c)(a.xs),
    "vmap of one": lambda t, a: t.vmap(a.f)(a.xs[:1], a.ws[:1]),
    "vmap of vmap": lambda t, a: t.vmap(t.vmap(a.f))(a.cube, a.cube.cos()),
    "vmap of vmap, mixed": lambda t, a: t.vmap(t.vmap(a.f, (None, 0)))(a.xs, a.cube),
    "vmap of vmap, crossed": lambda t, a: t.vmap(lambda x: t.vmap(lambda w: a.f(x, w))(a.ws))(a.xs),
    "vmap of grad": lambda t, a: t.vmap(t.grad(a.scalar))(a.xs, a.ws),
    "vmap of grad, mixed": lambda t, a: t.vmap(t.grad(a.scalar, argnums=(0, 1)), (0, None))(
        a.xs, a.w
    ),
    "vmap of grad of what is the same": lambda t, a: t.vmap(
        lambda c: t.grad(lambda x: (a.f(x, a.w) * c).sum())(a.x)
    )(a.ws),
    "grad of vmap": lambda t, a: t.grad(a.of_sum(t.vmap(a.f)))(a.xs, a.ws),
    "grad of vmap, mixed": lambda t, a: t.grad(a.of_sum(t.vmap(a.f, (0, None))), argnums=(0, 1))(
        a.xs, a.w
    ),
    "vmap of jacrev": lambda t, a: t.vmap(t.jacrev(a.f))(a.xs, a.ws),
    "vmap of jacrev, mixed": lambda t, a: t.vmap(t.jacrev(a.f, argnums=(0, 1)), (None, 0))(
        a.x, a.ws
    ),
    "jacrev of vmap": lambda t, a: t.jacrev(t.vmap(a.f, (0, None)), argnums=1)(a.xs, a.w),
    "vmap of jacfwd": lambda t, a: t.vmap(t.jacfwd(a.f), (0, None))(a.xs, a.w),
    "vmap of hessian": lambda t, a: t.vmap(t.hessian(a.scalar))(a.xs, a.ws),
    "vmap of hessian, mixed": lambda t, a: t.vmap(t.hessian(a.scalar, argnums=(0, 1)), (0, None))(
        a.xs, a.w
    ),
    "vmap of hessian, one element": lambda t, a: t.vmap(t.hessian(a.scalar))(a.x, a.w),
    "vmap of hessian of what is the same": lambda t, a: t.vmap(
        lambda c: t.hessian(lambda x: (a.f(x, a.w) * c).sum())(a.x)
    )(a.ws),
    "jvp of grad": lambda t, a: t.jvp(lambda x: t.grad(a.scalar)(x, a.w), (a.x,), (a.w,)),
    "grad of jvp": lambda t, a: t.grad(
        lambda x: t.jvp(lambda x: a.f(x, a.w), (x,), (a.w,))[1].sum()
    )(a.x),
    "grad of grad": lambda t, a: t.grad(lambda x: t.grad(a.scalar)(x, a.w).sin().sum())(a.x),
    "vmap of jvp": lambda t, a: t.vmap(lambda x, s: t.jvp(lambda x: a.f(x, a.w), (x,), (s,)))(
        a.xs, a.ws
    ),
    "vmap of jvp by tangents": lambda t, a: t.vmap(
        lambda s: t.jvp(lambda x: a.f(x, a.w), (a.x,), (s,))
    )(a.ws),
    "vmap of a vjp": lambda t, a: t.vmap(t.vjp(lambda x: a.f(x, a.w), a.x)[1])(a.ws),
    "vmap of grad of vmap": lambda t, a: t.vmap(
        t.grad(lambda x: t.vmap(lambda w: a.f(x, w))(a.ws).exp().sum())
    )(a.xs),
    "vmap of vmap of grad": lambda t, a: t.vmap(t.vmap(t.grad(a.scalar)))(a.cube, a.cube.cos()),
    "linearize": lambda t, a: t.linearize(a.f, a.x, a.w)[1](a.w, a.x),
    "backward of vmap": lambda t, a: gradients(t.vmap(a.f, (0, None)), a.xs, a.w),
    "functional.jacobian": lambda t, a: a.torch.autograd.functional.jacobian(
        a.f, (a.x, a.w), vectorize=True
    ),
    "functional.hessian": lambda t, a: a.torch.autograd.functional.hessian(
        a.scalar, (a.x, a.w), vectorize=True
    ),
    "is_grads_batched": lambda t, a: at_once(a),
}
SECOND = {
    "grad of grad", "functional.hessian",
    "jvp of grad", "hessian", "hessian by both", "vmap of hessian", "vmap of hessian, mixed",
    "vmap of hessian, one element", "vmap of hessian of what is the same",
}  # fmt: skip
MANY_CALLS = {"linearize"}  # PyTorch calls forward once more, to trace it


# PyTorch's tensors inside of grad and jvp have no memory that NumPy could read
RULE_IN_DERIVATIVES = {"grad of vmap", "grad of vmap, mixed", "jacrev of vmap"}


def comparable(style: dict[str, Any], call: str) -> bool:
    """Tell whether PyTorch is right there, or refuses what is refused here; else see below."""
    if style.get("once"):
        return call not in SECOND
    return not style.get("raw_rule") or call not in RULE_IN_DERIVATIVES


@pytest.mark.parametrize("call", CALLS)
def test_every_style_in_a_transform(call: str, device: str) -> None:
    for name, style in CLASSES.items():

        def program(
            torch: Any, leaf: Callable[..., Any], note: Note, name: str = name, style: Any = style
        ) -> None:
            note(name)
            given = Given(torch, leaf, (lambda *_: None) if call in MANY_CALLS else note, style)
            note(CALLS[call](torch.func, given))

        if comparable(style, call):
            agree(program, device)


@pytest.mark.parametrize("style", [s for s in CLASSES if CLASSES[s].get("once")])
@pytest.mark.parametrize("call", sorted(SECOND))
def test_what_is_once_differentiable_is_never_silently_constant(style: str, call: str) -> None:
    # PyTorch 2.13 takes its gradients for constants inside of the transforms

    def ends(options: Any) -> list[Any]:
        def program(torch: Any, leaf: Callable[..., Any], note: Note) -> None:
            note(CALLS[call](torch.func, Given(torch, leaf, lambda *_: None, options)))

        return outcome(program, gpugrad, "cpu")

    found, expected = ends(CLASSES[style]), ends({**CLASSES[style], "once": False})
    twice = "trying to differentiate twice a function that was marked with @once_differentiable"
    assert found in (expected, [("RuntimeError", twice)])


# --------------------------------------------------------------------------- what is kept

KEEPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "computed from the input": lambda ctx, x, out: x.exp(),
    "computed from the output": lambda ctx, x, out: (out * out).sqrt(),
    "the output": lambda ctx, x, out: out,
}
NESTED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "hessian": lambda f, x, xs: func.hessian(lambda x: (f(x) ** 2).sum())(x),
    "jacrev of jacfwd": lambda f, x, xs: func.jacrev(func.jacfwd(lambda x: f(x) ** 2))(x),
    "jacfwd of jacfwd": lambda f, x, xs: func.jacfwd(func.jacfwd(lambda x: f(x) ** 2))(x),
    "jacrev of jacrev of jacrev": lambda f, x, xs: func.jacrev(
        func.jacrev(func.jacrev(lambda x: (f(x) ** 2).sum()))
    )(x),
    "grad of jvp of grad": lambda f, x, xs: func.grad(
        lambda x: func.jvp(func.grad(lambda x: (f(x) ** 2).sum()), (x,), (x,))[1].sum()
    )(x),
    "jvp of jvp of grad": lambda f, x, xs: func.jvp(
        lambda x: func.jvp(func.grad(lambda x: (f(x) ** 2).sum()), (x,), (x,))[1], (x,), (x,)
    ),
    "vmap of hessian": lambda f, x, xs: func.vmap(func.hessian(lambda x: (f(x) ** 2).sum()))(xs),
    "hessian of vmap": lambda f, x, xs: func.hessian(lambda x: (func.vmap(f)(x) ** 2).sum())(xs),
    "grad of vmap of grad": lambda f, x, xs: func.grad(
        lambda x: func.vmap(func.grad(lambda x: (f(x) ** 2).sum()))(x).sin().sum()
    )(xs),
    "backward of grad": lambda f, x, xs: gradients(func.grad(lambda x: (f(x) ** 2).sum()), x),
}


@pytest.mark.parametrize("own", [False, True], ids=["generated", "own"])
@pytest.mark.parametrize("saved", [False, True], ids=["attribute", "saved"])
@pytest.mark.parametrize("keeps", KEEPS)
def test_what_setup_context_computes_is_differentiated_by_outer_transforms(
    keeps: str, saved: bool, own: bool, device: str
) -> None:
    # PyTorch 2.13 takes what is computed there for constants, and silently gives other numbers
    class Exp(autograd.Function):
        generate_vmap_rule = not own

        @staticmethod
        def forward(x: Any) -> Any:
            return x.exp()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            kept = KEEPS[keeps](ctx, inputs[0], output)
            if saved:
                ctx.save_for_backward(kept)
                ctx.save_for_forward(kept)
            else:
                ctx.kept = kept

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (ctx.saved_tensors[0] if saved else ctx.kept)

        jvp = backward

    if own:
        Exp.vmap = staticmethod(  # type: ignore[method-assign]
            lambda info, in_dims, x: (Exp.apply(x), in_dims[0])
        )
    x = gpugrad.tensor([0.3, -0.5, 0.7], dtype=gpugrad.float64, device=device)
    xs = x.cos().outer(x)[:2].clone()
    for nested in NESTED.values():
        found, expected = (tree.leaves(nested(f, x, xs)) for f in (Exp.apply, gpugrad.exp))
        for a, b in zip(found, expected, strict=True):
            assert_agree(a, b)


def test_a_graph_of_nested_transforms_is_freed_by_counting() -> None:
    gc.collect()
    gc.disable()
    try:
        f = make(gpugrad, lambda *_: None, generated=True, saves="output")
        x = gpugrad.ones(3)
        kept = []

        def scalar(x: Any, w: Any) -> Any:
            out = f(x, w)
            kept.append(weakref.ref(out))
            return (out * out).sum()

        func.hessian(scalar)(x, x)
        assert kept[0]() is None
    finally:
        gc.enable()


# --------------------------------------------------------------------------- rules with NumPy


def raw(torch: Any) -> Any:
    """Return exp as a function whose methods, its rule too, compute with NumPy."""

    def exp(x: Any) -> Any:
        return torch.tensor(np.exp(x.numpy(force=True)), device=x.device)

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    def product(ctx: Any, t: Any) -> Any:
        return t * ctx.saved_tensors[0]

    methods: dict[str, Any] = {
        "forward": exp,
        "setup_context": setup_context,
        "backward": product,
        "jvp": product,
        "vmap": lambda info, in_dims, x: (exp(x), in_dims[0]),
    }
    made = {name: staticmethod(method) for name, method in methods.items()}
    cls: Any = type("Exp", (torch.autograd.Function,), made)
    return cls.apply


RAW: dict[str, Callable[[Any, Any, Any], Any]] = {
    "vmap of hessian": lambda t, s, a: t.vmap(t.hessian(s))(a.xs),
    "vmap of hessian, one element": lambda t, s, a: t.vmap(t.hessian(s))(a.xs[:, :1]),
    "vmap of hessian, no dimension": lambda t, s, a: t.vmap(t.hessian(s))(a.x),
    "vmap of hessian, one example": lambda t, s, a: t.vmap(t.hessian(s))(a.xs[:1]),
    "vmap of jacfwd of jacrev": lambda t, s, a: t.vmap(t.jacfwd(t.jacrev(s, chunk_size=2)))(a.xs),
    "vmap of jacrev of jacrev": lambda t, s, a: t.vmap(t.jacrev(t.jacrev(s)))(a.xs),
    "hessian": lambda t, s, a: t.hessian(s)(a.x),
    "vmap of grad of what is the same": lambda t, s, a: t.vmap(
        lambda x: t.vmap(lambda c: t.grad(lambda y: s(y * 2) * c.sum())(x))(a.ws)
    )(a.xs),
    "vmap of hessian of what is the same": lambda t, s, a: t.vmap(
        lambda c: t.hessian(lambda x: s(x) * c.sum())(a.x)
    )(a.ws),
}


@pytest.mark.parametrize("call", RAW)
def test_a_rule_sees_one_level_of_examples_and_no_others_that_are_the_same(
    call: str, device: str
) -> None:
    def program(torch: Any, leaf: Callable[..., Any], note: Note) -> None:
        f = raw(torch)
        given = Given(torch, leaf, lambda *_: None, {})
        note(RAW[call](torch.func, lambda x: (f(x) ** 2 * x).sum(), given))

    assert not isinstance(agree(program, device)[-1], tuple)


def test_gradients_of_what_is_the_same_for_all_differ_by_example(device: str) -> None:
    # the rule says that its output is the same for all, and a derivative is taken inside
    class Twice(autograd.Function):
        @staticmethod
        def forward(x: Any, w: Any) -> Any:
            return w * 2

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            pass

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return None, g * 2

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any, w: Any) -> Any:
            return w * 2, in_dims[1]

    xs = gpugrad.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], device=device)
    w = gpugrad.ones(2, device=device)
    found = func.vmap(lambda x: func.grad(lambda w: (Twice.apply(x, w) * x).sum())(w))(xs)
    assert_agree(found, 2 * xs)
    total = func.grad(lambda w: func.vmap(lambda x: (Twice.apply(x, w) * x).sum())(xs).sum())(w)
    assert_agree(total, 2 * xs.sum(0))


# --------------------------------------------------------------------------- functions in methods

START = """
Function, func = torch.autograd.Function, torch.func
vmap, grad = func.vmap, func.grad
x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.double)
xs = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=torch.double)
def square(generated, old):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)
    methods = {"forward": forward if old else lambda x: x * x,
               "backward": lambda ctx, g: g * 2 * ctx.saved_tensors[0],
               "jvp": lambda ctx, t: t * 2 * ctx.saved_tensors[0]}
    if not old:
        methods["setup_context"] = setup_context
    methods = {k: staticmethod(m) for k, m in methods.items()}
    return type("G", (Function,), {**methods, "generate_vmap_rule": generated}).apply
""".lstrip()
METHODS = {
    "forward": ("inner(x)", "g * 2 * ctx.saved_tensors[0]", "t * 2 * ctx.saved_tensors[0]"),
    "backward": ("x * x", "inner(g) * ctx.saved_tensors[0]", "t * 2 * ctx.saved_tensors[0]"),
    "jvp": ("x * x", "g * 2 * ctx.saved_tensors[0]", "inner(t) * ctx.saved_tensors[0]"),
}
OUTER = """
class F(Function):
    generate_vmap_rule = {generated}
    forward = staticmethod(lambda x: {0})
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)
    backward = staticmethod(lambda ctx, g: {1})
    jvp = staticmethod(lambda ctx, t: {2})
{rule}f = F.apply
""".lstrip()
RULE = "    vmap = staticmethod(lambda info, in_dims, x: (inner(x), in_dims[0]))\n"
INNER = {
    "old": "inner = square(False, True)\n",
    "no rule": "inner = square(False, False)\n",
    "generated": "inner = square(True, False)\n",
}
TRANSFORMS = [
    "grad(lambda x: f(x).sum())(x)",
    "vmap(f)(xs)",
    "vmap(grad(lambda x: f(x).sum()))(xs)",
    "grad(lambda x: vmap(f)(x).sum())(xs)",
    "func.jvp(f, (x,), (x,))",
    "func.jacfwd(f)(x)",
    "func.jacrev(f)(x)",
    "func.jacrev(f, chunk_size=1)(x)",
    "func.jacrev(vmap(f))(xs)",
    "func.hessian(lambda x: f(x).sum())(x)",
    "func.linearize(f, x)[1](x)",
    "x.requires_grad_()\n"
    "torch.autograd.grad(f(x), x, torch.eye(3, dtype=torch.double), is_grads_batched=True)",
    "torch.autograd.functional.jacobian(f, x, vectorize=True)",
]


@pytest.mark.parametrize("call", TRANSFORMS)
@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("method", [*METHODS, "rule"])
def test_a_function_within_a_method_of_another(method: str, inner: str, call: str) -> None:
    for generated in (False, True):
        ruled = RULE if method == "rule" else ""
        text = OUTER.format(
            *METHODS.get(method, METHODS["forward"]),
            generated=generated and not ruled,
            rule=ruled,
        )
        agree_on(START + INNER[inner] + text + call, "cpu")


@pytest.mark.parametrize("randomness", ["error", "same", "different"])
def test_random_numbers_in_a_backward_are_those_of_the_vmap_around_the_call(
    randomness: str,
) -> None:
    class Noisy(autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x: Any) -> Any:
            return x * 1

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            pass

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * gpugrad.rand(4)

    f = func.vmap(Noisy.apply, randomness=randomness)
    xs = gpugrad.ones(2, 4)
    calls: list[Callable[[], Any]] = [
        lambda: func.grad(lambda x: f(x).sum())(xs),
        lambda: gradients(f, xs)[0],
    ]
    for call in calls:
        if randomness == "error":  # as in PyTorch
            with pytest.raises(RuntimeError, match="called random operation while in randomness"):
                call()
        else:
            found = call()
            assert (found[0].tolist() == found[1].tolist()) == (randomness == "same")


# --------------------------------------------------------------------------- texts

MADE = """
F = type("F", (torch.autograd.Function,), dict(
    generate_vmap_rule=True,
    forward=staticmethod(lambda x: {forward}),
    setup_context=staticmethod(lambda ctx, inputs, output: {setup}),
    jvp=staticmethod(lambda ctx, t: {jvp}),
    backward=staticmethod(lambda ctx, g, *_: {backward}),
))
func, ad = torch.func, torch.autograd.forward_ad
x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.double)
{call}
""".strip()
DUAL = "with ad.dual_level(): F.apply(ad.make_dual(x, x))"


def text(forward: str, jvp: str, call: str, setup: str = "0", backward: str = "g * 2") -> str:
    return MADE.format(forward=forward, jvp=jvp, call=call, setup=setup, backward=backward)


@pytest.mark.parametrize("call", [DUAL, "func.jvp(F.apply, (x,), (x,))"], ids=["dual", "jvp"])
@pytest.mark.parametrize(
    ("forward", "jvp", "setup"),
    [
        ("x * 2", "(t, t)", "0"),
        ("(x * 2, x * 3)", "t", "0"),
        ("x * 2", "[t]", "0"),
        ("(x * 2, x * 3)", "[t, t]", "0"),
        ("x * 2", "2.0", "0"),
        ("x * 2", "t.sum()", "0"),
        ("x.sum()", "t", "0"),
        ("(x * 2, x > 1)", "(t, t)", "0"),
        ("(x * 2, x * 3)", "(t, t)", "ctx.mark_non_differentiable(output[1])"),
        ("(x * 2, 'text')", "t", "0"),
    ],
)
def test_what_is_no_tangent_of_the_output_is_refused(
    forward: str, jvp: str, setup: str, call: str
) -> None:
    found = agree_on(text(forward, jvp, call, setup), "cpu")
    assert found[0] == "RuntimeError"


@pytest.mark.parametrize(
    "call",
    [
        "F.apply(x)",
        "F.apply(x.requires_grad_())",
        "func.grad(lambda x: F.apply(x).sum())(x)",
        "func.vmap(F.apply)(x.reshape(3, 1))",
        "func.jvp(F.apply, (x,), (x,))",
    ],
)
@pytest.mark.parametrize("save", ["backward", "forward"])
@pytest.mark.parametrize("what", ["*inputs", "output"])
def test_an_argument_that_is_returned_may_not_be_saved(what: str, save: str, call: str) -> None:
    _, message = agree_on(text("x", "t", call, f"ctx.save_for_{save}({what})"), "cpu")
    assert message.startswith("An input that has been returned as-is as output is being saved")
    agree_on(text("x[:]", "t[:]", call, f"ctx.save_for_{save}({what})"), "cpu")
    agree_on(text("x", "t", call), "cpu")


@pytest.mark.parametrize(
    "call",
    ["func.grad(lambda x: F.apply(x).sum())(x)", "func.jacrev(F.apply)(x)",
     "func.vmap(func.grad(lambda x: F.apply(x).sum()))(x.reshape(1, 3))",
     "F.apply(x.requires_grad_()).sum().backward()"],
)  # fmt: skip
@pytest.mark.parametrize("backward", ["(g, g)", "g[:2]", "g.sum()", "3", "[g]"])
def test_what_is_no_gradient_is_refused(backward: str, call: str) -> None:
    found = agree_on(text("x * 2", "t", call, backward=backward), "cpu")
    assert found[0] == "RuntimeError"


# --------------------------------------------------------------------------- writes

WRITES = """
class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x{more}):
        ctx.mark_dirty(x)
        x.mul_(2)
        return x{more}
    @staticmethod
    def backward(ctx, g, *_):
        return (g * 5, *_)
x = torch.ones(3, requires_grad=True)
y = x * 1
""".lstrip()


@pytest.mark.parametrize(
    "call",
    [
        "v = y[:2]\nw = Double.apply(v)\ny.sum().backward()\nw is v, y.detach(), x.grad",
        "v = y[:2]\nw = y[1:]\nDouble.apply(v)\nw.sum().backward()\nx.grad",
        "Double.apply(Double.apply(y[:2])[1:])\n(y * y).sum().backward()\nx.grad",
        "v = y[:2]\nDouble.apply(v)\n(v * v).sum().backward()\nx.grad",
        "Double.apply(y[0])\ny.grad_fn.name(), y._version",
        "Double.apply(x[:2])",
        "with torch.no_grad():\n    v = y[:2]\nDouble.apply(v)",
        "Double.apply(y.unbind(0)[0])",
        "z = torch.zeros(3)\nz[:2] = y[:2]\nDouble.apply(z[1:])\nz.sum().backward()\nx.grad",
    ],
)
def test_a_function_that_writes_into_a_view_writes_into_its_base(call: str, device: str) -> None:
    agree_on(WRITES.format(more="") + call, device)


def test_a_function_that_writes_into_a_view_has_one_output() -> None:
    _, message = agree_on(WRITES.format(more=", k") + "Double.apply(y[:2], x * 1)", "cpu")
    assert message.startswith("If your Function modifies inplace an input that is a view of")


# A function that returns or writes its argument, whose tangent is another tensor, and a later write
# of what they share: each line says forward, jvp, how the function is marked.
TANGENTS = {
    "a view": ("x[:]", "t * 1", "0"),
    "a view of the tangent": ("x[:]", "t[:]", "0"),
    "the argument": ("x", "t * 1", "0"),
    "the argument, the tangent": ("x", "t", "0"),
    "the argument, a view of the tangent": ("x", "t[:]", "0"),
    "no view": ("x * 1", "t", "0"),
    "written": ("x.mul_(2)", "t * 2", "ctx.mark_dirty(*inputs)"),
    "written, the tangent too": ("x.mul_(2)", "t.mul_(2)", "ctx.mark_dirty(*inputs)"),
    "written, a view of the tangent": ("x.mul_(2)", "t.mul_(2)[:]", "ctx.mark_dirty(*inputs)"),
    "written, nothing": ("x.mul_(2)", "None", "ctx.mark_dirty(*inputs)"),
}
UNPACKED = """
with ad.dual_level():
    y = ad.make_dual(x, x) * 1
    z = F.apply(y{part})
    z.mul_(3)
    seen = [ad.unpack_dual(t) for t in (y, z)]
seen
""".strip()
MOVED = """
def f(x):
    y = x * 1
    z = F.apply(y{part})
    z.mul_(3)
    return y, z
func.jvp(f, (x,), (x,))
""".strip()


@pytest.mark.parametrize("part", ["", "[:2]"])
@pytest.mark.parametrize("call", [UNPACKED, MOVED], ids=["dual", "jvp"])
@pytest.mark.parametrize("name", TANGENTS)
def test_what_shares_memory_shares_that_of_its_tangent(name: str, call: str, part: str) -> None:
    forward, jvp, setup = TANGENTS[name]
    program = text(forward, jvp, call.format(part=part), setup)
    if name == "no view":  # PyTorch lets the two tangents be one, which moves as the output does
        moved = program.replace("ad.unpack_dual(t)", "ad.unpack_dual(t).tangent")
        found: Any = run(moved, gpugrad)
        y, z = found if call == UNPACKED else found[1]
        assert y.tolist() == [1, 2, 3]
        assert z.tolist() == (3 * (y[:2] if part else y)).tolist()
    elif call == MOVED and name in ("a view", "the argument"):
        # PyTorch takes the tangent of the one for that of the other, which moved three times as far
        kind, message = raised(program, gpugrad)
        assert kind is RuntimeError
        assert message.startswith("A custom Function's forward is returning a view (or an input")
        run(program.replace("z.mul_(3)", "0"), gpugrad)
    else:
        agree_on(program, "cpu")


def test_a_tangent_that_a_function_gives_to_what_it_wrote_is_that_of_its_base() -> None:
    call = """
with ad.dual_level():
    y = torch.zeros(4).double(); v = y[1:]
    F.apply(v, ad.make_dual(x, x))
    seen = ad.unpack_dual(y), ad.unpack_dual(v), ad.unpack_dual(y[:2])
seen
""".strip()
    program = text("x.add_(y)", "s.add_(t)", call, "ctx.mark_dirty(inputs[0])")
    program = program.replace("(x)", "(x, y)").replace("ctx, t", "ctx, s, t")
    agree_on(program, "cpu")


@pytest.mark.parametrize("call", ["y", "y[:2]", "y[:]"])
@pytest.mark.parametrize("outputs", ["x", "x, x * 2"])
def test_what_was_written_and_marked_without_gradient_is_returned_without_history(
    outputs: str, call: str
) -> None:
    program = f"""
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x.mul_(2))
        ctx.mark_non_differentiable(x)
        return {outputs}
    @staticmethod
    def backward(ctx, *grads):
        return grads[-1]
x = torch.ones(3, requires_grad=True)
y = x * 1
v = y[1:]
w = {call}
found = F.apply(w)
found = found if isinstance(found, tuple) else (found,)
sum(t.sum() for t in (v, w, y, *found[1:])).backward()
[t.requires_grad for t in (*found, v, w, y)], found[0] is w, found[0]._version, x.grad, found
""".strip()
    agree_on(program, "cpu")
    agree_on(program.replace(", requires_grad=True", "").replace("sum(t", "0 and sum(t"), "cpu")

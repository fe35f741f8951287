"""Every style of ``Function`` in every transform: what PyTorch gives, in the same order of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import agree, outcome
from gpugrad import autograd, func
from gpugrad.testing import assert_close

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
    "vmap of vmap, crossed": lambda t, a: t.vmap(
        lambda x: t.vmap(lambda w: a.f(x, w))(a.ws)
    )(a.xs),
    "vmap of grad": lambda t, a: t.vmap(t.grad(a.scalar))(a.xs, a.ws),
    "vmap of grad, mixed": lambda t, a: t.vmap(t.grad(a.scalar, argnums=(0, 1)), (0, None))(
        a.xs, a.w
    ),
    "vmap of grad of what is the same": lambda t, a: t.vmap(
        lambda c: t.grad(lambda x: (a.f(x, a.w) * c).sum())(a.x)
    )(a.ws),
    "grad of vmap": lambda t, a: t.grad(a.of_sum(t.vmap(a.f)))(a.xs, a.ws),
    "grad of vmap, mixed": lambda t, a: t.grad(
        a.of_sum(t.vmap(a.f, (0, None))), argnums=(0, 1)
    )(a.xs, a.w),
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
    "vmap of jvp": lambda t, a: t.vmap(
        lambda x, s: t.jvp(lambda x: a.f(x, a.w), (x,), (s,))
    )(a.xs, a.ws),
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
    plain = {**CLASSES[style], "once": False}
    found, expected = (
        outcome(
            lambda torch, leaf, note: note(
                CALLS[call](torch.func, Given(torch, leaf, lambda *_: None, options))
            ),
            gpugrad,
            "cpu",
        )
        for options in (CLASSES[style], plain)
    )
    twice = "trying to differentiate twice a function that was marked with @once_differentiable"
    assert found in (expected, [("RuntimeError", twice)])

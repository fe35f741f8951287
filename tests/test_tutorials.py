"""What PyTorch's tutorials on autograd compute, written afresh: the same numbers in both libraries.

Those that need ``vmap`` are not here yet: per-sample gradients, neural tangent kernels, ensembles.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comparison import agree

TUTORIALS: dict[str, Callable[..., Any]] = {}


def tutorial(function: Callable[..., Any]) -> Callable[..., Any]:
    TUTORIALS[function.__name__] = function
    return function


def drawn(*shape: int, seed: int = 0) -> Any:
    """Return normal numbers, the same for both libraries."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).tolist()


def constant(torch: Any, leaf: Any, data: Any) -> Any:
    return leaf(data).detach()


# --------------------------------------------------------------------------- the mechanics


@tutorial
def mechanics_what_is_saved(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(drawn(5))
    y = x.pow(2)
    note(y.grad_fn._saved_self, x is y.grad_fn._saved_self)
    z = x.exp()
    note(z.grad_fn._saved_result, z is z.grad_fn._saved_result)
    (y * z).sum().backward()
    note(x.grad)
    y.grad_fn._saved_self  # noqa: B018  it was freed: this raises


@tutorial
def mechanics_where_there_is_no_derivative(torch: Any, leaf: Any, note: Any) -> None:
    kinks = [-1.0, 0.0, 1.0]
    functions: list[Callable[[Any], Any]] = [
        lambda x: x.relu(), lambda x: x.abs(), lambda x: x.clamp(0, 1), lambda x: x.clamp(-1, 1),
        lambda x: x.abs().sqrt(), lambda x: x.norm(), lambda x: (x * 0).norm(),
        lambda x: torch.maximum(x, x * 0), lambda x: x**0, lambda x: x.sign(), lambda x: x.max(),
    ]  # fmt: skip
    for f in functions:
        x = leaf(kinks)
        f(x).sum().backward()
        note(str(x.grad.tolist()))  # nan is nan


@tutorial
def mechanics_leaves_and_their_requires_grad(torch: Any, leaf: Any, note: Any) -> None:
    x, frozen = leaf(drawn(3)), constant(torch, leaf, drawn(3, seed=1))
    y = x * frozen
    note([t.is_leaf for t in (x, frozen, y, y.detach())])
    note([t.requires_grad for t in (x, frozen, y, y.detach(), frozen * 2)])
    y.sum().backward()
    note(x.grad, frozen.grad)
    frozen.requires_grad_()
    (x * frozen).sum().backward()
    note(x.grad, frozen.grad)
    y.requires_grad_(False)  # not a leaf: this raises


@tutorial
def mechanics_grad_modes(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(drawn(3))
    with torch.no_grad():
        y = x * 2
        w = leaf([1.0, 1.0, 1.0])
    note(y.requires_grad, y.is_inference(), w.requires_grad, (y * w).requires_grad)
    (y * w * x).sum().backward()  # what was made without recording may be saved
    note(x.grad, w.grad)
    with torch.inference_mode():
        z = x * 2
    note(z.requires_grad, z.is_inference(), (z + 1).is_inference())
    z * x  # it may not: this raises


@tutorial
def mechanics_writing_in_place(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(drawn(4))
    y = x.sin()
    note(y._version)
    y.mul_(2)
    y[1:3].add_(x[:2])
    note(y._version)
    y.sum().backward()
    note(x.grad)
    z = x.exp()
    z.add_(1)
    z.sum().backward()  # exp saved what was written to: this raises


@tutorial
def mechanics_a_leaf_is_not_written(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(drawn(4))
    with torch.no_grad():
        x.mul_(0.5)
    note(x, x._version)
    x.mul_(2)  # this raises


@tutorial
def mechanics_descent_with_complex_numbers(torch: Any, leaf: Any, note: Any) -> None:
    z = leaf([1.0 + 2.0j, -0.5 + 0.25j], "complex128")
    for _ in range(5):
        loss = ((z * z + 1).abs() ** 2).sum()
        (g,) = torch.autograd.grad(loss, z)
        note(loss, g)
        z = (z - 0.01 * g).detach().requires_grad_()  # the conjugate derivative descends
    real = leaf(drawn(2))
    (real * (1j * z.detach())).imag.sum().backward()
    note(real.grad)


@tutorial
def mechanics_hooks_run_in_order(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(drawn(2))
    y = x * 3
    y.register_hook(lambda g: note("first", g))
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    y.grad_fn.register_hook(lambda ins, outs: note("node", ins[0], outs[0]))
    y.grad_fn.register_prehook(lambda outs: note("before", outs[0]))
    x.register_post_accumulate_grad_hook(lambda p: note("accumulated", p.grad))
    y.sum().backward()
    note(y.grad, x.grad)


# --------------------------------------------------------------------------- Jacobians, Hessians


def predict(torch: Any, weight: Any, bias: Any, x: Any) -> Any:
    return torch.tanh(weight @ x + bias)


@tutorial
def jacobians_row_by_row(torch: Any, leaf: Any, note: Any) -> None:
    weight, bias, x = leaf(drawn(3, 4)), leaf(drawn(3)), leaf(drawn(4))
    out = predict(torch, weight, bias, x)
    rows = []
    for k in range(3):
        unit = constant(torch, leaf, [float(k == j) for j in range(3)])
        rows.append(torch.autograd.grad(out, x, unit, retain_graph=True)[0])
    by_hand = torch.stack(rows)
    whole = torch.autograd.functional.jacobian(
        lambda x: predict(torch, weight, bias, x), x.detach()
    )
    note(by_hand, whole)
    note(torch.autograd.functional.jacobian(
        lambda w, b: predict(torch, w, b, x), (weight.detach(), bias.detach())
    ))  # fmt: skip


@tutorial
def hessians_and_their_products(torch: Any, leaf: Any, note: Any) -> None:
    functional = torch.autograd.functional
    weight, bias = constant(torch, leaf, drawn(3, 4)), constant(torch, leaf, drawn(3))
    x, v = constant(torch, leaf, drawn(4)), constant(torch, leaf, drawn(4, seed=1))

    def loss(x: Any) -> Any:
        return (predict(torch, weight, bias, x) ** 2).sum()

    hessian = functional.hessian(loss, x)
    note(hessian, (hessian - hessian.t()).abs().max().item() < 1e-14, hessian @ v)
    note(functional.hvp(loss, x, v), functional.vhp(loss, x, v))
    note(functional.vjp(lambda x: predict(torch, weight, bias, x), x, bias))
    note(functional.jvp(lambda x: predict(torch, weight, bias, x), x, v))
    note(functional.jvp(lambda x: functional.jacobian(loss, x, create_graph=True), x, v))


@tutorial
def products_with_func(torch: Any, leaf: Any, note: Any) -> None:
    func = torch.func
    weight, bias = constant(torch, leaf, drawn(3, 4)), constant(torch, leaf, drawn(3))
    x, v = constant(torch, leaf, drawn(4)), constant(torch, leaf, drawn(4, seed=1))

    def loss(x: Any) -> Any:
        return (predict(torch, weight, bias, x) ** 2).sum()

    out, pullback = func.vjp(lambda x: predict(torch, weight, bias, x), x)
    note(out, pullback(bias))
    note(func.jvp(lambda x: predict(torch, weight, bias, x), (x,), (v,)))
    note(func.grad(loss)(x), func.grad_and_value(loss)(x))
    note(func.jvp(func.grad(loss), (x,), (v,)))  # forward over reverse
    _, pullback = func.vjp(func.grad(loss), x)
    note(pullback(v))  # reverse over reverse
    note(func.grad(lambda x: func.jvp(loss, (x,), (v,))[1])(x))  # reverse over forward
    note(func.grad(func.grad(func.grad(lambda x: x.sin() * x)))(x[0]))


# --------------------------------------------------------------------------- forward mode


@tutorial
def forward_mode_with_dual_numbers(torch: Any, leaf: Any, note: Any) -> None:
    fwd = torch.autograd.forward_ad
    x, t = constant(torch, leaf, drawn(3)), constant(torch, leaf, drawn(3, seed=1))
    with fwd.dual_level():
        dual = fwd.make_dual(x, t)
        note(fwd.unpack_dual(dual))
        out = dual.exp() * x + dual[1:].sum()
        note(fwd.unpack_dual(out))
        note(fwd.unpack_dual(x).tangent)
    note(fwd.unpack_dual(out, level=0).tangent)


@tutorial
def forward_mode_of_a_model(torch: Any, leaf: Any, note: Any) -> None:
    fwd = torch.autograd.forward_ad
    params = {"weight": leaf(drawn(3, 4)), "bias": leaf(drawn(3))}
    tangents = {
        "weight": constant(torch, leaf, drawn(3, 4, seed=1)),
        "bias": constant(torch, leaf, drawn(3, seed=1)),
    }
    x = constant(torch, leaf, drawn(4))
    with fwd.dual_level():
        moving = {k: fwd.make_dual(p, tangents[k]) for k, p in params.items()}
        out = predict(torch, moving["weight"], moving["bias"], x)
        primal, moved = fwd.unpack_dual(out)
        note(primal, moved)
        (g,) = torch.autograd.grad(moved.sum(), params["bias"])  # reverse over forward
    note(g)


@tutorial
def forward_mode_of_a_function(torch: Any, leaf: Any, note: Any) -> None:
    fwd = torch.autograd.forward_ad

    class Scaled(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, factor: float) -> Any:
            out = (x * factor).exp()
            ctx.factor = factor
            ctx.save_for_backward(out)
            ctx.save_for_forward(out)
            return out

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (out,) = ctx.saved_tensors
            return g * out * ctx.factor, None

        @staticmethod
        def jvp(ctx: Any, t: Any, _: Any) -> Any:
            (out,) = ctx.saved_tensors
            return t * out * ctx.factor

    x, t = leaf(drawn(3)), constant(torch, leaf, drawn(3, seed=1))
    with fwd.dual_level():
        out = Scaled.apply(fwd.make_dual(x, t), 0.5)
        note(fwd.unpack_dual(out))
    Scaled.apply(x, 0.5).sum().backward()
    note(x.grad)
    note(torch.autograd.gradcheck(
        lambda x: Scaled.apply(x, 0.5), (x,), check_forward_ad=True, fast_mode=False
    ))  # fmt: skip


# --------------------------------------------------------------------------- saved tensors


@tutorial
def saved_tensors_are_counted(torch: Any, leaf: Any, note: Any) -> None:
    packed: list[Any] = []
    unpacked: list[Any] = []

    def noting(notes: list[Any]) -> Callable[[Any], Any]:
        def hook(t: Any) -> Any:
            notes.append(t.tolist())
            return t

        return hook

    hooks = torch.autograd.graph.saved_tensors_hooks(noting(packed), noting(unpacked))
    a, b = leaf(drawn(5)), constant(torch, leaf, [2.0] * 5)
    with hooks:
        y = (a * b).exp().sum()
    note(len(packed), sorted(packed), len(unpacked))
    y.backward()
    note(a.grad, sorted(unpacked))


@tutorial
def saved_tensors_on_disk(torch: Any, leaf: Any, note: Any) -> None:
    class OnDisk:
        """A file, removed with the last reference."""

        def __init__(self, tensor: Any) -> None:
            handle, self.name = tempfile.mkstemp(suffix=".npy")
            os.close(handle)
            np.save(self.name, tensor.detach().cpu().numpy())
            self.device = tensor.device

        def load(self) -> Any:
            return torch.from_numpy(np.load(self.name)).to(self.device)

        def __del__(self) -> None:
            Path(self.name).unlink()

    files: list[str] = []

    def pack(t: Any) -> Any:
        if t.numel() < 3:
            return t
        kept = OnDisk(t)
        files.append(kept.name)
        return kept

    x, w = leaf(drawn(4)), leaf(0.5)
    with torch.autograd.graph.saved_tensors_hooks(
        pack, lambda p: p.load() if isinstance(p, OnDisk) else p
    ):
        y = ((x * w).tanh() * x).exp().sum()
    note(len(files) > 2, all(Path(f).exists() for f in files))
    y.backward()
    note(x.grad, w.grad)
    del y
    note([Path(f).exists() for f in set(files)].count(True))


@tutorial
def saved_tensors_on_the_host(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf(drawn(4, 4)), leaf(drawn(4, 4, seed=1))
    with torch.autograd.graph.save_on_cpu():
        y = ((x @ w).tanh() @ w).exp().mean()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    note(g)
    (g**2).sum().backward()
    note(x.grad, w.grad)


# --------------------------------------------------------------------------- double backward


def twice(torch: Any, leaf: Any, note: Any, apply: Callable[[Any], Any]) -> None:
    """Note a function's value and its first and second derivatives, and check them."""
    x, v = leaf([0.5, -1.25, 2.0]), leaf([1.0, 2.0, -1.0])
    out = apply(x)
    (first,) = torch.autograd.grad(out, x, v, create_graph=True)
    second = torch.autograd.grad((first * v).sum(), (x, v))
    note(out, first, second)
    note(torch.autograd.gradcheck(apply, (x,)), torch.autograd.gradgradcheck(apply, (x,)))


@tutorial
def double_backward_with_a_saved_input(torch: Any, leaf: Any, note: Any) -> None:
    class Square(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 2 * x

    twice(torch, leaf, note, Square.apply)


@tutorial
def double_backward_with_a_saved_output(torch: Any, leaf: Any, note: Any) -> None:
    class Exp(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            out = x.exp()
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (out,) = ctx.saved_tensors
            return out * g

    twice(torch, leaf, note, Exp.apply)


@tutorial
def double_backward_with_an_intermediate_result_returned(torch: Any, leaf: Any, note: Any) -> None:
    class Sinh(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            up, down = x.exp(), (-x).exp()
            ctx.save_for_backward(up, down)
            return (up - down) / 2, up, down

        @staticmethod
        def backward(ctx: Any, g: Any, g_up: Any, g_down: Any) -> Any:
            up, down = ctx.saved_tensors
            return g * (up + down) / 2 + g_up * up - g_down * down

    twice(torch, leaf, note, lambda x: Sinh.apply(x)[0])


@tutorial
def double_backward_where_an_intermediate_result_is_lost(torch: Any, leaf: Any, note: Any) -> None:
    class Sinh(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.up, ctx.down = x.exp(), (-x).exp()  # no inputs or outputs: constants in backward
            return (ctx.up - ctx.down) / 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (ctx.up + ctx.down) / 2

    x = leaf([0.5, -1.25])
    (first,) = torch.autograd.grad(Sinh.apply(x).sum(), x, create_graph=True)
    note(first, first.requires_grad)
    torch.autograd.grad(first.sum(), x)  # the result lost its history: this raises


@tutorial
def double_backward_through_two_functions(torch: Any, leaf: Any, note: Any) -> None:
    class CubeBackward(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, g: Any, x: Any) -> Any:
            ctx.save_for_backward(g, x)
            return g * 3 * x**2

        @staticmethod
        def backward(ctx: Any, gg: Any) -> Any:
            g, x = ctx.saved_tensors
            return gg * 3 * x**2, gg * g * 6 * x

    class Cube(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return CubeBackward.apply(g, x)

    twice(torch, leaf, note, Cube.apply)


# --------------------------------------------------------------------------- training


def trained(torch: Any, leaf: Any, note: Any, in_backward: bool, checkpointed: bool) -> None:
    """Train a network of two layers by SGD with momentum and note losses and parameters."""
    data, target = (constant(torch, leaf, drawn(8, k, seed=k)) for k in (3, 1))
    params = [leaf(drawn(3, 5)), leaf(drawn(5)), leaf(drawn(5, 1))]
    optimizers = [torch.optim.SGD([p], lr=0.05, momentum=0.9) for p in params]
    held: list[int] = []

    def step(p: Any) -> None:
        number = next(k for k, q in enumerate(params) if q is p)
        optimizers[number].step()
        optimizers[number].zero_grad()
        held.append(sum(q.grad is not None for q in params))

    def hidden(x: Any) -> Any:
        return (x @ params[0] + params[1]).tanh()

    if in_backward:
        for p in params:
            p.register_post_accumulate_grad_hook(step)
    for _ in range(4):
        if checkpointed:
            again = torch.utils.checkpoint.checkpoint
            h = again(hidden, data, use_reentrant=False)
        else:
            h = hidden(data)
        loss = ((h @ params[2] - target) ** 2).mean()
        loss.backward()
        if not in_backward:
            for p in params:
                step(p)
        note(loss, *params)
    note([p.grad for p in params])
    if in_backward:
        note(held)  # each gradient was freed before the next one was there


@tutorial
def a_training_loop(torch: Any, leaf: Any, note: Any) -> None:
    trained(torch, leaf, note, in_backward=False, checkpointed=False)


@tutorial
def a_training_loop_with_checkpointing(torch: Any, leaf: Any, note: Any) -> None:
    trained(torch, leaf, note, in_backward=False, checkpointed=True)


@tutorial
def optimizer_steps_in_backward(torch: Any, leaf: Any, note: Any) -> None:
    trained(torch, leaf, note, in_backward=True, checkpointed=False)


# --------------------------------------------------------------------------- all of them


# What shows an error ends with it.
RAISES = {
    "mechanics_what_is_saved", "mechanics_leaves_and_their_requires_grad", "mechanics_grad_modes",
    "mechanics_writing_in_place", "mechanics_a_leaf_is_not_written",
    "double_backward_where_an_intermediate_result_is_lost",
}  # fmt: skip


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_gives_pytorchs_numbers(name: str, device: str) -> None:
    noted = agree(TUTORIALS[name], device)
    assert isinstance(noted[-1], tuple) == (name in RAISES)
    assert not any(isinstance(values, tuple) for values in noted[:-1])

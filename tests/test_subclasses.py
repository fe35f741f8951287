"""Subclasses of ``Tensor``: what keeps the class, what loses it, and what must not notice it.

Where PyTorch makes a view to give a result its class, gpugrad gives it the class: names of nodes
differ.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import gpugrad
from comparison import Programs, agree

PROGRAMS = Programs()


def classes(value: Any) -> Any:
    """Return the names of the classes of tensors in a structure."""
    if isinstance(value, list | tuple):
        return [classes(v) for v in value]
    return type(value).__name__ if hasattr(value, "grad_fn") else value


def of(torch: Any) -> Any:
    """Return a subclass, one that derives from it, and one like ``nn.Parameter``."""

    class Named(torch.Tensor):  # type: ignore[misc]
        label = ""

    class Child(Named):
        pass

    class Weight(torch.Tensor):  # type: ignore[misc]
        @staticmethod
        def __new__(cls: Any, data: Any, requires_grad: bool = True) -> Any:
            return torch.Tensor._make_subclass(cls, data, requires_grad)

    return Named, Child, Weight


OPERATIONS: list[Callable[[Any, Any, Any], Any]] = [
    lambda t, x, p: (x + 1, 1 - x, x + p, p + x, p / x, -x, abs(x), 2**x, x == p, ~(x > 2)),
    lambda t, x, p: (x.exp(), t.exp(x), t.maximum(p, x), x.clamp(0, 1), t.where(x > 2, p, p)),
    lambda t, x, p: (x[0], x[:2], x[x > 2], p[x > 2], p[:2], x[[0, 1]], reversed(x)),
    lambda t, x, p: (x.sum(), x.sum(0), x.max(), x.std(), x.norm(), x.argmax(), x.all(), x.prod()),
    lambda t, x, p: (x.view(2, 2), x.view(2, 2).T, x.view(2, 2).mT, x.view(2, 2) @ p.view(2, 2)),
    lambda t, x, p: (tuple(x.max(0)), x.split(2), list(x), x.unbind(), x.nonzero(as_tuple=True)),
    lambda t, x, p: (t.cat([p, x]), t.stack([x, p]), t.outer(x, p), t.dot(p, x)),
    lambda t, x, p: (x.clone(), x.detach(), x.data, x.to(t.float32), x.int(), x.cpu(), x.real),
    lambda t, x, p: (t.zeros_like(x), t.rand_like(x), x.new_ones(2), x.new_tensor([1.0])),
    lambda t, x, p: (t.tensor(x), t.as_tensor(x), t.as_tensor(x) is x, t.arange(3), x.shape[0]),
    lambda t, x, p: (x.add_(1), x.zero_(), x.copy_(p), x.__iadd__(1), x.requires_grad_()),
    lambda t, x, p: (x.gather(0, (x * 0).long()), x.masked_fill(x > 2, 0)),
    lambda t, x, p: (p.to(x), p.double().to(x), x.to(p), p.clone().copy_(x)),
    lambda t, x, p: (p.clone().fill_(x[0]), p.clone().masked_fill_(p > 2, x[0])),
    lambda t, x, p: (t.broadcast_tensors(p, x), t.meshgrid(p, x, indexing="ij")),
    lambda t, x, p: (t.atleast_1d(p, x), tuple(t.histogram(x, 3)), tuple(x.histogram(3))),
    lambda t, x, p: (t.meshgrid([x, p], indexing="xy"), t.cartesian_prod(p, x), p.view_as(x)),
    lambda t, x, p: tuple(t.linalg.lstsq(x.view(2, 2), p.view(2, 2))),
    lambda t, x, p: (t.histogramdd(x.view(2, 2), [2, 2])[1], tuple(t.aminmax(x)), t.var_mean(x)),
]  # fmt: skip


@PROGRAMS.add
def operations(torch: Any, leaf: Any, note: Any) -> None:
    named, child, _ = of(torch)
    for kind in named, child:
        for operation in OPERATIONS:
            x = leaf([1.0, 2.0, 3.0, 4.0]).detach().as_subclass(kind)
            note(classes(operation(torch, x, leaf([1.0, 2.0, 3.0, 4.0]).detach())))
    x = leaf([1.0]).detach()
    note(classes((x.as_subclass(named) + x.as_subclass(child), x.as_subclass(child) * x)))
    try:
        x.as_subclass(named) + x.as_subclass(type("Other", (torch.Tensor,), {}))
    except TypeError:
        note("neither derives from the other")


@PROGRAMS.add
def making(torch: Any, leaf: Any, note: Any) -> None:
    named, child, weight = of(torch)
    x = leaf([1.0, 2.0])
    y = x.as_subclass(named)
    note(classes(y), y.is_leaf, y.grad_fn.name(), y._is_view(), y.label, hasattr(y * 1, "own"))
    w = weight(x.detach())
    note(classes((w, w * 2)), w.is_leaf, w.requires_grad, w.data_ptr() == x.data_ptr())
    note(classes((named([1.0, 2.0]), named(2, 3), named(), named(x.detach()), child([1.0]))))
    note(
        classes(torch.Tensor._make_subclass(named, x * 2)),
        str(w).split("(")[0],
        "",
    )

    class Labelled(torch.Tensor):  # type: ignore[misc]
        def __new__(cls: Any, data: Any, *args: Any) -> Any:
            return super().__new__(cls, data)

        def __init__(self, data: Any, label: str) -> None:
            self.label = label

    note(Labelled([1.0], "a").label, hasattr(Labelled([1.0], "a") * 2, "label"))
    for wrong in int, 3:
        try:
            x.as_subclass(wrong)
        except TypeError as error:
            note(str(error))
    note(classes(y.as_subclass(torch.Tensor)))
    f"{y[0]:.2f}"


@PROGRAMS.add
def operands_for_a_shape_or_a_type(torch: Any, leaf: Any, note: Any) -> None:
    named, *_ = of(torch)
    x, s = leaf([1.0, 2.0]).detach(), leaf([1.0, 1.0]).detach().float().as_subclass(named)
    note(classes((x.type_as(s), s.type_as(x), x.view_as(s), x.expand_as(s), x.reshape_as(s))))
    y = s.double()
    note(classes((x.type_as(y), x)), x.type_as(y) is x)
    place = (torch.tensor([0], device=x.device),)
    note(classes((x.index_put(place, y[:1]), y.index_put(place, x[:1]))))
    z = x.mul_(y)
    note(classes((x, z)), z is x, y.mul_(x) is y, x)
    x += y
    note(classes(x), x)


@PROGRAMS.add
def gradients(torch: Any, leaf: Any, note: Any) -> None:
    named, _, weight = of(torch)
    x = leaf([1.0, 2.0]).detach().as_subclass(named).requires_grad_()
    hooked: list[Any] = []
    x.register_hook(lambda g: hooked.append(classes(g)))
    y = (x * x).exp().sum() + x[0] * 3
    y.backward(create_graph=True)
    note(classes((y, x.grad)), hooked, x.grad)
    (g,) = torch.autograd.grad(x.prod() ** 2, x, create_graph=True)
    note(classes(g), g, torch.autograd.grad(g.sum(), x)[0])
    z = (x * 2).as_subclass(named)
    z[0] = 5.0
    z.view(2)[1].mul_(3)
    note(classes(z), torch.autograd.grad(z.sum(), x)[0])
    z = x * 2
    z.retain_grad()
    (z * z).sum().backward()
    note(classes((z, z.grad)), z.grad)
    saved = x.detach().clone().requires_grad_()
    y = saved * saved
    with torch.no_grad():
        saved.mul_(2)

    class Double(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            note("forward", classes(x))
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            note("backward", classes(g))
            return g * 2

    out = Double.apply(x)
    note(classes(out), torch.autograd.grad(out.sum(), x)[0])
    w = weight(x.detach())
    (w * leaf([1.0, 2.0]).detach()).sum().backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    note(classes((w, w.grad)), w, w.is_leaf)
    y.sum().backward()


@PROGRAMS.add
def transforms(torch: Any, leaf: Any, note: Any) -> None:
    named, *_ = of(torch)
    x = leaf([1.0, 2.0]).detach().as_subclass(named)

    def square(x: Any) -> Any:
        note(classes(x))
        return x * x

    note(torch.func.jvp(square, (x,), (x,)), torch.func.grad(lambda x: square(x).sum())(x))
    note(torch.func.vmap(lambda x: x * x)(x), torch.func.hessian(lambda x: x.prod())(x))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, x.detach() * 2)
        y = (dual * dual).exp()
        note(torch.autograd.forward_ad.unpack_dual(y).tangent)
    note(classes(x))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_subclass_is_what_it_is_in_pytorch(program: Any, device: str) -> None:
    agree(program, device)


def test_the_walk_calls_no_method_of_the_users() -> None:
    """A gradient is computed of plain tensors, whatever a class makes of its operators."""

    class Loud(gpugrad.Tensor):
        __slots__ = ("volume",)  # and has memory of its own

        def __mul__(self, other: Any) -> Any:
            raise AssertionError

        __rmul__ = __add__ = __truediv__ = __neg__ = __mul__  # type: ignore[assignment]
        sum = to = detach = __mul__  # type: ignore[assignment]

    x = gpugrad.tensor([1.0, 2.0]).as_subclass(Loud).requires_grad_()
    y = gpugrad.prod(gpugrad.mul(gpugrad.exp(x), x))
    assert type(gpugrad.exp(x)) is Loud
    (g,) = gpugrad.autograd.grad(y, x, create_graph=True)
    gpugrad.autograd.backward(gpugrad.sum(g), create_graph=True)
    assert type(x.grad) is gpugrad.Tensor


class Kept(gpugrad.Tensor):
    """A class that can be pickled."""


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_keep_class_and_attributes(copied: Any, device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], device=device).as_subclass(Kept).requires_grad_()
    x.labels = ["first"]
    y = copied(x)
    assert (type(y), y.requires_grad, y.tolist(), y.labels) == (Kept, True, [1.0, 2.0], ["first"])
    assert (y.labels is x.labels) == (copied is copy.copy)
    plain: Any = gpugrad.ones(2)
    plain.labels = ["first"]
    assert type(copied(plain)) is gpugrad.Tensor
    assert copied(plain).labels == ["first"]


def test_what_would_never_be_called_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="defines __torch_function__, which gpugrad"):
        type("Wrapper", (gpugrad.Tensor,), {"__torch_function__": None})

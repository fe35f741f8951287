"""Parameters and buffers: what they are, and that operations take them for plain tensors."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
from test_subclasses import OPERATIONS, classes

import gpugrad
from comparison import Programs, agree, agree_on
from gpugrad import nn
from gpugrad.nn.parameter import is_lazy
from gpugrad.op import saved

t: Any = gpugrad
PROGRAMS = Programs()


def results_are_plain(torch: Any, leaf: Any, note: Any) -> None:
    for operation in OPERATIONS:
        p = torch.nn.Parameter(leaf([1.0, 2.0, 3.0, 4.0]).detach(), requires_grad=False)
        note(classes(operation(torch, p, leaf([1.0, 2.0, 3.0, 4.0]).detach())))


@PROGRAMS.add
def making(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    p = torch.nn.Parameter(x * 2)
    note(classes(p), p.requires_grad, p.is_leaf, p.grad_fn is None, p)
    q = torch.nn.Parameter(x)
    note(q.data_ptr() == x.data_ptr(), classes(torch.nn.Parameter(q)), q is x)
    note(torch.nn.Parameter().shape, torch.nn.Parameter(x, False).requires_grad)
    note(torch.nn.Parameter(torch.ones(2).long(), requires_grad=False))
    with torch.no_grad():
        note(torch.nn.Parameter(x).requires_grad)
    torch.nn.Parameter(torch.ones(2).long())


@PROGRAMS.add
def gradients(torch: Any, leaf: Any, note: Any) -> None:
    p, frozen = (
        torch.nn.Parameter(leaf([1.0, 2.0]).detach()),
        torch.nn.Parameter(leaf([3.0]), False),
    )
    ((p * frozen).exp() * p.view(2, 1).T).sum().backward()
    note(p.grad, frozen.grad, classes(p.grad))
    (g,) = torch.autograd.grad((p.prod() * p).sum(), p, create_graph=True)
    note(g, classes(g))
    (g * p).sum().backward()
    note(p.grad)
    with torch.no_grad():
        p -= 0.1 * p.grad
        p.mul_(frozen)
        p[0] = 5.0
    note(p, classes(p), p.grad)
    y = leaf([1.0, 2.0]) * frozen
    frozen.add_(1.0)
    y.sum().backward()


@PROGRAMS.add
def leaves_are_not_written(torch: Any, leaf: Any, note: Any) -> None:
    p = torch.nn.Parameter(leaf([1.0, 2.0]).detach())
    note(p)
    p.add_(1.0)


@PROGRAMS.add
def views(torch: Any, leaf: Any, note: Any) -> None:
    p = torch.nn.Parameter(leaf([[1.0, 2.0], [3.0, 4.0]]).detach())
    v = p.T
    with torch.no_grad():
        p.mul_(2.0)
        v.add_(1.0)
    note(v, p, v._base is p)
    (v @ p).sum().backward()
    note(p.grad)
    w = p.detach()
    w[0] = 0.0
    note(p, classes(w))


@PROGRAMS.add
def copies(torch: Any, leaf: Any, note: Any) -> None:
    p = torch.nn.Parameter(leaf([1.0, 2.0]).detach())
    p.label = "first"
    (p * p).sum().backward()
    for made in copy.deepcopy(p), copy.copy(p), pickle.loads(pickle.dumps(p)):
        note(classes(made), made, made.requires_grad, made.data_ptr() == p.data_ptr())
    note(copy.deepcopy(p).grad, hasattr(copy.deepcopy(p), "label"))
    note(pickle.loads(pickle.dumps(p)).label, pickle.loads(pickle.dumps(p)).grad)
    note(repr(p).split("\n")[0], f"{p.sum():.2f}")
    tied = copy.deepcopy([p, p])
    note(tied[0] is tied[1])


@PROGRAMS.add
def of_classes_of_the_users(torch: Any, leaf: Any, note: Any) -> None:
    class Named(torch.Tensor):  # type: ignore[misc]
        pass

    class Weight(torch.nn.Parameter):  # type: ignore[misc]
        pass

    x = leaf([1.0, 2.0])
    named = torch.nn.Parameter(x.as_subclass(Named))
    note(classes(named), isinstance(named, torch.nn.Parameter), isinstance(named, Weight))
    note(isinstance(x, torch.nn.Parameter), classes(named * 2), named.requires_grad)
    weight = Weight(x)
    note(classes(weight), isinstance(weight, torch.nn.Parameter), classes(weight * 2))
    note(classes(named * weight), issubclass(Weight, torch.nn.Parameter))
    module = torch.nn.Module()
    module.a, module.b = named, weight
    note([name for name, _ in module.named_parameters()])


@PROGRAMS.add
def buffers(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0]).detach()
    b = torch.nn.Buffer(x, persistent=False)
    note(classes(b), isinstance(b, torch.nn.Buffer), isinstance(x, torch.nn.Buffer), b.persistent)
    note(torch.nn.Buffer().shape, b.data_ptr() == x.data_ptr(), classes(b * 2))


@PROGRAMS.add
def without_a_shape(torch: Any, leaf: Any, note: Any) -> None:
    p = torch.nn.UninitializedParameter(dtype=torch.float64)
    note(repr(p), p.requires_grad, p.dtype == torch.float64, isinstance(p, torch.nn.Parameter))
    note(p.is_leaf, p.grad_fn, p.is_floating_point(), classes(p.half()), p.grad)
    made = copy.deepcopy(p)
    note(repr(made), repr(pickle.loads(pickle.dumps(p))))
    p.data = p.data.float()
    p.materialize((2, 0))
    note(classes(p), p.shape, p.dtype == torch.float32, p.requires_grad)
    b = torch.nn.UninitializedBuffer()
    note(repr(b), isinstance(b, torch.nn.Buffer), repr(b.double()))
    b.materialize((3,), dtype=torch.float64)
    note(classes(b), b.shape, b.dtype == torch.float64)
    made.shape  # noqa: B018


def test_results_are_plain() -> None:
    agree(results_are_plain, "cpu")


@pytest.mark.parametrize("name", PROGRAMS)
def test_agrees_with_pytorch(name: str, device: str) -> None:
    agree(PROGRAMS[name], device)


@pytest.mark.parametrize(
    "text",
    [
        "torch.nn.Parameter(torch.ones(2))",
        "torch.nn.Parameter(torch.ones(2, 3), False)",
        "torch.nn.Parameter(torch.arange(3), False)",
        "torch.nn.Buffer(torch.ones(2))",
        "[torch.nn.Parameter(torch.ones(2)), torch.nn.UninitializedBuffer()]",
    ],
)
def test_prints_as_pytorch_does(text: str) -> None:
    agree_on(f"repr({text})", "cpu")


@pytest.mark.parametrize(
    "use",
    [lambda p: p + 1, lambda p: 2 * p, lambda p: p.sum(), lambda p: p @ p, lambda p: p.add_(1)],
)
def test_nothing_is_computed_with_what_has_no_shape(use: Callable[[Any], Any]) -> None:
    for lazy in nn.UninitializedParameter(), nn.UninitializedBuffer():
        assert is_lazy(lazy)
        with pytest.raises(ValueError, match=f"uninitialized parameter.*{type(lazy).__name__}"):
            use(lazy)


GENERAL = ("op/elementwise.py", "op/operation.py", "op/arguments.py")


def general_calls(function: Callable[[], Any]) -> int:
    """Return how often a function takes the general way of operations."""
    count = 0

    def see(frame: Any, event: str, _: Any) -> None:
        nonlocal count
        path = frame.f_code.co_filename.replace("\\", "/")
        count += event == "call" and path.endswith(GENERAL)

    function()  # what is written at the first call is not what is asked
    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def slope(p: Any, x: Any) -> Any:
    """Return a gradient by way of an operation that is a formula, and of one that is none."""
    square = x.view(2, 2)
    return t.autograd.grad(2.0 ** p.view(2, 2) @ square, p, square, create_graph=True)[0]


SHORT: dict[str, Callable[[Any, Any], Any]] = {
    "first operand": lambda p, x: p * x,
    "second operand": lambda p, x: x / p,
    "number": lambda p, x: p * 2.0,
    "number before": lambda p, x: (2.0 ** (1 - p)).backward(x),
    "backward": lambda p, x: (p * x).backward(x),
    "broadcast": lambda p, x: (p.view(2, 2) * x[0]).backward(x.view(2, 2)),
    "function": lambda p, x: p.exp().backward(x),
    "sum": lambda p, x: p.sum(0),
    "affine map": lambda p, x: nn.functional.linear(x.view(2, 2), p.view(2, 2), p[:2]),
    "product": lambda p, x: x.view(2, 2) @ p.view(2, 2).T,
    "product of vectors": lambda p, x: (p @ x).backward(),
    "second derivative": lambda p, x: slope(p, x).backward(x),
    "step": lambda p, x: p.detach().add_(x, alpha=-0.1),
}


@pytest.mark.parametrize("beside", ["nothing", "classes of the users'"])
@pytest.mark.parametrize("name", SHORT)
def test_parameters_take_the_short_ways(name: str, beside: str) -> None:
    known = [] if beside == "nothing" else [True]
    before = saved.subclasses[:]
    saved.subclasses[:] = known
    try:
        x = t.ones(4)
        p = nn.Parameter(t.ones(4))
        plain = p.detach().requires_grad_()
        assert general_calls(lambda: SHORT[name](p, x)) == 0
        assert general_calls(lambda: SHORT[name](plain, x)) == 0
    finally:
        saved.subclasses[:] = before


def test_steps_in_place_take_the_short_way() -> None:
    p = nn.Parameter(t.ones(4))
    x = t.ones(4)
    with t.no_grad():
        assert general_calls(lambda: p.add_(x, alpha=0.5).mul_(0.5).sub_(p)) == 0


def test_a_parameter_has_tangents_and_stays_one() -> None:
    with t.autograd.forward_ad.dual_level():
        p = nn.Parameter(t.ones(2), requires_grad=False)
        p.copy_(t.autograd.forward_ad.make_dual(t.ones(2), t.tensor([3.0, 4.0])))
        assert isinstance(p, nn.Parameter)
        moved = t.autograd.forward_ad.unpack_dual(p * 2)
        assert moved.tangent.tolist() == [6.0, 8.0]
    assert isinstance(p, nn.Parameter)
    assert (p * 2).tolist() == [2.0, 2.0]

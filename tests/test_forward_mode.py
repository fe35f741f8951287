"""Forward mode on every operation, alone and nested with reverse mode; what it costs others."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import choice
import gpugrad
from comparison import agree_on
from gpugrad import func, testing
from gpugrad.autograd import forward_ad
from gpugrad.graph import mode
from gpugrad.testing import assert_agree, flat
from gpugrad.utils.checkpoint import checkpoint
from samples import Sample

BY_RULE = choice.by_rule([(op, s) for op, s in choice.DIFFERENTIABLE if not s.coarse])


def at(sample: Sample, device: str) -> tuple[Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]:
    """Return a sample as a function of the inputs that have gradients, those, and tangents."""
    inputs = [t.detach() for t in sample.tensors(device=device)]
    places = [k for k, t in enumerate(inputs) if t.dtype.is_floating_point or t.dtype.is_complex]

    def function(*values: Any) -> Any:
        whole = list(inputs)
        for k, value in zip(places, values, strict=True):
            whole[k] = value
        return tuple(
            t for t in flat(sample.function(gpugrad, *whole))
            if t.dtype.is_floating_point or t.dtype.is_complex
        )  # fmt: skip

    primals = tuple(inputs[k] for k in places)
    return function, primals, tuple(testing.random_like(primals, 1))


@choice.over(BY_RULE, cuda=[])
def test_dual_tensors_move_as_the_recorded_graph_says(op: str, sample: Sample, device: str) -> None:
    """A tangent that is lost, or moves with another value, on its way through an operation."""
    function, primals, tangents = at(sample, device)

    outputs, moved = func.jvp(function, primals, tangents)

    expected, directions = testing.jvp(function, primals, tangents)
    for a, b in zip(outputs, expected, strict=True):
        assert_agree(a, b.detach(), 0, 0)
        assert not a.requires_grad
    for a, b in zip(moved, directions, strict=True):
        assert not a.requires_grad
        assert_agree(a, gpugrad.zeros_like(a) if b is None else b, 1e-14, 1e-14)


# Functions of two numbers that read views which are older than what is written into their memory.
OLD_VIEWS: dict[str, Callable[[Any], Any]] = {}


def old_view(*shape: int, of: Callable[[Any], Any] = lambda zeros: zeros) -> Callable[..., Any]:
    """Add a program of zeros of a shape, or of what a function makes of them."""

    def add(program: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def function(x: Any) -> Any:
            return program(of(gpugrad.zeros(shape, dtype=x.dtype, device=x.device)), x**2)

        OLD_VIEWS[program.__name__] = function
        return program

    return add


@old_view(2)
def a_part(base: Any, x: Any) -> Any:
    view = base[:1]
    base.add_(x)
    return (view**2).sum()


@old_view(3, 2)
def a_row_that_is_assigned(base: Any, x: Any) -> Any:
    row, flat = base[1], base.view(-1)
    base[1] = x
    return (row**2).sum() + (flat**3).sum()


@old_view(2, 3, of=lambda zeros: zeros.t())
def a_view_that_is_written(base: Any, x: Any) -> Any:
    base[1].add_(x)
    return (base**2).sum()


@old_view(3, 2, of=lambda zeros: zeros.t().clone())
def a_base_in_another_order(base: Any, x: Any) -> Any:
    view, column = base[0], base[:, 1]
    base[:, 0] = x
    view.mul_(3)
    column.copy_(x * x)
    return (view**2).sum() + (base**3).sum() + column.prod()


@old_view(2, 3, of=lambda zeros: zeros[:, :2].detach())
def a_base_with_gaps(base: Any, x: Any) -> Any:
    first, diagonal = base[0], base.diagonal()
    base.add_(x)
    return (first**2).sum() + diagonal.prod()


@old_view(2)
def a_view_of_many_elements_that_are_one(base: Any, x: Any) -> Any:
    view = base.expand(3, 2)
    base.copy_(x)
    return (view**2).sum()


@old_view(2)
def a_view_that_is_written_later(base: Any, x: Any) -> Any:
    view = base[:1]
    base.add_(x)
    view.mul_(x[1])
    base.mul_(2)
    view[0] = view[0] * 2
    return (view**2).sum() + (base**3).sum()


@old_view(4)
def two_views_that_cross(base: Any, x: Any) -> Any:
    even, first = base[::2], base[:2]
    even.copy_(x)
    first.mul_(x)
    even[gpugrad.tensor([1], device=x.device)] = x[0]
    return (base**2).sum() + (even**3).sum()


@old_view(2)
def a_view_whose_shape_changes(base: Any, x: Any) -> Any:
    view = base.unsqueeze(0)
    view.unsqueeze_(0)
    base.add_(x)
    return (view**2).sum()


@old_view(2, 2)
def numbers_seen_as_complex(base: Any, x: Any) -> Any:
    view = gpugrad.view_as_complex(base)
    base.add_(x)
    return (view.real**2).sum() + (view.imag**3).sum()


@pytest.mark.parametrize("name", OLD_VIEWS)
def test_views_move_with_their_base(name: str, device: str) -> None:
    function = OLD_VIEWS[name]
    x = gpugrad.tensor([1.5, 2.5], dtype=gpugrad.float64, device=device)
    slope = func.jacrev(function)(x)
    curvature = func.jacrev(func.jacrev(function))(x)
    step = 1e-5 * gpugrad.eye(2, dtype=gpugrad.float64, device=device)
    differences = [(function(x + h) - function(x - h)) / 2e-5 for h in step]

    assert_agree(slope, gpugrad.stack(differences), 1e-6, 1e-6)
    assert_agree(func.jacfwd(function)(x), slope, 1e-13, 1e-13)
    for outer, inner in [
        (func.jacfwd, func.jacfwd), (func.jacfwd, func.jacrev), (func.jacrev, func.jacfwd)
    ]:  # fmt: skip
        assert_agree(outer(inner(function))(x), curvature, 1e-13, 1e-13)
    with forward_ad.dual_level():  # what is computed there is plain otherwise
        out = function(forward_ad.make_dual(x, step[0]))
        assert_agree(tangent(out), 1e-5 * slope[0], 1e-13, 1e-13)


@choice.over(choice.of_each(BY_RULE), cuda=[])
def test_every_operation_sees_that_a_view_moves(op: str, sample: Sample, device: str) -> None:
    """Plain tensors have short ways, of which each must ask for the base of a view."""
    function, primals, tangents = at(sample, device)

    def of_views(*values: Any) -> Any:
        views = []
        for v in values:
            base = gpugrad.zeros_like(v.detach())
            views.append(base.view(v.shape))
            base.copy_(v)
        return function(*views)

    _, expected = func.jvp(function, primals, tangents)
    _, found = func.jvp(of_views, primals, tangents)
    for a, b in zip(found, expected, strict=True):
        assert_agree(a, b, 1e-14, 1e-14)


def test_an_argument_of_vmap_moves_with_its_parts(device: str) -> None:
    def function(x: Any, y: Any) -> Any:
        y[1:].add_(x[:1] ** 2)
        return y

    x = gpugrad.tensor([[1.0, 2.0], [3.0, 4.0]], device=device)
    found = func.vmap(func.jacfwd(function))(x, x * 2)
    assert found.tolist() == [[[0, 0], [2, 0]], [[0, 0], [6, 0]]]


def tangent(dual: Any) -> Any:
    return forward_ad.unpack_dual(dual).tangent


def test_a_tangent_lies_as_its_tensor_does(device: str) -> None:
    x = gpugrad.ones(2, 3, device=device)
    t = gpugrad.arange(6.0, device=device).reshape(3, 2).t()
    with forward_ad.dual_level():
        for dual in forward_ad.make_dual(x, t), forward_ad.make_dual(x, t) * 1:
            flat = dual.view(-1)
            flat.mul_(3)
            assert tangent(dual).tolist() == (3 * t).tolist()


def test_the_primal_of_a_view_does_not_move(device: str) -> None:
    x = gpugrad.ones(2, device=device)
    with forward_ad.dual_level():
        y = forward_ad.make_dual(x, x) * 2
        view = y[:1]
        primal = forward_ad.unpack_dual(view).primal
        assert tangent(primal * 2) is None
        assert tangent(view * 2).tolist() == [4]


@choice.over(BY_RULE, cuda=[])
def test_second_derivatives_agree_in_all_orders_of_the_modes(
    op: str, sample: Sample, device: str
) -> None:
    """A rule that mixes up two levels, or forgets the tangent of what it saved."""
    function, x, v = at(sample, device)
    weights = testing.random_like(function(*x), 2)

    def loss(*values: Any) -> Any:
        terms = zip(weights, function(*values), strict=True)
        return sum([(w.conj() * t).real.sum() for w, t in terms], gpugrad.zeros(()))

    def slope(*values: Any) -> Any:
        return func.jvp(loss, values, v)[1]

    everything = tuple(range(len(x)))
    gradient = func.grad(loss, everything)

    def along(*values: Any) -> Any:
        pairs = zip(gradient(*values), v, strict=True)
        return sum([(g.conj() * t).real.sum() for g, t in pairs], gpugrad.zeros(()))

    _, forward_over_reverse = func.jvp(gradient, x, v)
    reverse_over_forward = func.grad(slope, everything)(*x)
    reverse_over_reverse = func.grad(along, everything)(*x)
    _, forward_over_forward = func.jvp(slope, x, v)
    for a, b, c in zip(
        forward_over_reverse, reverse_over_forward, reverse_over_reverse, strict=True
    ):
        assert_agree(a, c, 1e-9, 1e-9)
        assert_agree(b, c, 1e-9, 1e-9)
    total, scale = testing.inner(reverse_over_reverse, v)
    assert abs(forward_over_forward.item() - total) <= 1e-9 * (scale + 1)


@choice.over(BY_RULE, cuda=[])
def test_forward_mode_over_itself_moves_the_tangents_too(
    op: str, sample: Sample, device: str
) -> None:
    """A tangent that is right, and does not move with the tangent it was made of."""
    function, x, v = at(sample, device)
    count = len(x)

    def moved(*values: Any) -> Any:
        return func.jvp(function, values[:count], values[count:])[1]

    values = (*x, *v)
    directions = tuple(testing.random_like(values, 3))

    outputs, tangents = func.jvp(moved, values, directions)

    weights = tuple(testing.random_like(outputs, 2))
    total, scale = testing.inner(tangents, weights)
    expected, _ = testing.inner(func.vjp(moved, *values)[1](weights), directions)
    assert abs(total - expected) <= 1e-9 * (scale + 1)


VIEWS: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda t: t.mT,
    "one element": lambda t: t[1, 0],
    "as complex numbers": lambda t: gpugrad.view_as_complex(t).abs(),
    "by vmap": lambda t: func.vmap(lambda row: row.expand(3, 2))(t),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_saved_output_moves_as_itself_and_not_as_its_views(name: str, device: str) -> None:
    """The Hessian of a function of a view of ``exp``, whose rule names what it saved."""

    def loss(x: Any) -> Any:
        y = VIEWS[name](x.exp())
        return (y * y * gpugrad.arange(1.0, y.numel() + 1, device=device).view(y.shape)).sum()

    x = gpugrad.tensor([[0.1, 0.2], [0.3, 0.5]], dtype=gpugrad.float64, device=device)

    assert_agree(func.hessian(loss)(x), func.jacrev(func.grad(loss))(x), 1e-12, 1e-12)


ZEROS = "x = torch.zeros(3, dtype=torch.float64); v = torch.tensor([3.0, 0, 4]) + x\n"


@pytest.mark.parametrize("function", [*(f"x.norm({p})" for p in (2, 3, 1.5, 1)), "x.std()"])
def test_at_zero_a_norm_does_not_move(function: str, device: str) -> None:
    found = agree_on(ZEROS + f"torch.func.jvp(lambda x: {function}, (x,), (v,))", device)

    assert found[1][2] == 0


def test_levels_end_with_their_block_also_after_an_error() -> None:
    with pytest.raises(ValueError, match="stop"), forward_ad.dual_level():
        raise ValueError("stop")
    with pytest.raises(ZeroDivisionError):
        func.jvp(lambda x: x * (1 // 0), (gpugrad.ones(2),), (gpugrad.ones(2),))
    assert mode.levels == ()


def test_a_level_belongs_to_its_thread() -> None:
    x = gpugrad.ones(2)
    found: list[Any] = []

    def elsewhere() -> None:
        found.append(forward_ad.unpack_dual(dual * 2).tangent)

    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, x)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert found == [None]


def test_dual_level_is_a_decorator() -> None:
    @forward_ad.dual_level()
    def slope(x: Any) -> Any:
        return forward_ad.unpack_dual(forward_ad.make_dual(x, gpugrad.ones_like(x)) ** 2).tangent

    assert slope(gpugrad.tensor([3.0])).tolist() == [6.0]
    assert slope(gpugrad.tensor([4.0])).tolist() == [8.0]


def test_a_gradient_is_right_after_the_level_in_which_its_graph_was_recorded(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], device=device, requires_grad=True)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, gpugrad.ones_like(x))
        y = (dual * dual * dual.detach()).sum() + dual @ dual
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4.0, 12.0]


def test_a_tangent_has_the_history_of_what_it_is_made_of(device: str) -> None:
    """Of an operation whose tangents are those of a plain definition, which makes leaves."""
    tangents = []
    for requires_grad in False, True:
        x = gpugrad.tensor([[1.0, 2.0, 4.0]], device=device)
        v = gpugrad.tensor([[0.0, 1.0, 0.5]], device=device, requires_grad=requires_grad)
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(x, v)
            tangents.append(tangent(gpugrad.nn.functional.layer_norm(dual, (3,))))
            with gpugrad.no_grad():
                tangents.append(tangent(gpugrad.nn.functional.layer_norm(dual, (3,))))
    assert [t.requires_grad for t in tangents] == [False, False, True, False]


def test_a_dual_tensor_is_freed_without_the_collector() -> None:
    gc.disable()
    try:
        with forward_ad.dual_level():
            y = forward_ad.make_dual(gpugrad.ones(3), gpugrad.ones(3)).exp().sum()
            alive = weakref.ref(y)
            del y
        assert alive() is None
    finally:
        gc.enable()


def test_nothing_but_dual_tensors_moves(device: str) -> None:
    x = gpugrad.ones(3, device=device)
    with forward_ad.dual_level():
        forward_ad.make_dual(x, x)
        for t in (x, x * 2, x.sum(), x[0], gpugrad.cat([x, x])):
            assert forward_ad.unpack_dual(t).tangent is None
            assert type(t) is gpugrad.Tensor


def test_a_write_into_a_saved_dual_tensor_is_noticed() -> None:
    x = gpugrad.ones(3, requires_grad=True)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, gpugrad.ones(3)) * 1
        y = (dual * dual).sum()
        dual.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


def test_a_tensor_times_itself_in_place_moves_twice(device: str) -> None:
    # PyTorch 2.13 says [6, -6]: it reads the operand's tangent after having scaled it
    x = gpugrad.tensor([1.0, 2.0], device=device)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, gpugrad.tensor([3.0, -1.0], device=device))
        dual *= dual
        tangent: Any = forward_ad.unpack_dual(dual).tangent
    assert tangent.tolist() == [6.0, -4.0]


def test_linearize_calls_the_function_once(device: str) -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(x)
        return x.exp().sum() * x

    x = gpugrad.tensor([0.5, 1.0], dtype=gpugrad.float64, device=device)
    _, moved = func.linearize(function, x)
    directions = [gpugrad.tensor(v, dtype=gpugrad.float64, device=device) for v in ([1, 0], [2, 3])]
    found = [moved(v) for v in directions]
    assert len(calls) == 1
    for v, t in zip(directions, found, strict=True):
        assert_agree(t, func.jvp(function, (x,), (v,))[1], 1e-14, 1e-14)


@pytest.mark.cuda
def test_tangents_on_another_device_are_refused() -> None:
    x = gpugrad.ones(2, device="cuda")
    with forward_ad.dual_level(), pytest.raises(RuntimeError, match="Move it there"):
        forward_ad.make_dual(x, gpugrad.ones(2))


WRITES: dict[str, Callable[[Any, Any], Any]] = {
    "into a view": lambda x, t: t[1:].mul_(x[:2]),
    "through an index": lambda x, t: t.__setitem__(0, x[1] * x[2]),
    "through an index of a view": lambda x, t: t[1:].__setitem__(0, x[1] * x[2]),
    "at indices": lambda x, t: t.__setitem__([0, 2], x[:2] * x[1:]),
    "at a mask": lambda x, t: t.__setitem__(t.detach() > 1.5, x[1] * x[2]),
    "of a number": lambda x, t: t[:2].fill_(3),
}


@pytest.mark.parametrize("start", ["moves", "does not move"])
@pytest.mark.parametrize("name", list(WRITES))
def test_writes_into_views_move_as_their_history_says(name: str, start: str, device: str) -> None:
    def function(x: Any) -> Any:
        t = x * x if start == "moves" else gpugrad.tensor([1.0, 2.0, 3.0], device=device)
        other = t[:2] if start == "moves" else None
        WRITES[name](x, t)
        return x.prod() + (t * t[0]).sum() + (0 if other is None else other.sin().sum())

    x = gpugrad.tensor([0.7, 1.3, 2.1], device=device)
    v = gpugrad.tensor([0.5, -1.0, 0.25], device=device)
    leaf = x.clone().requires_grad_()
    result = function(leaf)
    (grad,) = gpugrad.autograd.grad(result, leaf)
    _, moved = func.jvp(function, (x,), (v,))
    _, pushforward = func.linearize(function, x)
    assert moved.item() == pytest.approx((grad * v).sum().item(), rel=1e-5)
    assert pushforward(v).item() == pytest.approx(moved.item(), rel=1e-5)
    hessian = func.hessian(function)(x)
    assert_agree(hessian, func.jacrev(func.jacrev(function))(x))


@pytest.mark.parametrize("around", ["hooks", "checkpoint", "anomaly"])
def test_forward_over_reverse_is_the_same_where_calls_are_observed(
    around: str, device: str
) -> None:
    def function(x: Any) -> Any:
        return (x.sin().exp() * x).tanh().sum()

    def observed(x: Any) -> Any:
        if around == "checkpoint":
            return checkpoint(function, x, use_reentrant=False)
        if around == "anomaly":
            with pytest.warns(UserWarning, match="Anomaly"), gpugrad.autograd.detect_anomaly():
                return function(x)
        with gpugrad.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), back):
            return function(x)

    def back(array: Any) -> Any:
        return gpugrad.tensor(array, device=device)

    x = gpugrad.tensor([0.7, 1.3], device=device)
    v = gpugrad.tensor([0.5, -1.0], device=device)
    expected = func.jvp(func.grad(function), (x,), (v,))
    for ours, other in zip(func.jvp(func.grad(observed), (x,), (v,)), expected, strict=True):
        assert ours.tolist() == pytest.approx(other.tolist())


def test_what_hooks_see_and_fill_in_forward_mode_has_no_history(device: str) -> None:
    x = gpugrad.tensor([0.7, 1.3], device=device, requires_grad=True)
    seen: list[Any] = []
    x.register_hook(seen.append)
    with forward_ad.dual_level():
        y = forward_ad.make_dual(x, gpugrad.ones(2, device=device)).sin()
        y.retain_grad()
        (y * y).sum().backward()
    assert len(seen) == 1
    assert y.grad is not None
    assert x.grad is not None
    assert not y.grad.requires_grad
    assert not x.grad.requires_grad
    assert type(x.grad) is gpugrad.Tensor
    assert x.grad.tolist() == pytest.approx((2 * x.sin() * x.cos()).tolist())

"""The walk: its order, what it frees, what it owns, and what an error leaves of it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpugrad as torch
from gpugrad.errors import SECOND_BACKWARD
from gpugrad.op.node import AccumulateGrad, ShownNode
from gpugrad.testing import count_kernels

Tensor = torch.Tensor


def leaf(data: Any, device: str = "cpu", dtype: Any = torch.float64) -> Tensor:
    return torch.tensor(data, dtype=dtype, device=device, requires_grad=True)


def values(tensor: Any) -> np.ndarray[Any, Any]:
    assert tensor is not None
    return np.array(tensor.detach().cpu().numpy())


def gradient(tensor: Tensor) -> Any:
    return values(tensor.grad).tolist()


def node_of(tensor: Tensor) -> ShownNode:
    assert tensor.grad_fn is not None
    return tensor.grad_fn


def watch(tensor: Tensor, action: Callable[[], Any]) -> None:
    """Have the walk call ``action`` just before it runs the node of ``tensor``."""
    node_of(tensor).register_prehook(lambda grads: action() and None)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What dies in this test dies by its last reference, not by the garbage collector."""
    gc.disable()
    yield
    gc.enable()


# --------------------------------------------------------------------------- order


def test_a_node_says_how_young_it_is() -> None:
    x = leaf([1.0])
    older = node_of(x * 1)
    younger = node_of(x * 1)
    assert older._sequence_nr() < younger._sequence_nr()


def test_the_youngest_node_runs_first(device: str) -> None:
    x = leaf(0.5, device)
    a = x.exp()
    b = x.sin()
    c = b * a  # a is older than b, though it is the second operand
    order: list[str] = []
    for name, tensor in ("a", a), ("b", b), ("c", c):
        watch(tensor, lambda name=name: order.append(name))  # type: ignore[misc]
    c.backward()
    assert order == ["c", "b", "a"]


def test_a_node_runs_once_after_all_its_users() -> None:
    x = leaf(2.0)
    shared = x * x
    y = shared
    for _ in range(10):
        y = y * shared + shared
    runs: list[int] = []
    watch(shared, lambda: runs.append(1))
    y.backward()
    assert runs == [1]


def test_two_losses_may_share_a_part_of_their_graph_in_one_call(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    shared = x * x
    first, second = (shared * 3).sum(), shared.exp().sum()
    torch.autograd.backward([first, second])
    np.testing.assert_allclose(gradient(x), [6 + 2 * np.exp(1.0), 12 + 4 * np.exp(4.0)], rtol=1e-14)


def test_several_roots_give_the_sum_of_their_gradients_at_any_depth() -> None:
    x = leaf(1.5)
    a = x * 2
    b = a * 3
    c = b * 5
    torch.autograd.backward([a, c, b])
    assert gradient(x) == 2 + 6 + 30


def test_one_tensor_given_twice_as_root_counts_twice(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    y = x * 3
    g = torch.ones(2, dtype=torch.float64, device=device)
    torch.autograd.backward([y, y], [g, g])
    assert gradient(x) == [6, 6]
    assert values(g).tolist() == [1, 1]


def test_a_leaf_may_be_a_root() -> None:
    x = leaf([1.0, 2.0])
    g = torch.tensor([3.0, 4.0], dtype=torch.float64)
    x.backward(g)
    assert gradient(x) == [3, 4]
    assert x.grad is not g
    x.grad.add_(1)  # type: ignore[union-attr]
    assert g.tolist() == [3, 4]


# --------------------------------------------------------------------------- sums of gradients


def test_a_tensor_added_to_itself_receives_both_gradients(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    (x + x).sum().backward()
    assert gradient(x) == [2, 2]


def test_a_tensor_used_a_hundred_times_receives_a_hundred_gradients(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    inner = x * 1.5
    total = inner * 0
    for k in range(100):
        total = total + inner * k
    total.sum().backward()
    assert gradient(x) == [1.5 * 4950] * 2


def test_every_path_through_a_diamond_counts(device: str) -> None:
    x = leaf(3.0, device)
    left, right = x * x, x * 5
    bottom = left * right  # 5 x^3
    (bottom + left).backward()
    assert gradient(x) == 15 * 9 + 6


def test_many_diamonds_in_a_row_take_linear_time() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(200):  # 2^200 paths
        y = (y + y) * 0.5
    y.backward()
    assert gradient(x) == 1


class Swapped(torch.autograd.Function):
    """Two tensors in the other order."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return y.clone(), x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[1], grads[0]


def test_many_nodes_of_several_outputs_in_a_row_take_linear_time() -> None:
    x, y = leaf(1.0), leaf(2.0)
    a, b = first = Swapped.apply(x, y)
    for _ in range(199):  # 2^200 paths
        a, b = Swapped.apply(a, b)
    total = a + 3 * b
    for wanted in ((x, y), first, (x,)):
        total.backward(retain_graph=True, inputs=wanted)
        assert torch.autograd.grad(total, wanted, retain_graph=True)[0] in (1, 3)
    total.backward()
    assert (gradient(x), gradient(y)) == (3, 6)


def test_gradients_accumulate_in_place_in_the_same_tensor(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first
    assert gradient(x) == [5, 5]


def test_with_create_graph_accumulation_leaves_the_old_gradient_as_it_was(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    (x * 2).sum().backward()
    first = x.grad
    (x * x).sum().backward(create_graph=True)
    assert x.grad is not first
    assert values(first).tolist() == [2, 2]
    assert gradient(x) == [4, 6]
    assert x.grad is not None
    assert x.grad.requires_grad
    x.grad = None  # the recorded gradient holds its own leaf


# --------------------------------------------------------------------------- freeing


def test_saved_arrays_are_released_while_the_walk_goes_on(device: str, no_collector: None) -> None:
    x = leaf([0.1, 0.2], device)
    first = x.exp()
    second = first.exp()
    third = second.exp()
    array = weakref.ref(second.array)
    alive: list[bool] = []
    watch(first, lambda: alive.append(array() is not None))
    out = third.sum()
    del second, third
    assert array() is not None
    out.backward()
    assert alive == [False]


def test_retain_graph_keeps_the_saved_arrays(device: str, no_collector: None) -> None:
    x = leaf([0.1, 0.2], device)
    middle = x.exp()
    array = weakref.ref(middle.array)
    out = middle.exp().sum()
    del middle
    out.backward(retain_graph=True)
    assert array() is not None
    first = values(x.grad)
    out.backward()
    assert array() is None
    np.testing.assert_array_equal(values(x.grad), 2 * first)


def test_gradients_on_their_way_die_as_soon_as_they_are_used(no_collector: None) -> None:
    x = leaf(np.zeros(10))
    y = x
    tensors = []
    for _ in range(10):
        y = y * 2
        tensors.append(y)
    passing: list[Any] = []
    most: list[int] = []

    def note(grads: Sequence[Any]) -> None:
        passing.extend(weakref.ref(g._array) for g in grads if g is not None)
        most.append(sum(r() is not None for r in passing))

    for t in tensors:
        node_of(t).register_prehook(note)
    del t
    y.backward(torch.ones(10, dtype=torch.float64))
    assert len(passing) == 10
    assert max(most) <= 3  # the one that came in, the one before it, the user's


def test_a_second_backward_needs_what_the_first_freed(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(
        RuntimeError, match="Trying to backward through the graph a second time"
    ) as e:
        y.backward()
    assert str(e.value) == SECOND_BACKWARD
    assert gradient(x) == [2, 4]


@pytest.mark.parametrize(
    ("function", "grad"),
    [
        (lambda x: x + 2, 2.0),
        (lambda x: x.sum(), 2.0),
        (lambda x: -x, -2.0),
        (lambda x: x.reshape(1).squeeze().clone(), 2.0),
        (lambda x: (x - 1).mean(), 2.0),
    ],
    ids=["add", "sum", "neg", "shape", "mean"],
)
def test_a_second_backward_succeeds_where_nothing_was_saved(
    function: Callable[[Tensor], Tensor], grad: float, device: str
) -> None:
    x = leaf(1.0, device)
    y = function(x)
    y.backward()
    y.backward()
    assert gradient(x) == grad


def test_a_number_that_was_multiplied_by_is_a_saved_value() -> None:
    x = leaf([1.0, 2.0])
    y = (x * 2).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


def test_losses_may_share_a_part_that_saved_nothing() -> None:
    x = leaf(1.0)
    z = x + 1
    first, second = z * 3, z * 30
    first.backward()
    second.backward()
    assert gradient(x) == 33


def test_losses_that_share_a_part_that_saved_something_need_retain_graph() -> None:
    x = leaf(1.0)
    z = x * x
    first, second = z * 3, z * 30
    first.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        second.backward()


# --------------------------------------------------------------------------- higher order


def derivatives(function: Callable[[Tensor], Tensor], at: float, device: str) -> list[float]:
    """Return a function's value and first four derivatives."""
    x = leaf(at, device)
    y = function(x)
    found = [y.item()]
    for _ in range(4):
        if y.requires_grad:
            (y,) = torch.autograd.grad(y, x, create_graph=True, materialize_grads=True)
        else:
            y = torch.zeros_like(x)
        found.append(y.item())
    return found


TANH = np.tanh(0.5)
POWER, SLOPE = 1.5**1.5, 1 + np.log(1.5)


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (lambda x: x**3, 2.0, [8, 12, 12, 6, 0]),
        (lambda x: x**3, 0.0, [0, 0, 0, 6, 0]),
        (lambda x: x**4.0, -1.0, [1, -4, 12, -24, 24]),
        (lambda x: x**2.5, 4.0, [32, 20, 7.5, 0.9375, -0.1171875]),
        (lambda x: 1 / x, 2.0, [1 / 2, -1 / 4, 1 / 4, -3 / 8, 3 / 4]),
        (lambda x: x * x * x * x, 1.0, [1, 4, 12, 24, 24]),
        (torch.exp, 1.0, [np.e] * 5),
        (torch.log, 2.0, [np.log(2), 1 / 2, -1 / 4, 1 / 4, -3 / 8]),
        (torch.sin, 0.3, [np.sin(0.3), np.cos(0.3), -np.sin(0.3), -np.cos(0.3), np.sin(0.3)]),
        (torch.sqrt, 4.0, [2, 1 / 4, -1 / 32, 3 / 256, -15 / 2048]),
        (
            torch.tanh,
            0.5,
            [
                TANH,
                1 - TANH**2,
                -2 * TANH * (1 - TANH**2),
                (6 * TANH**2 - 2) * (1 - TANH**2),
                (16 * TANH - 24 * TANH**3) * (1 - TANH**2),
            ],
        ),
        (lambda x: torch.relu(x) ** 2, 1.0, [1, 2, 2, 0, 0]),
        (lambda x: torch.relu(x) ** 2, 0.0, [0, 0, 0, 0, 0]),
        (lambda x: x.abs() ** 3, 1.0, [1, 3, 6, 6, 0]),
        (lambda x: x.abs() ** 3, -1.0, [1, -3, 6, -6, 0]),
        (lambda x: 2**x, 1.0, [2 * np.log(2) ** k for k in range(5)]),
        (
            lambda x: x**x,
            1.5,
            [
                POWER,
                POWER * SLOPE,
                POWER * (SLOPE**2 + 1 / 1.5),
                POWER * (SLOPE**3 + 3 * SLOPE / 1.5 - 1 / 1.5**2),
                POWER * (SLOPE**4 + 6 * SLOPE**2 / 1.5 + (3 - 4 * SLOPE) / 1.5**2 + 2 / 1.5**3),
            ],
        ),
        (lambda x: (x * torch.ones_like(x)).sum() * x.mean(), 3.0, [9, 6, 2, 0, 0]),
    ],
)
def test_derivatives_of_order_one_to_four_are_those_of_the_textbook(
    function: Callable[[Tensor], Tensor], at: float, expected: list[float], device: str
) -> None:
    np.testing.assert_allclose(derivatives(function, at, device), expected, rtol=1e-13, atol=1e-14)


def test_broadcast_operands_have_higher_derivatives(device: str) -> None:
    x = leaf([[1.0], [2.0]], device)
    y = leaf([3.0, 4.0, 5.0], device)
    z = (x**3 * y**2).sum()
    gx, gy = torch.autograd.grad(z, (x, y), create_graph=True)
    np.testing.assert_allclose(values(gx), [[150], [600]])  # 3 x^2 sum(y^2)
    np.testing.assert_allclose(values(gy), [54, 72, 90])  # 2 y sum(x^3)
    gxx, gxy = torch.autograd.grad(gx.sum(), (x, y), create_graph=True)
    np.testing.assert_allclose(values(gxx), [[300], [600]])
    np.testing.assert_allclose(values(gxy), [90, 120, 150])  # 3 sum(x^2) 2 y
    gxxx, gxxy = torch.autograd.grad(gxx.sum(), (x, y))
    np.testing.assert_allclose(values(gxxx), [[300], [300]])
    np.testing.assert_allclose(values(gxxy), [108, 144, 180])  # 6 sum(x) 2 y


def test_backward_through_a_gradient_adds_to_grad(device: str) -> None:
    x = leaf(3.0, device)
    (first,) = torch.autograd.grad(x**3, x, create_graph=True)
    first.backward()
    assert gradient(x) == 18


def test_a_recorded_gradient_depends_on_the_gradient_that_was_given() -> None:
    x = leaf([1.0, 2.0])
    g = leaf([5.0, 7.0])
    (first,) = torch.autograd.grad(x * x, x, grad_outputs=g, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), g)
    assert values(second).tolist() == [2, 4]


def test_without_create_graph_nothing_is_recorded(device: str) -> None:
    x = leaf(3.0, device)
    (first,) = torch.autograd.grad(x**3, x)
    assert not first.requires_grad
    assert first.grad_fn is None
    assert torch.is_grad_enabled()


def test_create_graph_records_under_no_grad_too() -> None:
    x = leaf(3.0)
    y = x**3
    with torch.no_grad():
        (first,) = torch.autograd.grad(y, x, create_graph=True)
        assert not torch.is_grad_enabled()
    assert first.requires_grad


# --------------------------------------------------------------------------- inputs=, grad()


def test_inputs_limits_backward_to_some_leaves(device: str) -> None:
    x, y = leaf(2.0, device), leaf(3.0, device)
    (x * y).backward(inputs=[x])
    assert gradient(x) == 3
    assert y.grad is None


def test_inputs_may_be_no_leaves(device: str) -> None:
    x = leaf(2.0, device)
    middle = x * 3
    (middle * middle).backward(inputs=[middle])
    assert gradient(middle) == 12
    assert x.grad is None


def test_inputs_may_be_a_leaf_and_what_was_computed_from_it() -> None:
    x = leaf(2.0)
    middle = x * 3
    (middle * middle).backward(inputs=[x, middle])
    assert gradient(middle) == 12
    assert gradient(x) == 36


def test_inputs_accumulate_like_any_backward() -> None:
    x = leaf(2.0)
    x.grad = torch.tensor(100.0, dtype=torch.float64)
    (x * 3).backward(inputs=x)
    assert gradient(x) == 103


def test_grad_touches_no_grad_attribute(device: str) -> None:
    x, y = leaf(2.0, device), leaf(3.0, device)
    (gx,) = torch.autograd.grad(x * y, x)
    assert gx.item() == 3
    assert x.grad is None
    assert y.grad is None


def test_grad_gives_the_gradient_of_what_was_computed(device: str) -> None:
    x = leaf(2.0, device)
    middle = x * 3
    out = middle * middle
    gm, gx, go = torch.autograd.grad(out, (middle, x, out))
    assert (gm.item(), gx.item(), go.item()) == (12, 36, 1)


def test_grad_of_a_tensor_by_itself_is_one() -> None:
    x = leaf(2.0)
    assert torch.autograd.grad(x, x)[0].item() == 1
    y = x * 2
    assert torch.autograd.grad(y, y)[0].item() == 1


def test_grad_of_several_outputs_is_the_gradient_of_their_sum() -> None:
    x = leaf(2.0)
    (g,) = torch.autograd.grad((x * 3, x * x), x)
    assert g.item() == 7


def test_what_is_asked_for_twice_is_one_gradient(device: str) -> None:
    x = torch.tensor([1.0, 2.0], device=device, requires_grad=True)
    y = x * 1
    with count_kernels() as one:
        torch.autograd.grad((y * y).sum() + y.sum(), [x, y], retain_graph=True)
    for create_graph in False, True:
        with count_kernels() as several:
            loss = (y * y).sum() + y.sum()
            a, b, c, d = torch.autograd.grad(loss, [x, y, x, y], None, True, create_graph)
        assert a is c
        assert b is d
        assert a is not b
        if not create_graph:
            assert several.total == one.total


def test_grad_may_name_an_input_twice() -> None:
    x = leaf(2.0)
    first, second = torch.autograd.grad(x * x, (x, x))
    assert first.item() == second.item() == 4


def test_grad_runs_no_branch_that_leads_to_no_input(device: str) -> None:
    x, w = leaf(2.0, device), leaf(3.0, device)
    branch = w.exp()
    runs: list[int] = []
    watch(branch, lambda: runs.append(1))
    branch.backward(retain_graph=False)  # frees what the branch saved
    assert runs == [1]
    out = (x * 5) * branch
    (g,) = torch.autograd.grad(out, x, retain_graph=True)
    assert g.item() == pytest.approx(5 * np.exp(3.0))
    assert runs == [1]
    with pytest.raises(RuntimeError, match="a second time"):
        out.backward()


def test_grad_computes_no_gradient_that_is_not_asked_for() -> None:
    x, y = leaf(2.0), leaf(3.0)
    out = x * y
    asked: list[tuple[bool, ...]] = []
    rule: Any = node_of(out).rule

    class Spy:
        needs = rule.needs

        def narrowed(self, needs: Any) -> Any:
            asked.append(tuple(needs))
            return rule.narrowed(needs)

    node_of(out).rule = Spy()  # type: ignore[assignment]
    torch.autograd.grad(out, y)
    assert asked == [(False, True)]


def test_grad_stops_at_the_input_that_is_asked_for() -> None:
    x = leaf(2.0)
    deep = x.exp()
    middle = deep * 2
    out = middle * middle
    runs: list[int] = []
    watch(deep, lambda: runs.append(1))
    torch.autograd.grad(out, middle)
    assert runs == []
    middle.backward()  # what lies below was not freed


def test_an_unused_input_is_an_error_unless_allowed() -> None:
    x, y = leaf(2.0), leaf([3.0, 4.0])
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(x * 2, (x, y))
    g, none = torch.autograd.grad(x * 2, (x, y), allow_unused=True)
    assert g.item() == 2
    assert none is None
    g, zeros = torch.autograd.grad(x * 2, (x, y), materialize_grads=True)
    assert g.item() == 2
    assert zeros.tolist() == [0, 0]
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed"):
        torch.autograd.grad(x * 2, (x, y), allow_unused=False, materialize_grads=True)


# --------------------------------------------------------------------------- several outputs


def test_an_unused_output_of_unbind_gives_zeros(device: str) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], device)
    _, second, _ = x.unbind()
    (second * 10).sum().backward()
    assert gradient(x) == [[0, 0], [10, 10], [0, 0]]


def test_every_output_of_split_delivers_to_its_part(device: str) -> None:
    x = leaf([1.0, 2.0, 3.0, 4.0, 5.0], device)
    a, _, c = x.split(2)
    (a.sum() * 2 + (c * 7).sum()).backward()
    assert gradient(x) == [2, 2, 0, 0, 7]


def test_only_the_values_of_max_have_a_gradient(device: str) -> None:
    x = leaf([[1.0, 5.0], [7.0, 2.0]], device)
    found, indices = x.max(1)
    assert not indices.requires_grad
    assert indices.is_leaf
    found.backward(torch.tensor([10.0, 20.0], dtype=torch.float64, device=device))
    assert gradient(x) == [[0, 10], [20, 0]]


def test_the_outputs_of_one_node_share_it_and_are_numbered() -> None:
    x = leaf([1.0, 2.0, 3.0])
    a, b, c = x.unbind()
    assert a.grad_fn is b.grad_fn is c.grad_fn
    assert [t.output_nr for t in (a, b, c)] == [0, 1, 2]
    total = b * 2
    assert node_of(total).next_functions[0] == (b.grad_fn, 1)


def test_a_node_with_several_outputs_runs_once_when_all_are_used() -> None:
    x = leaf([1.0, 2.0, 3.0])
    parts = x.unbind()
    runs: list[int] = []
    watch(parts[0], lambda: runs.append(1))
    (parts[0] * parts[1] * parts[2]).backward()
    assert runs == [1]
    assert gradient(x) == [6, 3, 2]


def test_grad_by_one_of_several_outputs() -> None:
    x = leaf([1.0, 2.0, 3.0])
    a, b, c = x.unbind()
    ga, gc_ = torch.autograd.grad(a * b * c, (a, c))
    assert (ga.item(), gc_.item()) == (6, 2)


def test_parts_have_second_derivatives(device: str) -> None:
    x = leaf([2.0, 3.0], device)
    a, b = x.unbind()
    (first,) = torch.autograd.grad(a**2 * b**3, x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert values(second).tolist() == [2 * 27 + 4 * 27, 2 * 2 * 27 + 4 * 6 * 3]


# --------------------------------------------------------------------------- looking at the graph


def test_retain_grad_fills_the_grad_of_what_was_computed(device: str) -> None:
    x = leaf(2.0, device)
    y = x * 3
    y.retain_grad()
    assert y.retains_grad
    assert not y.is_leaf
    (y * y + y).backward()
    assert gradient(y) == 13
    assert gradient(x) == 39


def test_retain_grad_of_one_output_of_several() -> None:
    x = leaf([1.0, 2.0])
    a, b = x.unbind()
    b.retain_grad()
    assert b.retains_grad
    assert not a.retains_grad
    (a * b).backward()
    assert gradient(b) == 1


def test_retain_grad_does_nothing_to_a_leaf() -> None:
    x = leaf(2.0)
    x.retain_grad()
    assert not x.retains_grad
    (x * x).backward()
    assert gradient(x) == 4


def test_the_grad_of_what_was_computed_warns_where_it_was_not_retained() -> None:
    y = leaf(2.0) * 3
    with pytest.warns(UserWarning, match="is not a leaf Tensor is being accessed"):
        assert y.grad is None


def test_a_retained_gradient_is_not_changed_by_what_happens_further_down() -> None:
    x = leaf([1.0, 2.0])
    y = x + 0
    y.retain_grad()
    (y + x * 0 + y).sum().backward()
    kept = y.grad
    assert kept is not None
    x.grad.mul_(100)  # type: ignore[union-attr]
    assert kept.tolist() == [2, 2]


def test_grad_fn_has_pytorchs_name_and_leads_to_the_leaves() -> None:
    x, y = leaf(2.0), leaf(3.0)
    product = x * y
    out = product.exp() + 1
    node = node_of(out)
    assert node.name() == "AddBackward0"
    (below, index), number = node.next_functions
    assert number == (None, 0)
    assert below is not None
    assert below.name() == "ExpBackward0"
    assert index == 0
    assert below.next_functions == ((product.grad_fn, 0),)
    ends = node_of(product).next_functions
    assert [type(end) for end, _ in ends] == [AccumulateGrad, AccumulateGrad]
    assert [end.variable for end, _ in ends] == [x, y]  # type: ignore[union-attr]
    assert ends[0][0].name() == "torch::autograd::AccumulateGrad"  # type: ignore[union-attr]
    assert repr(node).startswith("<AddBackward0 object at 0x")
    assert x.grad_fn is None
    assert x.is_leaf
    assert not out.is_leaf


def test_a_constant_operand_has_no_function() -> None:
    x = leaf(2.0)
    constant = torch.tensor(3.0, dtype=torch.float64)
    assert node_of(x * constant).next_functions[1] == (None, 0)


# --------------------------------------------------------------------------- ownership

BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "maximum": torch.maximum,
    "where": lambda x, y: torch.where(x > 1.5, x, y),
    "clone": lambda x, y: x.clone() + y.clone(),
    "view": lambda x, y: (x.reshape(3, 2) + y.reshape(3, 2)).reshape(2, 3),
    "transpose": lambda x, y: (x.t() + y.t()).t(),
    "expand": lambda x, y: (x.expand(4, 2, 3) + y).sum(0),
    "sum": lambda x, y: (x.sum() + y.sum()).expand(2, 3),
    "mean": lambda x, y: x.mean() + y,
    "broadcast": lambda x, y: x[:1] + y,
    "cat": lambda x, y: torch.cat([x, y])[1:3],
    "stack": lambda x, y: torch.stack([x, y])[1] + torch.stack([x, y])[0],
    "unbind": lambda x, y: torch.stack(x.unbind()) + y,
    "to": lambda x, y: x.to(torch.float32) + y,
    "itself": lambda x, y: x + x + y + y,
}


@pytest.mark.parametrize("name", BINARY)
def test_no_gradient_shares_memory_with_another(name: str, device: str) -> None:
    data = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    x, y = leaf(data, device), leaf(data, device)
    out = BINARY[name](x, y)
    g = torch.full_like(out, 7.0).detach()
    before = values(g)
    out.backward(g, retain_graph=True)
    assert x.grad is not None
    assert y.grad is not None
    xp_x, xp_y = values(x.grad), values(y.grad)
    x.grad.fill_(1000)
    np.testing.assert_array_equal(values(g), before)
    np.testing.assert_array_equal(values(y.grad), xp_y)
    y.grad.fill_(-1000)
    np.testing.assert_array_equal(values(g), before)
    np.testing.assert_array_equal(values(x.grad), np.full_like(xp_x, 1000))
    x.grad = y.grad = None
    out.backward(g)  # and the saved values are as they were
    np.testing.assert_array_equal(values(x.grad), xp_x)
    np.testing.assert_array_equal(values(y.grad), xp_y)


@pytest.mark.parametrize("name", BINARY)
def test_gradients_that_grad_returns_share_no_memory_with_saved_values(
    name: str, device: str
) -> None:
    data = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    x, y = leaf(data, device), leaf(data, device)
    out = BINARY[name](x, y)
    g = torch.ones_like(out).detach()
    first = torch.autograd.grad(out, (x, y), g, retain_graph=True)
    expected = [values(t) for t in first]
    torch.autograd.grad(out, (x, y), g, retain_graph=True)
    for t, e in zip(first, expected, strict=True):
        np.testing.assert_array_equal(values(t), e)


def test_a_gradient_buffer_of_the_users_is_never_added_to(device: str) -> None:
    x = leaf([1.0, 2.0], device)
    y = x + 0
    g = torch.tensor([1.0, 10.0], dtype=torch.float64, device=device)
    torch.autograd.backward([y, y, x, x], [g, g, g, g])
    assert gradient(x) == [4, 40]
    assert values(g).tolist() == [1, 10]


def test_a_gradient_that_two_branches_share_is_not_added_to() -> None:
    # the sum hands one buffer to both operands; one of them then receives another gradient
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    a, b = x + 0, y + 0
    total = (a + b) * 1
    more = a * 3
    torch.autograd.backward([total, more], [torch.ones(2).double(), torch.ones(2).double()])
    assert gradient(x) == [4, 4]
    assert gradient(y) == [1, 1]


def test_the_gradient_has_the_strides_of_its_leaf() -> None:
    x = torch.tensor(np.arange(6.0).reshape(2, 3)).t().clone().requires_grad_()
    assert x.stride() == (1, 3)
    (x * 2).sum().backward()
    assert x.grad is not None
    assert x.grad.stride() == (1, 3)


def test_a_gradient_is_cast_to_the_type_of_its_leaf(device: str) -> None:
    x = leaf([1.0], device, torch.float16)
    (x.to(torch.float32) * 1e-8).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.float16
    assert gradient(x) == [0]


# --------------------------------------------------------------------------- memory

CYCLES: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "tanh": torch.tanh,
    "sqrt": torch.sqrt,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "rsqrt": torch.rsqrt,
    "pow": lambda x: x**x,
    "mul": lambda x: x * x,
    "norm": lambda x: x.norm(),
    "max": lambda x: x.max(),
    "max along": lambda x: x.max(0)[0],
    "unbind": lambda x: x.unbind()[1],
    "index": lambda x: x[[0, 1, 1]],
    "view": lambda x: x.reshape(3, 1),
    "prod": lambda x: x.prod(),
    "std": lambda x: x.std(),
    "inplace exp": lambda x: (x + 0).exp_(),
    "inplace mul": lambda x: (x + 1).mul_(x),
    "inplace add": lambda x: (x + 1).add_(1),
    "softplus": lambda x: torch.softplus(x),
}


@pytest.mark.parametrize("name", CYCLES)
def test_a_result_dies_with_its_last_name(name: str, device: str, no_collector: None) -> None:
    x = leaf([1.0, 2.0, 3.0], device)
    out = CYCLES[name](x)
    tensor, node, array = weakref.ref(out), weakref.ref(node_of(out)), weakref.ref(out.array)
    del out
    assert tensor() is None
    assert node() is None
    assert array() is None


@pytest.mark.parametrize("name", CYCLES)
def test_a_graph_dies_with_its_last_name_after_a_walk(
    name: str, device: str, no_collector: None
) -> None:
    x = leaf([1.0, 2.0, 3.0], device)
    out = CYCLES[name](x)
    total = out.sum()
    total.backward(retain_graph=True)
    references = [weakref.ref(o) for o in (out, node_of(out), total, node_of(total))]
    del out, total
    assert [r() for r in references] == [None] * 4


@pytest.mark.parametrize("name", ["exp", "tanh", "pow", "mul", "norm", "prod", "std"])
def test_a_graph_of_second_order_dies_with_its_last_name(
    name: str, device: str, no_collector: None
) -> None:
    x = leaf([1.0, 2.0, 3.0], device)
    out = CYCLES[name](x)
    (first,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    references = [weakref.ref(o) for o in (out, node_of(out), first, node_of(first), second)]
    del out, first, second
    assert [r() for r in references] == [None] * 5


def test_a_leaf_dies_after_its_graph_was_walked(device: str, no_collector: None) -> None:
    x = leaf([1.0, 2.0], device)
    y = (x.exp() * x).sum()
    y.backward()
    reference, array = weakref.ref(x), weakref.ref(x.array)
    del x
    assert reference() is not None  # the graph accumulates into it
    del y
    assert reference() is None
    assert array() is None


def test_a_retained_gradient_makes_no_cycle(no_collector: None) -> None:
    x = leaf([1.0, 2.0])
    y = x.exp()
    y.retain_grad()
    y.sum().backward()
    reference = weakref.ref(y)
    del y
    assert reference() is None


def test_an_output_that_nobody_holds_is_not_kept_by_what_saves_nothing(no_collector: None) -> None:
    x = leaf([1.0, 2.0])
    middle = x + 1
    array = weakref.ref(middle.array)
    out = middle + 1
    del middle
    assert array() is None
    out.sum().backward()
    assert gradient(x) == [1, 1]


# --------------------------------------------------------------------------- errors midway


def broken_graph() -> tuple[Tensor, Tensor, Tensor]:
    """Return two leaves and an output whose second branch saved a value that was overwritten."""
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    middle = a + 0
    broken = (middle * middle).sum()
    sound = (b * 2).sum()
    with torch.no_grad():
        middle.add_(1)
    return a, b, broken + sound


def test_an_error_midway_leaves_what_was_done_and_reports_what_was_not() -> None:
    a, b, out = broken_graph()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()
    assert a.grad is None
    assert gradient(b) == [2, 2]  # younger than the broken node: it had run
    assert torch.is_grad_enabled()
    with pytest.raises(RuntimeError, match="a second time"):  # and it was freed
        out.backward()
    assert gradient(b) == [2, 2]


def test_an_error_midway_with_retain_graph_is_the_same_error_again() -> None:
    a, b, out = broken_graph()
    for count in 1, 2:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            out.backward(retain_graph=True)
        assert a.grad is None
        assert gradient(b) == [2 * count] * 2


def test_a_part_of_a_broken_graph_that_is_sound_can_be_differentiated() -> None:
    _, b, out = broken_graph()
    (g,) = torch.autograd.grad(out, b)
    assert g.tolist() == [2, 2]


def test_after_an_interrupt_the_graph_can_be_walked_again() -> None:
    x = leaf(2.0)
    y = x * x
    out = y * y
    interrupts = [KeyboardInterrupt]

    def interrupt() -> None:
        if interrupts:
            raise interrupts.pop()

    watch(y, interrupt)
    with pytest.raises(KeyboardInterrupt):
        out.backward(retain_graph=True)
    assert x.grad is None
    assert torch.is_grad_enabled()
    out.backward()
    assert gradient(x) == 32


# --------------------------------------------------------------------------- misuse


def test_backward_needs_a_graph() -> None:
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        torch.tensor(1.0).backward()
    with torch.no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="does not have a grad_fn"):
        y.backward()


def test_only_a_scalar_has_an_implicit_gradient() -> None:
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar"):
        (leaf([1.0, 2.0]) * 2).backward()


def test_a_gradient_must_have_the_shape_of_its_output() -> None:
    y = leaf([1.0, 2.0]) * 2
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of"):
        y.backward(torch.ones(3, dtype=torch.float64))


# --------------------------------------------------------------------------- random graphs

SHAPES: list[tuple[int, ...]] = [(), (3,), (2, 1), (2, 3), (1, 3)]
UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": lambda x: (x.tanh()).exp(),
    "tanh": torch.tanh,
    "neg": lambda x: -x,
    "sum": lambda x: x.sum(),
    "sum 0": lambda x: x.sum(0) if x.ndim else x,
    "keep": lambda x: x.sum(-1, keepdim=True),
    "mean": lambda x: x.mean(),
    "square": lambda x: x * x,
    "third": lambda x: x.tanh() ** 3,
}
PAIRS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y.tanh(),
    "div": lambda x, y: x / (1 + y * y),
    "where": lambda x, y: torch.where((x > 100) | (y > 100), x, y * 0.5),
}
Step = tuple[str, int, int]


def run(steps: list[Step], leaves: list[Tensor]) -> Tensor:
    """Return the mean of what a program of steps leaves, each from two earlier values."""
    found = list(leaves)
    for name, first, second in steps:
        x, y = found[first % len(found)], found[second % len(found)]
        found.append(UNARY[name](x) if name in UNARY else PAIRS[name](x, y))
    total = found[-1].sum()
    for t in found[:-1]:
        total = total + t.tanh().mean()
    return total


programs = st.lists(
    st.tuples(st.sampled_from([*UNARY, *PAIRS]), st.integers(0, 10**6), st.integers(0, 10**6)),
    min_size=1,
    max_size=8,
)
inputs = st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(programs, inputs, st.integers(0, 2**32 - 1))
def test_the_gradient_of_any_expression_is_its_directional_derivative(
    steps: list[Step], shapes: list[tuple[int, ...]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    points = [random.uniform(-1, 1, s) for s in shapes]
    ways = [random.uniform(-1, 1, s) for s in shapes]
    leaves = [leaf(p) for p in points]
    grads = torch.autograd.grad(run(steps, leaves), leaves)
    along = sum(float((values(g) * w).sum()) for g, w in zip(grads, ways, strict=True))

    def at(step: float) -> float:
        moved = [torch.tensor(p + step * w) for p, w in zip(points, ways, strict=True)]
        return float(run(steps, moved).item())

    # Richardson's extrapolation of central differences: the error is of fourth order
    h = 1e-3
    difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    assert along == pytest.approx(difference, rel=1e-6, abs=1e-7)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(programs, inputs, st.integers(0, 2**32 - 1))
def test_the_second_derivative_of_any_expression_is_the_derivative_of_its_gradient(
    steps: list[Step], shapes: list[tuple[int, ...]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    points = [random.uniform(-1, 1, s) for s in shapes]
    ways = [random.uniform(-1, 1, s) for s in shapes]

    def slope(step: float, second: bool) -> tuple[float, float]:
        leaves = [leaf(p + step * w) for p, w in zip(points, ways, strict=True)]
        grads = torch.autograd.grad(run(steps, leaves), leaves, create_graph=second)
        along = sum((g * torch.tensor(w)).sum() for g, w in zip(grads, ways, strict=True))
        assert isinstance(along, Tensor)
        if not second or not along.requires_grad:
            return along.item(), 0.0
        again = torch.autograd.grad(along, leaves, materialize_grads=True)
        return along.item(), sum(
            float((values(g) * w).sum()) for g, w in zip(again, ways, strict=True)
        )

    _, curvature = slope(0.0, True)
    h = 1e-3
    by = {k: slope(k * h, False)[0] for k in (-2, -1, 1, 2)}
    difference = (8 * (by[1] - by[-1]) - (by[2] - by[-2])) / (12 * h)
    assert curvature == pytest.approx(difference, rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs, inputs, st.integers(0, 2**32 - 1))
def test_one_walk_from_two_roots_equals_two_walks(
    steps: list[Step], shapes: list[tuple[int, ...]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    leaves = [leaf(random.uniform(-1, 1, s)) for s in shapes]
    first, second = run(steps, leaves), run(steps[:1], leaves)
    torch.autograd.backward([first, second], retain_graph=True)
    together = [values(t.grad) for t in leaves]
    for t in leaves:
        t.grad = None
    first.backward()
    second.backward()
    for t, g in zip(leaves, together, strict=True):
        np.testing.assert_allclose(values(t.grad), g, rtol=1e-12, atol=1e-12)


def test_a_retained_gradient_adds_up_out_of_place_in_memory_of_its_own(device: str) -> None:
    x = torch.ones(2, device=device, requires_grad=True)
    y = x * 2
    y.retain_grad()
    given = torch.tensor([1.0, 3.0], device=device)

    y.backward(given, retain_graph=True)
    first = y.grad
    assert first is not None
    assert first.data_ptr() != given.data_ptr()
    y.backward(given)

    assert y.grad is not None
    assert first.tolist() == [1, 3]
    assert y.grad.tolist() == [2, 6]

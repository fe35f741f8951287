"""Hooks on saved tensors, anomaly mode, checkpointing: what may happen to what is saved."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import Programs, agree
from gpugrad.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential

PROGRAMS = Programs()
program = PROGRAMS.add


def hooks(torch: Any, note: Any) -> Any:
    """Return hooks that note what they see and keep copies."""

    def pack(t: Any) -> Any:
        note("pack", t)
        return t.detach().clone()

    def unpack(t: Any) -> Any:
        note("unpack", t)
        return t

    return torch.autograd.graph.saved_tensors_hooks(pack, unpack)


@program
def each_saved_tensor_is_packed(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([0.25, 0.125])
    seen: list[Any] = []
    with hooks(torch, lambda what, t: seen.append((what, t.tolist()))):
        y = x + 2
        z = (y.reciprocal() * w).exp()
    note(sorted(seen))
    z.sum().backward()
    note(sorted(seen))  # what one node saves has another order than PyTorch's
    note(x.grad, w.grad)


@program
def what_is_unpacked_has_its_history(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    with hooks(torch, lambda *values: None):
        y = (x * w) * x.exp()
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    note(g, h)
    note(torch.autograd.grad(h.sum(), [x, w]))


@program
def the_innermost_hooks_count(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(2.0)
    with hooks(torch, lambda *v: note("outer", *v)):
        with hooks(torch, lambda *v: note("inner", *v)):
            y = x.exp()
        y = y.tanh()
        with torch.no_grad():
            x.exp()
            with torch.enable_grad():
                y = y.tanh()
    y.exp().backward()


@program
def a_function_saves_through_them(torch: Any, leaf: Any, note: Any) -> None:
    class F(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y * x / x

    x = leaf([1.0, 2.0])
    with hooks(torch, note):
        y = F.apply(x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    note(g)
    note(torch.autograd.grad(g.sum(), x))


@program
def unpacking_must_give_a_tensor(torch: Any, leaf: Any, note: Any) -> None:
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: 3):
        y = leaf(1.0).exp()
    note("made")
    y.backward()


@program
def packing_must_not_write(torch: Any, leaf: Any, note: Any) -> None:
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t):
        (leaf(1.0) * 1).exp().sin()


@program
def disabled_hooks(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(1.0)
    with torch.autograd.graph.disable_saved_tensors_hooks("no hooks"):
        note(x * x)
        with hooks(torch, note):
            x * x


@program
def freed_values_that_were_packed(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(2.0)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
        y = x.exp()
    note(y.grad_fn._saved_result)
    y.backward()
    y.backward()


@program
def saved_on_the_cpu(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    for pinned in False, True:
        with torch.autograd.graph.save_on_cpu(pin_memory=pinned and x.is_cuda):
            y = (x * w).exp()
        y.sum().backward()
        note(x.grad, w.grad)


@program
def written_to_after_saving(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        y = x * 1
        z = y * y
        y.add_(5)
        z.sum().backward()
    note(x.grad)


@program
def increment_version(torch: Any, leaf: Any, note: Any) -> None:
    y = leaf([1.0, 2.0]) * 1
    z = y * y
    torch.autograd.graph.increment_version([y])
    note(y._version)
    z.sum().backward()


# --------------------------------------------------------------------------- anomaly mode


@program
def nan_is_found(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, -1.0])
    note(torch.is_anomaly_enabled() if hasattr(torch, "is_anomaly_enabled") else False)
    with torch.autograd.detect_anomaly(check_nan=False):
        x.sqrt().sum().backward()
    note(x.grad.isnan())
    with torch.autograd.detect_anomaly():
        x.sqrt().sum().backward()


@program
def nan_is_found_in_what_was_recorded_before(torch: Any, leaf: Any, note: Any) -> None:
    x, w = leaf([1.0, -1.0]), leaf([1.0, 1.0])
    y = (x * w).log().sqrt() * w
    note(y.isnan())
    torch.autograd.set_detect_anomaly(True)
    try:
        y.sum().backward()
    finally:
        torch.autograd.set_detect_anomaly(False)


@program
def a_version_error_says_to_look_above(torch: Any, leaf: Any, note: Any) -> None:
    with torch.autograd.set_detect_anomaly(True):
        y = leaf([1.0, 2.0]) * 1
        z = y * y
        y.add_(1)
        note(z)
        z.sum().backward()


@program
def nothing_is_changed_where_there_is_no_nan(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    with torch.autograd.set_detect_anomaly(True):
        (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        note(torch.autograd.grad(g.sum(), x))
        note(sorted(k for k in g.grad_fn.metadata if k == "traceback_"))
        x.register_hook(lambda g: g * 2)
        (x * x).sum().backward()
    note(x.grad)


def notes(caught: Any) -> str:
    return "\n".join(getattr(caught.value, "__notes__", []))


def test_the_line_of_the_forward_is_shown_and_only_the_users(device: str) -> None:
    x = gpugrad.tensor([[1.0, -1.0]], device=device, requires_grad=True)
    with gpugrad.autograd.set_detect_anomaly(True):
        y = x.sqrt().sum()  # this line
        with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan") as caught:
            y.backward()
    assert "y = x.sqrt().sum()  # this line" in notes(caught)
    assert "gradients of shape [1, 2]" in notes(caught)
    assert "/gpugrad/op/" not in notes(caught)


def test_the_line_of_the_forward_is_shown_at_the_second_order(device: str) -> None:
    x = gpugrad.tensor([0.0], device=device, requires_grad=True)
    with gpugrad.autograd.set_detect_anomaly(True):
        y = x**1.5  # the first line
        (g,) = gpugrad.autograd.grad(y.sum(), x, create_graph=True)  # the second line
        with pytest.raises(RuntimeError, match="returned nan") as caught:
            gpugrad.autograd.grad((g * g).sum(), x)
    text = notes(caught)
    assert "# the second line" in text
    assert "It was made in the backward of PowBackward0" in text
    assert text.index("# the second line") < text.index("# the first line")


def test_any_error_of_a_backward_shows_the_line() -> None:
    class F(gpugrad.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise ValueError("broken")

    with gpugrad.autograd.set_detect_anomaly(True):
        y = F.apply(gpugrad.tensor(1.0, requires_grad=True))  # this line
        with pytest.raises(ValueError, match="broken") as caught:
            y.backward()
    assert "# this line" in notes(caught)


def test_anomaly_detection_warns_that_it_is_slow() -> None:
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        gpugrad.autograd.detect_anomaly()


def test_hooks_and_modes_are_of_one_thread() -> None:
    packed: list[Any] = []
    found: list[Any] = []

    def work() -> None:
        x = gpugrad.tensor(2.0, requires_grad=True)
        (x * x).backward()
        found.append((gpugrad.autograd.anomaly_mode.is_anomaly_enabled(), x.grad))

    with (
        gpugrad.autograd.set_detect_anomaly(True),
        gpugrad.autograd.graph.saved_tensors_hooks(packed.append, lambda t: t),
    ):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert packed == []
    assert not found[0][0]
    assert found[0][1].item() == 4.0


def test_calls_take_the_short_way_again_afterwards() -> None:
    x = gpugrad.tensor(2.0, requires_grad=True)
    with gpugrad.autograd.set_detect_anomaly(True):
        pass
    with gpugrad.no_grad(), gpugrad.autograd.graph.saved_tensors_hooks(id, id):
        assert not gpugrad.is_grad_enabled()
    assert gpugrad.graph.mode.enabled is True
    assert (x * x).grad_fn is not None
    assert "traceback_" not in (x * x).grad_fn.metadata


def test_packed_values_make_no_cycle() -> None:
    x = gpugrad.ones(2, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        with gpugrad.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            y = x.exp()
        dead = weakref.ref(y), weakref.ref(y.grad_fn)
        del y
        assert [d() for d in dead] == [None, None]
    finally:
        gc.enable()


def test_a_packing_hook_may_walk_while_gradients_are_accumulated() -> None:
    x = gpugrad.tensor(2.0, requires_grad=True)
    other = gpugrad.tensor(1.0, requires_grad=True)

    def pack(t: Any) -> Any:
        with gpugrad.enable_grad():
            (other + 0).backward()
        return t.detach()

    with gpugrad.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        (x * x * x).backward(create_graph=True)
        (x * x * x).backward(create_graph=True)
    assert x.grad is not None
    assert x.grad.item() == 24.0
    x.grad = None


# --------------------------------------------------------------------------- the two lines


class Product(gpugrad.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * y, g * x


class Exponential(gpugrad.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0]


# What saves, and what of it is overwritten.
SAVING: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "an elementwise operation": lambda y: (y * y, y),
    "its result": lambda y: 2 * (y.exp(),),
    "three operands": lambda y: (y.clamp(y, y), y),
    "operands of two types": lambda y: (y * y.double(), y),
    "broadcast operands": lambda y: (y * y[0], y),
    "a product of matrices": lambda y: (y @ y, y),
    "a composite operation": lambda y: (y.prod(), y),
    "a view": lambda y: (y.t() * y.t(), y),
    "a write": lambda y: ((y * 1).mul_(y), y),
    "a write into a view": lambda y: ((y * 1)[1:].mul_(y[1:]), y),
    "a user's function": lambda y: (Product.apply(y, y), y),
    "what a user's function returned": lambda y: 2 * (Exponential.apply(y),),
}


def two_lines(save: Callable[[Any], tuple[Any, Any]], n: int, device: str) -> str:
    """Return the note of the error where what ``save`` saved is overwritten."""
    y = gpugrad.ones(n, n, device=device, requires_grad=True) * 1
    z, saved = save(y)  # the line that saves
    saved.detach().add_(1)  # the line that overwrites
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        z.sum().backward()
    note, *_ = caught.value.__notes__  # anomaly mode adds another
    return str(note)


@pytest.mark.parametrize("name", SAVING)
def test_the_error_names_the_lines_that_saved_and_overwrote(name: str, device: str) -> None:
    note = two_lines(SAVING[name], 65, device)

    first, second, *_ = lines = [line.strip() for line in note.split("\n")]
    assert first.startswith("It was saved for ")
    assert first.endswith(" by:")
    assert f'{__file__}", line' in second
    assert "lambda y" in lines[2]
    assert f'"{name}"' in lines[2]
    assert lines[3] == "and overwritten by:"
    assert lines[5] == "saved.detach().add_(1)  # the line that overwrites"


@pytest.mark.parametrize("name", SAVING)
def test_small_tensors_take_a_way_that_notes_no_line_but_in_anomaly_mode(name: str) -> None:
    general = {"operands of two types", "a user's function", "what a user's function returned"}
    note = two_lines(SAVING[name], 2, "cpu")
    assert ("was not noted" in note) == (name not in general)

    with gpugrad.autograd.set_detect_anomaly(True, check_nan=False):
        note = two_lines(SAVING[name], 2, "cpu")
    assert f'"{name}"' in note
    assert "was not noted" not in note


def test_the_line_is_noted_where_the_value_was_written_before() -> None:
    x = gpugrad.ones(2, requires_grad=True)
    optimizer = gpugrad.optim.SGD([x], lr=0.1)
    for _ in range(2):
        z = (x * x).sum()  # the line that saves
        z.backward(retain_graph=True)
        optimizer.step()  # the line that overwrites
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        z.backward()
    (note,) = caught.value.__notes__
    assert note.index("# the line that saves") < note.index("# the line that overwrites")


@pytest.mark.parametrize("written", [0, 1])
@pytest.mark.parametrize("function", [gpugrad.mul, gpugrad.div, gpugrad.hypot, gpugrad.dot])
def test_each_operand_is_saved_at_its_own_version(function: Any, written: int) -> None:
    """A version that is asked of one operand only: of the first, or where a node is generated."""
    x, y = (gpugrad.tensor([1.0, 2.0], requires_grad=True) * 1 for _ in range(2))
    (x, y)[written].add_(1)
    (first, second) = gpugrad.autograd.grad(function(x, y).sum(), (x, y))
    again = [t.detach().requires_grad_() for t in (x, y)]
    expected = gpugrad.autograd.grad(function(*again).sum(), again)
    assert [first.tolist(), second.tolist()] == [t.tolist() for t in expected]

    out = function(x, y).sum()
    (x, y)[written].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_a_condition_is_saved_at_its_own_version() -> None:
    x, condition = gpugrad.ones(2, requires_grad=True), gpugrad.tensor([True, True])
    condition[0] = False
    out = gpugrad.where(condition, x * 3, 0.0).sum()
    assert gpugrad.autograd.grad(out, x, retain_graph=True)[0].tolist() == [0, 3]
    condition.logical_not_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_the_line_of_a_recorded_gradient_is_that_of_the_walk() -> None:
    x = gpugrad.ones(64, 64, requires_grad=True)
    g = gpugrad.ones(64, 64)
    (first,) = gpugrad.autograd.grad(x**3, x, g, create_graph=True)  # the line that saves
    g.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        first.sum().backward()
    assert "# the line that saves" in caught.value.__notes__[0]


def test_a_write_that_is_not_known_is_said_to_be() -> None:
    x = gpugrad.ones(64, 64, requires_grad=True)
    x.sum().backward()
    assert x.grad is not None
    z = x * x.grad  # the line that saves
    x.sum().backward()  # adds to what was saved
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        z.sum().backward()
    (note,) = caught.value.__notes__
    assert "# the line that saves" in note
    assert note.endswith("and overwritten by a write that was not noted.")


def test_a_noted_line_keeps_nothing_alive() -> None:
    def saved() -> tuple[Any, Any]:
        local = gpugrad.ones(2)
        x = gpugrad.ones(64, 64, requires_grad=True)
        return x * x, weakref.ref(local)

    z, local = saved()
    assert hasattr(z.grad_fn, "_line")
    assert local() is None


@program
def the_exponent_of_a_power(torch: Any, leaf: Any, note: Any) -> None:
    for exponent in 0, 1, 2, 3, 0.5, -0.5, -1, -2, 2.5, 2.0:
        note((leaf([1.0, 2.0]) ** exponent).grad_fn._saved_exponent)


@program
def the_output_of_a_function_is_named(torch: Any, leaf: Any, note: Any) -> None:
    class Two(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y, z = x.exp(), x.sin()
            ctx.save_for_backward(x, z)
            return y, z

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g * ctx.saved_tensors[1]

    y, z = Two.apply(leaf([1.0, 2.0]))
    z.detach().add_(1)
    y.sum().backward()


@program
def the_output_of_a_function_is_named_where_another_saved_it(
    torch: Any, leaf: Any, note: Any
) -> None:
    class Two(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.exp(), x.sin()

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g

    _, z = Two.apply(leaf([1.0, 2.0]))
    w = z * z
    z.detach().add_(1)
    w.sum().backward()


@program
def an_overwritten_output_without_gradient_has_no_origin(torch: Any, leaf: Any, note: Any) -> None:
    found = (leaf([[1.0, 2.0], [3.0, 4.0]]) * 1).max(0)
    found.indices.zero_()
    found.values.sum().backward()


@program
def the_number_of_a_function_is_named(torch: Any, leaf: Any, note: Any) -> None:
    y = leaf([1.0, 2.0]).max()
    z = y * y
    y.detach().add_(1)
    z.backward()


def assigned(x: Any, i: Any, value: Any) -> Any:
    y = x * 1
    y[i] = value
    return y


# What is computed with the index [0, 1] or the mask [True, False], whose owner overwrites it then.
INDEXED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "x[i]": lambda x, i, mask: x[i],
    "x[0, i]": lambda x, i, mask: x.reshape(1, 3)[0, i],
    "x[mask]": lambda x, i, mask: x[:2][mask],
    "masked_select": lambda x, i, mask: x[:2].masked_select(mask),
    "index_select": lambda x, i, mask: x.index_select(0, i),
    "gather": lambda x, i, mask: x.gather(0, i),
    "scatter": lambda x, i, mask: (x * 1).scatter(0, i, x[1:]),
    "scatter_add": lambda x, i, mask: (x * 1).scatter_add(0, i, x[1:]),
    "index_add": lambda x, i, mask: (x * 1).index_add(0, i, x[1:]),
    "index_copy": lambda x, i, mask: (x * 1).index_copy(0, i, x[1:]),
    "x[i] = number": lambda x, i, mask: assigned(x, i, 5.0),
    "x[mask] = number": lambda x, i, mask: assigned(x[:2], mask, 5.0),
    "x[i] = tensor": lambda x, i, mask: assigned(x, i, x[1:]),
    "index_put": lambda x, i, mask: (x * 1).index_put((i,), x[1:] * 2, accumulate=True),
}
COPIED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "index_fill_": lambda x, i, mask: (x * 1).index_fill_(0, i, 0.0),
    "masked_fill": lambda x, i, mask: x[:2].masked_fill(mask, 0.0),
    "masked_fill with a tensor": lambda x, i, mask: x[:2].masked_fill(mask, x[2]),
    "masked_fill_": lambda x, i, mask: (x[:2] * 1).masked_fill_(mask, x[2]),
}


def overwritten(function: Callable[[Any, Any, Any], Any], overwrites: bool, device: str) -> Any:
    """Return the gradient of what is computed with an index or a mask."""
    x = gpugrad.tensor([1.0, 2.0, 3.0], device=device, requires_grad=True)
    i, mask = (gpugrad.tensor(v, device=device) for v in ([0, 1], [True, False]))
    y = function(x, i, mask)
    if overwrites:
        i.add_(1)
        mask.fill_(True)
    (grad,) = gpugrad.autograd.grad(y.sum(), x, create_graph=True)
    return grad.tolist()


@pytest.mark.parametrize("name", INDEXED)
def test_an_index_that_was_overwritten_is_noticed(name: str, device: str) -> None:
    overwritten(INDEXED[name], False, device)
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        overwritten(INDEXED[name], True, device)


@pytest.mark.parametrize("name", COPIED)
def test_the_gradient_is_that_of_the_mask_before_it_was_overwritten(name: str, device: str) -> None:
    first, second = (overwritten(COPIED[name], overwrites, device) for overwrites in (False, True))
    assert first == second


def test_an_index_is_kept_once() -> None:
    x, i = gpugrad.ones(100_000, requires_grad=True), gpugrad.arange(100_000)
    rows = gpugrad.zeros(1000, 100, dtype=gpugrad.int64)
    tracemalloc.start()
    kept = [x[i], x.gather(0, i), x.index_select(0, i), x.reshape(1000, 100).gather(1, rows)]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 1.1 * sum(k.nbytes for k in kept)


def test_an_array_of_the_users_may_be_overwritten_as_well() -> None:
    x = gpugrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    i = np.array([0, 1])
    y = x[i]
    i += 1
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


# --------------------------------------------------------------------------- checkpoint


def network(torch: Any, w: Any) -> Callable[[Any], Any]:
    return lambda x: ((x * w).tanh() * x).exp().sum()


@pytest.fixture(params=[True, False], ids=["reentrant", "not reentrant"])
def reentrant(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_gradients_are_those_without_checkpointing(reentrant: bool, device: str) -> None:
    found = []
    for checks in False, True:
        x, w = (gpugrad.tensor(v, device=device, requires_grad=True) for v in ([1.0, 2.0], 0.5))
        f = network(gpugrad, w)
        y = checkpoint(f, x * 1, use_reentrant=reentrant) if checks else f(x * 1)
        (y * 2).backward()
        assert x.grad is not None
        assert w.grad is not None
        found.append((y.item(), x.grad.tolist(), w.grad.tolist()))
    assert found[0] == found[1]


def test_memory_is_given_back_between_the_passes(device: str) -> None:
    alive: list[Any] = []

    def f(x: Any) -> Any:
        y = x.exp()
        alive.append(weakref.ref(y))
        return y.tanh()

    x = gpugrad.ones(3, device=device, requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False)
    gc.collect()
    assert alive[0]() is None
    node = y.grad_fn
    assert node is not None
    y.sum().backward()
    assert len(alive) == 2
    assert alive[1]() is None


def test_what_was_checkpointed_has_second_derivatives(device: str) -> None:
    x = gpugrad.tensor([1.0, 2.0], device=device, requires_grad=True)
    y = checkpoint(lambda x: (x**3).sum(), x, use_reentrant=False)
    (g,) = gpugrad.autograd.grad(y, x, create_graph=True)
    (h,) = gpugrad.autograd.grad(g.sum(), x)
    assert g.tolist() == [3.0, 12.0]
    assert h.tolist() == [6.0, 12.0]


def test_checkpoints_may_be_nested(reentrant: bool) -> None:
    x = gpugrad.tensor(0.5, requires_grad=True)
    runs: list[str] = []

    def inner(x: Any) -> Any:
        runs.append("inner")
        return x.exp()

    def outer(x: Any) -> Any:
        runs.append("outer")
        return checkpoint(inner, x.tanh(), use_reentrant=reentrant).sin()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        checkpoint(outer, x, use_reentrant=reentrant).backward()
    # the reentrant variant computes first without recording, so that the inner one sees no history
    assert [str(w.message) for w in told] == reentrant * [
        "None of the inputs have requires_grad=True. Gradients will be None"
    ]
    assert x.grad is not None
    t = np.tanh(0.5)
    assert x.grad.item() == pytest.approx(np.cos(np.exp(t)) * np.exp(t) * (1 - t**2), rel=1e-5)
    assert runs.count("outer") == 2


def test_random_numbers_are_drawn_again_and_the_stream_goes_on(
    reentrant: bool, device: str
) -> None:
    gpugrad.manual_seed(0)
    x = gpugrad.ones(1000, device=device, requires_grad=True)
    masks: list[Any] = []

    def dropout(x: Any) -> Any:
        mask = (gpugrad.rand(1000, device=device) > 0.5).float()
        masks.append(mask.tolist())
        return (x * mask).exp()

    y = checkpoint(dropout, x, use_reentrant=reentrant)
    expected = gpugrad.random.Replay([x])
    y.sum().backward()
    after = gpugrad.rand(3, device=device).tolist()
    with expected.again():
        assert gpugrad.rand(3, device=device).tolist() == after
    assert len(masks) == 2
    assert masks[0] == masks[1]


def test_without_the_state_they_are_new() -> None:
    x = gpugrad.ones(100, requires_grad=True)
    drawn: list[Any] = []

    def f(x: Any) -> Any:
        drawn.append(gpugrad.rand(100).tolist())
        return x.exp()

    checkpoint(f, x, use_reentrant=False, preserve_rng_state=False).sum().backward()
    assert drawn[0] != drawn[1]


def test_a_sequence_is_checkpointed_in_segments(reentrant: bool) -> None:
    x = gpugrad.tensor([0.5], requires_grad=True)
    runs: list[int] = []

    def layer(k: int) -> Callable[[Any], Any]:
        def f(x: Any) -> Any:
            runs.append(k)
            return x.tanh()

        return f

    y = checkpoint_sequential([layer(k) for k in range(5)], 2, x, use_reentrant=reentrant)
    y.sum().backward()
    assert runs == [0, 1, 2, 3, 4, 0, 1]


def test_arguments_need_not_be_tensors() -> None:
    x = gpugrad.tensor(3.0, requires_grad=True)
    y = checkpoint(lambda x, n, *, m: x**n * m, x, 2, use_reentrant=False, m=5)
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 30.0


@program
def a_freed_checkpoint(torch: Any, leaf: Any, note: Any) -> None:
    again = __import__(f"{torch.__name__}.utils.checkpoint", fromlist=["checkpoint"]).checkpoint
    x = leaf(2.0)
    y = again(lambda x: x * x, x, use_reentrant=False)
    y.backward(retain_graph=True)
    note(x.grad)
    y.backward()
    note(x.grad)
    y.backward()


def checkpointed(**keywords: Any) -> Callable[..., Any]:
    def run(torch: Any, leaf: Any, note: Any) -> None:
        module = __import__(f"{torch.__name__}.utils.checkpoint", fromlist=["checkpoint"])
        x = leaf([1.0, 2.0])
        note("begins")
        y = module.checkpoint(lambda x: x * x, x, **keywords)
        note(torch.autograd.grad(y.sum(), x))

    return run


PROGRAMS["no_grad_of_the_reentrant"] = checkpointed(use_reentrant=True)
PROGRAMS["no_keywords_of_the_reentrant"] = checkpointed(use_reentrant=True, foo=3)


@pytest.mark.parametrize(
    ("again", "words"),
    [
        (lambda x: x * 2, "A different number of tensors was saved"),
        (lambda x: x[:1] * x[:1] * x[:1], "have different metadata"),
    ],
)
def test_what_is_computed_again_must_be_the_same(again: Any, words: str) -> None:
    runs: list[int] = []

    def f(x: Any) -> Any:
        runs.append(1)
        return x * x * x if len(runs) == 1 else again(x)

    y = checkpoint(f, gpugrad.ones(2, requires_grad=True), use_reentrant=False)
    with pytest.raises(CheckpointError, match=words):
        y.sum().backward()


def test_the_variant_should_be_said() -> None:
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed"):
        checkpoint(lambda x: x, gpugrad.ones(1, requires_grad=True))


def test_contexts_are_entered_around_both_computations() -> None:
    seen: list[str] = []

    class Around:
        def __init__(self, name: str):
            self.name = name

        def __enter__(self) -> None:
            seen.append(self.name)

        def __exit__(self, *exception: object) -> None:
            seen.append("end")

    def run(x: Any) -> Any:
        seen.append("run")
        return x.exp()

    x = gpugrad.ones(1, requires_grad=True)
    y = checkpoint(
        run,
        x,
        use_reentrant=False,
        context_fn=lambda: (Around("first"), Around("second")),
    )
    y.sum().backward()
    assert seen == ["first", "run", "end", "second", "run", "end"]


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_it_does_with_pytorch(name: str, device: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(PROGRAMS[name], device)

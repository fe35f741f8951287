"""Arrays as operands, layouts of what an index names, and what saves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import Programs, agree

PROGRAMS = Programs()


@PROGRAMS.add
def what_saved_no_tensor_is_not_freed(torch: Any, leaf: Any, note: Any) -> None:
    makers: list[Callable[[Any, Any], Any]] = [
        lambda x, y: x + y, lambda x, y: x.add(y, alpha=2), lambda x, y: x.sub(y, alpha=2),
        lambda x, y: y.clone().add_(x, alpha=3), lambda x, y: x.add(1, alpha=2),
        lambda x, y: torch.add(x, y.float(), alpha=2), lambda x, y: y.clone().sub_(x, alpha=3),
    ]  # fmt: skip
    for make in makers:
        x, y = leaf([1.0, 2.0]), leaf([0.5, 3.0])
        t = make(x, y)
        (t * t).sum().backward()
        t.sum().backward()
        note(x.grad, y.grad)
    t = leaf([1.0]) * 2
    t.backward()
    t.backward()


@PROGRAMS.add
def bools_stay_bools(torch: Any, leaf: Any, note: Any) -> None:
    b = torch.tensor([True, False], device=leaf(0.0).device)
    for alpha in 2, 0, True, -1:
        found = b.add(b, alpha=alpha)
        note(str(found.dtype).split(".")[-1], found, b.clone().add_(~b, alpha=alpha))
    b.add(b, alpha=0.5)


@PROGRAMS.add
def what_is_compared_needs_no_history(torch: Any, leaf: Any, note: Any) -> None:
    y = leaf([[1.0, 2.0], [3.0, 4.0]]) * 1
    a, b = y.unbind(0)
    y.mul_(2)
    note(a == b, a < b, b != 8, a.isnan(), a > 0.5)
    a + b


def named_by(torch: Any, device: Any) -> list[Any]:
    """Return indices with arrays."""
    i, j, m = (
        torch.tensor(v, device=device) for v in ([0, 1], [[0, 1], [1, 0]], [True, False, True])
    )
    all_ = slice(None)
    return [
        i, (all_, i), (..., i), j, (all_, j), (..., j), (i, all_, i), (i, i), (all_, i, i), (0, i),
        (i, 0), (all_, 0, i), (i, all_, 0), (i, j), (i, ..., i), (..., [0, 1]), (all_, m),
    ]  # fmt: skip


@PROGRAMS.add
def layouts_of_what_is_indexed(torch: Any, leaf: Any, note: Any) -> None:
    x = torch.arange(24.0, device=leaf(0.0).device).view(2, 3, 4)
    for index in named_by(torch, x.device):
        note(x[index].stride(), x[index])
    note(x[..., [0, 1]].view(-1))


def layouts_of_other_layouts(torch: Any, leaf: Any, note: Any) -> None:
    """On the CPU: CuPy puts what is named in the order of its indices, always."""
    x = torch.arange(48.0).view(2, 3, 8)
    for whole in x.permute(2, 0, 1), x[..., ::2], x[:1, :, :4].expand(2, 3, 4), x.mT:
        for index in named_by(torch, "cpu")[:16]:
            note(whole[index].stride(), whole[index])


@PROGRAMS.add
def fields_of_records(torch: Any, leaf: Any, note: Any) -> None:
    table = np.zeros(3, dtype=[("value", "f8"), ("flag", "i1")])
    note(torch.from_numpy(np.zeros((4, 2))[::2, :1]).stride())
    torch.from_numpy(table["value"])


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_an_end_is_as_in_pytorch(program: Any, device: str) -> None:
    agree(program, device)


def test_layouts_of_what_is_not_plain() -> None:
    agree(layouts_of_other_layouts, "cpu")


# A call with tensors, which must give the same where some of them are arrays.
OPERANDS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "cat": lambda t, a, x: t.cat([x, a, x]),
    "stack": lambda t, a, x: t.stack([a, x]),
    "matmul": lambda t, a, x: (a @ x, x @ a, t.matmul(a, x), t.matmul(x, a), x.matmul(a)),
    "mm": lambda t, a, x: (t.mm(a[None], x[:, None]), x[None].mm(a[:, None])),
    "mv": lambda t, a, x: (t.mv(a[None], x), x[None].mv(a)),
    "bmm": lambda t, a, x: t.bmm(a[None, None], x[None, :, None]),
    "dot": lambda t, a, x: (t.dot(a, x), x.dot(a), t.outer(a, x)),
    "where": lambda t, a, x: (t.where(a > 1, a, x), x.where(a > 1, 0.0), x.pow(a), a**x),
    "copy_": lambda t, a, x: (x * 1).copy_(a) + (x * 1).add_(a, alpha=2),
    "close": lambda t, a, x: (t.isclose(a, x), x.isclose(a), t.maximum(a, x), a == x),
    "places": lambda t, a, x: ((x * 1).masked_fill(a > 1, 0.0), x[a > 1], x.masked_select(a > 1)),
    "creation": lambda t, a, x: (t.from_numpy(a) * 1, t.as_tensor(a), t.tensor(a), t.zeros_like(a)),
    "reduction": lambda t, a, x: (t.sum(a), t.max(a), t.std(a), t.norm(a), t.flip(a, 0)),
}


@pytest.mark.parametrize("name", OPERANDS)
def test_arrays_are_operands_wherever_tensors_are(name: str, device: str) -> None:
    """float64 arrays, as NumPy makes them, beside float32 tensors."""
    x = gpugrad.tensor([0.5, 2.0, 3.0], device=device, requires_grad=True)
    array = gpugrad.tensor([1.5, 0.5, 3.0], device=device, dtype=gpugrad.float64).array

    class Tensors:
        """gpugrad, with arrays made tensors before they are given to what judges types."""

        def __getattr__(self, name: str) -> Any:
            found = getattr(gpugrad, name)
            return (lambda a: gpugrad.as_tensor(a)) if name == "from_numpy" else found

    found = OPERANDS[name](gpugrad, array, x)
    expected = OPERANDS[name](Tensors(), gpugrad.as_tensor(array), x.double())
    for f, e in zip(
        *([v] if not isinstance(v, tuple) else v for v in (found, expected)), strict=True
    ):
        assert (f.requires_grad, f.tolist()) == (e.requires_grad, e.tolist())


def test_what_is_differentiated_must_be_a_tensor() -> None:
    a: Any = np.ones(2)

    def f(x: Any) -> Any:
        return (x * x).sum()

    calls: list[Callable[[], object]] = [
        lambda: gpugrad.func.grad(f)(a), lambda: gpugrad.func.vjp(f, a),
        lambda: gpugrad.func.jvp(f, (a,), (a,)), lambda: gpugrad.func.hessian(f)(a),
        lambda: gpugrad.func.jacfwd(f)(a), lambda: gpugrad.func.linearize(f, a),
        lambda: gpugrad.func.vmap(f)(a), lambda: gpugrad.autograd.functional.hessian(f, a),
        lambda: setattr(gpugrad.ones(2), "data", a), lambda: setattr(gpugrad.ones(2), "grad", a),
        lambda: (gpugrad.ones(2).requires_grad_() * 2).backward(a),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises((TypeError, ValueError, RuntimeError), match=r"[tT]ensor"):
            call()

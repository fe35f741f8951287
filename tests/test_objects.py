"""Tensors as Python objects: what Python, NumPy and a class of the user's make of them."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import Programs, agree

PROGRAMS = Programs()


@PROGRAMS.add
def arrays_where_nothing_is_recorded(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0, 2.0])
    with torch.no_grad():
        note(x.cpu().numpy(), np.asarray((x * 2).cpu()), np.array([x.cpu(), x.cpu()]))
        note(x.cpu().__array__("f4").dtype.name)
    with torch.inference_mode():
        note((x * 2).cpu().numpy())

    class Cube(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.from_numpy(x.cpu().numpy() ** 3).to(x.device)

        @staticmethod
        @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return torch.from_numpy(3 * g.cpu().numpy() * x.cpu().numpy() ** 2).to(x.device)

    note(*torch.autograd.grad(Cube.apply(x).sum(), x, create_graph=True))

    def pack(t: Any) -> Any:
        return t.cpu().numpy().copy()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda a: torch.from_numpy(a).to(x.device)):
        y = (x.sin() * x).sum()
    y.backward()
    note(x.grad)
    x.cpu().numpy()


@PROGRAMS.add
def text(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf(2.34567)
    whole = torch.tensor(7, device=x.device)
    note(f"{x:.3f}", f"{x * 1:.3f}", f"{x:>10.2e}", f"{x}", f"{whole:03d}")
    f"{leaf([1.0, 2.0]):.2f}"


@PROGRAMS.add
def protocol(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    note(reversed(x), reversed(x[0]), reversed(x[0, 0]), reversed(x).grad_fn.name())
    note(2.0 in x, x[0, 0] in x, 5 in x, x[..., ...], x[0, ..., ...], x[..., 0, ...])
    x.detach()[..., ...] = 3.0
    note(x, [torch.inf, torch.pi, torch.e, torch.newaxis], math.isnan(torch.nan))
    for wrong in (
        lambda: "a" in x,
        lambda: None in x,
        lambda: x.__delitem__(0),
        lambda: x[..., 0, 0, 0, ...],
    ):
        try:
            wrong()
        except Exception as error:
            note(type(error).__name__, str(error))


@PROGRAMS.add
def attributes(torch: Any, leaf: Any, note: Any) -> None:
    x = leaf([1.0])
    x.layer = "first"
    note(x.layer, dict(vars(x)), hasattr(x * 1, "layer"), "layer" in dir(x))
    del x.layer
    note(hasattr(x, "layer"))
    y = torch.ones(2, 2, device=x.device)
    note([k for k in dir(y) if k != "imag" and not hasattr(y, k)])  # PyTorch's imag raises


@PROGRAMS.add
def without_dimensions_and_wrongly_called(torch: Any, leaf: Any, note: Any) -> None:
    x, s, none = leaf([[1.0, 2.0]]), leaf(2.0), leaf([])
    size = torch.Size([1, 2])
    for call in (
        lambda: s.size(0), lambda: s.size(-1), lambda: s.size(1), lambda: s.stride(0),
        lambda: x.size(5), lambda: x.size("a"), lambda: x.stride("a"), lambda: x.size(dim=-1),
        lambda: len(s), lambda: list(s), lambda: 1 in s, lambda: none.item(), lambda: bool(none),
        lambda: float(none), lambda: none.__index__(), lambda: list(none), lambda: s.H,
        lambda: x.requires_grad_(1), lambda: setattr(x, "requires_grad", 1), lambda: s[0],
        lambda: torch.Size(["a"]), lambda: torch.Size([1.5]), lambda: torch.Size(3),
        lambda: tuple(size * 2), lambda: tuple(2 * size),
    ):  # fmt: skip
        try:
            note(call())
        except Exception as error:
            note(type(error).__name__, str(error).replace("torch", "gpugrad"))
    note([type(v).__name__ for v in ((3,) + size, size * 2, 2 * size, size + (3,), size[:1])])  # noqa: RUF005
    for name in ("dim", "numel", "item", "tolist", "detach", "retain_grad", "numpy", "size"):
        try:
            getattr(x, name)(1, 2, foo=3)
        except TypeError:
            note(name, "refused")


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_tensor_is_to_python_what_pytorchs_is(program: Any, device: str) -> None:
    agree(program, device)


SCALAR = (
    "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
    "Consider using tensor.detach\\(\\) first.$"
)


def assign(x: Any) -> None:
    np.zeros(2)[0] = x


@pytest.mark.parametrize("end", [float, complex, math.sqrt, np.float64, assign])
def test_a_gradient_that_ends_in_a_number_warns_at_the_users_line(end: Any) -> None:
    x = gpugrad.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match=SCALAR) as seen:
        end(x[0])
    assert [w.filename for w in seen] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        end(x.detach()[0])
        with gpugrad.no_grad():
            end(x[0])
        int(x[0]), bool(x[0]), x[0].item(), x.tolist()


ELSEWHERE: dict[str, Callable[[Any], object]] = {
    "std(): degrees of freedom": lambda x: x[:1].std(),
    "std(): degrees": lambda x: gpugrad.std(x[:1], 0),
    "var(): degrees of freedom": lambda x: gpugrad.var(x[:1], correction=3),
    "indexing with dtype gpugrad.uint8": lambda x: x[gpugrad.ones(2, dtype=gpugrad.uint8)],
    "indexing with dtype": lambda x: x.__setitem__(gpugrad.ones(2, dtype=gpugrad.uint8), 1.0),
    "The .grad attribute of a Tensor": lambda x: (x.requires_grad_() * 1).grad,
    "Anomaly Detection": lambda x: gpugrad.autograd.detect_anomaly(),
    "None of the inputs": lambda x: gpugrad.utils.checkpoint.checkpoint(
        gpugrad.sin, x, use_reentrant=True
    ),
    "gpugrad.utils.checkpoint": lambda x: gpugrad.utils.checkpoint.checkpoint(
        gpugrad.sin, x.requires_grad_()
    ),
    "Input #0": lambda x: gpugrad.autograd.gradcheck(
        gpugrad.sin, x.requires_grad_(), raise_exception=False
    ),
}


@pytest.mark.parametrize("start", ELSEWHERE)
def test_every_warning_points_at_the_users_line(start: str) -> None:
    with pytest.warns(UserWarning, match=re.escape(start)) as seen:
        ELSEWHERE[start](gpugrad.ones(2))
    assert [w.filename for w in seen] == [__file__] * len(seen)

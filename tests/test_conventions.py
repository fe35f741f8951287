"""Gradients at points without a derivative, by PyTorch's convention and by that of mathematics.

``python tests/test_conventions.py`` writes the table of CONVENTIONS.md, which is made of ROWS.
"""

from __future__ import annotations

import math
import threading
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import choice
import gpugrad
from comparison import pytorch
from gpugrad import autograd, conventions, func, testing
from gpugrad.graph import mode
from gpugrad.testing import assert_agree, flat
from samples import Sample

INF, NAN = math.inf, math.nan
PAGE = Path(__file__).parent.parent / "CONVENTIONS.md"


class Row(NamedTuple):
    """A program at a point, and the gradients of its inputs ``x`` and ``y`` by both conventions."""

    text: str  # with the library as ``torch``
    point: tuple[Any, ...]
    torch: tuple[Any, ...]
    math: tuple[Any, ...]
    reason: str  # what the number by "math" is: see CONVENTIONS.md
    order: int = 1
    always: bool = False  # whether it is the default as well

    def __call__(self, lib: Any, *inputs: Any) -> Any:
        names = dict(zip("xy", inputs, strict=False))
        return eval(self.text, {"torch": lib, "inf": INF}, names)

    def gradients(self, lib: Any, *inputs: Any) -> Any:
        """Return the gradients that the row is about."""
        total = self(lib, *inputs).sum()
        for _ in range(self.order - 1):
            grads = lib.autograd.grad(total, inputs, create_graph=True)
            total = sum(g.sum() for g in grads)
        for x in inputs:  # PyTorch's rule of det depends on whether this is recorded
            x.grad = None
        total.backward()
        return [x.grad for x in inputs]


ROWS = [
    Row("torch.where(x > 0, x.sqrt(), 0)", (-1.0,), (NAN,), (0.0,), "derivative"),
    Row("torch.where(x > 0, x.sqrt(), 0)", (0.0,), (NAN,), (0.0,), "choice"),
    Row("torch.where(x > 0, x.sqrt(), 0)", (0.0,), (NAN,), (0.0,), "choice", 2),
    Row("torch.where(x > 0, x.log(), 0)", (0.0,), (NAN,), (0.0,), "choice"),
    Row("torch.where(x > 0, x**0.5, 0)", (-1.0,), (NAN,), (0.0,), "derivative"),
    Row("torch.where(x < 100, x.exp(), 0)", (1000.0,), (NAN,), (0.0,), "derivative"),
    Row("torch.where(x == 0, 1, x.sin() / x)", (0.0,), (NAN,), (0.0,), "derivative"),
    Row("torch.where(x[:, 0] < inf, x.norm(dim=1), 0)", ([[INF, 1.0]],), ([[NAN, 0.0]],),
        ([[0.0, 0.0]],), "choice"),
    Row("torch.maximum(x.sqrt(), torch.ones_like(x))", (0.0,), (NAN,), (0.0,), "derivative"),
    Row("x.sqrt().clamp(min=0.1)", (0.0,), (NAN,), (0.0,), "derivative"),
    Row("x.log().relu()", (0.0,), (NAN,), (0.0,), "derivative"),
    Row("x.sqrt() * 0", (0.0,), (NAN,), (0.0,), "derivative"),
    Row("x.log().tanh()", (0.0,), (NAN,), (0.0,), "derivative"),
    Row("x * x.log()", (0.0,), (NAN,), (-INF,), "limit"),
    Row("(x * x).sqrt()", (0.0,), (NAN,), (0.0,), "subgradient"),
    Row("(x**2) ** 0.5", (0.0,), (NAN,), (0.0,), "subgradient"),
    Row("(x * x).sum().sqrt()", ([0.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],), "subgradient"),
    Row("x.sqrt() ** 2", (0.0,), (NAN,), (0.0,), "choice"),
    Row("x.log().exp()", (0.0,), (NAN,), (0.0,), "choice"),
    Row("torch.hypot(x, y)", (0.0, 0.0), (NAN, NAN), (0.0, 0.0), "subgradient"),
    Row("torch.hypot(x, y)", (0.0, 0.0), (NAN, NAN), (0.0, 0.0), "choice", 2),
    Row("x.norm()", ([0.0, 0.0],), ([0.0, 0.0],), ([0.0, 0.0],), "subgradient"),
    Row("x.norm()", ([0.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],), "choice", 2),
    Row("x.norm(0.5)", ([0.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],), "choice", 2),
    Row("x.norm(1.5)", ([0.0, 1.0],), ([NAN, 0.0],), ([0.0, 0.0],), "choice", 2),
    Row("torch.logaddexp(x, y)", (-INF, -INF), (NAN, NAN), (0.0, 0.0), "choice"),
    Row("torch.logaddexp(x, y)", (INF, INF), (NAN, NAN), (0.5, 0.5), "limit"),
    Row("torch.logaddexp2(x, y)", (-INF, -INF), (NAN, NAN), (0.0, 0.0), "choice"),
    Row("torch.logaddexp2(x, y)", (INF, INF), (NAN, NAN), (0.5, 0.5), "limit"),
    Row("x.logsumexp(0)", ([-INF, -INF],), ([NAN, NAN],), ([0.0, 0.0],), "choice"),
    Row("x.logsumexp(0)", ([-INF, -INF],), ([NAN, NAN],), ([0.0, 0.0],), "choice", 2),
    Row("x.logsumexp(0)", ([INF, 1.0],), ([NAN, 0.0],), ([1.0, 0.0],), "limit"),
    Row("x.logsumexp(0)", ([INF, INF],), ([NAN, NAN],), ([0.5, 0.5],), "limit"),
    Row("x.det()", ([[1.0, 2.0], [2.0, 4.0]],), ([[0.0, 0.0], [0.0, 0.0]],),
        ([[4.0, -2.0], [-2.0, 1.0]],), "derivative", always=True),
    Row("x.det()", ([[2.0, 0.0], [0.0, 0.0]],), ([[0.0, 0.0], [0.0, 0.0]],),
        ([[0.0, 0.0], [0.0, 2.0]],), "derivative", always=True),
]  # fmt: skip


def over(rows: list[Row]) -> pytest.MarkDecorator:
    """Parametrise a test over rows."""
    names = [f"{r.text}-{r.point}-{r.order}".replace(" ", "") for r in rows]
    return pytest.mark.parametrize("row", rows, ids=names)


EVERY_ROW = over(ROWS)


def leaves(lib: Any, row: Row, device: str = "cpu") -> list[Any]:
    """Return the point as tensors that require grad."""
    return [lib.tensor(v, dtype=lib.float64, device=device, requires_grad=True) for v in row.point]


def check(grads: Any, expected: Any) -> None:
    for grad, e in zip(grads, expected, strict=True):
        assert_agree(testing.as_numpy(grad), np.asarray(e), 1e-14, 0)


# --------------------------------------------------------------------------- the rows


@EVERY_ROW
def test_default_is_pytorchs_number(row: Row, device: str) -> None:
    expected = row.math if row.always else row.torch
    check(row.gradients(gpugrad, *leaves(gpugrad, row, device)), expected)


@EVERY_ROW
def test_pytorchs_number_is_pytorchs(row: Row) -> None:
    torch = pytorch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(row.gradients(torch, *leaves(torch, row)), row.torch)


@EVERY_ROW
def test_number_by_math(row: Row, device: str) -> None:
    inputs = leaves(gpugrad, row, device)
    with conventions("math"):
        check(row.gradients(gpugrad, *inputs), row.math)


def arrays(row: Row) -> list[Any]:
    return [np.asarray(v, np.float64) for v in row.point]


def value(row: Row, point: list[Any]) -> float:
    with np.errstate(all="ignore"):
        return float(row(gpugrad, *map(gpugrad.tensor, point)).sum())


@over([r for r in ROWS if r.reason == "derivative"])
def test_derivative_is_that_of_the_function(row: Row) -> None:
    step = 1e-6
    (point,), (expected,) = arrays(row), row.math
    for place in np.ndindex(point.shape):
        right, left = point.copy(), point.copy()
        right[place] += step
        left[place] -= step
        if math.isnan(value(row, [left])):
            left = point  # where the function begins
        slope = (value(row, [right]) - value(row, [left])) / (right[place] - left[place])
        # what the third derivative contributes, and from one side the second, is below the step
        assert slope == pytest.approx(np.asarray(expected)[place], abs=10 * step)


@over([r for r in ROWS if r.reason == "subgradient"])
def test_subgradient_lies_below_the_convex_function(row: Row) -> None:
    point = arrays(row)
    rng = np.random.default_rng(0)
    for _ in range(20):
        moves = [rng.normal(size=p.shape) for p in point]
        below = sum(float(np.sum(np.asarray(g) * m)) for g, m in zip(row.math, moves, strict=True))
        there = value(row, [p + m for p, m in zip(point, moves, strict=True)])
        assert there >= value(row, point) + below


@over([r for r in ROWS if r.reason == "limit"])
def test_limit_is_approached(row: Row) -> None:
    near = [np.where(np.isinf(p), np.sign(p) * 1e3, p + 1e-300) for p in arrays(row)]
    found = row.gradients(gpugrad, *[gpugrad.tensor(p).requires_grad_() for p in near])
    for grad, e in zip(found, row.math, strict=True):
        if np.isinf(e).any():
            assert grad.item() * np.sign(e) > 500  # a logarithm is slow
        else:
            assert_agree(grad.numpy(), np.asarray(e), 0, 1e-12)


@over([r for r in ROWS if r.reason == "choice"])
def test_choice_is_finite(row: Row) -> None:
    assert all(np.isfinite(e).all() for e in row.math)


@over([r for r in ROWS if r.order == 1])
def test_forward_mode_is_the_transpose(row: Row, device: str) -> None:
    inputs = [t.detach() for t in leaves(gpugrad, row, device)]
    for k, (x, expected) in enumerate(zip(inputs, row.math, strict=True)):
        for place in np.ndindex(tuple(x.shape)):
            tangents = [gpugrad.zeros_like(t) for t in inputs]
            tangents[k][place] = 1.0
            with conventions("math"):
                _, moved = func.jvp(lambda *x: row(gpugrad, *x).sum(), (*inputs,), (*tangents,))
            assert_agree(moved, np.asarray(expected)[place], 1e-14, 0)


# --------------------------------------------------------------------------- everywhere else


@choice.over(choice.by_rule(choice.DIFFERENTIABLE), cuda=[])
def test_conventions_agree_where_there_are_derivatives(
    op: str, sample: Sample, device: str
) -> None:
    """A rule that by "math" computes something else where nothing is singular."""
    found = []
    for name in ("torch", "math"):
        inputs = sample.tensors(device=device)
        wanted = [x for x in inputs if x.requires_grad]
        with conventions(name):
            outputs = [t for t in flat(sample.function(gpugrad, *inputs)) if t.requires_grad]
        first = autograd.grad(
            outputs, wanted, testing.random_like(outputs), create_graph=True, allow_unused=True,
            materialize_grads=True,
        )  # fmt: skip
        recorded = [g for g in first if g.requires_grad]
        second = autograd.grad(
            recorded, wanted, testing.random_like(recorded, 1), allow_unused=True,
            materialize_grads=True,
        ) if recorded else []  # fmt: skip
        found.append([*first, *second])
    assert len(found[0]) == len(found[1])
    for ours, theirs in zip(*found, strict=True):
        assert_agree(theirs, ours)


def test_what_a_zero_gradient_multiplies_still_has_a_derivative(device: str) -> None:
    # sin(x)**2 at 0: the gradient that reaches sin is 0, but the second derivative is 2
    x = gpugrad.tensor(0.0, device=device, requires_grad=True)
    with conventions("math"):
        y = x.sin() ** 2
    (first,) = autograd.grad(y, x, create_graph=True)
    (second,) = autograd.grad(first, x)
    assert (first.item(), second.item()) == (0, 2)


def test_hessian_beside_a_singular_point(device: str) -> None:
    def f(x: Any) -> Any:
        return gpugrad.where(x > 0, x.sqrt(), x * x).sum()

    x = gpugrad.tensor([-1.0, 0.0, 1.0], dtype=gpugrad.float64, device=device)
    expected = np.diag([2.0, 2.0, -0.25])

    assert not np.isfinite(func.hessian(f)(x).numpy(force=True)).all()
    with conventions("math"):
        forward_over_reverse = func.hessian(f)(x)
        reverse_over_reverse = autograd.functional.hessian(f, x)
    assert_agree(forward_over_reverse, expected)
    assert_agree(reverse_over_reverse, expected)


def test_order_of_the_factors_does_not_matter() -> None:
    # nan comes from the outer function here, and from the inner one there
    x = gpugrad.tensor(0.0, requires_grad=True)
    with conventions("math"):
        outer, inner = (x * x).sqrt(), x.sqrt() * 0
    assert autograd.grad(outer, x)[0] == 0
    assert autograd.grad(inner, x)[0] == 0


def test_written_in_place_follows_the_convention(device: str) -> None:
    x = gpugrad.tensor([-1.0, 0.0, 4.0], device=device, requires_grad=True)
    with conventions("math"):
        y = x * 1
        y.sqrt_()
        y[:2] = 0
    (grad,) = autograd.grad(y.sum(), x)
    assert grad.tolist() == [0, 0, 0.25]


# --------------------------------------------------------------------------- the context


def gradient_at_zero() -> float:
    """Return 0.0 by "math", and nan by "torch"."""
    x = gpugrad.tensor(0.0, requires_grad=True)
    return float(autograd.grad((x * x).sqrt(), x)[0])


def by_torch() -> bool:
    return math.isnan(gradient_at_zero())


def test_convention_is_bound_when_an_operation_is_called() -> None:
    x = gpugrad.tensor(0.0, requires_grad=True)
    outside = (x * x).sqrt()
    with conventions("math"):
        assert autograd.grad(outside, x)[0].isnan()
        inside = (x * x).sqrt()
    assert autograd.grad(inside, x)[0] == 0


def test_blocks_lie_within_each_other() -> None:
    once = conventions("math")
    with once:
        with conventions("torch"):
            assert by_torch()
            with once:
                assert not by_torch()
            assert by_torch()
        assert not by_torch()
    assert by_torch()
    assert mode.enabled is True  # plain operands take the functions generated for them


def test_an_error_ends_the_block() -> None:
    with pytest.raises(KeyError), conventions("math"):
        raise KeyError
    assert by_torch()


def test_decorates() -> None:
    assert conventions("math")(by_torch)() is False
    assert by_torch()


def test_each_thread_has_its_own() -> None:
    shared = conventions("math")
    found: list[bool] = []
    entered, done = threading.Event(), threading.Event()

    def other() -> None:
        found.append(by_torch())
        with conventions("torch"), shared:
            found.append(by_torch())
            entered.set()
            done.wait(10)
        found.append(by_torch())

    thread = threading.Thread(target=other)
    with shared:
        thread.start()
        entered.wait(10)
    assert by_torch()
    done.set()
    thread.join()
    assert found == [True, False, True]


def test_other_modes_go_together_with_it() -> None:
    kept: list[Any] = []

    def pack(t: Any) -> Any:
        kept.append(t)
        return t

    with conventions("math"):
        with autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            assert not by_torch()
        assert kept
        with gpugrad.no_grad():
            assert not gpugrad.ones(2, requires_grad=True).exp().requires_grad
        assert not by_torch()
        with gpugrad.no_grad(), gpugrad.enable_grad():
            assert not by_torch()
    with autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        with conventions("math"):
            assert not by_torch()
        assert by_torch()
    with gpugrad.no_grad():
        with conventions("math"):
            assert not gpugrad.is_grad_enabled()
        assert not gpugrad.is_grad_enabled()
    assert mode.enabled is True


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoint_computes_again_by_the_same_convention(reentrant: bool) -> None:
    x = gpugrad.tensor([0.0, 4.0], requires_grad=True)
    with conventions("math"):
        y = gpugrad.utils.checkpoint.checkpoint(
            lambda x: gpugrad.where(x > 0, x.sqrt(), 0.0), x, use_reentrant=reentrant
        )
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0.25]


def test_nodes_have_pytorchs_attributes() -> None:
    x, y = gpugrad.ones(2, requires_grad=True), gpugrad.ones(2, requires_grad=True)
    with conventions("math"):
        node: Any = (x * y).grad_fn
    assert node._saved_self is x
    assert node._saved_other is y
    assert node.name() == "MulBackward0"


@pytest.mark.parametrize("name", ["maths", "", None, True])
def test_another_name_is_an_error(name: Any) -> None:
    message = "argument 'name' must be 'torch' or 'math', but got " + repr(name)
    with pytest.raises(ValueError, match=message):
        conventions(name)


def test_logsumexp_of_nothing() -> None:
    x = gpugrad.zeros(0, 2, requires_grad=True)
    y = gpugrad.logsumexp(x, 0)
    assert y.tolist() == [-INF, -INF]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.shape == (0, 2)


def test_second_derivative_of_softplus_far_out(device: str) -> None:
    x = gpugrad.tensor([-100.0, 100.0], device=device, requires_grad=True)
    (first,) = autograd.grad(gpugrad.softplus(x).sum(), x, create_graph=True)
    (second,) = autograd.grad(first.sum(), x)
    assert second.tolist() == [pytest.approx(0, abs=1e-40), 0]


# --------------------------------------------------------------------------- the page


def table() -> str:
    """Return the rows as a table in Markdown."""
    lines = [["", "at", "PyTorch", '"math"', "which is"], ["---"] * 5]
    for row in ROWS:
        point = ", ".join(map(_text, row.point))
        derivative = "grad " * row.order
        lines.append([
            f"{derivative}`{row.text.replace('torch.', '')}`", point, _numbers(row.torch),
            _numbers(row.math), f"{row.reason}{', always' * row.always}",
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _numbers(grads: tuple[Any, ...]) -> str:
    return "; ".join(map(_text, grads))


def _text(number: Any) -> str:
    if isinstance(number, list):
        return f"[{', '.join(map(_text, number))}]"
    return f"{number:g}"


def page() -> str:
    """Return the page with the table made of the rows."""
    before, rest = PAGE.read_text(encoding="utf-8").split("<!-- conventions -->\n")
    _, after = rest.split("<!-- end of conventions -->")
    return f"{before}<!-- conventions -->\n{table()}\n<!-- end of conventions -->{after}"


@pytest.mark.sources
def test_the_page_has_these_rows() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/test_conventions.py"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

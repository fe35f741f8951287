"""Functions that ask for values: what stands between the questions is compiled."""

from __future__ import annotations

import contextlib
import copy
import math
import types
from typing import Any

import numpy as np
import pytest
from test_compile import same

import gpugrad
from gpugrad import nn
from gpugrad.compiler.function import Compiled


def parts_of(compiled: Any) -> list[Compiled]:
    """Return the compiled parts of a function, those of parts included."""
    made = getattr(compiled.divided, "forward", compiled.divided)
    made = getattr(made, "__func__", made)
    if not isinstance(made, types.FunctionType):
        return []
    cells = [cell.cell_contents for cell in made.__closure__ or ()]
    own = [c for c in cells if isinstance(c, Compiled) and c is not compiled]
    return [*own, *(part for c in own for part in parts_of(c))]


def counts(compiled: Any) -> list[int]:
    """Return how many programs each part has that is compiled."""
    return [part.count for part in parts_of(compiled) if part.divided is None]


def branch(x: Any) -> Any:
    y = (x * 2).sin()
    if y.sum() > 0:
        return y + 1
    return y - 1


def choice(x: Any) -> Any:
    return x * 2 if x.sum() > 0 else x * 3


def number_between(x: Any) -> Any:
    y = x * 2
    for _ in range(2):
        y = (y + 1).sin()
    limit = y.sum().item() > 0
    z = y * 2
    z += 1
    return z if limit else z.cos()


def several(x: Any) -> Any:
    y = (x * 2).sin()
    first = y.sum().item() > 0
    y = y + 1 if first else y - 1
    second = int((y * y).mean())
    z = (y * 3).exp()
    if (z > second).any():
        z = z + 5
    return z, first


def loop(x: Any) -> Any:
    total = x * 0
    for _ in range(4):
        x = (x * 0.5).sin()
        if x.sum() > 100:
            break
        total = total + x
        total.mul_(2)
    return total


def while_loop(x: Any) -> Any:
    count = 0
    while float((x * x).detach().sum()) > 1:
        x = x / 2 + 0
        count += 1
    return x, count


def unnamed_until_later(x: Any) -> Any:
    if x.sum() > 0:
        y = x * 2
    if x.sum() > 0:
        z = y + x
        y = z * 2
    else:
        y = x.exp()
    return y


def sizes(x: Any) -> Any:
    y = (x * 2).sin()
    positive = y[y > 0]
    return (positive * positive).sum()


def without_grad(x: Any) -> Any:
    y = (x * 3).sin()
    with gpugrad.no_grad():
        scale = (x * 2).abs()
        if scale.max() > 0:
            scale = scale / scale.max()
    return (y * scale).sum()


def with_functions(x: Any) -> Any:
    scale = (x * 0 + 2).sum()
    shift = 1.0

    def inner(y: Any, times: int = 2) -> Any:
        """Return what sees two variables that become others, and calls itself."""
        return (y * scale + shift).sin() if times == 0 else inner(y, times - 1)

    square: Any = lambda y: (y * y).sin() * shift  # noqa: E731
    y = inner(x) * 2 + square(x)
    if y.sum() > 0:
        shift = 3.0
    y = y + inner(x).exp()
    scale = (y * scale).mean()
    shift = shift + 1
    return inner(y) + square(y) + gpugrad.vmap(lambda v: v * scale + shift)(y)


def with_comprehensions(x: Any) -> Any:
    import math as mathematics

    ys = [(y * x).sin() for y in (x + k for k in range(3))]
    if (total := sum(y.sum() for y in ys)) > 0:
        ys = [y + total for y in ys]
    return sum(y * mathematics.pi for y in ys)


def guarded(x: Any) -> Any:
    y = z = x * 0
    try:
        y = (x * 2).sin()
        if y.sum() > 0:
            raise ValueError
        z = (y + 1).exp()
        z = z @ gpugrad.ones(5)
        z = z * 100
    except ValueError:
        w = y * 2 + 1
    except RuntimeError:
        w = y + z
    else:
        w = x
    with contextlib.suppress(RuntimeError):
        y = (w + y).cos()
        y = y @ gpugrad.ones(5)
    return (w * y + z).sin()


calls = 0


def with_variables_of_others() -> Any:
    seen = 0.0

    def f(x: Any) -> Any:
        global calls
        nonlocal seen
        y = (x * 2).sin() + seen
        seen = y.detach().sum().item()
        calls += 1
        z = (y * seen + calls).exp()
        seen = 0.5
        return z * seen

    return f


FUNCTIONS = [
    branch, choice, number_between, several, loop, while_loop, unnamed_until_later, sizes,
    without_grad, with_functions, with_comprehensions, guarded,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_divided_functions_give_what_the_functions_give(function: Any, requires_grad: bool) -> None:
    compiled = gpugrad.compile(function)
    for k in range(6):
        x = gpugrad.linspace(-1, 2, 6) * (-1) ** k
        a, b = (x.clone().requires_grad_(requires_grad) for _ in range(2))
        found, expected = compiled(a), function(b)
        many = isinstance(found, tuple)
        same(found[0] if many else found, expected[0] if many else expected)
        if many:
            assert found[1:] == expected[1:]
        if requires_grad:
            (found[0] if many else found).sum().backward()
            (expected[0] if many else expected).sum().backward()
            same(a.grad, b.grad)
    assert len(compiled.reasons) == 1
    assert counts(compiled)
    assert max(counts(compiled)) > 0


def test_each_side_of_a_question_is_one_program() -> None:
    compiled = gpugrad.compile(number_between)
    for _ in range(3):
        compiled(gpugrad.ones(3))
    assert sum(counts(compiled)) == len(counts(compiled)) == 2


def test_what_is_done_beside_computing_is_done_at_each_call() -> None:
    seen: list[Any] = []

    @gpugrad.compile
    def f(x: Any) -> Any:
        y = (x * 2).exp()
        seen.append(y.sum().item())
        y = y + 1
        seen.append("done")
        return y * 3

    for k in range(4):
        same(f(gpugrad.full((2,), float(k))), ((gpugrad.full((2,), 2.0 * k)).exp() + 1) * 3)
    assert len(seen) == 8
    assert len(set(seen)) == 5


def test_a_step_that_returns_the_loss_as_a_number() -> None:
    losses = []
    for way in (gpugrad.compile, lambda f: f):
        gpugrad.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        adam = gpugrad.optim.Adam(net.parameters(), lr=0.1)

        def step(x: Any, net: Any = net, adam: Any = adam) -> Any:
            adam.zero_grad()
            loss = (net(x) ** 2).mean()
            loss.backward()
            adam.step()
            return loss.item()

        function = way(step)
        x = gpugrad.randn(5, 3)
        losses.append([function(x) for _ in range(6)])
        if way is gpugrad.compile:
            assert counts(function) == [1]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


class Clipped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        y = self.inner(x).sin()
        if y.norm() > 1:
            y = y / y.norm()
        return y * 2


def test_a_module_that_asks() -> None:
    net = Clipped()
    compiled = gpugrad.compile(net)
    for k in range(4):
        x = gpugrad.randn(2, 3) * k
        same(compiled(x), net(x))
    assert sum(counts(compiled._call)) > 0


def test_variables_from_outside_and_defaults() -> None:
    scale = 2.0

    def f(x: Any, *rest: Any, more: Any = 1, **options: Any) -> Any:
        y = (x * scale).sin() + more
        if y.sum() > 0:
            y = y + rest[0]
        return (y * options.get("k", 1)).exp()

    compiled = gpugrad.compile(f)
    for k in range(3):
        scale = 2.0 + k
        same(compiled(gpugrad.ones(2), 3, k=2), f(gpugrad.ones(2), 3, k=2))
        same(compiled(gpugrad.ones(2), 3, more=5), f(gpugrad.ones(2), 3, more=5))


def test_a_function_that_raises_between() -> None:
    @gpugrad.compile
    def f(x: Any) -> Any:
        y = x.mul_(2)
        if y.sum() < 0:
            raise ValueError("negative")
        return (y + 1).exp()

    for _ in range(3):
        x = gpugrad.ones(2)
        same(f(x), gpugrad.full((2,), 3.0).exp())
        with pytest.raises(ValueError, match="negative"):
            f(-x)
        assert x.tolist() == [2, 2]


def test_functions_whose_variables_others_write_are_not_divided() -> None:
    @gpugrad.compile
    def f(x: Any) -> Any:
        scale = 1

        def inner(y: Any) -> Any:
            nonlocal scale
            scale = scale + 1
            return y * scale

        if x.sum() > 0:
            scale = 3
        return inner(x) * scale

    for _ in range(3):
        assert f(gpugrad.ones(1)).item() == 16
        assert f(-gpugrad.ones(1)).item() == -4
    assert f.divided is None


def test_variables_that_are_not_the_functions_own() -> None:
    """They are read by parts, and written by Python."""
    global calls
    plain = with_variables_of_others()
    compiled = gpugrad.compile(with_variables_of_others())
    for k in range(5):
        x = gpugrad.linspace(-1, 1, 3) * k
        calls = k
        expected = plain(x)
        assert calls == k + 1
        calls = k
        same(compiled(x), expected)
        assert calls == k + 1
    assert max(counts(compiled)) > 0


def test_a_function_among_the_arguments_is_known_by_what_it_sees() -> None:
    f = gpugrad.compile(lambda x, g: g(x).sin())

    def scaled(by: Any) -> Any:
        return lambda x: x * by

    for k in range(12):
        y = gpugrad.full((2,), float(k))
        same(f(gpugrad.ones(2), scaled(y)), y.sin())
        same(f(gpugrad.ones(2), scaled(k % 2)), gpugrad.full((2,), k % 2).sin())
    assert f.count == 3


def test_the_other_statements_keep_their_order() -> None:
    order: list[Any] = []

    def noted(x: Any) -> Any:
        order.append(x.sum().item())
        return x

    @gpugrad.compile
    def f(x: Any) -> Any:
        y = x + 1
        with contextlib.suppress(ValueError):
            noted(y)
            y = y * 2
        noted(y)
        return y + 1

    for _ in range(3):
        assert f(gpugrad.ones(1)).item() == 5
    assert order == [2, 4] * 3


def test_the_calls_of_a_module_are_compiled_in_place() -> None:
    net = Clipped()
    x = gpugrad.randn(2, 3)
    expected = net(x)
    state = net.state_dict()
    net.compile(fullgraph=False)
    for _ in range(3):
        same(net(x), expected)
    compiled: Any = net._compiled_call_impl
    assert sum(counts(compiled)) > 0
    assert list(net.state_dict()) == list(state)
    assert copy.deepcopy(net)._compiled_call_impl is None
    net.register_forward_hook(lambda module, args, result: result * 0)
    assert (net(x) == 0).all()


def test_the_backend_that_records_nothing() -> None:
    for backend in "eager", "inductor":
        compiled = gpugrad.compile(lambda x: x * 2, backend=backend)
        for _ in range(3):
            same(compiled(gpugrad.ones(2)), gpugrad.full((2,), 2.0))
        assert (compiled.program is None) is (backend == "eager")


def test_a_default_backend() -> None:
    gpugrad.compiler.set_default_backend("eager")
    try:
        assert gpugrad.compiler.get_default_backend() == "eager"
        assert gpugrad.compile(branch).runs_as_it_is
    finally:
        gpugrad.compiler.set_default_backend(None)
    assert gpugrad.compiler.get_default_backend() == "inductor"


def test_options_that_there_are_not() -> None:
    with pytest.raises(RuntimeError, match=r"Invalid backend: 'nope', see "):
        gpugrad.compile(branch, backend="nope")
    with pytest.raises(
        RuntimeError, match=r"Unrecognized mode=nope, should be one of: default, li"
    ):
        gpugrad.compile(branch, mode="nope")
    with pytest.raises(RuntimeError, match=r"^Either mode or options can be specified, but both"):
        gpugrad.compile(branch, mode="default", options={})
    assert gpugrad.compiler.list_backends() == ["cudagraphs", "inductor"]


def test_a_limit_of_programs() -> None:
    compiled = gpugrad.compile(lambda x: x * 2, recompile_limit=2)
    for k in range(2):
        compiled(gpugrad.ones(k + 1))
    with pytest.warns(UserWarning, match="recorded 2 times"):
        compiled(gpugrad.ones(5))


def scaled(x: Any) -> Any:
    s = x.detach().abs().sum().item()
    y = (x * s + s) / (s - x * x)
    return s * y - s / (y + 3)


@pytest.mark.parametrize("kind", [gpugrad.float32, gpugrad.float64])
@pytest.mark.parametrize("shape", [(4,), ()])
def test_numbers_that_were_asked_for_are_given_anew(kind: Any, shape: Any) -> None:
    compiled = gpugrad.compile(scaled)
    for k in range(2, 7):
        first = gpugrad.full(shape, k / 4, dtype=kind, requires_grad=True)
        second = first.detach().clone().requires_grad_()
        pair = []
        for function, x in ((compiled, first), (scaled, second)):
            out = function(x)
            (g,) = gpugrad.autograd.grad(out.sum(), x, create_graph=True)
            pair.append((out, g, gpugrad.autograd.grad(g.sum(), x)[0]))
        for a, b in zip(*pair, strict=True):
            same(a, b)
    assert counts(compiled)[-1] == 1


def whole_numbers(x: Any) -> Any:
    s = x.sum().item() / 2
    return (x.int() * s).sin() + gpugrad.arange(4) / s


def numbers_alone(x: Any) -> Any:
    s = x.sum().item()
    t = s * 2 + 1
    return x.exp() * t + x / s


def arrays(x: Any) -> Any:
    s = x.sum().item()
    a = np.ones(4, np.float32) * s
    return x.exp() * gpugrad.from_numpy(a) + s


def powers(x: Any) -> Any:
    s = x.sum().item()
    return x.exp() ** s + math.sqrt(s)


def half(x: Any) -> Any:
    s = x.sum().item()
    return x.half() * s + 1


@pytest.mark.parametrize("function", [whole_numbers, numbers_alone, arrays, powers, half])
def test_numbers_with_which_more_is_done(function: Any) -> None:
    compiled = gpugrad.compile(function)
    for k in range(6):
        x = gpugrad.tensor([1.0, 2.0, 3.0, 4.0 + k]) / 8
        a, b = compiled(x), function(x)
        assert a.dtype == b.dtype
        same(a.float(), b.float())


def views(x: Any) -> Any:
    y = x * 2
    v = y[0]
    if x.sum() > -100:
        v.add_(1)
    return y * 3


def names(x: Any) -> Any:
    y = x * 2
    z = y
    if x.sum() > -100:
        z += 1
    return y * 3


def detached(x: Any) -> Any:
    y = x.clone()
    v = y.view(-1)
    w = y.detach()
    if x.sum() > -100:
        w.mul_(2)
    return y.sum() + v.sum()


@pytest.mark.parametrize("function", [views, names, detached])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_variables_in_one_memory(function: Any, requires_grad: bool) -> None:
    compiled = gpugrad.compile(function)
    for k in range(1, 5):
        x = gpugrad.full((2, 2), float(k), requires_grad=requires_grad)
        same(compiled(x), function(x))


def test_stances() -> None:
    f = gpugrad.compile(lambda x: x * 2)
    two, three = gpugrad.ones(2), gpugrad.ones(3)
    f(two)
    stance = gpugrad.compiler.set_stance
    try:
        stance("eager_on_recompile")  # not only in a block
        same(f(three), three * 2)
        assert f.count == 1
        with stance("fail_on_recompile"):
            same(f(two), two * 2)
            with pytest.raises(RuntimeError, match="Detected recompile"):
                f(three)
        same(f(three), three * 2)
        assert f.count == 1
    finally:
        stance("default")
    same(stance("force_eager")(f)(three), three * 2)
    assert f.count == 1
    f(three)
    assert f.count == 2
    with pytest.raises(RuntimeError, match="invalid stance"):
        stance("upright")

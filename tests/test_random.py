"""Random numbers: what is drawn, by whom, and how it is refused."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import agree_on
from gpugrad.func import vmap
from gpugrad.testing import assert_agree

t: Any = gpugrad
O = "torch.ones(3)"  # noqa: E741
P = "torch.full((3,), 0.5)"
WHOLE = "torch.ones(3, dtype=torch.int64)"
PLANE = "torch.ones(3, dtype=torch.complex64)"
LEAF = "torch.ones(3, requires_grad=True)"


# --------------------------------------------------------------------------- types, shapes, errors

# What is compared with PyTorch: the type and the shape of each, or the error.
CALLS = [
    *(f"torch.normal({a})" for a in (
        f"{O}, {O}", f"0., {O}", f"{O}, 2.", "0., 1., (2, 3)", f"{O}, -{O}", f"{O}, -1.",
        "0., -1., (2,)", f"torch.ones(3, 1), {O}", f"{O}, torch.ones(2)", f"{WHOLE}, {O}",
        f"{O}.double(), {O}", f"{O}, {PLANE}", f"{PLANE}, {O}", f"{LEAF}, {O}", f"0., {LEAF}",
        "0., 1., (2,), dtype=torch.int64", "0., 1., (2,), requires_grad=True",
    )),
    *(f"torch.bernoulli({a})" for a in (
        P, f"{P} * 4", f"-{O}", WHOLE, PLANE, f"{O}, 0.3", f"{WHOLE}, 0.3", f"{O}, 1.3", LEAF,
        f"{O} * float('nan')",
    )),
    *(f"{x}.bernoulli_({p})" for x, p in (
        (O, ""), (O, 2), (WHOLE, P), (O, "torch.ones(2)"), (O, "torch.ones(1)"), (O, WHOLE),
        (f"{O}.bool()", 0.5), (PLANE, 0.5), (f"({LEAF} * 1)", 0.5), (LEAF, 0.5),
    )),
    *(f"torch.poisson({a})" for a in (O, f"-{O}", WHOLE, LEAF, f"{O}.half()")),
    *(f"torch.binomial({a})" for a in (
        f"{O} * 4, {P}", f"-{O}, {P}", f"{O}, {O} * 5", f"{WHOLE}, {O}", f"{O}, torch.ones(2)",
        f"{O}, {O}.double()", f"{LEAF}, {P}", f"torch.ones(2, 1), {P}", f"{O}.half(), {P}.half()",
    )),
    *(f"torch.multinomial({a})" for a in (
        f"{O}, 2", "torch.ones(2, 3), 2", f"{O}, 4", f"{O}, 4, True", f"-{O}, 2", f"{O} * 0, 1",
        "torch.ones(2, 2, 3), 2", "torch.tensor(1.), 1", f"{O}, 0", f"{WHOLE}, 1",
        f"{O} / 0, 1", "torch.ones(0, 3), 1", f"{O}.half(), 1",
    )),
    *(f"torch.randperm({a})" for a in (
        "5", "0", "-1", "5, dtype=torch.float32", "5, dtype=torch.complex64", "2.5",
        "300, dtype=torch.uint8", "3000, dtype=torch.float16", "5, dtype=torch.bool",
        "5, requires_grad=True",
    )),
    *(f"torch.randint({a})" for a in (
        "5, (2,)", "2, 5, (2,)", "5, 2, (2,)", "5, (2,), dtype=torch.uint8",
        "500, (2,), dtype=torch.uint8", "-5, 5, (2,), dtype=torch.uint8",
        "5, (2,), dtype=torch.bool", "5, (2,), dtype=torch.complex64", "5, 3",
        "2.5, (2,)", "2**40, (2,)", "3, (-2,)",
    )),
    *(f"{x}.{call}" for call in (
        "uniform_(2, 5)", "normal_(1, 2)", "exponential_(2)", "cauchy_(1, 2)", "log_normal_(1, 2)",
        "geometric_(0.5)", "random_()", "random_(5)", "random_(2, 5)", "random_(200, 300)",
    ) for x in (
        O, WHOLE, PLANE, f"{O}.bool()", f"{O}.byte()", f"{O}.half()", f"({LEAF} * 1)", LEAF,
        "torch.ones(1).expand(3)",
    )),
    *(f"{O}.{call}" for call in (
        "uniform_(2, 1)", "uniform_(0, float('inf'))", "uniform_(-3e38, 3e38)", "uniform_('a')",
        "normal_(0, -1)", "exponential_(0)", "cauchy_(0, 0)", "log_normal_(0, 0)", "geometric_(1)",
        "random_(5, 2)", "random_(0)", "uniform_(generator=3)",
    )),
    *(f"torch.{name}(torch.ones(3, 2), {p}, True)" for p in (0.5, 2, 0, 1)
      for name in ("dropout", "feature_dropout", "alpha_dropout")),
    f"torch.dropout({WHOLE}, 0.5, True)", f"torch.dropout({LEAF}, 0.5, False)",
    f"torch.dropout_({LEAF} * 1, 0.5, True)", "torch.feature_dropout(torch.ones(3), 0.5, True)",
    *(f"torch.Generator().{call}" for call in (
        "manual_seed('a')", "manual_seed(2**64)", "manual_seed(-1).initial_seed()",
        "initial_seed()", "set_state(3)", "set_state(torch.ones(3))",
    )),
    "torch.manual_seed('a')",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_types_shapes_and_errors_are_pytorchs(call: str, device: str) -> None:
    if device == "cuda" and "torch.Generator" in call:
        return
    program = f"torch.manual_seed(0)\ny = {call}\nnumbers = isinstance(y, int)\n"
    seen = "(y.shape, str(y.dtype).split('.')[1], y.requires_grad, y.grad_fn and y.grad_fn.name())"
    agree_on(f"{program}y if numbers else {seen}", device)


LIKE = "torch.ones(2, 3, 4, 5).permute(3, 0, 2, 1)"


@pytest.mark.parametrize("function", ["rand_like", "randn_like", "randint_like"])
@pytest.mark.parametrize("form", ["preserve_format", "contiguous_format", "channels_last"])
def test_numbers_lie_in_memory_as_in_pytorch(function: str, form: str, device: str) -> None:
    high = ", 5" if function == "randint_like" else ""
    agree_on(f"torch.{function}({LIKE}{high}, memory_format=torch.{form}).stride()", device)
    seen = agree_on(f"torch.{function}({LIKE}{high}, layout=torch.strided).shape", device)
    assert seen == [5, 2, 4, 3]


# --------------------------------------------------------------------------- distributions

COUNT = 20_000


def of(kind: Any, write: Callable[[Any], Any]) -> Callable[[str], Any]:
    return lambda device: write(t.empty(COUNT, dtype=kind, device=device))


def rates(value: float) -> Callable[[str], Any]:
    return lambda device: t.full((COUNT,), value, device=device)


def angles(x: Any) -> Any:
    return t.atan2(x, t.ones_like(x)) / math.pi


WEIGHTS = t.tensor([1.0, 0.0, 3.0])
DRAWN: dict[str, tuple[Callable[[str], Any], float, float]] = {  # with its mean and variance
    "uniform": (of(t.float32, lambda x: x.uniform_(2, 5)), 3.5, 0.75),
    "uniform of half": (of(t.float16, lambda x: x.uniform_()), 0.5, 1 / 12),
    "normal": (of(t.float64, lambda x: x.normal_(1, 2)), 1, 4),
    "normal of two": (lambda d: t.normal(rates(1.0)(d), rates(2.0)(d)), 1, 4),
    "logarithm": (of(t.float64, lambda x: x.log_normal_(1, 2).log()), 1, 4),
    "exponential": (of(t.float32, lambda x: x.exponential_(0.5)), 2, 4),
    "angle": (of(t.float64, lambda x: angles((x.cauchy_(1, 2) - 1) / 2)), 0, 1 / 12),
    "geometric": (of(t.int64, lambda x: x.geometric_(0.25)), 4, 12),
    "integers": (of(t.int32, lambda x: x.random_(-3, 7)), 1.5, 99 / 12),
    "bernoulli": (of(t.float32, lambda x: x.bernoulli_(0.3)), 0.3, 0.21),
    "bernoulli of each": (lambda d: rates(0.3)(d).bernoulli(), 0.3, 0.21),
    "a few": (lambda d: t.poisson(rates(0.7)(d)), 0.7, 0.7),
    "many": (lambda d: t.poisson(rates(40.0)(d)), 40, 40),
    "few successes": (lambda d: t.binomial(rates(20.0)(d), rates(0.1)(d)), 2, 1.8),
    "many successes": (lambda d: t.binomial(rates(100.0)(d), rates(0.7)(d)), 70, 21),
    "chosen": (lambda d: t.multinomial(WEIGHTS.to(d), COUNT, True), 1.5, 0.75),
    "dropout": (lambda d: t.dropout(rates(1.0)(d), 0.25, True), 1, 1 / 3),
    "alpha dropout": (lambda d: t.alpha_dropout(t.randn(COUNT, device=d), 0.25, True), 0, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_numbers_have_the_mean_and_the_variance_of_their_distribution(
    name: str, device: str
) -> None:
    t.manual_seed(3)
    draw, mean, variance = DRAWN[name]
    found = draw(device)
    assert found.device.type == device
    numbers = found.double().numpy(force=True)
    kurtosis = np.mean((numbers - numbers.mean()) ** 4) / numbers.var() ** 2
    assert abs(numbers.mean() - mean) < 5 * (variance / COUNT) ** 0.5
    assert abs(numbers.var() - variance) < 5 * variance * ((kurtosis - 1) / COUNT) ** 0.5


def test_what_is_drawn_without_replacement_is_there_once(device: str) -> None:
    t.manual_seed(0)
    order = t.randperm(1000, device=device)
    assert sorted(order.tolist()) == list(range(1000)) != order.tolist()
    weights = t.tensor([[1.0, 0.0, 2.0, 1.0]] * 100, device=device)
    found = t.multinomial(weights, 3)
    assert all(sorted(row) == [0, 2, 3] for row in found.tolist())
    first = np.asarray(t.multinomial(weights.repeat(50, 1), 1).tolist())
    assert (first == 2).mean() == pytest.approx(0.5, abs=0.05)


def test_bounds_are_kept(device: str) -> None:
    t.manual_seed(0)
    high = np.nextafter(np.float32(1), np.float32(2))
    drawn = t.empty(1000, device=device).uniform_(1, float(high))
    assert set(drawn.tolist()) == {1.0}
    small = t.rand(20_000, dtype=t.float16, device=device)
    assert 0 <= small.min().item() <= small.max().item() < 1
    assert {*t.empty(1000, dtype=t.bool, device=device).random_().tolist()} == {True, False}
    bytes_ = t.empty(20_000, dtype=t.uint8, device=device).random_()
    assert {*bytes_.tolist()} == set(range(256))
    whole = t.empty(1000, dtype=t.int64, device=device).random_(-(2**63), 2**63 - 1)
    assert whole.min().item() < -(2**62) < 2**62 < whole.max().item()


# --------------------------------------------------------------------------- gradients


def test_gradients_are_zero_where_numbers_were_drawn(device: str) -> None:
    for write in (
        lambda x: x.uniform_(), lambda x: x.bernoulli_(), lambda x: x.random_(5),
        t.poisson, lambda x: t.normal(x, 1.0), t.bernoulli,
    ):  # fmt: skip
        x = t.full((3,), 0.5, device=device, requires_grad=True)
        y = x * 1
        (write(y) + 2 * x).sum().backward()
        assert_agree(x.grad, np.full(3, 2, np.float32))


def test_dropout_has_the_gradient_of_what_remained(device: str) -> None:
    drop: Any
    for drop in t.dropout, t.alpha_dropout, lambda x, p, train: t.dropout_(x * 1, p, train):
        t.manual_seed(0)
        x = t.randn(100, device=device, requires_grad=True)
        y = drop(x, 0.5, True)
        y.sum().backward()
        kept = x.grad != 0
        assert 20 < kept.sum().item() < 80
        if drop is t.dropout:
            assert_agree(y, x.detach() * x.grad)
    features = t.feature_dropout(t.ones(50, 4, 3, device=device), 0.5, True)
    assert {*features.sum(-1).unique().tolist()} == {0.0, 6.0}


def test_a_binomial_has_no_derivative(device: str) -> None:
    x = t.full((3,), 4.0, device=device, requires_grad=True)
    y = t.binomial(x, t.full((3,), 0.5, device=device))
    with pytest.raises(RuntimeError, match="derivative for aten::binomial is not implemented"):
        y.sum().backward()


# --------------------------------------------------------------------------- generators


def test_a_state_that_was_read_gives_the_same_numbers_again(device: str) -> None:
    generator = t.Generator(device)
    generator.manual_seed(5)
    t.rand(3, generator=generator, device=device)
    state, other = generator.get_state(), generator.clone_state()
    copies = other, copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))

    def draw(g: Any) -> list[Any]:
        return [
            t.randn(3, generator=g, device=device).tolist(),
            t.randint(100, (5,), generator=g, device=device).tolist(),
            t.poisson(t.full((4,), 30.0, device=device), generator=g).tolist(),
        ]

    first = draw(generator)
    assert draw(generator) != first
    generator.manual_seed(9)
    generator.set_state(state)
    assert generator.initial_seed() == 5
    assert [draw(g) for g in (generator, *copies)] == [first] * 4
    with pytest.raises(RuntimeError, match="but found the input RNG state size to be 3"):
        generator.set_state(state[:3])
    assert draw(generator) != first


def test_a_generator_of_a_gpu_counts_what_it_draws(device: str) -> None:
    generator = t.Generator(device).manual_seed(3)
    if device == "cpu":
        for call in generator.get_offset, lambda: generator.set_offset(4):
            with pytest.raises(RuntimeError, match="CPU Generator does not use offset"):
                call()
        return
    whole = t.rand(10, generator=generator, device=device).tolist()
    assert generator.get_offset() == 10
    generator.set_offset(4)
    assert t.rand(6, generator=generator, device=device).tolist() == whole[4:]


def test_generators_stand_where_they_did_after_a_fork(device: str) -> None:
    t.manual_seed(1)
    t.rand(1, device=device)
    with t.random.fork_rng():
        inside = t.rand(3, device=device).tolist()
    assert t.rand(3, device=device).tolist() == inside
    with t.random.fork_rng(enabled=False):
        inside = t.rand(3, device=device).tolist()
    assert t.rand(3, device=device).tolist() != inside
    state = t.get_rng_state() if device == "cpu" else t.cuda.get_rng_state()
    expected = t.rand(3, device=device).tolist()
    (t.set_rng_state if device == "cpu" else t.cuda.set_rng_state)(state)
    assert t.rand(3, device=device).tolist() == expected
    assert t.seed() == t.initial_seed()


# --------------------------------------------------------------------------- vmap

DRAWS: dict[str, Callable[[Any], Any]] = {
    "normal": lambda x: t.normal(x, 1.0),
    "bernoulli": lambda x: t.bernoulli(x),
    "poisson": lambda x: t.poisson(x * 50),
    "binomial": lambda x: t.binomial(x * 100, x),
    "multinomial": lambda x: t.multinomial(x, 40, True),
    "dropout": lambda x: t.dropout(x, 0.5, True),
    "uniform": lambda x: x.clone().uniform_(),
    "permutation": lambda x: t.randperm(50, device=x.device),
}


@pytest.mark.parametrize("name", DRAWS)
def test_examples_of_vmap_have_numbers_of_their_own_or_the_same(name: str, device: str) -> None:
    t.manual_seed(0)
    x = t.full((2, 40), 0.5, device=device)
    draw = DRAWS[name]
    with pytest.raises(RuntimeError, match="randomness error mode"):
        vmap(draw)(x)
    first, second = vmap(draw, randomness="different")(x)
    assert first.tolist() != second.tolist()
    if name in ("normal", "dropout", "uniform", "permutation"):
        first, second = vmap(draw, randomness="same")(x)
        assert first.tolist() == second.tolist()
    else:
        with pytest.raises(RuntimeError, match="does not currently support same randomness"):
            vmap(draw, randomness="same")(x)
    shared = t.full((40,), 0.5, device=device)
    if name != "uniform":
        for randomness in "same", "different":
            first, second = vmap(lambda _: draw(shared * 1), randomness=randomness)(x)
            assert (first.tolist() == second.tolist()) is (randomness == "same")
    with pytest.raises(RuntimeError, match="Cannot ask for different inplace randomness"):
        vmap(lambda _: shared.uniform_(), randomness="different")(x)

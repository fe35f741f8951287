"""Programs are run for the calls that they are for: compiled functions give what eager ones give.

Each case is a function of a way, which is ``compile`` or nothing, and returns what it has seen.
"""

from __future__ import annotations

import contextvars
import dataclasses
import functools
import itertools
import os
import random
import threading
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from gpugrad import autograd, func, nn, optim
from gpugrad.testing import assert_agree
from gpugrad.utils.checkpoint import checkpoint

F = nn.functional
CASES: dict[str, Callable[[Any], Any]] = {}


def case(program: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[program.__name__] = program
    return program


def drawn(*shape: int, seed: int = 0, **options: Any) -> Any:
    values = np.random.default_rng(seed).standard_normal(shape)
    return gpugrad.tensor(values.astype(np.float32), **options)


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, gpugrad.Tensor):
        assert found.requires_grad == expected.requires_grad
        assert_agree(found.detach(), expected.detach(), 2e-5, 1e-5)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    else:
        assert found == expected


# ------------------------------------------------------------------------- memory and histories


@case
def views_with_a_history_are_arguments(way: Any) -> Any:
    f = way(lambda x: (x * 2, x.sum(0)))
    found = []
    for seed in range(3):
        base = drawn(1, 3, seed=seed, requires_grad=True)
        middle = base * 2
        for x in (base.expand(4, 3), middle[0], base[:, 1:]):
            a, b = f(x)
            (a.sum() + (b**2).sum()).backward(retain_graph=True)
        found.append(base.grad)
    return found


@case
def arguments_begin_to_overlap(way: Any) -> Any:
    def f(x: Any, y: Any) -> Any:
        z = x * 2
        x.add_(1)
        return z + y

    f, found = way(f), []
    for seed, (low, high) in enumerate([(3, 6), (1, 4), (0, 3), (3, 6), (2, 5)]):
        memory = drawn(6, seed=seed)
        found += [f(memory[:3], memory[low:high]), memory]
        x, y = drawn(3, seed=seed), drawn(3, seed=seed + 1)
        found += [f(x, y), x, y]
    return found


@case
def an_argument_lies_in_captured_memory(way: Any) -> Any:
    memory = drawn(6)
    part = memory[2:5]

    def f(x: Any) -> Any:
        x.add_(1)
        return part * 2

    f, found = way(f), []
    for x in (memory[:3], memory[:3], drawn(3), memory[3:], drawn(3)):
        found += [f(x), memory.clone()]
    return found


@case
def the_same_tensor_is_given_twice_or_not(way: Any) -> Any:
    def f(x: Any, y: Any) -> Any:
        z = x * y
        with gpugrad.no_grad():
            x.add_(1)
        return z

    f, found = way(f), []
    for twice in (True, False, True, False):
        x, y = drawn(3), drawn(3, seed=1)
        found += [f(x, x if twice else y), x]
    return found


@case
def writes_are_counted_where_they_are(way: Any) -> Any:
    def f(x: Any) -> Any:
        x[1:].mul_(2)
        x.t().add_(1)
        return x.sum()

    f, found = way(f), []
    for seed in range(3):
        base = drawn(4, 3, seed=seed)
        x = base[1:]
        found += [f(x), base, x._version, base._version]
    return found


@case
def elements_lie_backwards(way: Any) -> Any:
    f = way(lambda x: (x * 2, x[1:], x.sum()))
    return [f(gpugrad.as_tensor((np.arange(4.0) + k)[::-1])) for k in range(3)]


@case
def what_requires_grad_changes(way: Any) -> Any:
    f, found = way(lambda x, y: x * y), []
    for a, b in [(0, 0), (1, 0), (0, 1), (1, 1), (0, 0), (1, 0)]:
        x, y = drawn(3).requires_grad_(bool(a)), drawn(3, seed=1).requires_grad_(bool(b))
        found.append(f(x, y))
    return found


@case
def gradients_are_retained_inside(way: Any) -> Any:
    def f(x: Any) -> Any:
        y = x * 2
        y.retain_grad()
        return y, (y * y).sum()

    f, found = way(f), []
    for seed in range(2):
        y, total = f(drawn(3, seed=seed, requires_grad=True))
        total.backward()
        found.append(y.grad)
    return found


# ------------------------------------------------------------------------- what is found by name


class Scaled:
    factor = 1.0
    added = 1.0

    def __init__(self) -> None:
        self.own = 2.0

    @property
    def half(self) -> float:
        return self.factor / 2

    def bias(self) -> float:
        return self.added

    def __call__(self, x: Any) -> Any:
        return x * self.own * self.half + self.bias()


@case
def attributes_of_objects_and_classes_change(way: Any) -> Any:
    class Own(Scaled):
        pass

    scaled: Any = Own()
    f = way(lambda x: scaled(x))
    found = [f(drawn(3)), f(drawn(3))]
    scaled.own = 3.0
    found.append(f(drawn(3)))
    Own.factor = 4.0
    found.append(f(drawn(3)))
    scaled.factor = 5.0
    found.append(f(drawn(3)))
    Own.bias = lambda self: 7.0  # type: ignore[method-assign]
    return [*found, f(drawn(3))]


@case
def functions_change(way: Any) -> Any:
    def inner(x: Any, scale: float = 1.0, box: Any = [1.0], *, more: float = 0.0) -> Any:  # noqa: B006  it is changed
        return x * scale * box[0] + more

    def other(x: Any, scale: float = 1.0, box: Any = (), *, more: float = 0.0) -> Any:
        return x * scale + 9

    f = way(lambda x: inner(x))
    found = [f(drawn(3)), f(drawn(3))]
    inner.__defaults__[1][0] = 5.0  # type: ignore[index]
    found.append(f(drawn(3)))
    inner.__defaults__ = (3.0, [1.0])
    found.append(f(drawn(3)))
    inner.__kwdefaults__["more"] = 2.0  # type: ignore[index]
    found.append(f(drawn(3)))
    inner.__code__ = other.__code__
    return [*found, f(drawn(3))]


@case
def hooks_come_and_go(way: Any) -> Any:
    net = nn.Linear(3, 3)
    f = way(net)
    found = [f(drawn(2, 3)), f(drawn(2, 3))]
    hook = net.register_forward_hook(lambda module, args, out: out + 5)
    found.append(f(drawn(2, 3)))
    hook.remove()
    found.append(f(drawn(2, 3)))
    net.register_full_backward_hook(lambda module, gi, go: (gi[0] * 2,))
    x = drawn(2, 3, requires_grad=True)
    f(x).sum().backward()
    return [*found, x.grad]


@case
def what_captured_tensors_are_like_changes(way: Any) -> Any:
    p = drawn(3)
    asked: list[Callable[[Any], Any]] = [
        lambda x: x * p.shape[0],
        lambda x: x * p.numel(),
        lambda x: x * len(p),
        lambda x: x * p.stride()[0],
        lambda x: x.to(p.dtype),
        lambda x: x.sum() + gpugrad.zeros_like(p),
        lambda x: x.sum() + p.new_ones(p.shape),
        lambda x: x * (2 if p.requires_grad else 3),
        lambda x: x * (2 if p.is_leaf else 3),
        lambda x: x * (2 if p.grad_fn is None else 3),
        lambda x: x * (2 if p.is_contiguous() else 3),
        lambda x: x * (2 if p.grad is None else p.grad.ndim),
    ]
    all_of_them = [way(f) for f in asked]

    def found() -> Any:
        return [[str(y.dtype), y] for y in [f(drawn(2)) for f in all_of_them]]

    seen = [found()]
    p.resize_(5)
    p.zero_()
    seen.append(found())
    p.data = drawn(4, 2)
    seen.append(found())
    p.data = drawn(2, 4).T
    seen.append(found())
    p.data = drawn(4).double()
    seen.append(found())
    p.requires_grad_()
    p.grad = gpugrad.ones(4, dtype=gpugrad.float64)
    seen.append(found())
    with gpugrad.no_grad():
        p.requires_grad_(False)
    p.mul_(drawn(4, requires_grad=True))
    return [*seen, found()]


@case
def generators_are_asked(way: Any) -> Any:
    other, found = gpugrad.Generator(), []
    asked: list[Callable[[], Any]] = [
        gpugrad.initial_seed, other.initial_seed, gpugrad.get_rng_state, other.get_state,
    ]  # fmt: skip
    all_of_them = [way(f) for f in asked]
    for seed in range(3):
        gpugrad.manual_seed(seed)
        other.manual_seed(seed)
        found += [f() for f in all_of_them]
    return found


@case
def programs_raise_midway(way: Any) -> Any:
    p = gpugrad.ones(20000, requires_grad=True)

    def f(i: Any) -> None:
        loss = (p * 2)[i].sum()
        p.grad = None
        loss.backward()

    f, found = way(f), []
    for shared in (False, True):
        for k in range(2):
            f(gpugrad.tensor([k, 3]))
            assert p.grad is not None
            p.grad.mul_(3)
            held = p.grad.detach() if shared else None
            with pytest.raises(IndexError):
                f(gpugrad.tensor([0, 100000]))
            found += [p.grad.clone(), held]
    return found


def test_writes_of_programs_that_raise_are_noted() -> None:
    def f(x: Any, i: Any) -> Any:
        x.add_(1)
        return x[i]

    f = gpugrad.compile(f)
    x, w = gpugrad.ones(3), gpugrad.ones(3, requires_grad=True)
    f(x, gpugrad.tensor([0, 1]))
    product = (w * x).sum()
    with pytest.raises(IndexError):
        f(x, gpugrad.tensor([0, 7]))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.backward()


@case
def hooks_of_leaves_run_inside(way: Any) -> Any:
    leaf = drawn(3, requires_grad=True)
    leaf.register_hook(lambda g: g * leaf)
    steep = way(lambda p: autograd.grad((p**3).sum(), p)[0])
    twice = way(lambda x: autograd.grad((leaf**3 * x).sum(), leaf, create_graph=True)[0].sum())
    adds = way(lambda x: (leaf * x).sum().backward(inputs=[leaf]))
    found = []
    for _ in range(2):
        found += [steep(leaf), *autograd.grad(twice(drawn(3)), leaf)]
        adds(drawn(3))
        found += [leaf.grad, way(lambda: leaf.is_leaf)()]
    return found


@case
def hooks_of_what_was_computed_run_inside(way: Any) -> Any:
    found, edge = [], autograd.graph.get_gradient_edge
    ways: list[Callable[[Any], Any]] = [
        lambda t: t.register_hook(lambda slope: slope * 10),
        lambda t: t.retain_grad(),
    ]
    for hooks in ways:
        base = drawn(4, requires_grad=True) * 2
        part = (drawn(4, requires_grad=True) * 2).split(2)[1]
        view = base[:2]
        for y in (base, part, view):
            f = way(lambda x, y=y: autograd.grad((y * x).sum(), y, retain_graph=True)[0])
            g = way(lambda x, y=y: autograd.grad((y * x).sum(), edge(y))[0])
            found += [f(drawn(*y.shape)), g(drawn(*y.shape))]
            hooks(y)
            found += [f(drawn(*y.shape)), g(drawn(*y.shape)), f(drawn(*y.shape))]
            found.append(y.grad if y.retains_grad else None)
    return found


@case
def functions_leave_hooks(way: Any) -> Any:
    leaf = drawn(3, requires_grad=True)
    computed = leaf * 2

    def f(x: Any) -> Any:
        computed.register_hook(lambda g: g * 10)
        return (computed * x).sum()

    f, found = way(f), []
    for _ in range(2):
        found += autograd.grad(f(drawn(3)), leaf, retain_graph=True)
    return found


@case
def modules_change(way: Any) -> Any:
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    f, found = way(net), []
    for k in range(6):
        net.train(k % 2 == 0)
        net[0].requires_grad_(k != 3)
        if k == 4:
            net.append(nn.Tanh())
        found.append(f(drawn(2, 3, seed=k)))
    return found


# ------------------------------------------------------------------------- what calls do


@dataclasses.dataclass
class Held:
    value: Any


@case
def results_of_any_structure(way: Any) -> Any:
    def dictionaries(x: Any) -> Any:
        some: Any = defaultdict(list)
        some["a"].append(x * 2)
        return some

    def generator(x: Any) -> Any:
        yield x * 2
        yield x + 1

    plain = way(lambda x: (OrderedDict(a=x + 1), [x.shape, None, "s"], {"b": (x, 2)}))
    found: list[Any] = []
    held, kept, generated = way(lambda x: Held(x * 2)), way(dictionaries), way(generator)
    for k in range(3):
        x = drawn(3, seed=k)
        ordered, values, inner = plain(x)
        found += [ordered["a"], values, inner["b"][0] is x]
        values.append(1)
        found += [held(x).value, kept(x)["a"], kept(x)["c"], list(generated(x))]
    return found


@case
def modes_that_calls_change(way: Any) -> Any:
    w = drawn(3, requires_grad=True)

    def off(x: Any) -> Any:
        gpugrad.set_grad_enabled(False)
        return x * w

    def inference(x: Any) -> Any:
        with gpugrad.inference_mode():
            return w + x

    off, inference, found = way(off), way(inference), []
    for k in range(3):
        found += [off(drawn(3, seed=k)), gpugrad.is_grad_enabled()]
        gpugrad.set_grad_enabled(True)
        found += [inference(drawn(3, seed=k)).is_inference()]
    return found


@case
def random_numbers_of_others(way: Any) -> Any:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  it is the one that all share
    f = way(lambda x: x * random.random())
    g = way(lambda x: x * float(np.random.rand()))  # noqa: NPY002  likewise
    return [(f(drawn(3)), g(drawn(3))) for _ in range(3)]


@case
def generators_are_seeded_anew(way: Any) -> Any:
    f = way(lambda x: (F.dropout(x, 0.5), gpugrad.randn(2), gpugrad.randint(0, 9, (2,))))
    found = []
    for seed in (3, 3, 4):
        gpugrad.manual_seed(seed)
        found += [f(drawn(3)), gpugrad.rand(1), f(drawn(3))]
    return found


@case
def indices_that_are_outside(way: Any) -> Any:
    f, found = way(lambda x, i: (x[i], x.index_select(0, i))), []
    for index in ([1, 2], [0, 3], [1, 9], [-1, 0], [3, 3]):
        try:
            found.append(f(drawn(4), gpugrad.tensor(index)))
        except IndexError as error:
            found.append(str(error))
    return found


@case
def threads_that_all_begin(way: Any) -> Any:
    w = drawn(50, requires_grad=True)
    f = way(lambda x: (w * x).exp().sum() + x.mean())
    found: dict[Any, Any] = {}

    def work(number: int) -> None:
        for k in range(4):
            value = f(drawn(50, seed=4 * number + k))
            found[number, k] = value, *autograd.grad(value, w)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[key] for key in sorted(found)], getattr(f, "count", 1)


# ------------------------------------------------------------------------- what is no tensor


class Slotted:
    __slots__ = ("scale",)
    scale: float
    shift = 1.0

    @classmethod
    def shifted(cls, x: Any) -> Any:
        return x + cls.shift


outside: Any = types.ModuleType("outside")


@case
def what_is_found_by_name_changes(way: Any) -> Any:
    slotted, chosen, waiting = Slotted(), {1}, deque([1.0])
    slotted.scale, outside.number = 1.0, 1.0
    table = {"a": gpugrad.ones(2), "b": gpugrad.zeros(2)}
    inner, context = [2.0], contextvars.ContextVar("number", default=1.0)
    partial = functools.partial(lambda x, by: x * by[0], by=inner)
    scaled = types.SimpleNamespace(values=np.ones(2, np.float32))
    array = np.ones(2, np.float32)
    fs = [
        way(lambda x: x * slotted.scale),
        way(lambda x: x * Slotted.shift),
        way(Slotted.shifted),
        way(lambda x: x * len(chosen) if 5 in chosen else x),
        way(lambda x: x * sum(waiting)),
        way(lambda x: gpugrad.cat([x, *table.values()])),
        way(lambda x: partial(x)),
        way(lambda x: x * context.get()),
        way(lambda x: x * outside.number),
        way(lambda x: x * float(os.environ["GPUGRAD_TEST_NUMBER"])),
        way(lambda x: x + gpugrad.tensor(array) * float(array[1])),
        way(lambda x: x + gpugrad.tensor(scaled.values)),
    ]
    found: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        for k in range(4):
            patch.setenv("GPUGRAD_TEST_NUMBER", str(k))
            found += [f(gpugrad.ones(2)) for f in fs]
            if k == 1:
                continue
            slotted.scale += 1
            patch.setattr(Slotted, "shift", k + 2.0)
            chosen.add(5 + k)
            waiting.append(2.0)
            table["a"] = table.pop("a")
            inner[0] += 1
            context.set(k + 3.0)
            outside.number += 1
            array[1] += 1
            scaled.values += 1
    return found


@case
def results_whose_slope_is_infinite_have_no_gradient(way: Any) -> Any:
    f, found = way(lambda x: (x.sqrt(), x.clamp(0, 1), 1 / x)), []
    for values in ([1.0, 2.0], [0.0, 0.5], [0.0, -1.0]):
        x = gpugrad.tensor(values, requires_grad=True)
        f(x)[1].sum().backward()
        found.append(x.grad)
    return found


@case
def an_argument_is_found_by_name_too(way: Any) -> Any:
    weight, parameter = gpugrad.ones(3), nn.Parameter(gpugrad.ones(3))
    parameter.grad = gpugrad.full((3,), 5.0)

    def added(x: Any) -> Any:
        x.add_(1)
        return weight * 2

    f, g = way(added), way(lambda x: parameter.grad * x)
    found = []
    for k in range(3):
        for x in (weight, gpugrad.zeros(3), weight[:2]):
            found += [f(x), x.clone()]
        for x in (parameter.grad, gpugrad.full((3,), float(k))):
            found.append(g(x))
    return found


@case
def a_gradient_is_there_or_not(way: Any) -> Any:
    layer = nn.Linear(2, 1)
    f = way(lambda: layer.weight * 2 if layer.weight.grad is None else layer.weight * 3)
    found = []
    for k in range(6):
        if k in (2, 3):
            layer.weight.grad = gpugrad.ones(1, 2) if k == 2 else None
        found.append(f())
    return found


@case
def what_is_deep_in_a_module_changes(way: Any) -> Any:
    inner = nn.Dropout(0.0)
    net: Any = inner
    for _ in range(6):
        net = nn.Sequential(net)
    f, found = way(net), []
    for p in (0.0, 1.0, 0.0):
        inner.p = p
        found.append(f(gpugrad.ones(4)))
    return found


@case
def what_is_found_by_name_is_used_up(way: Any) -> Any:
    numbers, draws, old = iter(range(9)), np.random.default_rng(0), np.random.RandomState(0)
    own: dict[str, int] = {}
    chance, count, given = random.Random(0), itertools.count(), iter(range(9))
    leaf = nn.Parameter(gpugrad.ones(2))
    opt = optim.SGD([leaf], lr=0.1)

    def counted(x: Any) -> Any:
        own["calls"] = own.get("calls", 0) + 1
        return x * own["calls"]

    def slower(x: Any) -> Any:
        opt.zero_grad()
        (leaf * x).sum().backward()
        opt.step()
        opt.param_groups[0]["lr"] *= 0.5
        return leaf.clone()

    fs = [
        way(lambda x: x + next(numbers)),
        way(lambda x: x + draws.random()),
        way(lambda x: x + old.rand()),
        way(lambda x: x + chance.random()),
        way(counted),
        way(slower),
    ]
    f = way(lambda x, more: x + next(more))
    found: list[Any] = []
    for _ in range(4):
        found += [g(gpugrad.ones(2)) for g in fs]
        found += [f(gpugrad.ones(2), count), f(gpugrad.ones(2), given)]
    return [*found, own["calls"], opt.param_groups[0]["lr"]]


# ------------------------------------------------------------------------- networks


@case
def recurrent_layers(way: Any) -> Any:
    found = []
    for kind in (nn.LSTM, nn.GRU):
        net: Any = kind(3, 5, batch_first=True)
        f = way(net)
        for k in range(2):
            x = drawn(2, 4, 3, seed=k, requires_grad=True)
            y, _ = f(x)
            y.sum().backward()
            found += [y, x.grad]
        found += [p.grad for p in net.parameters()]
    return found


@case
def a_transformer_with_dropout(way: Any) -> Any:
    net = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
    f, found = way(net), []
    for k in range(2):
        y = f(drawn(2, 5, 8, seed=k))
        (y * y).sum().backward()
        found.append(y)
    net.eval()
    return [*found, f(drawn(2, 5, 8)), *(p.grad for p in net.parameters())]


@case
def a_convolutional_net(way: Any) -> Any:
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(36, 3),
    )  # fmt: skip
    opt = optim.AdamW(net.parameters(), lr=0.01)
    f, found = way(net), []
    for k in range(3):
        opt.zero_grad()
        loss = F.cross_entropy(f(drawn(4, 1, 8, 8, seed=k)), gpugrad.tensor([0, 1, 2, k]))
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        opt.step()
        found.append(loss)
    return [*found, *net.parameters(), *net.buffers()]


class Doubled(autograd.Function):
    """A power whose gradient is twice as large."""

    @staticmethod
    def forward(ctx: Any, x: Any, n: int) -> Any:
        ctx.save_for_backward(x)
        ctx.n = n
        return x**n

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * ctx.n * x ** (ctx.n - 1) * 2, None


@case
def functions_of_users_and_what_is_computed_again(way: Any) -> Any:
    layer = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.Tanh())
    f = way(lambda x, n: Doubled.apply(x, n).sin())
    g = way(lambda x: checkpoint(layer, x, use_reentrant=False).sum())
    found = []
    for k, n in enumerate([3, 3, 2]):
        x = drawn(3, seed=k, requires_grad=True)
        (slope,) = autograd.grad(f(x, n).sum(), x, create_graph=True)
        found += [slope, *autograd.grad(slope.sum(), x), *autograd.grad(g(x), x)]
    return found


@case
def transforms_of_what_has_run(way: Any) -> Any:
    f, g = way(lambda x: (x.sin() * x).sum()), way(lambda x: x.sin() * x.sum())
    x = drawn(4)
    found = [f(x), g(x), f(drawn(4, requires_grad=True))]
    transforms = (func.grad(f), func.hessian(f), func.jacrev(g), func.jacfwd(g), func.vmap(g))
    return found + [t(drawn(4, 4) if t is transforms[-1] else x) for t in transforms]


# ------------------------------------------------------------------------- what else may change


class Operand:
    """What computes by its special methods, and has an attribute in a slot of its own."""

    __slots__ = ("__number",)

    def __init__(self) -> None:
        self.__number = 2.0

    def change(self) -> None:
        self.__number += 1

    def __mul__(self, other: Any) -> Any:
        return other * self.__number * SCALE["of special methods"]

    def __getitem__(self, key: int) -> float:
        return SCALE["of special methods"] + key


class Listed(list[Any]):
    """A list with attributes."""

    number: float


SCALE = {"of special methods": 1.0}


@case
def ends_of_histories(way: Any) -> Any:
    held = drawn(2, requires_grad=True)
    f, g = way(lambda x: (x * x).sum().backward()), way(lambda: (held * held).sum().backward())
    h = way(lambda x: autograd.grad((x * x).sum(), x)[0])
    leaf = drawn(2, requires_grad=True)
    found = []
    for x in (leaf, leaf * 3, leaf):
        f(x)
        g()
        found += [leaf.grad.clone(), held.grad.clone(), h(leaf)]
    for x in (leaf, held):
        x.register_hook(lambda t: t * 10)
    f(leaf)
    g()
    found += [leaf.grad.clone(), held.grad.clone()]
    other = drawn(2, requires_grad=True)
    held.requires_grad_(False).mul_(other)
    g()
    return [*found, other.grad]


@case
def structures_among_the_arguments_are_changed(way: Any) -> Any:
    def named(given: Any) -> Any:
        given["y"] = given["x"] * 2
        return given["y"]

    def replaced(given: Any) -> Any:
        given[0][0] = given[0][1] * 2
        return given[0][0]

    changes = [
        named,
        replaced,
        lambda given: given.pop() * 2,
        lambda given: (given.append(3), given[0] * 2)[1],
    ]
    fs, found = [way(f) for f in changes], []
    for k in range(2):
        x, y = drawn(2, seed=k), drawn(2, seed=k + 3)
        for f, given in zip(fs, ({"x": x}, [[x, y]], [x, y], [x, y]), strict=True):
            structure: Any = given
            found += [f(structure), list(structure.items() if f is fs[0] else structure)]
    return found


@case
def what_objects_without_dictionaries_hold(way: Any) -> Any:
    SCALE["of special methods"] = 1.0
    operand, listed, octets = Operand(), Listed([1.0]), bytearray([2])
    table: dict[str, float] = {"a": 2.0}
    shown = types.MappingProxyType(table)
    listed.number, zero = 2.0, 0.0
    fs = [
        way(lambda x: operand * x),
        way(lambda x: x * operand[1]),
        way(lambda x: x * listed.number),
        way(lambda x: x * octets[0]),
        way(lambda x: x * shown["a"]),
        way(lambda x: x.copysign(zero)),
    ]
    given = way(lambda x, c: x * (2 if str(c.imag)[0] == "-" else 3))
    keyed = way(lambda x, d: x * (2 if isinstance(next(iter(d)), bool) else 3))
    x, found = drawn(3), []
    for k in range(2):
        found += [f(x) for f in fs]
        found += [given(x, complex(1, -0.0 if k else 0.0)), keyed(x, {bool(k) if k else 1: 0})]
        operand.change()
        SCALE["of special methods"] += 1
        listed.number = table["a"] = 5.0
        octets[0], zero = 7, -0.0
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_compiled_functions_give(name: str) -> None:
    gpugrad.manual_seed(0)
    expected = CASES[name](lambda function: function)
    gpugrad.manual_seed(0)
    same(CASES[name](gpugrad.compile), expected)


@pytest.mark.cuda
@pytest.mark.parametrize(
    "name",
    [
        "views_with_a_history_are_arguments", "arguments_begin_to_overlap",
        "an_argument_lies_in_captured_memory", "the_same_tensor_is_given_twice_or_not",
        "writes_are_counted_where_they_are", "what_requires_grad_changes",
        "gradients_are_retained_inside", "results_of_any_structure", "random_numbers_of_others",
    ],
)  # fmt: skip
def test_what_compiled_functions_give_on_a_gpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = drawn

    def there(*shape: int, seed: int = 0, requires_grad: bool = False) -> Any:
        return made(*shape, seed=seed).to("cuda").requires_grad_(requires_grad)

    monkeypatch.setitem(globals(), "drawn", there)
    test_what_compiled_functions_give(name)

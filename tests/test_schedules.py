"""Schedules of learning rates beside PyTorch's: rates, momenta, states, warnings and errors."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch

Make = Callable[[Any, Any], Any]  # of a module of schedules, and an optimizer


class Halved:
    """A function with a state."""

    def __init__(self) -> None:
        self.factor = 0.5

    def __call__(self, epoch: int) -> float:
        return float(self.factor**epoch)


def sequence(s: Any, o: Any, *milestones: int) -> Any:
    parts = [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)]
    return s.SequentialLR(o, parts[: len(milestones) + 1], list(milestones))


SCHEDULES: dict[str, Make] = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda k: 0.95**k),
    "lambdas": lambda s, o: s.LambdaLR(o, [Halved(), lambda k: k + 1]),
    "multiplied": lambda s, o: s.MultiplicativeLR(o, lambda k: 0.9 + 0.01 * k),
    "steps": lambda s, o: s.StepLR(o, 3),
    "milestones": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 9], gamma=0.5),
    "constant": lambda s, o: s.ConstantLR(o, factor=0.5, total_iters=4),
    "linear": lambda s, o: s.LinearLR(o, start_factor=0.2, end_factor=0.8, total_iters=6),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.8),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=7, power=2.0),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 4, eta_min=0.01),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "equal restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 4),
    "triangles": lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.2], 3, 4),
    "lower triangles": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, mode="triangular2"),
    "exponential triangles": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 2, mode="exp_range", gamma=0.9, cycle_momentum=False
    ),
    "scaled triangles": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 2, scale_fn=Halved(), scale_mode="iterations"
    ),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=13),
    "three phases": lambda s, o: s.OneCycleLR(
        o, [0.5, 0.3], epochs=3, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"
    ),
    "sequence": lambda s, o: sequence(s, o, 2, 7),
    "sequence from 0": lambda s, o: sequence(s, o, 0, 3),
    "chain": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9)]),
    "a chain in a sequence": lambda s, o: s.SequentialLR(
        o,
        [s.ChainedScheduler([s.LinearLR(o), s.StepLR(o, 2)]), s.CosineAnnealingLR(o, 5)],
        [4],
    ),
}  # fmt: skip
CLOSED = (
    "lambda", "steps", "milestones", "constant", "linear", "exponential", "polynomial", "cosine",
    "restarts", "equal restarts", "one cycle", "triangles",
)  # fmt: skip


def optimizer(library: Any, kind: str = "SGD", tensors: bool = False) -> Any:
    """Return an optimizer of two groups, whose rates may be tensors."""
    params = [library.ones(2, dtype=library.float64, requires_grad=True) for _ in range(2)]
    lrs: list[Any] = [0.1, 0.25]
    if tensors:
        lrs = [library.tensor(lr, dtype=library.float64) for lr in lrs]
    groups = [{"params": [p], "lr": lr} for p, lr in zip(params, lrs, strict=True)]
    momentum = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(library.optim, kind)(groups, lr=lrs[0], **momentum)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value.item() if hasattr(value, "item") else value


def told(library: Any, own: Any, schedule: Any) -> Any:
    """Return what can be seen of a schedule."""
    groups = [
        {k: plain(v) for k, v in group.items() if k != "params"} for group in own.param_groups
    ]
    state = {k: plain(v) for k, v in schedule.state_dict().items() if not callable(v)}
    return [groups, state, plain(schedule.get_last_lr())]


def same(found: Any, expected: Any) -> None:
    """Compare what was told, numbers to the 12th digit."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            same(found[key], expected[key])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for some, other in zip(found, expected, strict=True):
            same(some, other)
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    else:
        assert found == expected or callable(expected)


def made(library: Any, make: Make, own: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a chain in a sequence steps twice before the optimizer
        return make(library.optim.lr_scheduler, own)


def run(library: Any, make: Make, kind: str, tensors: bool, epochs: Any) -> list[Any]:
    own = optimizer(library, kind, tensors)
    schedule = made(library, make, own)
    found = [told(library, own, schedule)]
    for epoch in epochs:
        own.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedule.step() if epoch is None else schedule.step(epoch)
        found.append(told(library, own, schedule))
    return found


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("tensors", [False, True], ids=["numbers", "tensors"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_and_states_are_pytorchs(name: str, tensors: bool, kind: str) -> None:
    if tensors and name in ("one cycle", "three phases") and kind == "Adam":
        kind = "SGD"
    epochs = [None] * 12

    found = run(gpugrad, SCHEDULES[name], kind, tensors, epochs)

    same(found, run(pytorch(), SCHEDULES[name], kind, tensors, epochs))


@pytest.mark.parametrize("name", CLOSED)
def test_rates_of_an_epoch_are_pytorchs(name: str) -> None:
    epochs = [3, 7, 7, 2, None, 11]

    found = run(gpugrad, SCHEDULES[name], "SGD", False, epochs)

    same(found, run(pytorch(), SCHEDULES[name], "SGD", False, epochs))


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_state_goes_on_where_it_was(name: str) -> None:
    own = optimizer(gpugrad)
    schedule = made(gpugrad, SCHEDULES[name], own)
    for _ in range(5):
        own.step()
        schedule.step()
    state, rates = copy.deepcopy((schedule.state_dict(), own.state_dict()))
    other = optimizer(gpugrad)
    follower = made(gpugrad, SCHEDULES[name], other)
    follower.load_state_dict(state)
    other.load_state_dict(rates)

    for _ in range(5):
        own.step(), other.step()
        schedule.step(), follower.step()
        same(told(gpugrad, other, follower), told(gpugrad, own, schedule))


PLATEAUS: list[dict[str, Any]] = [
    {"patience": 1}, {"patience": 0, "cooldown": 2, "factor": 0.5},
    {"patience": 1, "mode": "max", "threshold_mode": "abs", "threshold": 0.5},
    {"patience": 0, "min_lr": [0.05, 0.2]}, {"patience": 0, "mode": "max", "threshold": 0.1},
    {"patience": 0, "threshold_mode": "abs", "eps": 0.02},
]  # fmt: skip


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateaus_are_pytorchs(options: dict[str, Any]) -> None:
    metrics = [3.0, 2.0, 2.0, 2.1, 1.9999, 2.5, 2.5, 1.0, 1.0, 1.2, 1.3, 0.9, 4.0]

    def run(library: Any) -> list[Any]:
        own = optimizer(library)
        schedule = library.optim.lr_scheduler.ReduceLROnPlateau(own, **options)
        found = []
        for metric in metrics:
            schedule.step(library.tensor(metric))
            found.append(told(library, own, schedule))
        return found

    same(run(gpugrad), run(pytorch()))


def over(s: Any, o: Any) -> None:
    schedule = s.OneCycleLR(o, 0.1, total_steps=2)
    for _ in range(4):
        o.step()
        schedule.step()


def foreign(s: Any, o: Any) -> Any:
    other = type(o)([o.param_groups[0]["params"][0].clone().detach()], lr=0.1)
    return s.ChainedScheduler([s.StepLR(other, 1), s.StepLR(o, 1)])


def resumed(s: Any, o: Any) -> Any:
    return s.StepLR(o, 2, last_epoch=3)


def grown(s: Any, o: Any) -> None:
    schedule = s.ReduceLROnPlateau(o, patience=0, min_lr=[0.0, 0.0])
    o.add_param_group({"params": [o.param_groups[0]["params"][0].clone().detach()]})
    for _ in range(3):
        schedule.step(1.0)


def replaced(s: Any, o: Any) -> None:
    schedule = s.StepLR(o, 1)
    o.step = lambda: 3
    schedule.step()


REFUSED: list[Make] = [
    lambda s, o: s.StepLR([1], 2),
    lambda s, o: s.ReduceLROnPlateau(3),
    lambda s, o: s.CyclicLR("x", 0.1, 0.2),
    lambda s, o: s.OneCycleLR(None, 0.1, total_steps=3),
    resumed,
    lambda s, o: s.LambdaLR(o, [abs]),
    lambda s, o: s.MultiplicativeLR(o, [abs, 3]),
    lambda s, o: s.ConstantLR(o, 2),
    lambda s, o: s.LinearLR(o, 0),
    lambda s, o: s.LinearLR(o, 1, 2),
    lambda s, o: s.SequentialLR(o, [], []),
    lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2)], [3]),
    lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
    lambda s, o: s.SequentialLR(o, [3], []),
    lambda s, o: s.ChainedScheduler([]),
    lambda s, o: s.ChainedScheduler([s.StepLR(o, 1), 3]),
    foreign,
    lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    lambda s, o: s.ReduceLROnPlateau(o, mode="mean"),
    lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="mean"),
    lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    grown,
    lambda s, o: s.CyclicLR(o, [0.1], 0.2),
    lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 1.5),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 1, "0"),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
    lambda s, o: s.OneCycleLR(o, 0.1),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=-1),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=1.5),
    lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=2),
    lambda s, o: s.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=0.5),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=3, pct_start=2),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=3, anneal_strategy="log"),
    over,
    lambda s, o: s.StepLR(o, 1).get_lr(),
    lambda s, o: s.StepLR(o, 1).step(),
    lambda s, o: s.StepLR(o, 1).step(3),
    replaced,
]


def refusal(library: Any, make: Make) -> Any:
    """Return the warnings and the error of a call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            make(library.optim.lr_scheduler, optimizer(library))
            error: Any = None
        except Exception as e:
            error = type(e).__name__, str(e)
    return error, [(w.category, str(w.message)) for w in found]


@pytest.mark.parametrize("place", range(len(REFUSED)))
def test_errors_and_warnings_are_pytorchs(place: int) -> None:
    expected = refusal(pytorch(), REFUSED[place])
    assert expected != (None, [])

    assert refusal(gpugrad, REFUSED[place]) == expected

"""Averages of models beside PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch
from gpugrad.testing import count_kernels

AVERAGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "means": lambda s: {},
    "means of buffers": lambda s: {"use_buffers": True},
    "decaying": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.9)},
    "decaying buffers": lambda s: {
        "multi_avg_fn": s.get_ema_multi_avg_fn(0.9),
        "use_buffers": True,
    },
    "one by one": lambda s: {"avg_fn": s.get_ema_avg_fn(0.9)},
    "means one by one": lambda s: {"avg_fn": s.get_swa_avg_fn(), "use_buffers": True},
    "half": lambda s: {"avg_fn": lambda a, b, n: (a + b) / 2},
}


def data(library: Any, *shape: int, seed: int = 0, device: str = "cpu") -> Any:
    values = np.random.default_rng(seed).standard_normal(shape)
    return library.tensor(values, dtype=library.float64, device=device)


def model(library: Any, device: str) -> Any:
    """Return a model with given parameters."""
    nn = library.nn
    made = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double().to(device)
    with library.no_grad():
        for k, p in enumerate(made.parameters()):
            p.copy_(data(library, *p.shape, seed=k))
    return made


def averaged(library: Any, name: str, device: str) -> list[Any]:
    """Return the states of an averaged model, what it computes, and new statistics."""
    swa = library.optim.swa_utils
    own = model(library, device)
    average = swa.AveragedModel(own, **AVERAGES[name](swa))
    optimizer = library.optim.SGD(own.parameters(), lr=0.05)
    found = []
    for k in range(4):
        optimizer.zero_grad()
        own(data(library, 5, 3, seed=10 + k, device=device)).square().mean().backward()
        optimizer.step()
        average.update_parameters(own)
        found.append([v.tolist() for v in average.state_dict().values()])
    batches = [[data(library, 6, 3, seed=20 + k), None] for k in range(3)]
    swa.update_bn(batches, average, device=device)
    average.eval()
    found.append([v.tolist() for v in average.state_dict().values()])
    found.append([average(data(library, 5, 3, device=device)).tolist()])
    assert average.module[1].momentum == 0.1
    return [*found, [str(key) for key in average.state_dict()]]


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_are_pytorchs(name: str, device: str) -> None:
    *expected, keys = averaged(pytorch(), name, "cpu")

    *found, own = averaged(gpugrad, name, device)

    assert own == keys
    for some, other in zip(found, expected, strict=True):
        for a, b in zip(some, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [{"anneal_epochs": 3}, {"anneal_epochs": 4, "anneal_strategy": "linear"}, {"anneal_epochs": 0}],
    ids=str,
)
def test_rates_are_pytorchs(options: dict[str, Any]) -> None:
    def rates(library: Any) -> list[Any]:
        params = [{"params": [data(library, 2)], "lr": lr} for lr in (0.1, 0.3)]
        optimizer = library.optim.SGD(params)
        schedule = library.optim.swa_utils.SWALR(optimizer, [0.02, 0.05], **options)
        found = []
        for _ in range(6):
            optimizer.step()
            schedule.step()
            found += schedule.get_last_lr()
        state = schedule.state_dict()
        schedule.load_state_dict(state)
        return [*found, sorted(state)]

    *expected, keys = rates(pytorch())
    *found, own = rates(gpugrad)

    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert own == keys


def test_what_is_out_of_range_is_refused() -> None:
    def sgd(t: Any) -> Any:
        return t.optim.SGD([data(t, 2)])

    asked: list[Callable[[Any], Any]] = [
        lambda t: t.optim.swa_utils.get_ema_avg_fn(2),
        lambda t: t.optim.swa_utils.get_ema_multi_avg_fn(-1),
        lambda t: t.optim.swa_utils.AveragedModel(t.nn.Linear(1, 1), None, abs, abs),
        lambda t: t.optim.swa_utils.SWALR(sgd(t), 0.1, anneal_strategy="log"),
        lambda t: t.optim.swa_utils.SWALR(sgd(t), 0.1, anneal_epochs=-1),
        lambda t: t.optim.swa_utils.SWALR(sgd(t), [0.1, 0.2]),
    ]
    for ask in asked:
        errors = []
        for library in gpugrad, pytorch():
            with pytest.raises((ValueError, AssertionError)) as found:
                ask(library)
            errors.append((found.type, str(found.value)))
        assert errors[0] == errors[1]


def test_the_averages_of_many_parameters_take_one_kernel(device: str) -> None:
    model = gpugrad.nn.Sequential(*[gpugrad.nn.Linear(2, 2) for _ in range(5)]).to(device)
    average = gpugrad.optim.swa_utils.AveragedModel(model)
    average.update_parameters(model)
    with gpugrad.no_grad():
        averages = [p.detach() for p in average.parameters()]
        new = [p.detach() for p in model.parameters()]
    with count_kernels() as launched:
        gpugrad.optim.swa_utils.get_ema_multi_avg_fn()(averages, new, 1)

    assert launched.total == (device == "cuda")

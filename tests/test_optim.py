"""Optimizers beside PyTorch's: the same parameters and gradients give the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
from comparison import pytorch

# What each optimizer is tried with: no options, then each that changes the numbers, then several.
DECAYED: list[dict[str, Any]] = [{"weight_decay": 0.1}, {"maximize": True, "weight_decay": 0.1}]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        *DECAYED, {"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.5},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, {"lr": 0.1, "foreach": True},
    ],
    "Adam": [
        *DECAYED, {"amsgrad": True}, {"betas": (0.5, 0.7), "eps": 1e-3}, {"foreach": True},
        {"decoupled_weight_decay": True, "weight_decay": 0.1, "amsgrad": True},
    ],
    "AdamW": [*DECAYED, {"amsgrad": True, "maximize": True}],
    "Adamax": [*DECAYED, {"betas": (0.5, 0.7), "eps": 1e-3}],
    "NAdam": [
        *DECAYED, {"momentum_decay": 0.5, "betas": (0.5, 0.7)},
        {"decoupled_weight_decay": True, "weight_decay": 0.1},
    ],
    "RAdam": [*DECAYED, {"decoupled_weight_decay": True, "weight_decay": 0.1}, {"eps": 1e-3}],
    "RMSprop": [
        *DECAYED, {"momentum": 0.9}, {"centered": True}, {"alpha": 0.5, "eps": 1e-3},
        {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True},
    ],
    "Adagrad": [
        *DECAYED, {"lr_decay": 0.1, "initial_accumulator_value": 0.3}, {"eps": 1e-3},
    ],
    "Adadelta": [*DECAYED, {"rho": 0.5, "eps": 1e-3, "lr": 0.5}],
    "ASGD": [*DECAYED, {"t0": 3, "lambd": 0.1, "alpha": 0.5}],
    "Rprop": [{"maximize": True}, {"etas": (0.3, 1.5), "step_sizes": (1e-3, 0.1)}],
}  # fmt: skip
CASES = [(name, options) for name, some in OPTIONS.items() for options in [{}, *some]]
SHAPES = (), (3,), (2, 4), (5, 1, 2), (0,)
STEPS = 10


def gradients(dtype: str, steps: int = STEPS) -> list[list[Any]]:
    """Return parameters, and then their gradients in each step, as arrays."""
    random = np.random.default_rng(0)

    def some() -> list[Any]:
        arrays = [random.standard_normal(shape) for shape in SHAPES]
        if dtype == "complex128":
            arrays = [a + 1j * random.standard_normal(a.shape) for a in arrays]
        return [np.asarray(a, dtype) for a in arrays]

    return [some() for _ in range(steps + 1)]


def stepped(
    library: Any, name: str, options: dict[str, Any], dtype: str, device: str = "cpu"
) -> tuple[list[Any], Any]:
    """Return parameters after some steps, and the optimizer.

    The last two are a group of their own, and one of them has a gradient in some steps only.
    """
    arrays = gradients(dtype)
    params = [library.tensor(a, device=device, requires_grad=True) for a in arrays[0]]
    groups = [{"params": params[:3]}, {"params": params[3:], "lr": 0.03}]
    optimizer = getattr(library.optim, name)(groups, **options)
    for k, some in enumerate(arrays[1:]):
        optimizer.zero_grad()
        for j, (p, g) in enumerate(zip(params, some, strict=True)):
            if j != 3 or k % 3:
                p.grad = library.tensor(g, device=device)
        optimizer.step()
    return params, optimizer


def close(found: Any, expected: Any) -> None:
    """Compare two states, or parts of them: dictionaries, lists, tensors and numbers."""
    if isinstance(expected, dict):
        assert list(map(str, found)) == list(map(str, expected))
        for key in expected:
            close(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for some, other in zip(found, expected, strict=True):
            close(some, other)
    elif hasattr(expected, "tolist"):
        assert str(found.dtype).split(".")[-1] == str(expected.dtype).split(".")[-1]
        np.testing.assert_allclose(found.tolist(), expected.tolist(), rtol=1e-10, atol=1e-12)
    else:
        assert found == expected, (found, expected)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_steps_and_state_are_pytorchs(
    name: str, options: dict[str, Any], dtype: str, device: str
) -> None:
    torch = pytorch()
    expected, theirs = stepped(torch, name, options, dtype)

    found, ours = stepped(gpugrad, name, options, dtype, device)

    close(found, expected)
    close(ours.state_dict(), theirs.state_dict())
    assert repr(ours) == repr(theirs)

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
    "Adafactor": [*DECAYED, {"d": 1.5, "eps": (1e-3, 1e-2), "beta2_decay": -0.5}],
    "Rprop": [{"maximize": True}, {"etas": (0.3, 1.5), "step_sizes": (1e-3, 0.1)}],
}  # fmt: skip
CASES = [
    (name, options, dtype)
    for name, some in OPTIONS.items()
    for options in [{}, *some]
    for dtype in ("float64", "complex128")
    if (name, dtype) != ("Adafactor", "complex128")  # which refuses it
]
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
            if (j != 3 or k % 3) and not (name == "Adafactor" and not g.size):  # it divides by that
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


@pytest.mark.parametrize(("name", "options", "dtype"), CASES, ids=str)
def test_steps_and_state_are_pytorchs(
    name: str, options: dict[str, Any], dtype: str, device: str
) -> None:
    torch = pytorch()
    expected, theirs = stepped(torch, name, options, dtype)

    found, ours = stepped(gpugrad, name, options, dtype, device)

    close(found, expected)
    close(ours.state_dict(), theirs.state_dict())
    assert repr(ours) == repr(theirs)


# --------------------------------------------------------------------------- those with searches


def rosenbrock(library: Any, x: Any, y: Any) -> Any:
    return ((1 - x) ** 2).sum() + 10 * ((y - x * x) ** 2).sum() + (x * y).cos().sum()


LBFGS: list[dict[str, Any]] = [
    {"max_iter": 6},
    {"lr": 0.5, "max_iter": 7, "history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 5, "history_size": 2, "lr": 0.1},
    {"line_search_fn": "strong_wolfe", "max_eval": 9, "lr": 3},
    {"tolerance_change": 1e-2}, {"tolerance_grad": 10.0},
]  # fmt: skip


def searched(
    library: Any, options: dict[str, Any], dtype: str, device: str = "cpu"
) -> tuple[list[Any], Any]:
    """Return the parameters and losses of some steps, and the optimizer."""
    kind = getattr(library, dtype)
    x = library.tensor([-1.2, 0.3], dtype=kind, device=device, requires_grad=True)
    y = library.tensor([1.0, -0.5], dtype=kind, device=device, requires_grad=True)
    unused = library.ones(1, dtype=kind, device=device, requires_grad=True)
    optimizer = library.optim.LBFGS([x, y, unused], **options)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = rosenbrock(library, x, y).abs()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(3)]
    return [x.tolist(), y.tolist(), unused.tolist(), losses], optimizer


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("options", LBFGS, ids=str)
def test_lbfgs_searches_as_pytorchs(options: dict[str, Any], dtype: str, device: str) -> None:
    torch = pytorch()
    expected, theirs = searched(torch, options, dtype)

    found, ours = searched(gpugrad, options, dtype, device)

    for some, other in zip(found, expected, strict=True):
        # a search multiplies what is rounded
        np.testing.assert_allclose(some, other, rtol=1e-7, atol=1e-12)
    counts = [next(iter(o.state.values())) for o in (ours, theirs)]
    assert counts[0].keys() == counts[1].keys()
    for name in "func_evals", "n_iter":
        assert counts[0][name] == counts[1][name]


@pytest.mark.needs("ml_dtypes")
@pytest.mark.parametrize(
    "options",
    [
        {}, {"nesterov": False, "weight_decay": 0.0}, {"adjust_lr_fn": "match_rms_adamw"},
        {"momentum": 0.5, "ns_steps": 3, "adjust_lr_fn": "original"},
    ],
    ids=str,
)  # fmt: skip
def test_muon_steps_as_pytorchs(options: dict[str, Any], device: str) -> None:
    torch = pytorch()
    results = []
    for library, where in (gpugrad, device), (torch, "cpu"):
        random = np.random.default_rng(0)
        params = [
            library.tensor(random.standard_normal(s), device=where, requires_grad=True)
            for s in [(3, 5), (6, 2)]
        ]
        optimizer = library.optim.Muon(params, lr=0.1, **options)
        for _ in range(3):
            for p in params:
                p.grad = library.tensor(random.standard_normal(tuple(p.shape)), device=where)
            optimizer.step()
        results.append([p.tolist() for p in params])

    for found, expected in zip(*results, strict=True):
        # the matrices are made orthogonal in bfloat16: each product multiplies what was rounded
        np.testing.assert_allclose(found, expected, atol=3 * 0.1 * 2**-4)

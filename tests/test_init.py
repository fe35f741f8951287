"""The functions of nn.init: PyTorch's results of the same numbers, warnings and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn import give_numbers

import gpugrad
from comparison import agree_on, pytorch

t: Any = gpugrad


FILLED = [
    ("uniform_", (3, 4), {"a": -2.0, "b": 3.0}),
    ("normal_", (3, 4), {"mean": -2.0, "std": 3.0}),
    ("trunc_normal_", (40, 5), {}),
    ("trunc_normal_", (40, 5), {"a": 0.5, "b": 0.6}),
    ("trunc_normal_", (40, 5), {"mean": 1.0, "std": 2.0, "a": -1.0, "b": 2.5}),
    ("constant_", (3, 4), {"val": 2.5}),
    ("ones_", (3, 4), {}),
    ("zeros_", (3, 4), {}),
    ("eye_", (3, 5), {}),
    ("dirac_", (4, 3, 5), {}),
    ("dirac_", (6, 2, 3, 4), {"groups": 3}),
    ("dirac_", (2, 2, 3, 1, 2), {}),
    ("xavier_uniform_", (3, 4, 2), {"gain": 2.0}),
    ("xavier_normal_", (3, 4), {}),
    ("kaiming_uniform_", (3, 4, 2, 2), {}),
    ("kaiming_uniform_", (3, 4), {"a": 0.3, "mode": "FAN_OUT"}),
    ("kaiming_normal_", (3, 4), {"nonlinearity": "relu"}),
    ("kaiming_normal_", (3, 4), {"nonlinearity": "selu", "mode": "fan_out"}),
    ("orthogonal_", (3, 5), {}),
    ("orthogonal_", (5, 3), {"gain": 2.0}),
    ("orthogonal_", (4, 2, 3), {}),
    ("orthogonal_", (0, 3), {}),
    ("sparse_", (7, 3), {"sparsity": 0.4}),
]


@pytest.mark.parametrize(("name", "shape", "options"), FILLED)
def test_fills_with_pytorchs_values_given_the_same_numbers(
    name: str, shape: Any, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = []
    for library in pytorch(), t:
        give_numbers(library, monkeypatch)
        p = library.nn.Parameter(library.zeros(shape, dtype=library.float64))
        assert getattr(library.nn.init, name)(p, **options) is p
        assert p.requires_grad
        values.append(p.detach().numpy())
    np.testing.assert_allclose(values[1], values[0], 1e-6, 1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Linear(5, 4, dtype=None),
        lambda nn: nn.Linear(0, 4),
        lambda nn: nn.Bilinear(5, 3, 4),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_layers_start_as_pytorchs_do_given_the_same_numbers(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = []
    for library in pytorch(), t:
        give_numbers(library, monkeypatch)
        values.append([p.detach().numpy() for p in make(library.nn).parameters()])
    for expected, found in zip(*values, strict=True):
        np.testing.assert_allclose(found, expected, 1e-6, 1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *[f"init.calculate_gain('{n}')" for n in ("linear", "conv3d", "tanh", "relu", "selu")],
        "init.calculate_gain('leaky_relu', 0.3), init.calculate_gain('leaky_relu', 2)",
        "init.calculate_gain('leaky_relu', True)",
        "init.calculate_gain('leaky_relu', 'a')",
        "init.calculate_gain('gelu')",
        "init.kaiming_uniform_(torch.ones(0, 2)).shape",
        "init.kaiming_normal_(torch.ones(2, 0)).shape",
        "init.kaiming_normal_(torch.ones(2))",
        "init.kaiming_normal_(torch.ones(2, 2), mode='both')",
        "init.xavier_normal_(torch.ones(2))",
        "init.trunc_normal_(torch.ones(3), 9.0, 1.0, 2.0, 2.0 + 1e-6).shape",
        "init.eye_(torch.ones(2))",
        "init.dirac_(torch.ones(2, 2))",
        "init.dirac_(torch.ones(3, 2, 2), 2)",
        "init.orthogonal_(torch.ones(2))",
        "init.sparse_(torch.ones(2), 0.1)",
        "init.constant(torch.ones(2), 3.0)",
        "init.eye(torch.ones(2, 2)), init.eye.__name__",
        "sorted(n for n in init.__all__)",
    ],
)
def test_says_what_pytorch_says(text: str) -> None:
    agree_on(f"init = torch.nn.init\n{text}", "cpu", warned=True)


def test_numbers_are_drawn_from_the_distributions(device: str) -> None:
    t.manual_seed(0)
    x = t.nn.init.trunc_normal_(t.empty(20000, device=device), 0.0, 1.0, -1.0, 2.0)
    assert -1 <= x.min().item() <= x.max().item() <= 2
    assert abs(x.mean().item() - 0.2296) < 0.02
    y = t.nn.init.trunc_normal_(t.empty(20000, device=device), 0.0, 1.0, 2.0, 2.5)
    assert 2 <= y.min().item() <= y.max().item() <= 2.5
    assert abs(y.mean().item() - 2.2045) < 0.01
    generator = t.Generator(device=device).manual_seed(3)
    a = t.nn.init.xavier_uniform_(t.empty(2, 3, device=device), generator=generator)
    b = t.nn.init.xavier_uniform_(t.empty(2, 3, device=device), generator=generator.manual_seed(3))
    assert (a == b).all()

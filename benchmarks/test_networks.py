"""What does a training step of networks made of modules cost?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.work import Results, Targets, Work, by_size, cases

RATE = 1e-3


def step_of(
    name: str,
    inputs: Callable[[int, np.random.Generator], Sequence[Any]],
    model: Callable[[Any], Any],
    loss: Callable[..., Any],
    targets: Targets,
) -> Work:
    """Return the work of a step with Adam; its results are the loss and the gradients.

    ``model(torch)`` makes the network, whose parameters are then the same numbers for everyone;
    ``loss(torch, network, *inputs)`` is what it is trained by.
    """

    def network(torch: Any, *tensors: Any) -> Any:
        """Return a network, an optimizer that has made one step, and the inputs."""
        random = np.random.default_rng(0)
        made = model(torch).to(tensors[0].dtype).to(tensors[0].device)
        with torch.no_grad():
            for p in made.parameters():
                numbers = random.standard_normal(tuple(p.shape)) / max(p.shape[-1], 8) ** 0.5
                p.copy_(torch.tensor(numbers))
        adam = torch.optim.Adam(made.parameters(), lr=RATE)
        step(torch, (made, adam, tensors))
        return made, adam, tensors

    def step(torch: Any, prepared: Any) -> Results:
        made, adam, tensors = prepared
        adam.zero_grad()
        out = loss(torch, made, *tensors)
        out.backward()
        adam.step()
        return out, *[p.grad for p in made.parameters()]

    return Work(name, inputs, 0, {"torch": step}, None, targets, prepared={"torch": network})


# --------------------------------------------------------------------------- classifiers


def classifier(torch: Any) -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )


def vectors(n: int, random: np.random.Generator) -> Sequence[Any]:
    return random.standard_normal((n, 784)), random.integers(10, size=n)


def convolutional(torch: Any) -> Any:
    """The network of examples/training/convolutional.py."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


def digits(n: int, random: np.random.Generator) -> Sequence[Any]:
    return random.random((n, 1, 8, 8)), random.integers(10, size=n)


def entropy(torch: Any, network: Any, x: Any, labels: Any) -> Any:
    return torch.nn.functional.cross_entropy(network(x), labels)


# --------------------------------------------------------------------------- sequences

TIME, WIDTH, HEADS = 128, 256, 4
STEPS, FEATURES, HIDDEN = 50, 64, 128


def block(torch: Any) -> Any:
    return torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )


def texts(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.standard_normal((n, TIME, WIDTH)) for _ in range(2)]


def likeness(torch: Any, network: Any, x: Any, wanted: Any) -> Any:
    return torch.nn.functional.mse_loss(network(x), wanted)


def recurrent(torch: Any) -> Any:
    return torch.nn.LSTM(FEATURES, HIDDEN)


def series(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.standard_normal((STEPS, n, size)) for size in (FEATURES, HIDDEN)]


def forecast(torch: Any, network: Any, x: Any, wanted: Any) -> Any:
    return torch.nn.functional.mse_loss(network(x)[0], wanted)


WORKS = [
    step_of(
        "MLP 784-512-512-10, Adam, step", vectors, classifier, entropy,
        by_size({128: 0.9}, ["float32"]),
    ),
    step_of(
        "transformer block n x 128 x 256, Adam, step", texts, block, likeness,
        by_size({8: 1.0}, ["float32"]),
    ),
    step_of(
        "convolutional net on n digits, Adam, step", digits, convolutional, entropy,
        by_size({64: 1.2}, ["float32"]),
    ),
    step_of(
        "LSTM of 50 steps, n x 64 to 128, Adam, step", series, recurrent, forecast,
        by_size({32: 1.0}, ["float32"]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_networks(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

"""What does one layer of a network cost, or one loss, and what is done with all its parameters?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.work import Results, Targets, Work, by_size, cases

SINGLE = ["float32"]


def layer(
    name: str,
    inputs: Callable[[int, np.random.Generator], Sequence[Any]],
    leaves: int,
    function: Callable[..., Any],
    targets: Targets,
) -> Work:
    """Return the work of ``function(torch, *operands)``, and of the gradients of its sum."""

    def way(torch: Any, *operands: Any) -> Results:
        out = function(torch, *operands)
        (out.sum() if out.ndim else out).backward()
        return out, *[leaf.grad for leaf in operands[:leaves]]

    return Work(name, inputs, leaves, {"torch": way}, None, targets)


# --------------------------------------------------------------------------- layers and losses

FEATURES = 256
COUNTS = 100


def features(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return rows, and a weight and a bias for their elements."""
    return [random.standard_normal(s) for s in ((n, FEATURES), FEATURES, FEATURES)]


def scores(classes: int) -> Callable[..., Sequence[Any]]:
    def drawn(n: int, random: np.random.Generator) -> Sequence[Any]:
        return random.standard_normal((n, classes)), random.integers(classes, size=n)

    return drawn


def two(width: int) -> Callable[..., Sequence[Any]]:
    return lambda n, random: [random.standard_normal((n, width)) for _ in range(2)]


def logarithms(n: int, random: np.random.Generator) -> Sequence[Any]:
    return random.uniform(-5, 0, (n, 10)), random.integers(10, size=n)


def channels(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return n examples of 16 channels, a weight and a bias of these, and what results weigh."""
    return [random.standard_normal(s) for s in ((n, 16, 4, 4), 16, 16, (n, 16, 4, 4))]


def in_batches(torch: Any, x: Any, weight: Any, bias: Any, y: Any) -> Any:
    return (torch.nn.functional.batch_norm(x, None, None, weight, bias, True) * y).sum()


def in_groups(torch: Any, x: Any, weight: Any, bias: Any, y: Any) -> Any:
    return (torch.nn.functional.group_norm(x, 4, weight, bias) * y).sum()


def counted(torch: Any, count: Any) -> Results:
    """Count as layers do that normalize batches."""
    for _ in range(COUNTS):
        count.add_(1)
    return (count,)


def words(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return vectors of 50 words, n words, and what results weigh."""
    return [random.standard_normal((50, 16)), random.integers(50, size=n), *two(16)(n, random)[:1]]


def images(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return filters, biases of these, n images and what results weigh."""
    return [random.standard_normal(s) for s in ((8, 3, 3, 3), 8, (n, 3, 8, 8), (n, 8, 8, 8))]


def sequences(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return queries, keys and values of n sequences, and what results weigh."""
    return [random.standard_normal((n, 2, 8, 16)) for _ in range(4)]


def embedded(torch: Any, weight: Any, x: Any, y: Any) -> Any:
    return (torch.nn.functional.embedding(x, weight) * y).sum()


def convolved(torch: Any, weight: Any, bias: Any, x: Any, y: Any) -> Any:
    return (torch.nn.functional.conv2d(x, weight, bias, padding=1) * y).sum()


def attended(torch: Any, query: Any, key: Any, value: Any, y: Any) -> Any:
    function = torch.nn.functional.scaled_dot_product_attention
    return (function(query, key, value, is_causal=True) * y).sum()


def linear(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.standard_normal(s) for s in ((10, 10), 10, (n, 10))]


def normalized(torch: Any, x: Any, weight: Any, bias: Any) -> Any:
    return torch.nn.functional.layer_norm(x, (FEATURES,), weight, bias)


def weighted_softmax(torch: Any, x: Any, y: Any) -> Any:
    return (torch.softmax(x, -1) * y).sum()


# --------------------------------------------------------------------------- all parameters

PARAMETERS = 200


def clipped(torch: Any, prepared: Any) -> Results:
    return (torch.nn.utils.clip_grad_norm_(prepared, 1.0),)


def with_gradients(torch: Any, *arrays: Any) -> Any:
    parameters = [torch.nn.Parameter(a.clone()) for a in arrays]
    for p, a in zip(parameters, arrays, strict=True):
        p.grad = a.clone()
    return parameters


def many(n: int, random: np.random.Generator) -> Sequence[Any]:
    return [random.standard_normal(n) for _ in range(PARAMETERS)]


def encoder(torch: Any, x: Any) -> Any:
    block = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return torch.nn.TransformerEncoder(block, 4, enable_nested_tensor=False)


def state(torch: Any, network: Any) -> Results:
    return (torch.tensor(float(len(network.state_dict()))),)


WORKS = [
    layer(f"layer_norm, n x {FEATURES}", features, 3, normalized,
          by_size({32: 1.2, 1024: 1.2}, SINGLE)),
    layer("cross_entropy, n x 10", scores(10), 1,
          lambda torch, x, c: torch.nn.functional.cross_entropy(x, c), by_size({32: 1.2}, SINGLE)),
    layer("nll_loss, n x 10", logarithms, 1,
          lambda torch, x, c: torch.nn.functional.nll_loss(x, c), by_size({32: 1.2}, SINGLE)),
    layer("cross_entropy, n x 50", scores(50), 1,
          lambda torch, x, c: torch.nn.functional.cross_entropy(x, c),
          by_size({2048: 1.2}, SINGLE)),
    layer("softmax, n x 128, weighted", two(128), 1, weighted_softmax,
          by_size({32: 1.2, 4096: 1.2}, SINGLE)),
    layer("mse_loss, n x 10", two(10), 1,
          lambda torch, x, y: torch.nn.functional.mse_loss(x, y), by_size({128: 1.2}, SINGLE)),
    layer("smooth_l1_loss, n x 10", two(10), 1,
          lambda torch, x, y: torch.nn.functional.smooth_l1_loss(x, y),
          by_size({32: 1.2}, SINGLE)),
    layer("batch_norm, n x 16 x 4 x 4, weighted", channels, 3, in_batches,
          by_size({8: 1.2}, SINGLE)),
    layer("group_norm, n x 16 x 4 x 4, weighted", channels, 3, in_groups,
          by_size({8: 1.2}, SINGLE)),
    layer("max_pool2d, n x 16 x 4 x 4", lambda n, random: channels(n, random)[:1], 1,
          lambda torch, x: torch.nn.functional.max_pool2d(x, 2), by_size({8: 1.2}, SINGLE)),
    layer("embedding, n of 50 x 16, weighted", words, 1, embedded, by_size({32: 1.2}, SINGLE)),
    layer("conv2d 3 to 8, n x 8 x 8, weighted", images, 2, convolved, by_size({1: 1.2}, SINGLE)),
    layer("attention, n x 2 x 8 x 16, causal, weighted", sequences, 3, attended,
          by_size({2: 1.2}, SINGLE)),
    Work("add_(1) of an integer", lambda n, random: [np.zeros((), np.int64)], 0,
         {"torch": counted}, None, by_size({1: 1.0}, SINGLE), calls=COUNTS),
    layer("linear, n x 10 to 10", linear, 2,
          lambda torch, w, b, x: torch.nn.functional.linear(x, w, b), by_size({4: 1.2}, SINGLE)),
    Work("clip_grad_norm_, 200 parameters", many, 0, {"torch": clipped}, None,
         by_size({10: 1.2}, SINGLE), prepared={"torch": with_gradients}),
    Work("state_dict of four encoder layers", lambda n, random: [np.zeros(n)], 0,
         {"torch": state}, None, by_size({1: 1.2}, SINGLE), prepared={"torch": encoder}),
]  # fmt: skip


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_layers(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

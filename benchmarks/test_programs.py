"""What do whole programs cost that gpugrad.compile records?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks import test_composition, test_derivatives, test_networks, test_training
from benchmarks.work import Results, Targets, Work, by_size, cases, gradients


def logits_and_signs(n: int, random: np.random.Generator) -> Sequence[Any]:
    """Return n logits, and whether each example belongs to the class."""
    return random.standard_normal(n), random.integers(2, size=n).astype(float)


def binary(xp: Any, x: Any, y: Any) -> Any:
    return (0.5 * (x + abs(x)) - x * y + xp.log1p(xp.exp(-abs(x)))).mean()


def binary_by_hand(xp: Any, x: Any, y: Any) -> Results:
    e = xp.exp(-xp.abs(x))
    loss = (xp.maximum(x, 0) - x * y + xp.log1p(e)).mean()
    return loss, (xp.where(x > 0, 1, e) / (1 + e) - y) / x.shape[0]


BINARY = gradients(
    "binary cross entropy", logits_and_signs, 1, binary, binary_by_hand, {}, compiled=True
)


def whole(works: Sequence[Work], name: str, targets: Targets) -> Work:
    """Return a work of another file, as one program."""
    (found,) = [work for work in works if work.name.startswith(name)]
    return replace(
        found, name=f"{found.name}, compiled", targets=targets, whole=True, compiled=True
    )


COMPILED_CHAIN = whole(
    test_composition.WORKS, "chain", by_size({1_000: 0.10, 100_000: 0.22, 10_000_000: 0.06})
)
WORKS = [
    COMPILED_CHAIN,
    whole(test_composition.WORKS, "softmax", by_size({256: 0.20}, ["float32"])),
    whole([BINARY], "binary", by_size({100_000: 0.20}, ["float32"])),
    whole(test_derivatives.WORKS, "second", by_size({10: 0.3, 100_000: 0.20}, ["float64"])),
    whole(test_derivatives.WORKS, "third", by_size({10: 0.2, 100_000: 0.10}, ["float64"])),
    whole(test_derivatives.WORKS, "Hessian, row", by_size({100: 0.05}, ["float64"])),
    whole(test_derivatives.WORKS, "Hessian-vector", by_size({64: 0.3}, ["float64"])),
    whole(test_training.WORKS, "the notebook", by_size({64: 0.6}, ["float32"])),
    whole(test_training.WORKS, "MLP", by_size({128: None}, ["float32"])),
    whole(test_training.WORKS, "transformer", by_size({8: None}, ["float32"])),
    whole(test_networks.WORKS, "MLP", by_size({128: None}, ["float32"])),
    whole(test_networks.WORKS, "transformer", by_size({8: None}, ["float32"])),
]


@pytest.mark.parametrize(("work", "n", "dtype"), cases(WORKS), ids=str)
def test_programs(compare: Callable[..., None], work: Work, n: int, dtype: str) -> None:
    compare(work, n, dtype)

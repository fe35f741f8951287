"""Samples of softmax as networks call it, and of classes as vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from samples.draw import whole
from samples.family import NOT, X, Z, case
from samples.sample import Sample
from samples.soft import REFERENCE as SOFT

REFERENCE: dict[str, Any] = {}


def _call(name: str, *others: Any, **options: Any) -> Callable[..., Any]:
    return lambda lib, x: getattr(lib.nn.functional, name)(x, *others, **options)


def _softmin(x: Any, axis: int) -> Any:
    return SOFT["softmax"](-x, axis)


def _hot(x: Any, count: int) -> Any:
    return np.equal.outer(x, np.arange(count)).astype(np.int64)


SAMPLES: dict[str, list[Sample]] = {
    **{f"nn.functional.{name}": [
        case("rows", _call(name, 1), X, reference=lambda x, soft=soft: soft(x, 1)),
        case("first dim", _call(name, dim=0), Z, reference=lambda x, soft=soft: soft(x, 0)),
        case("dtype", lambda lib, x, name=name: getattr(lib.nn.functional, name)(
            x, 0, dtype=lib.float64), X, reference=lambda x, soft=soft: soft(x, 0)),
    ] for name, soft in (("softmax", SOFT["softmax"]), ("log_softmax", SOFT["log_softmax"]),
                         ("softmin", _softmin))},
    "nn.functional.one_hot": [
        case("ordinary", _call("one_hot", 5), whole(0, 5)((2, 3), 0),
             reference=lambda x: _hot(x, 5), **NOT),
        case("none", _call("one_hot", 2), whole(0, 2)((0,), 0), reference=lambda x: _hot(x, 2),
             **NOT),
        case("0-d", _call("one_hot", 3), whole(2, 3)((), 0), reference=lambda x: _hot(x, 3),
             **NOT),
    ],
}  # fmt: skip

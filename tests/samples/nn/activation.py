"""Samples of activation functions as networks call them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from samples.draw import ANY, Draw, lattice
from samples.family import INDICES, NOT, X, case, pointwise, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

_SCALE, _ALPHA = 1.0507009873554805, 1.6732632423543773
AWAY_FROM_BENDS = lattice(0.05, 45)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _hardsigmoid(x: Any) -> Any:
    return np.clip(x + 3, 0, 6) / 6


def _softshrink(x: Any, lambd: float = 0.5) -> Any:
    return np.sign(x) * np.maximum(np.abs(x) - lambd, 0)


def _glu(x: Any, axis: int = -1) -> Any:
    first, second = np.split(x, 2, axis)
    return first * _sigmoid(second)


def _leaky(x: Any, slope: float = 0.01) -> Any:
    return np.where(x > 0, x, slope * x)


Reference = Callable[..., Any]
# Where each is drawn, what NumPy says, and other arguments that it is tried with.
_BENT: dict[str, tuple[Reference, list[tuple[Any, ...]]]] = {
    "relu": (lambda x: np.maximum(x, 0), []),
    "threshold": (lambda x, bound, value: np.where(x > bound, x, value), [(0.5, -2.0)]),
    "celu": (lambda x, a=1.0: np.where(x > 0, x, a * np.expm1(x / a)), [(0.5,)]),
    "selu": (lambda x: _SCALE * _elu(x, _ALPHA), []),
    "hardtanh": (lambda x, low=-1, high=1: np.clip(x, low, high), [(-0.5, 1.5)]),
    "relu6": (lambda x: np.clip(x, 0, 6), []),
    "elu": (_elu, [(0.5,)]),
    "leaky_relu": (_leaky, [(0.5,)]),
    "rrelu": (lambda x, low=1 / 8, high=1 / 3: _leaky(x, (low + high) / 2), [(0.25, 0.5)]),
    "hardsigmoid": (_hardsigmoid, []),
    "hardswish": (lambda x: x * _hardsigmoid(x), []),
    "softshrink": (_softshrink, [(0.9,)]),
    "softsign": (lambda x: x / (1 + np.abs(x)), []),
}
_SMOOTH: dict[str, Reference] = {
    "silu": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "logsigmoid": lambda x: np.log(_sigmoid(x)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
}
_WRITTEN = ("relu", "threshold", "celu", "selu", "silu", "hardtanh", "relu6", "elu",
            "leaky_relu", "rrelu", "hardsigmoid", "hardswish", "mish")  # fmt: skip
_NAMED_SO = ("hardtanh", "elu", "leaky_relu")  # and have a function that writes


def _call(name: str, *others: Any, **options: Any) -> Callable[..., Any]:
    return lambda lib, x: getattr(lib.nn.functional, name)(x, *others, **options)


def _written(name: str, *others: Any, **options: Any) -> Callable[..., Any]:
    return lambda lib, x: getattr(lib.nn.functional, name)(x * 1, *others, **options)


def _samples(
    name: str, draw: Draw, reference: Reference, others: list[tuple[Any, ...]]
) -> list[Sample]:
    first = others[0] if name == "threshold" else ()  # which has no defaults
    whole = partial(_with, reference, first)
    found = pointwise(_call(name, *first), draw, reference=whole)
    found += [
        case(f"arguments {k}", _call(name, *given), draw((3, 4), 0),
             reference=partial(_with, reference, given))
        for k, given in enumerate(others)
    ]  # fmt: skip
    if name in _WRITTEN:
        found.append(case("in place", _written(name, *first, inplace=True), draw((3, 4), 2),
                          reference=whole))  # fmt: skip
    return found


def _with(reference: Reference, others: tuple[Any, ...], x: Any) -> Any:
    return reference(x, *others)


SAMPLES: dict[str, list[Sample]] = {
    **{f"nn.functional.{name}": _samples(name, AWAY_FROM_BENDS, reference, others)
       for name, (reference, others) in _BENT.items()},
    **{f"nn.functional.{name}": _samples(name, ANY, reference, [])
       for name, reference in _SMOOTH.items()},
    **{f"nn.functional.{name}_": [
        case("ordinary", _written(f"{name}_"), AWAY_FROM_BENDS((3, 4), 0),
             reference=_BENT[name][0]),
        *(case(f"arguments {k}", _written(f"{name}_", *given), AWAY_FROM_BENDS((3, 4), 0),
               reference=partial(_with, _BENT[name][0], given))
          for k, given in enumerate(_BENT[name][1])),
    ] for name in _NAMED_SO},
    "rrelu": [case("ordinary", lambda lib, x: lib.rrelu(x, 0.25, 0.5),
                   AWAY_FROM_BENDS((3, 4), 0), reference=lambda x: _leaky(x, 0.375))],
    "rrelu_": [case("ordinary", lambda lib, x: lib.rrelu_(x * 1), AWAY_FROM_BENDS((3, 4), 0),
                    reference=lambda x: _leaky(x, 11 / 48))],
    "nn.functional.glu": [
        case("ordinary", _call("glu"), X, reference=_glu),
        case("transposed", _call("glu"), X, reference=_glu, layout="transposed"),
        case("middle dim", _call("glu", 1), ANY((2, 6, 3), 1), reference=lambda x: _glu(x, 1)),
        case("zero-size", _call("glu"), ANY((0, 4), 1), reference=_glu),
    ],
}  # fmt: skip
# its difference is rounded twice, in PyTorch as well
SAMPLES["nn.functional.tanhshrink"] = single(SAMPLES["nn.functional.tanhshrink"])
SAMPLES["nn.functional.hardtanh"].append(
    case("integers", _call("hardtanh", 0, 1), INDICES, **NOT,
         reference=lambda x: np.clip(x, 0, 1))
)  # fmt: skip

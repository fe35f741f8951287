"""Samples of elementwise operations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE, POSITIVE, RIGHT, around, lattice, truth, uniform, whole
from samples.family import INDICES, NOT, ROW, STRANGE, X, case, named, pointwise
from samples.sample import Sample


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    low = x if min is None else np.maximum(x, min)
    return low if max is None else np.minimum(low, max)


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


def _logit(x: Any, eps: float | None = None) -> Any:
    x = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.log(x / (1 - x))


def _sign(x: Any) -> Any:
    return x / np.abs(x) if x.dtype.kind == "c" else np.sign(x)


def _compared(name: str) -> list[Sample]:
    few = lattice(0, 2)  # so that equal numbers occur
    symbol = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}[name]
    operator: Any = eval(f"lambda lib, x, y: x {symbol} y")
    number: Any = eval(f"lambda lib, x: x {symbol} 0")
    return [
        *named(name, few, few, **NOT),
        case("nan", operator, STRANGE, STRANGE[::-1], **NOT),
        case("number", number, few((3, 4), 0), **NOT),
        case("integers", operator, whole(-2, 2)((3, 4), 0), whole(-2, 2)((4,), 1), **NOT),
    ]


def _logical(name: str) -> list[Sample]:
    return [
        *named(name, whole(-1, 2), whole(-1, 2), **NOT),
        *(case(f"{s} of bools", s.function, *(a > 0 for a in s.inputs), **NOT)
          for s in named(name, whole(-1, 2), whole(-1, 2))[:2]),
    ]  # fmt: skip


def _bits(name: str, symbol: str) -> list[Sample]:
    operator: Any = eval(f"lambda lib, x, y: x {symbol} y")
    return [
        *named(name, whole(-9, 9), whole(-9, 9), **NOT),
        case("of bools", operator, truth((3, 4), 0), truth((4,), 1), **NOT),
    ]


REFERENCE: dict[str, Any] = {
    "expm1": np.expm1,
    "atan2": np.arctan2,
    "logit": _logit,
    "add": lambda x, y, alpha=1: x + alpha * y,
    "sub": lambda x, y, alpha=1: x - alpha * y,
    "rsub": lambda x, y: y - x,
    "mul": np.multiply,
    "div": np.true_divide,
    "pow": np.power,
    "neg": np.negative,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "square": np.square,
    "sign": np.sign,
    "sgn": _sign,
    "conj": np.conj,
    "angle": np.angle,
    "isreal": np.isreal,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "erf": _erf,
    "gelu": _gelu,
    "relu": lambda x: np.maximum(x, 0),
    "softplus": _softplus,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "clamp": _clamp,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "where": lambda c, *xy: np.where(c, *xy) if xy else np.nonzero(c),
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.bitwise_not,
}

SAMPLES: dict[str, list[Sample]] = {
    "expm1": [
        *named("expm1", ANY, planes=[PLANE]),
        case("near zero", lambda lib, x: lib.expm1(x), 1e-6 * X),
    ],
    "atan2": named("atan2", AWAY, AWAY),
    "logit": [
        *named("logit", uniform(0.1, 0.9)),
        case("eps", lambda lib, x: lib.logit(x, eps=0.3), uniform(0.1, 0.9)((3, 4), 0)),
    ],
    "positive": pointwise(
        lambda lib, x: lib.positive(x) * 2, ANY, planes=[PLANE], reference=lambda x: x * 2
    ),
    "rdiv": pointwise(lambda lib, x: 3 / x, AWAY, planes=[PLANE]),
    "invert": [
        case("integers", lambda lib, x: ~x, whole(-9, 9)((3, 4), 0), reference=np.invert, **NOT),
        case("of bools", lambda lib, x: ~x, truth((3, 4), 0), reference=np.invert, **NOT),
    ],
    "add": [
        *named("add", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x + y, X, ROW),
        case("number right", lambda lib, x: x + 2, X),
        case("number left", lambda lib, x: 2.5 + x, X),
        case("alpha", lambda lib, x, y: lib.add(x, y, alpha=3), X, ROW),
        case("itself", lambda lib, x: x + x, X),
    ],
    "sub": [
        *named("sub", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x - y, X, ROW),
        case("number right", lambda lib, x: x - 2, X),
        case("number left", lambda lib, x: 2.5 - x, X),
        case("alpha", lambda lib, x, y: lib.sub(x, y, alpha=3), X, ROW),
    ],
    "rsub": named("rsub", ANY, ANY),
    "mul": [
        *named("mul", ANY, ANY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x * y, X, ROW),
        case("number right", lambda lib, x: x * 3, X),
        case("number left", lambda lib, x: 2.5 * x, X),
        case("complex number", lambda lib, x: x * (1 + 2j), PLANE((3,), 0)),
        case("itself", lambda lib, x: x * x, X),
    ],
    "div": [
        *named("div", ANY, AWAY, planes=(PLANE, PLANE)),
        case("operator", lambda lib, x, y: x / y, X, AWAY((4,), 0)),
        case("number right", lambda lib, x: x / 3, X),
        case("number left", lambda lib, x: 2.5 / x, AWAY((3, 4), 0)),
    ],
    "pow": [
        *named("pow", POSITIVE, ANY, planes=(RIGHT, PLANE)),
        case("operator", lambda lib, x, y: x**y, POSITIVE((3, 4), 0), ROW),
        *(case(f"number {p}", lambda lib, x, p=p: x**p, POSITIVE((3, 4), 0))
          for p in (0, 1, 2, 3, 4, 0.5, -0.5, -1, -2, 2.5, -1.5)),
        case("even power of negatives", lambda lib, x: lib.pow(x, 4), ANY((3, 4), 0)),
        case("number left", lambda lib, x: 2.5**x, X),
        case("number left function", lambda lib, x: lib.pow(2, x), X),
        case("complex number", lambda lib, x: x**3, PLANE((3,), 0)),
        case("complex root", lambda lib, x: x**0.5, RIGHT((3,), 0)),
        case("itself", lambda lib, x: x**x, POSITIVE((3,), 0)),
    ],
    "neg": [*named("neg", ANY, planes=(PLANE,)), case("operator", lambda lib, x: -x, X)],
    "abs": [
        *named("abs", lattice(0.05), planes=(PLANE,)),
        case("builtin", lambda lib, x: abs(x), lattice(0.05)((3,), 0)),
    ],
    "reciprocal": named("reciprocal", AWAY, planes=(PLANE,)),
    "square": named("square", ANY, planes=(PLANE,)),
    "sign": named("sign", lattice(0.05)),
    "sgn": named("sgn", lattice(0.05), planes=(PLANE,)),
    "conj": named("conj", ANY, planes=(PLANE,)),
    "angle": named("angle", lattice(0.05), planes=(PLANE,)),
    "isreal": [
        *named("isreal", around(ANY, lattice(0, 2)), **NOT),
        case("of real", lambda lib, x: lib.isreal(x), STRANGE, **NOT),
        case("of integers", lambda lib, x: lib.isreal(x), INDICES, **NOT),
    ],
    "exp": named("exp", ANY, planes=(PLANE,)),
    "log": named("log", POSITIVE, planes=(RIGHT,)),
    "log1p": named("log1p", uniform(-0.6, 2), planes=(RIGHT,)),
    "sqrt": named("sqrt", POSITIVE, planes=(RIGHT,)),
    "rsqrt": named("rsqrt", POSITIVE, planes=(RIGHT,)),
    "sin": named("sin", ANY, planes=(PLANE,)),
    "cos": named("cos", ANY, planes=(PLANE,)),
    "tan": named("tan", uniform(-1.2, 1.2), planes=(around(uniform(-1, 1)),)),
    "tanh": named("tanh", ANY, planes=(around(uniform(-1, 1)),)),
    "sigmoid": named("sigmoid", ANY, planes=(PLANE,)),
    "erf": named("erf", ANY),
    "hypot": named("hypot", AWAY, AWAY),
    "logaddexp": [
        *named("logaddexp", ANY, ANY),
        case("far out", lambda lib, x, y: lib.logaddexp(x, y), np.array([1000.0, -1000.0, 3.0]),
             np.array([999.0, -999.0, -1000.0])),
    ],
    "relu": named("relu", lattice(0.05)),
    "gelu": [
        *named("gelu", ANY),
        case("tanh", lambda lib, x: lib.gelu(x, approximate="tanh"), X),
    ],
    "silu": named("silu", ANY),
    "softplus": [
        *named("softplus", ANY),
        case("beta and threshold", lambda lib, x: lib.softplus(x, 2, 1), lattice(0.05)((3, 4), 0)),
    ],
    "maximum": named("maximum", lattice(0.02), lattice(0.07)),
    "minimum": named("minimum", lattice(0.02), lattice(0.07)),
    "clamp": [
        *(s for s in pointwise(lambda lib, x: lib.clamp(x, -1, 1), lattice(0.05))),
        case("min", lambda lib, x: lib.clamp(x, min=0.5), lattice(0.02)((3, 4), 0)),
        case("max", lambda lib, x: lib.clamp(x, max=0.5), lattice(0.02)((3, 4), 0)),
        *(case(f"tensors {s}", s.function, *s.inputs, layout=s.layout) for s in pointwise(
            lambda lib, x, a, b: lib.clamp(x, a, b),
            lattice(0.02), lattice(-0.95, 5), lattice(0.96, 5))),
        case("tensor min", lambda lib, x, a: lib.clamp(x, min=a),
             lattice(0.02)((3, 4), 0), lattice(0.06)((4,), 1)),
        case("tensor max", lambda lib, x, b: lib.clamp(x, max=b),
             lattice(0.02)((3, 4), 0), lattice(0.06)((3, 1), 1)),
        case("min above max", lambda lib, x: lib.clamp(x, 1, -1), lattice(0.05)((3, 4), 0)),
    ],
    "where": [
        *pointwise(lambda lib, c, x, y: lib.where(c, x, y), truth, ANY, ANY),
        case("numbers", lambda lib, c, x: lib.where(c, x, 0.0), truth((3, 1)), X),
        case("number first", lambda lib, c, x: lib.where(c, 2.0, x), truth((3, 4)), ROW),
        case("complex", lambda lib, c, x, y: lib.where(c, x, y),
             truth((3,)), PLANE((3,), 0), PLANE((3,), 1)),
        case("complex with real", lambda lib, c, x, y: lib.where(c, x, y),
             truth((3,)), PLANE((3,), 0), ANY((3,), 1)),
        case("indices", lambda lib, c: lib.where(c), truth((3, 4)), **NOT),
    ],
    **{name: _compared(name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{name: _logical(name) for name in ("logical_and", "logical_or", "logical_xor")},
    "logical_not": [
        *named("logical_not", whole(-1, 2), **NOT),
        case("floats", lambda lib, x: lib.logical_not(x), lattice(0, 2)((3, 4), 0), **NOT),
    ],
    **{name: [
        *named(name, ANY, **NOT),
        case("strange", lambda lib, x, name=name: getattr(lib, name)(x), STRANGE, **NOT),
    ] for name in ("isnan", "isinf")},
    "bitwise_and": _bits("bitwise_and", "&"),
    "bitwise_or": _bits("bitwise_or", "|"),
    "bitwise_xor": _bits("bitwise_xor", "^"),
    "bitwise_not": [
        *named("bitwise_not", whole(-9, 9), **NOT),
        case("of bools", lambda lib, x: ~x, truth((3, 4)), **NOT),
    ],
}  # fmt: skip

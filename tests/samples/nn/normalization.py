"""Samples of normalization."""

from __future__ import annotations

from typing import Any

from samples.draw import ANY
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def _normal(x: Any, axes: Any, weight: Any = 1, bias: Any = 0, eps: float = 1e-5) -> Any:
    below = x - x.mean(axes, keepdims=True)
    return below / (below.var(axes, keepdims=True) + eps) ** 0.5 * weight + bias


def _squares(x: Any, axes: Any, eps: float, weight: Any = 1) -> Any:
    return x / ((x * x).mean(axes, keepdims=True) + eps) ** 0.5 * weight


def _columns(a: Any, ndim: int = 3) -> Any:
    return a.reshape(-1, *(1,) * (ndim - 2))


def _grouped(x: Any, groups: int) -> Any:
    return _normal(x.reshape(len(x), groups, -1), 2).reshape(x.shape)


def _means(x: Any, size: int) -> Any:
    total = 0 * x
    for k in range(x.shape[1]):
        part = x[:, max(k - size // 2, 0) : k + (size - 1) // 2 + 1]
        total[:, k] = (part**2).sum(1) / size
    return total


def _running(lib: Any, x: Any) -> tuple[Any, ...]:
    return tuple(lib.full((4,), n, dtype=x.dtype, device=x.device) for n in (0.5, 2.0))


X, Z, ROW, OTHER = ANY((4, 3), 0), ANY((2, 4, 5), 1), ANY((3,), 2), ANY((3,), 3)
FOUR, MORE = ANY((4,), 4), ANY((4,), 5)

SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.layer_norm": [
        case("plain", lambda lib, x: lib.nn.functional.layer_norm(x, (3,)), X,
             reference=lambda x: _normal(x, -1)),
        case("weight", lambda lib, x, w: lib.nn.functional.layer_norm(x, (3,), w), X, ROW,
             reference=lambda x, w: _normal(x, -1, w)),
        case("bias", lambda lib, x, b: lib.nn.functional.layer_norm(x, (3,), bias=b), X, ROW,
             reference=lambda x, b: _normal(x, -1, 1, b)),
        case("both", lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (3,), w, b, 1e-3), X,
             ROW, OTHER, reference=lambda x, w, b: _normal(x, -1, w, b, 1e-3)),
        case("two dims", lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (4, 5), w, b), Z,
             ANY((4, 5), 2), ANY((4, 5), 3),
             reference=lambda x, w, b: _normal(x, (1, 2), w, b)),
        case("transposed", lambda lib, x, w: lib.nn.functional.layer_norm(x, (3,), w), X, ROW,
             layout="transposed", reference=lambda x, w: _normal(x, -1, w)),
    ],
    "layer_norm": [
        case("both", lambda lib, x, w, b: lib.layer_norm(x, (3,), w, b), X, ROW, OTHER,
             reference=lambda x, w, b: _normal(x, -1, w, b)),
    ],
    "rms_norm": [
        case("plain", lambda lib, x: lib.rms_norm(x, (3,), eps=1e-3), X,
             reference=lambda x: _squares(x, -1, 1e-3)),
        case("weight", lambda lib, x, w: lib.rms_norm(x, (4, 5), w, 1e-3), Z, ANY((4, 5), 2),
             reference=lambda x, w: _squares(x, (1, 2), 1e-3, w)),
        case("functional", lambda lib, x, w: lib.nn.functional.rms_norm(x, (3,), w, 1e-3), X, ROW,
             reference=lambda x, w: _squares(x, -1, 1e-3, w)),
    ],
    "nn.functional.group_norm": [
        case("plain", lambda lib, x: lib.nn.functional.group_norm(x, 2), Z,
             reference=lambda x: _grouped(x, 2)),
        case("both", lambda lib, x, w, b: lib.nn.functional.group_norm(x, 2, w, b), Z, FOUR, MORE,
             reference=lambda x, w, b: _grouped(x, 2) * _columns(w) + _columns(b)),
    ],
    "group_norm": [
        case("weight", lambda lib, x, w: lib.group_norm(x, 4, w), Z, FOUR,
             reference=lambda x, w: _grouped(x, 4) * _columns(w)),
    ],
    "nn.functional.batch_norm": [
        case("plain", lambda lib, x: lib.nn.functional.batch_norm(x, None, None, training=True), X,
             reference=lambda x: _normal(x, 0)),
        case("both", lambda lib, x, w, b: lib.nn.functional.batch_norm(
                x, None, None, w, b, True, eps=1e-3), Z, FOUR, MORE,
             reference=lambda x, w, b: _normal(x, (0, 2), _columns(w), _columns(b), 1e-3)),
        case("running", lambda lib, x, w, b: lib.nn.functional.batch_norm(
                x, *_running(lib, x), w, b), Z, FOUR, MORE,
             reference=lambda x, w, b: (x - 0.5) / (2 + 1e-5) ** 0.5 * _columns(w) + _columns(b)),
        case("running, plain", lambda lib, x: lib.nn.functional.batch_norm(x, *_running(lib, x)),
             Z, reference=lambda x: (x - 0.5) / (2 + 1e-5) ** 0.5),
    ],
    "batch_norm": [
        case("weight", lambda lib, x, w: lib.batch_norm(
                x, w, None, None, None, True, 0.1, 1e-5, True), Z, FOUR,
             reference=lambda x, w: _normal(x, (0, 2), _columns(w))),
    ],
    "nn.functional.instance_norm": [
        case("plain", lambda lib, x: lib.nn.functional.instance_norm(x), Z,
             reference=lambda x: _normal(x, 2)),
        case("both", lambda lib, x, w, b: lib.nn.functional.instance_norm(x, None, None, w, b), Z,
             FOUR, MORE, reference=lambda x, w, b: _normal(x, 2, _columns(w), _columns(b))),
    ],
    "instance_norm": [
        case("weight", lambda lib, x, w: lib.instance_norm(
                x, w, None, None, None, True, 0.1, 1e-5, True), Z, FOUR,
             reference=lambda x, w: _normal(x, 2, _columns(w))),
    ],
    "nn.functional.local_response_norm": [
        case("two", lambda lib, x: lib.nn.functional.local_response_norm(x, 2, 0.5, 0.75, 2.0), Z,
             reference=lambda x: x / (2 + 0.5 * _means(x, 2)) ** 0.75),
        case("three", lambda lib, x: lib.nn.functional.local_response_norm(x, 3),
             ANY((2, 4, 2, 2), 0), reference=lambda x: x / (1 + 1e-4 * _means(x, 3)) ** 0.75),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}
SAMPLES["nn.functional.batch_norm"].append(
    case(
        "running, halves",
        lambda lib, x: lib.nn.functional.batch_norm(x, *_running(lib, x)),
        Z,
        reference=lambda x: (x - 0.5) / (2 + 1e-5) ** 0.5,
    )
)

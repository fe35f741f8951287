"""Samples of copies, also of other types and on other devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import lattice
from samples.family import NONE, NOT, NUMBER, X, case, rearranged
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "clone": np.copy,
}

SAMPLES: dict[str, list[Sample]] = {
    "clone": [
        *rearranged(lambda lib, x: lib.clone(x), (3, 4)),
        case("0-d", lambda lib, x: lib.clone(x), NUMBER),
        case("zero-size", lambda lib, x: lib.clone(x), NONE),
    ],
    "detach": [case("ordinary", lambda lib, x: lib.detach(x), X, reference=np.copy, **NOT)],
    "contiguous": [
        *rearranged(lambda lib, x: x.contiguous(), (3, 4), reference=np.copy),
        case("0-d", lambda lib, x: x.contiguous(), NUMBER, reference=np.copy),
    ],
    "to": [
        case("double", lambda lib, x: x.to(lib.float64), X, reference=np.copy),
        case("double method", lambda lib, x: x.double(), NUMBER, reference=np.copy),
        case("float", lambda lib, x: x.to(lib.float32), X, coarse=True, reference=np.float32),
        case("half", lambda lib, x: x.half(), X, coarse=True, reference=np.float16),
        case("type as", lambda lib, x, y: x.type_as(y) * 2, X, X, reference=lambda x, y: x * 2),
        case("keyword", lambda lib, x: x.to(dtype=lib.float32), X, layout="transposed",
             coarse=True, reference=np.float32),
        case("copy", lambda lib, x: x.to(x.dtype, copy=True), X, reference=np.copy),
        case("device", lambda lib, x: x.to("cpu"), X, reference=np.copy),
        case("cpu", lambda lib, x: x.cpu() * 2, X, reference=lambda x: x * 2),
        case("integers", lambda lib, x: x.to(lib.int64), X, reference=np.int64, **NOT),
        case("truth", lambda lib, x: x.bool(), lattice(0, 2)((3,), 0), reference=np.bool_, **NOT),
        case("complex", lambda lib, x: x.to(lib.complex128), X, reference=np.complex128),
        case("zero-size", lambda lib, x: x.to(lib.float64), NONE, reference=np.copy),
    ],
}  # fmt: skip

"""Samples of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, AWAY, PLANE, POSITIVE
from samples.family import X, Z, case, named, single
from samples.sample import Sample


def _paired(x: Any) -> Any:
    return x[..., 0] + 1j * x[..., 1]


REFERENCE: dict[str, Any] = {
    "conj_physical": np.conj,
    "real": np.real,
    "imag": np.imag,
    "complex": lambda x, y: x + 1j * y,
    "polar": lambda x, y: x * np.exp(1j * y),
}

SAMPLES: dict[str, list[Sample]] = {
    "conj_physical": named("conj_physical", PLANE),
    "resolve_conj": [case("complex", lambda lib, x: lib.resolve_conj(x) * 2, PLANE((3,), 0),
                          reference=lambda x: x * 2)],
    "real": [
        *named("real", PLANE),
        case("of real", lambda lib, x: lib.real(x) * 2, X),
    ],
    "imag": named("imag", PLANE),
    "complex": single(named("complex", ANY, ANY)),
    "polar": single([
        *named("polar", POSITIVE, ANY),
        case("negative", lambda lib, x, y: lib.polar(x, y), AWAY((3,), 0), ANY((3,), 1)),
    ]),
    "view_as_real": [
        case("matrix", lambda lib, x: lib.view_as_real(x), PLANE((2, 3), 0),
             reference=lambda x: np.stack([x.real, x.imag], -1)),
        case("transposed", lambda lib, x: lib.view_as_real(x), PLANE((2, 3), 0),
             layout="transposed", reference=lambda x: np.stack([x.real, x.imag], -1)),
    ],
    "view_as_complex": single([
        case("matrix", lambda lib, x: lib.view_as_complex(x), ANY((3, 2), 0), reference=_paired),
        case("of three dimensions", lambda lib, x: lib.view_as_complex(x[1:]), Z[..., :2].copy(),
             reference=lambda x: _paired(x[1:])),
        case("sliced", lambda lib, x: lib.view_as_complex(x), ANY((3, 2), 0), layout="sliced",
             reference=_paired),
        case("one", lambda lib, x: lib.view_as_complex(x), ANY((2,), 0), reference=_paired),
        case("zero-size", lambda lib, x: lib.view_as_complex(x * 2), ANY((0, 2), 0),
             reference=_paired),
    ]),
}  # fmt: skip

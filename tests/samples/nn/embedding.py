"""Samples of rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, distinct
from samples.family import NOT, case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

TABLE, BAGS, ROWS = ANY((5, 3), 0), np.array([[2, 0, 4], [2, 2, 1]]), np.array([0, 3, 3, 1, 4, 2])
OFFSETS = np.array([0, 2, 2, 5])


def _bagged(w: Any, rows: Any, mode: Any, factors: Any = None, padding: Any = None) -> Any:
    """Return what is made of each bag; the first ends at 2, the second has no rows."""
    found = []
    for a, b in ((0, 2), (2, 2), (2, 5), (5, 6)):
        some = [k for k in range(a, b) if rows[k] != padding]
        part = w[rows[some]] * (1 if factors is None else factors[some, None])
        found.append(getattr(np, mode)(part, 0) if some else w[0] * 0)
    return np.stack(found)


def _bag(**options: Any) -> Any:
    return lambda lib, w, i, o: lib.nn.functional.embedding_bag(i, w, _begun(o), **options)


def _begun(offsets: Any) -> Any:
    """Return offsets as they are, and those of others of the same numbers in order from 0."""
    return (offsets - offsets[0]).abs().sort()[0]


SAMPLES: dict[str, list[Sample]] = {
    "nn.functional.embedding": [
        case("rows", lambda lib, w, i: lib.nn.functional.embedding(i, w), TABLE, BAGS,
             reference=lambda w, i: w[i]),
    ],
    "embedding": [
        case("one", lambda lib, w, i: lib.embedding(w, i), TABLE, np.array(3),
             reference=lambda w, i: w[i]),
    ],
    "embedding_renorm_": [
        case("table", lambda lib, w, i: lib.embedding_renorm_(w.detach() + 0 * i[0], i, 1.0, 2.0),
             TABLE, np.array([1, 2]), reference=lambda w, i: np.stack(
                 [r if k not in (1, 2) else r * min(1, 1 / (np.linalg.norm(r) + 1e-7))
                  for k, r in enumerate(w)]), **NOT),
    ],
    "nn.functional.embedding_bag": [
        case("mean", _bag(), TABLE, ROWS, OFFSETS,
             reference=lambda w, i, o: _bagged(w, i, "mean")),
        case("sum", _bag(mode="sum"), TABLE, ROWS, OFFSETS,
             reference=lambda w, i, o: _bagged(w, i, "sum")),
        case("max", _bag(mode="max"), distinct((5, 3)), ROWS, OFFSETS,
             reference=lambda w, i, o: _bagged(w, i, "max")),
        case("padding", _bag(padding_idx=3), TABLE, ROWS, OFFSETS,
             reference=lambda w, i, o: _bagged(w, i, "mean", None, 3)),
        case("max, padding", _bag(mode="max", padding_idx=3), distinct((5, 3)), ROWS, OFFSETS,
             reference=lambda w, i, o: _bagged(w, i, "max", None, 3)),
        case("weights", lambda lib, w, i, o, p: lib.nn.functional.embedding_bag(
                i, w, _begun(o), mode="sum", per_sample_weights=p),
             TABLE, ROWS, OFFSETS, ANY((6,), 1),
             reference=lambda w, i, o, p: _bagged(w, i, "sum", p)),
        case("fixed", lambda lib, w, i: lib.nn.functional.embedding_bag(i, w), TABLE, BAGS,
             reference=lambda w, i: w[i].mean(1)),
        case("last offset", _bag(include_last_offset=True), TABLE, ROWS, np.array([0, 4, 6]),
             reference=lambda w, i, o: np.stack([w[i[:4]].mean(0), w[i[4:]].mean(0)])),
    ],
    "embedding_bag": [
        case("sum", lambda lib, w, i, o: lib.embedding_bag(w, i, _begun(o))[0], TABLE, ROWS,
             OFFSETS, reference=lambda w, i, o: _bagged(w, i, "sum")),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

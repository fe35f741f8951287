"""Samples of copies with other values at some places."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, truth
from samples.family import INDICES, NUMBER, PLACES, ROW, X, case, placed, rearranged
from samples.sample import Sample


def _masked_scatter(x: Any, y: Any, mask: Any) -> Any:
    return placed(x, mask, y.reshape(-1)[: mask.sum()])


REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "gather": [
        *(case(str(s), s.function, *s.inputs, PLACES, layout=s.layout,
               reference=lambda x, i: np.take_along_axis(x, i, 0))
          for s in rearranged(lambda lib, x, i: lib.gather(x, 0, i), (3, 4))),
        case("smaller", lambda lib, x, i: x.gather(-1, i), X, INDICES[:2, None],
             reference=lambda x, i: np.take_along_axis(x[:2], i, 1)),
        case("0-d index", lambda lib, x, i: x.gather(0, i), ROW, np.asarray(2),
             reference=lambda x, i: x[i]),
        case("0-d", lambda lib, x, i: x.gather(0, i * 0), NUMBER, INDICES,
             reference=lambda x, i: x + 0 * i),
        case("zero-size", lambda lib, x, i: x.gather(0, i), X, np.zeros((0, 2), np.int64),
             reference=lambda x, i: x[:0, :2]),
    ],
    "masked_fill": [
        *(case(str(s), s.function, *s.inputs, truth((3, 1)), layout=s.layout,
               reference=lambda x, m: np.where(m, 2.5, x))
          for s in rearranged(lambda lib, x, m: lib.masked_fill(x, m, 2.5), (3, 4))),
        case("larger mask", lambda lib, x, m: lib.masked_fill(x, m, 2), ROW, truth((3, 1)),
             reference=lambda x, m: np.where(m, 2, x)),
        case("0-d", lambda lib, x, m: x.masked_fill(m, 2) * 2, NUMBER, np.asarray(False),
             reference=lambda x, m: x * 2),
        case("by a tensor", lambda lib, x, m, v: x.masked_fill(m, v), X, truth((3, 4)), NUMBER,
             reference=lambda x, m, v: np.where(m, v, x)),
    ],
    "masked_scatter": [
        *(case(str(s), s.function, *s.inputs, truth((3, 4)), layout=s.layout,
               reference=_masked_scatter)
          for s in rearranged(lambda lib, x, y, m: lib.masked_scatter(x, m, y), (3, 4), (2, 8))),
        case("larger mask", lambda lib, x, y, m: x.masked_scatter(m, y), ROW, X, truth((3, 4)),
             reference=lambda x, y, m: _masked_scatter(np.tile(x, (3, 1)), y, m)),
    ],
    "index_fill": [
        *(case(str(s), s.function, *s.inputs, INDICES, layout=s.layout,
               reference=lambda x, i: placed(x, (slice(None), i), 2.5))
          for s in rearranged(lambda lib, x, i: lib.index_fill(x, 1, i, 2.5), (3, 4))),
        case("by a tensor", lambda lib, x, v, i: x.index_fill(0, i, v), X, NUMBER, INDICES,
             reference=lambda x, v, i: placed(x, i, v)),
        case("negative", lambda lib, x, i: x.index_fill(0, i, 2), X, INDICES - 3,
             reference=lambda x, i: placed(x, i, 2)),
        case("0-d", lambda lib, x, i: x.index_fill(0, i, 2.5), NUMBER, np.array([0]),
             reference=lambda x, i: np.float64(2.5)),
    ],
    "index_copy": [
        *(case(str(s), s.function, *s.inputs, INDICES[:2], layout=s.layout,
               reference=lambda x, y, i: placed(x, (slice(None), i), y))
          for s in rearranged(lambda lib, x, y, i: lib.index_copy(x, 1, i, y), (3, 4), (3, 2))),
        case("one", lambda lib, x, y, i: x.index_copy(0, i, y), X, ANY((1, 4), 1), np.asarray(1),
             reference=lambda x, y, i: placed(x, i, y[0])),
    ],
}  # fmt: skip

"""Samples of views by strides."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, Array
from samples.family import NUMBER, ROW, X, case, placed, rearranged
from samples.sample import Sample


def _windows(axis: int, length: int, step: int) -> Any:
    every = (slice(None),) * axis + (slice(None, None, step),)
    return lambda x: (
        np.lib.stride_tricks.sliding_window_view(x, length, axis)[every] if length
        else np.empty((*x.shape[:axis], x.shape[axis] // step + 1, *x.shape[axis + 1 :], 0))
    )  # fmt: skip


def _written(index: Any) -> Any:
    return lambda x, y: placed(x, index, y)


def _in_memory(places: Any) -> Any:
    return lambda x, y: placed(x.reshape(-1), np.array(places), y).reshape(x.shape)


def _after(x: Any, count: int) -> int:
    """Return how many elements lie in memory before one that is ``count`` after the first."""
    return int(x.storage_offset()) + count


def _seen(places: Any) -> Any:
    return lambda x: x.reshape(-1)[np.array(places)]


# Of as_strided: a name, a call, the places in memory that it names, and the input.
_STRIDED: list[tuple[str, Any, Any, tuple[Array, ...]]] = [
    ("ordinary", lambda lib, x: lib.as_strided(x, (2, 2), (1, 5)), _seen([[0, 5], [1, 6]]), (X,)),
    ("offset", lambda lib, x: x.as_strided((2,), (3,), _after(x, 4)), _seen([4, 7]), (X,)),
    ("overlapping", lambda lib, x: lib.as_strided(x, (3, 2), (1, 1), _after(x, 2)),
     _seen([[2, 3], [3, 4], [4, 5]]), (X,)),
    ("repeated", lambda lib, x: x.as_strided((2, 3), (0, 2)), _seen([[0, 2, 4]] * 2), (X,)),
    ("of a part", lambda lib, x: x[1:, ::2].as_strided((2, 2), (4, 2)), _seen([[4, 6], [8, 10]]),
     (X,)),
    ("of a repetition", lambda lib, x: x.expand(3, 4).as_strided((2, 2), (1, 1)),
     _seen([[0, 1], [1, 2]]), (ROW,)),
    ("0-d", lambda lib, x: x.as_strided((), (), _after(x, 5)), _seen(5), (X,)),
    ("zero-size", lambda lib, x: x.as_strided((0, 2), (1, 1)), lambda x: np.empty((0, 2)), (X,)),
    ("complex", lambda lib, x: x.as_strided((2, 2), (1, 5)), _seen([[0, 5], [1, 6]]),
     (PLANE((3, 4), 0),)),
]  # fmt: skip


REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    "as_strided": [
        case(name, call, *inputs, reference=call_strided)
        for name, call, call_strided, inputs in _STRIDED
    ],
    "unfold": [
        *rearranged(lambda lib, x: x.unfold(1, 2, 1), (3, 4), reference=_windows(1, 2, 1)),
        case("with gaps", lambda lib, x: x.unfold(0, 2, 3), ANY((9, 2), 0),
             reference=_windows(0, 2, 3)),
        case("overlapping", lambda lib, x: x.unfold(-2, 4, 2), ANY((2, 9, 2), 0),
             reference=_windows(1, 4, 2)),
        case("empty windows", lambda lib, x: x.unfold(0, 0, 1), X, reference=_windows(0, 0, 1)),
        case("0-d", lambda lib, x: x.unfold(0, 1, 1), NUMBER, reference=lambda x: x.reshape(1)),
    ],
    "as_strided_scatter": [
        case("ordinary",
             lambda lib, x, y: lib.as_strided_scatter(x, y, (2, 2), (5, 2), _after(x, 1)),
             X, ANY((2, 2), 0), reference=_in_memory([[1, 3], [6, 8]])),
        case("complex", lambda lib, x, y: lib.as_strided_scatter(x, y, (2,), (5,)),
             PLANE((3, 4), 0), PLANE((2,), 1), reference=_in_memory([0, 5])),
    ],
    "slice_scatter": [
        *rearranged(lambda lib, x, y: lib.slice_scatter(x, y, 1, 0, None, 2), (3, 4), (3, 2),
                    reference=_written((slice(None), slice(0, None, 2)))),
        case("negative", lambda lib, x, y: lib.slice_scatter(x, y, start=-2), X,
             ANY((2, 4), 0), reference=_written(slice(-2, None))),
        case("beyond the end", lambda lib, x, y: lib.slice_scatter(x, y, 0, 1, 99), X,
             ANY((2, 4), 0), reference=_written(slice(1, 99))),
    ],
    "select_scatter": [
        *rearranged(lambda lib, x, y: lib.select_scatter(x, y, 1, 2), (3, 4), (3,),
                    reference=_written((slice(None), 2))),
        case("negative", lambda lib, x, y: lib.select_scatter(x, y, -1, -2), X, ANY((3,), 0),
             reference=_written((slice(None), -2))),
    ],
    "diagonal_scatter": [
        *rearranged(lambda lib, x, y: lib.diagonal_scatter(x, y), (3, 4), (3,),
                    reference=_written((range(3), range(3)))),
        case("below", lambda lib, x, y: lib.diagonal_scatter(x, y, -1, 1, 0), X, ANY((3,), 0),
             reference=_written((range(3), range(1, 4)))),
        case("outside", lambda lib, x, y: lib.diagonal_scatter(x, y, 9), X, ANY((0,), 0),
             reference=lambda x, y: x),
    ],
}  # fmt: skip

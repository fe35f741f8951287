"""Samples of sums of products over named dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case, product
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "inner": np.inner,
    "tensordot": np.tensordot,
}


def named(equation: str, *shapes: tuple[int, ...], draw: Any = ANY, half: bool = True) -> Sample:
    """Return a sample of an equation."""

    def call(lib: Any, *x: Any) -> Any:
        return lib.einsum(equation, *x)

    inputs = [draw(s, k) for k, s in enumerate(shapes)]
    title = f"{equation} complex" if draw is PLANE else equation
    return case(
        title, call, *inputs, reference=lambda *x: np.asarray(np.einsum(equation, *x)), half=half
    )


def summed(dims: Any, *shapes: tuple[int, ...]) -> Sample:
    """Return a sample of a product summed over dimensions."""

    def call(lib: Any, x: Any, y: Any) -> Any:
        return lib.tensordot(x, y, dims)

    return case(str(dims), call, ANY(shapes[0], 0), ANY(shapes[1], 1))


SAMPLES: dict[str, list[Sample]] = {
    "einsum": [
        named("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
        named("bij,kj->bki", (2, 3, 4), (5, 4), draw=PLANE),
        named("ijkl,lmji->mk", (2, 3, 2, 4), (4, 2, 3, 2)),
        # three products, each of which would be rounded
        named("ij,jk,kl,lm", (2, 3), (3, 4), (4, 2), (2, 3), half=False),
        named("i,j->ij", (3,), (4,)),
        named("ii->i", (3, 3)),
        named("iji,kii->jk", (3, 2, 3), (4, 3, 3)),
        named("...ij,...j->...i", (2, 1, 3, 4), (5, 4)),
        named("i...->...", (3, 2, 4)),
        named("ij,kj->", (3, 4), (2, 4)),
        named("ij,ij->j", (3, 4), (1, 4)),
        named("ij->ji", (0, 3)),
        case(
            "lists", lambda lib, x, y: lib.einsum(x, [0, ..., 1], y, [1, 2], [2, ..., 0]),
            ANY((2, 3, 4), 0), ANY((4, 2), 1),
            reference=lambda x, y: np.einsum("a...b,bc->c...a", x, y),
        ),
    ],
    "inner": product("inner", ((2, 3, 4), (5, 4)), ((4,), (4,)), ((), (3,))),
    "tensordot": [
        summed(2, (2, 3, 4), (3, 4, 5)),
        summed(0, (2, 3), (4,)),
        summed(([2, 0], [0, 2]), (2, 3, 4), (4, 5, 2)),
        case(
            "broadcast", lambda lib, x, y: lib.tensordot(x, y, ([0, 1], [1, 0])),
            ANY((2, 1), 0), ANY((3, 2), 1), reference=lambda x, y: (x[:, 0] * y.sum(0)).sum(),
        ),
    ],
}  # fmt: skip

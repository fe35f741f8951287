"""Samples of products that are added to a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def added(name: str, *shapes: tuple[int, ...]) -> list[Sample]:
    """Return samples of the sum of a tensor and a product; the first shape is the tensor's."""

    def call(**factors: Any) -> Any:
        return lambda lib, *x: getattr(lib, name)(*x, **factors)

    def reference(**factors: float) -> Any:
        beta, alpha = (factors.get(f, 1) for f in ("beta", "alpha"))
        return lambda x, y, z: (0 if beta == 0 else beta * x) + alpha * PRODUCTS[name](y, z)

    def samples(title: str, draw: Any, first: Any, **factors: Any) -> Sample:
        inputs = [draw(s, k) for k, s in enumerate((first, *shapes[1:]))]
        return case(title, call(**factors), *inputs, reference=reference(**factors))

    return [
        samples("ordinary", ANY, shapes[0]),
        samples("broadcast", ANY, (1,) * len(shapes[0])),
        samples("0-d", ANY, ()),
        samples("scaled", ANY, shapes[0], beta=0.5, alpha=-2),
        samples("without the tensor", ANY, shapes[0], beta=0, alpha=2),
        samples("complex", PLANE, shapes[0], beta=0.5 - 1j, alpha=2j),
    ]


PRODUCTS: dict[str, Any] = {
    "addmm": np.matmul,
    "addmv": np.matmul,
    "addbmm": lambda y, z: (y @ z).sum(0),
    "baddbmm": np.matmul,
    "addr": np.outer,
}

SAMPLES: dict[str, list[Sample]] = {
    "addmm": added("addmm", (3, 2), (3, 4), (4, 2)),
    "addmv": added("addmv", (3,), (3, 4), (4,)),
    "addbmm": added("addbmm", (3, 2), (5, 3, 4), (5, 4, 2)),
    "baddbmm": single(added("baddbmm", (5, 3, 2), (5, 3, 4), (5, 4, 2))),
    "addr": added("addr", (3, 4), (3,), (4,)),
}

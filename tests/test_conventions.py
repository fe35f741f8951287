"""Gradients at points without a derivative, by PyTorch's convention and by that of mathematics.

``python tests/test_conventions.py`` writes the table of CONVENTIONS.md, which is made of ROWS.
"""

from __future__ import annotations

import math
import threading
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import gpugrad
from gpugrad import autograd, conventions, func, testing
from gpugrad.graph import mode
from gpugrad.testing import SAMPLES, Sample, assert_close, flat

INF, NAN = math.inf, math.nan
PAGE = Path(__file__).parent.parent / "CONVENTIONS.md"


class Row(NamedTuple):
    """A program at a point, and the gradients of its inputs ``x``, ``y`` by both conventions."""

    text: str  # with the library as ``torch``
    point: tuple[Any, ...]
    torch: tuple[Any, ...]
    math: tuple[Any, ...]
    reason: str  # derivative, derivative from the right, subgradient, limit or choice
    order: int = 1

    def __call__(self, lib: Any, *inputs: Any) -> Any:
        names = dict(zip("xy", inputs, strict=False))
        return eval(self.text, {"torch": lib, "inf": INF}, names)

    def gradients(self, lib: Any, *inputs: Any) -> Any:
        """Return the gradients that the row is about."""
        total = self(lib, *inputs).sum()
        for _ in range(self.order - 1):
            grads = lib.autograd.grad(total, inputs, create_graph=True)
            total = sum(g.sum() for g in grads)
        return lib.autograd.grad(total, inputs)


ROWS = [
    Row("torch.where(x > 0, x.sqrt(), 0.0)", ([-1.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],),
        "choice"),
    Row("torch.where(x > 0, x.log(), 0.0)", ([-1.0, 0.0],), ([-0.0, NAN],), ([0.0, 0.0],),
        "choice"),
    Row("torch.where(x > 0, x**0.5, 0.0)", (-1.0,), (NAN,), (0.0,), "derivative"),
    Row("torch.where(x != 0, x.sin() / x, 1.0)", (0.0,), (NAN,), (0.0,), "derivative"),
    Row("torch.where(x < 100, x.exp(), 0.0)", (1000.0,), (NAN,), (0.0,), "derivative"),
    Row("torch.where(x > 0, x.sqrt(), 0.0)", ([-1.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],),
        "choice", 2),
    Row("x.sqrt() * 0", (0.0,), (NAN,), (0.0,), "derivative from the right"),
    Row("x.sqrt().clamp(min=0.1)", (0.0,), (NAN,), (0.0,), "derivative from the right"),
    Row("torch.maximum(x.sqrt(), torch.ones_like(x))", (0.0,), (NAN,), (0.0,),
        "derivative from the right"),
    Row("x.log().relu()", (0.0,), (NAN,), (0.0,), "derivative from the right"),
    Row("x * x.log()", (0.0,), (NAN,), (-INF,), "limit"),
    Row("(x * x).sqrt()", (0.0,), (NAN,), (0.0,), "subgradient"),
    Row("(x**2) ** 0.5", (0.0,), (NAN,), (0.0,), "subgradient"),
    Row("(x * x).sum().sqrt()", ([0.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],), "subgradient"),
    Row("x.sqrt() ** 2", (0.0,), (NAN,), (0.0,), "choice"),
    Row("x.log().exp()", (0.0,), (NAN,), (0.0,), "choice"),
    Row("torch.hypot(x, y)", (0.0, 0.0), (NAN, NAN), (0.0, 0.0), "subgradient"),
    Row("torch.hypot(x, y)", (0.0, 0.0), (NAN, NAN), (0.0, 0.0), "choice", 2),
    Row("torch.norm(x)", ([0.0, 0.0],), ([0.0, 0.0],), ([0.0, 0.0],), "subgradient"),
    Row("torch.norm(x)", ([0.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],), "choice", 2),
    Row("torch.norm(x, 0.5)", ([0.0, 0.0],), ([NAN, NAN],), ([0.0, 0.0],), "choice", 2),
    Row("torch.norm(x, 1.5)", ([0.0, 1.0],), ([NAN, 0.0],), ([0.0, 0.0],), "choice", 2),
    Row("torch.logaddexp(x, y)", (-INF, -INF), (NAN, NAN), (0.0, 0.0), "choice"),
    Row("torch.logaddexp(x, y)", (INF, INF), (NAN, NAN), (0.5, 0.5), "limit"),
    Row("torch.logaddexp(x, y)", (-INF, 1.0), (NAN, NAN), (0.0, 0.0), "limit", 2),
]  # fmt: skip

EVERY_ROW = pytest.mark.parametrize(
    "row", ROWS, ids=[f"{r.text}-{r.point}-{r.order}".replace(" ", "") for r in ROWS]
)


def leaves(lib: Any, row: Row, device: str = "cpu") -> list[Any]:
    """Return the point as tensors that require grad."""
    return [
        lib.tensor(v, dtype=lib.float64, device=device, requires_grad=True) for v in row.point
    ]


def check(grads: Any, expected: Any) -> None:
    for grad, e in zip(grads, expected, strict=True):
        assert_close(testing.as_numpy(grad), np.asarray(e), 1e-14, 0)


# --------------------------------------------------------------------------- the rows


@EVERY_ROW
def test_default_is_pytorchs_number(row: Row, device: str) -> None:
    check(row.gradients(gpugrad, *leaves(gpugrad, row, device)), row.torch)


@EVERY_ROW
def test_pytorchs_number_is_pytorchs(row: Row) -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(row.gradients(torch, *leaves(torch, row)), row.torch)


@EVERY_ROW
def test_number_by_math(row: Row, device: str) -> None:
    inputs = leaves(gpugrad, row, device)
    with conventions("math"):
        check(row.gradients(gpugrad, *inputs), row.math)


if __name__ == "__main__":
    pass

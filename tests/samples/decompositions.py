"""Samples of decompositions, of what in them is one value: no signs, no phases, no order."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

Array = np.ndarray[Any, np.dtype[Any]]

REFERENCE: dict[str, Any] = {}


def turned(x: Array) -> Array:
    """Return adjoints of matrices."""
    return np.conj(np.swapaxes(x, -1, -2))


def regular(shape: tuple[int, ...], seed: int = 0, plane: bool = False) -> Array:
    """Return matrices that are far from singular ones."""
    draw = PLANE if plane else ANY
    rows, columns = shape[-2:]
    return np.asarray(draw(shape, seed) * 0.5 + 2 * np.eye(rows, columns))


def hermitian(x: Any) -> Any:
    return x + x.mH


def info(shape: tuple[int, ...] = ()) -> Array:
    return np.zeros(shape, np.int32)


SQUARE, STACK, COMPLEX = regular((3, 3), 1), regular((2, 2, 2), 2), regular((2, 2), 3, True)
EACH = {"square": SQUARE, "stack": STACK, "complex": COMPLEX}
APART = {  # whose eigenvalues are
    "square": ANY((3, 3), 1) * 0.2 + np.diag([1.0, 2.5, 4.0]),
    "stack": ANY((2, 2, 2), 2) * 0.2 + np.diag([1.0, -2.0]),
    "complex": PLANE((2, 2), 3) * 0.2 + np.diag([1.0, -2.0]),
}
TALL, WIDE = regular((4, 2), 4), regular((2, 3), 5)


def _cholesky(x: Array) -> Array:
    return np.linalg.cholesky(x @ turned(x))


def _spread(values: Any, vectors: Any) -> Any:
    return values, abs(vectors)


def _eigh(lib: Any, x: Any) -> Any:
    values, vectors = lib.linalg.eigh(hermitian(x))
    return values, vectors.abs()


def _squared(lib: Any, x: Any) -> Any:
    values, vectors = lib.linalg.eig(x)
    return (vectors * (values * values).unsqueeze(-2)) @ lib.linalg.inv(vectors)


def _first(u: Any, s: Any, vh: Any) -> Any:
    return s, u[..., :1] @ vh[..., :1, :]


def _reference_of_svd(x: Array) -> Any:
    return _first(*np.linalg.svd(x, False))


SAMPLES: dict[str, list[Sample]] = {
    "linalg.cholesky": [
        *(case(name, lambda lib, x: lib.linalg.cholesky(x @ x.mH), x, reference=_cholesky)
          for name, x in EACH.items()),
        case("upper", lambda lib, x: lib.linalg.cholesky(x @ x.mH, upper=True), COMPLEX,
             reference=lambda x: turned(_cholesky(x))),
        case("zero-size", lambda lib, x: lib.linalg.cholesky(x), np.ones((0, 2, 2)),
             reference=np.linalg.cholesky),
    ],
    "linalg.cholesky_ex": [
        case("stack", lambda lib, x: lib.linalg.cholesky_ex(x @ x.mH), STACK,
             reference=lambda x: (_cholesky(x), info((2,)))),
    ],
    "cholesky": [
        case("upper", lambda lib, x: lib.cholesky(x @ x.mH, True), SQUARE,
             reference=lambda x: turned(_cholesky(x))),
    ],
    "linalg.qr": [
        *(case(name, lambda lib, x: lib.linalg.qr(x), x, reference=lambda x: tuple(np.linalg.qr(x)))
          for name, x in {**EACH, "tall": TALL, "wide": WIDE}.items()),
        case("complete", lambda lib, x: lib.linalg.qr(x, "complete"), WIDE,
             reference=lambda x: tuple(np.linalg.qr(x, "complete"))),
        case("r", lambda lib, x: lib.linalg.qr(x.detach(), mode="r"), TALL, differentiable=False,
             reference=lambda x: (np.zeros(0), np.linalg.qr(x, "r"))),
    ],
    "qr": [
        case("tall", lambda lib, x: lib.qr(x), TALL, reference=lambda x: tuple(np.linalg.qr(x))),
    ],
    "geqrf": [
        case("tall", lambda lib, x: lib.geqrf(x.detach()), TALL, differentiable=False,
             reference=lambda x: tuple(a.T if a.ndim > 1 else a for a in np.linalg.qr(x, "raw"))),
    ],
    "linalg.eigh": [
        *(case(name, _eigh, x, reference=lambda x: _spread(*np.linalg.eigh(x + turned(x))))
          for name, x in EACH.items()),
        case("upper", lambda lib, x: lib.linalg.eigh(x.detach(), "U")[0], ANY((3, 3), 2),
             reference=lambda x: np.linalg.eigvalsh(x, "U"), differentiable=False),
    ],
    "linalg.eigvalsh": [
        *(case(name, lambda lib, x: lib.linalg.eigvalsh(hermitian(x)), x,
               reference=lambda x: np.linalg.eigvalsh(x + turned(x))) for name, x in EACH.items()),
    ],
    "linalg.eig": [
        *(case(name, _squared, x, reference=lambda x: (x @ x).astype(complex))
          for name, x in APART.items()),
    ],
    "linalg.eigvals": [
        case("without a gradient", lambda lib, x: (lib.linalg.eigvals(x.detach()) ** 2).sum(-1),
             STACK, differentiable=False,
             reference=lambda x: np.trace(x @ x, axis1=-2, axis2=-1).astype(complex)),
        *(case(name, lambda lib, x: (lib.linalg.eigvals(x) ** 2).sum(-1), x,
               reference=lambda x: np.asarray(np.trace(x @ x, axis1=-2, axis2=-1).astype(complex)))
          for name, x in APART.items()),
    ],
    "linalg.svd": [
        *(case(name, lambda lib, x: _first(*lib.linalg.svd(x, False)), x,
               reference=_reference_of_svd)
          for name, x in {**EACH, "tall": TALL, "wide": WIDE}.items()),
        case("only vectors", lambda lib, x: lib.linalg.svd(x)[0] ** 2, SQUARE,
             reference=lambda x: np.linalg.svd(x)[0] ** 2),
        case("beyond", lambda lib, x: (u := lib.linalg.svd(x)[0])[..., 2:] @ u[..., 2:].mH, TALL,
             reference=lambda x: (u := np.linalg.svd(x)[0])[..., 2:] @ turned(u[..., 2:])),
    ],
    "linalg.svdvals": [
        *(case(name, lambda lib, x: lib.linalg.svdvals(x), x,
               reference=lambda x: np.linalg.svd(x, compute_uv=False))
          for name, x in {**EACH, "tall": TALL}.items()),
    ],
    "svd": [
        case("wide", lambda lib, x: (f := lib.svd(x))[0][:, :1] @ f[2][:, :1].mH, WIDE,
             reference=lambda x: _reference_of_svd(x)[1]),
        case("values", lambda lib, x: lib.svd(x, compute_uv=False)[1], WIDE,
             reference=lambda x: np.linalg.svd(x, compute_uv=False)),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in SAMPLES.items()}

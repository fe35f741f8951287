"""Samples of the factors of elimination; their values are NumPy's products of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.decompositions import COMPLEX, EACH, SQUARE, TALL, WIDE
from samples.draw import ANY, PLANE
from samples.family import case, single
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}

FLAT = np.array([[0.5, 1.0, -1.0], [2.0, 1.5, 0.5], [1.0, -1.0, 2.0]])  # whose rows change places


def _lu(a: Any) -> Any:
    """Return P, L and U of a matrix or a stack of matrices."""
    if a.ndim > 2:
        parts = [_lu(m) for m in a]
        return tuple(np.stack(p) for p in zip(*parts, strict=True))
    rows, columns = a.shape
    work, order = a.copy(), np.arange(rows)
    for k in range(min(rows, columns)):
        best = k + int(np.argmax(abs(work[k:, k].real) + abs(work[k:, k].imag)))
        work[[k, best]], order[[k, best]] = work[[best, k]], order[[best, k]]
        work[k + 1 :, k] /= work[k, k]
        work[k + 1 :, k + 1 :] -= np.outer(work[k + 1 :, k], work[k, k + 1 :])
    n = min(rows, columns)
    left = np.tril(work[:, :n], -1) + np.eye(rows, n)
    return np.eye(rows, dtype=a.dtype)[:, order], left, np.triu(work[:n])


def _packed(a: Any) -> Any:
    _, left, right = _lu(a)
    found = np.zeros_like(a)
    found[:, : left.shape[1]] += np.tril(left, -1)
    found[: right.shape[0]] += right
    return found


def _solved(lib: Any, a: Any, b: Any, **options: Any) -> Any:
    return lib.linalg.lu_solve(*lib.linalg.lu_factor(a), b, **options)


def _ldl(lib: Any, x: Any, b: Any) -> Any:
    factors, pivots = lib.linalg.ldl_factor((x + x.mT).detach())
    return lib.linalg.ldl_solve(factors, pivots, b)


def _factored(lib: Any, x: Any) -> Any:
    return lib.linalg.ldl_factor((x + x.mT).detach())[0].diagonal()


DIFFERENT = {**EACH, "tall": TALL, "wide": WIDE, "exchanged": FLAT}
SYMMETRIC = {"differentiable": False}

SAMPLES: dict[str, list[Sample]] = {
    "linalg.lu": [
        case(name, lambda lib, x: tuple(lib.linalg.lu(x))[1:], x,
             reference=lambda x: _lu(x)[1:]) for name, x in DIFFERENT.items()
    ],
    "linalg.lu_factor": [
        case("exchanged", lambda lib, x: lib.linalg.lu_factor(x)[0], FLAT, reference=_packed),
    ],
    "linalg.lu_factor_ex": [
        case("wide", lambda lib, x: lib.linalg.lu_factor_ex(x)[0], WIDE, reference=_packed),
    ],
    "lu": [case("exchanged", lambda lib, x: lib.lu(x)[0], FLAT, reference=_packed)],
    "lu_unpack": [
        case("product", lambda lib, x: lib.lu_unpack(*lib.linalg.lu_factor(x)), FLAT,
             reference=_lu),
    ],
    "linalg.lu_solve": [
        case("exchanged", _solved, FLAT, ANY((3, 2), 1), reference=np.linalg.solve),
        case("adjoint", lambda lib, a, b: _solved(lib, a, b, adjoint=True), COMPLEX,
             PLANE((2, 1), 1), reference=lambda a, b: np.linalg.solve(a.conj().T, b)),
        case("on the right", lambda lib, a, b: _solved(lib, a, b, left=False), COMPLEX,
             PLANE((1, 2), 1), reference=lambda a, b: np.linalg.solve(a.T, b.T).T),
    ],
    "lu_solve": [
        case("exchanged", lambda lib, b, a: lib.lu_solve(b, *lib.linalg.lu_factor(a)),
             ANY((3, 2), 1), FLAT, reference=lambda b, a: np.linalg.solve(a, b)),
    ],
}  # fmt: skip
LDL: dict[str, list[Sample]] = {
    "linalg.ldl_factor": [
        case("diagonal", _factored, SQUARE, differentiable=False,
             reference=lambda x: np.diag(_packed(x + x.T))),
    ],
    "linalg.ldl_factor_ex": [
        case("info", lambda lib, x: lib.linalg.ldl_factor_ex((x + x.mT).detach())[2], SQUARE,
             differentiable=False, reference=lambda x: np.zeros((), np.int32)),
    ],
    "linalg.ldl_solve": [
        case("square", lambda lib, b: _ldl(lib, lib.as_tensor(FLAT).to(b.dtype).to(b.device), b),
             ANY((3, 2), 1), reference=lambda b: np.linalg.solve(FLAT + FLAT.T, b)),
    ],
}  # fmt: skip
SAMPLES = {name: single(samples) for name, samples in {**SAMPLES, **LDL}.items()}

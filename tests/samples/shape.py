"""Samples of shapes and copies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, lattice
from samples.family import NONE, NOT, NUMBER, ROW, X, Z, case, rearranged
from samples.sample import Sample


def _split(x: Any, size: Any, dim: int = 0) -> Any:
    step = np.cumsum(size)[:-1] if isinstance(size, list) else range(size, x.shape[dim], size)
    return tuple(np.split(x, step, dim))


def _flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    shape = x.shape or (1,)
    end = end_dim % len(shape)
    return x.reshape((*shape[:start_dim], math.prod(shape[start_dim : end + 1]), *shape[end + 1 :]))


def _parts(parts: Any, dim: int = 0) -> Any:
    return lambda x: tuple(np.array_split(x, parts, dim))


REFERENCE: dict[str, Any] = {
    "reshape": np.reshape,
    "flatten": _flatten,
    "transpose": np.swapaxes,
    "t": np.transpose,
    "permute": np.transpose,
    "adjoint": lambda x: np.conj(np.swapaxes(x, -2, -1)),
    "squeeze": lambda x, dim=None: (
        x.squeeze() if dim is None else (x if x.shape == (3, 4) else x.squeeze(dim))
    ),
    "unsqueeze": np.expand_dims,
    "broadcast_to": np.broadcast_to,
    "clone": np.copy,
    "cat": np.concatenate,
    "stack": np.stack,
    "split": _split,
    "chunk": lambda x, n, dim=0: _split(x, max(-(-x.shape[dim] // n), 1), dim),
    "unbind": lambda x, dim=0: tuple(np.moveaxis(x, dim, 0)),
    "select": lambda x, dim, index: np.take(x, index, dim),
    "narrow": lambda x, dim, start, length: np.take(x, range(start, start + length), dim),
}

SAMPLES: dict[str, list[Sample]] = {
    "view_as": [
        case("ordinary", lambda lib, x, y: x.view_as(y) * 2, X, ANY((2, 6), 0),
             reference=lambda x, y: 2 * x.reshape(2, 6)),
    ],
    "reshape_as": [
        case("transposed", lambda lib, x, y: x.reshape_as(y) * 2, X, ANY((2, 6), 0),
             reference=lambda x, y: 2 * x.reshape(2, 6), layout="transposed"),
    ],
    "expand_as": [
        case("ordinary", lambda lib, x, y: x.expand_as(y) * 2, ROW, X,
             reference=lambda x, y: 2 * np.broadcast_to(x, (3, 4))),
    ],
    "reshape": [
        *rearranged(lambda lib, x: lib.reshape(x, (2, 6)), (3, 4)),
        case("inferred", lambda lib, x: lib.reshape(x, (-1, 2)), X),
        case("same", lambda lib, x: lib.reshape(x, (3, 4)), X),
        case("zero-size", lambda lib, x: lib.reshape(x, (3, 0, 2)), NONE),
        case("0-d", lambda lib, x: lib.reshape(x, (1, 1)), NUMBER),
    ],
    "view": [
        case("ordinary", lambda lib, x: x.view(2, -1), X, reference=lambda x: x.reshape(2, -1)),
        case("as", lambda lib, x, y: x.view_as(y), X, ANY((2, 6), 0),
             reference=lambda x, y: x.reshape(2, 6)),
        case("sliced", lambda lib, x: x.view(3, 2, 2), X, layout="sliced",
             reference=lambda x: x.reshape(3, 2, 2)),
        case("reshape_as", lambda lib, x, y: x.reshape_as(y), X, ANY((2, 6), 0),
             reference=lambda x, y: x.reshape(2, 6)),
    ],
    "flatten": [
        *rearranged(lambda lib, x: lib.flatten(x), (2, 3, 4)),
        case("some", lambda lib, x: lib.flatten(x, 1, 2), Z),
        case("0-d", lambda lib, x: lib.flatten(x), NUMBER),
    ],
    "transpose": [
        *rearranged(lambda lib, x: lib.transpose(x, 0, -1), (2, 3, 4)),
        case("0-d", lambda lib, x: lib.transpose(x, 0, 0), NUMBER, reference=np.copy),
        case("mT", lambda lib, x: x.mT, Z, reference=lambda x: x.swapaxes(-2, -1)),
        case("mH", lambda lib, x: x.mH, PLANE((2, 3), 0), reference=lambda x: x.conj().T),
        case("H", lambda lib, x: x.H, PLANE((2, 3), 0), reference=lambda x: x.conj().T),
    ],
    "adjoint": [
        case("complex", lambda lib, x: x.adjoint(), PLANE((2, 3), 0),
             reference=lambda x: x.conj().T),
        case("real", lambda lib, x: x.adjoint(), Z, reference=lambda x: x.swapaxes(-2, -1)),
    ],
    "t": [
        *rearranged(lambda lib, x: lib.t(x), (3, 4)),
        case("vector", lambda lib, x: lib.t(x), ROW),
        case("0-d", lambda lib, x: lib.t(x), NUMBER),
    ],
    "permute": [
        *rearranged(lambda lib, x: lib.permute(x, (2, 0, 1)), (2, 3, 4)),
        case("T", lambda lib, x: x.T, X),
        case("zero-size", lambda lib, x: lib.permute(x, (1, 0)), NONE),
        case("0-d", lambda lib, x: lib.permute(x, ()), NUMBER),
    ],
    "squeeze": [
        *rearranged(lambda lib, x: lib.squeeze(x), (1, 3, 1)),
        case("dim", lambda lib, x: lib.squeeze(x, 0), ANY((1, 3, 1), 0)),
        case("dims", lambda lib, x: lib.squeeze(x, (0, 2)), ANY((1, 3, 1), 0)),
        case("of another size", lambda lib, x: lib.squeeze(x, 1), X),
        case("0-d", lambda lib, x: lib.squeeze(x), NUMBER),
    ],
    "unsqueeze": [
        *rearranged(lambda lib, x: lib.unsqueeze(x, 1), (3, 4)),
        case("last", lambda lib, x: lib.unsqueeze(x, -1), X),
        case("0-d", lambda lib, x: lib.unsqueeze(x, 0), NUMBER),
    ],
    "expand": [
        *rearranged(lambda lib, x: x.expand(2, -1, 4), (3, 1),
                    reference=lambda x: np.broadcast_to(x, (2, 3, 4))),
        case("0-d", lambda lib, x: x.expand(2, 3), NUMBER,
             reference=lambda x: np.broadcast_to(x, (2, 3))),
        case("zero-size", lambda lib, x: x.expand(0, 4), ROW,
             reference=lambda x: np.broadcast_to(x, (0, 4))),
        case("as", lambda lib, x, y: x.expand_as(y), ROW, X,
             reference=lambda x, y: np.broadcast_to(x, (3, 4))),
    ],
    "broadcast_to": rearranged(lambda lib, x: lib.broadcast_to(x, (2, 3, 4)), (3, 1)),
    "cat": [
        *rearranged(lambda lib, x, y: lib.cat([x, y], 1), (3, 4), (3, 2)),
        case("zero-size", lambda lib, x, y: lib.cat([x, y]), NONE, ANY((2, 3), 0)),
        case("of one", lambda lib, x: lib.cat((x,), -1), X),
        case("twice", lambda lib, x: lib.cat((x, x), 0), X),
        case("complex with real", lambda lib, x, y: lib.cat((x, y)), PLANE((2,), 0), ANY((3,), 0)),
    ],
    "stack": [
        *rearranged(lambda lib, x, y: lib.stack([x, y], 1), (3, 4), (3, 4)),
        case("0-d", lambda lib, x, y: lib.stack((x, y)), NUMBER, ANY((), 1)),
        case("last", lambda lib, x, y: lib.stack((x, y), -1), X, ANY((3, 4), 0)),
        case("zero-size", lambda lib, x, y: lib.stack((x, y)), NONE, NONE),
    ],
    "split": [
        *rearranged(lambda lib, x: lib.split(x, 2), (5, 2)),
        case("sections", lambda lib, x: lib.split(x, [1, 3], 1), X),
        case("one part used", lambda lib, x: lib.split(x, 3, 1)[0], X),
    ],
    "chunk": [
        *rearranged(lambda lib, x: lib.chunk(x, 3), (5, 2)),
        case("last dim", lambda lib, x: lib.chunk(x, 2, -1), X),
    ],
    "unbind": [
        *rearranged(lambda lib, x: lib.unbind(x, 1), (3, 2)),
        case("vector", lambda lib, x: lib.unbind(x), ROW),
        case("iteration", lambda lib, x: list(x)[1] * 2, X),
    ],
    "select": [
        *rearranged(lambda lib, x: lib.select(x, 1, 2), (3, 4)),
        case("negative", lambda lib, x: lib.select(x, -1, -2), Z),
    ],
    "narrow": [
        *rearranged(lambda lib, x: lib.narrow(x, 1, 1, 2), (3, 4)),
        case("zero-size", lambda lib, x: lib.narrow(x, 0, 1, 0), X),
    ],
    "diagonal": [
        *rearranged(lambda lib, x: lib.diagonal(x), (3, 4), reference=np.diagonal),
        case("above", lambda lib, x: x.diagonal(1, -1, 0), ANY((3, 4, 2), 0),
             reference=lambda x: x.diagonal(1, -1, 0)),
        case("outside", lambda lib, x: lib.diagonal(x, 9), X, reference=lambda x: x.diagonal(9)),
    ],
    "tensor_split": [
        *rearranged(lambda lib, x: lib.tensor_split(x, 3), (5, 2), reference=_parts(3)),
        case("indices", lambda lib, x: lib.tensor_split(x, (1, 3), 1), X,
             reference=_parts([1, 3], 1)),
        case("in another order", lambda lib, x: lib.tensor_split(x, (2, 1), 1), X,
             reference=_parts([2, 1], 1)),
        case("more than there are", lambda lib, x: x.tensor_split(6, -1), X,
             reference=_parts(6, -1)),
    ],
    "split_with_sizes": rearranged(lambda lib, x: lib.split_with_sizes(x, [1, 3], 1), (3, 4),
                                   reference=_parts([1], 1)),
    "hsplit": [
        *rearranged(lambda lib, x: lib.hsplit(x, 2), (3, 4), reference=_parts(2, 1)),
        case("vector", lambda lib, x: lib.hsplit(x, [1]), ROW, reference=_parts([1])),
    ],
    "vsplit": rearranged(lambda lib, x: lib.vsplit(x, 3), (3, 4), reference=_parts(3)),
    "dsplit": rearranged(lambda lib, x: lib.dsplit(x, [1]), (2, 2, 4), reference=_parts([1], 2)),
    "ravel": [
        *rearranged(lambda lib, x: lib.ravel(x), (3, 4), reference=np.ravel),
        case("0-d", lambda lib, x: lib.ravel(x), NUMBER, reference=np.ravel),
    ],
    "movedim": [
        *rearranged(lambda lib, x: lib.movedim(x, (0, 1), (-1, 0)), (2, 3, 4),
                    reference=lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
        case("one", lambda lib, x: x.movedim(0, 2), ANY((2, 3, 4), 0),
             reference=lambda x: np.moveaxis(x, 0, 2)),
    ],
    "unflatten": [
        case("inferred", lambda lib, x: lib.unflatten(x, -1, (2, -1)), X,
             reference=lambda x: x.reshape(*x.shape[:-1], 2, -1)),
        case("first", lambda lib, x: x.unflatten(0, [3, 1]), X,
             reference=lambda x: x.reshape(3, 1, *x.shape[1:])),
    ],
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

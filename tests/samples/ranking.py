"""Samples of medians, quantiles, the k-th and the most frequent elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import distinct
from samples.family import NOT, NUMBER, case
from samples.sample import Sample

_GAPS = np.array([[1.5, np.nan, -2.0, 0.7], [np.nan, 0.5, 3.0, 1.0], [4.0, 2.0, 1.0, -1.0]])
_OFTEN = np.array([[2, 1, 2, 1, 0], [3, 3, 0, 1, 3], [4, 3, 2, 1, 0]])
_X, _Z = distinct((3, 5)), distinct((3, 4, 2), 1)


def _kth(rank: Any, skips: bool = False) -> Any:
    def reference(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        if axis is None:
            return reference(x.reshape(-1), 0)[0]
        sorted, order = np.sort(x, axis), np.argsort(x, axis, kind="stable")
        last = x.shape[axis] - 1
        k = (x.shape[axis] - 1) // 2 if rank is None else rank
        if skips:
            k = (np.sum(~np.isnan(x), axis, keepdims=True) - 1) // 2
        else:
            k = np.full(np.sum(x, axis, keepdims=True).shape, k)
            if rank is None:  # the first nan wins
                ends = np.take(sorted, [last], axis)
                first = np.sum(~np.isnan(x), axis, keepdims=True)
                k = np.where(np.isnan(ends), first, k)
        values, places = (np.take_along_axis(a, k, axis) for a in (sorted, order))
        if keepdims:
            return values, places
        return values.squeeze(axis), places.squeeze(axis)

    return reference


REFERENCE: dict[str, Any] = {}

SAMPLES: dict[str, list[Sample]] = {
    **{name: [
        case("all", lambda lib, x, name=name: getattr(lib, name)(x), _X, reference=find),
        case("all of an even number", lambda lib, x, name=name: getattr(lib, name)(x), _Z,
             reference=find),
        case("dim", lambda lib, x, name=name: getattr(lib, name)(x, 1), _X,
             reference=lambda x, find=find: find(x, 1)),
        case("first dim keepdim", lambda lib, x, name=name: getattr(lib, name)(x, 0, True), _Z,
             reference=lambda x, find=find: find(x, 0, True)),
        case("transposed", lambda lib, x, name=name: getattr(lib, name)(x, -1), _X,
             layout="transposed", reference=lambda x, find=find: find(x, 1)),
        case("nan", lambda lib, x, name=name: getattr(lib, name)(x.detach(), 1), _GAPS,
             reference=lambda x, find=find: find(x, 1), **NOT),
        case("0-d", lambda lib, x, name=name: getattr(lib, name)(x, 0), NUMBER,
             reference=lambda x: (x, np.int64(0))),
    ] for name, find in (("median", _kth(None)), ("nanmedian", _kth(None, True)))},
    "kthvalue": [
        case("ordinary", lambda lib, x: lib.kthvalue(x, 2), _X,
             reference=lambda x: _kth(1)(x, 1)),
        case("first dim keepdim", lambda lib, x: lib.kthvalue(x, 3, 0, True), _Z,
             reference=lambda x: _kth(2)(x, 0, True)),
        case("integers", lambda lib, x: lib.kthvalue(x, 1), np.array([[3, 1, 2], [9, 8, 7]]),
             reference=lambda x: _kth(0)(x, 1), **NOT),
    ],
    "mode": [
        case("integers", lambda lib, x: lib.mode(x), _OFTEN,
             reference=lambda x: (np.array([1, 3, 0]), np.array([3, 4, 4])), **NOT),
        case("numbers", lambda lib, x: lib.mode(x.detach(), 0),
             np.array([[1.5, 2.0], [0.5, 2.0], [0.5, 1.0], [1.5, 3.0], [1.5, 0.0]]),
             reference=lambda x: (np.array([1.5, 2.0]), np.array([4, 1])), differentiable=False),
        case("distinct", lambda lib, x: lib.mode(x, 1, True), _X,
             reference=lambda x: _kth(0)(x, 1, True)),
    ],
    **{f"{skip}quantile": [
        *(case(f"{way}", lambda lib, x, name=f"{skip}quantile", way=way: getattr(lib, name)(
            x, 0.3, interpolation=way), _X, reference=lambda x, way=way:
            np.quantile(x, np.asarray(0.3, x.dtype), method=way), half=False)
          for way in ("linear", "lower", "higher", "midpoint", "nearest")),
        case("several", lambda lib, x, name=f"{skip}quantile": getattr(lib, name)(
            x, lib.tensor([0.1, 0.6], dtype=x.dtype, device=x.device), dim=1), _X,
            reference=lambda x: np.quantile(x, [0.1, 0.6], 1), half=False),
        case("keepdim", lambda lib, x, name=f"{skip}quantile": getattr(lib, name)(
            x, 0.7, 0, True), _Z, reference=lambda x: np.quantile(x, 0.7, 0, keepdims=True),
            half=False),
        case("nan", lambda lib, x, name=f"{skip}quantile": getattr(lib, name)(x.detach(), 0.4, 1),
             _GAPS, reference=lambda x, skip=skip: getattr(np, f"{skip}quantile")(x, 0.4, 1),
             half=False, **NOT),
    ] for skip in ("", "nan")},
}  # fmt: skip

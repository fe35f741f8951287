"""Samples of maxima over windows, and of the way back from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, distinct
from samples.family import NOT, case
from samples.nn.average import parts, windows
from samples.sample import Sample

REFERENCE: dict[str, Any] = {}


def largest(x: Any, ndim: int, *args: Any, **options: Any) -> Any:
    """Return maxima over windows."""
    return windows(x, ndim, lambda w, count: w.max(tuple(range(-ndim, 0))), *args, **options)


def _put(x: Any, places: Any, shape: Any) -> Any:
    out = np.zeros((*x.shape[: x.ndim - len(shape)], int(np.prod(shape))))
    flat = places.reshape(*out.shape[:-1], -1)
    np.put_along_axis(out, flat, x.reshape(flat.shape), -1)
    return out.reshape(*out.shape[:-1], *shape)


def _call(name: str, *args: Any, first: bool = False, **options: Any) -> Any:
    def call(lib: Any, x: Any) -> Any:
        home = lib
        for part in name.split("."):
            home = getattr(home, part)
        found = home(x, *args, **options)
        return found[0] if first else found

    return call


def _windowed(ndim: int) -> dict[str, list[Sample]]:
    x = distinct((2, 1, *(5, 4, 3)[:ndim]))
    name = f"nn.functional.max_pool{ndim}d"

    def one(label: str, *args: Any, x: Any = x, layout: str = "plain", **options: Any) -> Sample:
        return case(label, _call(name, *args, **options), x, layout=layout,
                    reference=lambda x: largest(x, ndim, *args, **options))  # fmt: skip

    found = [one("plain", 2), one("overlapping", 3, 1, 1)]
    if ndim == 2:
        found += [
            one("all", (3, 2), (2, 1), (1, 0), (1, 2), True),
            one("ceiling", 2, ceil_mode=True),
            one("an example", 2, x=distinct((2, 5, 4))),
            one("transposed", 2, layout="transposed"),
            one("sliced", 2, 1, layout="sliced"),
        ]
    pairs = [case("plain", _call(f"{name}_with_indices", 2, first=True), x,
                  reference=lambda x: largest(x, ndim, 2))]  # fmt: skip
    top = [case("plain", _call(f"max_pool{ndim}d", 2, 1), x,
                reference=lambda x: largest(x, ndim, 2, 1))]  # fmt: skip
    tables = {name: found, f"{name}_with_indices": pairs, f"max_pool{ndim}d": top}
    if ndim == 1:
        tables["max_pool1d_with_indices"] = [
            case("plain", _call("max_pool1d_with_indices", 2, first=True), x,
                 reference=lambda x: largest(x, 1, 2)),
        ]  # fmt: skip
    return tables


def _adaptive(ndim: int) -> dict[str, list[Sample]]:
    x = distinct((2, 1, *(5, 4, 3)[:ndim]))
    sizes = (3, 2, 2)[:ndim]
    name = f"nn.functional.adaptive_max_pool{ndim}d"

    def expected(x: Any, sizes: Any = sizes) -> Any:
        return parts(x, sizes, lambda w: w.max(tuple(range(-ndim, 0))))

    more = (7, 6, 5)[:ndim]
    tables = {
        name: [
            case("plain", _call(name, sizes), x, reference=expected),
            case(
                "more parts than elements",
                _call(name, more),
                x,
                reference=lambda x: expected(x, more),
            ),
        ],
        f"{name}_with_indices": [
            case("plain", _call(f"{name}_with_indices", sizes, first=True), x, reference=expected)
        ],
    }
    if ndim == 1:
        tables["adaptive_max_pool1d"] = [
            case("plain", _call("adaptive_max_pool1d", 3, first=True), x, reference=expected)
        ]
    return tables


def _back(ndim: int) -> dict[str, list[Sample]]:
    shape, whole = (2, 1, *(2, 3, 2)[:ndim]), (4, 6, 4)[:ndim]
    count = int(np.prod(shape[2:]))
    places = np.arange(2 * count).reshape(shape) * 5 % int(np.prod(whole))
    name = f"nn.functional.max_unpool{ndim}d"

    def call(lib: Any, x: Any, i: Any) -> Any:
        return getattr(lib.nn.functional, f"max_unpool{ndim}d")(x, i, 2)

    return {name: [case("plain", call, ANY(shape, 0), places,
                        reference=lambda x, i: _put(x, i, whole))]}  # fmt: skip


SAMPLES: dict[str, list[Sample]] = {}
for _ndim in (1, 2, 3):
    SAMPLES |= _windowed(_ndim) | _adaptive(_ndim) | _back(_ndim)
SAMPLES["nn.functional.max_pool2d"].append(
    case("integers", _call("nn.functional.max_pool2d", 2), np.arange(16).reshape(1, 4, 4) % 7,
         reference=lambda x: largest(x, 2, 2), **NOT)
)  # fmt: skip

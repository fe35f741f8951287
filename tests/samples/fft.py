"""Samples of Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, Array
from samples.family import case, single
from samples.sample import Sample

_NAMES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
_OPPOSITE: dict[Any, Any] = {None: "forward", "ortho": "ortho", "forward": "backward"}


def _numpys(name: str) -> Callable[..., Any]:
    """Return NumPy's function, or what is composed of its own, with PyTorch's arguments."""
    if name in _NAMES:
        one = getattr(np.fft, name)
        return lambda x, n=None, dim=-1, norm=None: one(x, n, dim, norm)

    def call(x: Array, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
        count = 2 if name.endswith("2") else x.ndim if s is None else len(s)
        axes = range(x.ndim - count, x.ndim) if dim is None else dim
        if name.startswith("hfft"):
            return np.fft.irfftn(np.conj(x), s, axes, _OPPOSITE[norm])
        if name.startswith("ihfft"):
            return np.conj(np.fft.rfftn(x, s, axes, _OPPOSITE[norm]))
        return getattr(np.fft, f"{name[:-1]}n")(x, s, axes, norm)

    return call


ALL = [name + end for name in _NAMES for end in ("", "2", "n")]
REFERENCE: dict[str, Any] = {
    "fft": SimpleNamespace(
        **{name: _numpys(name) for name in ALL},
        fftshift=lambda x, dim=None: np.fft.fftshift(x, dim),
        ifftshift=lambda x, dim=None: np.fft.ifftshift(x, dim),
    )
}


def transform(name: str) -> list[Sample]:
    """Return samples of a transform: of odd and even lengths, cut, continued, divided."""

    def call(**options: Any) -> Callable[..., Any]:
        return lambda lib, x: getattr(lib.fft, name)(x, **options)

    real = name.startswith(("rfft", "ihfft"))
    one = name in _NAMES
    x, z = ANY((2, 5), 0), ANY((2, 3, 4), 1)
    lengths: dict[str, Any] = {"n": 4} if one else {"s": (3, 6)}
    samples = [
        case("odd", call(), x),
        case("cut, continued", call(**lengths), x),
        case("first dimension", call(dim=0 if one else (1, 0), norm="forward"), z),
        case("ortho", call(norm="ortho"), z),
        case("transposed", call(), x, layout="transposed"),
        *([case("empty", call(), ANY((0, 3, 3), 0))] if name in ("fft", "irfft2") else []),
    ]  # fmt: skip
    if not real:
        samples += [
            case("complex", call(), PLANE((2, 5), 0)),
            case("complex cut, continued", call(norm="ortho", **lengths), PLANE((2, 3, 4), 0)),
        ]
    return single(samples)


def moved(name: str) -> list[Sample]:
    """Return samples of what moves the frequency 0."""

    def call(*args: Any) -> Callable[..., Any]:
        return lambda lib, x: getattr(lib.fft, name)(x, *args)

    return [
        case("all", call(), ANY((3, 4), 0)),
        case("one", call(0), PLANE((3, 4), 0)),
        case("several", call((2, 0)), ANY((3, 4, 5), 0)),
    ]


SAMPLES: dict[str, list[Sample]] = {
    **{f"fft.{name}": transform(name) for name in ALL},
    **{f"fft.{name}": moved(name) for name in ("fftshift", "ifftshift")},
}

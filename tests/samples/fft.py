"""Samples of Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from samples.draw import ANY, PLANE, Array
from samples.family import NOT, case, single
from samples.sample import Sample


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's function with PyTorch's names of its arguments."""

    def call(x: Array, n: Any = None, dim: Any = None, norm: Any = None, s: Any = None) -> Any:
        lengths = n if s is None else s
        if dim is not None:
            return function(x, lengths, dim, norm)
        return function(x, lengths, norm=norm)

    return call


def _as_composed(name: str) -> Callable[..., Any]:
    """Return the transforms that NumPy has along one dimension only."""

    def hfftn(x: Array, s: Any, dim: Any, norm: Any) -> Any:
        return np.fft.irfftn(x.conj(), s, dim, {"ortho": "ortho"}.get(norm, "forward"))

    def ihfftn(x: Array, s: Any, dim: Any, norm: Any) -> Any:
        return np.fft.rfftn(x, s, dim, {"ortho": "ortho"}.get(norm, "forward")).conj()

    made = {"h": hfftn, "i": ihfftn}[name[0]]

    def call(x: Array, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
        dim = (-2, -1) if name.endswith("2") and dim is None else dim
        return made(x, s, dim, norm)

    return call


_NAMES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
_NUMPYS = ("fft", "ifft", "rfft", "irfft")
REFERENCE: dict[str, Any] = {
    "fft": SimpleNamespace(
        **{name: _along(getattr(np.fft, name)) for name in _NAMES},
        **{n + end: _along(getattr(np.fft, n + end)) for n in _NUMPYS for end in ("2", "n")},
        **{n + end: _as_composed(n + end) for n in ("hfft", "ihfft") for end in ("2", "n")},
        fftfreq=np.fft.fftfreq,
        rfftfreq=np.fft.rfftfreq,
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
        case("empty", call(), ANY((0, 3, 3), 0)) if name.endswith(("fft", "2")) else
        case("all", call(), z),
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


def frequencies(name: str) -> list[Sample]:
    """Return samples of frequencies."""
    return single(
        [
            case(
                str(n),
                lambda lib, x, n=n: getattr(lib.fft, name)(n, 0.5) + x,
                ANY((), 0),
                coarse=True,
                **NOT,
            )
            for n in (4, 5)
        ]
    )


SAMPLES: dict[str, list[Sample]] = {
    **{f"fft.{name}{end}": transform(name + end) for name in _NAMES for end in ("", "2", "n")},
    **{f"fft.{name}": moved(name) for name in ("fftshift", "ifftshift")},
    **{f"fft.{name}": frequencies(name) for name in ("fftfreq", "rfftfreq")},
}

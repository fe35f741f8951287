"""``numpy.fft`` with gradients, on the CPU and on CUDA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.numpy.creation import new as _new
from gpugrad.numpy.operands import DOORS, cast, door, plain, written
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.op.forms import PUBLIC


def _transformable(name: str, a: Any) -> Any:
    t = plain(a)
    kind = t._array.dtype
    if kind.kind not in _dtype.INEXACT:
        t = cast(t, np.dtype(np.float64))
    elif _dtype.is_half(kind):
        t = cast(t, np.dtype(np.float32))
    if name in ("rfft", "ihfft", "rfft2", "rfftn") and kind.kind == "c":
        raise TypeError(f"ufunc '{name}' did not contain a loop with signature matching types")
    return t


def _complex(t: Any) -> Any:
    kind = t._array.dtype
    return t if kind.kind == "c" else cast(t, np.result_type(kind, np.complex64))


def _along_one(name: str) -> Callable[..., Any]:
    def function(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        t = _transformable(name, a)
        if n is not None and n < 1:
            raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
        (k,) = normal_axes(axis, t._array.ndim)
        t = _complex(t) if name in ("irfft", "hfft") else t
        return written(name, out, PUBLIC[f"fft.{name}"].plain(t, n, k, norm))

    return _named(function, name)


def _along_several(name: str, default: Any) -> Callable[..., Any]:
    def function(
        a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None
    ) -> Any:
        t = _transformable(name, a)
        t = _complex(t) if name.startswith("irfft") else t
        if axes is None and s is not None:
            axes = tuple(range(t._array.ndim - len(s), t._array.ndim))
        given = None if axes is None else normal_axes(tuple(axes), t._array.ndim)
        s = None if s is None else tuple(s)
        found = PUBLIC[f"fft.{name.rstrip('2n')}n"].plain(t, s, given, norm)
        return written(name, out, found)

    return _named(function, name)


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See numpy.fft.{name}; it has gradients."
    function.__module__ = __name__
    return door(function)


fft, ifft, rfft, irfft, hfft, ihfft = map(
    _along_one, ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
)
fft2, ifft2, rfft2, irfft2 = (
    _along_several(name, (-2, -1)) for name in ("fft2", "ifft2", "rfft2", "irfft2")
)
fftn, ifftn, rfftn, irfftn = (
    _along_several(name, None) for name in ("fftn", "ifftn", "rfftn", "irfftn")
)


@door
def fftshift(x: Any, axes: Any = None) -> Any:
    t = plain(x)
    return op("fft.fftshift")(t, normal_axes(axes, t._array.ndim))


@door
def ifftshift(x: Any, axes: Any = None) -> Any:
    t = plain(x)
    return op("fft.ifftshift")(t, normal_axes(axes, t._array.ndim))


@door
def fftfreq(n: int, d: float = 1.0, device: Any = None) -> Any:
    return _new(np.fft.fftfreq(n, d), device)


@door
def rfftfreq(n: int, d: float = 1.0, device: Any = None) -> Any:
    return _new(np.fft.rfftfreq(n, d), device)


__all__ = sorted(DOORS[__name__])

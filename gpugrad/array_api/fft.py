"""Fourier transforms, with the standard's signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad.array_api.types import astype
from gpugrad.numpy import fft as _fft

_ALONG_ONE = "fft", "ifft", "rfft", "irfft", "hfft", "ihfft"
_ALONG_SEVERAL = "fftn", "ifftn", "rfftn", "irfftn"


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the standard's ``fft.{name}``."
    function.__module__ = __name__
    return function


def _along_one(name: str) -> Callable[..., Any]:
    transform = getattr(_fft, name)

    def function(x: Any, /, *, n: Any = None, axis: int = -1, norm: str = "backward") -> Any:
        return transform(x, n, axis, norm)

    return _named(function, name)


def _along_several(name: str) -> Callable[..., Any]:
    transform = getattr(_fft, name)

    def function(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Any:
        return transform(x, s, axes, norm)

    return _named(function, name)


fft, ifft, rfft, irfft, hfft, ihfft = map(_along_one, _ALONG_ONE)
fftn, ifftn, rfftn, irfftn = map(_along_several, _ALONG_SEVERAL)


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """Return the frequencies of ``fft``, in cycles per unit of the distance ``d`` of samples."""
    found = _fft.fftfreq(n, d, device=device)
    return found if dtype is None else astype(found, dtype, copy=False)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """Return the frequencies of ``rfft``, in cycles per unit of the distance ``d`` of samples."""
    found = _fft.rfftfreq(n, d, device=device)
    return found if dtype is None else astype(found, dtype, copy=False)


def fftshift(x: Any, /, *, axes: Any = None) -> Any:
    """Return the frequency 0 moved to the middle."""
    return _fft.fftshift(x, axes)


def ifftshift(x: Any, /, *, axes: Any = None) -> Any:
    """Return the frequency 0 moved to the front."""
    return _fft.ifftshift(x, axes)


__all__ = sorted([*_ALONG_ONE, *_ALONG_SEVERAL, "fftfreq", "fftshift", "ifftshift", "rfftfreq"])

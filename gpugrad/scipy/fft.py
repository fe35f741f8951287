"""``scipy.fft`` with gradients, on the CPU and on CUDA.

``overwrite_x``, ``workers`` and ``plan`` say how SciPy computes, and change nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gpugrad.numpy.fft as _numpy
from gpugrad.numpy.fft import fftfreq, fftshift, ifftshift, rfftfreq
from gpugrad.numpy.operands import door as _door
from gpugrad.numpy.operands import plain as _plain
from gpugrad.numpy.ufuncs import normal_axes as _normal_axes
from gpugrad.numpy.ufuncs import op as _op
from gpugrad.scipy.theirs import scipy as _scipy


def _along_one(name: str) -> Callable[..., Any]:
    found = getattr(_numpy, name)

    def function(
        x: Any, n: Any = None, axis: int = -1, norm: Any = None, overwrite_x: bool = False,
        workers: Any = None, *, plan: Any = None,
    ) -> Any:  # fmt: skip
        return found(x, n, axis, norm)

    return _named(function, name)


def _along_several(name: str, default: Any) -> Callable[..., Any]:
    found = getattr(_numpy, name, None)

    def function(
        x: Any, s: Any = None, axes: Any = default, norm: Any = None, overwrite_x: bool = False,
        workers: Any = None, *, plan: Any = None,
    ) -> Any:  # fmt: skip
        if found is not None:
            return found(x, s, axes, norm)
        t = _plain(x)
        if axes is None and s is not None:
            axes = tuple(range(t._array.ndim - len(s), t._array.ndim))
        axes = None if axes is None else _normal_axes(tuple(axes), t._array.ndim)
        return _op(f"fft.{name.rstrip('2n')}n")(t, None if s is None else tuple(s), axes, norm)

    return _named(function, name)


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See scipy.fft.{name}; it has gradients."
    function.__module__ = __name__
    return _door(function)


fft, ifft, rfft, irfft, hfft, ihfft = map(
    _along_one, ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
)
fft2, ifft2, rfft2, irfft2, hfft2, ihfft2 = (
    _along_several(name, (-2, -1))
    for name in ("fft2", "ifft2", "rfft2", "irfft2", "hfft2", "ihfft2")
)
fftn, ifftn, rfftn, irfftn, hfftn, ihfftn = (
    _along_several(name, None) for name in ("fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn")
)
next_fast_len = _scipy("fft").next_fast_len

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2",
    "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn",
    "next_fast_len", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

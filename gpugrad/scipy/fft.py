"""``scipy.fft`` with gradients, on the CPU and on CUDA.

``overwrite_x``, ``workers`` and ``plan`` say how SciPy computes, and change nothing here.
Cosine and sine transforms are Fourier transforms of twice the length between two multiplications.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as _np

import gpugrad.numpy.fft as _numpy
from gpugrad.numpy.fft import fftfreq, fftshift, ifftshift, rfftfreq
from gpugrad.numpy.operands import cast as _cast
from gpugrad.numpy.operands import door as _door
from gpugrad.numpy.operands import plain as _plain
from gpugrad.numpy.operands import sent as _sent
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
next_fast_len, prev_fast_len = _scipy("fft").next_fast_len, _scipy("fft").prev_fast_len


# --------------------------------------------------------------------------- cosines and sines

# Of the sum of 2 x[n] cos(pi (k + a) (n + b) / m), or of sines, for the four types: a, b, and by
# how much m is more than the number of elements.
_COSINES = {1: (0.0, 0.0, -1), 2: (0.0, 0.5, 0), 3: (0.5, 0.0, 0), 4: (0.5, 0.5, 0)}
_SINES = {1: (1.0, 1.0, 1), 2: (1.0, 0.5, 0), 3: (0.5, 1.0, 0), 4: (0.5, 0.5, 0)}
_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}
# which elements of x count half, and which of x and of the result are scaled to be orthogonal
_BEFORE: dict[str, dict[int, tuple[int, ...]]] = {"cos": {1: (0, -1), 3: (0,)}, "sin": {3: (-1,)}}
_AFTER: dict[str, dict[int, tuple[int, ...]]] = {"cos": {1: (0, -1), 2: (0,)}, "sin": {2: (-1,)}}


def _scaled(n: int, places: tuple[int, ...], factor: float) -> _np.ndarray[Any, Any]:
    found = _np.ones(n)
    found[list(places)] = factor
    return found


def _turned(
    t: Any, wave: str, kind: int, axis: int, norm: Any, orthogonalize: Any, inverse: bool
) -> Any:
    """Return a transform along an axis, as a Fourier transform between two multiplications."""
    if t._array.dtype.kind == "c":
        parts = [
            _turned(_op(p)(t), wave, kind, axis, norm, orthogonalize, inverse)
            for p in ("real", "imag")
        ]
        return _op("complex")(*parts)
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(
            f"Invalid norm value {norm!r}; should be 'backward', 'ortho', or 'forward'"
        )
    orthogonalize = norm == "ortho" if orthogonalize is None else orthogonalize
    kind = _INVERSE[kind] if inverse else kind
    n = t._array.shape[axis]
    a, b, more = (_COSINES if wave == "cos" else _SINES)[kind]
    m = n + more
    if n < 1 or m < 1:
        raise ValueError(f"Invalid number of data points ({n}) specified")
    scale = {"ortho": (2.0 * m) ** -0.5, "forward": 1.0 if inverse else 0.5 / m}.get(
        norm, 0.5 / m if inverse else 1.0
    )
    root = 2**0.5 if orthogonalize else 1.0
    before = 2 * scale * _scaled(n, _BEFORE[wave].get(kind, ()), 0.5 * root)
    after = _scaled(n, _AFTER[wave].get(kind, ()), 1 / root)
    k = _np.arange(n)
    before = before * _np.exp(-1j * _np.pi * a * k / m)
    after = after * _np.exp(-1j * _np.pi * b * (k + a) / m)
    last = _op("transpose")(t, axis, -1)
    width = _np.result_type(last._array.dtype, _np.complex64)
    first, second = (_sent(f.astype(width), t.device) for f in (before, after))
    found = _op("fft.fft")(last * first, 2 * m, -1)[..., :n] * second
    part = _op("real")(found) if wave == "cos" else -_op("imag")(found)
    return _op("transpose")(part, axis, -1)


def _sized(t: Any, n: int | None, axis: int) -> Any:
    """Return a tensor cut, or with zeros behind, to a length along an axis."""
    here = t._array.shape[axis]
    if n is None or n == here:
        return t
    if n < 1:
        raise ValueError(f"invalid number of data points ({n}) specified")
    if n < here:
        return _op("narrow")(t, axis, 0, n)
    return _op("constant_pad_nd")(t, [0, 0] * (t._array.ndim - 1 - axis) + [0, n - here])


def _real(x: Any) -> Any:
    t = _plain(x)
    return t if t._array.dtype.kind in "fc" else _cast(t, _np.dtype(float))


def _checked(name: str, kind: Any) -> int:
    if kind not in (1, 2, 3, 4):
        raise ValueError(f"{name}: type must be 1, 2, 3 or 4, and is {kind!r}")
    return int(kind)


def _wave_along_one(name: str) -> Callable[..., Any]:
    wave, inverse = "cos" if "c" in name else "sin", name[0] == "i"

    def function(
        x: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None,
        overwrite_x: bool = False, workers: Any = None, orthogonalize: Any = None,
    ) -> Any:  # fmt: skip
        t = _real(x)
        (axis,) = _normal_axes(axis, t._array.ndim)
        t = _sized(t, n, axis)
        return _turned(t, wave, _checked(name, type), axis, norm, orthogonalize, inverse)

    return _named(function, name)


def _wave_along_several(name: str) -> Callable[..., Any]:
    wave, inverse = "cos" if "c" in name else "sin", name[0] == "i"

    def function(
        x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: Any = None,
        overwrite_x: bool = False, workers: Any = None, *, orthogonalize: Any = None,
    ) -> Any:  # fmt: skip
        t = _real(x)
        ndim = t._array.ndim
        if axes is None:
            axes = range(ndim - len(s), ndim) if s is not None else range(ndim)
        axes = _normal_axes(tuple(axes), ndim)
        sizes = (None,) * len(axes) if s is None else tuple(s)
        if len(sizes) != len(axes):
            raise ValueError("when given, axes and shape arguments have to be of the same length")
        for axis, n in zip(axes, sizes, strict=True):
            t = _sized(t, n, axis)
            t = _turned(t, wave, _checked(name, type), axis, norm, orthogonalize, inverse)
        return t

    return _named(function, name)


dct, idct, dst, idst = map(_wave_along_one, ("dct", "idct", "dst", "idst"))
dctn, idctn, dstn, idstn = map(_wave_along_several, ("dctn", "idctn", "dstn", "idstn"))

__all__ = [
    "dct", "dctn", "dst", "dstn", "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2",
    "hfftn", "idct", "idctn", "idst", "idstn", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft",
    "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "next_fast_len", "prev_fast_len", "rfft",
    "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

"""Fourier transforms on the CPU: NumPy's, or SciPy's where those are faster.

NumPy transforms single precision slowly; SciPy has the same algorithm, with vector units.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

Array = Any
Shape = tuple[int, ...]

LARGE = 1024  # elements; below, SciPy takes no less time
_OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


@functools.cache
def _scipys() -> Any:
    try:
        import scipy.fft
    except ImportError:
        return None
    return scipy.fft


def _faster(array: Array) -> Any:
    """Return SciPy's module where an array is better transformed by that, and it is there."""
    single = array.size >= LARGE and array.real.dtype == np.float32
    return _scipys() if single else None


def _along(name: str, array: Array, axes: Shape, norm: str, length: int | None = None) -> Array:
    """Return a transform by NumPy or SciPy."""
    module: Any = _faster(array) or np.fft
    with np.errstate(all="ignore"):
        if len(axes) == 1:
            return getattr(module, name)(array, length, axes[0], norm)
        sizes = None if length is None else [*(array.shape[k] for k in axes[:-1]), length]
        return getattr(module, f"{name}n")(array, sizes, axes, norm)


def fft(array: Array, axes: Shape, forward: bool, norm: str) -> Array:
    """Return the Fourier transform along some axes, or its inverse."""
    name = "fft" if forward else "ifft"
    if _faster(array) is not None:
        return _along(name, array, axes, norm)
    if array.dtype.kind != "c":
        return _of_real(array, axes, forward, norm)
    if array.dtype == np.complex64 and array.size >= LARGE:
        return _along(name, array.astype(np.complex128), axes, norm).astype(np.complex64)
    return _along(name, array, axes, norm)


def _of_real(array: Array, axes: Shape, forward: bool, norm: str) -> Array:
    """Return the transform of real numbers, of which half is computed.

    The other elements are conjugates of those at the opposite frequencies.
    """
    half = rfft(array, axes, norm if forward else _OPPOSITE[norm])
    if not forward:
        np.conjugate(half, out=half)
    *rest, last = axes
    count = half.shape[last]
    found = np.empty(array.shape, half.dtype)

    def along(part: slice) -> tuple[slice, ...]:
        return (*(slice(None),) * last, part)

    found[along(slice(count))] = half
    source = half[along(slice(array.shape[last] - count, 0, -1))]
    for axis in rest:  # the frequency 0 stays where it is
        source = np.roll(np.flip(source, axis), 1, axis)
    np.conjugate(source, out=found[along(slice(count, None))])
    return found


def rfft(array: Array, axes: Shape, norm: str) -> Array:
    """Return half of the transform of real numbers, along the last of the axes."""
    return _along("rfft", array, axes, norm)


def irfft(array: Array, axes: Shape, length: int, norm: str) -> Array:
    """Return the real numbers that half of a transform is of, ``length`` along the last axis."""
    return _along("irfft", array, axes, norm, length)

"""A stand-in for cuFFT, written with NumPy: CuPy's plans, as its functions use them."""

from __future__ import annotations

import ctypes
import sys
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import driver

# cufftType, and the type of what comes out
_TYPES: dict[str, tuple[int, Any]] = {
    "CUFFT_C2C": (0x29, np.complex64),
    "CUFFT_R2C": (0x2A, np.complex64),
    "CUFFT_C2R": (0x2C, np.float32),
    "CUFFT_Z2Z": (0x69, np.complex128),
    "CUFFT_D2Z": (0x6A, np.complex128),
    "CUFFT_Z2D": (0x6C, np.float64),
}
_NAMES = {number: name for name, (number, _) in _TYPES.items()}
_FORWARD, _INVERSE = -1, 1


def replace_module(cupy: Any) -> None:
    """Put the stand-in where CuPy will import cuFFT from; its plans are not kept."""
    module = types.ModuleType("cupy.cuda.cufft")
    vars(module).update({name: number for name, (number, _) in _TYPES.items()})
    vars(module).update(
        CUFFT_FORWARD=_FORWARD, CUFFT_INVERSE=_INVERSE, Plan1d=_Plan1d, PlanNd=_PlanNd,
        get_current_plan=lambda: None,
    )  # fmt: skip
    sys.modules[module.__name__] = cupy.cuda.cufft = module
    cupy.fft._fft.get_plan_cache = dict


def _host(array: Any) -> Any:
    """Return the memory of a CuPy array as NumPy's."""
    memory = (ctypes.c_char * array.nbytes).from_address(array.data.ptr)
    return np.ndarray(array.shape, array.dtype, memory, strides=array.strides)


class _Plan:
    """Transforms along some axes, without dividing by anything."""

    gpus = None

    def __init__(self, kind: int, axes: Sequence[int], length: int):
        self.fft_type = kind
        self.axes = axes
        self.length = length  # along the last axis, of what is real

    def get_output_array(self, a: Any, order: str = "C") -> Any:
        import cupy

        name = _NAMES[self.fft_type]
        shape, last = list(a.shape), self.axes[-1]
        if name in ("CUFFT_R2C", "CUFFT_D2Z"):
            shape[last] = shape[last] // 2 + 1
        elif name in ("CUFFT_C2R", "CUFFT_Z2D"):
            shape[last] = self.length
        return cupy.empty(shape, _TYPES[name][1], order)

    def fft(self, a: Any, out: Any, direction: int) -> None:
        driver.queued(self._fft)(a, out, direction)

    def _fft(self, a: Any, out: Any, direction: int) -> None:
        source, name = _host(a), _NAMES[self.fft_type]
        found: Any
        if name in ("CUFFT_R2C", "CUFFT_D2Z"):
            found = np.fft.rfftn(source, axes=self.axes)
        elif name in ("CUFFT_C2R", "CUFFT_Z2D"):
            sizes = [*(a.shape[k] for k in self.axes[:-1]), self.length]
            found = np.fft.irfftn(source, sizes, self.axes, "forward")
        elif direction == _FORWARD:
            found = np.fft.fftn(source, axes=self.axes)
        else:
            found = np.fft.ifftn(source, axes=self.axes, norm="forward")
        _host(out)[...] = found


class _Plan1d(_Plan):
    """Transforms along the last axis."""

    def __init__(self, length: int, kind: int, batch: int, devices: Any = None):
        super().__init__(kind, (-1,), length)


class _PlanNd(_Plan):
    """Transforms along several axes, one behind the other."""

    def __init__(
        self, shape: Sequence[int], inembed: Any, istride: Any, idist: Any, onembed: Any,
        ostride: Any, odist: Any, kind: int, batch: int, order: str, last_axis: int, last_size: int,
    ):  # fmt: skip
        axes = tuple(range(last_axis - len(shape) + 1, last_axis + 1))
        super().__init__(kind, axes, last_size)

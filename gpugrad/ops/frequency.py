"""The frequencies of Fourier transforms, as new tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype
from gpugrad._dtype import dtype
from gpugrad.op import public
from gpugrad.ops.creation import DeviceLike, finish, placed

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _frequencies(
    name: str, n: int, d: float, numbers: Any, kind: dtype | None, where: Any, requires_grad: bool
) -> Any:
    kind = _dtype.chosen(kind, _dtype.get_default_dtype())
    if kind.category < _dtype.FLOAT:
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    if kind.is_complex:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{kind.title}'")
    step = 1 / (n * d) if n * d else np.inf
    with np.errstate(all="ignore"):
        values = numbers.astype(kind.numpy) * kind.numpy.type(step)
    return finish(placed(values, where), requires_grad)


def _count(n: int) -> int:
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    return n


@public(name="fft.fftfreq", method=False, out=True, creates=True)
def fftfreq(
    n: int, d: float = 1.0, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return the frequencies of the elements of a transform of ``n`` samples, ``d`` apart."""
    count = _count(n)
    numbers = np.arange(count)
    numbers[(count + 1) // 2 :] -= count
    return _frequencies("fftfreq", n, d, numbers, dtype, device, requires_grad)


@public(name="fft.rfftfreq", method=False, out=True, creates=True)
def rfftfreq(
    n: int, d: float = 1.0, *, dtype: dtype | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return the frequencies of half a transform of ``n`` real samples, ``d`` apart."""
    numbers = np.arange(_count(n) // 2 + 1)
    return _frequencies("rfftfreq", n, d, numbers, dtype, device, requires_grad)

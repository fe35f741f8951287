"""PyTorch's ``torch.fft``, made from the table of declarations."""

from collections.abc import Sequence
from typing import Any

import numpy

from gpugrad import Tensor, device, dtype, layout

def fft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the discrete Fourier transform, along one dimension."""

def fft2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the discrete Fourier transform, along two dimensions."""

def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the frequencies of the elements of a transform of ``n`` samples, ``d`` apart."""

def fftn(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the discrete Fourier transform, along some dimensions, or all."""

def fftshift(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int | Sequence[int] | None = None
) -> Tensor:
    """Return a transform with the frequency 0 in the middle of its dimensions."""

def hfft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the real transform of half a signal, of which the other half is the conjugate, along one dimension."""

def hfft2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the real transform of half a signal, of which the other half is the conjugate, along two dimensions."""

def hfftn(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the real transform of half a signal, of which the other half is the conjugate, along some dimensions, or all."""

def ifft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of the discrete Fourier transform, along one dimension."""

def ifft2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of the discrete Fourier transform, along two dimensions."""

def ifftn(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the inverse of the discrete Fourier transform, along some dimensions, or all."""

def ifftshift(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int | Sequence[int] | None = None
) -> Tensor:
    """Return what :func:`fftshift` did undone."""

def ihfft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return half of the inverse transform of real numbers, along one dimension."""

def ihfft2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return half of the inverse transform of real numbers, along two dimensions."""

def ihfftn(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return half of the inverse transform of real numbers, along some dimensions, or all."""

def irfft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the real numbers whose transform has this first half, along one dimension."""

def irfft2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the real numbers whose transform has this first half, along two dimensions."""

def irfftn(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the real numbers whose transform has this first half, along some dimensions, or all."""

def rfft(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the first half of the discrete Fourier transform of real numbers, along one dimension."""

def rfft2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the first half of the discrete Fourier transform of real numbers, along two dimensions."""

def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: dtype | None = None,
    device: str | int | device | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    layout: layout | None = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the frequencies of half a transform of ``n`` real samples, ``d`` apart."""

def rfftn(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the first half of the discrete Fourier transform of real numbers, along some dimensions, or all."""

"""Windows: weights of the values that a transform looks at together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype
from gpugrad._dtype import dtype
from gpugrad.op import public
from gpugrad.ops.counted import length_of, sent
from gpugrad.ops.creation import DeviceLike

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

NumPy = np.ndarray[Any, np.dtype[Any]]

HAMMING = 0.54, 0.46
BLACKMAN = 0.42, 0.5, 0.08
NUTTALL = 0.3635819, 0.4891775, 0.1365995, 0.0106411


# ---------------------------------------------------------------------------- the values


def _cosines(length: int, period: int, weights: Iterable[float]) -> NumPy:
    """Return sums of cosines: of no wave, of one, two, ... waves in a period.

    Those of the multiples of an angle follow from its own: ``cos((k + 1) x) + cos((k - 1) x)`` is
    ``2 cos(x) cos(k x)``.
    """
    single = np.cos(2 * math.pi / period * np.arange(length))
    before, wave = single, np.ones(length)
    result = np.zeros(length)
    for k, weight in enumerate(weights):
        result += (-1) ** k * weight * wave
        before, wave = wave, 2 * single * wave - before
    return result


def _triangle(length: int, period: int) -> NumPy:
    return 1 - np.abs(2 / period * np.arange(length) - 1)


def _kaiser(length: int, period: int, beta: float) -> NumPy:
    places = 2 / period * np.arange(length) - 1
    return np.i0(beta * np.sqrt(np.maximum(1 - places**2, 0))) / np.i0(beta)


# ---------------------------------------------------------------------------- by the first names


def _window(
    function: str, window_length: int, periodic: bool, values: Any, kind: dtype | None,
    where: DeviceLike, requires_grad: bool,
) -> Tensor:  # fmt: skip
    """Return a window as a tensor, of length 1 if that is its length.

    Raises:
        RuntimeError: The length is negative, or the type is no floating point type.
    """
    kind = _dtype.chosen(kind, _dtype.get_default_dtype())
    length = length_of(function, "window_length", 1, window_length)
    if not kind.is_floating_point:
        raise RuntimeError(f"{function} expects floating point dtypes, got: {kind}")
    if length < 0:
        raise RuntimeError(
            f"{function} requires non-negative window_length, got window_length={length}"
        )
    found = np.ones(length) if length < 2 else values(length, length if periodic else length - 1)
    result: Tensor = sent(found.astype(kind.numpy), where, requires_grad)
    return result


@public(method=False, creates=True)
def hann_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``0.5 - 0.5 cos(2 pi n / N)``, of which N is the length, or one less if symmetric.

    Raises:
        RuntimeError: The length is negative, or the type is no floating point type.
    """
    return _window(
        "hann_window", window_length, periodic, lambda n, m: _cosines(n, m, (0.5, 0.5)), dtype,
        device, requires_grad,
    )  # fmt: skip


@public(method=False, creates=True)
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
    dtype: dtype | None = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``alpha - beta cos(2 pi n / N)``, of which N is the length, or one less if symmetric.

    Raises:
        RuntimeError: The length is negative, or the type is no floating point type.
    """
    return _window(
        "hamming_window", window_length, periodic, lambda n, m: _cosines(n, m, (alpha, beta)),
        dtype, device, requires_grad,
    )  # fmt: skip


@public(method=False, creates=True)
def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)``.

    N is the length, or one less if symmetric.

    Raises:
        RuntimeError: The length is negative, or the type is no floating point type.
    """
    return _window(
        "blackman_window", window_length, periodic, lambda n, m: _cosines(n, m, BLACKMAN), dtype,
        device, requires_grad,
    )  # fmt: skip


@public(method=False, creates=True)
def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``1 - |2 n / N - 1|``, of which N is the length, or one less if symmetric.

    Raises:
        RuntimeError: The length is negative, or the type is no floating point type.
    """
    return _window(
        "bartlett_window", window_length, periodic, _triangle, dtype, device, requires_grad
    )


@public(method=False, creates=True)
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *,
    dtype: dtype | None = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``i0(beta sqrt(1 - (2 n / N - 1)^2)) / i0(beta)`` with the Bessel function i0.

    N is the length, or one less if symmetric.

    Raises:
        RuntimeError: The length is negative, or the type is no floating point type.
    """
    return _window(
        "kaiser_window", window_length, periodic, lambda n, m: _kaiser(n, m, beta), dtype, device,
        requires_grad,
    )  # fmt: skip


# ---------------------------------------------------------------------------- by those of `signal`


def _signal(
    function: str, M: int, sym: bool, values: Any, kind: dtype | None,
    where: DeviceLike, requires_grad: bool,
) -> Tensor:  # fmt: skip
    """Return a window as a tensor.

    Raises:
        ValueError: The length is negative, or the type neither float32 nor float64.
    """
    kind = _dtype.chosen(kind, _dtype.get_default_dtype())
    length = length_of(function, "M", 1, M)
    if length < 0:
        raise ValueError(f"{function} requires non-negative window length, got M={M}")
    if kind not in (_dtype.float32, _dtype.float64):
        raise ValueError(f"{function} expects float32 or float64 dtypes, got: {kind}")
    found = np.ones(length) if length < 2 else values(length, length - 1 if sym else length)
    result: Tensor = sent(found.astype(kind.numpy), where, requires_grad)
    return result


def _in_signal(function: Any) -> Any:
    name = f"signal.windows.{function.__name__}"
    return public(method=False, creates=True, name=name)(function)


@_in_signal
def general_cosine(
    M: int, *, a: Iterable[float], sym: bool = True, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return a sum of cosines ``a[0] - a[1] cos(x) + a[2] cos(2 x) - ...``.

    One period of x is the window, without its end if it is not symmetric.

    Raises:
        TypeError: ``a`` is no sequence.
        ValueError: ``a`` is empty, the length is negative, or the type neither float32 nor
            float64.
    """

    def values(length: int, period: int) -> NumPy:
        if not isinstance(a, Iterable):
            raise TypeError("Coefficients must be a list/tuple")
        weights = list(a)
        if not weights:
            raise ValueError("Coefficients cannot be empty")
        return _cosines(length, period, weights)

    return _signal("general_cosine", M, sym, values, dtype, device, requires_grad)


@_in_signal
def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``alpha - (1 - alpha) cos(x)``; see :func:`general_cosine`."""
    return general_cosine(
        M, a=(alpha, 1 - alpha), sym=sym, dtype=dtype, device=device, requires_grad=requires_grad
    )


def _of_cosines(name: str, weights: tuple[float, ...]) -> None:
    def function(
        M: int, *, sym: bool = True, dtype: dtype | None = None,
        device: DeviceLike = None, requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        return general_cosine(
            M, a=weights, sym=sym, dtype=dtype, device=device, requires_grad=requires_grad
        )

    function.__name__ = name
    function.__doc__ = f"Return the :func:`general_cosine` of {', '.join(map(str, weights))}."
    _in_signal(function)


for _name, _weights in {
    "blackman": BLACKMAN, "hamming": HAMMING, "hann": (0.5, 0.5), "nuttall": NUTTALL,
}.items():  # fmt: skip
    _of_cosines(_name, _weights)


@_in_signal
def bartlett(
    M: int, *, sym: bool = True, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return a triangle from 0 to 1 and back.

    Raises:
        ValueError: The length is negative, or the type neither float32 nor float64.
    """
    return _signal("bartlett", M, sym, _triangle, dtype, device, requires_grad)


@_in_signal
def cosine(
    M: int, *, sym: bool = True, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return half a wave of the sine, at the middles of equal parts.

    Raises:
        ValueError: The length is negative, or the type neither float32 nor float64.
    """

    def values(length: int, period: int) -> NumPy:
        return np.sin(math.pi / (period + 1) * (0.5 + np.arange(length)))

    return _signal("cosine", M, sym, values, dtype, device, requires_grad)


@_in_signal
def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True,
    dtype: dtype | None = None, device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``exp(-|n - center| / tau)``; the center is by default the middle.

    Raises:
        ValueError: ``tau`` is not positive, a symmetric window has another center, the length is
            negative, or the type neither float32 nor float64.
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def values(length: int, period: int) -> NumPy:
        middle = period / 2 if center is None else center
        return np.exp(-np.abs(np.arange(length) - middle) / tau)

    return _signal("exponential", M, sym, values, dtype, device, requires_grad)


@_in_signal
def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``exp(-(x / std)^2 / 2)`` at the distances x from the middle.

    Raises:
        ValueError: ``std`` is not positive, the length is negative, or the type neither float32
            nor float64.
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def values(length: int, period: int) -> NumPy:
        return np.exp(-(((np.arange(length) - period / 2) / std) ** 2) / 2)

    return _signal("gaussian", M, sym, values, dtype, device, requires_grad)


@_in_signal
def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: dtype | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``i0(beta sqrt(1 - x^2)) / i0(beta)`` for x from -1 to 1, with the Bessel function i0.

    Raises:
        ValueError: ``beta`` or the length is negative, or the type neither float32 nor float64.
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def values(length: int, period: int) -> NumPy:
        return _kaiser(length, period, beta)

    return _signal("kaiser", M, sym, values, dtype, device, requires_grad)

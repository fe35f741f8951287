"""Discrete Fourier transforms: three linear operations, from which all functions are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.errors import normal_dim
from gpugrad.op import linear, public
from gpugrad.op.saved import Like, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.copy import to
from gpugrad.ops.part import sliced, zeros_with

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]

# By what a transform is divided: by nothing, by the root of the number of elements, or by that.
_SCALES = {
    (None, True): "none", ("backward", True): "none", ("forward", True): "all",
    (None, False): "all", ("backward", False): "all", ("forward", False): "none",
    ("ortho", True): "root", ("ortho", False): "root",
}  # fmt: skip


def _norm(scale: str, forward: bool) -> str:
    """Return NumPy's name of a scale, which depends on the direction."""
    if scale == "root":
        return "ortho"
    return "backward" if (scale == "none") is forward else "forward"


# --------------------------------------------------------------------------- the operations


@linear("FftC2CBackward0")
def _all(door: backend.Backend, input: Array, *, axes: Shape, scale: str, inverse: bool) -> Array:
    return door.fft(input, axes, not inverse, _norm(scale, not inverse))


@_all.gradient
def input(g: Any, axes: Shape, scale: str, inverse: bool) -> Any:
    return _all(g, axes=axes, scale=scale, inverse=not inverse)


_all_of_real = _all.named("FftR2CBackward0")


@linear("FftR2CBackward0")
def _half(door: backend.Backend, input: Array, *, axes: Shape, scale: str) -> Array:
    """The first half, along the last of the axes, of the transform of real numbers."""
    return door.rfft(input, axes, _norm(scale, True))


@_half.gradient
def input(g: Any, like: Like, axes: Shape, scale: str) -> Any:
    length = like.shape[axes[-1]]
    return _from_half(_weighted(g, axes[-1], length, 0.5), axes=axes, scale=scale, length=length)


@linear("FftC2RBackward0")
def _from_half(
    door: backend.Backend, input: Array, *, axes: Shape, scale: str, length: int
) -> Array:
    """The real numbers whose inverse transform has this first half along the last of the axes."""
    return door.irfft(input, axes, length, _norm(scale, False))


@_from_half.gradient
def input(g: Any, axes: Shape, scale: str, length: int) -> Any:
    return _weighted(_half(g, axes=axes, scale=scale), axes[-1], length, 2.0)


def _weighted(half: Any, axis: int, length: int, weight: float) -> Any:
    """Return half a spectrum of ``length`` with what stands for two elements times a weight."""
    array = half._array
    weights = np.full(length // 2 + 1, weight, f"f{array.dtype.itemsize // 2}")
    weights[0] = 1
    if length % 2 == 0:
        weights[-1] = 1
    door = backend.of(array)
    shape = (-1, *(1,) * (array.ndim - 1 - axis))
    return pw.mul(half, wrap(door.from_numpy(weights.reshape(shape), door.device_of(array))))


# --------------------------------------------------------------------------- arguments


def _typed(input: Any, to_complex: bool) -> Any:
    """Return a tensor of a type that there are transforms of.

    Raises:
        RuntimeError: It is of 16 bits.
    """
    kind = _dtype.of(input._array.dtype)
    if kind.category >= _dtype.FLOAT + to_complex and kind.itemsize >= 4:
        return input
    if kind.category < _dtype.FLOAT:
        kind = _dtype.get_default_dtype()
    if kind.to_real().itemsize < 4:
        raise RuntimeError(f"Unsupported dtype {kind.title}")
    return to(input, dtype=kind.to_complex() if to_complex else kind)


def _resized(input: Any, axes: Shape, lengths: Sequence[int]) -> Any:
    """Return a tensor cut to lengths along some axes, or continued by zeros."""
    before = input._array.shape
    if all(before[k] == n for k, n in zip(axes, lengths, strict=True)):
        return input
    wanted = list(before)
    for axis, n in zip(axes, lengths, strict=True):
        wanted[axis] = n
    common = tuple([slice(0, min(n, m)) for n, m in zip(before, wanted, strict=True)])
    if any(n > m for n, m in zip(before, wanted, strict=True)):
        input = sliced(input, common)
    if input._array.shape == tuple(wanted):
        return input
    return zeros_with(input, shape=tuple(wanted), index=common)


def _axis(dim: int, ndim: int) -> int:
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return normal_dim(dim, ndim)


def _check_length(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _axes_and_lengths(input: Any, s: Any, dim: Any) -> tuple[Shape, list[int]]:
    """Return along which axes is transformed, and how long they are to be.

    Raises:
        IndexError: There is no such dimension.
        RuntimeError: A dimension is there twice, or the lengths are not as many, or below 1.
    """
    sizes = input._array.shape
    axes = None
    if dim is not None:
        dim = (dim,) if isinstance(dim, int) else tuple(dim)
        axes = tuple([_axis(d, len(sizes)) for d in dim])
        if len(set(axes)) < len(axes):
            raise RuntimeError("FFT dims must be unique")
    if s is not None:
        s = (s,) if isinstance(s, int) else tuple(s)
        if axes is not None and len(axes) != len(s):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
        if len(s) > len(sizes):
            raise RuntimeError(
                f"Got shape with {len(s)} values but input tensor only has {len(sizes)} dimensions."
            )
    if axes is None:
        count = len(sizes) if s is None else len(s)
        axes = tuple(range(len(sizes) - count, len(sizes)))
    wanted = (-1,) * len(axes) if s is None else s
    lengths = [sizes[k] if n == -1 else n for k, n in zip(axes, wanted, strict=True)]
    return axes, [_check_length(n) for n in lengths]


def _scale(norm: Any, forward: bool) -> str:
    if (norm, forward) not in _SCALES:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return _SCALES[norm, forward]


def transformed(input: Any, axes: Shape, norm: Any, inverse: bool = False) -> Any:
    """Return all of the transform of real or complex numbers."""
    input = _typed(input, False)
    scale = _scale(norm, not inverse)
    if not axes:
        return _typed(input, True)
    real_line = input._array.dtype.kind != "c" and len(axes) == 1
    op = _all_of_real if real_line else _all
    return op(input, axes=axes, scale=scale, inverse=inverse)


def half_of(input: Any, axes: Shape, norm: Any, inverse: bool = False) -> Any:
    """Return half of the transform of real numbers: of the inverse one, the conjugate."""
    found = _half(_typed(input, False), axes=axes, scale=_scale(norm, not inverse))
    return pw.conjugate(found) if inverse else found


def from_half(input: Any, axes: Shape, length: int, norm: Any, forward: bool = False) -> Any:
    """Return the transform of half a spectrum, which is real: the forward one of the conjugate."""
    input = _typed(input, True)
    scale = _scale(norm, forward)
    if forward:
        input = pw.conjugate(input)
    return _from_half(input, axes=axes, scale=scale, length=length)


# --------------------------------------------------------------------------- the functions


def _all_of(input: Any, axes: Shape, lengths: Sequence[int], norm: Any, forward: bool) -> Any:
    return transformed(_resized(input, axes, lengths), axes, norm, not forward)


def _first_half(input: Any, axes: Shape, lengths: Sequence[int], norm: Any, forward: bool) -> Any:
    return half_of(_resized(input, axes, lengths), axes, norm, not forward)


def _real(input: Any, axes: Shape, lengths: Sequence[int], norm: Any, forward: bool) -> Any:
    *before, length = lengths
    half = _resized(input, axes, [*before, length // 2 + 1])
    return from_half(half, axes, length, norm, forward)


# What computes it, and whether it is a forward transform.
_KINDS: dict[str, tuple[Callable[..., Any], bool]] = {
    "fft": (_all_of, True),
    "ifft": (_all_of, False),
    "rfft": (_first_half, True),
    "irfft": (_real, False),
    "hfft": (_real, True),
    "ihfft": (_first_half, False),
}
_MEANING = {
    "fft": "the discrete Fourier transform",
    "ifft": "the inverse of the discrete Fourier transform",
    "rfft": "the first half of the discrete Fourier transform of real numbers",
    "irfft": "the real numbers whose transform has this first half",
    "hfft": "the real transform of half a signal, of which the other half is the conjugate",
    "ihfft": "half of the inverse transform of real numbers",
}


def _check_real(name: str, several: bool, input: Any) -> None:
    if input._array.dtype.kind != "c":
        return
    title = _dtype.of(input._array.dtype).title
    if not several:
        raise RuntimeError(f"{name} expects a real input tensor, but got {title}")
    if name == "rfft":
        raise RuntimeError(f"rfftn expects a real-valued input tensor, but got {title}")
    raise RuntimeError(f"Only supports floating-point dtypes, but found: {title}")


def _along_one(name: str, input: Any, n: int | None, dim: int, norm: str | None) -> Any:
    transform, forward = _KINDS[name]
    if norm is not None and not isinstance(norm, str):
        raise TypeError(f"fft_{name}(): argument 'norm' must be str, not {type(norm).__name__}")
    if transform is _first_half:
        _check_real(name, False, input)
    axis = _axis(dim, input._array.ndim)
    size = input._array.shape[axis]
    if n is None:
        n = 2 * (size - 1) if transform is _real else size
    return transform(input, (axis,), (_check_length(n),), norm, forward)


def _along_several(name: str, input: Any, s: Any, dim: Any, norm: str | None) -> Any:
    transform, forward = _KINDS[name]
    if transform is _first_half:
        _check_real(name, True, input)
    axes, lengths = _axes_and_lengths(input, s, dim)
    if not axes and transform is not _all_of:
        raise RuntimeError(f"{name}n must transform at least one axis")
    if transform is _real and (s is None or (s if isinstance(s, int) else s[-1]) == -1):
        lengths[-1] = _check_length(2 * (input._array.shape[axes[-1]] - 1))
    return transform(input, axes, lengths, norm, forward)


def _declare(name: str) -> None:
    """Declare the three functions of a kind of transform: along one dimension, two, and any."""

    def one(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
        return _along_one(name, input, n, dim, norm)

    def two(
        input: Tensor,
        s: Sequence[int] | None = None,
        dim: int | Sequence[int] = (-2, -1),
        norm: str | None = None,
    ) -> Tensor:
        return _along_several(name, input, s, dim, norm)

    def any_(
        input: Tensor,
        s: Sequence[int] | None = None,
        dim: int | Sequence[int] | None = None,
        norm: str | None = None,
    ) -> Tensor:
        return _along_several(name, input, s, dim, norm)

    for function, ending, where, lengths in (
        (one, "", "along one dimension", "``n`` is its length"),
        (two, "2", "along two dimensions", "``s`` are their lengths"),
        (any_, "n", "along some dimensions, or all", "``s`` are their lengths"),
    ):
        function.__doc__ = (
            f"Return {_MEANING[name]}, {where}.\n\n{lengths} after it was cut, or continued by "
            'zeros.  ``norm`` is "backward", "forward" or "ortho": which of the two directions is '
            "divided by the number of elements, or both by its root."
        )
        public(name=f"fft.{name}{ending}", method=False, out=True)(function)


for _name in _KINDS:
    _declare(_name)


def _rolled(input: Any, dim: Any, upwards: bool) -> Any:
    shape = input._array.shape
    if dim is None:
        dims = tuple(range(len(shape)))
    else:
        dims = tuple([normal_dim(d, len(shape)) for d in ((dim,) if isinstance(dim, int) else dim)])
    return input.roll(tuple([(shape[k] + upwards) // 2 for k in dims]), dims)


@public(name="fft.fftshift", method=False)
def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return a transform with the frequency 0 in the middle of its dimensions."""
    return _rolled(input, dim, False)


@public(name="fft.ifftshift", method=False)
def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return what :func:`fftshift` did undone."""
    return _rolled(input, dim, True)

"""Resizing: along each dimension every result is a weighted sum of a few elements."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype
from gpugrad.backend.taps import Taps
from gpugrad.errors import size as sizes_of
from gpugrad.graph import warn
from gpugrad.op import cast, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.nn.average import adapted
from gpugrad.ops.nn.weighing import weighed
from gpugrad.ops.pointwise.rounding import floor

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

NumPy = np.ndarray[Any, np.dtype[Any]]

_CUBIC, _CUBIC_SMOOTH = -0.75, -0.5  # the slopes at the neighbours, with and without antialiasing
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"
_NDIM = {"linear": 1, "bilinear": 2, "bicubic": 2, "lanczos": 2, "trilinear": 3}
_NAMES = {
    "nearest": "Nearest", "nearest-exact": "NearestExact", "linear": "Linear",
    "bilinear": "Bilinear", "bicubic": "Bicubic", "trilinear": "Trilinear", "lanczos": "Lanczos",
}  # fmt: skip


# ---------------------------------------------------------------------------- along one dimension


def cubic(distance: NumPy, slope: float) -> NumPy:
    """Return the weights of elements that are so far away, by Keys' cubic convolution.

    Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
    """
    d = np.abs(distance)
    near = ((slope + 2) * d - (slope + 3)) * d * d + 1
    far = ((slope * d - 5 * slope) * d + 8 * slope) * d - 4 * slope
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def _triangle(distance: NumPy) -> NumPy:
    return np.maximum(1 - np.abs(distance), 0)


def _lanczos(distance: NumPy) -> NumPy:
    return np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)


_SMOOTH: dict[str, tuple[float, Callable[[NumPy], NumPy]]] = {
    "bilinear": (1, _triangle),
    "bicubic": (2, lambda d: cubic(d, _CUBIC_SMOOTH)),
    "lanczos": (3, _lanczos),
}  # how far elements count, in elements, and their weights


def _step(n: int, count: int, corners: bool, factor: float | None, kind: type) -> Any:
    """Return how many elements two results are apart."""
    if corners:
        return kind(n - 1) / kind(count - 1) if count > 1 else kind(0)
    return kind(1.0 / factor) if factor else kind(n) / kind(count)


@lru_cache(maxsize=256)
def _taps(
    mode: str, n: int, count: int, corners: bool, factor: float | None, smooth: bool, kind: type
) -> Taps:
    """Return the elements that each result along a dimension is made of, and their weights.

    Places are computed in the type of the elements, as PyTorch does, since they are rounded.
    """
    step = _step(n, count, corners, factor, kind)
    index: NumPy = np.arange(count).astype(kind)
    if mode == "nearest":
        return Taps(np.minimum(np.floor(index * step), n - 1).astype(np.int64)[:, None], None, n)
    if mode == "nearest-exact":
        places = np.floor((index + kind(0.5)) * step)
        return Taps(np.minimum(places, n - 1).astype(np.int64)[:, None], None, n)
    if smooth:
        return _smooth(mode, n, step, index)
    place = index * step if corners else (index + kind(0.5)) * step - kind(0.5)
    if mode == "bicubic":
        first = np.floor(place)
        around = np.arange(-1, 3)
        weights = cubic((place - first)[:, None] - around, _CUBIC)
        return Taps((first.astype(np.int64)[:, None] + around).clip(0, n - 1), weights, n)
    place = np.maximum(place, 0)
    first = np.minimum(place.astype(np.int64), n - 1)
    share = (place - first).clip(0, 1)
    places = np.stack([first, np.minimum(first + 1, n - 1)], 1)
    return Taps(places, np.stack([1 - share, share], 1), n)


def _smooth(mode: str, n: int, step: Any, index: NumPy) -> Taps:
    """Return all elements within the reach of each result, which grows where there are fewer."""
    reach, weight = _SMOOTH[mode]
    wide = max(float(step), 1.0)
    center = step * (index + 0.5)
    first = np.maximum((center - reach * wide + 0.5).astype(np.int64), 0)
    end = np.minimum((center + reach * wide + 0.5).astype(np.int64), n)
    places = first[:, None] + np.arange(int((end - first).max(initial=1)))
    weights = weight((places - center[:, None] + 0.5) / wide)
    inside = places < end[:, None]
    weights = np.where(inside, weights, 0)
    total = weights.sum(1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    return Taps(np.where(inside, places, -1), weights, n)


# ---------------------------------------------------------------------------- functions


def _asked(
    input: Tensor, size: Any, scale_factor: Any, recompute: bool, mode: str
) -> tuple[list[int], list[float | None]]:
    """Return the size of each dimension, and the factor by which it was given, or ``None``.

    Raises:
        TypeError: A size is no integer.
        ValueError: There is neither a size nor a factor, there are both, or not one for each
            dimension.
    """
    shape = list(input._array.shape[2:])
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if isinstance(size, list | tuple):
            if len(size) != len(shape):
                raise ValueError(
                    "Input and output must have the same number of spatial dimensions, but got "
                    f"input with spatial dimensions of {shape} and output size of {size}. Please "
                    "provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, "
                    "o2, ...,oK) format."
                )
            if not all(hasattr(n, "__index__") for n in size):
                raise TypeError(
                    "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, "
                    f"int, int], but got size with types {[type(n) for n in size]}"
                )
        elif not hasattr(size, "__index__"):
            raise TypeError(
                f"interpolate(): argument 'size' must be int or tuple of ints, not "
                f"{type(size).__name__}"
            )
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        given = size if isinstance(size, list | tuple) else [size] * len(shape)
        return [int(n) for n in given], [None] * len(shape)
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = scale_factor
    if isinstance(factors, list | tuple):
        if len(factors) != len(shape):
            raise ValueError(
                "Input and scale_factor must have the same number of spatial dimensions, but got "
                f"input with spatial dimensions of {shape} and scale_factor of shape "
                f"{scale_factor}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
                "scale_factor in (s1, s2, ...,sK) format."
            )
    else:
        factors = [factors] * len(shape)
    found = [math.floor(n * f) for n, f in zip(shape, factors, strict=True)]
    if recompute or mode == "area":
        return found, [None] * len(shape)
    return found, [float(f) for f in factors]


@public(method=False, name="nn.functional.interpolate")
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return a tensor resized along its last dimensions.

    Args:
        input: Of shape (batch, channels) and one to three dimensions more.
        size: The new size, of each dimension or of all.
        scale_factor: How much larger it is, instead; what is no element is left out.
        mode: "nearest" and "nearest-exact" take one element; "linear", "bilinear" and "trilinear"
            weigh two along each of one, two and three dimensions, "bicubic" four, "lanczos" six;
            "area" is the mean over parts.
        align_corners: Whether the first and the last element stay at the ends, and not the edges.
        recompute_scale_factor: Whether elements are placed by the new size, and not by the factor.
        antialias: Whether smaller results are made of as many more elements.

    Raises:
        NotImplementedError: There is no such mode for so many dimensions, or for this type.
        RuntimeError: A dimension is empty.
        TypeError: A size is no integer.
        ValueError: Arguments do not fit together.
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    shape = tuple(input._array.shape)
    ndim = len(shape) - 2
    sizes, factors = _asked(input, size, scale_factor, bool(recompute_scale_factor), mode)
    if antialias and not (mode in _SMOOTH and ndim == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
    known = ndim in (1, 2, 3) and (mode in ("nearest", "nearest-exact", "area"))
    if not known and _NDIM.get(mode) != ndim:
        if mode in ("linear", "bilinear", "trilinear") and ndim in (1, 2, 3):
            raise NotImplementedError(
                f"Got {ndim + 2}D input, but {mode} mode needs {_NDIM[mode] + 2}D input"
            )
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim + 2}D) for the "
            f"modes: {_MODES} (got {mode})"
        )
    if mode == "lanczos" and align_corners:
        raise ValueError("Lanczos mode does not support align_corners=True")
    if mode == "lanczos" and not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    if mode == "area":
        mean: Tensor = adapted(ndim, input, sizes)
        return mean
    _check(mode, shape, sizes, input, antialias)
    kind: type = np.float32 if input._array.dtype.kind == "f" else np.float64
    kind = np.float64 if input._array.dtype == np.float64 else kind
    along = [
        (k + 2, _taps(mode, shape[k + 2], n, bool(align_corners), f, antialias, kind))
        for k, (n, f) in enumerate(zip(sizes, factors, strict=True))
    ]
    name = f"Upsample{_NAMES[mode]}{ndim}D{'Aa' * antialias}Backward0"
    if input._array.dtype == np.uint8 and mode not in ("nearest", "nearest-exact"):
        return _of_bytes(input, along)
    result: Tensor = weighed(name)(input, along=tuple(along))
    return result


def _check(mode: str, shape: Sequence[int], sizes: list[int], input: Any, smooth: bool) -> None:
    """Raise for empty dimensions, and types that PyTorch does not resize.

    Raises:
        NotImplementedError: The type is one of these.
        RuntimeError: A dimension is empty.
    """
    ndim = len(sizes)
    if min(sizes) <= 0 or 0 in shape[2:]:
        axes = "DHW"[-ndim:]
        given, made = (
            ", ".join(f"{a}: {n}" for a, n in zip(axes, s, strict=True)) for s in (shape[2:], sizes)
        )
        between = " and" if ndim == 1 else ""
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({given}){between} "
            f"output ({made})"
        )
    if not shape[1]:
        raise RuntimeError(
            f"Non-empty {ndim + 2}D data tensor expected but got a tensor with sizes "
            f"{sizes_of(shape)}"
        )
    kind = input._array.dtype
    if kind.kind in "bic" or (kind.kind == "u" and kind != np.uint8):
        what = "compute_indices_weights_nearest"
        if mode not in ("nearest", "nearest-exact"):
            what = f"compute_indices_weights_{'cubic' if mode == 'bicubic' else 'linear'}"
        raise NotImplementedError(f"\"{what}\" not implemented for '{_dtype.of(kind).title}'")


@lru_cache(maxsize=256)
def _in_bits(taps: Taps) -> Taps:
    """Return taps with weights of at most 15 bits, as PyTorch weighs bytes.

    What counts twice, at an end, is one weight before it is rounded.
    """
    assert taps.weights is not None
    places, weights = taps.places.copy(), taps.weights.copy()
    for first, second in itertools.combinations(range(places.shape[1]), 2):
        same = (places[:, first] == places[:, second]) & (places[:, first] >= 0)
        weights[same, first] += weights[same, second]
        places[same, second], weights[same, second] = -1, 0
    largest = float(weights.max())
    bits = next(p for p in range(23) if p == 22 or int(0.5 + largest * (1 << (p + 1))) >= 1 << 15)
    whole = np.sign(weights) * np.floor(np.abs(weights) * (1 << bits) + 0.5)
    return Taps(places, whole / (1 << bits), taps.length)


def _of_bytes(input: Any, along: Sequence[tuple[int, Taps]]) -> Any:
    """Return bytes resized along one dimension after the other, each time rounded."""
    wide = np.dtype(np.float64)
    for axis, taps in reversed(along):
        found = weighed("UpsampleBackward0")(
            cast(input, dtype=wide), along=((axis, _in_bits(taps)),)
        )
        input = cast(pw.clamp(floor(found + 0.5), 0, 255), dtype=input._array.dtype)
    return input


def _deprecated(name: str) -> None:
    warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.")


@public(method=False, name="nn.functional.upsample")
def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Return :func:`interpolate`, of which this is the old name."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@public(method=False, name="nn.functional.upsample_nearest")
def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Return :func:`interpolate` by the nearest elements, of which this is an old name."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, "nearest")


@public(method=False, name="nn.functional.upsample_bilinear")
def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Return bilinear :func:`interpolate` with aligned corners, of which this is an old name."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", True)

"""Images sampled at any places, and the places that affine maps give."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.errors import size as sizes_of
from gpugrad.graph import warn
from gpugrad.op import cast, composite, public
from gpugrad.op.operation import Index
from gpugrad.op.saved import Like, wrap, zeros
from gpugrad.ops import pointwise as pw
from gpugrad.ops.indexing import taken
from gpugrad.ops.joining import stack
from gpugrad.ops.pointwise import rounding
from gpugrad.ops.products import bmm
from gpugrad.ops.shape import expand, movedim, permute, reshape, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any

_SLOPE = -0.75  # of the cubic at its neighbours
_FAR = float(2**31 - 1)
_INT64 = np.dtype(np.int64)
_MODES = ("bilinear", "nearest", "bicubic")
_PADDING = ("zeros", "border", "reflection")
_CHANGED = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
    "Please specify align_corners=True if the old behavior is desired. See the documentation of "
    "grid_sample for details."
)


# ---------------------------------------------------------------------------- places


def _unnormalized(place: Any, n: int, corners: bool) -> Any:
    """Return places between -1 and 1 as places between elements of an axis."""
    if corners:
        return (place + 1) / 2 * (n - 1)
    return ((place + 1) * n - 1) / 2


def _clipped(place: Any, n: int) -> Any:
    """Return places within an axis; at an end and beyond it they have no gradient."""
    known = place.detach()
    inside = pw.logical_and(pw.gt(known, 0), pw.lt(known, n - 1))
    return pw.where(inside, place, pw.clamp(known, 0, n - 1))


def _reflected(place: Any, n: int, corners: bool) -> Any:
    """Return places thrown back by the ends of an axis, as often as is needed."""
    low, high = (0.0, n - 1.0) if corners else (-0.5, n - 0.5)
    span = high - low
    if span <= 0:
        return place * 0
    distance = pw.abs(place - low)
    times = rounding.floor(distance.detach() / span)
    rest = distance - times * span
    even = pw.eq(rounding.floor(times / 2) * 2, times)
    return pw.where(even, rest, span - rest) + low


def _kept(place: Any, n: int, padding: str, corners: bool) -> Any:
    """Return places as the padding has them; such as are no numbers lie outside."""
    if padding == "reflection":
        place = _reflected(place, n, corners)
    if padding != "zeros":
        place = _clipped(place, n)
    known = place.detach()
    usual = pw.logical_and(pw.ge(known, -_FAR), pw.le(known, _FAR - 1))
    return pw.where(usual, place, -100.0)


def _picked(rows: Any, places: Sequence[Any], sizes: Sequence[int]) -> Any:
    """Return the rows at places of whole numbers, and 0 where they are outside.

    ``rows`` are of shape (batch, elements, channels), the places of (batch, results).
    """
    inside: Any = None
    flat: Any = None
    for place, n in zip(places, sizes, strict=True):
        here = pw.logical_and(pw.ge(place, 0), pw.le(place, n - 1))
        inside = here if inside is None else pw.logical_and(inside, here)
        whole = cast(pw.clamp(place, 0, n - 1), dtype=_INT64)
        flat = whole if flat is None else flat * n + whole
    array = flat._array
    door = backend.of(array)
    numbers = door.count(rows._array.shape[0], door.device_of(array)).reshape((-1, 1))
    found = taken(rows, index=Index.of((numbers, array), (flat,)))
    return found, unsqueeze(inside, 2)


# ---------------------------------------------------------------------------- modes


def _linear(rows: Any, places: Sequence[Any], sizes: Sequence[int]) -> Any:
    """Return the means of the nearest elements, weighted by how near they are."""
    firsts = [rounding.floor(p.detach()) for p in places]
    out = None
    for corner in itertools.product((0, 1), repeat=len(places)):
        weight: Any = None
        for place, first, k in zip(places, firsts, corner, strict=True):
            share = place - first if k else first + 1 - place
            weight = share if weight is None else weight * share
        found, inside = _picked(rows, [f + k for f, k in zip(firsts, corner, strict=True)], sizes)
        term = pw.where(inside, found * unsqueeze(weight, 2), 0)
        out = term if out is None else out + term
    return out


@composite("GridSamplerBackward0")
def _beside(door: backend.Backend, input: Array, grid: Array) -> Array:
    """Return what does not change with the grid, whose gradient is 0."""
    return door.copy(input)


@_beside.gradient
def input(g: Any) -> Any:
    return g


@_beside.gradient
def grid(g: Any, like: Like) -> Any:
    return zeros(like)


def _nearest(rows: Any, places: Sequence[Any], sizes: Sequence[int]) -> Any:
    """Return the nearest elements."""
    found, inside = _picked(rows, [rounding.round(p.detach()) for p in places], sizes)
    return pw.where(inside, found, 0)


def _cubic_weights(share: Any) -> list[Any]:
    """Return the weights of four elements, by how far a place is behind the second.

    Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
    """

    def near(d: Any) -> Any:
        return ((_SLOPE + 2) * d - (_SLOPE + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((_SLOPE * d - 5 * _SLOPE) * d + 8 * _SLOPE) * d - 4 * _SLOPE

    return [far(share + 1), near(share), near(1 - share), far(2 - share)]


def _cubic(
    rows: Any, places: Sequence[Any], sizes: Sequence[int], kept: Callable[[Any, int], Any]
) -> Any:
    """Return the weighted means of the four nearest elements along each of two axes."""
    firsts = [rounding.floor(p.detach()) for p in places]
    weights = [_cubic_weights(p - f) for p, f in zip(places, firsts, strict=True)]
    out = None
    for corner in itertools.product(range(4), repeat=len(places)):
        steps = zip(firsts, corner, sizes, strict=True)
        found, inside = _picked(rows, [kept(f + (k - 1), n) for f, k, n in steps], sizes)
        weight = math.prod([w[k] for w, k in zip(weights, corner, strict=True)])
        term = pw.where(inside, found, 0) * unsqueeze(weight, 2)
        out = term if out is None else out + term
    return out


def _sampled(input: Any, grid: Any, mode: str, padding: str, corners: bool) -> Any:
    shape = tuple(input._array.shape)
    sizes = shape[2:]
    results = tuple(grid._array.shape[1:-1])
    count, channels = shape[:2]
    rows = permute(reshape(input, (count, channels, math.prod(sizes))), (0, 2, 1))
    flat = reshape(grid, (count, math.prod(results), len(sizes)))
    places = []
    for k, n in enumerate(sizes):  # a grid names the last axis first
        place = flat[:, :, len(sizes) - 1 - k]
        places.append(_unnormalized(place, n, corners))
    if mode == "bicubic":
        known = _finite(places)
        out = _cubic(rows, known, sizes, lambda p, n: _kept(p, n, padding, corners))
    else:
        places = [_kept(p, n, padding, corners) for p, n in zip(places, sizes, strict=True)]
        out = (_nearest if mode == "nearest" else _linear)(rows, places, sizes)
    if mode == "nearest":
        out = _beside(out, grid)
    return reshape(permute(out, (0, 2, 1)), (count, channels, *results))


def _finite(places: Sequence[Any]) -> list[Any]:
    return [pw.where(pw.isfinite(p.detach()), p, -100.0) for p in places]


# ---------------------------------------------------------------------------- functions


def _check_grid(input: Tensor, grid: Tensor, mode: str) -> None:
    """Raise where an input and a grid do not fit.

    Raises:
        NotImplementedError: They are no floating point numbers.
        RuntimeError: Their shapes or types differ.
    """
    shape, places = tuple(input._array.shape), tuple(grid._array.shape)
    told = f"but got input with sizes {sizes_of(shape)} and grid with sizes {sizes_of(places)}"
    if input.size(0) != grid.size(0):
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, {told}"
        )
    ndim = len(shape) - 2
    if places[-1] != ndim:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {ndim} in last dimension, but got grid "
            f"with sizes {sizes_of(places)}"
        )
    for k in range(2, len(shape)):
        if not shape[k]:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input "
                f"has sizes {sizes_of(shape)} with dimension {k} being empty"
            )
    if ndim not in (2, 3) or len(places) != len(shape):
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, "
            f"{told}"
        )
    if ndim == 3 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    kinds = [_dtype.of(t._array.dtype) for t in (input, grid)]
    if not kinds[0].is_floating_point:
        raise NotImplementedError(
            f"\"grid_sampler_{ndim}d_cpu_kernel_impl\" not implemented for '{kinds[0].title}'"
        )
    if kinds[0] != kinds[1]:
        raise RuntimeError(f"expected scalar type {kinds[0].title} but found {kinds[1].title}")


@public(method=False, name="nn.functional.grid_sample")
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return images sampled at the places that a grid names.

    A place that is nan lies outside.

    Args:
        input: Of shape (batch, channels, height, width), or with a depth before the height.
        grid: Of shape (batch, ..., 2) with results' height and width, or (batch, ..., 3): the place
            of each result by width, height and depth, between -1 and 1.
        mode: "bilinear" is the mean of the nearest elements, weighted by distance, "nearest" the
            nearest alone, and "bicubic" a cubic by four along each of two axes.
        padding_mode: What lies outside: "zeros", the elements at the "border", or the image in
            "reflection".
        align_corners: Whether -1 and 1 are the first and the last element, and not their edges.

    Raises:
        NotImplementedError: The elements are no floating point numbers.
        RuntimeError: Shapes or types do not fit.
        ValueError: There is no such mode.
    """
    if mode not in _MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in _PADDING:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        warn(_CHANGED)
    _check_grid(input, grid, mode)
    result: Tensor = _sampled(input, grid, mode, padding_mode, bool(align_corners))
    return result


@public(method=False, names="grid_sampler_2d grid_sampler_3d")
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return images sampled at the places that a grid names.

    It is ``nn.functional.grid_sample``, of which the modes are numbered as it lists them.
    """
    return grid_sample(
        input, grid, _MODES[interpolation_mode], _PADDING[padding_mode], align_corners
    )


def _line(n: int, corners: bool, like: Any) -> Any:
    """Return places between -1 and 1 for the elements of an axis."""
    kind: Any = np.float64 if like._array.dtype == np.float64 else np.float32
    line = np.linspace(-1, 1, n, dtype=kind) if n > 1 else np.zeros(n, kind)
    if not corners:
        line = line * kind(n - 1) / kind(n)
    door = backend.of(like._array)
    where = door.device_of(like._array)
    return cast(wrap(door.from_numpy(line, where)), dtype=like._array.dtype)


@public(method=False)
def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Return the places that affine maps give to each place of a result.

    See ``nn.functional.affine_grid``.
    """
    if len(size) not in (4, 5):
        raise RuntimeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    count, _, *spatial = size
    ndim = len(spatial)
    lines = []
    for k in reversed(range(ndim)):  # the last axis first
        column = reshape(_line(spatial[k], align_corners, theta), [-1] + [1] * (ndim - 1 - k))
        lines.append(expand(column, spatial))
    lines.append(expand(lines[0] * 0 + 1, spatial))
    base: Any = reshape(stack(lines, -1), (1, math.prod(spatial), ndim + 1))
    product = bmm(expand(base, (count, -1, -1)), movedim(theta, 1, 2))
    return reshape(product, (count, *spatial, ndim))


@public(method=False, name="nn.functional.affine_grid")
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Return the places that affine maps give to each place of a result, for :func:`grid_sample`.

    Args:
        theta: Of shape (batch, 2, 3), or (batch, 3, 4) for images with a depth.
        size: Of the result, with its batch and channels.
        align_corners: Whether -1 and 1 are the first and the last element, and not their edges.

    Raises:
        NotImplementedError: The size has not four or five dimensions.
        ValueError: The matrices are of another shape or type, or a size is not positive.
    """
    if align_corners is None:
        warn(_CHANGED)
        align_corners = False
    kind = _dtype.of(theta._array.dtype)
    if not kind.is_floating_point:
        raise ValueError(f"Expected theta to have floating point type, but got {kind}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {size}."
        )
    ndim = len(size) - 2
    shape = theta.shape
    if len(shape) != 3 or tuple(shape[1:]) != (ndim, ndim + 1):
        raise ValueError(
            f"Expected a batch of {ndim}D affine matrices of shape Nx{ndim}x{ndim + 1} for size "
            f"{size}. Got {shape}."
        )
    if align_corners and min(size[2:]) == 1:
        warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when "
            "align_corners=True. This is not an intended use case of affine_grid. See the "
            "documentation of affine_grid for details."
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return affine_grid_generator(theta, size, align_corners)

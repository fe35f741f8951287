"""Maxima over windows whose places are drawn by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad.errors import size
from gpugrad.op import cast, public
from gpugrad.op.saved import own_array
from gpugrad.ops.counted import arange
from gpugrad.ops.draw import rand
from gpugrad.ops.extremum import argmax
from gpugrad.ops.joining import cat
from gpugrad.ops.nn.maximum import picked
from gpugrad.ops.nn.pool import check_kind, several
from gpugrad.ops.pointwise.rounding import trunc
from gpugrad.ops.scatter import gather
from gpugrad.ops.shape import reshape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

_PICKED = {n: picked.named(f"FractionalMaxPool{n}DBackward0") for n in (2, 3)}
_INT64 = np.dtype(np.int64)
_AXES = ("time", "height", "width")


def _starts(sample: Any, n: int, length: int, count: int) -> Any:
    """Return where windows begin along an axis, from numbers between 0 and 1.

    Source: B. Graham, "Fractional max-pooling", arXiv:1412.6071, in PyTorch's arithmetic.
    """
    steps = arange(count - 1, dtype=sample.dtype, device=sample.device)
    sample = sample.reshape((*sample.shape, 1))
    last = cast(sample * 0 + (n - length), dtype=_INT64)
    if count == 1:
        return last
    step = (n - length) / (count - 1)
    found = trunc((steps + sample) * step) - trunc(sample * step)
    return cat([cast(found, dtype=_INT64), last], -1)


def _sizes(
    name: str, ndim: int, input: Any, kernel: Any, output_size: Any, ratio: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sizes of a window and of the result.

    Raises:
        RuntimeError: There are more or fewer numbers than dimensions.
        TypeError: There is one ratio for both dimensions, which PyTorch takes of volumes only.
        ValueError: There is no size of the result, or there are more ratios than dimensions.
    """
    if output_size is None and ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is None:
        if ndim == 2 and len(ratio) > 2:
            raise ValueError(
                f"{name} requires output_ratio to either be a single Int or tuple of Ints."
            )
        ratios = (ratio,) * ndim if isinstance(ratio, float | int) else ratio
        output_size = [int(input.size(k - ndim) * ratios[k]) for k in range(ndim)]
    lengths, counts = several(kernel, ndim), several(output_size, ndim)
    for what, found in (("kernel_size", lengths), ("output_size", counts)):
        if len(found) != ndim:
            raise RuntimeError(
                f"{name}: {what} must either be a single Int or tuple of "
                f"{'three ' * (ndim == 3)}Ints"
            )
    return lengths, counts


def _check_samples(samples: Any, input: Any, ndim: int) -> None:
    shape, given = samples.shape, input.shape
    if samples.dtype != input.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if len(shape) != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {len(shape)}")
    count = given[0] if len(given) == ndim + 2 else 1
    if shape[0] < count:
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if shape[1] != given[-ndim - 1]:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if shape[2] != ndim:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {ndim}; got {shape[2]}.")


def _pooled(
    ndim: int, input: Any, kernel: Any, output_size: Any, ratio: Any, samples: Any
) -> tuple[Any, Any]:
    name = f"fractional_max_pool{ndim}d"
    lengths, counts = _sizes(name, ndim, input, kernel, output_size, ratio)
    shape = tuple(input.shape)
    spoken = f"{name}_out" if ndim == 3 else name
    if len(shape) not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"{spoken}(): Expected {ndim + 1}D or {ndim + 2}D tensor, but got: {size(shape)}"
        )
    for k in range(len(shape) - ndim - 1, len(shape)):
        if not shape[k]:
            raise RuntimeError(
                f"{spoken}(): Expected input to have non-zero size for non-batch dimensions, but "
                f"got{size(shape)} with dimension {k} being empty."
            )
    count = 1 if len(shape) == ndim + 1 else input.size(0)
    if samples is None:
        channels = input.size(-ndim - 1)
        samples = rand(count, channels, ndim, dtype=input.dtype, device=input.device)
    _check_samples(samples, input, ndim)
    sizes = shape[-ndim:]
    for axis, n, length, m in zip(_AXES[-ndim:], sizes, lengths, counts, strict=True):
        if m + length - 1 + (ndim == 3) > n:  # of volumes PyTorch asks for one element more
            raise RuntimeError(
                f"{spoken}(): pool {axis} {length} too large relative to input {axis} {n}"
            )
    check_kind(name, input, "biucV")
    samples = samples.detach()[:count]
    flat = None
    for k, (n, length, m) in enumerate(zip(sizes, lengths, counts, strict=True)):
        place = ndim - 1 - k if ndim == 2 else k  # of two numbers the first is for the width
        starts = _starts(samples[:, :, place], n, length, m)
        within = arange(length, device=input.device)
        ones = [1] * (2 * ndim)
        ones[k], ones[ndim + k] = m, length
        here = (starts.reshape((*starts.shape, 1)) + within).reshape((*starts.shape[:2], *ones))
        flat = here if flat is None else flat * n + here
    assert flat is not None
    results, elements = math.prod(counts), math.prod(lengths)
    whole = (count, shape[-ndim - 1], results * elements)
    flat = reshape(flat, whole)
    plane = input.reshape((*whole[:2], math.prod(sizes)))
    values = reshape(gather(plane.detach(), 2, flat), (*whole[:2], results, elements))
    chosen = argmax(values, -1, True)
    found = gather(reshape(flat, values.shape), 3, chosen)
    indices = reshape(found, (*shape[:-ndim], *counts))
    return _PICKED[ndim](input, places=own_array(indices), ndim=ndim), indices


def _declare(ndim: int) -> None:
    name = f"fractional_max_pool{ndim}d"

    def fractional_max_pool(
        input: Tensor,
        kernel_size: int | Sequence[int],
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> Any:
        found = _pooled(ndim, input, kernel_size, output_size, output_ratio, _random_samples)
        return found if return_indices else found[0]

    fractional_max_pool.__doc__ = f"""Return the maxima over windows whose places are drawn.

    Args:
        input: Of shape (batch, channels) and {ndim} dimensions more, or of one example.
        kernel_size: The length of a window, along each dimension.
        output_size: How many windows there are along each dimension.
        output_ratio: How many there are for each element, instead.
        return_indices: Whether the int64 places of the maxima are returned as well.
        _random_samples: The numbers between 0 and 1 that are drawn otherwise, for each channel and
            dimension.

    Raises:
        NotImplementedError: The elements are no floating point numbers.
        RuntimeError: Shapes or numbers do not fit.
        ValueError: There is neither a size nor a ratio.
    """
    public(method=False, name=f"nn.functional.{name}")(fractional_max_pool)

    def with_indices(
        input: Tensor,
        kernel_size: int | Sequence[int],
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> tuple[Tensor, Tensor]:
        return _pooled(ndim, input, kernel_size, output_size, output_ratio, _random_samples)

    with_indices.__doc__ = f"Return the maxima over drawn windows and places; see :func:`{name}`."
    public(method=False, name=f"nn.functional.{name}_with_indices")(with_indices)


for _ndim in (2, 3):
    _declare(_ndim)

"""Which elements pools see, and what is said where that is not possible."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.backend.taps import Taps
from gpugrad.errors import size
from gpugrad.op.kind import KINDS, checked

Shape = tuple[int, ...]
NumPy = np.ndarray[Any, np.dtype[Any]]

_WORDS = {2: "two", 3: "three"}
_AXES = {2: ("H", "W"), 3: ("T", "H", "W")}


# ---------------------------------------------------------------------------- places


@lru_cache(maxsize=256)
def places(n: int, kernel: int, stride: int, dilation: int, pad: int, count: int) -> NumPy:
    """Return the places of the elements of each window along an axis, -1 where there is none."""
    first = np.arange(count)[:, None] * stride - pad
    found = first + np.arange(kernel) * dilation
    return np.where((found >= 0) & (found < n), found, -1)


@lru_cache(maxsize=256)
def of_maxima(n: int, kernel: int, stride: int, dilation: int, pad: int, count: int) -> Taps:
    """Return windows along an axis.

    Raises:
        RuntimeError: A window has no element at all.
    """
    found = places(n, kernel, stride, dilation, pad, count)
    if not (found >= 0).any(1).all():
        raise RuntimeError("max_pool: a window has no element, but lies in the padding only")
    return Taps(found, None, n)


@lru_cache(maxsize=256)
def of_means(
    n: int, kernel: int, stride: int, pad: int, count: int, padded: bool, divisor: int | None
) -> Taps:
    """Return windows and what each of their elements counts in a mean, or in a sum by a divisor.

    Where it is ``padded`` elements of the padding count as well, but none behind it.
    """
    found = places(n, kernel, stride, 1, pad, count)
    if divisor is not None:
        weights = None if divisor == 1 else np.full(found.shape, 1 / divisor)
        return Taps(found, weights, n)
    if padded:
        first = np.arange(count) * stride - pad
        counts = np.minimum(first + kernel, n + pad) - first
    else:
        counts = (found >= 0).sum(1)
    with np.errstate(divide="ignore"):
        return Taps(found, np.broadcast_to((1 / counts)[:, None], found.shape), n)


@lru_cache(maxsize=256)
def adaptive(n: int, count: int) -> NumPy:
    """Return the places of parts of an axis that are as equal as can be, -1 behind the shorter."""
    first = np.arange(count) * n // max(count, 1)
    end = -(-(np.arange(count) + 1) * n // max(count, 1))
    found = first[:, None] + np.arange(int((end - first).max(initial=1)))
    return np.where(found < end[:, None], found, -1)


@lru_cache(maxsize=256)
def of_adaptive_maxima(n: int, count: int) -> Taps:
    """Return parts of an axis."""
    return Taps(adaptive(n, count), None, n)


@lru_cache(maxsize=256)
def of_adaptive_means(n: int, count: int) -> Taps:
    """Return parts of an axis and what each of their elements counts in a mean."""
    found = adaptive(n, count)
    counts = (found >= 0).sum(1, keepdims=True)
    return Taps(found, np.broadcast_to(1 / np.maximum(counts, 1), found.shape), n)


# ---------------------------------------------------------------------------- checks


def numbers(function: str, argument: str, given: Any, ndim: int) -> Shape:
    """Return a number for each dimension.

    Raises:
        RuntimeError: There are more or fewer.
    """
    found = (given,) if isinstance(given, int) else tuple(given)
    if len(found) == 1:
        return found * ndim
    if len(found) == ndim and ndim > 1:
        return found
    if ndim == 1:
        raise RuntimeError(
            f"{function}() argument '{argument}' should contain one int (got {len(found)})"
        )
    how = "must either be omitted," if argument == "stride" else "must either be"
    how = "must be either" if argument == "dilation" else how
    raise RuntimeError(
        f"{function}: {argument} {how} a single int, or a tuple of {_WORDS[ndim]} ints"
    )


def counted(n: int, kernel: int, stride: int, dilation: int, pad: int, ceil_mode: bool) -> int:
    """Return how many windows there are along an axis.

    Raises:
        RuntimeError: The numbers allow none.
    """
    if stride == 0:
        raise RuntimeError("stride should not be zero")
    if pad < 0:
        raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
    if pad > ((kernel - 1) * dilation + 1) // 2:
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={pad}, "
            f"kernel_size={kernel} and dilation={dilation}"
        )
    span = n + 2 * pad - dilation * (kernel - 1) - 1
    count = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= n + pad:
        count -= 1  # which would begin in the padding behind
    return count


def check_dims(ndim: int, shape: Sequence[int]) -> None:
    """Raise for an input that is neither an example nor a batch.

    Raises:
        RuntimeError: It has more or fewer dimensions.
    """
    if len(shape) not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"non-empty {ndim + 1}D or {ndim + 2}D (batch mode) tensor expected for input"
        )


def _told(axes: Sequence[str], values: Shape, prefix: str = "") -> str:
    return " ".join(f"{prefix}{a}: {v}" for a, v in zip(axes, values, strict=True))


def check_windows(
    function: str,
    shape: Sequence[int],
    kernel: Shape,
    stride: Shape,
    dilation: Shape,
    counts: Shape,
    holds: bool = False,
) -> None:
    """Raise where windows cannot be, there are none, or the input must hold one and does not.

    Raises:
        RuntimeError: That is so.
    """
    ndim = len(kernel)
    axes = _AXES.get(ndim, ("W",))
    for title, values, prefix in (
        ("kernel size", kernel, "k"), ("stride", stride, "d"), ("dilation", dilation, "dilation"),
    ):  # fmt: skip
        if min(values) <= 0:
            told = _told(axes, values, prefix)
            raise RuntimeError(f"{title} should be greater than zero, but got {told}")
    if 0 in shape[-ndim - 1 :]:
        if ndim == 3:
            raise RuntimeError(
                f"{function}(): Expected input's non-batch dimensions to have positive length, but "
                f"input has a shape of {size(shape)} and non-batch dimension 0 has length zero!"
            )
        raise RuntimeError(
            f"Expected {ndim + 1}D or {ndim + 2}D (batch mode) tensor with optional 0 dim batch "
            f"size for input, but got:{size(shape)}"
        )
    if holds and any(n < k for n, k in zip(shape[-ndim:], kernel, strict=True)):
        raise RuntimeError(
            f"input image ({_told(axes, tuple(shape[-ndim:]))}) smaller than kernel size "
            f"({_told(axes, kernel, 'k')})"
        )
    if min(counts) < 1:
        channels = shape[-ndim - 1]
        one = ("1",) if ndim == 1 else ()
        given, found = ("x".join(map(str, (channels, *one, *n))) for n in (shape[-ndim:], counts))
        raise RuntimeError(
            f"Given input size: ({given}). Calculated output size: ({found}). Output size is too "
            "small"
        )


def node_of(name: str, ndim: int) -> str:
    """Return the name of the node of a pool; PyTorch's along one dimension is one along two."""
    return "SqueezeBackward1" if ndim == 1 else f"{name.format(ndim)}Backward0"


def check_kind(kernel: str, input: Any, kinds: str) -> None:
    """Raise for a type of elements that PyTorch has no such pool of.

    Raises:
        NotImplementedError: It is of one of these kinds.
    """
    kind = input._array.dtype
    if kind.kind in kinds and kind.name != "bfloat16":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{_dtype.of(kind).title}'")


def check_one_to_two(function: str, shape: Sequence[int]) -> None:
    """Raise for an input of a pool along one dimension that is neither an example nor a batch.

    Raises:
        RuntimeError: It has more or fewer dimensions.
    """
    if len(shape) not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 "
            f"'self' (while checking arguments for {function})"
        )


def several(given: Any, ndim: int) -> Shape:
    """Return a number for each dimension, as it was given or one for all."""
    return (given,) * ndim if isinstance(given, int) else tuple(given)


def adapted_sizes(function: str, ndim: int, shape: Sequence[int], output_size: Any) -> Shape:
    """Return into how many parts each dimension is to be divided.

    Raises:
        RuntimeError: There are more or fewer numbers than dimensions.
        TypeError: They are no integers.
        ValueError: There are more than the input has.
    """
    if ndim == 1:
        output_size = checked(function, "output_size", 2, KINDS["int | Sequence[int]"], output_size)
        check_one_to_two(function, shape)
    if isinstance(output_size, int):
        return (output_size,) * ndim
    if ndim == 1 and len(output_size) != 1:
        raise RuntimeError(
            f"{function}() argument 'output_size' should contain one int (got {len(output_size)})"
        )
    if len(shape) <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    if len(output_size) != ndim:
        inner = "(): internal error: output_size.size()" if "max" in function else ": output_size"
        raise RuntimeError(f"{function}{inner} must be {ndim}")
    ends = shape[-ndim:]
    found = tuple([n if m is None else m for m, n in zip(output_size, ends, strict=True)])
    sizes: Shape = checked(function, "output_size", 2, KINDS["Sequence[int]"], found)
    return sizes


def check_parts(function: str, ndim: int, shape: Sequence[int]) -> None:
    """Raise for dimensions that cannot be divided.

    Raises:
        RuntimeError: One of them, or the channels, has no element.
    """
    for k in range(len(shape) - ndim, len(shape)):
        if not shape[k]:
            raise RuntimeError(
                f"{function}(): Expected input to have non-zero size for non-batch dimensions, but "
                f"input has sizes {size(shape)} with dimension {k} being empty"
            )

"""Channels that become places, and channels in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import backend
from gpugrad.errors import size
from gpugrad.op import linear, public
from gpugrad.op.saved import Like

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


@linear("PixelShuffleBackward0")
def _rearranged(
    door: backend.Backend, input: Array, *, split: Shape, order: Shape, shape: Shape
) -> Array:
    """Return the elements as those of ``split``, whose dimensions are put in another order."""
    moved = door.reshape(input, split).transpose(order)
    return door.reshape(door.copy(moved, "C"), shape)


@_rearranged.gradient
def input(g: Any, like: Like, split: Shape, order: Shape) -> Any:
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    moved = tuple([split[k] for k in order])
    return _rearranged(g, split=moved, order=back, shape=like.shape)


_unshuffled = _rearranged.named("PixelUnshuffleBackward0")
_channels_shuffled = _rearranged.named("ChannelShuffleBackward0")


def _check(function: str, input: Tensor, factor: int, argument: str) -> Shape:
    shape = tuple(input._array.shape)
    if len(shape) < 3:
        raise RuntimeError(
            f"{function} expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{function} expects a positive {argument}, but got {factor}")
    return shape


@public(method=False, names="nn.functional.pixel_shuffle")
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return images that are larger by a factor, of which groups of channels are the places.

    Args:
        input: Of shape (..., channels * factor ** 2, height, width).
        upscale_factor: How much larger height and width become.

    Raises:
        RuntimeError: The channels cannot be divided so.
    """
    r = upscale_factor
    *rest, channels, high, wide = _check("pixel_shuffle", input, r, "upscale_factor")
    if channels % r**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {r**2}"
        )
    first, each = len(rest), channels // r**2
    result: Tensor = _rearranged(
        input,
        split=(*rest, each, r, r, high, wide),
        order=(*range(first), *(first + k for k in (0, 3, 1, 4, 2))),
        shape=(*rest, each, high * r, wide * r),
    )
    return result


@public(method=False, names="nn.functional.pixel_unshuffle")
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return images that are smaller by a factor, whose places become channels.

    It is the inverse of :func:`pixel_shuffle`.

    Args:
        input: Of shape (..., channels, height, width).
        downscale_factor: How much smaller height and width become.

    Raises:
        RuntimeError: They cannot be divided so.
    """
    r = downscale_factor
    *rest, channels, high, wide = _check("pixel_unshuffle", input, r, "downscale_factor")
    for name, place, n in (("height", -2, high), ("width", -1, wide)):
        if n % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({place})={n} is not divisible by {r}"
            )
    first = len(rest)
    result: Tensor = _unshuffled(
        input,
        split=(*rest, channels, high // r, r, wide // r, r),
        order=(*range(first), *(first + k for k in (0, 2, 4, 1, 3))),
        shape=(*rest, channels * r**2, high // r, wide // r),
    )
    return result


_NAMES = "nn.functional.channel_shuffle native_channel_shuffle nn.functional.native_channel_shuffle"


@public(method=False, names=_NAMES)
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return the channels in another order: the first of each group, then the second, and so on.

    Args:
        input: Of shape (batch, channels, ...).
        groups: Into how many groups the channels are divided.

    Raises:
        RuntimeError: They cannot be divided so.
    """
    shape = tuple(input._array.shape)
    if len(shape) <= 2:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {size(shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} "
            "groups."
        )
    result: Tensor = _channels_shuffled(
        input,
        split=(shape[0], groups, shape[1] // groups, *shape[2:]),
        order=(0, 2, 1, *range(3, len(shape) + 1)),
        shape=shape,
    )
    return result

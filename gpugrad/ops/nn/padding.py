"""Elements around a tensor: a number, or the tensor's own again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gpugrad.backend.taps import Taps
from gpugrad.errors import size
from gpugrad.op import public
from gpugrad.op.autocast import guarded
from gpugrad.ops.nn.pool import check_kind
from gpugrad.ops.nn.weighing import weighed
from gpugrad.ops.part import constant_pad_nd

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

_SUPPORTED = """Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""
_TITLES = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
_AXES = "DHW"


@lru_cache(maxsize=256)
def _around(mode: str, n: int, before: int, behind: int) -> Taps:
    """Return which element of an axis stands at each place."""
    if mode == "circular":  # what is left goes around, without what was removed
        left = np.arange(max(-before, 0), n - max(-behind, 0))
        turns = np.arange(-max(before, 0), left.size + max(behind, 0))
        return Taps(left[turns % max(left.size, 1)][:, None], None, n)
    places = np.arange(-before, n + behind)
    if mode == "replicate":
        places = places.clip(0, n - 1)
    else:
        places = np.abs(places)
        places = np.where(places < n, places, 2 * (n - 1) - places)
    return Taps(places[:, None], None, n)


@public(method=False, name="nn.functional.pad")
def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Return a tensor with elements around it.

    Args:
        input: Any shape; for other modes than "constant" as many dimensions as are padded, and one
            or two before these.
        pad: How many elements are added before and behind those of the last dimension, then of
            the one before it, and so on; as many are removed where a number is negative.
        mode: What is added: "constant" is a number, "reflect" the elements in reverse order without
            the last one, "replicate" the last one, "circular" those at the other end.
        value: The number, 0 by default.

    Raises:
        NotImplementedError: There is no such mode, or not for so many dimensions.
        RuntimeError: Numbers do not fit.
    """
    if mode not in ("constant", *_TITLES):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    shape = tuple(input._array.shape)
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * len(shape):
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {len(shape)}"
        )
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    ndim = len(pad) // 2
    if ndim not in (1, 2, 3) or len(shape) not in (ndim + 1, ndim + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor.\n"
            f"{_SUPPORTED}"
        )
    pads = tuple(zip(pad[::2], pad[1::2], strict=True))[::-1]
    _check(mode, shape, pads)
    name = f"{_TITLES[mode].lower()}_pad{ndim}d"
    if mode != "circular":
        check_kind(name, input, "b")
    first = len(shape) - ndim
    along = [(first + k, _around(mode, shape[first + k], *ends)) for k, ends in enumerate(pads)]
    padded = guarded(name, weighed(f"{_TITLES[mode]}Pad{ndim}DBackward0"))
    result: Tensor = padded(input, along=tuple(along))
    return result


def _check(mode: str, shape: tuple[int, ...], pads: Sequence[tuple[int, int]]) -> None:
    """Raise where an input has not the elements that are to stand around it.

    Raises:
        NotImplementedError: They are bools, which PyTorch does not pad so.
        RuntimeError: There are too few.
    """
    ndim = len(pads)
    first = len(shape) - ndim
    sizes = shape[first:]
    if mode == "circular":
        for n, (a, b) in zip(sizes, pads, strict=True):
            if a > n or b > n:
                raise RuntimeError("Padding value causes wrapping around more than once.")
            if n + a + b < 0:
                raise RuntimeError("Negative padding value is resulting in an empty dimension")
        return
    if 0 in shape[-ndim - 1 :]:
        raise RuntimeError(
            f"Expected {ndim + 1}D or {ndim + 2}D (batch mode) tensor with possibly 0 batch size "
            f"and other non-zero dimensions for input, but got: {size(shape)}"
        )
    if mode == "reflect":
        for k in reversed(range(ndim)):
            if max(pads[k]) >= sizes[k]:
                raise RuntimeError(
                    f"Argument #{4 + 2 * (ndim - 1 - k)}: Padding size should be less than the "
                    f"corresponding input dimension, but got: padding ({pads[k][0]}, {pads[k][1]}) "
                    f"at dimension {first + k} of input {size(shape)}"
                )
    found = [n + a + b for n, (a, b) in zip(sizes, pads, strict=True)]
    if min(found) < 1:
        given, made = (
            " ".join(f"{a}: {n}" for a, n in zip(_AXES[-ndim:], s, strict=True))
            for s in (sizes, found)
        )
        raise RuntimeError(f"input ({given}) is too small. Calculated output {made}")

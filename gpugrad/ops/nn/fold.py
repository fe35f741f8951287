"""Windows of images as columns, and images as the sums of windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import backend
from gpugrad.errors import size
from gpugrad.op import linear, public
from gpugrad.ops.nn.columns import folded, unfolded
from gpugrad.ops.nn.geometry import Windows
from gpugrad.ops.nn.pool import check_kind, several

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@linear("Im2ColBackward0")
def _unfolded(door: backend.Backend, input: Array, *, windows: Windows) -> Array:
    if input.ndim == 3:  # an example
        return unfolded(input[None], windows)[0]
    return unfolded(input, windows)


@_unfolded.gradient
def input(g: Any, windows: Windows) -> Any:
    return _folded(g, windows=windows)


@linear("Col2ImBackward0")
def _folded(door: backend.Backend, input: Array, *, windows: Windows) -> Array:
    if input.ndim == 2:  # an example
        return folded(door, input[None], windows)[0]
    return folded(door, input, windows)


@_folded.gradient
def input(g: Any, windows: Windows) -> Any:
    return _unfolded(g, windows=windows)


def _numbers(**given: Any) -> list[tuple[int, ...]]:
    """Return two numbers of each kind.

    Raises:
        RuntimeError: There are more or fewer, or one is too small.
    """
    found = {name: several(value, 2) for name, value in given.items()}
    for name, values in found.items():
        if len(values) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(values)}")
    for name, title in (
        ("kernel_size", "kernel"), ("stride", "stride"), ("dilation", "dilation"),
    ):  # fmt: skip
        if min(found[name]) <= 0:
            high, wide = found[name]
            what = "kernel size" if title == "kernel" else title
            raise RuntimeError(
                f"{what} should be greater than zero, but got {title}_height: {high} "
                f"{title}_width: {wide}"
            )
    if min(found["padding"]) < 0:
        high, wide = found["padding"]
        raise RuntimeError(
            f"padding should be non-negative, but got pad_height: {high} pad_width: {wide}"
        )
    return list(found.values())


def _told(values: Sequence[int]) -> str:
    return f"({', '.join(map(str, values))})"


@public(method=False, name="nn.functional.unfold")
def unfold(
    input: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Return the windows of images, each of them a column.

    Args:
        input: Of shape (batch, channels, height, width), or of one example.
        kernel_size: The height and width of a window.
        dilation: How far the elements of a window are apart.
        padding: How many zeros there are at each end.
        stride: How far windows are apart.

    Returns:
        Of shape (batch, channels * elements of a window, windows).

    Raises:
        IndexError: The input has too few dimensions.
        NotImplementedError: The elements are integers.
        RuntimeError: Shapes or numbers do not fit.
    """
    if input.size(1):
        input.size(2)  # in PyTorch's order
    kernel, rates, pads, steps = _numbers(
        kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    shape = tuple(input._array.shape)
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {size(shape)}"
        )
    windows = Windows(shape[-2:], kernel, steps, rates, tuple([(p, p) for p in pads]))
    if min(windows.counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {_told(shape[-2:])}, kernel_size={_told(kernel)}, "
            f"dilation={_told(rates)}, padding={_told(pads)}, calculated shape of the array of "
            f"sliding blocks as {_told(windows.counts)}, but its components must be at least one."
        )
    check_kind("im2col_out_cpu", input, "iu")
    result: Tensor = _unfolded(input, windows=windows)
    return result


@public(method=False, name="nn.functional.fold")
def fold(
    input: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Return images that are the sums of windows, each of them a column.

    It is the transpose of :func:`unfold`, for the same numbers.

    Args:
        input: Of shape (batch, channels * elements of a window, windows), or of one example.
        output_size: The height and width of the images.
        kernel_size: The height and width of a window.
        dilation: How far the elements of a window are apart.
        padding: How much is left out at each end.
        stride: How far windows are apart.

    Raises:
        NotImplementedError: The elements are integers.
        RuntimeError: Shapes or numbers do not fit.
    """
    sizes, kernel, rates, pads, steps = _numbers(
        output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding,
        stride=stride,
    )  # fmt: skip
    shape = tuple(input._array.shape)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {size(shape)}"
        )
    if shape[-2] % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={shape[-2]} and kernel_size={_told(kernel)}."
        )
    windows = Windows(sizes, kernel, steps, rates, tuple([(p, p) for p in pads]))
    high, wide = windows.counts
    if high * wide != shape[-1] or min(high, wide) < 1:
        raise RuntimeError(
            f"Given output_size={_told(sizes)}, kernel_size={_told(kernel)}, "
            f"dilation={_told(rates)}, padding={_told(pads)}, stride={_told(steps)}, expected size "
            f"of input's dimension 2 to match the calculated number of sliding blocks {high} * "
            f"{wide} = {high * wide}, but got input.size(2)={shape[-1]}."
        )
    check_kind("col2im_out_cpu", input, "iu")
    result: Tensor = _folded(input, windows=windows)
    return result

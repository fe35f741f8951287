"""Layers of windows of images as columns, and of the sums of these."""

from __future__ import annotations

from collections.abc import Sequence

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.module import Module

Sizes = int | Sequence[int]


class Fold(Module):
    """Images that are the sums of windows, each of them a column; see ``nn.functional.fold``.

    Args:
        output_size: The height and width of the images.
        kernel_size: The height and width of a window.
        dilation: How far the elements of a window are apart.
        padding: How much is left out at each end.
        stride: How far windows are apart.
    """

    def __init__(
        self,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ):
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Return the images."""
        return functional.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        """Return all numbers."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """The windows of images, each of them a column; see ``nn.functional.unfold``.

    Args:
        kernel_size: The height and width of a window.
        dilation: How far the elements of a window are apart.
        padding: How many zeros there are at each end.
        stride: How far windows are apart.
    """

    def __init__(
        self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Return the windows."""
        return functional.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Return all numbers."""
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )

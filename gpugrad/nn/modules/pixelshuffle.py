"""Layers of channels that become places, and back."""

from __future__ import annotations

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.module import Module


class PixelShuffle(Module):
    """Images that are larger by a factor, of which groups of channels are the places.

    Args:
        upscale_factor: How much larger height and width become.
    """

    def __init__(self, upscale_factor: int):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the larger images."""
        return functional.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Images that are smaller by a factor, whose places become channels.

    Args:
        downscale_factor: How much smaller height and width become.
    """

    def __init__(self, downscale_factor: int):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the smaller images."""
        return functional.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"downscale_factor={self.downscale_factor}"

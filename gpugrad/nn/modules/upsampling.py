"""Layers that resize their input."""

from __future__ import annotations

from collections.abc import Sequence

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.module import Module

Sizes = int | Sequence[int]
Factors = float | Sequence[float]


class Upsample(Module):
    """Resizes its input along its last dimensions; see ``nn.functional.interpolate``.

    Args:
        size: The new size, of each dimension or of all.
        scale_factor: How much larger it is, instead.
        mode: By which elements.
        align_corners: Whether the first and the last element stay at the ends.
        recompute_scale_factor: Whether elements are placed by the new size, and not by the factor.
    """

    def __init__(
        self,
        size: Sizes | None = None,
        scale_factor: Factors | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ):
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Factors | None
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple([float(factor) for factor in scale_factor])
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None  # type: ignore[arg-type]
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the input in the other size."""
        return functional.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            self.recompute_scale_factor,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Return the size or the factor, and the mode."""
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Resizes images by their nearest elements.

    Args:
        size: The new size.
        scale_factor: How much larger it is, instead.
    """

    def __init__(self, size: Sizes | None = None, scale_factor: Factors | None = None):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Resizes images by two elements along each dimension, whose corners stay where they are.

    Args:
        size: The new size.
        scale_factor: How much larger it is, instead.
    """

    def __init__(self, size: Sizes | None = None, scale_factor: Factors | None = None):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)

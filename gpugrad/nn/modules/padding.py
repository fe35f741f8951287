"""Layers that add elements around their input."""

from __future__ import annotations

from collections.abc import Sequence

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.conv import repeated
from gpugrad.nn.modules.module import Module

Sizes = int | Sequence[int]


class _Pad(Module):
    """A layer that adds elements at the ends of ``ndim`` dimensions, in a mode of ``pad``."""

    ndim: int
    mode: str

    def __init__(self, padding: Sizes):
        super().__init__()
        self.padding = repeated(padding, 2 * self.ndim)

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with elements around it."""
        return functional.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """Return how many elements are added."""
        return f"{self.padding}"


class _CircularPadNd(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with the elements at its other ends around it.

        Raises:
            ValueError: It has too few or too many dimensions.
        """
        few, many = self.ndim + 1, self.ndim + 2
        if input.dim() not in (few, many):
            raise ValueError(f"expected {few}D or {many}D input (got {input.dim()}D input)")
        return super().forward(input)


class _ReflectionPadNd(_Pad):
    mode = "reflect"


class _ReplicationPadNd(_Pad):
    mode = "replicate"


class _ConstantPadNd(_Pad):
    mode = "constant"

    def __init__(self, padding: Sizes, value: float):
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with a number around it."""
        return functional.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """Return how many elements are added, and which."""
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPadNd):
    def __init__(self, padding: Sizes):
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Return how many elements are added."""
        return f"{self.padding}"


class CircularPad1d(_CircularPadNd):
    """Signals with the elements at the other end before and behind them.

    Args:
        padding: How many elements are added at each end; or before and behind the last dimension,
            then those before it.
    """

    ndim = 1


class CircularPad2d(_CircularPadNd):
    """Around images the elements at the other end; see :class:`CircularPad1d`."""

    ndim = 2


class CircularPad3d(_CircularPadNd):
    """Around volumes the elements at the other end; see :class:`CircularPad1d`."""

    ndim = 3


class ConstantPad1d(_ConstantPadNd):
    """Signals with a number before and behind them.

    Args:
        padding: How many elements are added at each end; or before and behind the last dimension,
            then those before it.
        value: The number.
    """

    ndim = 1


class ConstantPad2d(_ConstantPadNd):
    """Around images a number; see :class:`ConstantPad1d`."""

    ndim = 2


class ConstantPad3d(_ConstantPadNd):
    """Around volumes a number; see :class:`ConstantPad1d`."""

    ndim = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Signals with the elements in reverse order before and behind them.

    Args:
        padding: How many elements are added at each end; or before and behind the last dimension,
            then those before it.
    """

    ndim = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Around images the elements in reverse order; see :class:`ReflectionPad1d`."""

    ndim = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Around volumes the elements in reverse order; see :class:`ReflectionPad1d`."""

    ndim = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Signals with the last element before and behind them.

    Args:
        padding: How many elements are added at each end; or before and behind the last dimension,
            then those before it.
    """

    ndim = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Around images the last element; see :class:`ReplicationPad1d`."""

    ndim = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Around volumes the last element; see :class:`ReplicationPad1d`."""

    ndim = 3


class ZeroPad1d(_ZeroPad):
    """Signals with zeros before and behind them.

    Args:
        padding: How many elements are added at each end; or before and behind the last dimension,
            then those before it.
    """

    ndim = 1


class ZeroPad2d(_ZeroPad):
    """Around images zeros; see :class:`ZeroPad1d`."""

    ndim = 2


class ZeroPad3d(_ZeroPad):
    """Around volumes zeros; see :class:`ZeroPad1d`."""

    ndim = 3

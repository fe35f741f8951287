"""Dropout layers."""

from __future__ import annotations

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.module import Module


class _DropoutNd(Module):
    """A layer that drops something with a probability, while it is trained.

    Args:
        p: The probability.
        inplace: Whether the result is written into the input.

    Raises:
        ValueError: There is no such probability.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False):
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the probability, and whether the result is written into the input."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Drops elements while it is trained; the others are divided by 1 - p.

    Args:
        p: The probability.
        inplace: Whether the result is written into the input.

    Raises:
        ValueError: There is no such probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with what is left of it."""
        return functional.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Drops channels of sequences while it is trained; the others are divided by 1 - p.

    Args:
        p: The probability.
        inplace: Whether the result is written into the input.

    Raises:
        ValueError: There is no such probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with what is left of it."""
        return functional.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Drops channels of images while it is trained; the others are divided by 1 - p.

    Args:
        p: The probability.
        inplace: Whether the result is written into the input.

    Raises:
        ValueError: There is no such probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with what is left of it."""
        return functional.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Drops channels of volumes while it is trained; the others are divided by 1 - p.

    Args:
        p: The probability.
        inplace: Whether the result is written into the input.

    Raises:
        ValueError: There is no such probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with what is left of it."""
        return functional.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Replaces elements by SELU's least value while it is trained, keeping mean and variance.

    As in PyTorch, ``inplace`` has no effect.

    Args:
        p: The probability.
        inplace: Whether the result is written into the input.

    Raises:
        ValueError: There is no such probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with what is left of it."""
        return functional.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """Replaces channels by SELU's least value while it is trained.

    As in PyTorch, ``inplace`` has no effect.

    Args:
        p: The probability.
        inplace: Whether the result is written into the input.

    Raises:
        ValueError: There is no such probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with what is left of it."""
        return functional.feature_alpha_dropout(input, self.p, self.training)

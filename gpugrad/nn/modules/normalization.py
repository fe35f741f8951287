"""Layers that normalize examples, or groups of their channels.

``CrossMapLRN2d`` is left out: PyTorch's counts the first channel in the means of all that follow,
and differentiates as if it did not.  It is meant to be :class:`LocalResponseNorm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.nn import functional, init
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter


def _made(shape: Any, there: bool, device: Any, dtype: Any) -> Parameter | None:
    return Parameter(functions.empty(shape, device=device, dtype=dtype)) if there else None


class LocalResponseNorm(Module):
    """``x / (k + alpha * mean(x ** 2)) ** beta``, with means over neighbouring channels.

    Args:
        size: How many channels a mean is over.
        alpha: The factor of the mean.
        beta: The exponent.
        k: What is added to the mean.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized input, of shape (examples, channels, ...)."""
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class LayerNorm(Module):
    """``(x - mean) / sqrt(var + eps) * weight + bias``, over the last dimensions.

    Args:
        normalized_shape: The sizes of those, or of the last one.
        eps: What is added to variances.
        elementwise_affine: Whether there are weights, and biases.
        bias: Whether there are biases beside weights.
        device: Where the parameters are.
        dtype: Their type.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        shape = normalized_shape
        self.normalized_shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, there in ("weight", elementwise_affine), ("bias", elementwise_affine and bias):
            self.register_parameter(name, _made(self.normalized_shape, there, device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make weights 1 and biases 0."""
        if self.elementwise_affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized input."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """Each group of channels of each example less its mean, divided by its standard deviation.

    Args:
        num_groups: How many groups there are.
        num_channels: How many channels.
        eps: What is added to variances.
        affine: Whether there are weights and biases, one for each channel.
        device: Where the parameters are.
        dtype: Their type.
        bias: Whether there are biases beside weights.

    Raises:
        ValueError: The channels cannot be divided so.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.register_parameter("weight", _made(num_channels, affine, device, dtype))
        self.register_parameter("bias", _made(num_channels, affine and bias, device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make weights 1 and biases 0."""
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized input, of shape (examples, channels, ...)."""
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """``x / sqrt(mean(x ** 2) + eps) * weight``, over the last dimensions.

    Args:
        normalized_shape: The sizes of those, or of the last one.
        eps: What is added to means, by default the distance from 1 to the next number.
        elementwise_affine: Whether there are weights.
        device: Where the parameters are.
        dtype: Their type.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        shape = normalized_shape
        self.normalized_shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = _made(self.normalized_shape, elementwise_affine, device, dtype)
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make weights 1."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized input."""
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )

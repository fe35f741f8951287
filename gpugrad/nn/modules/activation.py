"""Activation layers."""

from __future__ import annotations

import warnings
from typing import Any

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.nn import functional, init
from gpugrad.nn.modules.attention import MultiheadAttention as MultiheadAttention
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter


class _Elementwise(Module):
    """A layer whose result may be written into its input."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return whether the result is written into the input, where it is."""
        return "inplace=True" if self.inplace else ""

    def _with(self, text: str) -> str:
        return f"{text}, inplace=True" if self.inplace else text


class ReLU(_Elementwise):
    """``max(x, 0)``, whose gradient at 0 is 0.

    Args:
        inplace: Whether the result is written into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.relu(input, self.inplace)


class SELU(_Elementwise):
    """``x``, where it is negative ``exp(x) - 1``, times constants that keep its variance.

    Args:
        inplace: Whether the result is written into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.selu(input, self.inplace)


class SiLU(_Elementwise):
    """``x * sigmoid(x)``.

    Args:
        inplace: Whether the result is written into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.silu(input, self.inplace)


class Mish(_Elementwise):
    """``x * tanh(softplus(x))``.

    Args:
        inplace: Whether the result is written into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.mish(input, self.inplace)


class Hardsigmoid(_Elementwise):
    """``x / 6 + 1 / 2`` within 0 and 1.

    Args:
        inplace: Whether the result is written into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Return nothing, as PyTorch does."""
        return ""


class Hardswish(_Elementwise):
    """``x * hardsigmoid(x)``.

    Args:
        inplace: Whether the result is written into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Return nothing, as PyTorch does."""
        return ""


class Threshold(_Elementwise):
    """``x`` where it is above a threshold, else a value.

    Args:
        threshold: Up to where the value is taken.
        value: The value.
        inplace: Whether the result is written into the input.
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """Return the threshold and the value."""
        return self._with(f"threshold={self.threshold}, value={self.value}")


class RReLU(_Elementwise):
    """``x`` where it is positive, else ``x`` times a slope.

    In training that is drawn evenly between two bounds for each element, else it is their mean.

    Args:
        lower: The lower bound.
        upper: The upper one.
        inplace: Whether the result is written into the input.
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False):
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Return the bounds."""
        return self._with(f"lower={self.lower}, upper={self.upper}")


class Hardtanh(_Elementwise):
    """``x`` within two bounds.

    Args:
        min_val: The lower bound.
        max_val: The upper one.
        inplace: Whether the result is written into the input.
        min_value: An older name of ``min_val``.
        max_value: An older name of ``max_val``.

    Raises:
        AssertionError: The upper bound is not above the other.
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ):
        super().__init__(inplace)
        for name, value in ("min", min_value), ("max", max_value):
            if value is not None:
                warnings.warn(
                    f"keyword argument `{name}_value` is deprecated and renamed to `{name}_val`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise AssertionError(
                f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"
            )

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """Return the bounds."""
        return self._with(f"min_val={self.min_val}, max_val={self.max_val}")


class ReLU6(Hardtanh):
    """``x`` within 0 and 6.

    Args:
        inplace: Whether the result is written into the input.
    """

    def __init__(self, inplace: bool = False):
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """Return whether the result is written into the input, where it is."""
        return "inplace=True" if self.inplace else ""


class ELU(_Elementwise):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``.

    Args:
        alpha: Minus the limit far below.
        inplace: Whether the result is written into the input.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Return alpha."""
        return self._with(f"alpha={self.alpha}")


class CELU(_Elementwise):
    """``x`` where it is positive, else ``alpha * (exp(x / alpha) - 1)``.

    Args:
        alpha: Minus the limit far below.
        inplace: Whether the result is written into the input.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Return alpha."""
        return self._with(f"alpha={self.alpha}")


class LeakyReLU(_Elementwise):
    """``x`` where it is positive, else ``negative_slope * x``.

    Args:
        negative_slope: The slope.
        inplace: Whether the result is written into the input.
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """Return the slope."""
        return self._with(f"negative_slope={self.negative_slope}")


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent of ``x``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.tanh(input)


class LogSigmoid(Module):
    """The logarithm of ``sigmoid(x)``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.logsigmoid(input)


class Softsign(Module):
    """``x / (1 + abs(x))``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.softsign(input)


class Tanhshrink(Module):
    """``x - tanh(x)``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.tanhshrink(input)


class GLU(Module):
    """The first half of ``x`` along a dimension times the sigmoid of the second half.

    Args:
        dim: The dimension.
    """

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.glu(input, self.dim)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class GELU(Module):
    """``x`` times the normal distribution function of ``x``.

    Args:
        approximate: "none" (by the error function) or "tanh".
    """

    def __init__(self, approximate: str = "none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Return how it is computed."""
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above a threshold.

    Args:
        beta: How sharp the bend is.
        threshold: Above which it is ``x``.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Return beta and the threshold."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardshrink(Module):
    """``x``, and 0 where its size is at most ``lambd``.

    Args:
        lambd: The size.
    """

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"{self.lambd}"


class Softshrink(Module):
    """``x`` moved towards 0 by ``lambd``, and 0 within that.

    Args:
        lambd: The size.
    """

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"{self.lambd}"


class PReLU(Module):
    """``x`` where it is positive, else ``weight * x``, with a weight for all or for each channel.

    Args:
        num_parameters: 1, or the number of channels, the second dimension of the input.
        init: What the weights are at first.
        device: Where they are.
        dtype: Their type.
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ):
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(functions.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to what they were at first."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Return the number of weights."""
        return f"num_parameters={self.num_parameters}"


class _Soft(Module):
    """A layer along one dimension; without one it is chosen as PyTorch does, with a warning."""

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class Softmax(_Soft):
    """``exp(x)`` divided by its sum along a dimension.

    Args:
        dim: The dimension.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.softmax(input, self.dim)


class Softmin(_Soft):
    """``softmax`` of ``-x``.

    Args:
        dim: The dimension.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.softmin(input, self.dim)


class LogSoftmax(_Soft):
    """The logarithm of ``softmax``.

    Args:
        dim: The dimension.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input."""
        return functional.log_softmax(input, self.dim)


class Softmax2d(Module):
    """``softmax`` over the channels of images, the third dimension from the end."""

    def forward(self, input: Tensor) -> Tensor:
        """Return it of the input.

        Raises:
            ValueError: That has another number of dimensions than 3 or 4.
        """
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return functional.softmax(input, -3)

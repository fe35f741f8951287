"""Layers of pools: of maxima, means and norms over windows and over parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.conv import repeated
from gpugrad.nn.modules.module import Module

Sizes = int | Sequence[int]


class _Pool(Module):
    """A layer over ``ndim`` dimensions."""

    ndim: int

    def _function(self, name: str) -> Any:
        """Return the function of that name over as many dimensions."""
        return getattr(functional, f"{name}{self.ndim}d")


class _MaxPoolNd(_Pool):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """Return the maxima over windows, and their places where these are asked for."""
        return self._function("max_pool")(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Return the numbers of the windows."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """Maxima over windows of signals.

    See ``nn.functional.max_pool1d``.

    Args:
        kernel_size: The length of a window.
        stride: How far windows are apart; by default their length.
        padding: How far before the first element windows may begin.
        dilation: How far the elements of a window are apart.
        return_indices: Whether the places of the maxima are returned as well.
        ceil_mode: Whether a last window may reach beyond the padding.
    """

    ndim = 1


class MaxPool2d(_MaxPoolNd):
    """Maxima over windows of images; see :class:`MaxPool1d`."""

    ndim = 2


class MaxPool3d(_MaxPoolNd):
    """Maxima over windows of volumes; see :class:`MaxPool1d`."""

    ndim = 3


class _MaxUnpoolNd(_Pool):
    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0):
        super().__init__()
        self.kernel_size = repeated(kernel_size, self.ndim)
        self.stride = repeated(kernel_size if stride is None else stride, self.ndim)
        self.padding = repeated(padding, self.ndim)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Return zeros with the elements of the input at their places."""
        result: Tensor = self._function("max_unpool")(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )
        return result

    def extra_repr(self) -> str:
        """Return the numbers of the windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Zeros with elements where :class:`MaxPool1d` found them.

    See ``nn.functional.max_unpool1d``.

    Args:
        kernel_size: The length of the windows.
        stride: How far they were apart; by default their length.
        padding: The padding of the pool.
    """

    ndim = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """Zeros with elements at their places in images; see :class:`MaxUnpool1d`."""

    ndim = 2


class MaxUnpool3d(_MaxUnpoolNd):
    """Zeros with elements at their places in volumes; see :class:`MaxUnpool1d`."""

    ndim = 3


class _AvgPoolNd(_Pool):
    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        """Return the numbers of the windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """Means over windows of signals.

    See ``nn.functional.avg_pool1d``.

    Args:
        kernel_size: The length of a window.
        stride: How far windows are apart; by default their length.
        padding: How many zeros there are at each end.
        ceil_mode: Whether a last window may reach beyond the padding.
        count_include_pad: Whether the zeros count.
    """

    ndim = 1

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        super().__init__()
        self.kernel_size = repeated(kernel_size, 1)
        self.stride = repeated(kernel_size if stride is None else stride, 1)
        self.padding = repeated(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """Return the means over windows."""
        return functional.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip


class _AvgPoolOfSeveral(_AvgPoolNd):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Return the means over windows."""
        result: Tensor = self._function("avg_pool")(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip
        return result


class AvgPool2d(_AvgPoolOfSeveral):
    """Means over windows of images; see :class:`AvgPool1d`.

    ``divisor_override`` is what sums are divided by instead of the number of elements.
    """

    ndim = 2


class AvgPool3d(_AvgPoolOfSeveral):
    """Means over windows of volumes; see :class:`AvgPool2d`."""

    ndim = 3


class _FractionalMaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ):
        super().__init__()
        name, n = type(self).__name__, self.ndim
        if n == 3 and not all(k > 0 for k in repeated(kernel_size, n)):
            raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")
        self.kernel_size = repeated(kernel_size, n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else repeated(output_size, n)
        self.output_ratio = None if output_ratio is None else repeated(output_ratio, n)
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{name} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio[:n]):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        """Return the maxima over windows, and their places where these are asked for."""
        return self._function("fractional_max_pool")(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPool):
    """Maxima over windows of images whose places are drawn in each call.

    See ``nn.functional.fractional_max_pool2d``.

    Args:
        kernel_size: The size of a window.
        output_size: How many windows there are.
        output_ratio: How many there are for each element, instead.
        return_indices: Whether the places of the maxima are returned as well.
        _random_samples: The numbers between 0 and 1 that are drawn otherwise.

    Raises:
        ValueError: There is neither a size nor a ratio, or both, or a ratio is not below 1.
    """

    ndim = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """Maxima over drawn windows of volumes; see :class:`FractionalMaxPool2d`."""

    ndim = 3


class _LPPoolNd(_Pool):
    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """Return the norms of windows."""
        result: Tensor = self._function("lp_pool")(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
        return result

    def extra_repr(self) -> str:
        """Return the power, and the numbers of the windows."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """Norms of windows of signals: ``sum(x ** norm_type) ** (1 / norm_type)``.

    Args:
        norm_type: The power.
        kernel_size: The length of a window.
        stride: How far windows are apart; by default their length.
        ceil_mode: Whether a last window may reach beyond the end.
    """

    ndim = 1


class LPPool2d(_LPPoolNd):
    """Norms of windows of images; see :class:`LPPool1d`."""

    ndim = 2


class LPPool3d(_LPPoolNd):
    """Norms of windows of volumes; see :class:`LPPool1d`."""

    ndim = 3


class _AdaptiveMaxPoolNd(_Pool):
    def __init__(self, output_size: Any, return_indices: bool = False):
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """Return the maxima over parts, and their places where these are asked for."""
        return self._function("adaptive_max_pool")(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        """Return the number of parts."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima over parts of signals that are as equal as can be.

    Args:
        output_size: Into how many parts each dimension is divided; ``None`` is as many as it has
            elements.
        return_indices: Whether the places of the maxima are returned as well.
    """

    ndim = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima over parts of images; see :class:`AdaptiveMaxPool1d`."""

    ndim = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima over parts of volumes; see :class:`AdaptiveMaxPool1d`."""

    ndim = 3


class _AdaptiveAvgPoolNd(_Pool):
    def __init__(self, output_size: Any):
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """Return the means over parts."""
        result: Tensor = self._function("adaptive_avg_pool")(input, self.output_size)
        return result

    def extra_repr(self) -> str:
        """Return the number of parts."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Means over parts of signals that are as equal as can be.

    Args:
        output_size: Into how many parts each dimension is divided; ``None`` is as many as it has
            elements.
    """

    ndim = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Means over parts of images; see :class:`AdaptiveAvgPool1d`."""

    ndim = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Means over parts of volumes; see :class:`AdaptiveAvgPool1d`."""

    ndim = 3

"""Layers of convolutions, and of what is transposed to them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad
from gpugrad.nn import functional, init
from gpugrad.nn.modules.lazy import LazyModuleMixin
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parameter import Parameter, UninitializedParameter

Sizes = int | Sequence[int]

_MODES = {"zeros", "reflect", "replicate", "circular"}
_WORDS = {"same", "valid"}


def repeated(given: Any, count: int) -> tuple[Any, ...]:
    """Return several numbers as a tuple, one so many times."""
    return tuple(given) if isinstance(given, Iterable) else (given,) * count


class _ConvNd(Module):
    """What the layers have in common: ``ndim`` dimensions, and filters.

    Filters and bias are drawn uniformly from less than ``1 / sqrt(elements of a filter)`` in size.
    """

    ndim: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: str | Sizes,
        dilation: Sizes,
        transposed: bool,
        output_padding: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        n = self.ndim
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = repeated(kernel_size, n)
        self.stride = repeated(stride, n)
        self.padding = padding if isinstance(padding, str) else repeated(padding, n)
        if isinstance(padding, str):
            if padding not in _WORDS:
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {_WORDS}")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _MODES:
            raise ValueError(
                f"padding_mode must be one of {_MODES}, but got padding_mode='{padding_mode}'"
            )
        self.dilation = repeated(dilation, n)
        self.transposed = transposed
        self.output_padding = repeated(output_padding, n)
        self.groups = groups
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        self.weight = Parameter(functions.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(functions.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def _around(self) -> list[int]:
        """Return how many elements are added at each end, as ``pad`` takes them."""
        found: list[int] = []
        for k in reversed(range(self.ndim)):
            if isinstance(self.padding, str):
                total = (
                    self.dilation[k] * (self.kernel_size[k] - 1) if self.padding == "same" else 0
                )
                found += [total // 2, total - total // 2]
            else:
                found += [self.padding[k]] * 2
        return found

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of the input."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = functional.pad(input, self._around(), self.padding_mode)
            padding = 0
        convolve = getattr(functional, f"conv{self.ndim}d")
        result: Tensor = convolve(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )
        return result

    def extra_repr(self) -> str:
        """Return the numbers that are not the usual ones."""
        n = self.ndim
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * n:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * n:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: str | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, False, 0, groups,
            bias, padding_mode, device, dtype,
        )  # fmt: skip


class Conv1d(_Conv):
    """Sums of products of filters with windows of signals, plus a bias.

    See ``nn.functional.conv1d``.

    Args:
        in_channels: The channels of the input.
        out_channels: The number of filters, which are the channels of the result.
        kernel_size: The size of a filter.
        stride: How far windows are apart.
        padding: How many elements are added at each end; or "valid", or "same".
        dilation: How far the elements of a window are apart.
        groups: Into how many groups the channels are divided.
        bias: Whether there is one.
        padding_mode: What is added: "zeros", or as the modes of ``nn.functional.pad``.
        device: Where the parameters are.
        dtype: Their type.

    Raises:
        ValueError: Numbers or words do not fit.
    """

    ndim = 1


class Conv2d(_Conv):
    """Sums of products of filters with windows of images, plus a bias; see :class:`Conv1d`."""

    ndim = 2


class Conv3d(_Conv):
    """Sums of products of filters with windows of volumes, plus a bias; see :class:`Conv1d`."""

    ndim = 3


class _ConvTransposeNd(_ConvNd):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {self.__class__.__name__}'
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, True, output_padding,
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the transposed convolution of the input, of a size where one is given."""
        convolve = getattr(functional, f"conv_transpose{self.ndim}d")
        result: Tensor = convolve(
            input, self.weight, self.bias, self.stride, self.padding,
            self._output_padding(input, output_size), self.groups, self.dilation,
        )  # fmt: skip
        return result

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """Return how much longer than the least the result is.

        Raises:
            ValueError: There is no result of such a size.
        """
        if output_size is None:
            return self.output_padding
        n = self.ndim
        before = 2 if input.dim() == n + 2 else 1
        wanted = tuple(output_size)[before:] if len(output_size) == before + n else output_size
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
                f"{before + n} elements (got {len(wanted)})"
            )
        assert not isinstance(self.padding, str)
        least = [
            (input.size(before + k) - 1) * self.stride[k] - 2 * self.padding[k]
            + self.dilation[k] * (self.kernel_size[k] - 1) + 1
            for k in range(n)
        ]  # fmt: skip
        most = [m + s - 1 for m, s in zip(least, self.stride, strict=True)]
        if any(not a <= w <= b for w, a, b in zip(wanted, least, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to "
                f"{most} (for an input of {input.size()[2:]})"
            )
        return tuple([w - a for w, a in zip(wanted, least, strict=True)])


class ConvTranspose1d(_ConvTransposeNd):
    """Sums of filters at places that are ``stride`` apart, times the input, plus a bias.

    See ``nn.functional.conv_transpose1d``.

    Args:
        in_channels: The channels of the input.
        out_channels: The channels of the result.
        kernel_size: The size of a filter.
        stride: How far filters are apart.
        padding: How much is left out at each end.
        output_padding: How much longer the end is.
        groups: Into how many groups the channels are divided.
        bias: Whether there is one.
        dilation: How far the elements of a filter are apart.
        padding_mode: Only "zeros".
        device: Where the parameters are.
        dtype: Their type.

    Raises:
        ValueError: Numbers or words do not fit.
    """

    ndim = 1


class ConvTranspose2d(_ConvTransposeNd):
    """Sums of filters in images, times the input, plus a bias; see :class:`ConvTranspose1d`."""

    ndim = 2


class ConvTranspose3d(_ConvTransposeNd):
    """Sums of filters in volumes, times the input, plus a bias; see :class:`ConvTranspose1d`."""

    ndim = 3


# ---------------------------------------------------------------------------- lazy ones


class _LazyConv(LazyModuleMixin):
    """What layers have in common that find their ``in_channels`` in their first call."""

    def __init__(self, out_channels: int, kernel_size: Sizes, *args: Any, **options: Any):
        super().__init__(0, 0, kernel_size, *args, **options)
        module: Any = self
        kinds = {"device": module.weight.device, "dtype": module.weight.dtype}
        # these have no elements: the real ones take their place
        module.weight = UninitializedParameter(**kinds)
        module.out_channels = out_channels
        if module.bias is not None:
            module.bias = UninitializedParameter(**kinds)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, if they have a shape."""
        module: Any = self
        if not self.has_uninitialized_params() and module.in_channels != 0:
            _ConvNd.reset_parameters(module)

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Give the parameters the shapes for an input, and draw them."""
        layer: Any = self
        if not self.has_uninitialized_params():
            return
        n = layer.ndim
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{self.__class__.__name__}, but got input of size: {input.shape}"
            )
        channels = input.shape[1 if input.dim() == n + 2 else 0]
        layer.in_channels = channels
        if channels % layer.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        both = (channels, layer.out_channels)
        first, second = both if layer.transposed else both[::-1]
        with no_grad():
            layer.weight.materialize((first, second // layer.groups, *layer.kernel_size))
            if layer.bias is not None:
                layer.bias.materialize((layer.out_channels,))
            self.reset_parameters()


class LazyConv1d(_LazyConv, Conv1d):
    """A :class:`Conv1d` layer whose ``in_channels`` are found in its first call."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A :class:`Conv2d` layer whose ``in_channels`` are found in its first call."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A :class:`Conv3d` layer whose ``in_channels`` are found in its first call."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A :class:`ConvTranspose1d` layer whose ``in_channels`` are found in its first call."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A :class:`ConvTranspose2d` layer whose ``in_channels`` are found in its first call."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A :class:`ConvTranspose3d` layer whose ``in_channels`` are found in its first call."""

    cls_to_become = ConvTranspose3d

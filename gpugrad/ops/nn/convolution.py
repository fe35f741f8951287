"""Convolutions: sums of products with windows, and what is transposed to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.errors import size
from gpugrad.graph import warn
from gpugrad.op import bilinear, composite, public
from gpugrad.op.operation import Declared
from gpugrad.ops import pointwise as pw
from gpugrad.ops.nn.columns import convolved, transposed, weighed
from gpugrad.ops.nn.geometry import Pads, Shape, Windows
from gpugrad.ops.reduction import sum_over
from gpugrad.ops.shape import permute, squeeze, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


def _conjugate(t: Any) -> Any:
    return pw.conjugate(t) if t._array.dtype.kind == "c" else t


@bilinear("ConvolutionBackward0")
def _convolution(
    door: backend.Backend, input: Array, weight: Array, *, windows: Windows, groups: int
) -> Array:
    """Return the products of windows with filters."""
    return convolved(door, input, weight, windows, groups)


@_convolution.gradient
def input(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    return transposition(g, _conjugate(weight), windows=windows, groups=groups)


@_convolution.gradient
def weight(g: Any, input: Any, windows: Windows, groups: int) -> Any:
    return weighing(_conjugate(input), g, windows=windows, groups=groups)


@bilinear("ConvolutionBackward0")
def transposition(
    door: backend.Backend, input: Array, weight: Array, *, windows: Windows, groups: int
) -> Array:
    """Return what is transposed to that by the input."""
    return transposed(door, input, weight, windows, groups)


@transposition.gradient
def input(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    return _convolution(g, _conjugate(weight), windows=windows, groups=groups)


@transposition.gradient
def weight(g: Any, input: Any, windows: Windows, groups: int) -> Any:
    return weighing(g, _conjugate(input), windows=windows, groups=groups)


@bilinear("ConvolutionBackwardBackward0")
def weighing(
    door: backend.Backend, input: Array, grad: Array, *, windows: Windows, groups: int
) -> Array:
    """Return what is transposed to that by the weight."""
    return weighed(door, input, grad, windows, groups)


@weighing.gradient
def input(g: Any, grad: Any, windows: Windows, groups: int) -> Any:
    return transposition(_conjugate(grad), g, windows=windows, groups=groups)


@weighing.gradient
def grad(g: Any, input: Any, windows: Windows, groups: int) -> Any:
    return _convolution(_conjugate(input), g, windows=windows, groups=groups)


def _biased(compute: Any, back: Declared, swapped: bool) -> Declared:
    """Return the operation of a product plus a number for each filter."""

    @composite("ConvolutionBackward0")
    def computed(
        door: backend.Backend,
        input: Array,
        weight: Array,
        bias: Array,
        *,
        windows: Windows,
        groups: int,
    ) -> Array:
        return compute(door, input, weight, windows, groups, bias)

    @computed.gradient
    def input(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
        return back(g, _conjugate(weight), windows=windows, groups=groups)

    @computed.gradient
    def weight(g: Any, input: Any, windows: Windows, groups: int) -> Any:
        pair = (g, _conjugate(input)) if swapped else (_conjugate(input), g)
        return weighing(*pair, windows=windows, groups=groups)

    @computed.gradient
    def bias(g: Any) -> Any:
        axes = (0, *range(2, g._array.ndim))
        return sum_over(g, axes=axes, keepdims=False, dtype=g._array.dtype)

    return computed


biased_convolution = _biased(convolved, transposition, False)
biased_transposition = _biased(transposed, _convolution, True)


# ---------------------------------------------------------------------------- arguments


def numbers(name: str, given: int | Sequence[int], ndim: int) -> Shape:
    """Return a number for each dimension of a convolution.

    Raises:
        RuntimeError: There are more or fewer.
    """
    found = (given,) if isinstance(given, int) else tuple(given)
    if len(found) == 1:
        return found * ndim
    if len(found) != ndim:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {ndim} values to match the "
            f"convolution dimensions, but got {name}={size(found)}"
        )
    return found


def _batched(function: str, ndim: int, input: Tensor) -> tuple[Any, bool]:
    """Return an input with a dimension for the batch, and whether it had one.

    Raises:
        RuntimeError: It has neither as many dimensions as a batch nor as an example.
    """
    given = input._array.ndim
    if given not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to {function}, but "
            f"got input of size: {size(input._array.shape)}"
        )
    return (input, True) if given == ndim + 2 else (unsqueeze(input, 0), False)


def _pads(padding: Any, kernel: Shape, stride: Shape, dilation: Shape) -> Pads:
    """Return the zeros around each dimension.

    Raises:
        RuntimeError: A word is none of them, or "same" and windows move by more than 1.
    """
    if not isinstance(padding, str):
        return tuple([(p, p) for p in numbers("padding", padding, len(kernel))])
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if max(stride) > 1:
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(r % 2 for r in reach):
        warn(
            "Using padding='same' with even kernel lengths and odd dilation may require a "
            "zero-padded copy of the input be created"
        )
    return tuple([(r // 2, r - r // 2) for r in reach])


def _check_types(input: Tensor, weight: Tensor, bias: Tensor | None, transposes: bool) -> None:
    kinds = [_dtype.of(t._array.dtype) for t in (input, weight, bias) if t is not None]
    told = transposes and kinds[1] != kinds[0]  # PyTorch looks at the bias first otherwise
    if bias is not None and kinds[2] != kinds[0] and not told:
        raise RuntimeError(
            f"Input type ({kinds[0].c_name}) and bias type ({kinds[2].c_name}) should be the same"
        )
    if kinds[1] != kinds[0]:
        raise RuntimeError(f"expected scalar type {kinds[0].title} but found {kinds[1].title}")
    if input._array.dtype.kind == "b":
        raise NotImplementedError("\"slow_conv2d_cpu\" not implemented for 'Bool'")


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _check_shapes(
    input: Tensor, weight: Tensor, bias: Tensor | None, transposes: bool, groups: int
) -> None:
    """Raise where channels do not fit.

    Raises:
        RuntimeError: They do not.
    """
    shape, filters = input._array.shape, weight._array.shape
    if filters[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            f"got weight of size {size(filters)} instead"
        )
    if filters[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{size(filters)}] instead"
        )
    wanted = filters[0] if transposes else filters[1] * groups
    what = f"Given {'transposed=1' if transposes else f'groups={groups}'}, weight of size"
    if shape[1] != wanted:
        raise RuntimeError(
            f"{what} {size(filters)}, expected input{size(shape)} to have {wanted} channels, but "
            f"got {shape[1]} channels instead"
        )
    results = filters[1] * groups if transposes else filters[0]
    if bias is not None and bias._array.shape != (results,):
        what = what if transposes else "Given weight of size"
        raise RuntimeError(
            f"{what} {size(filters)}, expected bias to be 1-dimensional with {results} elements, "
            f"but got bias of size {size(bias._array.shape)} instead"
        )


def _kernel(weight: Tensor) -> Shape:
    """Return the size of the filters.

    Raises:
        RuntimeError: They have none.
    """
    shape = tuple(weight._array.shape)
    if len(shape) < 3:
        raise RuntimeError("weight should have at least three dimensions")
    return shape[2:]


def _check_dims(input: Tensor, weight: Tensor) -> None:
    shape, filters = input._array.shape, weight._array.shape
    if len(shape) != len(filters):
        raise RuntimeError(
            f"Expected {len(filters)}-dimensional input for {len(filters)}-dimensional weight"
            f"{size(filters)}, but got {len(shape)}-dimensional input of size {size(shape)} instead"
        )


def _check_numbers(stride: Shape, dilation: Shape, groups: int, transposes: bool) -> None:
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) < 0:
        raise RuntimeError("dilation should be greater than zero")
    if not min(dilation):
        rates = (1, *dilation) if len(dilation) == 1 else dilation
        names = ("depth", "height", "width")[-len(rates) :]
        named = (f"dilation_{n}: {r}" for n, r in zip(names, rates, strict=True))
        told = ", ".join(named) if transposes else size(rates)
        raise RuntimeError(f"dilation should be greater than zero, but got {told}")


def _convolved(
    function: str, ndim: int, input: Tensor, weight: Tensor, bias: Tensor | None,
    stride: Any, padding: Any, dilation: Any, groups: int,
) -> Any:  # fmt: skip
    """Return a convolution over the last ``ndim`` dimensions."""
    batch, is_batch = _batched(function, ndim, input)
    kernel = _kernel(weight)
    stride, dilation = (
        numbers(n, v, len(kernel)) for n, v in (("stride", stride), ("dilation", dilation))
    )
    _check_dims(batch, weight)
    _check_numbers(stride, dilation, groups, False)
    pads = _pads(padding, kernel, stride, dilation)
    _check_types(batch, weight, bias, False)
    if min(map(min, pads)) < 0:
        raise RuntimeError("negative padding is not supported")
    _check_shapes(batch, weight, bias, False, groups)
    windows = Windows(tuple(batch._array.shape[2:]), kernel, stride, dilation, pads)
    _check_kernel(kernel)
    if any(n <= r for n, r in zip(windows.framed, windows.reach, strict=True)):
        spans = [r + 1 for r in windows.reach]
        raise RuntimeError(
            f"Calculated padded input size per channel: ({_by(windows.framed)}). Kernel size: "
            f"({_by(spans)}). Kernel size can't be greater than actual input size"
        )
    _check_lengths(batch)
    if bias is None:
        out = _convolution(batch, weight, windows=windows, groups=groups)
    else:
        out = biased_convolution(batch, weight, bias, windows=windows, groups=groups)
    return out if is_batch else squeeze(out, 0)


def _check_kernel(kernel: Shape) -> None:
    if min(kernel) <= 0:
        names = ("depth", "height", "width")[-max(len(kernel), 2) :]
        lengths = (1,) * (2 - len(kernel)) + kernel
        told = " ".join(f"kernel_{n}: {k}" for n, k in zip(names, lengths, strict=True))
        raise RuntimeError(f"kernel size should be greater than zero, but got {told}")


def _check_lengths(batch: Tensor) -> None:
    """Raise where there is something to convolve, of no length.

    Raises:
        RuntimeError: It is so.
    """
    count, channels, *lengths = batch._array.shape
    if count and channels and not all(lengths):
        lengths = [1] * (2 - len(lengths)) + lengths  # PyTorch sees signals as images
        raise RuntimeError(
            "Only zero batch or zero channel inputs are supported, but got input shape: "
            f"{size((count, channels, *lengths))}"
        )


def _transposed(
    function: str, ndim: int, input: Tensor, weight: Tensor, bias: Tensor | None,
    stride: Any, padding: Any, output_padding: Any, groups: int, dilation: Any,
) -> Any:  # fmt: skip
    """Return a transposed convolution over the last ``ndim`` dimensions."""
    batch, is_batch = _batched(function, ndim, input)
    kernel = _kernel(weight)
    given = {
        "stride": stride, "padding": padding, "dilation": dilation,
        "output_padding": output_padding,
    }  # fmt: skip
    found = {name: numbers(name, value, len(kernel)) for name, value in given.items()}
    steps, rates, extra = found["stride"], found["dilation"], found["output_padding"]
    _check_dims(batch, weight)
    _check_numbers(steps, rates, groups, True)
    _check_types(batch, weight, bias, True)
    for name in ("padding", "output_padding"):
        if min(found[name]) < 0:
            raise RuntimeError(f"negative {name} is not supported")
    _check_shapes(batch, weight, bias, True, groups)
    _check_kernel(kernel)
    if any(e >= s and e >= d for e, s, d in zip(extra, steps, rates, strict=True)):
        raise RuntimeError(_too_much(extra, steps, rates))
    there = tuple(batch._array.shape[2:])
    sizes, pads = [], []
    given_sizes = zip(there, kernel, steps, rates, found["padding"], extra, strict=True)
    for n, k, s, d, p, e in given_sizes:
        sizes.append((n - 1) * s - 2 * p + d * (k - 1) + e + 1)
        pads.append((p, p - e))  # as many windows as there are elements
    if min(sizes) <= 0:
        _check_results(
            tuple(batch._array.shape), there, tuple(sizes), weight._array.shape[1] * groups
        )
    _check_lengths(batch)
    windows = Windows(tuple(sizes), kernel, steps, rates, tuple(pads))
    if bias is None:
        out = transposition(batch, weight, windows=windows, groups=groups)
    else:
        out = biased_transposition(batch, weight, bias, windows=windows, groups=groups)
    return out if is_batch else squeeze(out, 0)


def _check_results(given: Shape, there: Shape, sizes: Shape, filters: int) -> None:
    """Raise where a transposed convolution has no results, but of no examples it may have none.

    Raises:
        RuntimeError: That is so.
    """
    one = (1,) if len(sizes) == 1 else ()
    if 0 not in given[:2]:
        raise RuntimeError(
            f"Given input size per channel: ({_by(one + there)}). Calculated output size per "
            f"channel: ({_by(one + sizes)}). Output size is too small"
        )
    if min(sizes) < 0:
        shape = (given[0], filters, *one, *sizes)
        place = next(k for k, n in enumerate(shape) if n < 0)
        raise RuntimeError(
            f"invalid shape dimension {shape[place]} at index {place} of shape {size(shape)}"
        )


def _too_much(extra: Shape, steps: Shape, rates: Shape) -> str:
    names = ("depth", "height", "width")[-max(len(extra), 2) :]
    parts = []
    for title, values, rest in (("output_padding", extra, 0), ("stride", steps, 1),
                                ("dilation", rates, 1)):  # fmt: skip
        values = (rest,) * (2 - len(values)) + values
        parts += [f"{title}_{n}: {v}" for n, v in zip(names, values, strict=True)]
    return (
        f"output padding must be smaller than either stride or dilation, but got {' '.join(parts)}"
    )


# ---------------------------------------------------------------------------- functions

_TENSORS = "(Tensor input, Tensor weight, Tensor bias = None, tuple of ints stride = 1, "
_SIGNATURES = (
    f"{_TENSORS}tuple of ints padding = 0, tuple of ints dilation = 1, int groups = 1)",
    f'{_TENSORS}str padding = "valid", tuple of ints dilation = 1, int groups = 1)',
)


@public(method=False, names="nn.functional.conv1d", promotes=True, signatures=_SIGNATURES)
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input.

    Filters are not turned around: it is a cross-correlation.

    Args:
        input: Of shape (batch, channels, length), or of one example.
        weight: Of shape (filters, channels / groups, kernel).
        bias: A number for each filter that is added, or none.
        stride: How far windows are apart.
        padding: How many zeros there are at each end; "valid" is 0, and with "same" there are as
            many results as elements.
        dilation: How far the elements of a window are apart.
        groups: Into how many groups channels and filters are divided; each of these sees the
            channels of its group.

    Raises:
        RuntimeError: Shapes, types or numbers do not fit.
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@public(method=False, names="nn.functional.conv2d", promotes=True, signatures=_SIGNATURES)
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input.

    See :func:`conv1d`, of which the input and the filters have height and width.
    """
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@public(method=False, names="nn.functional.conv3d", promotes=True, signatures=_SIGNATURES)
def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input.

    See :func:`conv1d`, of which the input and the filters have depth, height and width.
    """
    return _convolved("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@public(method=False, names="nn.functional.conv_transpose1d", promotes=True)
def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input.

    It is the gradient of :func:`conv1d` by its input, for the same numbers.

    Args:
        input: Of shape (batch, channels, length), or of one example.
        weight: Of shape (channels, results / groups, kernel).
        bias: A number for each channel of the result that is added, or none.
        stride: How far filters are apart in the result.
        padding: How much is left out at each end.
        output_padding: How much the end is longer: of several sizes that a convolution makes one
            of, it chooses one.
        groups: Into how many groups the channels are divided.
        dilation: How far the elements of a filter are apart.

    Raises:
        RuntimeError: Shapes, types or numbers do not fit.
    """
    return _transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


@public(method=False, names="nn.functional.conv_transpose2d", promotes=True)
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input.

    See :func:`conv_transpose1d`, of which the input and the filters have height and width.
    """
    return _transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


@public(method=False, names="nn.functional.conv_transpose3d", promotes=True)
def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input.

    See :func:`conv_transpose1d`, of which the input and the filters have depth, height and width.
    """
    return _transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


@public(method=False, promotes=True)
def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor:
    """Return a convolution, or what is transposed to it, over as many dimensions as filters have.

    See :func:`conv1d` and :func:`conv_transpose1d`.
    """
    ndim = weight._array.ndim - 2
    if not transposed:
        return _convolved(
            "convolution", ndim, input, weight, bias, stride, padding, dilation, groups
        )
    return _transposed(
        "convolution", ndim, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@public(method=False, names="nn.functional.conv_tbc", promotes=True)
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Return the convolution of sequences whose first dimension is time.

    Args:
        input: Of shape (time, batch, channels).
        weight: Of shape (kernel, channels, filters).
        bias: Of shape (filters,).
        pad: How many zeros there are at each end.

    Raises:
        RuntimeError: Shapes do not fit.
    """
    shape, filters = input._array.shape, weight._array.shape
    if len(shape) != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if len(filters) != 3:
        raise RuntimeError(
            "Weight tensor must have 3 dims: kernel_width, in_channels, out_channels."
        )
    if bias._array.ndim != 1:
        raise RuntimeError("Bias must be 1-D")
    if shape[2] != filters[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if bias._array.shape[0] != filters[2]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    moved, turned = permute(input, 1, 2, 0), permute(weight, 2, 1, 0)
    return permute(conv1d(moved, turned, bias, 1, pad), 2, 0, 1)

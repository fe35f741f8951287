"""Normalization: numbers less their mean, divided by their standard deviation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import FLOAT32, INEXACT, accumulation
from gpugrad.backend.batched import levels_of
from gpugrad.errors import NO_DIMENSIONS, normal_dim
from gpugrad.graph import recording
from gpugrad.op import cast, composite, pointwise, public
from gpugrad.op.operation import Declared
from gpugrad.ops.copy import clone
from gpugrad.ops.fused import fusible, gradients
from gpugrad.ops.nn.pool import check_kind
from gpugrad.ops.nn.running import follow
from gpugrad.ops.part import constant_pad_nd
from gpugrad.ops.pointwise.power import rsqrt
from gpugrad.ops.reduction import mean as mean_over
from gpugrad.ops.shape import reshape
from gpugrad.ops.strided import unfold

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any
Shape = tuple[int, ...]


def _plain(
    input: Any,
    weight: Any,
    bias: Any,
    whole: Shape,
    affine: Shape,
    axes: Shape,
    eps: float,
    centered: bool,
) -> tuple[Any, Any, Any]:
    """Return ``(input - mean) / sqrt(var + eps) * weight + bias``, the mean and the variance.

    The input has the shape ``whole`` for that, and means are along its ``axes``; weights and biases
    have the shape ``affine``.  Where it is not ``centered``, the mean is taken for 0.
    """
    kind = input._array.dtype
    x = reshape(_wide(input), whole)
    mean = mean_over(x, axes, True)
    below = x - mean if centered else x
    var = mean_over(below * below, axes, True)
    out = below * (var + eps).rsqrt()
    if weight is not None:
        out = out * reshape(_wide(weight), affine)
    if bias is not None:
        out = out + reshape(_wide(bias), affine)
    out = reshape(out, input._array.shape)
    return (out if out._array.dtype == kind else cast(out, dtype=kind)), mean, var


def _wide(tensor: Any) -> Any:
    wide = accumulation(tensor._array.dtype)
    return tensor if tensor._array.dtype == wide else cast(tensor, dtype=wide)


def _shaped(door: backend.Backend, array: Array, shape: Shape) -> Array:
    return array if array.shape == shape else door.reshape(array, shape)


def _computed(
    door: backend.Backend,
    x: Array,
    weight: Array | None,
    bias: Array | None,
    whole: Shape,
    affine: Shape,
    axes: Shape,
    eps: float,
    centered: bool,
) -> tuple[Array, Array, Array]:
    function: Any = door.fused("normalize")
    out, mean, var = function(
        _shaped(door, x, whole),
        None if weight is None else _shaped(door, weight, affine),
        None if bias is None else _shaped(door, bias, affine),
        axes,
        eps,
        centered,
    )
    return _shaped(door, out, x.shape), mean, var


def _unweighted(
    door: backend.Backend, input: Array, *,
    whole: Shape, affine: Shape, axes: Shape, eps: float, centered: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    return _computed(door, input, None, None, whole, affine, axes, eps, centered)


def _weighted(
    door: backend.Backend, input: Array, weight: Array, *,
    whole: Shape, affine: Shape, axes: Shape, eps: float, centered: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    return _computed(door, input, weight, None, whole, affine, axes, eps, centered)


def _biased(
    door: backend.Backend, input: Array, bias: Array, *,
    whole: Shape, affine: Shape, axes: Shape, eps: float, centered: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    return _computed(door, input, None, bias, whole, affine, axes, eps, centered)


def _weighted_and_biased(
    door: backend.Backend, input: Array, weight: Array, bias: Array, *,
    whole: Shape, affine: Shape, axes: Shape, eps: float, centered: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    return _computed(door, input, weight, bias, whole, affine, axes, eps, centered)


_FORWARD: dict[
    tuple[bool, bool], Callable[..., Any]
] = {  # by whether there are weights, and biases
    (False, False): _unweighted,
    (True, False): _weighted,
    (False, True): _biased,
    (True, True): _weighted_and_biased,
}
_ASKED = ("g", "mean", "var", "needs", "whole", "affine", "axes", "eps", "centered")


def _operation(name: str, given: tuple[bool, bool]) -> Declared:
    """Return the operation of an input, of weights and of biases as far as these are ``given``."""
    op = composite(name, outputs=("out", "mean", "var"))(_FORWARD[given])
    of_bias = 1 + given[0]

    def all_of(found: Sequence[Any]) -> tuple[Any, Any, Any]:
        return found[0], found[1] if given[0] else None, found[of_bias] if given[1] else None

    def inputs(
        g: Any,
        mean: Any,
        var: Any,
        needs: Any,
        whole: Shape,
        affine: Shape,
        axes: Shape,
        eps: float,
        centered: bool,
        *tensors: Any,
    ) -> list[Any]:
        def plain(*tensors: Any) -> Any:
            return _plain(*all_of(tensors), whole, affine, axes, eps, centered)[0]

        def fused(g: Array) -> Sequence[Array | None]:
            arrays = [t._array for t in tensors]
            x, weight, _ = all_of(arrays)
            of_x, *others = all_of(needs)
            door = backend.of(x)
            function: Any = door.fused("normalize_gradient")
            found = function(
                _shaped(door, g, whole),
                _shaped(door, x, whole),
                None if weight is None else _shaped(door, weight, affine),
                mean._array,
                var._array,
                axes,
                eps,
                centered,
                (whole if of_x else None, *[affine if needed else None for needed in others]),
            )
            there = [a for a, has in zip(found, (True, *given), strict=True) if has]
            return [
                None if a is None else _shaped(door, a, o.shape)
                for a, o in zip(there, arrays, strict=True)
            ]

        return gradients(plain, fused, tensors, [g], needs)

    op.gradient(inputs, "inputs", (*_ASKED, *op.op.input_names))
    return op


def _operations(name: str) -> dict[tuple[bool, bool], Declared]:
    return {given: _operation(name, given) for given in _FORWARD}


_of_rows = _operations("NativeLayerNormBackward0")
_of_groups = _operations("NativeGroupNormBackward0")
_of_batch = _operations("NativeBatchNormBackward0")
_by_squares = _operations("MulBackward0")


def _of(
    operations: dict[tuple[bool, bool], Declared],
    input: Any,
    weight: Any,
    bias: Any,
    whole: Shape,
    affine: Shape,
    axes: Shape,
    eps: float,
    centered: bool = True,
) -> tuple[Any, Any, Any]:
    if not fusible("normalize", input, weight, bias):
        return _plain(input, weight, bias, whole, affine, axes, eps, centered)
    found: tuple[Any, Any, Any] = operations[weight is not None, bias is not None](
        *[t for t in (input, weight, bias) if t is not None],
        whole=whole,
        affine=affine,
        axes=axes,
        eps=eps,
        centered=centered,
    )
    return found


# --------------------------------------------------------------------------- layers


def _check_kind(function: str, input: Any) -> None:
    kind = _dtype.of(input._array.dtype)
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"{function}\" not implemented for '{kind.title}'")


def _check_mixed(input: Any, *parameters: Any) -> None:
    """Raise where parameters are of another type than the input: those of halves may be float32.

    Raises:
        RuntimeError: They are.
    """
    kind = input._array.dtype
    for p in parameters:
        if p is None or p._array.dtype is kind:
            continue
        if p._array.dtype not in (kind, _accumulated(input)):
            known = p._array.dtype == FLOAT32
            raise RuntimeError(
                "mixed dtype (CPU): all inputs must share same datatype."
                if known
                else "mixed dtype (CPU): expect parameter to have scalar type of Float"
            )


def _accumulated(tensor: Any) -> Any:
    return accumulation(tensor._array.dtype)


def _check_normalized(
    input: Any, normalized_shape: Sequence[int], star: str, **parameters: Any
) -> Shape:
    """Return the shape as a tuple.

    Raises:
        RuntimeError: It is none, or not that of the last dimensions, or a parameter has another.
    """
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, p in parameters.items():
        if p is not None and p._array.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(p._array.shape)} and normalized_shape = {list(shape)}"
            )
    given = input._array.shape
    if given[max(len(given) - len(shape), 0) :] != shape:
        sizes = ", ".join(map(str, shape))
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*{star}{sizes}], "
            f"but got input of size{list(given)}"
        )
    return shape


def _rows(input: Any, shape: Shape) -> tuple[Shape, Shape]:
    """Return the shape of an input as rows of elements, and that of its parameters."""
    length = math.prod(shape)
    given = input._array.shape
    return (math.prod(given[: len(given) - len(shape)]), length), (length,)


@public(method=False, name="nn.functional.layer_norm")
def layer_norm_of(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return ``(input - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions.

    Args:
        input: Of shape (..., *normalized_shape).
        normalized_shape: The sizes of the dimensions that have one mean and variance.
        weight: Of that shape, or none.
        bias: Of that shape, or none.
        eps: What is added to variances.

    Raises:
        RuntimeError: Shapes do not fit.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.
    """
    shape = _check_normalized(input, normalized_shape, ", ", weight=weight, bias=bias)
    _check_mixed(input, weight, bias)
    _check_kind("LayerNormKernelImpl", input)
    whole, affine = _rows(input, shape)
    found: Tensor = _of(_of_rows, input, weight, bias, whole, affine, (1,), eps)[0]
    return found


@public(method=False)
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """Return what ``nn.functional.layer_norm`` does; ``cudnn_enable`` changes nothing."""
    return layer_norm_of(input, normalized_shape, weight, bias, eps)


@public(method=False, names="nn.functional.rms_norm")
def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return ``input / sqrt(mean(input ** 2) + eps) * weight`` over the last dimensions.

    Args:
        input: Of shape (..., *normalized_shape).
        normalized_shape: The sizes of the dimensions that have one mean.
        weight: Of that shape, or none.
        eps: What is added to means, by default the distance from 1 to the next number.

    Raises:
        RuntimeError: Shapes do not fit.

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.
    """
    if weight is not None:
        _check_normalized(weight, normalized_shape, "", weight=weight)
    ndim = input._array.ndim
    if ndim < len(normalized_shape):
        raise ValueError(
            f"Input tensor must have at least {len(normalized_shape)} dimensions, but got {ndim}"
        )
    shape = _check_normalized(input, normalized_shape, "")
    kind = input._array.dtype
    complex_ = kind.kind == "c"
    if not complex_:
        _check_kind("rms_norm", input)
    if eps is None:
        eps = float(_dtype.limits(accumulation(kind)).eps)
    whole, affine = _rows(input, shape)
    if weight is not None and weight._array.dtype != kind:
        weight = cast(weight, dtype=kind)
    found: Tensor
    if complex_:
        found = _plain(input, weight, None, whole, affine, (1,), eps, False)[0]
    else:
        found = _of(_by_squares, input, weight, None, whole, affine, (1,), eps, False)[0]
    return found


def _check_more_than_one(sizes: Sequence[int], shown: object) -> None:
    """Raise where there is one value for each channel, whose variance is 0."""
    if sizes[0] * math.prod(sizes[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {shown}"
        )


def _channels(input: Any) -> Shape:
    """Return the shape of an input, which begins with examples and channels."""
    shape: Shape = input._array.shape
    if not shape:
        raise IndexError(NO_DIMENSIONS)
    normal_dim(1, len(shape))  # which raises where there are no channels
    return shape


@public(method=False, name="nn.functional.group_norm")
def group_norm_of(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return each group of channels of each example, normalized by its mean and variance.

    Args:
        input: Of shape (examples, channels, ...).
        num_groups: Into how many groups the channels are divided.
        weight: Of shape (channels,), or none.
        bias: Of shape (channels,), or none.
        eps: What is added to variances.

    Raises:
        RuntimeError: Shapes do not fit.
        ValueError: A group has one value.

    Source: Wu and He, "Group normalization", 2018.
    """
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        )
    sizes = [shape[0] * shape[1] // num_groups, num_groups, *shape[2:]]
    _check_more_than_one(sizes, sizes)
    return group_norm(input, num_groups, weight, bias, eps)


@public(method=False)
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Return what ``nn.functional.group_norm`` does, also where a group has one value."""
    n, channels, *rest = _channels(input)
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(input._array.shape)} and num_groups={num_groups}"
        )
    for name, p in ("weight", weight), ("bias", bias):
        if p is not None and p._array.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(p._array.shape)} and input of shape "
                f"{list(input._array.shape)}"
            )
    _check_mixed(input, weight, bias)
    _check_kind("GroupNormKernelImpl", input)
    each = channels // num_groups
    whole = (n, num_groups, each, math.prod(rest))
    affine = (num_groups, each, 1)
    found: Tensor = _of(_of_groups, input, weight, bias, whole, affine, (2, 3), eps)[0]
    return found


# --------------------------------------------------------------------------- batches


@pointwise(
    "(x - mean) * (rsqrt(var + eps) * weight) + bias",
    "NativeBatchNormBackward0",
    "floating",
    parameters=("input", "mean", "var", "eps", "weight", "bias"),
)
def _by_running(g: Any, x: Any, mean: Any, var: Any, eps: Any, weight: Any, bias: Any) -> Any:
    scale = rsqrt(var + eps)
    return g * (scale * weight), None, None, None, g * ((x - mean) * scale), g


def _check_both(mean: Tensor | None, var: Tensor | None) -> None:
    """Raise where there are running means without variances, or these without those.

    Raises:
        ValueError: It is so.
    """
    if (mean is None) is not (var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")


def _check_channels(channels: int, **parameters: Any) -> None:
    for name, p in parameters.items():
        if p is not None and p._array.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {p._array.size}")


@public(method=False, name="nn.functional.batch_norm")
def batch_norm_of(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return each channel normalized by its mean and variance over the batch, or by given ones.

    In training, running means and variances become ``1 - momentum`` of themselves and ``momentum``
    of those of the batch, whose variance has Bessel's correction there.

    Args:
        input: Of shape (examples, channels, ...).
        running_mean: Of shape (channels,), or none in training.
        running_var: Of shape (channels,), or none in training.
        weight: Of shape (channels,), or none.
        bias: Of shape (channels,), or none.
        training: Whether the batch's own mean and variance are taken.
        momentum: The weight of the batch in running means and variances.
        eps: What is added to variances.

    Raises:
        RuntimeError: Shapes do not fit, or there are no means and variances to take.
        ValueError: In training a channel has one value, or there is one of ``running_mean`` and
            ``running_var`` without the other.

    Source: Ioffe and Szegedy, "Batch normalization", 2015.
    """
    if training:
        shape = input.size()
        _check_more_than_one(shape, shape)
        if eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)


@public(method=False)
def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return what ``nn.functional.batch_norm`` does; ``cudnn_enabled`` changes nothing."""
    shape = input._array.shape
    if not input._array.size:
        out = clone(input)
        out = out if weight is None else out * weight[0]
        return out if bias is None else out + bias[0]
    channels = shape[1] if len(shape) > 1 else 0
    if not training:
        for name, p in ("running_mean", running_mean), ("running_var", running_var):
            if p is None:
                raise RuntimeError(f"{name} must be defined in evaluation mode")
    _check_channels(
        channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    for name, p in ("running_mean", running_mean), ("running_var", running_var):
        if p is not None and p.requires_grad:
            raise RuntimeError(
                "The function 'native_batch_norm' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True."
            )
    if training:
        _check_both(running_mean, running_var)
    _check_kind("batch_norm", input)
    _check_mixed(input, weight, bias, running_mean, running_var)
    whole, affine = (shape[0], channels, math.prod(shape[2:])), (channels, 1)
    if not training:
        beside = (channels, *(1,) * (len(shape) - 2))
        mean, var, scale, shift = (
            p if p is None else reshape(_wide(p), beside)
            for p in (running_mean, running_var, weight, bias)
        )
        one, zero = 1.0 if scale is None else scale, 0.0 if shift is None else shift
        out = _by_running(input, mean, var, eps, one, zero)
        kind = input._array.dtype
        return out if out._array.dtype == kind else cast(out, dtype=kind)
    _check_batched(input, running_mean, running_var)
    out, mean, var = _of(_of_batch, input, weight, bias, whole, affine, (0, 2), eps)
    count = input._array.size // channels
    if running_mean is not None:
        with recording(False):
            running = (running_mean, running_var)
            follow(running, (mean, var), momentum, count / max(count - 1, 1))
    return out


def _check_batched(input: Tensor, *running: Tensor | None) -> None:
    """Raise where each example of ``vmap`` would move one running mean of all.

    Raises:
        RuntimeError: They would.
    """
    levels = set(levels_of(input._array))
    if any(p is not None and not levels <= set(levels_of(p._array)) for p in running):
        raise RuntimeError(
            "Batch norm got a batched tensor as input while the running_mean or running_var, which "
            "will be updated in place, were not batched.\nIf you are using a module and do not "
            "need eval mode, please set `track_running_stats` to be False.  "
            "gpugrad.func.replace_all_batch_norm_modules_(module) does that for a whole network."
        )


@public(method=False, name="nn.functional.instance_norm")
def instance_norm_of(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return each channel of each example, normalized by its mean and variance, or by given ones.

    Args:
        input: Of shape (examples, channels, ...).
        running_mean: Of shape (channels,), or none; see :func:`batch_norm`.
        running_var: Of shape (channels,), or none.
        weight: Of shape (channels,), or none.
        bias: Of shape (channels,), or none.
        use_input_stats: Whether each channel's own mean and variance are taken.
        momentum: The weight of the batch in running means and variances.
        eps: What is added to variances.

    Raises:
        RuntimeError: Shapes do not fit, or there are no means and variances to take.
        ValueError: A channel has one value.

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.
    """
    if use_input_stats:
        shape = input.size()
        if math.prod(shape[2:]) == 1:
            raise ValueError(
                f"Expected more than 1 spatial element when training, got input size {shape}"
            )
    return instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True
    )


@public(method=False)
def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return what ``nn.functional.instance_norm`` does; ``cudnn_enabled`` changes nothing."""
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    _check_both(running_mean, running_var)
    shape = _channels(input)
    n, channels = shape[:2]

    def of_each(parameter: Any, name: str = "") -> Any:
        if parameter is None:
            return None
        if name:
            _check_channels(n * channels, **{name: parameter.repeat(n)})
        return parameter.repeat(n)

    mean, var = of_each(running_mean, "running_mean"), of_each(running_var, "running_var")
    together = reshape(input, (1, n * channels, *shape[2:]))
    scale, shift = of_each(weight), of_each(bias)
    found = batch_norm(together, scale, shift, mean, var, use_input_stats, momentum, eps, True)
    if use_input_stats:
        for running, each in (running_mean, mean), (running_var, var):
            if running is not None:
                with recording(False):
                    running.copy_(reshape(each, (n, channels)).mean(0))
    return found.view(shape)


@public(method=False, name="nn.functional.local_response_norm")
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Return ``input / (k + alpha * mean(input ** 2)) ** beta``, means over neighbouring channels.

    Args:
        input: Of shape (examples, channels, ...), with at least three dimensions.
        size: How many channels a mean is over; beyond the first and the last there are zeros.
        alpha: The factor of the mean.
        beta: The exponent.
        k: What is added to the mean.

    Raises:
        ValueError: There are fewer dimensions.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional
    neural networks", 2012.
    """
    ndim = input._array.ndim
    if ndim < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality                         "
            f" input (got {ndim} dimensions)"
        )
    if not input._array.size:
        return input
    if size < 1:
        raise RuntimeError(
            f"kernel size should be greater than zero, but got kT: {size} kH: 1 kW: 1"
            if ndim > 3
            else f"kernel size should be greater than zero, but got kH: {size} kW: 1"
        )
    check_kind("avg_pool3d_out_frame" if ndim > 3 else "avg_pool2d", input, "bc")
    around = constant_pad_nd(input * input, [0, 0] * (ndim - 2) + [size // 2, (size - 1) // 2])
    windows = unfold(around, 1, size, 1)
    means = windows.mean(-1) if around._array.dtype.kind in INEXACT else windows.sum(-1) // size
    return input / (means * alpha + k) ** beta

"""The functions of networks, ``torch.nn.functional``'s, made from the table of declarations."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from gpugrad import Generator, Tensor, dtype

def adaptive_avg_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], output_size: Any
) -> Tensor:
    """Return the means over parts of the last dimensions."""

def adaptive_avg_pool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], output_size: Any
) -> Tensor:
    """Return the means over parts of the last dimensions."""

def adaptive_avg_pool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], output_size: Any
) -> Tensor:
    """Return the means over parts of the last dimensions."""

def adaptive_max_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    output_size: Any,
    return_indices: bool = False,
) -> Any:
    """Return the maxima over parts of the last dimensions."""

def adaptive_max_pool1d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    output_size: Any,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over parts and their places; see :func:`adaptive_max_pool1d`."""

def adaptive_max_pool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    output_size: Any,
    return_indices: bool = False,
) -> Any:
    """Return the maxima over parts of the last dimensions."""

def adaptive_max_pool2d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    output_size: Any,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over parts and their places; see :func:`adaptive_max_pool2d`."""

def adaptive_max_pool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    output_size: Any,
    return_indices: bool = False,
) -> Any:
    """Return the maxima over parts of the last dimensions."""

def adaptive_max_pool3d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    output_size: Any,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over parts and their places; see :func:`adaptive_max_pool3d`."""

def affine_grid(
    theta: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: Sequence[int],
    align_corners: bool | None = None,
) -> Tensor:
    """Return the places that affine maps give to each place of a result, for :func:`grid_sample`."""

def alpha_dropout(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 0.5,
    training: bool = False,
    inplace: object = False,
) -> Tensor:
    """Return elements, or SELU's least value with the probability p."""

def avg_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = (),
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the means over windows of the last dimensions."""

def avg_pool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the means over windows of the last dimensions."""

def avg_pool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the means over windows of the last dimensions."""

def batch_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Return each channel normalized by its mean and variance over the batch, or by given ones."""

def bilinear(
    input1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
) -> Tensor:
    """Return ``input1 @ weight[k] @ input2 + bias[k]`` for each ``k``, for vectors of two inputs."""

def binary_cross_entropy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of -(target * log(input) + (1 - target) * log(1 - input))."""

def binary_cross_entropy_with_logits(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return ``binary_cross_entropy`` of sigmoid(input), exact also where that is 0 or 1."""

def celu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    alpha: float = 1.0,
    inplace: object = False,
) -> Tensor:
    """Return input where it is positive, else alpha * (exp(input / alpha) - 1)."""

def celu_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], alpha: bool | int | float | complex = 1.0
) -> Tensor:
    """Write the result of ``celu`` into the tensor, and return that."""

def channel_shuffle(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], groups: int) -> Tensor:
    """Return the channels in another order: the first of each group, then the second, and so on."""

def conv1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input."""

def conv2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input."""

def conv3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the sums of products of filters with windows of the input."""

def conv_tbc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    pad: int = 0,
) -> Tensor:
    """Return the convolution of sequences whose first dimension is time."""

def conv_transpose1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input."""

def conv_transpose2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input."""

def conv_transpose3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the sum of filters at places that are ``stride`` apart, times the input."""

def cosine_embedding_loss(
    input1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of 1 - cos where the target is 1, and of max(cos - margin, 0) where it is -1."""

def cosine_similarity(
    x1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int = 1,
    eps: float = 1e-08,
) -> Tensor:
    """Return the cosine of the angle between vectors along a dimension."""

def cross_entropy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the weighted mean of minus the logarithms of softmax at the right classes."""

def ctc_loss(
    log_probs: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    targets: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return minus the logarithm of the probability that labels are read, blanks between them."""

def dropout(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 0.5,
    training: bool = True,
    inplace: object = False,
) -> Tensor:
    """Return elements divided by 1 - p, or 0 with the probability p."""

def dropout1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 0.5,
    training: bool = True,
    inplace: object = False,
) -> Tensor:
    """Return channels divided by 1 - p, or 0 with the probability p."""

def dropout2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 0.5,
    training: bool = True,
    inplace: object = False,
) -> Tensor:
    """Return channels divided by 1 - p, or 0 with the probability p."""

def dropout3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 0.5,
    training: bool = True,
    inplace: object = False,
) -> Tensor:
    """Return channels divided by 1 - p, or 0 with the probability p."""

def elu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    alpha: float = 1.0,
    inplace: object = False,
) -> Tensor:
    """Return input where it is positive, else alpha * (exp(input) - 1)."""

def elu_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], alpha: float = 1.0) -> Tensor:
    """Write what ``elu`` returns into the tensor, and return that."""

def embedding(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of a table that are named."""

def embedding_bag(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the sum, the mean or the maximum of the rows of a table in each bag; 0 of no rows."""

def feature_alpha_dropout(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 0.5,
    training: bool = False,
    inplace: object = False,
) -> Tensor:
    """Return what ``alpha_dropout`` does, alike for all of a channel, the second dimension."""

def fold(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Return images that are the sums of windows, each of them a column."""

def fractional_max_pool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """Return the maxima over windows whose places are drawn."""

def fractional_max_pool2d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over drawn windows and places; see :func:`fractional_max_pool2d`."""

def fractional_max_pool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """Return the maxima over windows whose places are drawn."""

def fractional_max_pool3d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over drawn windows and places; see :func:`fractional_max_pool3d`."""

def gaussian_nll_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    var: Any,
    full: bool = False,
    eps: float = 1e-06,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of the negative logarithms of normal densities, without a constant."""

def gelu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    approximate: str = "none",
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input times the normal distribution function of input."""

def glu(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], dim: int = -1) -> Tensor:
    """Return the first half of input along a dimension times the sigmoid of the second half."""

def grid_sample(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    grid: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return images sampled at the places that a grid names."""

def group_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """Return each group of channels of each example, normalized by its mean and variance."""

def gumbel_softmax(
    logits: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """Return a sample of a categorical distribution, made smooth: it has a gradient."""

def hardshrink(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    lambd: bool | int | float | complex = 0.5,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input, and 0 where it lies in [-lambd, lambd], where the gradient is 0, too."""

def hardsigmoid(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], inplace: object = False
) -> Tensor:
    """Return input / 6 + 1 / 2 within 0 and 1, where the gradient is 0."""

def hardswish(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], inplace: object = False
) -> Tensor:
    """Return input times its ``hardsigmoid``."""

def hardtanh(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: object = False,
) -> Tensor:
    """Return input within two bounds; the gradient is 0 there and beyond."""

def hardtanh_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    min_val: float = -1.0,
    max_val: float = 1.0,
) -> Tensor:
    """Write what ``hardtanh`` returns into the tensor, and return that."""

def hinge_embedding_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of input where the target is 1, and of max(margin - input, 0) where it is -1."""

def huber_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean of a parabola of the difference that goes on as straight lines."""

def instance_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Return each channel of each example, normalized by its mean and variance, or by given ones."""

def interpolate(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return a tensor resized along its last dimensions."""

def kl_div(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the mean of target * (log(target) - input), the divergence from exp(input)."""

def l1_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean of abs(input - target), or with another ``reduction`` all, or their sum."""

def layer_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """Return ``(input - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions."""

def leaky_relu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    negative_slope: float = 0.01,
    inplace: object = False,
) -> Tensor:
    """Return input where it is positive, else negative_slope * input, as is the gradient at 0."""

def leaky_relu_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], negative_slope: float = 0.01
) -> Tensor:
    """Write what ``leaky_relu`` returns into the tensor, and return that."""

def linear(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return ``input @ weight.T + bias``."""

def linear_cross_entropy(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    linear_weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """Return ``cross_entropy`` of ``linear(input, linear_weight, linear_bias)``."""

def local_response_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: int,
    alpha: float = 0.0001,
    beta: float = 0.75,
    k: float = 1.0,
) -> Tensor:
    """Return ``input / (k + alpha * mean(input ** 2)) ** beta``, means over neighbouring channels."""

def log_softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: dtype | None = None,
) -> Tensor:
    """Return the logarithm of ``softmax``, also where that is 0."""

def logsigmoid(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the logarithm of sigmoid(input), also where that is 0."""

def lp_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return ``sum(x ** norm_type) ** (1 / norm_type)`` over windows."""

def lp_pool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return ``sum(x ** norm_type) ** (1 / norm_type)`` over windows."""

def lp_pool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return ``sum(x ** norm_type) ** (1 / norm_type)`` over windows."""

def margin_ranking_loss(
    input1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    input2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of max(-target * (input1 - input2) + margin, 0)."""

def max_pool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maxima over windows of the last dimensions."""

def max_pool1d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over windows and their places; see :func:`max_pool1d`."""

def max_pool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maxima over windows of the last dimensions."""

def max_pool2d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over windows and their places; see :func:`max_pool2d`."""

def max_pool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maxima over windows of the last dimensions."""

def max_pool3d_with_indices(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over windows and their places; see :func:`max_pool3d`."""

def max_unpool1d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Any = None,
) -> Tensor:
    """Return zeros with elements where ``max_pool1d`` found them."""

def max_unpool2d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Any = None,
) -> Tensor:
    """Return zeros with elements where ``max_pool2d`` found them."""

def max_unpool3d(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    indices: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Any = None,
) -> Tensor:
    """Return zeros with elements where ``max_pool3d`` found them."""

def mish(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], inplace: object = False) -> Tensor:
    """Return input * tanh(softplus(input))."""

def mse_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean of (input - target) ** 2, or with another ``reduction`` all, or their sum."""

def multi_head_attention_forward(
    query: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    key: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    value: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """Return attention by several heads, each of its own projections, and the weights or ``None``."""

def multi_margin_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of how far other classes are ahead of where they may be."""

def multilabel_margin_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of how far other classes are ahead of where they may be."""

def multilabel_soft_margin_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over examples of ``binary_cross_entropy_with_logits``, averaged over classes."""

def native_channel_shuffle(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], groups: int
) -> Tensor:
    """Return the channels in another order: the first of each group, then the second, and so on."""

def nll_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the weighted mean of minus the logarithms of the right classes' probabilities."""

def normalize(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 2.0,
    dim: Any = 1,
    eps: float = 1e-12,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input divided by its norms along a dimension, or several."""

def one_hot(tensor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], num_classes: int = -1) -> Tensor:
    """Return at each element a vector with a 1 at the place that it names, and else 0."""

def pad(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Tensor:
    """Return a tensor with elements around it."""

def pairwise_distance(
    x1: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    x2: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    p: float = 2,
    eps: float = 1e-06,
    keepdim: bool = False,
) -> Tensor:
    """Return the norm of x1 - x2 + eps along the last dimension."""

def pdist(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], p: float = 2) -> Tensor:
    """Return the distances of the rows of a matrix from those behind them."""

def pixel_shuffle(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], upscale_factor: int
) -> Tensor:
    """Return images that are larger by a factor, of which groups of channels are the places."""

def pixel_unshuffle(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], downscale_factor: int
) -> Tensor:
    """Return images that are smaller by a factor, whose places become channels."""

def poisson_nll_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-08,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of the negative logarithms of counts' Poisson probabilities."""

def prelu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
) -> Tensor:
    """Return input where it is positive, else weight * input."""

def relu(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], inplace: object = False) -> Tensor:
    """Return max(input, 0); the gradient at 0 is 0."""

def relu6(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], inplace: object = False) -> Tensor:
    """Return input within 0 and 6; the gradient is 0 there and beyond."""

def relu_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``relu`` into the tensor, and return that."""

def rms_norm(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return ``input / sqrt(mean(input ** 2) + eps) * weight`` over the last dimensions."""

def rrelu(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    inplace: object = False,
) -> Tensor:
    """Return input where it is positive, else input times a slope."""

def rrelu_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    lower: bool | int | float | complex = 0.125,
    upper: bool | int | float | complex = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Write what ``rrelu`` returns into the tensor, and return that."""

def scaled_dot_product_attention(
    query: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    key: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    value: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return ``softmax(scale * query @ key.mT + attn_mask) @ value``."""

def selu(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], inplace: object = False) -> Tensor:
    """Return input, where it is negative exp(input) - 1, times constants that keep its variance."""

def selu_(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Write the result of ``selu`` into the tensor, and return that."""

def sigmoid(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return 1 / (1 + exp(-input))."""

def silu(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], inplace: object = False) -> Tensor:
    """Return input * sigmoid(input)."""

def smooth_l1_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return the mean of a parabola of the difference that goes on as straight lines."""

def soft_margin_loss(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    target: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of log(1 + exp(-target * input)), without overflow."""

def softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: dtype | None = None,
) -> Tensor:
    """Return exp(input) / exp(input).sum(dim), without overflow."""

def softmin(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: dtype | None = None,
) -> Tensor:
    """Return ``softmax`` of -input."""

def softplus(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    beta: float = 1.0,
    threshold: float = 20.0,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(1 + exp(beta * input)) / beta, and input itself where beta * input > threshold."""

def softshrink(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    lambd: float = 0.5,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return input moved towards 0 by lambd, and 0 within that, where the gradient is 0."""

def softsign(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return input / (1 + abs(input))."""

def tanh(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the hyperbolic tangent of input."""

def tanhshrink(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return input - tanh(input)."""

def threshold(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    threshold: float,
    value: float,
    inplace: object = False,
) -> Tensor:
    """Return input where it is above the threshold, else value, where the gradient is 0."""

def threshold_(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    threshold: bool | int | float | complex,
    value: bool | int | float | complex,
) -> Tensor:
    """Write the result of ``threshold`` into the tensor, and return that."""

def triplet_margin_loss(
    anchor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    positive: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    negative: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-06,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of max(distance to the positive - distance to the negative + margin, 0)."""

def triplet_margin_with_distance_loss(
    anchor: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    positive: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    negative: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    distance_function: Callable[..., Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return ``triplet_margin_loss`` with a distance of one's own."""

def unfold(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Return the windows of images, each of them a column."""

def upsample(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Return :func:`interpolate`, of which this is the old name."""

def upsample_bilinear(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], size: Any = None, scale_factor: Any = None
) -> Tensor:
    """Return bilinear :func:`interpolate` with aligned corners, of which this is an old name."""

def upsample_nearest(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], size: Any = None, scale_factor: Any = None
) -> Tensor:
    """Return :func:`interpolate` by the nearest elements, of which this is an old name."""

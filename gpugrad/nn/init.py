"""How parameters are filled before training; each function fills a tensor and returns it.

They record nothing, and draw from the distributions of PyTorch's functions in the same order.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from gpugrad import functions, linalg
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import no_grad

Generator = Any
Filling = TypeVar("Filling", bound=Callable[..., Tensor])

_skips: ContextVar[bool] = ContextVar("skips", default=False)


@contextmanager
def skipped() -> Iterator[None]:
    """Have the functions here leave tensors as they are."""
    token = _skips.set(True)
    try:
        yield
    finally:
        _skips.reset(token)


def _filling(function: Filling) -> Filling:
    """Declare a function that fills its first argument, and records nothing."""

    @functools.wraps(function)
    def fill(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if _skips.get():
            return tensor
        with no_grad():
            return function(tensor, *args, **kwargs)

    return fill  # type: ignore[return-value]


_GAINS = {
    **dict.fromkeys(
        (
            "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
            "conv_transpose3d", "sigmoid",
        ),
        1,
    ),
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by how much a nonlinearity wants the standard deviation of weights to be larger.

    Args:
        nonlinearity: Its name: that of a function of :mod:`gpugrad.nn.functional`.
        param: The negative slope of ``leaky_relu``, by default 0.01.

    Raises:
        ValueError: There is no such nonlinearity, or the slope is no number.
    """
    if nonlinearity in _GAINS:
        return _GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    if param is None:
        param = 0.01
    if isinstance(param, bool) or not isinstance(param, int | float):
        raise ValueError(f"negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + param**2))


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Return how many numbers each result of a weight is made of, and each input goes into.

    Raises:
        ValueError: The weight has fewer than 2 dimensions.
    """
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    window = math.prod(tensor.shape[2:])
    return tensor.size(1) * window, tensor.size(0) * window


@_filling
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill a tensor with numbers drawn uniformly from ``a`` to ``b``."""
    return tensor.uniform_(a, b, generator=generator)


@_filling
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None
) -> Tensor:
    """Fill a tensor with normally distributed numbers."""
    return tensor.normal_(mean, std, generator=generator)


@_filling
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator = None,
) -> Tensor:
    """Fill a tensor with normally distributed numbers of which those outside [a, b] are redrawn.

    Where few of them lie between, numbers are drawn uniformly, and kept in proportion to the
    density.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect.",
            stacklevel=3,
        )

    def below(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    if below((b - mean) / std) - below((a - mean) / std) > 0.3:
        return _redrawn(tensor, mean, std, a, b, generator)
    return _rejected(tensor, mean, std, a, b, generator)


def _redrawn(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator
) -> Tensor:
    low, high = (tensor.new_tensor(bound, device="cpu").item() for bound in (a, b))
    found = tensor.normal_(mean, std, generator=generator)
    while (outside := (found < low) | (found > high)).any():
        again = functions.empty_like(found).normal_(mean, std, generator=generator)
        found = functions.where(outside, again, found)
    return tensor if found is tensor else tensor.copy_(found)


def _rejected(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator
) -> Tensor:
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

    def refused(values: Tensor) -> Tensor:
        chance = functions.empty_like(tensor).uniform_(generator=generator).log_()
        return chance.gt(((values - mean) / std) ** 2 * -0.5 - peak)

    found = tensor.uniform_(a, b, generator=generator)
    pending = refused(found)
    while pending.any():
        again = functions.empty_like(tensor).uniform_(a, b, generator=generator)
        found = functions.where(pending, again, found)
        pending = functions.where(pending, refused(again), pending)
    return tensor if found is tensor else tensor.copy_(found)


@_filling
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill a tensor with a number."""
    return tensor.fill_(val)


@_filling
def ones_(tensor: Tensor) -> Tensor:
    """Fill a tensor with 1."""
    return tensor.fill_(1.0)


@_filling
def zeros_(tensor: Tensor) -> Tensor:
    """Fill a tensor with 0."""
    return tensor.zero_()


@_filling
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with 1 on the diagonal and 0 elsewhere.

    Raises:
        ValueError: It is no matrix.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor.copy_(functions.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


@_filling
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it keeps as many channels as it can, in each group.

    Raises:
        ValueError: It has not 3, 4 or 5 dimensions, or the groups do not part its first one.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.size(0) % groups:
        raise ValueError("dim 0 must be divisible by groups")
    each = tensor.size(0) // groups
    middle = tuple([size // 2 for size in tensor.shape[2:]])
    tensor.zero_()
    for group in range(groups):
        for k in range(min(each, tensor.size(1))):
            tensor[(group * each + k, k, *middle)] = 1
    return tensor


@_filling
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill a weight uniformly, the deviation by both fans (Glorot and Bengio 2010).

    Raises:
        ValueError: It has fewer than 2 dimensions.
    """
    bound = math.sqrt(3.0) * _between(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


@_filling
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill a weight normally, the deviation by both fans (Glorot and Bengio 2010).

    Raises:
        ValueError: It has fewer than 2 dimensions.
    """
    return normal_(tensor, 0.0, _between(tensor, gain), generator)


def _between(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))


@_filling
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:
    """Fill a weight uniformly, the deviation by one fan and the nonlinearity (He et al. 2015).

    Args:
        tensor: The weight.
        a: The negative slope of ``leaky_relu``.
        mode: ``"fan_in"`` keeps the variance in the forward, ``"fan_out"`` in the backward.
        nonlinearity: The name of what follows; see :func:`calculate_gain`.
        generator: What the numbers are drawn from.

    Raises:
        ValueError: It has fewer than 2 dimensions; there is no such mode or nonlinearity.
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _after(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


@_filling
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:
    """Fill a weight normally, as :func:`kaiming_uniform_` does uniformly (He et al. 2015).

    Raises:
        ValueError: It has fewer than 2 dimensions; there is no such mode or nonlinearity.
    """
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0, _after(tensor, a, mode, nonlinearity), generator)


def _is_empty(tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=4)
        return True
    return False


def _after(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """Return one of a weight's fans, ``"fan_in"`` or ``"fan_out"``; layers of users' call it.

    Raises:
        ValueError: It is neither of these.
    """
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


@_filling
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator = None) -> Tensor:
    """Fill a tensor so that its rows, or its columns if these are fewer, are orthonormal.

    All dimensions but the first are one (Saxe et al. 2013).

    Raises:
        ValueError: It has fewer than 2 dimensions.
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.numel():
        return tensor
    rows = tensor.size(0)
    columns = tensor.numel() // rows
    drawn = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
    q, r = linalg.qr(drawn.T if rows < columns else drawn)
    q = q * r.diagonal().sign()  # so that it is distributed uniformly
    tensor.view(rows, columns).copy_(q.T if rows < columns else q)
    return tensor.mul_(gain)


@_filling
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator = None
) -> Tensor:
    """Fill a matrix normally, but for a part of each column, which is 0 (Martens 2010).

    Raises:
        ValueError: It is no matrix.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[functions.randperm(rows)[: math.ceil(sparsity * rows)], column] = 0
    return tensor


def _older(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a function under the name that it had before it was known to write in place."""
    name = function.__name__.removesuffix("_")

    @functools.wraps(function)
    def older(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    older.__name__ = older.__qualname__ = name
    older.__doc__ = f"Warn, and return ``{name}_(...)``."
    return older


uniform = _older(uniform_)
normal = _older(normal_)
constant = _older(constant_)
eye = _older(eye_)
dirac = _older(dirac_)
xavier_uniform = _older(xavier_uniform_)
xavier_normal = _older(xavier_normal_)
kaiming_uniform = _older(kaiming_uniform_)
kaiming_normal = _older(kaiming_normal_)
orthogonal = _older(orthogonal_)
sparse = _older(sparse_)

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_",
    "orthogonal", "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_",
    "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_",
]  # fmt: skip

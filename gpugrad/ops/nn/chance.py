"""What networks do by chance: dropout, and samples with gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad.graph import warn
from gpugrad.op import cast, public
from gpugrad.op.forms import PUBLIC
from gpugrad.ops import pointwise as pw
from gpugrad.ops import soft
from gpugrad.ops.extremum import argmax
from gpugrad.ops.filled import empty_like
from gpugrad.ops.nn.softmax import named
from gpugrad.ops.redraw import exponential_

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _dropped(name: str, input: Any, p: float, training: bool, inplace: object) -> Any:
    """Return what a function of tensors of that name gives, or its in-place form.

    Raises:
        ValueError: There is no such probability.
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return PUBLIC[f"{name}_" if inplace else name].plain(input, p, training)


@public(method=False, name="nn.functional.dropout")
def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: object = False
) -> Tensor:
    """Return elements divided by 1 - p, or 0 with the probability p.

    Without ``training`` it is the tensor itself.

    Raises:
        ValueError: There is no such probability.

    Source: Hinton et al. 2012, arXiv:1207.0580.
    """
    return _dropped("dropout", input, p, training, inplace)


@public(method=False, name="nn.functional.alpha_dropout")
def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: object = False
) -> Tensor:
    """Return elements, or SELU's least value with the probability p.

    They are scaled and shifted so that mean and variance stay as they were.

    Raises:
        ValueError: There is no such probability.

    Source: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return _dropped("alpha_dropout", input, p, training, inplace)


@public(method=False, name="nn.functional.feature_alpha_dropout")
def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: object = False
) -> Tensor:
    """Return what ``alpha_dropout`` does, alike for all of a channel, the second dimension.

    Raises:
        ValueError: There is no such probability.
    """
    return _dropped("feature_alpha_dropout", input, p, training, inplace)


def _features(input: Any, p: float, training: bool, inplace: object, single: bool) -> Any:
    """Return channels, divided by 1 - p or 0; a ``single`` example has no dimension of its own."""
    if single:
        input = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _dropped("feature_dropout", input, p, training, inplace)
    if single:
        result = result.squeeze_(0) if inplace else result.squeeze(0)
    return result


@public(method=False, name="nn.functional.dropout1d")
def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: object = False
) -> Tensor:
    """Return channels divided by 1 - p, or 0 with the probability p.

    Args:
        input: Of shape (examples, channels, length), or (channels, length).
        p: The probability.
        training: Without it the result is the tensor itself.
        inplace: Whether it is written into the tensor.

    Raises:
        RuntimeError: The tensor has another number of dimensions.
        ValueError: There is no such probability.

    Source: Tompson et al. 2014, arXiv:1411.4280.
    """
    ndim = input._array.ndim
    if 0 <= p <= 1 and ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _features(input, p, training, inplace, ndim == 2)


def _warn_of(name: str, ndim: int, spatial: int) -> None:
    warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an "
        "error in a future release. To retain the behavior and silence this warning, please use "
        f"dropout instead. Note that {name} exists to provide channel-wise dropout on inputs with "
        f"{spatial} spatial dimensions, a channel dimension, and an optional batch dimension "
        f"(i.e. {spatial + 1}D or {spatial + 2}D inputs)."
    )


@public(method=False, name="nn.functional.dropout2d")
def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: object = False
) -> Tensor:
    """Return channels divided by 1 - p, or 0 with the probability p.

    Args:
        input: Of shape (examples, channels, height, width); of three dimensions it is taken for
            (examples, channels, length), as in PyTorch, which warns of it.
        p: The probability.
        training: Without it the result is the tensor itself.
        inplace: Whether it is written into the tensor.

    Raises:
        RuntimeError: There are fewer than two dimensions.
        ValueError: There is no such probability.
    """
    ndim = input._array.ndim
    if 0 <= p <= 1 and ndim not in (3, 4):
        _warn_of("dropout2d", ndim, 2)
    if 0 <= p <= 1 and ndim == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. This behavior will change in a future release to interpret the input as one "
            "without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead."
        )
    return _features(input, p, training, inplace, False)


@public(method=False, name="nn.functional.dropout3d")
def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: object = False
) -> Tensor:
    """Return channels divided by 1 - p, or 0 with the probability p.

    Args:
        input: Of shape (examples, channels, depth, height, width), or without examples.
        p: The probability.
        training: Without it the result is the tensor itself.
        inplace: Whether it is written into the tensor.

    Raises:
        ValueError: There is no such probability.
    """
    ndim = input._array.ndim
    if 0 <= p <= 1 and ndim not in (4, 5):
        _warn_of("dropout3d", ndim, 3)
    return _features(input, p, training, inplace, ndim != 5)


@public(method=False, name="nn.functional.gumbel_softmax")
def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Return a sample of a categorical distribution, made smooth: it has a gradient.

    Args:
        logits: Logarithms of probabilities, which need not add up to 1.
        tau: The temperature, near 0 for samples that are nearly one-hot.
        hard: Whether the result is one-hot; its gradient is still that of the smooth one.
        eps: Has no effect.
        dim: Along which the result adds up to 1.

    Source: Jang, Gu and Poole 2016, arXiv:1611.01144; Maddison, Mnih and Teh 2016,
    arXiv:1611.00712.
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    noise = pw.neg(pw.log(exponential_(empty_like(logits.detach()))))
    smooth = soft.softmax(pw.div(pw.add(logits, noise), tau), dim)
    if not hard:
        return smooth
    found = smooth.detach()
    place = argmax(found, dim, keepdim=True)
    one = cast(named(place, found._array.shape, dim), dtype=found._array.dtype)
    return pw.add(pw.sub(one, found), smooth)

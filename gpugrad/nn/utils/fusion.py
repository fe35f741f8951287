"""A layer and the batch normalization after it as one layer, for use after training."""

from __future__ import annotations

import copy
from typing import Any

from gpugrad import functions
from gpugrad._tensor import Tensor
from gpugrad.nn.parameter import Parameter

Module = Any


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Any:
    """Return a convolution that computes what one and the batch normalization after it do.

    Args:
        conv: The convolution, in the mode of evaluation.
        bn: The normalization, in the same mode.
        transpose: The convolution is a transposed one.

    Raises:
        AssertionError: One of the two is training, or there are no running statistics.
    """
    fused = _copied(conv, bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def _copied(layer: Module, bn: Module) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    fused = copy.deepcopy(layer)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Return the weight and the bias of the convolution of :func:`fuse_conv_bn_eval`."""
    shape = [-1, 1] + [1] * (conv_w.dim() - 2)
    if transpose:
        shape[:2] = 1, -1
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def _fused(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    var: Tensor,
    eps: float,
    factor: Tensor | None,
    shift: Tensor | None,
    shape: list[int],
) -> tuple[Parameter, Parameter]:
    """Return the weight and bias of both: ``((x w + b) - mean) / sqrt(var + eps) * factor + ...``.

    ``shape`` is that of ``mean`` beside the weight.
    """
    types = weight.dtype, weight.dtype if bias is None else bias.dtype
    old = functions.zeros_like(mean) if bias is None else bias
    scale = functions.rsqrt(var + eps)
    if factor is not None:
        scale = factor * scale
    new = (old - mean) * scale
    if shift is not None:
        new = new + shift
    return (
        Parameter((weight * scale.reshape(shape)).to(types[0]), weight.requires_grad),
        Parameter(new.to(types[1]), old.requires_grad),
    )


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Any:
    """Return a linear layer that computes what one and the batch normalization after it do.

    Args:
        linear: The layer, in the mode of evaluation.
        bn: The normalization, in the same mode, of as many features as the layer has, or of one.

    Raises:
        AssertionError: One of the two is training, there are no running statistics, or another
            number of features.
    """
    fused = _copied(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """Return the weight and the bias of the layer of :func:`fuse_linear_bn_eval`."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])

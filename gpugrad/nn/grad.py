"""The gradients of convolutions by their input and by their filters, as functions of their own.

They are linear in both of their tensors and can be differentiated further, at any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.ops.nn.convolution import numbers, transposition, weighing
from gpugrad.ops.nn.geometry import Windows

Numbers = int | Sequence[int]


def _windows(
    ndim: int, shape: Sequence[int], kernel: Sequence[int], grad: Tensor, stride: Numbers,
    padding: Numbers, dilation: Numbers,
) -> Windows:  # fmt: skip
    """Return how a convolution's windows lie, checked against the gradient of its result.

    Raises:
        RuntimeError: The gradient has another shape than the result.
    """
    stride, padding, dilation = (
        numbers(name, given, ndim)
        for name, given in (("stride", stride), ("padding", padding), ("dilation", dilation))
    )
    windows = Windows(
        tuple(shape[2:]), tuple(kernel[2:]), stride, dilation, tuple([(p, p) for p in padding])
    )
    expected = (shape[0], kernel[0], *windows.counts)
    if tuple(grad.shape) != expected:
        raise RuntimeError(
            f"conv{ndim}d: the result of an input of size {list(shape)} and a weight of size "
            f"{list(kernel)} has size {list(expected)}, but grad_output has {list(grad.shape)}"
        )
    return windows


def _by_input(
    ndim: int, input_size: Sequence[int], weight: Tensor, grad: Tensor, *options: Any, groups: int
) -> Tensor:
    windows = _windows(ndim, input_size, weight.shape, grad, *options)
    found: Tensor = transposition(grad, weight.conj(), windows=windows, groups=groups)
    return found


def _by_weight(
    ndim: int, input: Tensor, weight_size: Sequence[int], grad: Tensor, *options: Any, groups: int
) -> Tensor:
    windows = _windows(ndim, input.shape, weight_size, grad, *options)
    found: Tensor = weighing(input.conj(), grad, windows=windows, groups=groups)
    return found


def conv1d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Numbers = 1,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of ``conv1d`` by its input, which is of that size.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the result.
    """
    options = stride, padding, dilation
    return _by_input(1, input_size, weight, grad_output, *options, groups=groups)


def conv1d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Numbers = 1,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of ``conv1d`` by its filters, which are of that size.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the result.
    """
    options = stride, padding, dilation
    return _by_weight(1, input, weight_size, grad_output, *options, groups=groups)


def conv2d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Numbers = 1,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of ``conv2d`` by its input, which is of that size.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the result.
    """
    options = stride, padding, dilation
    return _by_input(2, input_size, weight, grad_output, *options, groups=groups)


def conv2d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Numbers = 1,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of ``conv2d`` by its filters, which are of that size.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the result.
    """
    options = stride, padding, dilation
    return _by_weight(2, input, weight_size, grad_output, *options, groups=groups)


def conv3d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Numbers = 1,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of ``conv3d`` by its input, which is of that size.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the result.
    """
    options = stride, padding, dilation
    return _by_input(3, input_size, weight, grad_output, *options, groups=groups)


def conv3d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Numbers = 1,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of ``conv3d`` by its filters, which are of that size.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the result.
    """
    options = stride, padding, dilation
    return _by_weight(3, input, weight_size, grad_output, *options, groups=groups)

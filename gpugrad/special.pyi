"""What there is of PyTorch's ``torch.special``, made from the table of declarations."""

from collections.abc import Sequence
from typing import Any

import numpy

from gpugrad._dtype import dtype
from gpugrad._tensor import Tensor

def erf(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the error function; on the CPU by SciPy where installed, else slowly by ``math``."""

def exp2(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 2 to the power input."""

def expit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 / (1 + exp(-input)): 0 and 1 far out, without overflow."""

def expm1(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return e to the power input, less 1, accurate near 0."""

def log1p(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return log(1 + input), accurate near 0."""

def log_softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    dtype: dtype | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the logarithm of :func:`softmax`, also where that is 0."""

def logit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    eps: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(input / (1 - input)), of numbers in [0, 1]: nan outside, as is the gradient."""

def logsumexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(exp(input).sum(dim)), without overflow."""

def round(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    decimals: int = 0,
    out: Tensor | None = None,
) -> Tensor:
    """Return the nearest number of so many decimals, of two that are as near the even one."""

def sinc(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return sin(pi input) / (pi input), and 1 at 0, where the gradient is 0."""

def softmax(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int,
    dtype: dtype | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return exp(input) / exp(input).sum(dim), without overflow."""

def xlogy(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return input * log(other), 0 where input is 0, whatever other is, and nan where other is."""

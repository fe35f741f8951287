"""What there is of PyTorch's ``torch.special``, made from the table of declarations."""

from collections.abc import Sequence
from typing import Any

import numpy

from gpugrad._tensor import Tensor

def erf(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return the error function; on the CPU by SciPy where installed, else slowly by ``math``."""

def expit(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return 1 / (1 + exp(-input)): 0 and 1 far out, without overflow."""

def log1p(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]], *, out: Tensor | None = None
) -> Tensor:
    """Return log(1 + input), accurate near 0."""

def logsumexp(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return log(exp(input).sum(dim)), without overflow."""

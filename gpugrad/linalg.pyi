"""What there is of PyTorch's ``torch.linalg``, made from the table of declarations."""

from typing import Any

import numpy

from gpugrad._tensor import Tensor

def det(input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]]) -> Tensor:
    """Return the determinants of square matrices, the last two dimensions."""

def matmul(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    other: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the matrix product: of vectors, matrices, or stacks of matrices that broadcast."""

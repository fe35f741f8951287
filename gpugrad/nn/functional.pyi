"""The functions of networks, ``torch.nn.functional``'s, made from the table of declarations."""

from typing import Any

import numpy

from gpugrad._tensor import Tensor

def linear(
    input: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    weight: Tensor | numpy.ndarray[Any, numpy.dtype[Any]],
    bias: Tensor | None = None,
) -> Tensor:
    """Return ``input @ weight.T + bias``."""

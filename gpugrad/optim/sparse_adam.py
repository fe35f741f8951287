"""Adam for sparse gradients, which there are not."""

from __future__ import annotations

from typing import Any

from gpugrad.optim.optimizer import Optimizer


class SparseAdam(Optimizer):
    """PyTorch's Adam for sparse gradients, of which gpugrad has none: making one raises.

    Raises:
        NotImplementedError: Always.
    """

    def __init__(self, params: Any, *args: Any, **kwargs: Any):
        raise NotImplementedError(
            "SparseAdam is for sparse gradients, and gpugrad's gradients are dense, those of "
            "embeddings, too. Use Adam, which also moves what has no gradient in a step along its "
            "momentum."
        )

"""The gradients of a bucket, as those see them that carry them in a way of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad._tensor import Tensor


class GradBucket:
    """Gradients of some parameters, one behind the other in one memory: see ``buffer``."""

    def __init__(
        self, index: int, last: bool, buffer: Tensor, gradients: Sequence[Tensor],
        parameters: Sequence[Any],
    ):  # fmt: skip
        self._index, self._last, self._buffer = index, last, buffer
        self._gradients, self._parameters = list(gradients), list(parameters)

    def index(self) -> int:
        """Return which bucket it is; 0 has the last layers."""
        return self._index

    def is_last(self) -> bool:
        """Return whether it is the last one of a backward."""
        return self._last

    def buffer(self) -> Tensor:
        """Return all gradients as one tensor of one dimension, in their memory."""
        return self._buffer

    def set_buffer(self, buffer: Tensor) -> None:
        """Put another tensor of the same size in the place of the gradients."""
        self._buffer = buffer

    def gradients(self) -> list[Tensor]:
        """Return the gradients, which are in the memory of ``buffer``."""
        return list(self._gradients)

    def parameters(self) -> list[Any]:
        """Return whose gradients they are."""
        return list(self._parameters)

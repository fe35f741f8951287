"""The layer of channels in another order."""

from __future__ import annotations

from gpugrad._tensor import Tensor
from gpugrad.nn import functional
from gpugrad.nn.modules.module import Module


class ChannelShuffle(Module):
    """The channels in another order: the first of each group, then the second, and so on.

    Args:
        groups: Into how many groups the channels are divided.
    """

    def __init__(self, groups: int):
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """Return the channels in their order."""
        return functional.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Return the number of groups."""
        return f"groups={self.groups}"

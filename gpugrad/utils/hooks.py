"""What registering a hook returns, under ``torch.utils.hooks``'s name."""

from gpugrad.hooks import RemovableHandle as RemovableHandle

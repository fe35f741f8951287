"""The weights of convolutions laid out in another order of memory."""

from __future__ import annotations

from typing import Any

from gpugrad._layout import memory_format as MemoryFormat  # noqa: N812  an argument has its name
from gpugrad.nn.modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d

Module = Any


def convert_conv2d_weight_memory_format(module: Module, memory_format: MemoryFormat) -> Any:
    """Lay out the weights of all 2-d convolutions in a module as ``memory_format`` says."""
    return _converted(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module: Module, memory_format: MemoryFormat) -> Any:
    """Lay out the weights of all 3-d convolutions in a module as ``memory_format`` says."""
    return _converted(module, (Conv3d, ConvTranspose3d), memory_format)


def _converted(module: Module, kinds: tuple[Any, ...], memory_format: MemoryFormat) -> Any:
    for found in module.modules():
        if isinstance(found, kinds):
            found.weight.data = found.weight.detach().clone(memory_format=memory_format)
    return module

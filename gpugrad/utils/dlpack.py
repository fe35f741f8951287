"""Memory of other libraries, by DLPack, under ``torch.utils.dlpack``'s names."""

from __future__ import annotations

import enum

from gpugrad.functions import from_dlpack as from_dlpack
from gpugrad.functions import to_dlpack as to_dlpack

# PyTorch's numbers of the places that memory is in, by DLPack's names of them.
DLDeviceType = enum.IntEnum(
    "DLDeviceType",
    {
        "kDLCPU": 1,
        "kDLCUDA": 2,
        "kDLCUDAHost": 3,
        "kDLOpenCL": 4,
        "kDLVulkan": 7,
        "kDLMetal": 8,
        "kDLVPI": 9,
        "kDLROCM": 10,
        "kDLROCMHost": 11,
        "kDLExtDev": 12,
        "kDLCUDAManaged": 13,
        "kDLOneAPI": 14,
        "kDLWebGPU": 15,
        "kDLHexagon": 16,
        "kDLMAIA": 17,
    },
)

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]

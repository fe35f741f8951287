"""What annotations of PyTorch's programs are made of: ``from torch.types import Number``."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, TypeAlias

from gpugrad._device import device as _device
from gpugrad._dtype import dtype as _dtype  # noqa: F401  PyTorch's name
from gpugrad._layout import layout as _layout  # noqa: F401  PyTorch's name
from gpugrad._size import Size
from gpugrad._tensor import Tensor
from gpugrad.storage import TypedStorage, UntypedStorage

__all__ = [
    "BoolLikeType",
    "Device",
    "FileLike",
    "FloatLikeType",
    "IntLikeType",
    "Number",
    "Size",
    "Storage",
    "Tensor",
]

_int = builtins.int
_float = builtins.float
_bool = builtins.bool
_complex = builtins.complex
_size: TypeAlias = Size | list[int] | tuple[int, ...]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]

Number: TypeAlias = int | float | bool
Device: TypeAlias = _device | str | int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
Storage: TypeAlias = UntypedStorage | TypedStorage
IntLikeType: TypeAlias = int
FloatLikeType: TypeAlias = float
BoolLikeType: TypeAlias = bool

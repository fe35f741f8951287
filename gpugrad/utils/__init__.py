"""``torch.utils``'s names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gpugrad.utils import checkpoint as checkpoint
from gpugrad.utils import dlpack as dlpack
from gpugrad.utils import hooks as hooks

if TYPE_CHECKING:
    from gpugrad.utils import data as data
else:

    def __getattr__(name: str) -> Any:
        """Return ``data``, which needs more of Python's library than all others."""
        if name == "data":
            return import_module("gpugrad.utils.data")
        raise AttributeError(f"module 'gpugrad.utils' has no attribute {name!r}")

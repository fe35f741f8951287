"""Mixed precision on a GPU, under PyTorch's older names of it: see :mod:`gpugrad.amp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpugrad.amp.older import GradScaler as GradScaler
    from gpugrad.amp.older import autocast as autocast
    from gpugrad.amp.older import custom_bwd as custom_bwd
    from gpugrad.amp.older import custom_fwd as custom_fwd

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gpugrad.amp import older

    return getattr(older, name)

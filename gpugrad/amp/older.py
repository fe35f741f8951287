"""Mixed precision on a GPU, under ``torch.cuda.amp``'s names, which PyTorch calls deprecated."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from gpugrad import _dtype, amp
from gpugrad._dtype import dtype


def _deprecate(name: str, instead: str) -> None:
    warnings.warn(
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use `torch.amp.{instead}` "
        "instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(amp.autocast):  # noqa: N801  PyTorch's name
    """:class:`gpugrad.amp.autocast` of "cuda"."""

    def __init__(
        self, enabled: bool = True, dtype: dtype = _dtype.float16, cache_enabled: bool = True
    ):
        _deprecate("autocast", "autocast('cuda', args...)")
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """:class:`gpugrad.amp.GradScaler` of "cuda"."""

    def __init__(self, *args: Any, **kwargs: Any):
        _deprecate("GradScaler", "GradScaler('cuda', args...)")
        super().__init__("cuda", *args, **kwargs)


def custom_fwd(fwd: Any = None, *, cast_inputs: dtype | None = None) -> Any:
    """Return :func:`gpugrad.amp.custom_fwd` of "cuda"."""
    _deprecate("custom_fwd", "custom_fwd(args..., device_type='cuda')")
    return functools.partial(amp.custom_fwd, device_type="cuda", cast_inputs=cast_inputs)(fwd)


def custom_bwd(bwd: Any) -> Any:
    """Return :func:`gpugrad.amp.custom_bwd` of "cuda"."""
    _deprecate("custom_bwd", "custom_bwd(args..., device_type='cuda')")
    return amp.custom_bwd(bwd, device_type="cuda")

"""What computes operations of networks over NumPy's arrays in one go, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad.backend.normalization import normalize, normalize_gradient

FUSED: dict[str, Callable[..., Any]] = {
    "normalize": normalize,
    "normalize_gradient": normalize_gradient,
}

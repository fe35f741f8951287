"""What computes operations of networks by kernels of its own, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad.kernels.attention import attention, attention_gradient
from gpugrad.kernels.classes import cross_entropy, cross_entropy_gradient
from gpugrad.kernels.norms import norm

FUSED: dict[str, Callable[..., Any]] = {
    "attention": attention,
    "attention_dropped": attention,
    "attention_gradient": attention_gradient,
    "cross_entropy": cross_entropy,
    "cross_entropy_gradient": cross_entropy_gradient,
    "norm_of_all": norm,
}

"""PyTorch's switches of the libraries that it computes with: they are kept, and change no result.

Programs set ``backends.cudnn.benchmark`` and its kind at their beginning.  What they choose there,
speed against precision or order, gpugrad does not offer: products of ``float32`` are computed in
``float32``, and the same program gives the same bits unless :func:`use_deterministic_algorithms`
says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

from gpugrad.backend import cudnn_version
from gpugrad.cuda.devices import is_available as _has_gpu


class _Cudnn(SimpleNamespace):
    """The switches of cuDNN; the defaults are PyTorch's."""

    def is_available(self) -> bool:
        """Return whether convolutions on GPUs go through cuDNN."""
        return cudnn_version() is not None

    def version(self) -> int | None:
        """Return cuDNN's version, ``None`` if nothing goes through it."""
        return cudnn_version()

    @contextmanager
    def flags(
        self,
        enabled: bool = False,
        benchmark: bool = False,
        benchmark_limit: int = 10,
        deterministic: bool = False,
        allow_tf32: bool = True,
    ) -> Iterator[None]:
        """Keep other switches in a block."""
        before = dict(vars(self))
        vars(self).update(
            enabled=enabled, benchmark=benchmark, benchmark_limit=benchmark_limit,
            deterministic=deterministic, allow_tf32=allow_tf32,
        )  # fmt: skip
        try:
            yield
        finally:
            vars(self).update(before)


class _There(SimpleNamespace):
    """A library or a kind of device, and whether it is there."""

    def __init__(self, there: Any, **switches: Any):
        super().__init__(**switches)
        self._there = there

    def is_available(self) -> bool:
        """Return whether it is there."""
        return bool(self._there())

    is_built = is_available


def _never() -> bool:
    return False


# ways of computing ``scaled_dot_product_attention``
allowed_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def _enable_sdp(kind: str, enabled: bool) -> None:
    """Allow a way of computing attention; here shapes decide alone."""
    allowed_attention[kind] = bool(enabled)


def _sdp_enabled(kind: str) -> bool:
    """Return what was last told of a way of computing attention."""
    return allowed_attention[kind]


cudnn = _Cudnn(
    enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True
)
cuda = _There(
    _has_gpu,
    matmul=SimpleNamespace(
        allow_tf32=False,
        allow_fp16_reduced_precision_reduction=True,
        allow_bf16_reduced_precision_reduction=True,
    ),
    **{f"enable_{kind}_sdp": partial(_enable_sdp, kind) for kind in allowed_attention},
    **{f"{kind}_sdp_enabled": partial(_sdp_enabled, kind) for kind in allowed_attention},
)
mps = _There(_never)
mkl = _There(_never)
mkldnn = _There(_never, enabled=True, deterministic=False)
openmp = _There(_never)

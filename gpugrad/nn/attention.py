"""Which ways of computing attention a program allows, under ``torch.nn.attention``'s names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum

from gpugrad.backends import allowed_attention


class SDPBackend(Enum):
    """The ways in which PyTorch computes attention; here shapes alone decide how it is done."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __repr__(self) -> str:
        return f"<SDPBackend.{self.name}: {self.value}>"


_KINDS = {
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "mem_efficient",
    SDPBackend.MATH: "math",
    SDPBackend.CUDNN_ATTENTION: "cudnn",
}


@contextmanager
def sdpa_kernel(
    backends: Sequence[SDPBackend] | SDPBackend, set_priority: bool = False
) -> Iterator[None]:
    """Allow some ways of computing attention in a block; which one is taken does not change.

    Raises:
        AssertionError: It is neither one of them nor a list.
    """
    if not isinstance(backends, list | SDPBackend):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    before = dict(allowed_attention)
    allowed_attention.update({kind: way in chosen for way, kind in _KINDS.items()})
    try:
        yield
    finally:
        allowed_attention.update(before)

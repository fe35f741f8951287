"""How many kernels this process has launched, as counted by those who launch them."""

from __future__ import annotations

total = 0


def add(count: int) -> None:
    """Count some launches."""
    global total
    total += count

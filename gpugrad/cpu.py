"""The CPU under the names by which programs ask any kind of device: ``getattr(torch, kind)``.

It is always there, and what it was asked to do is done when a call returns: there is nothing to
wait for, and a stream of it orders nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = [
    "Stream",
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]


def is_available() -> bool:
    """Return ``True``."""
    return True


def is_initialized() -> bool:
    """Return ``True``."""
    return True


def device_count() -> int:
    """Return 1, however many cores there are."""
    return 1


def current_device() -> str:
    """Return ``"cpu"``."""
    return "cpu"


def set_device(device: Any) -> None:
    """Choose the one that there is."""


def synchronize(device: Any = None) -> None:
    """Return at once, since all work is done."""


class Stream:
    """Work in the order of the calls, which is what there is without streams."""

    def __init__(self, priority: int = -1):
        """Make one; the priority decides nothing."""

    def wait_stream(self, stream: Any) -> None:
        """Wait for the work of a stream, which is done."""

    def wait_event(self, event: Any = None) -> None:
        """Wait for an event, which has happened."""

    def record_event(self, event: Any = None) -> None:
        """Return nothing, as in PyTorch: all work is done."""


_current = Stream()


def current_stream(device: Any = None) -> Stream:
    """Return the stream that all work is in."""
    return _current


def stream(stream: Any) -> AbstractContextManager[Any]:
    """Return a block whose work is in a stream, which changes nothing."""
    return nullcontext()

"""The GPU, if there is one, under the names by which PyTorch's newer programs ask for any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _device, cuda
from gpugrad.cuda.devices import device as device_index
from gpugrad.cuda.devices import device_count as device_count
from gpugrad.cuda.devices import is_available as is_available

if TYPE_CHECKING:
    from gpugrad.cuda.streams import Stream

__all__ = [
    "current_accelerator",
    "current_device_index",
    "current_stream",
    "device_count",
    "device_index",
    "empty_cache",
    "get_memory_info",
    "is_available",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_peak_memory_stats",
    "set_device_index",
    "set_stream",
    "synchronize",
]


def current_accelerator(check_available: bool = False) -> _device.device | None:
    """Return ``device("cuda")`` if there is a GPU, else ``None``."""
    return _device.device("cuda") if is_available() else None


def _needed() -> None:
    """Raise where there is no GPU.

    Raises:
        RuntimeError: There is none.
    """
    if not is_available():
        raise RuntimeError("Cannot access accelerator device when none is available.")


def current_device_index() -> int:
    """Return the number of the current GPU."""
    _needed()
    return cuda.current_device()


def set_device_index(device: Any) -> None:
    """Make a GPU the current one."""
    _needed()
    cuda.set_device(device)


def current_stream(device: Any = None) -> Stream:
    """Return the stream that work for a GPU goes into."""
    _needed()
    return cuda.current_stream(device)


def set_stream(stream: Stream) -> None:
    """Have all work go into a stream."""
    _needed()
    cuda.set_stream(stream)


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has finished all that it was asked to do."""
    _needed()
    cuda.synchronize(device)


def empty_cache() -> None:
    """Give the memory that CuPy's pool holds and nobody uses back to the GPU."""
    _needed()
    cuda.empty_cache()


def get_memory_info(device_index: Any = None) -> tuple[int, int]:
    """Return how many bytes of a GPU's memory are free, and how many there are."""
    _needed()
    return cuda.mem_get_info(device_index)


def memory_allocated(device_index: Any = None) -> int:
    """Return what :func:`gpugrad.cuda.memory_allocated` does."""
    _needed()
    return cuda.memory_allocated(device_index)


def memory_reserved(device_index: Any = None) -> int:
    """Return what :func:`gpugrad.cuda.memory_reserved` does."""
    _needed()
    return cuda.memory_reserved(device_index)


def max_memory_allocated(device_index: Any = None) -> int:
    """Return what :func:`gpugrad.cuda.max_memory_allocated` does."""
    _needed()
    return cuda.max_memory_allocated(device_index)


def max_memory_reserved(device_index: Any = None) -> int:
    """Return what :func:`gpugrad.cuda.max_memory_reserved` does."""
    _needed()
    return cuda.max_memory_reserved(device_index)


def memory_stats(device_index: Any = None) -> dict[str, int]:
    """Return what :func:`gpugrad.cuda.memory_stats` does."""
    _needed()
    return cuda.memory_stats(device_index)


def reset_peak_memory_stats(device_index: Any = None) -> None:
    """Count the maxima from what is allocated now."""
    _needed()
    cuda.reset_peak_memory_stats(device_index)

"""What is known of a CUDA graph while it is captured: what its replays need, and what they draw.

One graph is captured at a time in a process.  What is computed meanwhile in a stream that belongs
to the capture is written down by CUDA, and computed by each replay on the memory that it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cupy
import numpy as np

if TYPE_CHECKING:
    from gpugrad.kernels.philox import Source

Array = Any

REFUSED = "CUDA error: operation not permitted when stream is capturing"


class Capture:
    """A graph that is being captured."""

    def __init__(self, allocator: Any):
        """Begin one whose arrays get memory from ``allocator``."""
        self.allocator = allocator
        self.kept: list[Any] = []  # what replays read, and nobody else need keep
        self.workspaces: dict[int, tuple[Any, int]] = {}  # cuBLAS's, by stream: memory and bytes
        self._begun: dict[Source, tuple[Array, int]] = {}
        self._sides: dict[int, Any] = {}  # a stream for each GPU, none of which is captured

    def constant(self, values: np.ndarray[Any, Any]) -> Array:
        """Return numbers on the device, copied now and not by the replays.

        Their memory was never that of a captured array, which replays would write to.
        """
        values, number = np.ascontiguousarray(values), cupy.cuda.Device().id
        if number not in self._sides:
            self._sides[number] = cupy.cuda.Stream(non_blocking=True)
        side = self._sides[number]
        with side, cupy.cuda.using_allocator(cupy.get_default_memory_pool().malloc):
            array = cupy.ndarray(values.shape, values.dtype)
            if values.nbytes:
                array.data.copy_from_host_async(values.ctypes.data, values.nbytes)
            side.synchronize()
        self.kept.append(array)
        return array

    def place(self, source: Source) -> tuple[Array, int]:
        """Return where replays find the seed and the count of a stream of random numbers.

        The second is how far the stream has come since the capture began.
        """
        if source not in self._begun:
            self._begun[source] = self.constant(np.zeros(2, np.uint64)), source.offset
        start, offset = self._begun[source]
        return start, (source.offset - offset) % 2**64

    def end(self) -> list[tuple[Source, Array, int]]:
        """Return the streams that replays draw from, where they look for them, and how much.

        The streams stand again where they did: nothing has been drawn yet.
        """
        drawn = []
        for source in self._begun:
            drawn.append((source, *self.place(source)))
            source.offset = self._begun[source][1]
        return drawn


_underway: Capture | None = None


def set_underway(found: Capture | None) -> None:
    """Say which graph is captured from now on."""
    global _underway
    _underway = found


def underway() -> bool:
    """Tell whether some thread captures a graph."""
    return _underway is not None


def current() -> Capture | None:
    """Return the graph that is captured in the current stream, if one is."""
    if _underway is None or not cupy.cuda.get_current_stream().is_capturing():
        return None
    return _underway


def constant(values: np.ndarray[Any, Any]) -> Array:
    """Return numbers of the program's own on the device; replays of a graph find them as well."""
    found = current()
    return cupy.asarray(values) if found is None else found.constant(values)


def kept(value: Any) -> Any:
    """Return something that the replays of a graph need, too: it lives as long as that."""
    found = current()
    if found is not None:
        found.kept.append(value)
    return value


def refuse(what: str) -> None:
    """Raise where the host would have to wait for what is only written down.

    Raises:
        RuntimeError: A graph is captured in the current stream.
    """
    if current() is not None:
        raise RuntimeError(
            f"{REFUSED}: {what} waits for the device, and a graph that is captured does not run "
            "yet. Do this before the capture or after a replay, or keep the numbers on the device."
        )


def copied_by_replays(array: np.ndarray[Any, Any], pinned: bool) -> Array:
    """Return a copy of a NumPy array on the device, which each replay makes again.

    Raises:
        RuntimeError: The device cannot copy it by itself.
    """
    if not pinned or not array.flags.c_contiguous:
        raise RuntimeError(
            "Cannot copy between CPU and CUDA tensors during CUDA graph capture unless the CPU "
            "tensor is pinned. Please use tensor.pin_memory() or allocate the tensor with "
            "pin_memory=True."
        )
    runtime, stream = cupy.cuda.runtime, cupy.cuda.get_current_stream()
    found = cupy.ndarray(array.shape, array.dtype)
    runtime.memcpyAsync(
        found.data.ptr, array.ctypes.data, array.nbytes, runtime.memcpyHostToDevice, stream.ptr
    )
    kept(array)
    return found

"""CUDA graphs: work that a stream captures, in memory of its own, and that is launched as a whole.

What is known of a graph while it is captured is in :mod:`gpugrad.kernels.capture`.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import cupy

from gpugrad.backend.cuda import cublas
from gpugrad.backend.nvidia import exchange_capture_mode
from gpugrad.kernels import capture, launches

RELAXED = int(cupy.cuda.runtime.streamCaptureModeRelaxed)
LEGACY_STREAMS = (0, 1, 2)  # that every thread has, and no graph is captured in

pools: weakref.WeakSet[Pool] = weakref.WeakSet()


_thread = threading.local()


class Pool:
    """Memory for the arrays of graphs, which nothing else is given.

    What an array of a capture leaves is given to the next one, but never back to the GPU while a
    graph may write to it: it goes when the last graph, or array, that has memory of the pool goes.
    """

    def __init__(self) -> None:
        taken: list[Any] = []

        def allocate(size: int) -> Any:
            taken.append(cupy.cuda.Memory(size))
            return cupy.cuda.MemoryPointer(taken[-1], 0)

        self.memory = cupy.cuda.MemoryPool(allocate)
        pools.add(self)


class Graph:
    """Work that is captured in the current stream from here on, until :meth:`end`.

    Memory comes from a pool of graphs meanwhile, and this thread may ask for more of it.
    """

    def __init__(self, pool: Pool, mode: int):
        """Begin; ``mode`` says whose calls, such as for memory, CUDA refuses meanwhile.

        Raises:
            RuntimeError: Another graph is captured.
        """
        if capture.underway():
            raise RuntimeError(
                "Another CUDA graph is captured: only one capture may be underway at a time. Begin "
                "this one when that has ended."
            )
        cublas.handle(cupy.cuda.Device().id)  # which takes memory when it is made
        self.pool = pool
        self.stream = cupy.cuda.get_current_stream()
        self.graph = self.executable = 0
        self._device = cupy.cuda.Device()
        self._kept: Any = None
        self._drawn: list[Any] = []
        self._capture = capture.Capture(pool.memory.malloc)
        self._allocator = cupy.cuda.using_allocator(pool.memory.malloc)
        self._launches = launches.total
        self._mode = exchange_capture_mode(RELAXED)
        try:
            cupy.cuda.runtime.streamBeginCapture(self.stream.ptr, mode)
        except BaseException:
            exchange_capture_mode(self._mode)
            raise
        self._allocator.__enter__()
        capture.set_underway(self._capture)

    def end(self) -> None:
        """End the capture; the graph can be made executable.

        Raises:
            RuntimeError: Something was asked for that CUDA does not capture.
        """
        capture.set_underway(None)
        self._allocator.__exit__(None, None, None)
        exchange_capture_mode(self._mode)
        self._drawn = self._capture.end()
        self._kept = self._capture.kept, self._capture.workspaces
        self._launches = launches.total - self._launches
        launches.add(-self._launches)  # they are when the graph is launched
        self.graph = cupy.cuda.runtime.streamEndCapture(self.stream.ptr)

    def instantiate(self) -> None:
        """Make what can be launched of the graph."""
        if self.executable:
            cupy.cuda.runtime.graphExecDestroy(self.executable)
        self.executable = cupy.cuda.runtime.graphInstantiate(self.graph)

    def forget(self) -> None:
        """Keep only what can be launched."""
        graph, self.graph = self.graph, 0
        if graph:
            cupy.cuda.runtime.graphDestroy(graph)

    def draw(self, path: str) -> None:
        """Write a picture of the graph to a file."""
        runtime = cupy.cuda.runtime
        runtime.graphDebugDotPrint(self.graph, path, runtime.cudaGraphDebugDotFlagsVerbose)

    def launch(self) -> None:
        """Have all of it done once, in the current stream of its GPU."""
        with self._device:
            for source, there, count in self._drawn:
                source.announce(there)
                source.offset = (source.offset + count) % 2**64
            cupy.cuda.runtime.graphLaunch(self.executable, cupy.cuda.get_current_stream().ptr)
            capture.kept(self)
        launches.add(self._launches + len(self._drawn))

    def destroy(self) -> None:
        """Give back all that the graph has."""
        self.forget()
        executable, self.executable = self.executable, 0
        if executable:
            cupy.cuda.runtime.graphExecDestroy(executable)
        self._kept = None
        self._drawn = []


def join(graph: capture.Capture) -> None:
    """Have another thread compute for the graph that is captured in its current stream."""
    _thread.allocator = cupy.cuda.using_allocator(graph.allocator)  # which lives as long as that
    _thread.allocator.__enter__()
    exchange_capture_mode(RELAXED)

"""CUDA graphs under ``torch.cuda``'s names: GPU work that is captured once and replayed as a whole.

While a graph is captured nothing runs: kernels, copies and products of matrices are written down
with the memory that they read and write.  A replay does all of it on that memory, without Python.
What a graph shall compute with is therefore written into tensors that it was captured with
(``static.copy_(new)``), and what it computed is read from those that the capture made.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from gpugrad import backend
from gpugrad.cuda import devices, memory, streams

if TYPE_CHECKING:
    from gpugrad.backend.cuda.graphs import Graph, Pool

_MODES = {"global": 0, "thread_local": 1, "relaxed": 2}  # cudaStreamCaptureMode
# what CUDA and CuPy say; our own errors tell the way out themselves
_NOT_OURS = re.compile("^cudaErrorStreamCapture|is capturing, so|during stream capture")
_WAY_OUT = (
    "While a CUDA graph is captured nothing may wait for the device: do this before the capture or "
    "after a replay. What is new to a process, such as a kernel that is compiled, belongs into a "
    "run before the capture."
)


def is_current_stream_capturing() -> bool:
    """Return whether the current stream is captured as a graph; False without a GPU."""
    if not devices.is_available():
        return False
    return bool(backend.cuda_backend().xp.cuda.get_current_stream().is_capturing())


def graph_pool_handle() -> Pool:
    """Return memory for graphs, to be given as ``pool`` to those that shall share it.

    Graphs that share memory must be replayed in the order in which they were captured, and not at
    once: what one has left behind the next one may overwrite.
    """
    backend.cuda_backend()
    from gpugrad.backend.cuda import graphs

    return graphs.Pool()


class CUDAGraph:
    """GPU work that can be replayed, from when ``is_captured`` is true.

    :class:`graph` captures it.  Random numbers go on at each replay where the generators stand
    then, as they would without a graph; the generators need not be registered.
    """

    def __init__(self, keep_graph: bool = False):
        """Make one that holds nothing yet.

        With ``keep_graph`` what CUDA captured can be asked for (:meth:`raw_cuda_graph`), and is
        made executable by :meth:`instantiate` or by the first replay.
        """
        self._keep_graph = keep_graph
        self._debug = False
        self._graph: Graph | None = None
        self.is_captured = False

    def capture_begin(self, pool: Pool | None = None, capture_error_mode: str = "global") -> None:
        """Begin to capture what goes into the current stream; :class:`graph` calls this.

        Args:
            pool: Memory that the graph shares with others (:func:`graph_pool_handle`,
                :meth:`pool`); its own by default.
            capture_error_mode: In which threads CUDA refuses calls that may disturb a capture, such
                as for memory: "global" in all but this one, "thread_local" and "relaxed" in none.

        Raises:
            RuntimeError: There is a captured graph already, here or under way; the current stream
                is a GPU's default one; or the mode is none.
            TypeError: The pool is none.
        """
        backend.cuda_backend()
        from gpugrad.backend.cuda import graphs

        if self._graph is not None:
            raise RuntimeError(
                "This CUDAGraph instance already owns a captured graph. To capture a new graph, "
                "create a new instance."
            )
        if capture_error_mode not in _MODES:
            raise RuntimeError(
                "Unknown capture error mode. Expected `global`, `thread_local`, or `relaxed`, got "
                f"{capture_error_mode}"
            )
        if streams.current_stream().cuda_stream in graphs.LEGACY_STREAMS:
            raise RuntimeError(
                "CUDA graphs must be captured on a non-default stream. (However, after capture, "
                "it's ok to replay them on the default stream.)"
            )
        if pool is not None and not isinstance(pool, graphs.Pool):
            raise TypeError(
                "capture_begin(): argument 'pool' must be what graph_pool_handle() or "
                f"CUDAGraph.pool() returns, not {type(pool).__name__}"
            )
        self._graph = graphs.Graph(pool or graphs.Pool(), _MODES[capture_error_mode])

    def capture_end(self) -> None:
        """End the capture; from here on it can be replayed.

        Raises:
            RuntimeError: None was begun, or another stream is current now; or the capture failed.
        """
        found = self._graph
        if found is None or self.is_captured:
            raise RuntimeError("capture_end() was called without a capture that has begun")
        if streams.current_stream().cuda_stream != found.stream.ptr:
            raise RuntimeError("Capture must end on the same stream it began on.")
        try:
            found.end()
            if not self._keep_graph:
                found.instantiate()
            if not (self._keep_graph or self._debug):
                found.forget()
        except BaseException:
            self.reset()
            raise
        self.is_captured = True

    def instantiate(self) -> None:
        """Make the graph executable, anew where it was changed; for ``keep_graph=True`` only.

        Raises:
            RuntimeError: The graph is not kept, or not captured.
        """
        if not self._keep_graph:
            raise RuntimeError(
                "instantiate() is intended to be called by the user only when keep_graph=true"
            )
        words = "capture_end() must have been called before calling instantiate"
        self._captured(words).instantiate()

    def replay(self) -> None:
        """Do once more, in the current stream, what was captured.

        Raises:
            RuntimeError: Nothing was.
        """
        found = self._captured("Called CUDAGraph::replay without a preceding successful capture.")
        if not found.executable:
            found.instantiate()
        found.launch()

    def reset(self) -> None:
        """Forget the graph; another one may be captured."""
        found, self._graph, self.is_captured = self._graph, None, False
        if found is not None:
            found.destroy()

    def __del__(self, is_ending: Any = sys.is_finalizing) -> None:
        if not is_ending() and getattr(self, "is_captured", False):
            self.reset()

    def pool(self) -> Pool:
        """Return the memory that the graph takes, for other graphs to share.

        Raises:
            RuntimeError: Nothing was captured.
        """
        return self._captured(
            "Called CUDAGraph::pool() without a preceding successful capture."
        ).pool

    def register_generator_state(self, generator: Any) -> None:
        """Do nothing: each generator that numbers are drawn from goes on at each replay."""

    def enable_debug_mode(self) -> None:
        """Have what is captured kept for :meth:`debug_dump`."""
        self._debug = True

    def debug_dump(self, debug_path: str) -> None:
        """Write a picture of the graph to a file, in Graphviz's language.

        Raises:
            RuntimeError: The graph was not captured in debug mode, and is not kept.
        """
        found = self._captured("Called CUDAGraph::debug_dump without a successful capture.")
        if not found.graph:
            raise RuntimeError(
                "CUDA Graphs debug not enabled, set with CUDAGraph.enable_debug_mode() before the "
                "capture."
            )
        found.draw(debug_path)

    def raw_cuda_graph(self) -> int:
        """Return the ``cudaGraph_t``, as a number.

        Raises:
            RuntimeError: It is not kept, or not captured.
        """
        if not self._keep_graph:
            raise RuntimeError(
                "You cannot access the raw cudaGraph_t instance unless CUDAGraph was initialized "
                "with keep_graph=true"
            )
        return self._captured(
            "You cannot access the raw cudaGraph_t instance until capture_end() has been called"
        ).graph

    def raw_cuda_graph_exec(self) -> int:
        """Return the ``cudaGraphExec_t``, as a number.

        Raises:
            RuntimeError: There is none yet.
        """
        words = (
            "You cannot access the raw cudaGraphExec_t instance until instantiate() has been called"
        )
        found = self._captured(words).executable
        if not found:
            raise RuntimeError(words)
        return found

    def _captured(self, otherwise: str) -> Graph:
        if self._graph is None or not self.is_captured:
            raise RuntimeError(otherwise)
        return self._graph


class graph:  # noqa: N801  PyTorch's name
    """A context whose work on the GPU is captured, in a stream of its own.

    A block that raises leaves the graph empty.  What CUDA and CuPy refuse is raised in PyTorch's
    words, with what can be done.
    """

    default_capture_stream: streams.Stream | None = None

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: Pool | None = None,
        stream: Any = None,
        capture_error_mode: str = "global",
    ):
        """Choose the graph, memory that it shares, the stream, and what CUDA refuses meanwhile.

        Graphs that share memory should be captured in one stream: memory belongs to a stream, too.
        See :meth:`CUDAGraph.capture_begin` for the mode.
        """
        kind = self.__class__
        if stream is None:
            made = kind.default_capture_stream
            if made is None or made.device.index != devices.current_device():
                kind.default_capture_stream = streams.Stream()
            stream = kind.default_capture_stream
        self.cuda_graph = cuda_graph
        self.pool = pool
        self.capture_stream = stream
        self.capture_error_mode = capture_error_mode
        self.stream_ctx = streams.stream(stream)

    def __enter__(self) -> None:
        devices.synchronize()
        memory.empty_cache()
        self.stream_ctx.__enter__()
        try:
            self.cuda_graph.capture_begin(self.pool, self.capture_error_mode)
        except BaseException:
            self.stream_ctx.__exit__(None, None, None)
            raise

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        try:
            self.cuda_graph.capture_end()
        except RuntimeError:
            if error is None:
                raise
        finally:
            self.stream_ctx.__exit__(kind, error, traceback)
        if error is not None:
            self.cuda_graph.reset()
            if isinstance(error, RuntimeError) and _NOT_OURS.search(str(error)):
                raise RuntimeError(
                    "CUDA error: operation not permitted when stream is capturing: "
                    f"{error}. {_WAY_OUT}"
                ) from error

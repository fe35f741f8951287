"""Streams and events of GPUs: CuPy's, under ``torch.cuda``'s names.

What gpugrad computes goes into CuPy's current stream, that of a backward into the stream that is
current when it is called.
"""

from __future__ import annotations

from typing import Any

from gpugrad import backend
from gpugrad._device import device
from gpugrad.cuda import devices


def _cuda() -> Any:
    return backend.cuda_backend().xp.cuda


class Stream:
    """A queue of work for a GPU; within ``with stream:`` all work goes into it.

    CuPy's own stream is ``stream.cupy``; where a stream is asked for, that will do as well, and so
    will one of a library that tells its number by ``__cuda_stream__``.
    """

    def __init__(self, device: Any = None, priority: int = 0):
        """Make a stream on a GPU, the current one by default; lower priorities go first."""
        with devices.device(device):
            self.cupy = _cuda().Stream(non_blocking=True, priority=priority)
            self._index = devices.current_device()

    @property
    def device(self) -> device:
        """The GPU that it belongs to."""
        return device("cuda", self._index)

    @property
    def cuda_stream(self) -> int:
        """The number by which CUDA knows it."""
        return int(self.cupy.ptr)

    @property
    def priority(self) -> int:
        """Its priority; lower ones go first."""
        return int(getattr(self.cupy, "priority", 0))

    def wait_event(self, event: Any) -> None:
        """Have all later work wait for an event."""
        self.cupy.wait_event(getattr(event, "cupy", event))

    def wait_stream(self, stream: Any) -> None:
        """Have all later work wait for what was queued in another stream."""
        self.wait_event(_cupys(stream).record())

    def record_event(self, event: Event | None = None) -> Event:
        """Return an event that happens once all work queued so far is done."""
        found = Event() if event is None else event
        found.record(self)
        return found

    def query(self) -> bool:
        """Return whether all of its work is done."""
        return bool(self.cupy.done)

    def synchronize(self) -> None:
        """Wait until all of its work is done."""
        self.cupy.synchronize()

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.cuda_stream

    def __enter__(self) -> Stream:
        self.cupy.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self.cupy.__exit__(*raised)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (other._index, other.cuda_stream) == (
            self._index, self.cuda_stream,
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self._index, self.cuda_stream))

    def __repr__(self) -> str:
        return f"<gpugrad.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that another library made, by its number; that must keep it alive."""

    def __init__(self, stream_ptr: int, device: Any = None):
        """Take a stream of a GPU, the current one by default."""
        self._index = devices.index_of(device)
        self.cupy = _cuda().Stream.from_external(_Numbered(stream_ptr))


class _Numbered:
    """A stream of which nothing is known but its number."""

    def __init__(self, number: int):
        self.number = number

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.number


def _cupys(stream: Any) -> Any:
    """Return CuPy's stream of one of ours, of CuPy's, or of another library that says its number.

    Raises:
        TypeError: It is none of these.
    """
    found = getattr(stream, "cupy", stream)
    return found if hasattr(found, "wait_event") and hasattr(found, "use") else (
        _cuda().Stream.from_external(found)
    )  # fmt: skip


def _wrapped(stream: Any, index: int) -> Stream:
    found = Stream.__new__(Stream)
    found.cupy, found._index = stream, index
    return found


class Event:
    """A mark in a stream: to be waited for, and to measure the time from one to another."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ):
        """Make an event that measures time if asked, and for which a thread may sleep."""
        self.cupy = _cuda().Event(
            block=blocking, disable_timing=not enable_timing, interprocess=interprocess
        )

    def record(self, stream: Any = None) -> None:
        """Have it happen when the work queued so far is done, by default of the current stream."""
        self.cupy.record(None if stream is None else _cupys(stream))

    def wait(self, stream: Any = None) -> None:
        """Have all later work of a stream wait for it, by default of the current one."""
        (_cuda().get_current_stream() if stream is None else _cupys(stream)).wait_event(self.cupy)

    def query(self) -> bool:
        """Return whether it has happened."""
        return bool(self.cupy.done)

    def synchronize(self) -> None:
        """Wait until it has happened."""
        self.cupy.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Return the milliseconds from this event to another one; both measure time."""
        return float(_cuda().get_elapsed_time(self.cupy, end_event.cupy))


def current_stream(device: Any = None) -> Stream:
    """Return the stream into which work for a GPU goes: CuPy's current one."""
    index = devices.index_of(device)
    return _wrapped(_cuda().get_current_stream(index), index)


def default_stream(device: Any = None) -> Stream:
    """Return the stream of a GPU into which work goes unless another one is chosen."""
    return _wrapped(_cuda().Stream.null, devices.index_of(device))


def set_stream(stream: Any) -> None:
    """Make a stream the current one of its GPU; ``None`` changes nothing."""
    if stream is not None:
        with devices.device(stream.device if isinstance(stream, Stream) else None):
            _cupys(stream).use()


def get_stream_from_external(data_ptr: int, device: Any = None) -> Stream:
    """Return a stream that another library made, by its number."""
    return ExternalStream(data_ptr, device)


class stream:  # noqa: N801  PyTorch's name
    """A context in which work goes into a stream, also one of another GPU; or into the same."""

    def __init__(self, stream: Any):
        """Choose a stream of ours or of CuPy's, or ``None``."""
        self.stream = stream
        self._before: list[tuple[int, Any]] = []

    def __enter__(self) -> None:
        if self.stream is None:
            return
        where = self.stream.device if isinstance(self.stream, Stream) else None
        self._before.append((devices.current_device(), where))
        if where is not None:
            devices.set_device(where)
        _cupys(self.stream).__enter__()

    def __exit__(self, *raised: object) -> None:
        if self.stream is None:
            return
        _cupys(self.stream).__exit__(*raised)
        before, _ = self._before.pop()
        devices.set_device(before)


StreamContext = stream

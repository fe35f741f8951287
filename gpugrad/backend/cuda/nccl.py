"""NCCL, by CuPy: what carries arrays between GPUs, each of a process of its own.

Transfers run in a stream of their own, after what the current stream has to do when they are
started; who waits for one has the current stream wait, not the host.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cupy
import numpy as np

from gpugrad import _dtype

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # CuPy's, of a library that is not there: its users are told
    from cupy.cuda import nccl

Array = Any
Identity = Sequence[int]

_TYPES = {
    "int8": "INT8", "uint8": "UINT8", "int32": "INT32", "uint32": "UINT32", "int64": "INT64",
    "uint64": "UINT64", "float32": "FLOAT32", "float64": "FLOAT64",
}  # fmt: skip
_OPS = {"sum": "SUM", "avg": "SUM", "product": "PROD", "min": "MIN", "max": "MAX"}


def is_available() -> bool:
    """Return whether CuPy finds the library."""
    return bool(nccl.available)


def unique_id() -> Identity:
    """Return what one process makes, and all begin with together."""
    return tuple(nccl.get_unique_id())


class Request:
    """A transfer that was started, and what is done in the stream after it."""

    sender = -1

    def __init__(self, done: Any, finish: Callable[[], None] | None, kept: Any):
        self.done = done
        self.finish = finish
        self.kept = kept  # memory that is read and written

    def test(self) -> bool:
        """Return whether it has ended."""
        if not self.done.done:
            return False
        self.wait(0)
        return True

    def wait(self, seconds: float) -> None:
        """Have the current stream wait for it."""
        cupy.cuda.get_current_stream().wait_event(self.done)
        if self.finish is not None:
            finish, self.finish = self.finish, None
            finish()


class Engine:
    """Carries arrays of CuPy's between the GPUs of a group."""

    name = "nccl"
    on_host = False

    def __init__(self, size: int, identity: Identity, rank: int):
        self.size = size
        self.rank = rank
        self.comm = nccl.NcclCommunicator(size, tuple(identity), rank)
        self.stream = cupy.cuda.Stream(non_blocking=True)

    def part(self, ranks: list[int]) -> Engine | None:
        """Return what carries between some of these GPUs, ``None`` to the others."""
        identity = cupy.zeros(128, np.int64)
        if self.rank == ranks[0]:
            identity[...] = cupy.asarray(unique_id())
        self.broadcast(identity, ranks[0]).wait(0)
        found = identity.tolist()
        return Engine(len(ranks), found, ranks.index(self.rank)) if self.rank in ranks else None

    # ----------------------------------------------------------------------- how it is started

    def _started(
        self,
        start: Callable[[int], None],
        kept: Any,
        finish: Callable[[], None] | None = None,
    ) -> Request:
        self.stream.wait_event(cupy.cuda.get_current_stream().record())
        start(self.stream.ptr)
        return Request(self.stream.record(), finish, kept)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have what is sent and received in a block begin at once, in whatever order."""
        nccl.groupStart()
        try:
            yield
        finally:
            nccl.groupEnd()

    def _reduced(self, array: Array, op: Any) -> tuple[Array, int, int, int, Any]:
        """Return what NCCL reduces: an array, its count, type and operation, and the way back.

        Sums of 16-bit floats are of float32, and rounded once; a bool is 0 or 1, and sums of
        complex numbers are those of their parts.

        Raises:
            ValueError: NCCL has no such operation.
        """
        kind, name, size = array.dtype, op.value, self.size
        if name not in _OPS or (kind.kind == "c" and name == "product"):
            raise ValueError(f"NCCL has no operation {name!r} for {kind}")
        code = _OPS[name]
        work = array
        if kind.kind == "b":
            work, code = array.view(np.uint8), {"SUM": "MAX", "PROD": "MIN"}.get(code, code)
        elif kind.kind == "c":
            work = array.view(np.float32 if kind.itemsize == 8 else np.float64)
        elif kind.name in ("int16", "uint16"):
            work = array.astype(np.int32)
        else:
            work = array.astype(_dtype.accumulation(kind), copy=False)

        def back(found: Array) -> Array:
            found = found.view(kind) if kind.kind in "bc" else found
            found = found / size if name == "avg" else found
            return found.astype(kind, copy=False)

        type_code = getattr(nccl, f"NCCL_{_TYPES[work.dtype.name]}")
        return work, work.size, type_code, getattr(nccl, f"NCCL_{code}"), back

    def all_reduce(self, array: Array, op: Any) -> Request:
        """Put arrays together, in place, for all."""
        work, count, kind, how, back = self._reduced(array, op)
        pointer = work.data.ptr
        return self._started(
            lambda stream: self.comm.allReduce(pointer, pointer, count, kind, how, stream),
            (array, work),
            lambda: _write(array, back(work)),
        )

    def reduce(self, array: Array, op: Any, root: int) -> Request:
        """Put arrays together, in place, for one."""
        work, count, kind, how, back = self._reduced(array, op)
        out = work if self.rank == root else cupy.empty_like(work)
        return self._started(
            lambda stream: self.comm.reduce(
                work.data.ptr, out.data.ptr, count, kind, how, root, stream
            ),
            (array, work, out),
            (lambda: _write(array, back(out))) if self.rank == root else None,
        )

    def reduce_scatter(self, out: Array, array: Array, op: Any) -> Request:
        """Put arrays together, of which each receives one part."""
        work, count, kind, how, back = self._reduced(array, op)
        part = cupy.empty(count // self.size, work.dtype)
        return self._started(
            lambda stream: self.comm.reduceScatter(
                work.data.ptr, part.data.ptr, part.size, kind, how, stream
            ),
            (out, work, part),
            lambda: _write(out, back(part)),
        )

    # ----------------------------------------------------------------------- copies, as bytes

    def broadcast(self, array: Array, root: int) -> Request:
        """Give all the array that one has."""
        pointer = array.data.ptr
        return self._started(
            lambda stream: self.comm.broadcast(
                pointer, pointer, array.nbytes, nccl.NCCL_UINT8, root, stream
            ),
            array,
        )

    def all_gather(self, out: Array, array: Array) -> Request:
        """Give all the arrays of all, one behind the other."""
        return self._started(
            lambda stream: self.comm.allGather(
                array.data.ptr, out.data.ptr, array.nbytes, nccl.NCCL_UINT8, stream
            ),
            (out, array),
        )

    def _send(self, array: Array, peer: int, stream: int) -> None:
        self.comm.send(array.data.ptr, array.nbytes, nccl.NCCL_UINT8, peer, stream)

    def _receive(self, array: Array, peer: int, stream: int) -> None:
        self.comm.recv(array.data.ptr, array.nbytes, nccl.NCCL_UINT8, peer, stream)

    def gather(self, out: Array | None, array: Array, root: int) -> Request:
        """Give one the arrays of all, one behind the other."""

        def start(stream: int) -> None:
            with self.together():
                if out is not None:
                    for peer, part in enumerate(out.reshape(self.size, -1)):
                        self._receive(part, peer, stream)
                self._send(array, root, stream)

        return self._started(start, (out, array))

    def scatter(self, out: Array, array: Array | None, root: int) -> Request:
        """Give each one part of the array that one has."""

        def start(stream: int) -> None:
            with self.together():
                if array is not None:
                    for peer, part in enumerate(array.reshape(self.size, -1)):
                        self._send(part, peer, stream)
                self._receive(out, root, stream)

        return self._started(start, (out, array))

    def all_to_all(
        self, out: Array, out_sizes: list[int], array: Array, sizes: list[int]
    ) -> Request:
        """Give each one part of each array."""

        def start(stream: int) -> None:
            begin = out_begin = 0
            with self.together():
                for peer in range(self.size):
                    self._send(array[begin : begin + sizes[peer]], peer, stream)
                    self._receive(out[out_begin : out_begin + out_sizes[peer]], peer, stream)
                    begin, out_begin = begin + sizes[peer], out_begin + out_sizes[peer]

        return self._started(start, (out, array))

    def send(self, array: Array, peer: int, tag: int) -> Request:
        """Send an array; NCCL knows no tags: what is sent first is received first."""
        return self._started(lambda stream: self._send(array, peer, stream), array)

    def receive(self, array: Array, peer: int | None, tag: int) -> Request:
        """Receive an array.

        Raises:
            ValueError: No peer is named, which NCCL cannot do.
        """
        if peer is None:
            raise ValueError("NCCL receives from a process that is named: pass src")
        request = self._started(lambda stream: self._receive(array, peer, stream), array)
        request.sender = peer
        return request

    def barrier(self) -> Request:
        """Wait for all; the host waits, too."""
        one = cupy.ones(1, np.int32)
        request = self._started(
            lambda stream: self.comm.allReduce(
                one.data.ptr, one.data.ptr, 1, nccl.NCCL_INT32, nccl.NCCL_SUM, stream
            ),
            one,
        )
        self.stream.synchronize()
        return request


def _write(target: Array, found: Array) -> None:
    if found.data.ptr != target.data.ptr:
        target[...] = found

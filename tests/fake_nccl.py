"""What CuPy's NCCL does, by MPI, on an emulated device whose memory is the host's.

It has the functions that gpugrad.backend.cuda.nccl calls, with their arguments in their order; each
runs at once, but for messages of a group, which begin together when that ends.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

available = True
NCCL_INT8, NCCL_UINT8, NCCL_INT32, NCCL_UINT32 = "int8", "uint8", "int32", "uint32"
NCCL_INT64, NCCL_UINT64, NCCL_FLOAT32, NCCL_FLOAT64 = "int64", "uint64", "float32", "float64"
NCCL_SUM, NCCL_PROD, NCCL_MIN, NCCL_MAX = "SUM", "PROD", "MIN", "MAX"

members: list[list[int]] = []  # the next communicator's, if it is not that of all
_group: list[list[Any]] = []
_counter = [0]


def get_unique_id() -> tuple[int, ...]:
    _counter[0] += 1
    return (*range(-64, 63), _counter[0])


def groupStart() -> None:  # noqa: N802  CuPy's names
    _group.append([])


def groupEnd() -> None:  # noqa: N802
    from mpi4py import MPI

    MPI.Request.Waitall([start() for start in _group.pop()])


def _at(pointer: int, count: int, kind: str) -> Any:
    if not count:
        return np.empty(0, kind)
    size = count * np.dtype(kind).itemsize
    memory: Any = (ctypes.c_char * size).from_address(pointer)
    return np.frombuffer(memory, kind)


class NcclCommunicator:
    def __init__(self, count: int, identity: tuple[int, ...], rank: int):
        from mpi4py import MPI

        assert len(identity) == 128
        self.mpi = MPI
        world = MPI.COMM_WORLD
        chosen = members.pop() if members else list(range(world.size))
        self.comm = world.Create_group(world.Get_group().Incl(chosen))
        assert (self.comm.size, self.comm.rank) == (count, rank)

    def _op(self, op: str) -> Any:
        return getattr(self.mpi, op)

    def allReduce(self, send: int, recv: int, count: int, kind: str, op: str, stream: int) -> None:  # noqa: N802
        self.comm.Allreduce(_at(send, count, kind).copy(), _at(recv, count, kind), self._op(op))

    def reduce(
        self, send: int, recv: int, count: int, kind: str, op: str, root: int, stream: int
    ) -> None:
        target = _at(recv, count, kind)
        self.comm.Reduce(_at(send, count, kind).copy(), target, self._op(op), root)

    def broadcast(
        self, send: int, recv: int, count: int, kind: str, root: int, stream: int
    ) -> None:
        self.comm.Bcast(_at(recv, count, kind), root)

    def reduceScatter(  # noqa: N802
        self, send: int, recv: int, count: int, kind: str, op: str, stream: int
    ) -> None:
        whole = _at(send, count * self.comm.size, kind).copy()
        self.comm.Reduce_scatter_block(whole, _at(recv, count, kind), self._op(op))

    def allGather(self, send: int, recv: int, count: int, kind: str, stream: int) -> None:  # noqa: N802
        self.comm.Allgather(_at(send, count, kind), _at(recv, count * self.comm.size, kind))

    def send(self, pointer: int, count: int, kind: str, peer: int, stream: int) -> None:
        self._begin(lambda: self.comm.Isend(_at(pointer, count, kind).copy(), peer))

    def recv(self, pointer: int, count: int, kind: str, peer: int, stream: int) -> None:
        self._begin(lambda: self.comm.Irecv(_at(pointer, count, kind), peer))

    def _begin(self, start: Any) -> None:
        if _group:
            _group[-1].append(start)
        else:
            start().Wait()

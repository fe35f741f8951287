"""How the processes that use NCCL find each other, and notice that one has ended.

Those that ``mpiexec`` started ask MPI.  All others meet at an address, where the process of rank 0
listens; the connections stay, and one that breaks ends the others.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import socket
import struct
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from gpugrad import backend, cuda
from gpugrad._device import device
from gpugrad.distributed import mpi
from gpugrad.distributed.work import DistBackendError

# What tells a process that it was started by a launcher of MPI's: MPICH's and Intel's, Open MPI's.
_LAUNCHED = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")
_GOODBYE = b"\0"


def is_nccl_available() -> bool:
    """Return whether there is a GPU, and NCCL that CuPy finds."""
    if backend.cuda_problem() is not None:
        return False
    from gpugrad.backend.cuda import nccl

    return nccl.is_available()


def nccl(
    init_method: str | None, world_size: int, rank: int, device_id: Any, seconds: float
) -> Any:
    """Return an engine of NCCL's that carries between all processes.

    Raises:
        RuntimeError: There is no GPU or no NCCL, or processes do not come in time.
        ValueError: It is not told where they meet, or how many they are.
    """
    if not is_nccl_available():
        raise RuntimeError(
            "The backend 'nccl' needs a GPU and NCCL, which CuPy finds where it is installed: pip "
            "install nvidia-nccl-cu13"
        )
    from gpugrad.backend.cuda import nccl as library

    if device_id is not None:
        cuda.set_device(device_id if isinstance(device_id, int) else device(device_id))
    by_mpi = any(name in os.environ for name in _LAUNCHED)
    if init_method is None and "MASTER_ADDR" not in os.environ and by_mpi:
        world = mpi.Engine.of_world()
        identity = world.comm.bcast(library.unique_id() if world.rank == 0 else None)
        return library.Engine(world.size, identity, world.rank)
    address, port = _place(init_method)
    size = world_size if world_size != -1 else int(environment("WORLD_SIZE"))
    number = rank if rank != -1 else int(environment("RANK"))
    if not 0 <= number < size:
        raise ValueError(f"rank {number} is none of {size} processes")
    mine = json.dumps(list(library.unique_id())).encode() if number == 0 else b""
    found = Meeting(address, port, size, number, seconds).shared(mine)
    return library.Engine(size, json.loads(found), number)


def _place(init_method: str | None) -> tuple[str, int]:
    if init_method in (None, "env://"):
        return environment("MASTER_ADDR"), int(environment("MASTER_PORT"))
    found = urlsplit(init_method)
    if found.scheme != "tcp" or not found.hostname or not found.port:
        raise ValueError(
            f"init_method must be 'env://' or 'tcp://ADDRESS:PORT', not {init_method!r}"
        )
    return str(found.hostname), found.port


def environment(name: str) -> str:
    """Return a variable that tells a process of the others.

    Raises:
        ValueError: It is not set.
    """
    found = os.environ.get(name)
    if found is None:
        raise ValueError(
            "Error initializing gpugrad.distributed using env:// rendezvous: environment variable "
            f"{name} expected, but not set"
        )
    return found


class Meeting:
    """Connections of the process of rank 0 with all others, at an address.

    Raises:
        DistBackendError: Some do not come in time.
    """

    def __init__(self, address: str, port: int, size: int, rank: int, seconds: float):
        self.rank = rank
        self.until = time.monotonic() + seconds
        self.sockets = self._accepted(address, port, size) if rank == 0 else []
        if rank != 0:
            self.sockets = [self._connected(address, port)]

    def _left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise DistBackendError("the processes did not find each other in time")
        return min(left, 3600.0)

    def _accepted(self, address: str, port: int, size: int) -> list[socket.socket]:
        found: dict[int, socket.socket] = {}
        with socket.create_server((address, port)) as server:
            while len(found) < size - 1:
                server.settimeout(self._left())
                try:
                    other, _ = server.accept()
                    other.settimeout(self._left())
                    found[struct.unpack("<I", _received(other, 4))[0]] = other
                except (TimeoutError, ConnectionError):
                    continue
        return [found[number] for number in sorted(found)]

    def _connected(self, address: str, port: int) -> socket.socket:
        while True:
            try:
                made = socket.create_connection((address, port), self._left())
                made.sendall(struct.pack("<I", self.rank))
            except OSError:  # it does not listen yet
                time.sleep(0.05)
                continue
            return made

    def shared(self, data: bytes) -> bytes:
        """Return what the process of rank 0 has to tell, and watch the others from then on.

        Raises:
            DistBackendError: It does not come in time.
        """
        try:
            if self.rank == 0:
                for other in self.sockets:
                    other.sendall(struct.pack("<I", len(data)) + data)
            else:
                (first,) = self.sockets
                first.settimeout(self._left())
                data = _received(first, struct.unpack("<I", _received(first, 4))[0])
        except OSError as error:
            raise DistBackendError(f"another process has ended: {error}") from None
        atexit.register(self._goodbye)
        self.before, sys.excepthook = sys.excepthook, self._ended
        threading.Thread(target=self._watch, daemon=True).start()
        return data

    def _goodbye(self) -> None:
        for other in self.sockets:
            try:
                other.sendall(_GOODBYE)
            except OSError:
                continue

    def _ended(self, kind: Any, error: Any, trace: Any) -> None:
        """Show the error that ends this process, without a goodbye: that ends the others."""
        self.before(kind, error, trace)
        atexit.unregister(self._goodbye)

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            for other in self.sockets:
                other.setblocking(True)
                selector.register(other, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    end: Any = key.fileobj
                    try:
                        said = end.recv(1)
                    except OSError:
                        said = b""
                    if said != _GOODBYE:
                        print("another process has ended, and so does this one", file=sys.stderr)
                        sys.stderr.flush()
                        os._exit(1)  # it may wait in a kernel that never ends
                    selector.unregister(end)


def _received(end: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = end.recv(count - len(found))
        if not part:
            raise ConnectionError("the connection was closed")
        found += part
    return found

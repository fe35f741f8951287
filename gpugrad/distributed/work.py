"""What is under way between processes: its end can be asked for, and waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from enum import Enum
from typing import Any, Protocol

from gpugrad.futures import Future

Array = Any


class DistError(RuntimeError):
    """Something went wrong between processes."""


class DistBackendError(DistError):
    """A process has ended, or did not take part in time."""


class ReduceOp(Enum):
    """How elements of several processes become one."""

    SUM = "sum"
    AVG = "avg"
    PRODUCT = "product"
    MIN = "min"
    MAX = "max"
    BAND = "band"
    BOR = "bor"
    BXOR = "bxor"


class Request(Protocol):
    """A transfer that was started."""

    @property
    def sender(self) -> int:
        """Who sent what was received, as a rank within the group."""

    def test(self) -> bool:
        """Return whether it has ended."""

    def wait(self, seconds: float) -> None:
        """Wait until it has ended; what comes after on a GPU waits, and the host need not.

        Raises:
            DistBackendError: That takes longer, or a process has ended.
        """


class Engine(Protocol):
    """What carries flat arrays without gaps between the processes of one group.

    Each function starts a transfer; the arrays may not be touched until it has ended.  Ranks are
    those within the group.
    """

    name: str
    rank: int
    size: int
    on_host: bool  # whether the arrays are NumPy's, else CuPy's

    def all_reduce(self, array: Array, op: ReduceOp) -> Request:
        """Put arrays together, in place, for all."""

    def reduce(self, array: Array, op: ReduceOp, root: int) -> Request:
        """Put arrays together, in place, for one."""

    def reduce_scatter(self, out: Array, array: Array, op: ReduceOp) -> Request:
        """Put arrays together, of which each receives one part."""

    def broadcast(self, array: Array, root: int) -> Request:
        """Give all the array that one has."""

    def all_gather(self, out: Array, array: Array) -> Request:
        """Give all the arrays of all, one behind the other."""

    def gather(self, out: Array | None, array: Array, root: int) -> Request:
        """Give one the arrays of all, one behind the other."""

    def scatter(self, out: Array, array: Array | None, root: int) -> Request:
        """Give each one part of the array that one has."""

    def all_to_all(
        self, out: Array, out_sizes: list[int], array: Array, sizes: list[int]
    ) -> Request:
        """Give each one part of each array; the parts have these numbers of elements."""

    def send(self, array: Array, peer: int, tag: int) -> Request:
        """Send an array."""

    def receive(self, array: Array, peer: int | None, tag: int) -> Any:
        """Receive an array, from anybody where no peer is named; ``sender`` is who it was."""

    def together(self) -> AbstractContextManager[None]:
        """Have what is sent and received in a block begin at once, in whatever order."""

    def barrier(self) -> Request:
        """Wait for all."""

    def part(self, ranks: list[int]) -> Engine | None:
        """Return what carries between some of the processes, ``None`` to those that are others.

        All processes call it.
        """


class Work:
    """A transfer between processes that was started by ``async_op=True``."""

    def __init__(
        self, request: Request, finish: Callable[[], None], timeout: timedelta, result: Any
    ):
        self._request = request
        self._finish: Callable[[], None] | None = finish
        self._timeout = timeout
        self._result = result

    def is_completed(self) -> bool:
        """Return whether it has ended, so that the tensors may be used."""
        if self._finish is not None and self._request.test():
            self._end()
        return self._finish is None

    is_success = is_completed

    def wait(self, timeout: timedelta | None = None) -> bool:
        """Wait until it has ended.

        Raises:
            DistBackendError: That takes longer than the timeout, the group's by default, or
                another process has ended meanwhile.
        """
        if self._finish is not None:
            self._request.wait((timeout or self._timeout).total_seconds())
            self._end()
        return True

    def result(self) -> Any:
        """Return the tensors that were written."""
        return self._result

    def get_future(self) -> Future[Any]:
        """Return a future of the tensors that are written."""
        return _Transferred(self)

    def source_rank(self) -> int:
        """Return who sent what was received, as a rank within the group."""
        return self._request.sender

    def _end(self) -> None:
        finish, self._finish = self._finish, None
        assert finish is not None
        finish()


class _Transferred(Future[Any]):
    """The tensors that a transfer writes, when it has ended."""

    def __init__(self, work: Work):
        super().__init__()
        self._work = work

    def done(self) -> bool:
        if self._work.is_completed():
            self._find()
        return super().done()

    def _find(self) -> None:
        self._work.wait()
        if not super().done():
            self.set_result(self._work.result())

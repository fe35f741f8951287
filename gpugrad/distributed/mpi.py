"""MPI, by mpi4py: what carries arrays of the host.

Nothing blocks in MPI: every transfer is asked whether it has ended, so that time limits hold, and
so that who waits for a process that has ended learns it.
"""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.distributed.work import DistBackendError, ReduceOp

Array = Any

_LEFT = 1  # the tag of the message of a process that ends
_GRACE = 1.0  # seconds in which what was sent before that message may still arrive
_SPINS = 200  # how often is asked before the processor is given away
_LONGEST = 1e-3  # seconds between two questions
_CALL = 80  # bytes by which processes tell each other what they call


def library() -> Any:
    """Return ``mpi4py.MPI``, which starts MPI when it is first imported.

    Raises:
        RuntimeError: It is not installed.
    """
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise RuntimeError(
            "The backend 'mpi' needs mpi4py and an MPI library: pip install 'gpugrad[mpi]' "
            f"({error})"
        ) from None
    return MPI


class _Control:
    """By which processes tell each other that they end."""

    def __init__(self, mpi: Any):
        self.mpi = mpi
        self.comm = mpi.COMM_WORLD.Dup()
        self.left: dict[int, float] = {}  # since when it is known, by rank in the world
        self.aborts = False
        if self.comm.size > 1:
            atexit.register(self.leave)  # mpi4py ends MPI after that
            self.before = sys.excepthook
            sys.excepthook = self.abort

    def abort(self, kind: Any, error: Any, trace: Any) -> None:
        """Show the error that ends this process, and end the others."""
        self.before(kind, error, trace)
        sys.stdout.flush()
        sys.stderr.flush()
        self.aborts = True
        self.comm.Abort(1)

    def leave(self) -> None:
        """Tell the others that this process ends, and wait until they do: MPI ends for all."""
        if self.aborts or self.mpi.Is_finalized():
            return
        others = (rank for rank in range(self.comm.size) if rank != self.comm.rank)
        nothing = np.empty(0, np.uint8)
        requests = [self.comm.Isend(nothing, rank, _LEFT) for rank in others]
        requests.append(self.comm.Ibarrier())
        while not self.mpi.Request.Testall(requests):
            self.look()
            time.sleep(_LONGEST)

    def look(self) -> None:
        """Take the messages of those that end."""
        status = self.mpi.Status()
        while self.comm.Iprobe(self.mpi.ANY_SOURCE, _LEFT, status):
            sender = status.Get_source()
            self.comm.Recv(np.empty(0, np.uint8), sender, _LEFT)
            self.left[sender] = time.monotonic()


class _Agreement:
    """What all processes of a group are to call alike, which they tell each other meanwhile.

    MPI takes it for granted, and gives wrong numbers where it is not so.
    """

    def __init__(self, request: Any, difference: Callable[[], str], kept: Array):
        self.request = request
        self.difference = difference
        self.kept = kept  # memory that MPI reads
        self.known = False

    def test(self) -> bool:
        """Return whether all have told it.

        Raises:
            DistBackendError: They do not call the same; what is written by then is undefined.
        """
        self.known = self.known or self.request.Test()
        if self.known and (difference := self.difference()):
            raise DistBackendError(
                f"Detected mismatch between collectives on ranks. {difference}. All ranks of a "
                "group make the same calls, in one order, with tensors of one type and number of "
                "elements"
            )
        return self.known


class Request:
    """Transfers of MPI's that were started together, and what is done when they have ended."""

    def __init__(
        self,
        engine: Engine,
        requests: Sequence[Any],
        finish: Callable[[], None] | None = None,
        kept: Any = None,
        peers: Sequence[int] | None = None,
        agreement: _Agreement | None = None,
    ):
        self.engine = engine
        self.agreement = agreement
        self.requests = list(requests)
        self.finish = finish
        self.kept = kept  # memory that MPI reads and writes
        self.peers = engine.ranks if peers is None else peers
        self.status = engine.mpi.Status()
        self.ended = False

    def test(self) -> bool:
        """Return whether all have ended."""
        if not self.ended:
            if self.agreement is not None and not self.agreement.test():
                return False
            if len(self.requests) == 1:
                self.ended = self.requests[0].Test(self.status)
            else:
                self.ended = self.engine.mpi.Request.Testall(self.requests)
            if self.ended and self.finish is not None:
                self.finish()
        return self.ended

    def wait(self, seconds: float) -> None:
        """Wait until all have ended.

        Raises:
            DistBackendError: That takes longer, or a process that takes part has ended.
        """
        start = time.monotonic()
        for _ in range(_SPINS):
            if self.test():
                return
        pause = 1e-5
        while not self.test():
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
            now = time.monotonic()
            if now - start > seconds:
                raise DistBackendError(
                    f"Timed out waiting {1000 * seconds:.0f}ms for operation to complete"
                )
            self._check_others(now)

    def _check_others(self, now: float) -> None:
        control = self.engine.control
        control.look()
        if not control.left:
            return
        gone = [rank for rank in self.peers if now - control.left.get(rank, now) > _GRACE]
        # Who waits for anybody waits for nobody only when all have ended.
        if gone and (not self.any_peer or len(gone) >= len(self.peers) - 1):
            raise DistBackendError(
                f"rank {gone[0]} has ended, and rank {self.engine.ranks[self.engine.rank]} waits "
                "for it"
            )

    any_peer = False

    @property
    def sender(self) -> int:
        """Who sent what was received."""
        return int(self.status.Get_source())


class Engine:
    """Carries arrays between the processes of a communicator of MPI's."""

    name = "mpi"
    on_host = True

    def __init__(self, mpi: Any, comm: Any, control: _Control):
        self.mpi = mpi
        self.comm = comm
        self.control = control
        self.rank = comm.rank
        self.size = comm.size
        world = control.comm.Get_group()
        mine = comm.Get_group()
        self.ranks: list[int] = list(mine.Translate_ranks(list(range(self.size)), world))

    @classmethod
    def of_world(cls) -> Engine:
        """Return what carries between all processes that were started together."""
        mpi = library()
        global _control
        if _control is None:
            _control = _Control(mpi)
        return cls(mpi, mpi.COMM_WORLD.Dup(), _control)

    def part(self, ranks: list[int]) -> Engine | None:
        """Return what carries between some of these processes, ``None`` to the others."""
        self.barrier().wait(float("inf"))  # then MPI, which cannot be interrupted, need not wait
        comm = self.comm.Create(self.comm.Get_group().Incl(ranks))
        return None if comm == self.mpi.COMM_NULL else Engine(self.mpi, comm, self.control)

    def _call(self, name: str, array: Array) -> _Agreement:
        """Have all tell what they call, with how many elements of which type."""
        kind = str(_dtype.of(array.dtype)).partition(".")[2]
        given = np.array([f"{name} of {array.size} elements of {kind}"], f"S{_CALL}")
        found = np.empty(self.size, given.dtype)
        request = self.comm.Iallgather(given.view(np.uint8), found.view(np.uint8))

        def difference() -> str:
            other = int(np.argmax(found != found[0]))
            calls = [found[k].decode() for k in (0, other)]
            return f"Rank 0 is running {calls[0]}, but Rank {other} {calls[1]}" if other else ""

        return _Agreement(request, difference, given)

    def _parts(self, sizes: list[int], out_sizes: list[int]) -> _Agreement:
        """Have all tell how many bytes they give to each, and take from each."""
        given = np.array([sizes, out_sizes])
        found = np.empty((self.size, *given.shape), given.dtype)
        request = self.comm.Iallgather(given, found)

        def difference() -> str:
            sent, taken = found[:, 0], found[:, 1].T
            unlike = np.argwhere(sent != taken)
            if not len(unlike):
                return ""
            giver, taker = unlike[0]
            return (
                f"Rank {giver} gives {sent[giver, taker]} bytes to Rank {taker}, which takes "
                f"{taken[giver, taker]}"
            )

        return _Agreement(request, difference, given)

    # ----------------------------------------------------------------------- sums and the like

    def _reduced(self, array: Array, op: ReduceOp) -> tuple[Array, Any, Callable[[Array], Array]]:
        """Return an array that MPI reduces, how, and what makes the array's type of the result.

        Sums of 16-bit floats are of float32, and rounded once; a bool is 0 or 1.
        """
        kind = array.dtype
        mpi, size = self.mpi, self.size
        named = {
            ReduceOp.SUM: mpi.SUM, ReduceOp.AVG: mpi.SUM, ReduceOp.PRODUCT: mpi.PROD,
            ReduceOp.MIN: mpi.MIN, ReduceOp.MAX: mpi.MAX, ReduceOp.BAND: mpi.BAND,
            ReduceOp.BOR: mpi.BOR, ReduceOp.BXOR: mpi.BXOR,
        }  # fmt: skip
        if kind.kind == "b":
            named |= {ReduceOp.SUM: mpi.BOR, ReduceOp.PRODUCT: mpi.BAND}
            return array.view(np.uint8), named[op], lambda found: found.astype(kind)
        wide = array.astype(_dtype.accumulation(kind), copy=False)
        if op is ReduceOp.AVG:
            return wide, mpi.SUM, lambda found: (found / size).astype(kind)
        return wide, named[op], lambda found: found.astype(kind, copy=False)

    def _writing(
        self, target: Array, found: Array, narrowed: Callable[[Array], Array]
    ) -> Callable[[], None]:
        def finish() -> None:
            result = narrowed(found)
            if not np.may_share_memory(result, target):
                target[...] = result

        return finish

    def all_reduce(self, array: Array, op: ReduceOp) -> Request:
        """Put arrays together, in place, for all."""
        work, how, narrowed = self._reduced(array, op)
        agreement = self._call(f"all_reduce by {op.value}", array)
        request = self.comm.Iallreduce(self.mpi.IN_PLACE, work, how)
        finish = self._writing(array, work, narrowed)
        return Request(self, [request], finish, work, agreement=agreement)

    def reduce(self, array: Array, op: ReduceOp, root: int) -> Request:
        """Put arrays together, in place, for one."""
        work, how, narrowed = self._reduced(array, op)
        agreement = self._call(f"reduce to {root} by {op.value}", array)
        if self.rank != root:
            request = self.comm.Ireduce(work, None, how, root)
            return Request(self, [request], None, work, agreement=agreement)
        request = self.comm.Ireduce(self.mpi.IN_PLACE, work, how, root)
        finish = self._writing(array, work, narrowed)
        return Request(self, [request], finish, work, agreement=agreement)

    def reduce_scatter(self, out: Array, array: Array, op: ReduceOp) -> Request:
        """Put arrays together, of which each receives one part."""
        work, how, narrowed = self._reduced(array, op)
        part = np.empty(out.size, work.dtype)
        agreement = self._call(f"reduce_scatter by {op.value}", array)
        request = self.comm.Ireduce_scatter_block(work, part, how)
        finish = self._writing(out, part, narrowed)
        return Request(self, [request], finish, (work, part), agreement=agreement)

    # ----------------------------------------------------------------------- copies, as bytes

    def _bytes(self, array: Array) -> Any:
        return [array.view(np.uint8), self.mpi.BYTE]

    def broadcast(self, array: Array, root: int) -> Request:
        """Give all the array that one has."""
        agreement = self._call(f"broadcast from {root}", array)
        request = self.comm.Ibcast(self._bytes(array), root)
        return Request(self, [request], None, array, agreement=agreement)

    def all_gather(self, out: Array, array: Array) -> Request:
        """Give all the arrays of all, one behind the other."""
        agreement = self._call("all_gather", array)
        request = self.comm.Iallgather(self._bytes(array), self._bytes(out))
        return Request(self, [request], None, (out, array), agreement=agreement)

    def gather(self, out: Array | None, array: Array, root: int) -> Request:
        """Give one the arrays of all, one behind the other."""
        target = None if out is None else self._bytes(out)
        agreement = self._call(f"gather to {root}", array)
        request = self.comm.Igather(self._bytes(array), target, root)
        return Request(self, [request], None, (out, array), agreement=agreement)

    def scatter(self, out: Array, array: Array | None, root: int) -> Request:
        """Give each one part of the array that one has."""
        source = None if array is None else self._bytes(array)
        agreement = self._call(f"scatter from {root}", out)
        request = self.comm.Iscatter(source, self._bytes(out), root)
        return Request(self, [request], None, (out, array), agreement=agreement)

    def all_to_all(
        self, out: Array, out_sizes: list[int], array: Array, sizes: list[int]
    ) -> Request:
        """Give each one part of each array."""
        width = array.itemsize

        def described(whole: Array, counts: list[int]) -> Any:
            lengths = [count * width for count in counts]
            begins = [sum(lengths[:k]) for k in range(len(lengths))]
            return [whole.view(np.uint8), (lengths, begins), self.mpi.BYTE]

        agreement = self._parts([n * width for n in sizes], [n * width for n in out_sizes])
        request = self.comm.Ialltoallv(described(array, sizes), described(out, out_sizes))
        return Request(self, [request], None, (out, array), agreement=agreement)

    def send(self, array: Array, peer: int, tag: int) -> Request:
        """Send an array."""
        request = self.comm.Isend(self._bytes(array), peer, tag)
        return Request(self, [request], None, array, [self.ranks[peer]])

    def receive(self, array: Array, peer: int | None, tag: int) -> Request:
        """Receive an array, from anybody where no peer is named."""
        source = self.mpi.ANY_SOURCE if peer is None else peer
        request = self.comm.Irecv(self._bytes(array), source, tag)
        peers = self.ranks if peer is None else [self.ranks[peer]]
        made = Request(self, [request], None, array, peers)
        made.any_peer = peer is None
        return made

    def together(self) -> AbstractContextManager[None]:
        """Have messages begin at once: all do."""
        return nullcontext()

    def barrier(self) -> Request:
        """Wait for all."""
        return Request(self, [self.comm.Ibarrier()])


_control: _Control | None = None

"""Processes with different numbers of batches: those that are done take part for the others."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from gpugrad import distributed, functions
from gpugrad.nn.parallel.reducer import broadcast_together

if TYPE_CHECKING:
    from gpugrad.nn.parallel.distributed import DistributedDataParallel


class Joined:
    """A block of training at whose end each process waits until all others have no batches left.

    Before each forward all tell each other whether they have one, and what it will ask of others.
    Who has none left answers with zeros, and receives the parameters of the last one at the end.
    """

    def __init__(self, net: DistributedDataParallel, divides_by_all: bool, raises: bool):
        self.net = net
        self.divides_by_all = divides_by_all
        self.raises = raises
        self.active = list(range(net.process_group.size()))  # who had a batch when last asked

    def __enter__(self) -> Joined:
        self.net._joined = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._answer()
        finally:
            self.net._joined = None
            self.net._reducer.divisor = self.net.process_group.size()

    def begin(self, syncs: bool, buffers: bool) -> int:
        """Tell all that there is a batch, and return whose buffers all are to have.

        Raises:
            RuntimeError: Another process has none, which is to be an error.
        """
        self._ask(True, syncs, buffers)
        if self.raises and len(self.active) < self.net.process_group.size():
            raise RuntimeError(
                "Detected at least one rank that exhausted inputs. Throwing across all ranks."
            )
        if not self.divides_by_all:
            self.net._reducer.divisor = len(self.active)
        return self.active[-1] if 0 not in self.active else 0

    def _ask(self, active: bool, syncs: bool = False, buffers: bool = False) -> tuple[bool, bool]:
        """Tell the others, and return whether those with a batch will average, and send buffers."""
        group, like = self.net.process_group, self.net._reducer.buckets[0].memory
        mine = functions.tensor([int(active), int(syncs), int(buffers)], device=like.device)
        found = functions.zeros(group.size() * 3, dtype=mine.dtype, device=like.device)
        distributed.all_gather_into_tensor(found, mine, group=group)
        told = found.view(-1, 3).tolist()
        now = [rank for rank, (there, *_) in enumerate(told) if there]
        self.active = now or self.active
        self._over = not now
        return any(t[1] for t in told), any(t[2] for t in told)

    def _answer(self) -> None:
        """Take part in what others do until all are done.

        Raises:
            RuntimeError: There are others that are not, which is to be an error.
        """
        net = self.net
        while True:
            syncs, buffers = self._ask(False)
            if self._over:
                break
            if self.raises:
                raise RuntimeError(f"Rank {net.process_group.rank()} exhausted all inputs.")
            root = self.active[-1] if 0 not in self.active else 0
            if buffers:
                broadcast_together(list(net.module.buffers()), net.process_group, root)
            if syncs:
                if not self.divides_by_all:
                    net._reducer.divisor = len(self.active)
                net._reducer.take_part()
        values = [*net.module.parameters(), *net.module.buffers()]
        broadcast_together(values, net.process_group, self.active[-1])

"""The part of a dataset that one of several processes takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpugrad import distributed, functions
from gpugrad.random import Generator
from gpugrad.utils.data.sampler import Sampler


class DistributedSampler(Sampler[int]):
    """The numbers of the examples that one process takes of a dataset that several train on.

    All processes take equally many: by default some examples are taken twice for that, with
    ``drop_last`` some are left out.  Call :meth:`set_epoch` before each epoch, or all have the
    same order.

    Args:
        dataset: What has the length.
        num_replicas: How many processes there are; those of :mod:`gpugrad.distributed` by default.
        rank: Which of them this is; by default that which it is there.
        shuffle: Whether the order is drawn, by the seed and the epoch: all draw the same.
        seed: The seed.
        drop_last: Whether examples are left out, not repeated.

    Raises:
        ValueError: There is no process of that rank, or no group of processes.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ):
        if num_replicas is None or rank is None:
            num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
            rank = distributed.get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)
        self.num_samples = count // num_replicas if drop_last else -(-count // num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        indices = list(range(count))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            indices = functions.randperm(count, generator=generator).tolist()
        while indices and len(indices) < self.total_size:  # the first ones once more
            indices += indices[: self.total_size - len(indices)]
        found = indices[self.rank : self.total_size : self.num_replicas]
        if len(found) != self.num_samples:
            raise AssertionError(
                f"Number of subsampled indices ({len(found)}) does not match num_samples "
                f"({self.num_samples})"
            )
        return iter(found)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins: each has an order of its own."""
        self.epoch = epoch

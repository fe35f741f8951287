"""The loader: the batches of a dataset, fetched here or in advance by workers."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from math import ceil
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

from gpugrad import cuda
from gpugrad._tensor import Tensor
from gpugrad.graph import warn
from gpugrad.utils.data.collate import default_collate, default_convert, mapped
from gpugrad.utils.data.dataset import Dataset, IterableDataset
from gpugrad.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    drawn_seed,
)
from gpugrad.utils.data.worker import RESUME, End, Failure, Task

T_co = TypeVar("T_co", covariant=True)

_FIXED = (
    "batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers",
)  # fmt: skip
_METHODS = ("multiprocessing", "thread")


class _Endless(Sampler[Any]):
    """What asks an iterable dataset for the next example, as long as there is one."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


class DataLoader(Generic[T_co]):
    """The batches of a dataset.

    An iteration over it draws a new order, if it is shuffled, and gives the batches.  Random
    numbers of the order, and the seeds of workers, come from ``generator``: the same seed gives
    the same batches again, whatever the workers' speed.

    Args:
        dataset: Examples by their numbers, or an ``IterableDataset``.
        batch_size: How many examples a batch has; ``None`` gives the examples themselves.
        shuffle: Whether the order is drawn.
        sampler: Gives the numbers of the examples in their order.
        batch_sampler: Gives the numbers of each batch.
        num_workers: How many workers fetch batches in advance; 0 fetches them when they are asked
            for.
        collate_fn: Makes a batch of a list of examples.
        pin_memory: Whether tensors are put in memory that a GPU copies from without a detour.
        drop_last: Whether a last batch with fewer examples is left out.
        timeout: How many seconds are waited for a batch of a worker; 0 is as long as it takes.
        worker_init_fn: Called in each worker with its number, after seeding.
        multiprocessing_context: How processes are started: a name, or a context of Python's.
        generator: What random numbers come from; the default generator, if there is none.
        prefetch_factor: How many batches each worker is asked for in advance, by default 2.
        persistent_workers: Whether workers, with their datasets, live on after an iteration.
        pin_memory_device: Of no effect, as in PyTorch.
        in_order: Whether batches come in the order of the sampler; else as they are ready.
        worker_method: "multiprocessing", or "thread" for workers that share the dataset and copy
            nothing; PyTorch has no such argument.

    Raises:
        TypeError: The context is none.
        ValueError: Arguments are out of range, or exclude each other.
    """

    dataset: Any
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Any
    batch_sampler: Any
    prefetch_factor: int | None
    _iterator: _WorkersIterator | None
    _initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: str | BaseContext | None = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        worker_method: str = "multiprocessing",
    ):
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, worker_method)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.worker_method = worker_method
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, "
                    "sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            sized: Any = dataset
            if self._iterable:
                sampler = _Endless()
            elif shuffle:
                sampler = RandomSampler(sized, generator=generator)
            else:
                sampler = SequentialSampler(sized)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.collate_fn = collate_fn or (
            default_collate if self._auto_collation else default_convert
        )
        self.persistent_workers = persistent_workers
        self._initialized = True
        self._length_told: int | None = None
        self._iterator = None
        self.check_worker_number_rationality()

    def __setattr__(self, attr: str, val: Any) -> None:
        if self._initialized and attr in _FIXED:
            raise ValueError(
                f"{attr} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(attr, val)

    @property
    def multiprocessing_context(self) -> Any:
        """How processes are started; ``None`` is as Python does by default."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None and self.num_workers == 0:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading "
                f"(num_workers > 0), but got num_workers={self.num_workers}"
            )
        if isinstance(context, str):
            known = multiprocessing.get_all_start_methods()
            if context not in known:
                raise ValueError(
                    "multiprocessing_context option should specify a valid start method in "
                    f"{known!r}, but got multiprocessing_context={context!r}"
                )
            context = multiprocessing.get_context(context)
        if context is not None and not isinstance(context, BaseContext):
            raise TypeError(
                "multiprocessing_context option should be a valid context object or a string "
                f"specifying the start method, but got multiprocessing_context={context}"
            )
        self._context = context

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers == 0:
            return _PlainIterator(self)
        if not self.persistent_workers:
            return _WorkersIterator(self)
        if self._iterator is None or self._iterator.closed:
            self._iterator = _WorkersIterator(self)
        else:
            self._iterator.begin_again()
        return self._iterator

    def __len__(self) -> int:
        if not self._iterable:
            return len(self._index_sampler)
        length = self._length_told = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else ceil(length / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn where there are more workers than this process may use processors."""
        if not self.num_workers:
            return
        affinity = getattr(os, "sched_getaffinity", None)
        most = len(affinity(0)) if affinity is not None else os.cpu_count()
        if most is not None and self.num_workers <= most:
            return
        known = "" if affinity is not None else " (`cpuset` is not taken into account)"
        suggested = (
            f"Our suggested max number of worker in current system is {most}{known}, which is "
            "smaller than what this DataLoader is going to create."
            if most is not None
            else "DataLoader is not able to compute a suggested max number of worker in current "
            "system."
        )
        warn(
            f"This DataLoader will create {self.num_workers} worker processes in total. "
            f"{suggested} Please be aware that excessive worker creation might get DataLoader "
            "running slow or even freeze, lower the worker number to avoid potential "
            "slowness/freeze if necessary."
        )

    def _task(self, seed: int) -> Task:
        return Task(
            self.dataset, self._auto_collation, self.collate_fn, self.drop_last, seed,
            self.worker_init_fn, self.num_workers,
        )  # fmt: skip


def _check_workers(
    count: int, timeout: float, prefetch: int | None, persistent: bool, method: str
) -> None:
    if count < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if count == 0 and prefetch is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 "
            "to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch is not None and prefetch < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent and count == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if method not in _METHODS:
        raise ValueError(f"worker_method must be one of {_METHODS}, not {method!r}")


def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    begin = "DataLoader with IterableDataset: expected unspecified"
    if shuffle not in (False, None):
        raise ValueError(f"{begin} shuffle option, but got shuffle={shuffle}")
    if sampler is not None:
        raise ValueError(f"{begin} sampler option, but got sampler={sampler}")
    if batch_sampler is not None:
        raise ValueError(f"{begin} batch_sampler option, but got batch_sampler={batch_sampler}")


class _BatchIterator:
    """One iteration over a loader."""

    def __init__(self, loader: DataLoader[Any]):
        self.loader = loader
        self.indices = iter(loader._index_sampler)
        self.seed = drawn_seed(loader.generator)
        self.given = 0
        self.pins = loader.pin_memory and cuda.is_available()
        if loader.pin_memory and loader.pin_memory_device:
            warn(
                "pin_memory_device is deprecated, the current accelerator will be used as the "
                f"device,ignore pin_memory_device='{loader.pin_memory_device}'."
            )
        if loader.pin_memory and not self.pins:
            warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't be used."
            )

    def __iter__(self) -> Any:
        return self

    def __len__(self) -> int:
        return len(self.loader._index_sampler)

    def __reduce__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")

    def next_batch(self) -> Any:
        """Return the next batch, as it was made."""
        raise NotImplementedError

    def __next__(self) -> Any:
        batch = self.next_batch()
        self.given += 1
        told = self.loader._length_told
        if self.loader._iterable and told is not None and self.given > told:
            advice = (
                "For multiprocessing data-loading, this could be caused by not properly "
                "configuring the IterableDataset replica at each worker. Please see "
                "https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for "
                "examples."
            )
            warn(
                f"Length of IterableDataset {self.loader.dataset} was reported to be {told}"
                f"(when accessing len(dataloader)), but {self.given} samples have been fetched. "
                f"{advice if self.loader.num_workers else ''}"
            )
        return pinned(batch) if self.pins else batch


def pinned(data: Any) -> Any:
    """Return a batch with its tensors in pinned memory; other objects by their ``pin_memory``."""
    if isinstance(data, Tensor) or hasattr(data, "pin_memory"):
        return data.pin_memory()
    return mapped(pinned, data)


class _PlainIterator(_BatchIterator):
    """Fetches each batch when it is asked for."""

    def __init__(self, loader: DataLoader[Any]):
        super().__init__(loader)
        if loader.timeout:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self.fetch = loader._task(self.seed).fetcher()

    def next_batch(self) -> Any:
        """Return the next batch."""
        return self.fetch(next(self.indices))


class _WorkersIterator(_BatchIterator):
    """Has workers fetch batches in advance.

    Each task has a number and goes to the next worker in turn.  Each has one answer, which waits
    until all tasks before it were answered.
    """

    def __init__(self, loader: DataLoader[Any]):
        super().__init__(loader)
        self.closed = False
        self.sent = 0  # the number of the next task
        self.workers = self._started(loader)
        self._begin()

    def _started(self, loader: DataLoader[Any]) -> Any:
        task = loader._task(self.seed)
        if loader.worker_method == "thread":
            from gpugrad.utils.data.threads import Threads

            return Threads(task)
        from gpugrad.utils.data.processes import Processes

        return Processes(task, loader.multiprocessing_context or multiprocessing.get_context())

    def _begin(self) -> None:
        count = self.loader.num_workers
        self.next = self.sent  # the number of the next answer that is given
        self.turn = 0
        self.active = [True] * count
        self.pending: dict[int, int] = {}  # the workers of tasks without an answer
        self.answers: dict[int, Any] = {}
        self.most = count * (self.loader.prefetch_factor or 1)
        for _ in range(self.most):
            self._send()

    def begin_again(self) -> None:
        """Start another iteration with the same workers; what they still send is dropped."""
        self.indices = iter(self.loader._index_sampler)
        drawn_seed(self.loader.generator)  # as new workers would: orders do not depend on it
        self.given = 0
        for number in range(self.loader.num_workers):
            self.workers.put(number, RESUME)
        self._begin()

    def _send(self) -> None:
        """Ask the next worker in turn for a batch, if there is one to ask for."""
        number = self._next_worker()
        if number is None:
            return
        index = next(self.indices, self)
        if index is not self:
            self.pending[self.sent] = number
            self.workers.put(number, (self.sent, index))
            self.sent += 1

    def _next_worker(self) -> int | None:
        count = len(self.active)
        loads = [0] * count
        for number in self.pending.values():
            loads[number] += 1
        for k in range(self.turn, self.turn + count):
            number = k % count
            share = -(-self.most // max(sum(self.active), 1))
            if self.active[number] and (self.loader.in_order or loads[number] < share):
                self.turn = number + 1
                return number
        return None

    def next_batch(self) -> Any:
        """Return the next batch; with ``in_order=False``, one that is ready.

        Raises:
            RuntimeError: A worker has ended, or the time is over.
        """
        while (answer := self._answer()) is None:
            self._receive()
        return answer[0]

    def _answer(self) -> tuple[Any] | None:
        """Return the answer that is to be given next, if it is there.

        Raises:
            StopIteration: There will be none.
        """
        while self.answers or self.pending:
            name = self.next if self.loader.in_order else next(iter(self.answers), None)
            if name is None or name not in self.answers:
                return None
            answer = self.answers.pop(name)
            self.next += 1
            self._send()
            if isinstance(answer, Failure):
                answer.reraise()
            if not isinstance(answer, End):
                return (answer,)
        if not self.loader.persistent_workers:
            self.close()
        raise StopIteration

    def _receive(self) -> None:
        timeout = self.loader.timeout
        try:
            found = self.workers.get(timeout or None)
        except RuntimeError:
            self.close()
            raise
        if not found:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
        for number, (name, answer) in found:
            if self.pending.pop(name, None) is None:
                continue  # of an iteration that was left
            self.answers[name] = answer
            if isinstance(answer, End):
                self.active[number] = False

    def close(self) -> None:
        """End the workers."""
        if not self.closed:
            self.closed = True
            self.pending, self.answers = {}, {}
            self.workers.close()

    def __del__(self) -> None:
        if not getattr(self, "closed", True) and hasattr(self, "workers"):
            self.close()

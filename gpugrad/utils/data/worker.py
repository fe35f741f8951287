"""What a worker does, be it a process or a thread: it fetches the batches that it is asked for."""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

import gpugrad.random
from gpugrad.utils.data.collate import default_collate
from gpugrad.utils.data.dataset import IterableDataset, TensorDataset


@dataclass(frozen=True, slots=True)
class RNG:
    """What a thread draws from: the generators of the process are for all threads."""

    random_generator: random.Random
    torch_generator: gpugrad.random.Generator
    numpy_generator: np.random.Generator


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What :func:`get_worker_info` tells.

    Attributes:
        id: The number of the worker, from 0 on.
        num_workers: How many there are.
        seed: What its random numbers began with.
        dataset: Its copy of the dataset; a thread has the dataset itself.
        rng: A thread's own generators, ``None`` in a process.
        worker_method: "multiprocessing" or "thread".
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: RNG | None = None
    worker_method: str = "multiprocessing"


class _Here(threading.local):
    info: WorkerInfo | None = None


_here = _Here()


def get_worker_info() -> WorkerInfo | None:
    """Return which worker of a ``DataLoader`` runs this code, ``None`` in the main process."""
    return _here.info


class End:
    """What a worker sends where its iterable dataset has no more examples."""


class Failure:
    """An error with its traceback, as text: what a worker sends in the place of a batch."""

    def __init__(self, error: BaseException, where: str):
        self.kind = type(error)
        self.text = "".join(traceback.format_exception(error))
        self.where = where

    def reraise(self) -> None:
        """Raise the error again, with the traceback of the worker in its text.

        Raises:
            RuntimeError: Its class takes no text, or would end the iteration.
        """
        text = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        error: Any = None
        with suppress(Exception):  # it may take other arguments
            error = self.kind(_Lines(text) if self.kind is KeyError else text)
        if not isinstance(error, self.kind) or isinstance(error, StopIteration):
            error = RuntimeError(text)
        raise error


class _Lines(str):
    """A text that ``KeyError``, which shows its argument by ``repr``, shows in lines."""

    def __repr__(self) -> str:
        return self


@dataclass
class Task:
    """What all workers of a loader are told when they begin."""

    dataset: Any
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    base_seed: int
    worker_init_fn: Callable[[int], Any] | None
    num_workers: int

    def fetcher(self) -> Callable[[Any], Any]:
        """Return what fetches the batch of some numbers."""
        if isinstance(self.dataset, IterableDataset):
            return _Stream(self, iter(self.dataset)).fetch
        return self._fetch

    def _fetch(self, index: Any) -> Any:
        if not self.batched:
            return self.collate_fn(self.dataset[index])
        if (
            type(self.dataset) is TensorDataset
            and self.collate_fn is default_collate
            and all(type(k) is int for k in index)
        ):
            return [tensor[index] for tensor in self.dataset.tensors]  # the same, all at once
        many = getattr(self.dataset, "__getitems__", None)
        return self.collate_fn(many(index) if many else [self.dataset[k] for k in index])


class _Stream:
    """The examples of an iterable dataset, as batches."""

    def __init__(self, task: Task, examples: Iterator[Any]):
        self.task = task
        self.examples = examples
        self.ended = False

    def fetch(self, index: Any) -> Any:
        """Return the next batch, of as many examples as there are numbers.

        Raises:
            StopIteration: There are no more examples.
        """
        if not self.task.batched:
            return self.task.collate_fn(next(self.examples))
        found: list[Any] = []
        while not self.ended and len(found) < len(index):
            try:
                found.append(next(self.examples))
            except StopIteration:
                self.ended = True
        if not found or (self.task.drop_last and len(found) < len(index)):
            raise StopIteration
        return self.task.collate_fn(found)


RESUME = "resume"  # in the place of a task: the dataset begins again


def enter(task: Task, number: int, method: str) -> None:
    """Seed what a worker draws from, and have :func:`get_worker_info` tell of it."""
    seed = task.base_seed + number
    words = [number, task.base_seed & 0xFFFFFFFF, task.base_seed >> 32, 0]  # as PyTorch's
    entropy = np.random.SeedSequence(words)
    rng = None
    if method == "thread":
        generator = gpugrad.random.Generator().manual_seed(seed)
        rng = RNG(random.Random(seed), generator, np.random.default_rng(entropy))
    else:
        random.seed(seed)
        gpugrad.random.manual_seed(seed)
        np.random.seed(entropy.generate_state(4))  # noqa: NPY002  what datasets draw from
    _here.info = WorkerInfo(number, task.num_workers, seed, task.dataset, rng, method)


def serve(task: Task, number: int, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
    """Answer each task that ``get`` returns by one ``put``, until it returns ``None``.

    A task is a number and an index, its answer the number and a batch, ``End`` or a failure.
    """
    assert _here.info is not None
    kind = "thread" if _here.info.worker_method == "thread" else "process"
    where = f"in DataLoader worker {kind} {number}"
    fetch: Any = None
    failure: Failure | None = None
    try:
        if task.worker_init_fn is not None:
            task.worker_init_fn(number)
    except Exception as error:
        failure = Failure(error, where)
    begun = False
    while (message := get()) is not None:
        if message == RESUME:
            begun = False
            continue
        name, index = message
        try:
            if failure is None:
                if not begun:
                    fetch, begun = task.fetcher(), True
                answer = End() if fetch is None else fetch(index)
            else:
                answer = failure
        except StopIteration as error:
            ended = isinstance(task.dataset, IterableDataset)
            answer = End() if ended else Failure(error, where)
            fetch = None if ended else fetch
        except Exception as error:
            answer = Failure(error, where)
        put((name, answer))
        del answer, message, index  # the memory of a batch is not kept until the next one

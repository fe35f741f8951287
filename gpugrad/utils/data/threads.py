"""Workers that are threads: they copy nothing, and help where datasets wait or compute in NumPy."""

from __future__ import annotations

import queue
import threading
from typing import Any

from gpugrad.utils.data.worker import Task, enter, serve


class Threads:
    """The threads of one loader."""

    def __init__(self, task: Task):
        self.answers: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self.tasks: list[queue.SimpleQueue[Any]] = []
        self.ended = threading.Event()
        for number in range(task.num_workers):
            self.tasks.append(queue.SimpleQueue())
            threading.Thread(target=self._run, args=(task, number), daemon=True).start()

    def _run(self, task: Task, number: int) -> None:
        def get() -> Any:
            message = self.tasks[number].get()
            return None if self.ended.is_set() else message

        enter(task, number, "thread")
        serve(task, number, get, lambda answer: self.answers.put((number, answer)))

    def put(self, number: int, message: Any) -> None:
        """Give a worker a task."""
        self.tasks[number].put(message)

    def get(self, timeout: float | None) -> list[tuple[int, Any]]:
        """Return the next answer, with the worker's number; none after the timeout."""
        try:
            return [self.answers.get(timeout=timeout)]
        except queue.Empty:
            return []

    def close(self) -> None:
        """End the threads, each after what it is at."""
        self.ended.set()
        for tasks in self.tasks:
            tasks.put(None)

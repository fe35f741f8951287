"""Values that are not there yet, under ``torch.futures``'s names.

>>> later = Future()
>>> doubled = later.then(lambda found: 2 * found.value())
>>> later.set_result(3)
>>> doubled.wait()
6
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Future(Generic[T]):
    """A value that is set later, by :meth:`set_result`, or that a transfer leaves at its end.

    Functions that are to be called then are called by who sets it, or by who waits for it.
    """

    def __init__(self, *, devices: Any = None):
        """Make one; ``devices`` is of no effect."""
        self._lock = threading.Lock()  # between who sets the value and who adds functions
        self._set = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None
        self._after: list[Callable[[Future[T]], Any]] = []

    def _find(self) -> None:
        """Find the value; here it is only waited for who sets it."""
        self._set.wait()

    def done(self) -> bool:
        """Return whether there is a value, or an error in its place."""
        return self._set.is_set()

    def wait(self) -> T:
        """Wait for the value, and return it; an error in its place is raised."""
        self._find()
        return self.value()

    def value(self) -> T:
        """Return the value, which is there.

        Raises:
            RuntimeError: It is not.
        """
        if not self._set.is_set():
            raise RuntimeError("Future is not done: value() is for what wait() has waited for.")
        if self._error is not None:
            raise self._error
        found: T = self._value
        return found

    def then(self, callback: Callable[[Future[T]], Any]) -> Future[Any]:
        """Return what a function will give of this future when it is done."""
        return _Following(self, callback)

    def add_done_callback(self, callback: Callable[[Future[T]], Any]) -> None:
        """Have a function called with this future when it is done."""
        with self._lock:
            waits = not self._set.is_set()
            if waits:
                self._after.append(callback)
        if not waits:
            callback(self)

    def set_result(self, result: T) -> None:
        """Set the value.

        Raises:
            RuntimeError: It is set already.
        """
        if self._set.is_set():
            raise RuntimeError("Future can only be marked as completed once")
        self._value = result
        self._end()

    def set_exception(self, result: BaseException) -> None:
        """Set an error in the place of the value; :meth:`wait` raises it."""
        self._error = result
        self._end()

    def _end(self) -> None:
        with self._lock:
            self._set.set()
            after, self._after = self._after, []
        for callback in after:
            callback(self)


class _Following(Future[Any]):
    """What a function gives of another future."""

    def __init__(self, before: Future[Any], function: Callable[[Future[Any]], Any]):
        super().__init__()
        self._before, self._function = before, function
        before.add_done_callback(self._follow)

    def _follow(self, before: Future[Any]) -> None:
        try:
            self.set_result(self._function(before))
        except Exception as error:
            self.set_exception(error)

    def done(self) -> bool:
        return self._before.done() and super().done()

    def _find(self) -> None:
        self._before._find()
        self._set.wait()  # for the function, which another thread may call


class _All(Future[list[Future[Any]]]):
    """Several futures, when all of them are done."""

    def __init__(self, futures: Sequence[Future[Any]]):
        super().__init__()
        self._futures = list(futures)

    def done(self) -> bool:
        if all(f.done() for f in self._futures) and not super().done():
            self.set_result(self._futures)
        return super().done()

    def _find(self) -> None:
        for future in self._futures:
            future._find()
        self.done()


def collect_all(futures: Sequence[Future[Any]]) -> Future[list[Future[Any]]]:
    """Return a future that has these for its value when all of them are done."""
    return _All(futures)


def wait_all(futures: Sequence[Future[Any]]) -> list[Any]:
    """Wait for several values, and return them."""
    return [future.wait() for future in futures]

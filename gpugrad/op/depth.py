"""Walks within walks, to any depth: where a thread's recursion runs out, another goes on."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any

from gpugrad import backend
from gpugrad.graph import mode


def is_deep() -> bool:
    """Tell whether this thread has used up half of the depth that Python allows it."""
    try:
        sys._getframe(sys.getrecursionlimit() // 2)
    except ValueError:
        return False
    return True


def in_another_thread(function: Callable[[], Any]) -> Any:
    """Return what a function gives, called in a new thread, in the modes of this one.

    This one waits; what interrupts it meanwhile interrupts the function, too, and is raised when
    that has ended.
    """
    modes = mode.__dict__.copy()
    enter = backend.place()
    ended: list[tuple[Any, BaseException | None]] = []

    running = threading.Lock()  # Thread.join, where it is interrupted, takes the thread for ended
    running.acquire()

    def run() -> None:
        try:
            mode.__dict__.update(modes)
            enter()
            ended.append((function(), None))
        except BaseException as error:
            ended.append((None, error))
        finally:
            running.release()

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    threads: list[threading.Thread] = [] if mode.threads is None else mode.threads
    threads.append(thread)
    modes["threads"] = threads
    try:
        thread.start()
        running.acquire()
    except BaseException as error:
        if thread.ident is not None:
            _interrupt(threads, running, type(error))
        raise
    finally:
        threads.remove(thread)
    result, raised = ended.pop()
    if raised is not None:
        try:
            raise raised
        finally:
            del raised  # its traceback has this frame, which would keep it
    return result


def _interrupt(threads: list[threading.Thread], running: threading.Lock, kind: type) -> None:
    """Raise an error in the innermost of the threads, and wait until one of them has ended."""
    import ctypes  # needed here alone, and slow to import

    innermost = threads[-1].ident
    if innermost is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(innermost), ctypes.py_object(kind)
        )
    running.acquire()

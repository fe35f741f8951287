"""Workers that are processes, and how batches come from them.

Each has a pipe: tasks go in, answers come out, and its end is seen at once.  A batch is pickled;
the memory of its arrays goes through the pipe where it is little, and else lies in memory that
both processes see (on Linux), of which no name remains if one of them is killed.
"""

from __future__ import annotations

import mmap
import os
import pickle
import queue
import threading
from collections.abc import Sequence
from io import BytesIO
from multiprocessing import connection, reduction
from typing import Any

from gpugrad._tensor import Tensor
from gpugrad.op.saved import is_plain
from gpugrad.utils.data.worker import Failure, Task, enter, serve

_SHARED = 2**17  # bytes of arrays from which shared memory is faster than a pipe: measured
_ALIGNMENT = 64
_HAS_SHARED = hasattr(os, "memfd_create")

# ------------------------------------------------------------------------------- batches in pipes


class _Pickler(pickle.Pickler):
    """Pickles small views without the large memory that they lie in."""

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return NotImplemented
        if value.requires_grad and not value.is_leaf:
            raise RuntimeError(
                "Cowardly refusing to serialize non-leaf tensor which requires_grad, since "
                "autograd does not support crossing process boundaries.  If you just want to "
                "transfer the data, call detach() on the tensor before serializing (e.g., putting "
                "it on the queue)."
            )
        memory, _ = value._place()
        if is_plain(value) and not value.requires_grad and memory.array.nbytes > 2 * value.nbytes:
            return value.clone().__reduce__()
        return NotImplemented


def send(pipe: Any, value: Any) -> None:
    """Send an object whose arrays may be large; where that raises an error, nothing was sent."""
    buffers: list[pickle.PickleBuffer] = []
    file = BytesIO()
    _Pickler(file, 5, buffer_callback=buffers.append).dump(value)
    parts = [buffer.raw() for buffer in buffers]
    sizes = [part.nbytes for part in parts]
    handle = _shared(parts) if sum(sizes) >= _SHARED and _HAS_SHARED else None
    pipe.send((file.getbuffer().nbytes, sizes, handle is not None))
    pipe.send_bytes(file.getbuffer())
    if handle is None:
        for part in parts:
            pipe.send_bytes(part)
    else:
        reduction.send_handle(pipe, handle, None)
        os.close(handle)


def _shared(parts: Sequence[memoryview]) -> int:
    """Return a handle of new memory with some parts, each from a multiple of the alignment on."""
    handle = os.memfd_create("gpugrad-batch")
    try:
        for part in parts:
            done = 0
            while done < part.nbytes:
                done += os.write(handle, part[done:])
            os.lseek(handle, -part.nbytes % _ALIGNMENT, os.SEEK_CUR)
    except BaseException:
        os.close(handle)
        raise
    return handle


def receive(pipe: Any) -> Any:
    """Return what the other end sent."""
    size, sizes, shared = pipe.recv()
    data = bytearray(size)
    pipe.recv_bytes_into(data)
    if not shared:
        buffers: list[Any] = [bytearray(n) for n in sizes]
        for buffer in buffers:
            pipe.recv_bytes_into(buffer) if buffer else pipe.recv_bytes()
        return pickle.loads(data, buffers=buffers)
    handle = reduction.recv_handle(pipe)
    try:
        steps = [n + -n % _ALIGNMENT for n in sizes]
        os.ftruncate(handle, sum(steps))  # the last part may end before its step does
        memory = memoryview(mmap.mmap(handle, sum(steps)))
    finally:
        os.close(handle)
    begins = [sum(steps[:k]) for k in range(len(steps))]
    parts = [memory[begin : begin + n] for begin, n in zip(begins, sizes, strict=True)]
    return pickle.loads(data, buffers=parts)


# ------------------------------------------------------------------------------- the worker's side


def _run(task: Task, number: int, pipe: Any, inherited: Sequence[Any]) -> None:
    """Serve one loader in a process of its own, until the pipe is closed or the loader ends."""
    for other in inherited:  # or this process would keep the pipes of others open
        other.close()
    enter(task, number, "multiprocessing")
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # Tasks are always taken out of the pipe: a loader that sends one does not wait for answers.
    threading.Thread(target=_listen, args=(pipe, tasks), daemon=True).start()

    def answer(value: tuple[Any, Any]) -> None:
        try:
            send(pipe, value)
        except (BrokenPipeError, ConnectionError):
            raise SystemExit from None  # nobody listens
        except Exception as error:  # it cannot be pickled: nothing was sent yet
            where = f"in DataLoader worker process {number}"
            send(pipe, (value[0], Failure(error, where)))

    try:
        serve(task, number, tasks.get, answer)
    except KeyboardInterrupt:
        pass  # the main process has received it, too
    finally:
        pipe.close()


def _listen(pipe: Any, tasks: queue.SimpleQueue[Any]) -> None:
    try:
        while (message := pipe.recv()) is not None:
            tasks.put(message)
    except (EOFError, OSError):
        pass
    tasks.put(None)


# ------------------------------------------------------------------------------- the loader's side


class Processes:
    """The processes of one loader."""

    def __init__(self, task: Task, context: Any):
        self.owner = os.getpid()  # forked processes have a copy of this object, too
        self.workers: list[Any] = []
        self.pipes: list[Any] = []
        forked = context.get_start_method() == "fork"
        try:
            for number in range(task.num_workers):
                ours, theirs = context.Pipe()
                self.pipes.append(ours)
                inherited = list(self.pipes) if forked else []
                worker = context.Process(
                    target=_run, args=(task, number, theirs, inherited), daemon=True
                )
                worker.start()
                self.workers.append(worker)
                theirs.close()
        except BaseException:
            self.close()
            raise

    def put(self, number: int, message: Any) -> None:
        """Send a worker a task.

        Raises:
            RuntimeError: It has ended.
        """
        try:
            self.pipes[number].send(message)
        except OSError:
            raise self._ended([number]) from None

    def get(self, timeout: float | None) -> list[tuple[int, Any]]:
        """Return the answers that are there, with the workers' numbers; none after the timeout.

        Raises:
            RuntimeError: A worker has ended.
        """
        ready = connection.wait(self.pipes, timeout)
        found = []
        for pipe in ready:
            number = self.pipes.index(pipe)
            try:
                found.append((number, receive(pipe)))
            except (EOFError, OSError):
                raise self._ended([number]) from None
        return found

    def _ended(self, numbers: Sequence[int]) -> RuntimeError:
        workers = [self.workers[number] for number in numbers]
        for worker in workers:
            worker.join(1)
        pids = ", ".join(str(worker.pid) for worker in workers)
        error = RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly")
        codes = ", ".join(str(worker.exitcode) for worker in workers)
        error.add_note(f"Exit code: {codes} (below 0: the signal that killed it)")
        return error

    def close(self) -> None:
        """End the processes, those that do not hear of it as well."""
        if os.getpid() != self.owner:
            return
        for pipe in self.pipes:
            pipe.close()
        for worker in self.workers:
            worker.join(0.2)
            if worker.is_alive():
                worker.terminate()
                worker.join(1)
            if worker.is_alive():  # it is in a call that no signal but this one ends
                worker.kill()
                worker.join()

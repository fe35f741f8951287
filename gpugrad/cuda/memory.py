"""Memory of GPUs: that of CuPy's current pool and of CUDA graphs, under ``torch.cuda``'s names.

gpugrad allocates what it computes and nothing in advance, and has no pool of its own: what CuPy
freed gpugrad may take, and the reverse.  A pool remembers no maxima; these are counted from the
first question for one, by CuPy's hook for memory, in the thread that asked.  Where there is no GPU
nothing is allocated.
"""

from __future__ import annotations

import threading
from typing import Any

from gpugrad import backend
from gpugrad.cuda import devices

_peaks = threading.local()


def _pool() -> Any:
    """Return the pool that CuPy's current allocator takes memory from."""
    cuda = backend.cuda_backend().xp.cuda
    pool = getattr(cuda.get_allocator(), "__self__", None)
    return (
        pool if hasattr(pool, "used_bytes") else backend.cuda_backend().xp.get_default_memory_pool()
    )


def _asked(question: str, device: Any) -> int:
    if not devices.is_available():
        return 0
    with devices.device(device):
        from gpugrad.backend.cuda import graphs

        pools = {id(p): p for p in (_pool(), *(p.memory for p in graphs.pools))}
        return sum(int(getattr(p, question)()) for p in pools.values())


def memory_allocated(device: Any = None) -> int:
    """Return how many bytes of a GPU's memory arrays take, those of CuPy's users included."""
    return _asked("used_bytes", device)


def memory_reserved(device: Any = None) -> int:
    """Return how many bytes of a GPU's memory the pool holds, used or not."""
    return _asked("total_bytes", device)


def empty_cache() -> None:
    """Give the memory that the pool holds and nobody uses back to the GPU."""
    if devices.is_available():
        _pool().free_all_blocks()


def ipc_collect() -> None:
    """Give back memory of tensors that other processes no longer need: there is never any.

    No memory of a GPU is shared with other processes: those get copies.
    """


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Return how many bytes of a GPU's memory are free, and how many there are."""
    with devices.device(device):
        free, total = backend.cuda_backend().xp.cuda.runtime.memGetInfo()
    return int(free), int(total)


def max_memory_allocated(device: Any = None) -> int:
    """Return the most bytes that arrays took at once in a GPU's memory.

    Counted are allocations of this thread, since this or :func:`reset_peak_memory_stats` was first
    called.
    """
    return _peak(device)[0]


def max_memory_reserved(device: Any = None) -> int:
    """Return the most bytes that the pool held at once; see :func:`max_memory_allocated`."""
    return _peak(device)[1]


def reset_peak_memory_stats(device: Any = None) -> None:
    """Count the maxima from what is allocated now."""
    if devices.is_available():
        _found().pop(devices.index_of(device), None)
    _peak(device)


reset_max_memory_allocated = reset_peak_memory_stats


def memory_stats(device: Any = None) -> dict[str, int]:
    """Return the numbers of this module by PyTorch's names of them."""
    peak = _peak(device)
    return {
        "allocated_bytes.all.current": memory_allocated(device),
        "allocated_bytes.all.peak": peak[0],
        "reserved_bytes.all.current": memory_reserved(device),
        "reserved_bytes.all.peak": peak[1],
    }


def _peak(device: Any) -> tuple[int, int]:
    """Return the maxima of a GPU, and count on from what it holds now."""
    if not devices.is_available():
        return 0, 0
    index = devices.index_of(device)
    found = _found()
    now = memory_allocated(index), memory_reserved(index)
    before = found.get(index, now)
    found[index] = max(now[0], before[0]), max(now[1], before[1])
    return found[index]


def _found() -> dict[int, tuple[int, int]]:
    """Return the maxima of this thread, which are counted from here on."""
    if not hasattr(_peaks, "found"):
        found: dict[int, tuple[int, int]] = {}

        class Peak(backend.cuda_backend().xp.cuda.MemoryHook):  # type: ignore[misc]
            """CuPy's hook for memory: it is called after each allocation."""

            name = "gpugrad.cuda"

            def malloc_postprocess(self, **options: Any) -> None:
                index = options["device_id"]
                if index in found:
                    _peak(index)

        _peaks.found, _peaks.hook = found, Peak()
        _peaks.hook.__enter__()
    return _peaks.found

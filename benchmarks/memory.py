"""How many bytes more than its inputs does one peer hold, at most, while it does a work?

    python -m benchmarks.memory KEY N

prints them, for the chain of elementwise operations in float32.  It needs a process of its own,
because the most that a process ever held is never forgotten, and Linux, to see what it holds now.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
from pathlib import Path

from benchmarks.peer import peers
from benchmarks.test_composition import CHAIN


def peak(key: str, n: int) -> str:
    """Return the name of a peer and the bytes; ``key`` is one of ``peer.NAMES``, or gpugrad.

    Empty if there is no such peer here.
    """
    for size in (1_000, n):  # first what is loaded or compiled on first use
        *_, peer = peers(CHAIN, size, "float32", "cpu", [key])
        if peer.name == "gpugrad" != key:
            return ""
        gc.collect()
        before = held()
        results = peer.run()
        peer.wait(results)
    return f"{peer.name} {1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before}"


def held() -> int:
    """Return the bytes of memory that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2])))

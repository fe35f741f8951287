"""How many bytes more than its inputs does one peer hold, at most, while it does a work?

    python -m benchmarks.memory KEY N [compiled]

prints them, for the chain of elementwise operations in float32, or for that as one program.  It
needs a process of its own, because the most that a process ever held is never forgotten, and Linux,
to see what it holds now.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from benchmarks.peer import peers
from benchmarks.test_composition import CHAIN
from benchmarks.test_programs import COMPILED_CHAIN
from benchmarks.work import Work


def peak(key: str, n: int, work: Work) -> str:
    """Return the name of a peer and the bytes; ``key`` is one of ``peer.NAMES``, or gpugrad.

    Empty if there is no such peer here.
    """
    for size in (1_000, n):  # first what is loaded or compiled on first use
        *_, peer = peers(work, size, "float32", "cpu", [key])
        if peer.name == "gpugrad" != key:
            return ""
        gc.collect()
        before = held("VmRSS")
        if work.whole:  # is recorded twice: without gradients from before, and with them
            for _ in range(2):
                peer.wait(peer.run())
            Path("/proc/self/clear_refs").write_text("5")  # the most is what there is now
        results = peer.run()
        peer.wait(results)
    return f"{peer.name} {held('VmHWM') - before}"


def held(line: str) -> int:
    """Return the bytes in a line of Linux's: what is held now, or what was held at most.

    The most that ``resource`` knows would include what the parent held: it outlives exec.
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition(f"{line}:")[2].split()[0])


if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2]), COMPILED_CHAIN if sys.argv[3:] else CHAIN))

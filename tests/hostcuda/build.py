"""Runs g++ and keeps what it made, safely for several processes and threads at once."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .settings import CUDA, CXX, EXTRA_FLAGS, cache_directory

# No fused multiply-add unless HOSTCUDA_CXXFLAGS asks for it: results then equal NumPy's more often.
COMMON = ("-std=c++17", "-w", "-fPIC", "-ffp-contract=off", "-fno-strict-aliasing")

RUNTIME_SOURCES = tuple(
    CUDA / f"{name}.cpp" for name in ("scheduler", "capture", "driver", "cublas")
)


class BuildError(Exception):
    """g++ refused a source; the message is its log."""


def digest(*parts: str) -> str:
    """Name a build by all that goes into it."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@functools.cache
def toolchain() -> str:
    """Identify the compiler and our headers: another of either makes another cache entry."""
    compiler = shutil.which(CXX)
    if compiler is None:
        raise RuntimeError(f"hostcuda: no C++ compiler {CXX!r}; install g++ or set CXX")
    status = Path(compiler).resolve().stat()
    headers = [path.read_text() for path in sorted(CUDA.rglob("*.h"))]
    return digest(compiler, str(status.st_size), str(status.st_mtime_ns), *headers)


_THREADS = threading.Lock()


@contextmanager
def locked(key: str) -> Iterator[None]:
    """Let one thread of one process work on ``key``; the others wait instead of doing it again.

    One byte of a common file stands for the key, so no lock files are left behind.  A process holds
    such a lock once for all its threads, and loses all that it holds with the first that it lets go
    of: blocks must not lie within each other.
    """
    with _THREADS, (cache_directory() / "lock").open("a") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, int(key[:7], 16))
        yield


def compile_to(output: Path, arguments: Sequence[str]) -> None:
    """Run g++ with ``arguments``; ``output`` appears complete or not at all.

    Raises:
        BuildError: g++ failed.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=output.parent, suffix=".tmp")
    os.close(handle)
    # An address sanitizer that is preloaded into Python would slow g++ down.
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    try:
        result = subprocess.run(
            [CXX, *COMMON, *arguments, "-o", temporary],
            capture_output=True,
            text=True,
            env=environment,
        )
        if result.returncode:
            raise BuildError(result.stderr)
        os.replace(temporary, output)
    finally:
        Path(temporary).unlink(missing_ok=True)


def runtime_library() -> Path:
    """Return the native runtime (memory, launches, scheduler), built on first use."""
    # Of the extra flags only macros matter here: a sanitizer would not understand the fibers.
    macros = [flag for flag in EXTRA_FLAGS if flag.startswith("-D")]
    sources = [path.read_text() for path in RUNTIME_SOURCES]
    key = digest(toolchain(), *macros, *sources)
    library = cache_directory() / f"runtime-{key}.so"
    with locked(key):
        if not library.exists():
            # libm must come along even though the runtime needs none of it: kernels do.
            link = ["-shared", "-Wl,--no-as-needed", "-lm", "-ldl"]
            compile_to(library, ["-O2", *macros, *map(str, RUNTIME_SOURCES), *link])
    return library

"""The C++ compiler: how it is found and called, and the folder that keeps what it has built.

Nothing here is imported before an array is large enough for a loop of its own.

=====================  ==============================================================
``GPUGRAD_COMPILE``    ``0`` turns all of it off
``CXX``, ``CC``        the compiler, if ``CC`` names one that builds C++; else the first of ``c++``,
                       ``g++``, ``cc``, ``gcc``, ``clang++`` and ``clang`` that there is and does
``GPUGRAD_CACHE_DIR``  the folder; else ``~/.gpugrad/kernel_cache``
=====================  ==============================================================
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gpugrad.kernels import host

_NAMES = ("c++", "g++", "cc", "gcc", "clang++", "clang")
_TRUSTED = frozenset({"c++", "g++"})  # the others may lack C++, or not know the flags

# Not -ffast-math: nan, infinities and signed zeros stay as they are.  No product is contracted with
# a sum: x * y - x * y is 0.  GCC takes sin and cos of one number for one complex exponential, of
# which there is none for vectors, and moves what a choice is made of into branches, if it may, or
# computes it once for each way to it.
_FLAGS = (
    "-O2", "-march=native", "-mprefer-vector-width=512", "-fno-math-errno", "-fno-trapping-math",
    "-ffp-contract=off", "-fopenmp-simd", "-fno-builtin-sin", "-fno-builtin-sinf",
    "-fno-builtin-cos", "-fno-builtin-cosf", "-fno-tree-pre", "-fno-tree-sink",
    "-fno-thread-jumps", "-fno-exceptions", "-fno-rtti", "-fPIC", "-shared", "-pipe", "-w",
)  # fmt: skip
_LIBRARIES = ("-lmvec", "-lm")

MOST_FILES = 4096  # of a folder; they have 20 kB each


class BuildError(RuntimeError):
    """A text that the compiler refuses, or a library that cannot be loaded."""


class Compiler(NamedTuple):
    """A compiler, and what the files it builds depend on besides their text."""

    command: tuple[str, ...]
    vectors: frozenset[str]  # functions that the C library has for vectors
    key: str


def found() -> Compiler:
    """Return the compiler.

    Raises:
        BuildError: There is none, or none that is suitable; it says why.
    """
    known = _found()
    if isinstance(known, str):
        raise BuildError(known)
    return known


@functools.cache
def _found() -> Compiler | str:
    """Return the compiler, or why there is none."""
    if os.environ.get("GPUGRAD_COMPILE", "1") == "0":
        return "GPUGRAD_COMPILE=0"
    if sys.platform != "linux" or platform.machine() != "x86_64" or sys.maxsize < 2**32:
        return "formulas are compiled on Linux, for x86-64, only"
    if sys.implementation.name != "cpython":
        return "formulas are compiled for CPython only"
    vectors = _vectors()
    if "exp" not in vectors:
        return "the C library has no functions of vectors (libmvec, of glibc 2.22 or later)"
    asked = os.environ.get("CXX")
    command = tuple(shlex.split(asked)) if asked else ()
    if command:
        candidates = [command]
    else:
        given = tuple(shlex.split(os.environ.get("CC", "")))
        candidates = [c for c in (given, *[(name,) for name in _NAMES]) if c]
    refused = []
    for first, *others in candidates:
        path = shutil.which(first)
        if path is None:
            continue
        if command or first in _TRUSTED or _builds((path, *others)):
            return Compiler((path, *others), vectors, _key(path, others, vectors))
        refused.append(path)
    reason = f"there is no compiler: {' or '.join(c[0] for c in candidates)}"
    return (
        f"{reason}; {', '.join(refused)}: no C++ with the flags that are needed"
        if refused
        else reason
    )


def _builds(command: tuple[str, ...]) -> bool:
    """Tell whether a compiler knows C++ and the flags."""
    text = 'extern "C" __attribute__((simd("notinbranch"))) double exp(double);'
    try:
        done = subprocess.run(
            [*command, *_FLAGS, "-fsyntax-only", "-x", "c++", "-"],
            input=text, capture_output=True, text=True,
        )  # fmt: skip
    except OSError:
        return False
    return not done.returncode


def _vectors() -> frozenset[str]:
    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return frozenset()
    return frozenset(
        name
        for name in host.MATHEMATICS
        if hasattr(library, f"_ZGVbN2{'v' * host.arguments(name)}_{name}")
    )


def _key(path: str, options: list[str], vectors: frozenset[str]) -> str:
    """Return what tells this compiler, its options and this processor from others."""
    real = os.path.realpath(path)
    seen = os.stat(real)
    processor = platform.machine()
    with suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith(("model name", "flags")):
                processor += line
            if line.startswith("flags"):
                break
    built_with = (processor, sorted(vectors), _FLAGS, _LIBRARIES)
    return repr((real, *options, seen.st_size, seen.st_mtime_ns, *built_with))


@functools.cache
def version() -> str:
    """Return the first line that the compiler says of itself."""
    done = subprocess.run([*found().command, "--version"], capture_output=True, text=True)
    return done.stdout.partition("\n")[0]


# --------------------------------------------------------------------------- libraries

_folder: Path | None = None
_loading = threading.Lock()  # one thread builds at a time


def built(text: str) -> ctypes.CDLL:
    """Return the library of a text, built unless the folder has it.

    Raises:
        BuildError: There is no compiler, or it refuses the text.
    """
    compiler = found()
    name = hashlib.sha256(f"{compiler.key}\n{text}".encode()).hexdigest()
    with _loading:
        for last in False, True:
            try:
                return _loaded(folder() / f"{name}.so", compiler, text)
            except OSError as error:  # of a folder that has no room, or may not be loaded from
                if last:
                    raise BuildError(
                        f"what is compiled cannot be kept or loaded: {error}"
                    ) from None
                _take_temporary()
    raise AssertionError


def folder() -> Path:
    """Return the folder that keeps what is built: one of this process where no other can."""
    global _folder
    if _folder is None:
        asked = os.environ.get("GPUGRAD_CACHE_DIR")
        try:
            _folder = Path(asked) if asked else Path.home() / ".gpugrad" / "kernel_cache"
            _folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (OSError, RuntimeError):  # it cannot be made, or there is no home
            _take_temporary()
        else:
            if _is_own(_folder):
                _thin_out(_folder)
            else:
                _take_temporary()
    assert _folder is not None
    return _folder


def _take_temporary() -> None:
    global _folder
    _folder = Path(tempfile.mkdtemp(prefix="gpugrad-"))
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    """Tell whether nobody else can put a library into a folder."""
    seen = folder.stat()
    return seen.st_uid in (os.getuid(), 0) and not seen.st_mode & 0o002


def _thin_out(folder: Path) -> None:
    """Remove the older half of too many files."""
    files = list(folder.glob("*.so"))
    if len(files) > MOST_FILES:
        with suppress(OSError):  # another process does the same
            files.sort(key=lambda file: file.stat().st_mtime)
            for file in files[: len(files) // 2]:
                file.unlink()


def _loaded(path: Path, compiler: Compiler, text: str) -> ctypes.CDLL:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    if not _is_whole(content, path):
        _build(path, compiler, text)
    return ctypes.CDLL(str(path))


def _is_whole(content: bytes, path: Path) -> bool:
    """Tell whether a file is what was written under its name: its end is a hash of the rest."""
    return content[-32:] == _seal(content[:-32], path)


def _seal(content: bytes, path: Path) -> bytes:
    return hashlib.sha256(path.stem.encode() + content).digest()


def _build(path: Path, compiler: Compiler, text: str) -> None:
    """Write a library: under another name at first, so that it is seen whole or not at all."""
    handle, name = tempfile.mkstemp(".tmp", path.stem[:16], path.parent)
    os.close(handle)
    made = Path(name)
    try:
        command = [*compiler.command, *_FLAGS, "-x", "c++", "-", "-o", name, *_LIBRARIES]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode:
            raise BuildError(f"{compiler.command[0]} fails: {done.stderr.strip()[:2000]}")
        with made.open("r+b") as file:
            content = file.read()
            file.write(_seal(content, path))
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)

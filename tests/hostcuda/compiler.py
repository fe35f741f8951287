"""Builds the CUDA sources that CuPy generates with g++, in the place of NVRTC."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import nvrtc
from .build import BuildError, compile_to, digest, locked, toolchain
from .settings import CUDA, CXX, EXTRA_FLAGS, NVRTC_ARCHS, cache_directory, stats

# -fwhole-program drops what the kernel does not use of CuPy's headers before it is optimised
# (compilation takes a third of the time), which -O0 would not do.
# A kernel needs no exceptions and no start-up code, so it is linked without the standard libraries:
# it finds libm's functions in the process.  -fpermissive: NVRTC is as lenient.
FLAGS = (
    "-O1",
    "-fpermissive",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fno-asynchronous-unwind-tables",
    "-fwhole-program",
)
LINK_FLAGS = ("-shared", "-nostdlib", "-lgcc")

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_BOUNDS = r"(?:__launch_bounds__\s*\([^)]*\)\s*)?"
_KERNEL = re.compile(rf"__global__\s+{_BOUNDS}void\s+{_BOUNDS}(\w+)\s*\(")
_TEMPLATE_HEAD = re.compile(r"template\s*<[^{};]*>\s*$")
_BARRIER = re.compile(r"__syncthreads|__syncwarp|__shfl|_sync\s*\(")
_DYNAMIC_SHARED = re.compile(r"extern\s+__shared__\s+([\w:<>, ]+?)\s+(\w+)\s*\[\s*\]\s*;")
_INCLUDE = re.compile(r"^#include <cupy/.+>$", re.MULTILINE)


def compile_module(
    source: str,
    options: Sequence[str] = (),
    *args: Any,
    name_expressions: Sequence[str] | None = None,
    **kwargs: Any,
) -> Any:
    """Return the loaded module of ``source``; CuPy's ``_compile_module_with_cache`` is this.

    The other arguments (architecture, backend, log ...) have no meaning here.
    """
    from cupy.cuda import compiler, function

    for arch in NVRTC_ARCHS:  # before g++: its log is what a user of a GPU would see
        _check_with_nvrtc(source, tuple(options), arch, name_expressions)
    symbols = {text: f"expression{i}" for i, text in enumerate(name_expressions or ())}
    try:
        library = build_library(source, options, symbols)
    except BuildError as error:
        raise compiler.CompileException(
            str(error), source, "hostcuda", tuple(options), "hostcuda"
        ) from error
    module = function.Module()
    module.load(str(library).encode())
    module._set_mapping(symbols or None)
    return module


def build_library(
    source: str, options: Sequence[str] = (), expressions: dict[str, str] | None = None
) -> Path:
    """Return the shared library of the kernels in ``source``, built unless it is in the cache.

    Args:
        source: CUDA C++ as CuPy or a user wrote it.
        options: NVRTC's options, of which only -I and -D are used.
        expressions: Instances of kernel templates, such as ``scale<float>``, and the names that
            they shall have in the library.
    """
    text = host_source(source, expressions or {})
    own = [o for o in options if o.startswith(("-I", "-D")) and o not in _include_flags()]
    key = digest(toolchain(), text, *FLAGS, *LINK_FLAGS, *EXTRA_FLAGS, *own, *_include_flags())
    library = cache_directory() / f"{key}.so"
    if library.exists():
        stats.cached += 1
        return library
    precompiled = _precompiled_header()
    with locked(key):
        if library.exists():  # another process or thread was faster
            stats.cached += 1
            return library
        start = time.perf_counter()
        cpp = library.with_suffix(".cpp")  # stays, for the eyes and for debuggers
        cpp.write_text(text)
        flags = [*FLAGS, *EXTRA_FLAGS, "-I", str(precompiled.parent), *own, *_include_flags()]
        compile_to(library, [*flags, str(cpp), *LINK_FLAGS])
        stats.built += 1
        stats.build_seconds += time.perf_counter() - start
    return library


def host_source(source: str, expressions: dict[str, str]) -> str:
    """Return ``source`` as C++ for the host, its kernels exported under ``hostcuda_<name>``."""
    # g++ reads a header again to see that the precompiled one had it already.
    body = _INCLUDE.sub(lambda line: "" if line[0] in _prelude() else line[0], source)
    body = _DYNAMIC_SHARED.sub(r"\1 *\2 = (\1 *)::hostcuda::dynamic_shared;", body)
    plain = _COMMENT.sub("", source)
    exported = {name: name for name in _kernel_names(plain)} | expressions
    has_barrier = "true" if _BARRIER.search(plain) else "false"
    exports = [
        # A template's instance may hold a comma, which the macro would take for its own.
        f"constexpr auto hostcuda_pointer_{symbol} = &{kernel};\n"
        f"HOSTCUDA_EXPORT(hostcuda_{symbol}, hostcuda_pointer_{symbol}, {symbol}, {has_barrier})\n"
        for kernel, symbol in exported.items()
    ]
    return f'#include "prelude.h"\n{body}\n{"".join(exports)}'


@functools.cache
def _prelude() -> frozenset[str]:
    """Return the include lines of CuPy's headers that are precompiled."""
    return frozenset(_INCLUDE.findall((CUDA / "prelude.h").read_text()))


def _kernel_names(source: str) -> list[str]:
    """Names of the kernels that are defined and are no templates."""
    found = (
        match[1]
        for match in _KERNEL.finditer(source)
        if not _TEMPLATE_HEAD.search(source, 0, match.start())
    )
    return list(dict.fromkeys(found))


@functools.cache
def _include_flags() -> tuple[str, ...]:
    """Folders of CuPy's, CUDA's and our headers."""
    from cupy._core import core

    cupy_flags = [o for o in core.assemble_cupy_compiler_options(()) if o.startswith(("-I", "-D"))]
    # Ours come last: the real <crt/host_defines.h>, if it is installed, goes first.
    return (*cupy_flags, "-I", str(CUDA), "-idirafter", str(CUDA / "stub"))


@functools.cache
def _precompiled_header() -> Path:
    """Return prelude.h.gch, which g++ reads in a hundredth of the time that prelude.h takes."""
    import cupy

    key = digest(toolchain(), CXX, cupy.__version__, *FLAGS, *EXTRA_FLAGS, *_include_flags())
    header = cache_directory() / f"prelude-{key}" / "prelude.h.gch"
    with locked(key):
        if not header.exists():
            flags = [*FLAGS, *EXTRA_FLAGS, *_include_flags(), "-x", "c++-header"]
            compile_to(header, [*flags, str(CUDA / "prelude.h")])
    return header


def _check_with_nvrtc(
    source: str, options: tuple[str, ...], arch: int, name_expressions: Sequence[str] | None
) -> None:
    """Compile ``source`` for a device too, once a cache."""
    key = digest(nvrtc.version(), source, *options, str(arch), *(name_expressions or ()))
    passed = cache_directory() / "nvrtc" / key
    if passed.exists():
        return
    start = time.perf_counter()
    options += nvrtc.precompiled_header_options()
    nvrtc.compile_source(source, arch, options, name_expressions)
    stats.nvrtc += 1
    stats.nvrtc_seconds += time.perf_counter() - start
    passed.parent.mkdir(exist_ok=True)
    passed.touch()

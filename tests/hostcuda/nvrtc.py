"""Compiles kernels for real GPUs with NVRTC; neither a device nor ``install()`` is needed.

The sources are those that CuPy would generate for given dtypes and dimensions.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Parsing CuPy's headers takes most of the time of a small kernel, so kernels share a
# translation unit.  README.md has the times by which this size was chosen.
BUNDLE_SIZE = 64

_ELF = b"\x7fELF"
_NDARRAY, _INDEXER, _SCALAR = 1, 2, 3  # kinds of cupy._core._kernel._ArgInfo
_REDUCTION_BLOCK = 512  # CuPy's default

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b.*$", re.MULTILINE)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_EXTERN_C_KERNEL = re.compile(r'extern\s+"C"\s+(?=__global__)')

Contiguity = bool | None


class KernelError(Exception):
    """NVRTC refused a kernel; the message has its name, the architecture and the log."""


# ---------------------------------------------------------------- sources


def elementwise_source(
    kernel: Any,
    ndim: int,
    dtypes: Sequence[Any],
    contiguous: Sequence[Contiguity] | bool = True,
) -> str:
    """Return the source that CuPy generates for a call of an ElementwiseKernel.

    Args:
        kernel: A cupy.ElementwiseKernel.
        ndim: Dimensions of the loop, after CuPy has merged those it can; 1 if all is contiguous.
        dtypes: One for each parameter, inputs before outputs.
        contiguous: Whether each array is C-contiguous, in the same order, or one answer for all.
            None instead of a bool says that the argument is a scalar, not an array.
    """
    from cupy._core import _kernel

    infos = [
        _argument(dtype, ndim, flag)
        for dtype, flag in zip(dtypes, _flags(contiguous, len(dtypes)), strict=True)
    ]
    code = _kernel._get_elementwise_kernel_code(
        (*infos, _indexer(ndim)),
        _kernel._TypeMap(_type_pairs(kernel, dtypes)),
        kernel.params,
        kernel.operation,
        kernel.name,
        kernel.preamble,
        **kernel.kwargs,
    )
    return _headers() + str(code)


def reduction_source(
    kernel: Any,
    ndim: int,
    dtypes: Sequence[Any],
    contiguous: Sequence[Contiguity] | bool = True,
    out_ndim: int = 1,
) -> str:
    """Return the source that CuPy generates for a call of a ReductionKernel.

    Args:
        kernel: A cupy.ReductionKernel.
        ndim: Dimensions of the inputs, after CuPy has merged those it can.
        dtypes: One for each parameter, inputs before outputs.
        contiguous: As in :func:`elementwise_source`.
        out_ndim: Dimensions of the outputs; 0 for a sum over everything.
    """
    from cupy._core import _kernel, _reduction

    ndims = [ndim] * len(kernel.in_params) + [out_ndim] * len(kernel.out_params)
    infos = [
        _argument(dtype, ndim, flag)
        for dtype, ndim, flag in zip(dtypes, ndims, _flags(contiguous, len(dtypes)), strict=True)
    ]
    block_stride = _argument("int32", 0, None)
    code = _reduction._ReductionKernel_get_cached_function_code(
        kernel.nin,
        kernel.nout,
        kernel._params,
        (*infos, _indexer(ndim), _indexer(out_ndim), block_stride),
        _kernel._TypeMap((*_type_pairs(kernel, dtypes), ("IndexT", "int32"))),
        kernel.name,
        _REDUCTION_BLOCK,
        kernel.reduce_type,
        kernel.identity,
        kernel.map_expr,
        kernel.reduce_expr,
        kernel.post_map_expr,
        kernel.preamble,
        kernel.options,
    )
    return _headers() + str(code)


def _flags(contiguous: Sequence[Contiguity] | bool, count: int) -> Sequence[Contiguity]:
    return [contiguous] * count if isinstance(contiguous, bool) else contiguous


def _argument(dtype: Any, ndim: int, contiguous: Contiguity) -> Any:
    import cupy
    import numpy as np
    from cupy._core import _kernel

    if contiguous is None:
        return _kernel._ArgInfo(_SCALAR, np.dtype(dtype).type, np.dtype(dtype), 0, True, True)
    # The last: whether 32 bits suffice to index the array.
    return _kernel._ArgInfo(_NDARRAY, cupy.ndarray, np.dtype(dtype), ndim, contiguous, True)


def _indexer(ndim: int) -> Any:
    from cupy._core import _kernel

    return _kernel._ArgInfo(_INDEXER, object, None, ndim, True, True)


def _type_pairs(kernel: Any, dtypes: Sequence[Any]) -> tuple[tuple[str, Any], ...]:
    """Types of the kernel's placeholders (T, U ...)."""
    import numpy as np

    params = kernel.in_params + kernel.out_params
    pairs = {p.ctype: np.dtype(d).type for p, d in zip(params, dtypes, strict=True) if not p.dtype}
    return tuple(sorted(pairs.items()))


@functools.cache
def _headers() -> str:
    """Return what CuPy writes above the code of each kernel."""
    from cupy._core import core

    return "".join(f"#include <{header}>\n" for header in core._cupy_header_list)


# ---------------------------------------------------------------- compilation


def version() -> str:
    """Return NVRTC's version and CuPy's, by which results may differ."""
    import cupy
    from cupy_backends.cuda.libs import nvrtc

    return f"{nvrtc.getVersion()} {cupy.__version__}"


def precompiled_header_options() -> tuple[str, ...]:
    """Return the options by which one NVRTC source after another reuses its headers.

    They halve the time of a source.  Sources that are compiled at once must not use them.
    """
    from cupy_backends.cuda.libs import nvrtc

    return ("--pch",) if nvrtc.getVersion() >= (12, 8) else ()


def compile_source(
    source: str,
    arch: int,
    options: Sequence[str] = (),
    name_expressions: Sequence[str] | None = None,
) -> bytes:
    """Return the cubin of ``source``.

    Args:
        source: Complete CUDA C++, with its includes.
        arch: Such as 90 for sm_90.
        options: More of NVRTC's options than those that CuPy always gives.
        name_expressions: Instances of kernel templates to compile.

    Raises:
        cupy.cuda.compiler.CompileException: NVRTC refused the source.
        KernelError: What NVRTC made is no cubin.
    """
    own = tuple(o for o in options if o not in _cupy_options())
    cubin = _compiled(source, "cubin", f"sm_{arch}", own, name_expressions)
    if not cubin.startswith(_ELF):
        raise KernelError(f"sm_{arch}: NVRTC returned {cubin[:8]!r}..., not a cubin")
    return cubin


def ptx(source: str, arch: int) -> str:
    """Return the assembly text of ``source``, which shows how memory is read and written."""
    return _compiled(source, "ptx", f"compute_{arch}").decode()


def _compiled(
    source: str,
    method: str,
    arch: str,
    options: Sequence[str] = (),
    name_expressions: Sequence[str] | None = None,
) -> bytes:
    from cupy.cuda import compiler

    always = ("-ftz=true", f"-arch={arch}", "--device-as-default-execution-space")
    program = compiler._NVRTCProgram(
        source, "kernel.cu", name_expressions=name_expressions, method=method
    )
    result: bytes = program.compile((*_cupy_options(), *options, *always))[0]
    return result


def fast_options() -> tuple[str, ...]:
    """Return the options that ask NVRTC for less optimisation: what it accepts is the same."""
    from cupy_backends.cuda.libs import nvrtc

    return ("--Ofast-compile=max",) if nvrtc.getVersion() >= (13, 0) else ()


def compile_many(
    sources: Mapping[str, str], arch: int, threads: int = 2, options: Sequence[str] = ()
) -> None:
    """Compile every kernel for ``arch``, many in one translation unit.

    Args:
        sources: Complete sources by the names that errors shall give.
        arch: Such as 90 for sm_90.
        threads: How many units to compile at once.
        options: More of NVRTC's options than those that CuPy always gives.

    Raises:
        KernelError: NVRTC refused one; its log is in the message.
    """
    # A short list is divided too, so that every thread has work.
    size = max(1, min(BUNDLE_SIZE, -(-len(sources) // threads)))
    bundles = [{name: sources[name] for name in names} for names in _batches(sources, size)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda kernels: _compile_bundle(kernels, arch, options), bundles))


def _compile_bundle(sources: Mapping[str, str], arch: int, options: Sequence[str]) -> None:
    from cupy.cuda.compiler import CompileException

    if len(sources) > 1:
        try:
            compile_source(bundle(sources.values()), arch, options)
        except CompileException:
            pass  # whose fault?  It may even be the bundle's: alone each might do
        else:
            return
    for name, source in sources.items():
        try:
            compile_source(source, arch, options)
        except CompileException as error:
            raise KernelError(
                f"kernel {name!r} does not compile for sm_{arch}:\n{error}"
            ) from error


def bundle(sources: Iterable[str]) -> str:
    """Return one translation unit of all ``sources``, each in a namespace of its own."""
    includes: dict[str, None] = {}  # ordered, each once
    parts = []
    for number, source in enumerate(sources):
        includes |= dict.fromkeys(line.strip() for line in _INCLUDE.findall(source))
        body = _INCLUDE.sub("", source)
        body = _EXTERN_C_KERNEL.sub("", body)  # two functions of one C name would be the same
        macros = "".join(f"#undef {macro}\n" for macro in dict.fromkeys(_MACRO.findall(body)))
        parts.append(f"namespace kernel_{number} {{\n{body}\n}}\n{macros}")
    return "\n".join([*includes, *parts])


def _batches(names: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    iterator = iter(names)
    while batch := tuple(itertools.islice(iterator, size)):
        yield batch


@functools.cache
def _cupy_options() -> tuple[str, ...]:
    from cupy._core import core

    return tuple(core.assemble_cupy_compiler_options(()))

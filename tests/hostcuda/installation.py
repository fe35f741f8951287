"""Puts everything in place before CuPy is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from . import compiler, driver, fourier, libraries, matrices
from .settings import NO_POOL

_installed = False


def install() -> Any:
    """Make CuPy run on the CPU, and return it; calls after the first do nothing.

    Raises:
        RuntimeError: cupy was imported before: its modules hold on to the real CUDA calls.
    """
    global _installed
    if _installed:
        return sys.modules["cupy"]
    if "cupy" in sys.modules:
        raise RuntimeError("hostcuda.install() must come before the first `import cupy`")
    # CUB's and cuTENSOR's kernels are for devices only: CuPy then takes its own reductions.
    os.environ["CUPY_ACCELERATORS"] = ""
    import cupy_backends.cuda.api.driver
    import cupy_backends.cuda.api.runtime

    driver.replace_calls(cupy_backends.cuda.api.runtime, cupy_backends.cuda.api.driver)
    libraries.replace_modules()
    import cupy

    cupy.cuda.compiler._compile_module_with_cache = compiler.compile_module
    libraries.replace_thrust(cupy.cuda.thrust)
    fourier.replace_module(cupy)
    matrices.replace_functions(cupy)
    _refuse_precompiled(cupy)
    if NO_POOL:
        cupy.cuda.set_allocator(None)
        cupy.cuda.set_pinned_memory_allocator(None)
    _installed = True
    return cupy


def _refuse_precompiled(cupy: Any) -> None:
    """Raise where the wheel's own device code would find no device, which may fail silently."""
    from cupy._core import _accelerator

    for kind in ("routine", "reduction", "elementwise"):
        setattr(_accelerator, f"set_{kind}_accelerators", _no_accelerators)
    cupy.random.default_rng = cupy.random.Generator = _refusal("cupy.random.Generator")


def _no_accelerators(accelerators: Any) -> None:
    if accelerators:
        raise NotImplementedError("hostcuda: CuPy's accelerators need a device")


def _refusal(what: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"hostcuda: {what} needs a device")

    return refuse

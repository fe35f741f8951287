"""CuPy's names, with gradients: ``import gpugrad.cupy as cp``.

They are those of :mod:`gpugrad.numpy`, the same functions, but that a new array is on the current
GPU; and a few that only CuPy has.  CuPy's own functions may be given tensors, too, as far as CuPy
asks them (:mod:`gpugrad.cupy.hook`): these are for all others.

What is not here is CuPy's own, such as ``cuda``, ``RawKernel`` and ``get_default_memory_pool``.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import gpugrad.numpy as _numpy
from gpugrad import backend as _backend
from gpugrad.graph import TensorBase as _TensorBase

# What CuPy has beside NumPy's functions, and gradients have nothing to do with.
_OWN = frozenset(
    {"RawKernel", "RawModule", "cuda", "get_default_memory_pool", "get_default_pinned_memory_pool"}
)
_MODULES = frozenset({"fft", "linalg", "random"})


def __getattr__(name: str) -> Any:
    """Return a function of :mod:`gpugrad.numpy` that makes its new arrays on a GPU."""
    if name in _OWN:
        return getattr(_backend.cuda_backend().xp, name)
    if name in ("ElementwiseKernel", "ReductionKernel"):
        import gpugrad.kernel

        return getattr(gpugrad.kernel, name)
    if name.startswith("_") or not hasattr(_numpy, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(_numpy, name)
    if name in _MODULES:
        found = Names(found)
    elif inspect.isfunction(found):
        found = _on_gpu(found)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_numpy), *_OWN, "ElementwiseKernel", "ReductionKernel"})


class Names:
    """The functions of a module of :mod:`gpugrad.numpy`, with new arrays on a GPU."""

    def __init__(self, module: Any):
        """Take the module."""
        self._module = module
        self.__name__ = module.__name__.replace("gpugrad.numpy", "gpugrad.cupy")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        return _on_gpu(found) if inspect.isfunction(found) else found

    def __dir__(self) -> list[str]:
        return dir(self._module)


@functools.cache
def _on_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose ``device`` is by default the current GPU, if it has one.

    What is made like an array is where that is.
    """
    parameters = inspect.signature(function).parameters
    if "device" not in parameters or function.__name__.endswith("_like"):
        return function

    @functools.wraps(function)
    def made(*args: Any, **options: Any) -> Any:
        if options.get("device") is None and options.get("like") is None:
            options["device"] = "cuda"
        return function(*args, **options)

    return made


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None) -> Any:
    """Return a copy in the memory of the host, as NumPy's array; of a tensor without its history.

    See ``cupy.asnumpy``.
    """
    if isinstance(a, _TensorBase):
        a = a.detach().array  # type: ignore[attr-defined]
    return _backend.cuda_backend().xp.asnumpy(a, stream=stream, order=order, out=out)


def get_array_module(*args: Any) -> Any:
    """Return this module where one of the arguments is on a GPU, else :mod:`gpugrad.numpy`."""
    for a in args:
        array = a._array if isinstance(a, _TensorBase) else a
        if _backend.is_array(array) and _backend.of(array).type == "cuda":
            return sys.modules[__name__]
    return _numpy

"""NVIDIA's libraries where CuPy does not pass on what is needed of them."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


@cache
def library(name: str) -> ctypes.CDLL:
    """Return a library, found as CuPy finds it: "cublas", "cudart"."""
    from cuda import pathfinder

    return ctypes.CDLL(pathfinder.load_nvidia_dynamic_lib(name).abs_path)


def call(name: str, function: str, *arguments: Any) -> None:
    """Call a function of a library, given as ``ctypes`` takes it.

    Raises:
        RuntimeError: It returned the number of an error.
    """
    status = getattr(library(name), function)(*arguments)
    if status:
        raise RuntimeError(f"CUDA error: {function} of {name} returned status {status}")


def exchange_capture_mode(mode: int) -> int:
    """Say what CUDA lets this thread do while a stream is captured; return what it did so far.

    The modes are those of ``cudaStreamCaptureMode``.
    """
    given = ctypes.c_int(mode)
    call("cudart", "cudaThreadExchangeStreamCaptureMode", ctypes.byref(given))
    return given.value

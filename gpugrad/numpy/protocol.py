"""NumPy's own functions on tensors: each is the function of its name in :mod:`gpugrad.numpy`.

NumPy asks tensors by its two protocols, ``__array_ufunc__`` and ``__array_function__``, before it
reads them.  A function that is not here is refused, for every tensor, so that no gradient is lost.
"""

from __future__ import annotations

import ast
import functools
import importlib
import linecache
import sys
from itertools import islice
from typing import Any

import numpy as np

from gpugrad.graph import TensorBase
from gpugrad.numpy import operands
from gpugrad.numpy.operands import raised
from gpugrad.numpy.ufuncs import BY_NUMPY
from gpugrad.ops.copy import to

NAMESPACES = "", "linalg", "fft"  # of NumPy's and of ours


@functools.cache
def functions() -> dict[Any, Any]:
    """Return our functions, by NumPy's."""
    found: dict[Any, Any] = {}
    for name in NAMESPACES:
        theirs: Any = getattr(np, name) if name else np
        ours = importlib.import_module("gpugrad.numpy" + (name and f".{name}"))
        for each in dir(ours):
            original = getattr(theirs, each, None)
            if callable(original) and not isinstance(original, type):
                found.setdefault(original, getattr(ours, each))
    return found


def _refused(name: str) -> TypeError:
    return TypeError(
        f"{name} has no rule for tensors: its result would have no gradient. Where none is needed, "
        "give it arrays: x.detach().numpy(), or x.detach().array on a GPU."
    )


def _reads(frame: Any) -> bool:
    """Tell whether a frame is of a library that reads tensors, or of this one."""
    home = frame.f_globals.get("__name__", "").partition(".")[0]
    return home in ("numpy", "cupy", "cupyx", "gpugrad") or frame.f_code.co_filename.startswith(
        "<gpugrad"
    )


def reader() -> str | None:
    """Return which function of a library now reads a tensor, as the caller of that wrote it.

    ``None`` where it is no call, or the text of it is not known.
    """
    frame: Any = sys._getframe(1)
    while frame and _reads(frame):
        frame = frame.f_back
    if frame is None:
        return None
    code = frame.f_code
    first, last, begin, end = next(islice(code.co_positions(), frame.f_lasti // 2, None))
    if None in (first, last, begin, end):
        return None
    lines = [
        linecache.getline(code.co_filename, k, frame.f_globals).encode()
        for k in range(first, last + 1)
    ]
    text = b"".join(lines)[begin : sum(map(len, lines[:-1])) + end]
    try:
        call = ast.parse(b"(" + text + b")", mode="eval").body
    except SyntaxError:
        return None
    return ast.unparse(call.func) if isinstance(call, ast.Call) else None


def name_reader(error: Exception) -> None:
    """Add to an error which function was to read a tensor, and which one may take it as it is."""
    if (function := reader()) is None:
        return
    name = function.rpartition(".")[2]
    ours = getattr(sys.modules["gpugrad.numpy"], name, None)
    instead = "" if ours is getattr(np, name, None) else f"; try gpugrad.numpy.{name}"
    error.add_note(f"{function} reads the tensor as an array of NumPy's{instead}.")


def call_ufunc(theirs: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """Return what a ufunc of NumPy's, or one of its methods, gives for operands with a tensor.

    Raises:
        TypeError: There is no such ufunc of ours.
    """
    ours = BY_NUMPY.get(theirs)
    if ours is None:
        raise _refused(f"the ufunc {theirs.__name__!r}")
    return getattr(ours, method)(*inputs, **options)


def call_function(tensor: Any, theirs: Any, types: Any, args: Any, options: Any) -> Any:
    """Return what a function of NumPy's gives for arguments with a tensor.

    Of a function that creates an array ``like`` a tensor that is one of its class and device.

    Raises:
        TypeError: There is no such function of ours.
    """
    for kind in types:
        if not issubclass(kind, TensorBase | np.ndarray) and not hasattr(kind, "get"):
            return NotImplemented
    ours = functions().get(theirs)
    if ours is None:
        home = getattr(theirs, "__module__", "numpy")
        raise _refused(f"{home}.{getattr(theirs, '__name__', theirs)}")
    found = ours(*args, **options)
    if not any(True for _ in operands.tensors_in((args, options))):  # it is like= this one
        return raised(to(found, tensor.device), operands.class_of((tensor,)))
    return found

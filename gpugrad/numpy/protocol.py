"""NumPy's own functions on tensors: each is the function of its name in :mod:`gpugrad.numpy`.

NumPy asks tensors by its two protocols, ``__array_ufunc__`` and ``__array_function__``, before it
reads them.  A function that is not here is refused, for every tensor, so that no gradient is lost.
"""

from __future__ import annotations

import functools
import importlib
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

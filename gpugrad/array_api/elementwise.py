"""Functions of elements: NumPy's ufuncs, under the standard's names and with its signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gpugrad.numpy as np
from gpugrad.numpy.table import UFUNCS

# NumPy's names where they are others than the standard's.
_THEIRS = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh",
    "atan": "arctan", "atan2": "arctan2", "atanh": "arctanh", "bitwise_left_shift": "left_shift",
    "bitwise_right_shift": "right_shift", "bitwise_invert": "invert", "conj": "conjugate",
    "pow": "power",
}  # fmt: skip
_UNARY = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "bitwise_invert", "ceil", "conj",
    "cos", "cosh", "exp", "expm1", "floor", "isfinite", "isinf", "isnan", "log", "log1p", "log2",
    "log10", "logical_not", "negative", "positive", "reciprocal", "sign", "signbit", "sin", "sinh",
    "square", "sqrt", "tan", "tanh", "trunc",
)  # fmt: skip
_BINARY = (
    "add", "atan2", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "copysign", "divide", "equal", "floor_divide", "greater", "greater_equal",
    "hypot", "less", "less_equal", "logaddexp", "logical_and", "logical_or", "logical_xor",
    "maximum", "minimum", "multiply", "nextafter", "not_equal", "pow", "remainder", "subtract",
)  # fmt: skip


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the standard's ``{name}`` of each element."
    function.__module__ = "gpugrad.array_api"
    return function


def _unary(name: str) -> Callable[..., Any]:
    compute = UFUNCS[_THEIRS.get(name, name)]

    def function(x: Any, /) -> Any:
        return compute(x)

    return _named(function, name)


def _binary(name: str) -> Callable[..., Any]:
    compute = UFUNCS[_THEIRS.get(name, name)]

    def function(x1: Any, x2: Any, /) -> Any:
        return compute(x1, x2)

    return _named(function, name)


globals().update({name: _unary(name) for name in _UNARY})
globals().update({name: _binary(name) for name in _BINARY})


def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:
    """Return the elements, or a bound where they lie outside; in the type of ``x``."""
    if min is None and max is None:
        return np.copy(x)
    return np.astype(np.clip(x, min, max), x.dtype, copy=False)


def real(x: Any, /) -> Any:
    """Return the real parts."""
    return np.real(x)


def imag(x: Any, /) -> Any:
    """Return the imaginary parts."""
    return np.imag(x)


def round(x: Any, /) -> Any:
    """Return the nearest whole numbers; of two, the even one."""
    return np.round(x)


__all__ = sorted([*_UNARY, *_BINARY, "clip", "imag", "real", "round"])

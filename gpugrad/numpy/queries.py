"""Types, constants and questions: what NumPy has of these, and what asks about arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpugrad import _dtype
from gpugrad.graph import TensorBase
from gpugrad.numpy.operands import DOORS, on_host, own, refuse_tracked

# NumPy's own, which are about no arrays, or about types only.
SAME = (
    "False_", "True_", "e", "euler_gamma", "inf", "nan", "newaxis", "pi",
    "bool", "bool_", "byte", "cdouble", "complex128", "complex64", "complexfloating", "csingle",
    "double", "dtype", "finfo", "float16", "float32", "float64", "floating", "generic", "half",
    "iinfo", "inexact", "int16", "int32", "int64", "int8", "int_", "intc", "integer", "intp",
    "long", "longlong", "number", "sctypeDict", "short", "signedinteger", "single", "ubyte",
    "uint", "uint16", "uint32", "uint64", "uint8", "uintc", "uintp", "ulong", "ulonglong",
    "unsignedinteger", "ushort",
    "base_repr", "binary_repr", "broadcast_shapes", "errstate", "exceptions",
    "format_float_positional", "format_float_scientific", "get_printoptions", "geterr",
    "isdtype", "issubdtype", "iterable", "mintypecode", "ndenumerate", "ndindex", "printoptions",
    "promote_types", "set_printoptions", "seterr", "typecodes", "typename",
)  # fmt: skip


def _dtypes(values: Any) -> list[Any]:
    return [
        v._array.dtype if isinstance(v, TensorBase)
        else v.numpy if isinstance(v, _dtype.dtype) else v
        for v in values
    ]  # fmt: skip


def _plainly(function: Any) -> Any:
    """Put a function into the namespace whose results are no arrays."""
    DOORS.setdefault("gpugrad.numpy", {})[function.__name__] = function
    function.__doc__ = function.__doc__ or f"See numpy.{function.__name__}."
    return function


@_plainly
def result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*_dtypes(arrays_and_dtypes))


@_plainly
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    source, target = _dtypes((from_, to))
    return np.can_cast(source, target, casting)


@_plainly
def common_type(*arrays: Any) -> Any:
    kinds = [own(a)._array.dtype for a in arrays]
    return np.common_type(*(np.empty(0, k) for k in kinds))


@_plainly
def min_scalar_type(a: Any) -> Any:
    return np.min_scalar_type(on_host(a))


@_plainly
def shape(a: Any) -> tuple[int, ...]:
    return tuple(own(a)._array.shape)


@_plainly
def ndim(a: Any) -> int:
    return int(own(a)._array.ndim)


@_plainly
def size(a: Any, axis: Any = None) -> int:
    lengths = own(a)._array.shape
    axes = range(len(lengths)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([lengths[k] for k in axes]))


@_plainly
def isscalar(element: Any) -> bool:
    return np.isscalar(element)


@_plainly
def iscomplexobj(x: Any) -> bool:
    return bool(own(x)._array.dtype.kind == "c")


@_plainly
def isrealobj(x: Any) -> bool:
    return not iscomplexobj(x)


@_plainly
def isfortran(a: Any) -> bool:
    flags = own(a)._array.flags
    return bool(flags.f_contiguous and not flags.c_contiguous)


@_plainly
def shares_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Return whether two arrays have an element in common."""
    from gpugrad import backend

    first, second = (own(v)._array for v in (a, b))
    door_ = backend.of(first)
    return door_ is backend.of(second) and bool(door_.overlap(first, second))


@_plainly
def may_share_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Return whether two arrays have an element in common."""
    return shares_memory(a, b)


# --------------------------------------------------------------------------- text and files


def _reading(name: str, history: bool = True) -> Any:
    """Put a function into the namespace that reads arrays, and returns none.

    It refuses what requires grad where that would end in a file.
    """
    theirs = getattr(np, name)

    def function(*args: Any, **options: Any) -> Any:
        if not history:
            refuse_tracked(name, "what is written has no history", args, options)
        return theirs(*map(on_host, args), **{k: on_host(v) for k, v in options.items()})

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See numpy.{name}."
    return _plainly(function)


array_repr, array_str, array2string = map(_reading, ("array_repr", "array_str", "array2string"))
save, savez, savez_compressed, savetxt = (
    _reading(name, False) for name in ("save", "savez", "savez_compressed", "savetxt")
)

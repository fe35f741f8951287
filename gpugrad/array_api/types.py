"""Types, which are NumPy's, and what the namespace tells of itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy

import gpugrad.numpy as np
from gpugrad import cuda
from gpugrad._device import device as _Device  # noqa: N812
from gpugrad._dtype import dtype as _Dtype  # noqa: N812
from gpugrad.graph import TensorBase
from gpugrad.ops.creation import place

_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_KINDS["integral"] = (*_KINDS["signed integer"], *_KINDS["unsigned integer"])
_KINDS["numeric"] = (*_KINDS["integral"], *_KINDS["real floating"], *_KINDS["complex floating"])
NAMES = (*_KINDS["bool"], *_KINDS["numeric"])
globals().update({name: numpy.dtype(name) for name in NAMES})


def _type(given: Any) -> Any:
    """Return the type that an array has, or that is given."""
    if isinstance(given, TensorBase):
        return given._array.dtype
    return given.numpy if isinstance(given, _Dtype) else numpy.dtype(given)


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """Return an array as one of another type; a copy, unless that is not asked for."""
    return np.astype(x, dtype, copy=copy, device=device)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Return whether numbers of one type are all numbers of another."""
    return np.can_cast(_type(from_), _type(to))


def finfo(type: Any, /) -> Any:
    """Return the limits of a type of real or complex numbers, as Python's numbers."""
    found = numpy.finfo(_type(type))
    return SimpleNamespace(
        bits=int(found.bits), eps=float(found.eps), max=float(found.max), min=float(found.min),
        smallest_normal=float(found.smallest_normal), dtype=numpy.dtype(found.dtype),
    )  # fmt: skip


def iinfo(type: Any, /) -> Any:
    """Return the limits of a type of whole numbers."""
    found = numpy.iinfo(_type(type))
    return SimpleNamespace(
        bits=int(found.bits), max=int(found.max), min=int(found.min), dtype=numpy.dtype(found.dtype)
    )


def isdtype(dtype: Any, kind: Any) -> bool:
    """Return whether a type is another, of a kind with a name, or one of several of these.

    Raises:
        ValueError: There is no such kind.
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ValueError(f"isdtype: there is no kind {kind!r}; there are {', '.join(_KINDS)}")
        return _type(dtype).name in _KINDS[kind]
    return _type(dtype) == _type(kind)


def result_type(*arrays_and_dtypes: Any) -> Any:
    """Return the type that operands promote to."""
    return np.result_type(*arrays_and_dtypes)


class Info:
    """What the namespace can do; see ``__array_namespace_info__`` in the standard."""

    def capabilities(self) -> dict[str, Any]:
        """Return what is supported."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """Return the device of new arrays."""
        return place(None)

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """Return the types of new arrays."""
        return {
            "real floating": numpy.dtype("float64"), "complex floating": numpy.dtype("complex128"),
            "integral": numpy.dtype("int64"), "indexing": numpy.dtype("int64"),
        }  # fmt: skip

    def devices(self) -> list[Any]:
        """Return the CPU and the GPUs."""
        return [_Device("cpu"), *(_Device("cuda", k) for k in range(cuda.device_count()))]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """Return the types, by name, of a kind or all."""
        kinds = tuple(_KINDS) if kind is None else kind
        return {n: numpy.dtype(n) for n in NAMES if isdtype(numpy.dtype(n), kinds)}


def __array_namespace_info__() -> Info:  # noqa: N807  the standard's name
    """Return what the namespace can do."""
    return Info()


__all__ = [
    *NAMES, "__array_namespace_info__", "astype", "can_cast", "finfo", "iinfo", "isdtype",
    "result_type",
]  # fmt: skip

"""The element types, under PyTorch's names, and the type that a mixture of operands has."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np

BOOL, INTEGER, FLOAT, COMPLEX = range(4)  # the categories of promotion, lowest first
_CATEGORIES = {"b": BOOL, "i": INTEGER, "u": INTEGER, "f": FLOAT, "c": COMPLEX}

# NumPy's kinds of floating point types, and of those that have gradients.  Types of other
# libraries are V to it: here that is bfloat16, no other one comes in.
FLOATING, INEXACT = "fV", "fcV"
FLOAT32 = np.dtype(np.float32)


def is_half(kind: np.dtype[Any]) -> bool:
    """Tell whether a type of NumPy's is float16 or bfloat16."""
    return kind.itemsize == 2 and kind.kind in FLOATING


@cache
def limits(kind: np.dtype[Any]) -> Any:
    """Return the limits of a type of NumPy's: its ``finfo`` or ``iinfo``."""
    if kind.kind in "iu":
        return np.iinfo(kind)
    if kind.kind == "V":
        from ml_dtypes import finfo

        return finfo(kind)
    return np.finfo(kind)


def accumulation(kind: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which numbers of a type are added and multiplied before they are rounded.

    That is float32 for float16 and bfloat16, the type itself for all others.
    """
    return FLOAT32 if is_half(kind) else kind


# What a type has of NumPy's.
_OF_NUMPY = frozenset({"byteorder", "char", "kind", "newbyteorder", "num", "str", "type"})


class dtype:  # noqa: N801  PyTorch's name
    """An element type, such as ``gpugrad.float32``; there is one object of each."""

    __module__ = "gpugrad"  # where users find it, and pickles

    __slots__ = ("__weakref__", "category", "is_complex", "is_floating_point", "itemsize", "name",
                 "numpy", "title")  # fmt: skip

    def __init__(self, name: str, title: str):
        """Make the type called ``name``; ``title`` is PyTorch's other name, as in FloatTensor."""
        self.name = name
        self.title = title
        if name == "bfloat16":  # not NumPy's own: see __getattr__
            self.category, self.itemsize = FLOAT, 2
        else:
            self.numpy = np.dtype(name)
            self.category, self.itemsize = _CATEGORIES[self.numpy.kind], self.numpy.itemsize
        self.is_floating_point = self.category == FLOAT
        self.is_complex = self.category == COMPLEX

    def __getattr__(self, name: str) -> Any:
        """Get NumPy's type of bfloat16 from ml_dtypes, when it is first asked for.

        What code for NumPy and CuPy asks of a type, such as its ``kind``, is asked of NumPy's; and
        by ``dtype`` these take ours for one of theirs.
        """
        if name == "dtype":
            return self.numpy
        if name in _OF_NUMPY:
            return getattr(self.numpy, name)
        if name != "numpy":
            raise AttributeError(f"'dtype' object has no attribute '{name}'")
        try:
            from ml_dtypes import bfloat16 as scalar
        except ImportError:
            raise ImportError(
                "gpugrad.bfloat16 needs the package ml_dtypes: pip install 'gpugrad[bfloat16]'"
            ) from None
        self.numpy = np.dtype(scalar)
        DTYPES[self.numpy] = self
        return self.numpy

    @property
    def is_signed(self) -> bool:
        """Tell whether the type has negative values."""
        return self.category >= FLOAT or self.numpy.kind == "i"

    @property
    def c_name(self) -> str:
        """The name of the type in C++, by which some of PyTorch's errors call it."""
        return _C_NAMES.get(self.name, self.title.lower())

    def to_real(self) -> dtype:
        """Return the type of the real part."""
        return of(self.numpy.type(0).real.dtype) if self.is_complex else self

    def to_complex(self) -> dtype:
        """Return the complex type of the same precision."""
        return {float64: complex128, complex128: complex128}.get(self, complex64)

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same type, which may be one of NumPy's, too."""
        if self is other:
            return True
        return isinstance(other, np.dtype | type) and bool(self.numpy == other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"gpugrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name


float16 = dtype("float16", "Half")
bfloat16 = dtype("bfloat16", "BFloat16")
float32 = dtype("float32", "Float")
float64 = dtype("float64", "Double")
complex64 = dtype("complex64", "ComplexFloat")
complex128 = dtype("complex128", "ComplexDouble")
uint8 = dtype("uint8", "Byte")
uint16 = dtype("uint16", "UInt16")
uint32 = dtype("uint32", "UInt32")
uint64 = dtype("uint64", "UInt64")
int8 = dtype("int8", "Char")
int16 = dtype("int16", "Short")
int32 = dtype("int32", "Int")
int64 = dtype("int64", "Long")
bool_ = dtype("bool", "Bool")

_C_NAMES = {
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>", "uint8": "unsigned char", "int8": "signed char",
    "int16": "short int", "int64": "long int",
    "uint16": "short unsigned int", "uint32": "unsigned int", "uint64": "long unsigned int",
}  # fmt: skip
DTYPES = {d.numpy: d for d in (
    float16, float32, float64, complex64, complex128, uint8, uint16, uint32, uint64, int8, int16,
    int32, int64, bool_,
)}  # fmt: skip
SUPPORTED = (
    "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, "
    "uint16, uint8, and bool"
)


def of(numpy_dtype: Any) -> dtype:
    """Return our type for NumPy's (or CuPy's).

    Raises:
        TypeError: It has none, as text and objects have none.
    """
    try:
        return DTYPES[np.dtype(numpy_dtype)]
    except KeyError:
        name = np.dtype(numpy_dtype).type.__name__
        if np.dtype(numpy_dtype) == getattr(sys.modules.get("ml_dtypes"), "bfloat16", None):
            DTYPES[bfloat16.numpy] = bfloat16
            return bfloat16
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{name}. "
            f"The only supported types are: {SUPPORTED}."
        ) from None


_default = float32


def get_default_dtype() -> dtype:
    """Return the type that floating point literals get: ``float32`` unless it was set."""
    return _default


def set_default_dtype(d: dtype, /) -> None:
    """Make ``d`` the type of floating point literals.

    Raises:
        TypeError: ``d`` is not a floating point type.
    """
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _default = d


def of_number(value: complex) -> dtype:
    """Return the type of a Python number: bool, int64, the default, or its complex companion."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    return _default.to_complex() if isinstance(value, complex) else _default


def chosen(given: object, default: dtype) -> dtype:
    """Return the type that an argument asks for, ``default`` where it is ``None``.

    Raises:
        TypeError: It is no type of ours; NumPy's and names are not.
    """
    if given is None:
        return default
    if not isinstance(given, dtype):
        raise TypeError(
            f"argument 'dtype' must be gpugrad.dtype, not {type(given).__name__}; "
            "write gpugrad.float32 for float32"
        )
    return given


def promote_types(a: dtype, b: dtype) -> dtype:
    """Return the smallest type that holds both, as PyTorch orders them.

    Unlike NumPy's, an integer never widens a float: ``int64`` and ``float16`` give ``float16``.
    """
    if a is b:
        return a
    if (_is_barebones(a) and b.category != FLOAT) or (_is_barebones(b) and a.category != FLOAT):
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{a.title} and {b.title}"
        )
    if a.category < b.category:
        a, b = b, a
    if a.category != b.category and (a.category < COMPLEX or b.category < FLOAT):
        return a
    if a.itemsize == b.itemsize == 2 and a.is_floating_point:
        return float32
    if b.itemsize == 2 and a.category >= FLOAT:  # a half is the narrowest of both kinds
        return a
    return of(np.promote_types(a.numpy, b.numpy))


def _is_barebones(d: dtype) -> bool:
    return d.category == INTEGER and d.itemsize > 1 and not d.is_signed


def combine(dimensioned: dtype | None, zero: dtype | None, number: dtype | None) -> dtype:
    """Return the type of a result whose operands have these types.

    Tensors with dimensions decide over 0-d tensors, and these over Python numbers: the lower ones
    count only where they are of a higher category (bool, integer, float, complex).
    """
    result = _combined(dimensioned, _combined(zero, number))
    assert result is not None
    return result


def _combined(higher: dtype | None, lower: dtype | None) -> dtype | None:
    if higher is None or lower is None:
        return higher or lower
    if higher.is_complex:
        return higher
    if higher.is_floating_point:
        return higher.to_complex() if lower.is_complex else higher
    if higher is bool_ or lower.category >= FLOAT:
        return promote_types(higher, lower)
    return higher


def can_cast(source: dtype, target: dtype) -> bool:
    """Tell whether an in-place operation may store ``source`` in ``target``."""
    return source.category <= target.category

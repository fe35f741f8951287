"""Arrays of other libraries on their own memory: DLPack, and CUDA's array interface.

Nothing is copied, and nothing is read before its type is known to be one of ours.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from gpugrad import _dtype, backend

Array = Any

# DLPack's numbers: of places, and of the kinds of numbers.
CPU, CUDA, PINNED, MANAGED = 1, 2, 3, 13
KINDS = {0: "int", 1: "uint", 2: "float", 3: "handle", 4: "bfloat", 5: "complex", 6: "bool"}
_KNOWN = {"bool8" if d.name == "bool" else d.name for d in _dtype.DTYPES.values()} | {"bfloat16"}
_NAMES = b"dltensor", b"dltensor_versioned"


class _Place(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int32), ("index", ctypes.c_int32))


class _Type(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Exported(ctypes.Structure):
    """The part that both versions of a capsule have."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("place", _Place),
        ("ndim", ctypes.c_int32),
        ("type", _Type),
    )


# Before it, the later version has its number, two pointers, and flags.
_BEFORE = 2 * ctypes.sizeof(ctypes.c_uint32) + 2 * ctypes.sizeof(ctypes.c_void_p) + 8

_name_of, _pointer_of = (
    ctypes.pythonapi[name] for name in ("PyCapsule_GetName", "PyCapsule_GetPointer")
)
_name_of.restype, _name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def is_capsule(value: object) -> bool:
    """Tell whether a value is what ``to_dlpack`` of some library returns."""
    return type(value).__name__ == "PyCapsule"


def _inside(capsule: Any) -> _Exported:
    """Return what a capsule says.

    Raises:
        RuntimeError: Someone has taken its memory before, or it is none of DLPack's.
    """
    name = _name_of(capsule)
    if name not in _NAMES:
        raise RuntimeError(
            "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed "
            "only once, so you might have already constructed a tensor from it once."
        )
    address = _pointer_of(capsule, name)
    return _Exported.from_address(address + (_BEFORE if name == _NAMES[1] else 0))


class Checked:
    """What a library exports by DLPack, for NumPy or CuPy to take once its type is known."""

    def __init__(self, source: Any):
        """Keep what exports: an object with ``__dlpack__``, or a capsule."""
        self.source = source

    def __dlpack__(self, **options: Any) -> Any:
        """Return the capsule.

        Raises:
            TypeError: Its type is none of ours.
        """
        source = self.source
        capsule = source if is_capsule(source) else source.__dlpack__(**options)
        found = _inside(capsule)
        code, bits, lanes = found.type.code, found.type.bits, found.type.lanes
        name = f"{KINDS[code]}{bits}" if code in KINDS else f"number {code} of {bits} bits"
        if lanes != 1 or name not in _KNOWN:
            vectors = "" if lanes == 1 else f" in vectors of {lanes}"
            raise TypeError(
                f"from_dlpack(): no tensor has elements of DLPack's type {name}{vectors}. Convert "
                f"them first to one of {_dtype.SUPPORTED}."
            )
        if name == "bfloat16" and found.place.kind in (CPU, PINNED):
            raise TypeError(
                "from_dlpack(): NumPy takes no bfloat16 by DLPack. Export its bits as int16, and "
                "view them: gpugrad.from_dlpack(x.view(int16)).view(gpugrad.bfloat16)."
            )
        return capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return DLPack's number of the place, and which one of these it is."""
        if not is_capsule(self.source):
            kind, index = self.source.__dlpack_device__()
            return int(kind), int(index)
        place = _inside(self.source).place
        return place.kind, place.index


class _Writable:
    """The memory of an array, which may be written: a capsule of the earlier version cannot say."""

    def __init__(self, array: Any):
        self.array = array
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}


def from_dlpack(source: Any) -> Array:
    """Return the array on the memory of what exports by DLPack.

    An object that does not say that it may be written, as JAX's do not, may not; a capsule may.

    Raises:
        TypeError: Its type is none of ours.
        RuntimeError: It is a capsule that was taken before, or memory that is neither the CPU's nor
            a GPU's.
    """
    checked = Checked(source)
    kind, _ = checked.__dlpack_device__()
    if kind in (CPU, PINNED):
        array = np.from_dlpack(checked)
        return np.asarray(_Writable(array)) if is_capsule(source) else array
    if kind in (CUDA, MANAGED):
        return backend.cuda_backend().xp.from_dlpack(checked)
    raise RuntimeError(
        f"from_dlpack(): memory of DLPack's device type {kind} is neither the CPU's nor CUDA's"
    )


def exported(array: Array, options: dict[str, Any]) -> Any:
    """Return the capsule of an array; a stream of -1 has nothing wait, as in PyTorch.

    Raises:
        BufferError: The library of the array does not export it so.
    """
    if isinstance(array, np.ndarray) and options.get("stream") == -1:
        del options["stream"]
    return array.__dlpack__(**options)


def foreign(value: Any) -> Array | None:
    """Return the array on the memory of another library's object, ``None`` if it has none.

    It is one that has CUDA's array interface, as Numba's and RAPIDS' have, or exports by DLPack.

    Raises:
        TypeError: Its type is none of ours.
    """
    interface = getattr(value, "__cuda_array_interface__", None)
    if isinstance(interface, dict):
        _dtype.of(np.dtype(interface["typestr"]))
        return backend.cuda_backend().xp.asarray(value)
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return from_dlpack(value)
    return None

"""Files in the safetensors format, with the structure around the tensors in their metadata.

Any program that knows the format reads the tensors.  Of a file without our metadata a dictionary
of its tensors is returned.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from math import prod
from typing import IO, Any

import numpy as np

from gpugrad import backend
from gpugrad.serialization import structure
from gpugrad.serialization.pieces import (
    Place,
    contiguous,
    known,
    split,
    storage_of,
    tensor_in,
)
from gpugrad.serialization.places import Restore
from gpugrad.serialization.values import (
    DamagedError,
    Found,
    is_parameter,
    names_of,
    parameter,
    tensors_in,
)
from gpugrad.storage import UntypedStorage

Array = Any
KEY = "gpugrad"  # of the metadata
_NAMES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "C64": "complex64",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64",
    "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
MOST_OBJECTS = 2**26  # bytes of objects in a structure that are always read, however small the file


def library() -> Any:
    """Return the package safetensors.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import safetensors
    except ImportError:
        raise ImportError(
            "gpugrad.save and gpugrad.load need the package safetensors: pip install "
            "'gpugrad[files]' (PyTorch's own format needs no package: format='pytorch')"
        ) from None
    return safetensors


# --------------------------------------------------------------------------- writing


def described(root: Any) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the arrays that a file holds of a value, by name, and the metadata."""
    found = tensors_in(root)
    pieces, places = split(one.tensor for one in found)
    names = names_of(found, [place.piece for place in places])
    descriptions = [
        _description(one, place, names[place.piece], pieces[place.piece])
        for one, place in zip(found, places, strict=True)
    ]
    numbers = {id(one.tensor): k for k, one in enumerate(found)}
    text = structure.written(root, numbers, descriptions)
    return {names[k]: _stored(piece) for k, piece in enumerate(pieces)}, {KEY: text}


def _description(one: Found, place: Place, name: str, piece: Array) -> dict[str, Any]:
    """Return what tells a tensor apart from the array of that name."""
    tensor = one.tensor
    made: dict[str, Any] = {"name": name}
    if not place.dense or place.shape != piece.shape or place.dtype != _stored_type(piece):
        made["dtype"] = tensor.dtype.name
        made["shape"], made["strides"] = list(place.shape), list(place.strides)
        made["offset"] = place.offset
    if tensor.requires_grad:
        made["requires_grad"] = True
    if is_parameter(tensor):
        made["parameter"] = True
    if tensor.device.type != "cpu":
        made["device"] = str(tensor.device)
    return made


def _stored_type(piece: Array) -> np.dtype[Any]:
    """Return the type as which an array is stored: complex128 is none of the format's."""
    return np.dtype(np.float64) if piece.dtype == np.complex128 else piece.dtype


def _stored(piece: Array) -> Array:
    host = backend.of(piece).to_numpy(piece)
    if host.dtype == np.complex128:
        host = host.reshape(-1).view(np.float64)
    return host


def write(root: Any, path: str) -> None:
    """Write a value into a file, whatever is there already."""
    safetensors = library()
    arrays, metadata = described(root)
    safetensors.serialize_file(_specified(safetensors, arrays), path, metadata)


def as_bytes(root: Any) -> bytes:
    """Return the content of a file."""
    safetensors = library()
    arrays, metadata = described(root)
    return bytes(safetensors.serialize(_specified(safetensors, arrays), metadata))


def _specified(safetensors: Any, arrays: dict[str, Array]) -> dict[str, Any]:
    """Return addresses, which are those of memory as long as the arrays are."""
    return {
        name: safetensors.TensorSpec(
            dtype=a.dtype.name, shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes
        )
        for name, a in arrays.items()
    }


# --------------------------------------------------------------------------- reading


class Contents:
    """The arrays of a file by name, in the order of their memory, and its metadata."""

    def __init__(self, arrays: dict[str, Array], metadata: dict[str, str]):
        self.arrays = arrays
        self.metadata = metadata


def of_path(path: str, mapped: bool) -> Contents:
    """Return what a file holds; its memory is that of the file itself where it is ``mapped``.

    Raises:
        DamagedError: It is not of the format.
    """
    safetensors = library()
    try:
        with safetensors.safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            names = list(file.offset_keys())
            kinds = [_type(file.get_slice(name).get_dtype()) for name in names]
            if mapped:
                return Contents(_mapped(path, file, names, kinds), metadata)
            return Contents({name: file.get_tensor(name) for name in names}, metadata)
    except (safetensors.SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise DamagedError(str(error)) from None


def _mapped(path: str, file: Any, names: list[str], kinds: list[np.dtype[Any]]) -> dict[str, Array]:
    shapes = [tuple(file.get_slice(name).get_shape()) for name in names]
    memory = map_file(path)
    at = 8 + int.from_bytes(memory[:8].tobytes(), "little")
    arrays = {}
    for name, kind, shape in zip(names, kinds, shapes, strict=True):
        size = prod(shape) * kind.itemsize
        part = memory[at : at + size]
        if at % kind.itemsize:  # files of others need not be aligned, arrays must
            part = part.copy()
        arrays[name] = part.view(kind).reshape(shape)
        at += size
    return arrays


def map_file(path: str) -> Array:
    """Return the bytes of a file without reading them; what is written there is not in the file."""
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return np.empty(0, np.uint8)
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return np.frombuffer(content, np.uint8)


def of_file(file: IO[bytes]) -> Contents:
    """Return what an open file holds from where it stands.

    Raises:
        DamagedError: It is not of the format.
    """
    safetensors = library()
    data = file.read()
    try:
        found = safetensors.deserialize(data)
        arrays = {
            name: np.frombuffer(part["data"], _type(part["dtype"])).reshape(part["shape"])
            for name, part in found
        }
        length = int.from_bytes(data[:8], "little")
        header = structure.header(data[8 : 8 + length])
    except (safetensors.SafetensorError, ValueError) as error:
        raise DamagedError(str(error)) from None
    return Contents(arrays, header)


def _type(name: str) -> np.dtype[Any]:
    if name not in _NAMES:
        raise DamagedError(f"it has elements of the type {name}, which gpugrad has not")
    return known(_NAMES[name]).numpy


def read(contents: Contents, restore: Restore) -> Any:
    """Return the value that a file describes.

    Raises:
        DamagedError: Its structure does not fit its arrays.
    """
    arrays, text = contents.arrays, contents.metadata.get(KEY)
    if text is None:
        make = _maker(arrays, restore)
        return {name: make({"name": name}) for name in arrays}
    size = sum(a.nbytes for a in arrays.values()) + len(text)
    if (text.count("[") + text.count("{")) * 64 > 2 * size + MOST_OBJECTS:
        raise DamagedError("its structure would take much more memory than the file")
    return structure.read(text, _maker(arrays, restore))


def _maker(arrays: dict[str, Array], restore: Restore) -> Callable[[Any], Any]:
    """Return what makes tensors of their descriptions; memory is put in its place once."""
    storages: dict[str, UntypedStorage] = {}

    def make(description: Any) -> Any:
        if not isinstance(description, dict):
            raise DamagedError("a tensor is described by no object")
        name = description.get("name")
        if not isinstance(name, str) or name not in arrays:
            raise DamagedError(f"there is no tensor {name!r}, of which its structure speaks")
        array = arrays[name]
        tag = description.get("device", "cpu")
        if not isinstance(tag, str):
            raise DamagedError(f"a tensor is on the device {tag!r}")
        if name not in storages:
            storages[name] = restore(storage_of(array), tag)
        return _made(description, array, storages[name])

    return make


def _made(description: dict[str, Any], array: Array, storage: UntypedStorage) -> Any:
    shape: Any = list(array.shape)
    strides: Any = list(contiguous(shape, array.itemsize))
    offset: Any = 0
    kind = array.dtype.name
    if "dtype" in description:
        given = (description.get(k) for k in ("dtype", "shape", "strides", "offset"))
        kind, shape, strides, offset = given
    if not isinstance(shape, list) or not isinstance(strides, list):
        raise DamagedError("a tensor has no shape, or no strides")
    requires_grad = description.get("requires_grad", False)
    try:
        dtype = known(kind)
        if description.get("parameter"):
            made = tensor_in(storage, dtype, shape, strides, offset)
            return parameter(made, requires_grad)
        return tensor_in(storage, dtype, shape, strides, offset, requires_grad)
    except (ValueError, RuntimeError, TypeError, OverflowError) as error:
        raise DamagedError(str(error)) from None

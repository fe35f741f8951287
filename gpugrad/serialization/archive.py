"""PyTorch's own files: zip archives of a pickle and of the memory that its tensors lie in.

What ``torch.save`` writes of tensors, numbers and containers is read, and what is written here
``torch.load`` reads.
"""

from __future__ import annotations

import pickle
import sys
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.graph import TensorBase
from gpugrad.serialization.pickled import Name, Pickler, StoredType, Unpickler, plain_name
from gpugrad.serialization.pieces import BYTE, Place, split, storage_of, tensor_in
from gpugrad.serialization.places import Restore
from gpugrad.serialization.values import (
    DamagedError,
    MisplacedError,
    check_depth,
    give_attributes,
    is_parameter,
    parameter,
    tensors_in,
)
from gpugrad.storage import TypedStorage, UntypedStorage

Array = Any
_ALIGNMENT = 64  # of records, which PyTorch's own files have, and what maps them needs
_CHUNK = 2**24  # how much is read at once: zipfile copies what it reads
_NEWEST = 10  # version of PyTorch's format

# --------------------------------------------------------------------------- writing

_STORED = {
    "float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage", "int64": "LongStorage", "int32": "IntStorage",
    "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage", "bool": "BoolStorage",
    "complex128": "ComplexDoubleStorage", "complex64": "ComplexFloatStorage",
}  # fmt: skip


def write(root: Any, file: IO[bytes]) -> None:
    """Write a value into an open file.

    Raises:
        RuntimeError: Tensors of several types share memory.
        ValueError: A whole number is too large.
    """
    found = tensors_in(root)
    pieces, places = split(one.tensor for one in found)
    by_id = {
        id(one.tensor): (place, pieces[place.piece].nbytes)
        for one, place in zip(found, places, strict=True)
    }
    kinds: dict[int, np.dtype[Any]] = {}
    for place in places:
        if kinds.setdefault(place.piece, place.dtype) != place.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different "
                "types"
            )
    data = Pickler(lambda out, tensor: _tensor(out, tensor, *by_id[id(tensor)])).dump(root)
    with zipfile.ZipFile(file, "w") as archive:
        _record(archive, "data.pkl", data)
        _record(archive, "byteorder", sys.byteorder.encode())
        for number, piece in enumerate(pieces):
            host = backend.of(piece).to_numpy(piece)
            _record(archive, f"data/{number}", host.reshape(-1).view(BYTE) if host.size else b"")
        _record(archive, "version", b"3\n")


def _record(archive: zipfile.ZipFile, name: str, content: Any) -> None:
    """Write a record so that its content begins at a multiple of the alignment."""
    info = zipfile.ZipInfo(f"archive/{name}")
    size = memoryview(content).nbytes
    large = size >= 2**31  # then zipfile puts 20 bytes before what else the header has
    begin = archive.start_dir + 30 + len(info.filename) + 20 * large + 4
    padding = -begin % _ALIGNMENT
    info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
    with archive.open(info, "w", force_zip64=large) as record:
        for start in range(0, size, _CHUNK):
            record.write(memoryview(content)[start : start + _CHUNK])


def _tensor(out: Pickler, tensor: Any, place: Place, size: int) -> None:
    """Write a call that makes a tensor, in a piece of so many bytes."""
    if is_parameter(tensor):
        out.name("torch._utils", "_rebuild_parameter")
        out.parts.append(pickle.MARK)
        _plain_tensor(out, tensor, place, size, False)
        out.write(tensor.requires_grad)
        out.call("collections", "OrderedDict")
        out.parts += [pickle.TUPLE, pickle.REDUCE]
    else:
        _plain_tensor(out, tensor, place, size, tensor.requires_grad)


def _plain_tensor(out: Pickler, tensor: Any, place: Place, size: int, requires_grad: bool) -> None:
    name, itemsize = tensor.dtype.name, tensor.element_size()
    typed = name in _STORED
    out.name("torch._utils", "_rebuild_tensor_v2" if typed else "_rebuild_tensor_v3")
    out.parts.append(pickle.MARK)
    out.parts.append(pickle.MARK)
    out.write("storage")
    if typed:
        out.name("torch", _STORED[name])
    else:
        out.name("torch.storage", "UntypedStorage")
    count = size // itemsize if typed else size
    out.all([str(place.piece), str(tensor.device), count])
    out.parts += [pickle.TUPLE, pickle.BINPERSID]
    steps = tuple(s // itemsize for s in place.strides)
    out.all([place.offset // itemsize, tuple(place.shape), steps, requires_grad])
    out.call("collections", "OrderedDict")
    if not typed:
        out.name("torch", name)
    out.parts += [pickle.TUPLE, pickle.REDUCE]


# --------------------------------------------------------------------------- reading


def read(file: IO[bytes], size: int, mapped: Array | None, restore: Restore) -> Any:
    """Return the value in an open file of a size; ``mapped`` are its bytes, if it is mapped.

    Raises:
        DamagedError: It is no such archive.
        UnpicklingError: It holds something that is no tensor and no container.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _Archive(archive, file, size, mapped, restore).value()
    except (DamagedError, MisplacedError, pickle.UnpicklingError):
        raise
    except Exception as error:  # zipfile raises of nearly every class where bytes are wrong
        raise DamagedError(f"{type(error).__name__}: {error}") from None


class _Archive:
    """The records of an archive, and what is made of them."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        file: IO[bytes],
        size: int,
        mapped: Array | None,
        restore: Restore,
    ):
        self.archive = archive
        self.file = file
        self.size = size
        self.mapped = mapped
        self.restore = restore
        self.storages: dict[str, tuple[UntypedStorage, Any, Any]] = {}
        self.records: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            _, _, name = info.filename.partition("/")  # the folder has the archive's name
            if name in self.records:
                raise DamagedError(f"the record {name!r} is there twice")
            self.records[name] = info
        if sum(info.file_size for info in self.records.values()) > size:
            raise DamagedError("its records are larger than the file")
        self.swapped = False

    def value(self) -> Any:
        """Return what the archive holds."""
        if "constants.pkl" in self.records:
            raise DamagedError("this is a TorchScript archive, a program; save a state_dict()")
        if "data.pkl" not in self.records or "version" not in self.records:
            raise DamagedError("this zip file was not written by torch.save")
        version = self.bytes("version")
        if not version.strip().isdigit() or int(version) > _NEWEST:
            raise DamagedError(f"it is of the version {version!r:.40}, the newest known: {_NEWEST}")
        if "byteorder" in self.records:
            order = self.bytes("byteorder")
            if order not in (b"little", b"big"):
                raise DamagedError(f"Unknown endianness type: {order!r:.40}")
            self.swapped = order != sys.byteorder.encode()
        found = Unpickler(self.bytes("data.pkl"), self.named, self.stored, self.size).load()
        check_depth(found)
        return found

    def bytes(self, name: str) -> bytes:
        """Return a record."""
        return self.array(name, copied=True).tobytes()

    def array(self, name: str, copied: bool = False) -> Array:
        """Return a record as new memory, or as that of the file where this is mapped."""
        info = self.records.get(name)
        if info is None:
            raise DamagedError(f"it has no record {name!r}")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise DamagedError(f"the record {name!r} is compressed, which torch.save never does")
        begin = self._begin(info)
        if self.mapped is not None and not copied:
            found = self.mapped[begin : begin + info.file_size]
            return found if begin % 16 == 0 else found.copy()
        found = self._read(begin, info.file_size)
        if zlib.crc32(found) != info.CRC:
            raise DamagedError(f"the record {name!r} has another checksum than it should")
        return found

    def _read(self, begin: int, size: int) -> Array:
        """Return bytes of the file as new memory: zipfile's own way copies them twice."""
        found = np.empty(size, BYTE)
        self.file.seek(begin)
        into: Callable[[memoryview], int] = getattr(self.file, "readinto", self._into)
        at = 0
        while at < size:
            count = into(found.data[at : at + _CHUNK])
            if not count:
                raise DamagedError("it ends early")
            at += count
        return found

    def _into(self, part: memoryview) -> int:
        """Read the next bytes from what only returns them."""
        data = self.file.read(part.nbytes)
        part[: len(data)] = data
        return len(data)

    def _begin(self, info: zipfile.ZipInfo) -> int:
        """Return where the content of a record begins in the file."""
        at = info.header_offset
        self.file.seek(at)
        header = self.file.read(30)
        if len(header) != 30 or not header.startswith(b"PK\x03\x04"):
            raise DamagedError(f"the record {info.filename!r} has no header")
        begin = at + 30 + sum(int.from_bytes(header[k : k + 2], "little") for k in (26, 28))
        if self.mapped is not None and begin + info.file_size > self.mapped.size:
            raise DamagedError(f"the record {info.filename!r} ends behind the file")
        return begin

    def stored(self, described: Any) -> TypedStorage | UntypedStorage:
        """Return the memory that a pickle speaks of."""
        if type(described) is not tuple or len(described) != 5 or described[0] != "storage":
            raise DamagedError(f"it has storages described by {described!r:.80}")
        _, kind, key, tag, count = described
        if type(kind) is not StoredType or type(key) is not str or type(tag) is not str:
            raise DamagedError(f"it has storages described by {described!r:.80}")
        if type(count) is not int or count < 0:
            raise DamagedError(f"it has a storage of {count!r:.40} elements")
        if key not in self.storages:
            self.storages[key] = self._restored(kind.dtype, key, tag, count)
        storage, dtype, n = self.storages[key]
        if (dtype, n) != (kind.dtype, count):
            raise DamagedError(f"the storage {key!r} is described in two ways")
        return storage if dtype is None else TypedStorage(wrap_storage=storage, dtype=dtype)

    def _restored(self, dtype: Any, key: str, tag: str, count: int) -> tuple[Any, Any, int]:
        array = self.array(f"data/{key}")
        itemsize = 1 if dtype is None else dtype.itemsize
        if array.size != count * itemsize:
            raise DamagedError(
                f"the storage {key!r} has {array.size} bytes, not {count * itemsize}"
            )
        if self.swapped and dtype is not None and itemsize > 1:
            width = itemsize // 2 if dtype.is_complex else itemsize
            array.view(np.dtype(f"u{width}")).byteswap(inplace=True)
        elif self.swapped and dtype is None and array.size:
            raise DamagedError("it was written on a machine of the other byte order, without types")
        return self.restore(storage_of(array), tag), dtype, count

    def named(self, text: str) -> Any:
        """Return what the pickle names."""
        make = _MAKERS.get(text)
        if make is not None:
            return Name(text, make)
        if text in ("torch.nn.parameter.Parameter", "torch._tensor.Tensor", "torch.Tensor"):
            return Name(text)
        if text == "torch.nn.parameter.Buffer":
            return Name("torch.Tensor")
        return plain_name(text)


def _tensor_v2(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    metadata: Any = None,
) -> Any:
    if not isinstance(storage, TypedStorage):
        raise TypeError("a tensor lies in no storage that has a type")
    return _tensor_of(
        storage.untyped(), storage.dtype, offset, size, stride, requires_grad, metadata
    )


def _tensor_v3(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Any:
    if not isinstance(storage, UntypedStorage) or not isinstance(dtype, _dtype.dtype):
        raise TypeError("a tensor has no storage, or no type")
    return _tensor_of(storage, dtype, offset, size, stride, requires_grad, metadata)


def _tensor_of(
    storage: UntypedStorage,
    dtype: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    metadata: Any,
) -> Any:
    counts = [offset, *size, *stride]
    if not all(type(n) is int for n in counts) or not isinstance(requires_grad, bool):
        raise TypeError("a tensor has a shape, or strides, of what are no numbers")
    steps = [step * dtype.itemsize for step in stride]
    begin = offset * dtype.itemsize
    made = tensor_in(storage, dtype, list(size), steps, begin, requires_grad)
    for what in metadata or ():
        if what == "conj" and metadata[what] is True:
            made = made.conj().resolve_conj()
        elif what == "neg" and metadata[what] is True:
            made = -made
        else:
            raise ValueError(f"a tensor is {what!r:.40}, which tensors are not")
    return made


def _parameter(data: Any, requires_grad: Any, hooks: Any) -> Any:
    if not isinstance(data, TensorBase):
        raise TypeError("a parameter is no tensor")
    return parameter(data, requires_grad)


def _parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
    return _with(_parameter(data, requires_grad, hooks), state)


def _of_type(make: Any, kind: Any, arguments: Any, state: Any) -> Any:
    """Return a tensor with attributes."""
    if not isinstance(make, Name) or make.text not in _MAKERS or make.text.endswith("type_v2"):
        raise TypeError("a tensor is made by nothing that makes tensors")
    made = make.call(*arguments)  # type: ignore[misc]
    expected = "torch.nn.parameter.Parameter" if is_parameter(made) else "torch.Tensor"
    if not isinstance(kind, Name) or kind.text.replace("_tensor.", "") != expected:
        raise TypeError("a tensor is of a class that is none of PyTorch's")
    return _with(made, state)


def _with(made: Any, state: Any) -> Any:
    if type(state) is tuple and len(state) == 2 and not state[1]:
        state = state[0]
    give_attributes(made, state)
    return made


_MAKERS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor_v2": _tensor_v2,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter_with_state,
    "torch._tensor._rebuild_from_type_v2": _of_type,
}

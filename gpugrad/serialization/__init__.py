"""Files of tensors: ``save`` and ``load``, which never execute anything that a file says.

>>> import gpugrad, io
>>> file = io.BytesIO()
>>> gpugrad.save({"weight": gpugrad.ones(2), "epoch": 3}, file)
>>> _ = file.seek(0)
>>> gpugrad.load(file)
{'weight': tensor([1., 1.]), 'epoch': 3}
"""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import IO, Any

from gpugrad.serialization import archive, safe
from gpugrad.serialization.places import MapLocation, restoring
from gpugrad.serialization.values import DamagedError, MisplacedError
from gpugrad.serialization.writing import replaced

__all__ = ["load", "save"]

FileLike = str | os.PathLike[str] | IO[bytes]
_ZIP = b"PK\x03\x04"
_LONGEST_HEADER = 10**8  # of safetensors
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # its magic number, pickled


def save(
    obj: Any,
    f: FileLike,
    pickle_module: Any = None,
    pickle_protocol: int | None = None,
    _use_new_zipfile_serialization: bool = True,
    *,
    format: str = "safetensors",
) -> None:
    """Write tensors, and containers of tensors and plain values, into a file.

    Tensors that share memory do so when they are loaded, keep their strides, types, devices and
    whether they require grad, and parameters are parameters.  A lone view is written without what
    lies between its elements.  A file of that name is replaced by the new one when this is
    complete, and stays as it is if something goes wrong.

    Args:
        obj: Tensors, parameters, numbers, texts, bytes, ``None``, types and devices, in any
            lists, tuples, sets, dictionaries and ordered dictionaries: a ``state_dict()``.
            NumPy's numbers are loaded as Python's.
        f: The name of the file, or an open one.
        pickle_module: None: nothing is pickled by Python's modules.
        pickle_protocol: None or 2, that of PyTorch's files.
        format: ``"safetensors"``, or ``"pytorch"`` for a file that ``torch.load`` reads.

    Raises:
        ImportError: The package safetensors is not installed, and the format is its.
        RuntimeError: In PyTorch's format, tensors of several types share memory.
        TypeError: There is something else in it, such as a module.
        ValueError: The format is unknown, a container holds itself, or they are nested too deeply.
    """
    if pickle_module is not None or pickle_protocol not in (None, 2):
        raise ValueError("save: no module pickles, and the protocol of PyTorch's files is 2")
    if not _use_new_zipfile_serialization:
        raise ValueError("save: PyTorch's format of before version 1.6 is not written")
    if format not in ("safetensors", "pytorch"):
        raise ValueError(f"save: format must be 'safetensors' or 'pytorch', not {format!r}")
    if not isinstance(f, str | os.PathLike):
        if not hasattr(f, "write"):
            raise AttributeError("expected 'f' to be string, path, or a file-like object with a "
                                 "'write' attribute")  # fmt: skip
        if format == "pytorch":
            archive.write(obj, f)
        else:
            f.write(safe.as_bytes(obj))
        return
    with replaced(os.fspath(f)) as name:
        if format == "pytorch":
            with open(name, "wb") as file:
                archive.write(obj, file)
        else:
            safe.write(obj, name)


def load(
    f: FileLike,
    map_location: MapLocation = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Return what :func:`save`, or ``torch.save``, wrote into a file.

    Nothing that a file says is executed: tensors and containers are made, and nothing else, with
    ``weights_only=False``, too.  Of a safetensors file of another program a dictionary of its
    tensors is returned.

    Args:
        f: The name of the file, or an open one.
        map_location: Where tensors are put: a device; a dictionary of the devices' names in the
            file; or a function of an ``UntypedStorage`` on the CPU and such a name, which returns
            another one, or ``None``.  By default they are put where they were.
        pickle_module: None: nothing is read by Python's modules.
        weights_only: Always so.
        mmap: Whether tensors stay in the file, and are read where they are used; writes to them do
            not reach it.
        pickle_load_args: Ignored.

    Raises:
        ImportError: The package safetensors is not installed, and the file is of its format.
        RuntimeError: The file is damaged, or of no such format, which is told with its name; or
            there is no device that it names.
        UnpicklingError: It is PyTorch's, and holds more than tensors and containers.
    """
    if pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    restore = restoring(map_location)
    path = os.fspath(f) if isinstance(f, str | os.PathLike) else None
    if path is None and mmap:
        raise ValueError("f must be a file path in order to use the mmap argument")
    if path is None and not hasattr(f, "read"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a "
                             "'read' attribute")  # fmt: skip
    name = path if path is not None else str(getattr(f, "name", "the file"))
    try:
        if path is None:
            return _of_file(f, restore)  # type: ignore[arg-type]
        with open(path, "rb") as file:
            begin = _begin(file)
            if begin.startswith(_ZIP):
                mapped = safe.map_file(path) if mmap else None
                return archive.read(file, Path(path).stat().st_size, mapped, restore)
        return safe.read(safe.of_path(path, bool(mmap)), restore)
    except MisplacedError as error:
        cause = error.__cause__ or error
        cause.add_note(f"while {name} was loaded")
        raise cause from None
    except DamagedError as error:
        raise RuntimeError(f"gpugrad.load: {name} cannot be read: {error}") from None
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"Weights only load failed for {name}: {error}") from None


def _of_file(file: IO[bytes], restore: Any) -> Any:
    if not hasattr(file, "seek"):
        file = io.BytesIO(file.read())
    start = file.tell()
    begin = _begin(file)
    if begin.startswith(_ZIP):
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        return archive.read(file, size, None, restore)
    return safe.read(safe.of_file(file), restore)


def _begin(file: IO[bytes]) -> bytes:
    """Return the first bytes of a file, which stays where it is.

    Raises:
        DamagedError: It is empty, or of one of PyTorch's older formats.
    """
    start = file.tell()
    begin = file.read(265)
    file.seek(start)
    if not begin:
        raise DamagedError("it is empty")
    if begin[8:9] == b"{" and int.from_bytes(begin[:8], "little") < _LONGEST_HEADER:
        return begin  # safetensors, though the length of its header may begin as a pickle does
    if begin.startswith(_LEGACY) or begin[257:262] == b"ustar":
        raise DamagedError(
            "it is of the format that PyTorch wrote before version 1.6; torch.save what torch.load "
            "reads of it"
        )
    if begin.startswith(b"\x80"):
        raise DamagedError("it is a pickle, which could do anything; gpugrad.load runs nothing")
    return begin

"""Where the memory of tensors is put when it is loaded, which ``map_location`` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gpugrad import cuda
from gpugrad._device import device
from gpugrad.serialization.values import MisplacedError
from gpugrad.storage import UntypedStorage

MapLocation = None | str | device | Mapping[str, Any] | Callable[[UntypedStorage, str], Any]
Restore = Callable[[UntypedStorage, str], UntypedStorage]


def restoring(map_location: MapLocation) -> Restore:
    """Return what puts a memory that was read from a file where it belongs.

    It raises MisplacedError, whatever goes wrong: that is not the file's fault.
    """
    place = _placing(map_location)

    def restore(storage: UntypedStorage, tag: str) -> UntypedStorage:
        try:
            return place(storage, tag)
        except Exception as error:
            raise MisplacedError from error

    return restore


def _placing(map_location: MapLocation) -> Restore:
    if map_location is None:
        return _there
    if isinstance(map_location, str | device):
        where = str(map_location)
        return lambda storage, _: _there(storage, where)
    if isinstance(map_location, Mapping):
        table = map_location
        return lambda storage, tag: _there(storage, str(table.get(tag, tag)))
    return lambda storage, tag: _chosen(map_location, storage, tag)


def _chosen(choose: Callable[..., Any], storage: UntypedStorage, tag: str) -> UntypedStorage:
    found = choose(storage, tag)
    if found is None:
        return _there(storage, tag)
    if not isinstance(found, UntypedStorage):
        raise TypeError(
            f"map_location must return an UntypedStorage or None, not {type(found).__name__}"
        )
    if found.nbytes() < storage.nbytes():
        raise ValueError(
            f"map_location returned {found.nbytes()} bytes for a memory of {storage.nbytes()}"
        )
    return found


def _there(storage: UntypedStorage, tag: str) -> UntypedStorage:
    """Return a memory where its tag says.

    Raises:
        RuntimeError: There is no such device, or no such GPU.
    """
    if tag == "cpu":
        return storage.cpu()
    if tag.partition(":")[0] != "cuda":
        raise RuntimeError(
            f"don't know how to restore data location of gpugrad.storage.UntypedStorage (tagged "
            f"with {tag})"
        )
    where = device(tag)
    if not cuda.is_available():
        raise RuntimeError(
            "Attempting to deserialize object on a CUDA device but gpugrad.cuda.is_available() is "
            "False. If you are running on a CPU-only machine, please use gpugrad.load with "
            "map_location=gpugrad.device('cpu') to map your storages to the CPU."
        )
    count = cuda.device_count()
    if where.index is not None and where.index >= count:
        raise RuntimeError(
            f"Attempting to deserialize object on CUDA device {where.index} but "
            f"gpugrad.cuda.device_count() is {count}. Please use gpugrad.load with map_location to "
            "map your storages to an existing device."
        )
    return storage.cuda(where)

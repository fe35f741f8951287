"""The memory that several tensors lie in, which is copied, and pickled, once for all of them."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from gpugrad import backend
from gpugrad._device import device
from gpugrad.graph import Counter
from gpugrad.op.saved import wrap

Array = Any


class Memory:
    """A piece of memory, as bytes.

    ``copy`` and ``pickle`` know it again for each tensor that lies in it, so that what comes of
    those lies in one piece, too.
    """

    __slots__ = ("__weakref__", "array", "counter")

    def __init__(self, array: Array):
        self.array = array
        self.counter = Counter()  # of the writes to what is made of it

    def __deepcopy__(self, memo: dict[int, Any]) -> Memory:
        return Memory(backend.of(self.array).copy(self.array))

    def __reduce__(self) -> Any:
        door = backend.of(self.array)
        return _unpickled, (door.to_numpy(self.array), str(door.device_of(self.array)))

    def tensor(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        offset: int,
        strides: tuple[int, ...],
    ) -> Any:
        """Return a tensor that lies in it, from ``offset`` on; all sizes are in bytes."""
        made = wrap(backend.of(self.array).strided(self.array, shape, dtype, offset, strides))
        made._counter = self.counter
        return made


def _unpickled(array: Array, where: str) -> Memory:
    place = device(where)
    return Memory(
        array if place.type == "cpu" else backend.of_device(place).from_numpy(array, place)
    )


# By device and address; those that a copy or a pickle under way holds, and no others.
_known: WeakValueDictionary[tuple[device, int], Memory] = WeakValueDictionary()


def memory_of(array: Array) -> tuple[Memory, tuple[Any, ...]]:
    """Return the memory that an array lies in, and how: what :meth:`Memory.tensor` takes."""
    door = backend.of(array)
    whole = door.bytes_of(array)
    start = door.address(whole)
    key = door.device_of(array), start
    memory = _known.get(key)
    if memory is None or memory.array.size != whole.size:
        memory = _known[key] = Memory(whole)
    place = tuple(array.shape), array.dtype, door.address(array) - start, tuple(array.strides)
    return memory, place

"""The directions along which a derivative is taken element by element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpugrad import backend
from gpugrad.op.saved import wrap


def basis(tensor: Any) -> Iterator[Any]:
    """Yield, for each element of a tensor, a new tensor like it that is 1 there and 0 elsewhere."""
    array = tensor._array
    door = backend.of(array)
    where = door.device_of(array)
    for k in range(array.size):
        found = door.full((array.size,), 0, array.dtype, where)
        found[k] = 1
        yield wrap(found.reshape(array.shape))

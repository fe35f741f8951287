"""The memory of tensors as engines carry it: flat, without gaps, on the host or on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad import backend
from gpugrad._tensor import Tensor
from gpugrad.distributed.group import ProcessGroup
from gpugrad.graph import mode
from gpugrad.op.saved import own_array, shared_counter

Array = Any


def check_tensor(value: Any, name: str) -> None:
    """Raise unless a value is a tensor.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type gpugrad.Tensor\n"
            f"             but got {type(value)} instead."
        )


def check_list(value: Any, name: str) -> None:
    """Raise unless a value is a list of tensors.

    Raises:
        TypeError: It is none.
    """
    start = f"Invalid function argument. Expected parameter `{name}` of type List[gpugrad.Tensor]"
    if not isinstance(value, list):
        raise TypeError(f"{start}\n             but got {type(value)} instead.")
    if not all(isinstance(v, Tensor) for v in value):
        kinds = [type(v) for v in value]
        raise TypeError(
            f"{start}\n             but got {type(value)} with elements of type {kinds}."
        )


def check_types(*tensors: Tensor) -> None:
    """Raise where tensors that are carried together are of several types.

    Raises:
        ValueError: They are.
    """
    for tensor in tensors:
        if tensor.dtype is not tensors[0].dtype:
            raise ValueError(
                "Invalid usage of tensors with different dtypes"
                f"Found {tensors[0].dtype} and  {tensor.dtype}"
            )


class Buffer:
    """A tensor as a flat array that is read, or written and then given back to the tensor."""

    def __init__(self, tensor: Any, group: ProcessGroup, written: bool):
        array = own_array(tensor)
        door = backend.of(array)
        if written:
            _check_written(tensor)
        if not group.engine.on_host and door.type != "cuda":
            raise RuntimeError("No backend type associated with device type cpu")
        self.tensor = tensor
        self.door = door
        plain = door.copy(array, "C") if not array.flags.c_contiguous else array
        if group.engine.on_host:
            plain = door.to_numpy(plain)
        self.array = plain.reshape(-1)
        self.own = self.array.size > 0 and plain is array

    def give_back(self) -> None:
        """Write what arrived into the tensor."""
        target = own_array(self.tensor)
        if not self.own and target.size:
            found = self.array.reshape(target.shape)
            if self.door.type == "cuda" and isinstance(found, np.ndarray):
                found = self.door.from_numpy(found, self.tensor.device)
            self.door.assign(target, found)
        shared_counter(self.tensor).value += 1


def _check_written(tensor: Any) -> None:
    if tensor.requires_grad and not tensor.is_leaf and mode.enabled:
        raise RuntimeError(
            "what was computed from what requires grad is not overwritten by other processes: no "
            "gradient comes from there; use tensor.detach()"
        )


def like(arrays: Sequence[Array], count: int) -> Array:
    """Return a new flat array for so many elements, where the first of some arrays is."""
    door = backend.of(arrays[0])
    return door.empty((count,), arrays[0].dtype, door.device_of(arrays[0]))


def joined(arrays: Sequence[Array]) -> Array:
    """Return flat arrays one behind the other."""
    return backend.of(arrays[0]).concatenate(arrays, 0)

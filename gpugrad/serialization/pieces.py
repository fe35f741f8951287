"""The memory of tensors as a file holds it: in pieces, in which tensors lie as they did.

Tensors whose elements lie in each other's way are in one piece, and share it when they are loaded.
What a tensor does not reach is not in the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype as DType  # noqa: N812
from gpugrad.graph import LEAF, TensorBase
from gpugrad.op.follower import follower_of
from gpugrad.op.memory import Memory
from gpugrad.op.saved import own_array, shared_counter, wrap
from gpugrad.ops.stored import of_bytes
from gpugrad.storage import UntypedStorage

Array = Any
BYTE = np.dtype(np.uint8)


class Place(NamedTuple):
    """Where a tensor lies: in which piece, from which byte on, and by which steps in bytes."""

    piece: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def dense(self) -> bool:
        """Whether it is all of a piece in the order of its indices, as far as it tells."""
        return not self.offset and self.strides == contiguous(self.shape, self.dtype.itemsize)


def contiguous(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the steps in bytes of an array whose elements lie in the order of their indices."""
    steps = [itemsize]
    for n in reversed(shape[1:]):
        steps.append(steps[-1] * max(n, 1))
    return tuple(reversed(steps)) if shape else ()


class _Lying(NamedTuple):
    """An array, and between which addresses it lies."""

    array: Array
    number: int
    low: int
    high: int


def split(tensors: Iterable[TensorBase]) -> tuple[list[Array], list[Place]]:
    """Return the pieces of memory that tensors lie in, and for each tensor where.

    A piece is an array whose elements lie in the order of its indices, on the tensors' device: one
    of them where it covers the others, else bytes.
    """
    lying = [_lying(number, t) for number, t in enumerate(tensors)]
    pieces: list[Array] = []
    places: dict[int, Place] = {}
    for group in _groups(lying):
        low = min(one.low for one in group)
        piece, strides = _piece(group, low)
        for one in group:
            lone = strides if strides is not None else one.array.strides
            places[one.number] = Place(
                len(pieces), one.low - low, one.array.shape, lone, one.array.dtype
            )
        pieces.append(piece)
    return pieces, [places[k] for k in range(len(lying))]


def _lying(number: int, tensor: Any) -> _Lying:
    tensor._place()  # which raises where vmap runs: examples have no memory of their own
    if follower_of(tensor) is not None:
        tensor = tensor.resolve_conj()
    array = own_array(tensor)
    door = backend.of(array)
    if any(step < 0 or step % array.itemsize for step in array.strides):
        array = door.copy(array, "C")
    low = door.address(array) if array.size else 0
    steps = zip(array.shape, array.strides, strict=True)
    reach = sum((n - 1) * step for n, step in steps) + array.itemsize if array.size else 0
    return _Lying(array, number, low, low + reach)


def _groups(lying: Sequence[_Lying]) -> Iterable[list[_Lying]]:
    """Return the arrays in groups, of which each is one stretch of memory."""
    groups: dict[Any, list[list[_Lying]]] = {}  # by device
    ends: dict[Any, int] = {}
    for one in sorted(lying, key=lambda one: (one.low, one.high)):
        device = backend.of(one.array).device_of(one.array)
        found = groups.setdefault(device, [])
        if found and one.low < ends[device]:
            found[-1].append(one)
            ends[device] = max(ends[device], one.high)
        else:
            found.append([one])
            ends[device] = one.high
    both = (group for found in groups.values() for group in found)
    return sorted(both, key=lambda group: min(one.number for one in group))


def _piece(group: Sequence[_Lying], low: int) -> tuple[Array, tuple[int, ...] | None]:
    """Return what a file holds of a stretch of memory, and the steps where they are others now."""
    size = max(one.high for one in group) - low
    for one in group:
        array = one.array
        if one.low == low and array.nbytes == size and (plain := _in_order(array)) is not None:
            return plain, None
    if all(_same(one, group[0]) for one in group) and group[0].array.nbytes <= size:
        array = backend.of(group[0].array).copy(group[0].array, "C")  # there are gaps
        return array, array.strides
    door = backend.of(group[0].array)
    whole = door.empty((size,), BYTE, door.device_of(group[0].array))
    for one in group:
        part = door.strided(one.array, (one.high - one.low,), BYTE, 0, (1,))
        door.assign(whole[one.low - low : one.high - low], part)
    return whole, None


def _same(one: _Lying, other: _Lying) -> bool:
    a, b = one.array, other.array
    return one.low == other.low and (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype)


def _in_order(array: Array) -> Array | None:
    """Return a view without gaps in the order of its memory, ``None`` where there is none."""
    axes = sorted(range(array.ndim), key=lambda k: (-array.strides[k], k))
    if axes != sorted(axes):
        array = array.transpose(axes)
    return array if array.flags.c_contiguous else None


# --------------------------------------------------------------------------- the way back


def tensor_in(
    memory: UntypedStorage,
    dtype: DType,
    shape: Any,
    strides: Any,
    offset: Any,
    requires_grad: Any = False,
) -> Any:
    """Return a tensor that lies in a memory; strides and offset are in bytes.

    Raises:
        ValueError: It would not lie in there, or has no gradients and is to require them.
    """
    counts = [offset, *shape, *strides]
    if len(shape) != len(strides) or not all(type(n) is int and n >= 0 for n in counts):
        raise ValueError(f"a tensor has the shape {shape}, the strides {strides}, from {offset}")
    kind = dtype.numpy
    if math.prod(shape):
        steps = zip(shape, strides, strict=True)
        end = offset + sum((n - 1) * step for n, step in steps) + kind.itemsize
    else:
        offset = end = 0
    if end > memory.nbytes():
        raise ValueError(
            f"a tensor of the shape {tuple(shape)} ends {end} bytes after the beginning of a "
            f"memory of {memory.nbytes()} bytes"
        )
    if offset % kind.itemsize or any(step % kind.itemsize for step in strides):
        raise ValueError(f"a tensor of {dtype} lies across its elements")
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(f"a tensor of {dtype} requires grad")
    made = _memory(memory).tensor(tuple(shape), kind, offset, tuple(strides))
    if requires_grad:
        made._edge = LEAF
    return made


def _memory(storage: UntypedStorage) -> Memory:
    memory = Memory(storage.elements._array)
    memory.counter = storage.elements._counter
    return memory


def storage_of(array: Array) -> UntypedStorage:
    """Return an array without gaps as a memory."""
    flat = array.reshape(-1).view(BYTE) if array.size else np.empty(0, BYTE)
    elements = wrap(flat)
    shared_counter(elements)
    return of_bytes(elements)


def known(name: Any) -> DType:
    """Return one of our types by its name.

    Raises:
        ValueError: There is none of that name.
    """
    found = _BY_NAME.get(name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(f"there is no type {name!r}")
    return found


_BY_NAME = {d.name: d for d in (*_dtype.DTYPES.values(), _dtype.bfloat16)}

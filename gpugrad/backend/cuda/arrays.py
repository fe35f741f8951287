"""CuPy's arrays: their memory, copies, views, and new ones."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from math import copysign
from sys import getrefcount
from typing import Any

import cupy
import numpy as np

from gpugrad._device import device
from gpugrad.backend import cpu
from gpugrad.backend.cuda.devices import at_home, on, report
from gpugrad.kernels import capture, launches

xp = cupy
Array = Any
Shape = tuple[int, ...]


def own(array: Array) -> Array:
    """Return the array: CuPy has no scalars of its own."""
    return array


def from_numpy(array: Array, where: device) -> Array:
    """Return a copy of a NumPy array on the device."""
    with on(where):
        array = np.asarray(array)
        if array.ndim:
            return capture.constant(array)
        number = xp.ndarray((), array.dtype)
        fill(number, array[()])
        return number


def lasting(array: Array, where: device) -> Array:
    """Return a copy of a NumPy array that every stream may read from now on, and every graph."""
    with on(where):
        found = capture.constant(array.reshape(-1))
        if capture.current() is None:
            xp.cuda.get_current_stream().synchronize()
        return found.reshape(array.shape)


def copied_by_replays(array: Array, where: device) -> Array:
    """Return a copy of a user's array on the device, which each replay of a graph makes again.

    Raises:
        RuntimeError: It does not lie in page-locked memory.
    """
    with on(where):
        return capture.copied_by_replays(array, is_pinned(array))


@at_home
def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return a copy in host memory; waits for the device."""
    capture.refuse("a copy to the host")
    result: np.ndarray[Any, Any] = xp.asnumpy(array)
    report()
    return result


@at_home
def to_pinned(array: Array) -> np.ndarray[Any, Any]:
    """Return a copy in page-locked host memory; waits for the device."""
    capture.refuse("a copy to the host")
    memory = xp.cuda.alloc_pinned_memory(array.nbytes)
    pinned = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
    result: np.ndarray[Any, Any] = xp.asnumpy(array, out=pinned)
    report()
    return result


def pinned(array: Array) -> np.ndarray[Any, Any]:
    """Return a copy of a NumPy array in page-locked host memory."""
    memory = xp.cuda.alloc_pinned_memory(array.nbytes)
    result = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
    result[...] = array
    return result


def is_pinned(array: Array) -> bool:
    """Tell whether a NumPy array lies in page-locked memory that this process took by CuPy."""
    while isinstance(array, np.ndarray):
        array = array.base
    owner = array.obj if isinstance(array, memoryview) else array
    return isinstance(owner, xp.cuda.PinnedMemoryPointer)


@at_home
def item(array: Array) -> Any:
    """Return the one element as a Python number; waits for the device."""
    capture.refuse("item()")
    value = array.item()
    report()
    return value


def full(shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array filled with ``value``."""
    with on(where):
        array = xp.ndarray(shape, dtype)
        fill(array, value)
        return array


def empty(shape: Shape, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array whose values are not defined."""
    with on(where):
        return xp.empty(shape, dtype)


@at_home
def empty_like(array: Array, order: str) -> Array:
    """Return a new array of the shape, type and device of another one."""
    return xp.empty_like(array, order=order)


def count(stop: int, where: device) -> Array:
    """Return the int64 numbers from 0 up to ``stop``."""
    with on(where):
        launches.add(stop > 0)
        return xp.arange(stop)


@at_home
def astype(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return a copy with another element type; complex to real keeps the real part."""
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        array = array.real
    launches.add(array.size > 0)
    return array.astype(dtype)


@at_home
def copy(array: Array, order: str = "K") -> Array:
    """Return a copy with memory of its own."""
    launches.add(array.size > 0)
    return array.copy(order=order)


def in_order(array: Array) -> Array:
    """Return the array, or a copy that lies in the order of its indices."""
    return array if array.flags.c_contiguous else copy(array, "C")


@at_home
def assign(target: Array, source: Array) -> None:
    """Write ``source`` into ``target``, broadcasting and casting."""
    if target.dtype.kind != "c" and getattr(source, "dtype", target.dtype).kind == "c":
        source = source.real
    if isinstance(source, xp.ndarray):
        launches.add(target.size > 0 and not _copied_by_driver(target, source))
        xp.copyto(target, source, casting="unsafe")
    else:
        fill(target, source)


def fill(array: Array, value: Any) -> None:
    """Set all elements to a number; CuPy's own makes 0 of -0."""
    cleared = value == 0 and array.flags.c_contiguous  # by the driver, without a kernel
    if cleared and -1 in (copysign(1, value.real), copysign(1, value.imag)):
        cleared = False
        xp.copyto(array, value)
    else:
        array.fill(value)
    launches.add(array.size > 0 and not cleared)


def _copied_by_driver(target: Array, source: Array) -> bool:
    """Tell whether ``copyto`` takes no kernel: of equal memory layouts the bytes are copied."""
    if target.size != source.size or target.dtype != source.dtype:
        return False
    ours, theirs = target.flags, source.flags
    return bool(
        (ours.c_contiguous and theirs.c_contiguous) or (ours.f_contiguous and theirs.f_contiguous)
    )


@at_home
def add_into(target: Array, source: Array) -> None:
    """Add ``source`` to ``target`` in its memory."""
    launches.add(target.size > 0)
    xp.add(target, source, out=target, casting="unsafe")


def add_overlapping(view: Array, values: Array) -> bool:
    """Leave it to one kernel that adds at indices."""
    return False


def address(array: Array) -> int:
    """Return the address of the first element."""
    return int(array.data.ptr)


def overlap(a: Array, b: Array) -> bool:
    """Tell whether two arrays have an element in common; true where that is not known."""
    return cpu.overlap(np.asarray(_Addresses(a)), np.asarray(_Addresses(b)))


class _Addresses:
    """The addresses of an array's elements, as NumPy knows them; the memory is not read."""

    def __init__(self, array: Array):
        self.__array_interface__ = {
            "shape": array.shape, "typestr": array.dtype.str, "strides": array.strides,
            "data": (array.data.ptr, True), "version": 3,
        }  # fmt: skip


def owns(array: Array) -> bool:
    """Tell whether no other array lies in its memory; what :func:`strided` makes has no base.

    It may be the only view of an array that it is all of, which nobody else holds.
    """
    base = array.base
    if base is None:
        return getrefcount(array.data.mem) <= _holders_of_memory()[0]
    if base.size != array.size or not array.flags.forc:
        return False
    found, known = _holders_of_view(array, base), _holders_of_memory()[1:]
    return found[0] <= known[0] and found[1] <= known[1]


def _holders_of_view(view: Array, base: Array) -> tuple[int, int]:
    return getrefcount(base), getrefcount(view.data.mem)


@functools.cache
def _holders_of_memory() -> tuple[int, int, int]:
    """Return how many references there are to memory that one array lies in.

    And to an array that has one view and no other holder, and to the memory of both.
    """
    array = xp.empty(2)
    alone = getrefcount(array.data.mem)
    view = array.reshape(2, 1)
    del array
    base = view.base
    return alone, *_holders_of_view(view, base)


def strided(
    memory: Array, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
) -> Array:
    """Return an array that begins ``offset`` bytes after another one, in its memory."""
    return xp.ndarray(shape, dtype, memory.data + offset, strides)


def memory(array: Array) -> tuple[int, int]:
    """Return the address of the memory that an array lies in, and the one behind it.

    CuPy rounds what it allocates, so that the end is known only where the array of which others
    are views is: one that was made by strides has none.
    """
    while array.base is not None:
        array = array.base
    low = int(array.data.mem.ptr)
    if array.data.ptr != low:
        return low, low + int(array.data.mem.size)
    if not array.size:
        return low, low
    end = low + int(array.itemsize)
    for n, stride in zip(array.shape, array.strides, strict=True):
        end += (n - 1) * stride
    return low, end


def bytes_of(array: Array) -> Array:
    """Return a view of all of the memory that an array lies in, as bytes."""
    chunk = array.data.mem
    return xp.ndarray((chunk.size,), np.uint8, array.data + (chunk.ptr - array.data.ptr))


def laid_out(array: Array, shape: Shape, offset: int, strides: Shape) -> Array:
    """Return a view of an array's memory, which begins ``offset`` bytes after that does."""
    distance = int(array.data.mem.ptr) + offset - int(array.data.ptr)
    return xp.ndarray(shape, array.dtype, array.data + distance, strides)


def broadcast_to(array: Array, shape: Shape) -> Array:
    """Return a view of another shape, with stride 0 where it repeats."""
    return xp.broadcast_to(array, shape)


def diagonal(array: Array, offset: int, first: int, second: int) -> Array:
    """Return a view of the diagonals over two axes, which a last one replaces."""
    return array.diagonal(offset, first, second)


@at_home
def triangle(array: Array, diagonal: int, upper: bool) -> Array:
    """Return matrices with zeros below a diagonal, or above it."""
    if array.dtype.kind == "V":  # CuPy makes float32 of bfloat16
        return triangle(array.view(np.int16), diagonal, upper).view(array.dtype)
    rows, columns = array.shape[-2:]
    launches.add((rows * columns > 0) + (array.size > 0))  # where to, and what there is
    return (xp.triu if upper else xp.tril)(array, diagonal)


@at_home
def reshape(array: Array, shape: Shape) -> Array:
    """Return a view where strides allow, else a copy."""
    result = array.reshape(shape)
    launches.add(array.size > 0 and not xp.may_share_memory(result, array))
    return result


@at_home
def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined along an existing axis."""
    if capture.current() is not None:
        return _concatenated(arrays, axis)
    result = xp.concatenate(arrays, axis=axis)
    # CuPy copies one array after the other, but many small ones by one kernel
    together = len(arrays) > 8 and result.nbytes < 2**21 * len(arrays)
    launches.add(result.size > 0 if together else sum(a.size > 0 for a in arrays))
    return result


def _concatenated(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined by copies of each: CuPy copies a list of their addresses first."""
    shape, length = list(arrays[0].shape), sum(a.shape[axis] for a in arrays)
    shape[axis] = length
    result, begin = xp.ndarray(tuple(shape), xp.result_type(*arrays)), 0
    for array in arrays:
        end = begin + array.shape[axis]
        assign(result[(*(slice(None),) * (axis % array.ndim), slice(begin, end))], array)
        begin = end
    return result

"""CuPy's side of the door; imported when a CUDA device is first asked for.

Every function that launches kernels says so to :mod:`gpugrad.kernels.launches`, so that a block's
launches can be counted on a real GPU as well.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from gpugrad._device import device
from gpugrad.backend import cpu
from gpugrad.errors import summed_axes
from gpugrad.formula import Formula
from gpugrad.kernels import launches
from gpugrad.kernels.elementwise import elementwise
from gpugrad.kernels.reduction import mapped_sum, mean_kernel, position_kernel, product_sum

xp = cupy
type = "cuda"

Array = Any
Shape = tuple[int, ...]

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)


@functools.cache
def device_count() -> int:
    """Return the number of GPUs that CuPy can use."""
    try:
        return int(xp.cuda.runtime.getDeviceCount())
    except xp.cuda.runtime.CUDARuntimeError:  # no driver, or one that is too old
        return 0


def own(array: Array) -> Array:
    """Return the array: CuPy has no scalars of its own."""
    return array


@functools.cache
def _device(index: int) -> device:
    return device("cuda", index)


def device_of(array: Array) -> device:
    """Return the device that holds ``array``."""
    return _device(array.device.id)


def on(where: device) -> Any:
    """Return a context in which ``where`` is CuPy's current device.

    Raises:
        RuntimeError: There is no such GPU.
    """
    if where.index is None:
        return xp.cuda.Device()
    if where.index >= device_count():
        raise RuntimeError(
            f"CUDA error: invalid device ordinal: {where} was asked for, but this machine has "
            f"{device_count()} GPU(s), numbered from 0."
        )
    return xp.cuda.Device(where.index)


def synchronize(where: device) -> None:
    """Wait until the device has finished all that was asked of it."""
    with on(where):
        xp.cuda.runtime.deviceSynchronize()


# --------------------------------------------------------------------------- formulas


def evaluate(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: Sequence[np.dtype[Any]],
    sum_to: Shape | None = None,
    out: Array | None = None,
) -> Sequence[Array]:
    """Return the formula's outputs by one kernel."""
    dtypes = tuple(a.dtype for a in arrays)
    if sum_to is not None:
        axes = summed_axes(np.broadcast_shapes(*(a.shape for a in arrays)), sum_to)
        return (mapped_sum(formula, arrays, dtypes, compute, results[0], axes, sum_to),)
    kernel = elementwise(formula, dtypes, compute, tuple(results))
    found = kernel(*arrays) if out is None else kernel(*arrays, out)
    values = found if isinstance(found, tuple) else (found,)
    launches.add(values[0].size > 0)
    return values


# --------------------------------------------------------------------------- arrays


def from_numpy(array: Array, where: device) -> Array:
    """Return a copy of a NumPy array on the device."""
    with on(where):
        return xp.asarray(np.asarray(array))


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return a copy in host memory; waits for the device."""
    result: np.ndarray[Any, Any] = xp.asnumpy(array)
    return result


def astype(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return a copy with another element type; complex to real keeps the real part."""
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        array = array.real
    launches.add(array.size > 0)
    return array.astype(dtype)


def copy(array: Array, order: str = "K") -> Array:
    """Return a copy with memory of its own."""
    launches.add(array.size > 0)
    return array.copy(order=order)


def assign(target: Array, source: Array) -> None:
    """Write ``source`` into ``target``, broadcasting and casting."""
    if target.dtype.kind != "c" and getattr(source, "dtype", target.dtype).kind == "c":
        source = source.real
    if isinstance(source, xp.ndarray):
        launches.add(target.size > 0 and not _copied_by_driver(target, source))
        xp.copyto(target, source, casting="unsafe")
    else:
        launches.add(target.size > 0)
        target.fill(source)


def _copied_by_driver(target: Array, source: Array) -> bool:
    """Tell whether ``copyto`` takes no kernel: of equal memory layouts the bytes are copied."""
    if target.size != source.size or target.dtype != source.dtype:
        return False
    ours, theirs = target.flags, source.flags
    return bool(
        (ours.c_contiguous and theirs.c_contiguous) or (ours.f_contiguous and theirs.f_contiguous)
    )


def add_into(target: Array, source: Array) -> None:
    """Add ``source`` to ``target`` in its memory."""
    launches.add(target.size > 0)
    xp.add(target, source, out=target, casting="unsafe")


MOST_TERMS = 2


def add_all(arrays: Sequence[Array], into_first: bool) -> Array:
    """Return the sum of arrays of one shape, in the memory of the first where it may be used."""
    first, *others = arrays
    for array in others:
        launches.add(first.size > 0)
        first = first + array
    return first


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


def strided(
    memory: Array, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
) -> Array:
    """Return an array in the memory of another, which has no gaps; all sizes are in bytes."""
    return xp.ndarray(shape, dtype, memory.data + offset, strides)


def broadcast_to(array: Array, shape: Shape) -> Array:
    """Return a view of another shape, with stride 0 where it repeats."""
    return xp.broadcast_to(array, shape)


def diagonal(array: Array, offset: int, first: int, second: int) -> Array:
    """Return a view of the diagonals over two axes, which a last one replaces."""
    return array.diagonal(offset, first, second)


def reshape(array: Array, shape: Shape) -> Array:
    """Return a view where strides allow, else a copy."""
    result = array.reshape(shape)
    launches.add(array.size > 0 and not xp.may_share_memory(result, array))
    return result


# --------------------------------------------------------------------------- reductions


def _launched(result: Array) -> Array:
    """Count one kernel, unless there was nothing to compute."""
    launches.add(result.size > 0)
    return result


def sum(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes`` as ``dtype``; CuPy's kernel adds 16-bit floats in 32 bits."""
    return _launched(array.sum(axis=axes, dtype=dtype, keepdims=keepdims))


def mean(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the mean over ``axes`` as ``dtype``."""
    return _launched(mean_kernel(array.dtype, dtype)(array, axis=axes, keepdims=keepdims))


def prod(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes`` as ``dtype``."""
    return _launched(array.prod(axis=axes, dtype=dtype, keepdims=keepdims))


def max(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the maximum over ``axes``; nan wins."""
    return _launched(array.max(axis=axes, keepdims=keepdims))


def min(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the minimum over ``axes``; nan wins."""
    return _launched(array.min(axis=axes, keepdims=keepdims))


def argmax(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first maximum, over all where ``axis`` is None."""
    return _launched(position_kernel(array.dtype, True)(array, axis=axis))


def argmin(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first minimum, over all where ``axis`` is None."""
    return _launched(position_kernel(array.dtype, False)(array, axis=axis))


def matmul(a: Array, b: Array) -> Array:
    """Return the matrix product by cuBLAS, stacked over leading dimensions."""
    launches.add(1)
    return xp.matmul(a, b)


def dot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays, by one kernel without a temporary."""
    launches.add(1)
    return product_sum(a.dtype)(a, b)


def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined along an existing axis."""
    result = xp.concatenate(arrays, axis=axis)
    # CuPy copies one array after the other, but many small ones by one kernel
    together = len(arrays) > 8 and result.nbytes < 2**21 * len(arrays)
    launches.add(result.size > 0 if together else builtins.sum(a.size > 0 for a in arrays))
    return result


def full(shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array filled with ``value``."""
    with on(where):
        launches.add(0 not in shape)
        return xp.full(shape, value, dtype)


def empty(shape: Shape, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array whose values are not defined."""
    with on(where):
        return xp.empty(shape, dtype)


def take(array: Array, index: Any) -> Array:
    """Return ``array[index]`` where ``index`` has arrays: a copy."""
    result = array[index]
    launches.add(_kernels_at(index) if result.size else 0)
    return result


def _kernels_at(index: tuple[Any, ...]) -> int:
    """Return how many kernels CuPy uses for an index: several arrays become one by one each.

    A mask takes more, by its size; it counts as one.
    """
    arrays = builtins.sum(isinstance(i, xp.ndarray) for i in index)
    return arrays + 1 if arrays > 1 else 1


def put(array: Array, index: Any, values: Array) -> None:
    """Write ``values`` at ``index``."""
    launches.add(_kernels_at(index))
    array[index] = values


def count(stop: int, where: device) -> Array:
    """Return the int64 numbers from 0 up to ``stop``."""
    with on(where):
        launches.add(stop > 0)
        return xp.arange(stop)


def add_at(array: Array, index: Any, values: Array) -> None:
    """Add ``values`` at ``index``; what is named twice receives both, in no fixed order."""
    launches.add(_kernels_at(index) if values.size else 0)
    if array.dtype.kind == "c":  # CuPy adds atomically to real numbers only
        launches.add(_kernels_at(index) if values.size else 0)
        xp.add.at(array.real, index, values.real)
        xp.add.at(array.imag, index, values.imag)
    else:
        xp.add.at(array, index, values)

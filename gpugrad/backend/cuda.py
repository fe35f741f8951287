"""CuPy's side of the door; imported when a CUDA device is first asked for.

Every function that launches kernels says so to :mod:`gpugrad.kernels.launches`, so that a block's
launches can be counted on a real GPU as well.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import math
import operator
import sys
from collections.abc import Callable, Sequence
from math import copysign
from sys import getrefcount
from typing import Any, TypeVar, cast

import cupy
import numpy as np

from gpugrad._device import device
from gpugrad._dtype import FLOAT32, accumulation
from gpugrad.backend import composed, cpu, cublas, cudnn, cusolver, graphs, places, recurrence
from gpugrad.backend.determinism import are_deterministic_algorithms_enabled
from gpugrad.backend.taps import Taps, number_type
from gpugrad.errors import out_of_bounds, summed_axes
from gpugrad.formulas import COMPLEX, REAL, Formula, variable
from gpugrad.kernels import (
    bounds,
    capture,
    convolution,
    dense,
    launches,
    layout,
    segment,
    summation,
)
from gpugrad.kernels import normalization as norms
from gpugrad.kernels import scan as scans
from gpugrad.kernels import softmax as softmaxes
from gpugrad.kernels import taps as windows
from gpugrad.kernels import update as updates
from gpugrad.kernels.elementwise import elementwise
from gpugrad.kernels.layout import PLANS, aligned, signatures
from gpugrad.kernels.philox import Source
from gpugrad.kernels.reduction import position_kernel, reduction, size_kernel
from gpugrad.kernels.search import search_kernel
from gpugrad.kernels.summation import plain, product

xp = cupy
type = "cuda"

Array = Any
Shape = tuple[int, ...]


@functools.cache
def device_count() -> int:
    """Return the number of GPUs that CuPy can use."""
    try:
        return int(xp.cuda.runtime.getDeviceCount())
    except xp.cuda.runtime.CUDARuntimeError:  # no driver, or one that is too old
        return 0


Function = TypeVar("Function", bound=Callable[..., Any])


def at_home(function: Function) -> Function:
    """Have a function's kernels run on the GPU of its first array, and not on CuPy's current one.

    Where there is one GPU this is the function itself.
    """
    if device_count() < 2:
        return function

    @functools.wraps(function)
    def there(*arguments: Any, **options: Any) -> Any:
        with _home(arguments):
            return function(*arguments, **options)

    return cast("Function", there)


def _home(arguments: Sequence[Any]) -> Any:
    """Return the GPU of the first array among arguments, of which some are lists of arrays."""
    for argument in arguments:
        some = argument if isinstance(argument, tuple | list) else (argument,)
        for array in some:
            if isinstance(array, xp.ndarray):
                return array.device
    return xp.cuda.Device()


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


def place() -> Callable[[], None]:
    """Return what has another thread compute on the current GPU, in the current stream."""
    where, stream = xp.cuda.Device(), xp.cuda.get_current_stream()
    graph = capture.current()

    def enter() -> None:
        where.use()
        stream.use()
        if graph is not None:
            graphs.join(graph)

    return enter


def synchronize(where: device) -> None:
    """Wait until the device has finished all that was asked of it."""
    with on(where):
        xp.cuda.runtime.deviceSynchronize()
    _report()


# --------------------------------------------------------------------------- formulas


@at_home
def evaluate(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: Sequence[np.dtype[Any]],
    sum_to: Shape | None = None,
    out: Array | None = None,
    summed: int = 0,
) -> Sequence[Array]:
    """Return the formula's outputs by one kernel, and one more for sums in parts.

    With ``sum_to`` the output ``summed`` is summed to that shape; with ``out`` the one output is
    written there.
    """
    results = tuple(results)
    if sum_to is not None:
        return _evaluate_sum(formula, arrays, compute, results, sum_to, summed)
    plan = dense.plan(formula, signatures(arrays), compute, results)
    if out is not None:
        if plan is None or not plan.takes(arrays, out):
            arrays = [_kept(a, out) for a in arrays]
            return _evaluate_strided(formula, arrays, compute, results, (out,))
        plan.run(arrays, (out,), aligned((*arrays, out)))
        launches.add(1)
        return (out,)
    if plan is None:
        return _evaluate_strided(formula, arrays, compute, results)
    shape, order = plan.shape, plan.order
    if order is None:
        outs = [xp.ndarray(shape, kind) for kind in plan.types]
    else:
        outs = [layout.empty(shape, kind, order) for kind in plan.types]
    plan.run(arrays, outs, aligned(arrays))
    launches.add(1)
    return outs


def evaluated(formula: Formula, arrays: Sequence[Array]) -> Sequence[Array]:
    """Return a formula's outputs; all arrays are of one real type, and so are the outputs."""
    kind = arrays[0].dtype
    return evaluate(formula, arrays, kind, (kind,) * len(formula.outputs))


def _kept(array: Array, out: Array) -> Array:
    """Return the array, or a copy where writing to ``out`` would change what is still to read."""
    if not isinstance(array, xp.ndarray) or not xp.may_share_memory(array, out):
        return array
    same = (
        array.dtype == out.dtype
        and array.shape == out.shape
        and array.strides == out.strides
        and array.data.ptr == out.data.ptr
    )
    return array if same else copy(array)


def _evaluate_strided(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: tuple[np.dtype[Any], ...],
    outs: Sequence[Array] | None = None,
) -> Sequence[Array]:
    """Return the formula's outputs, or write them to ``outs``, for operands of any strides."""
    if outs is None:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        order = layout.order(signatures(arrays))
        outs = [layout.empty(shape, d, order) for d in results]
    dtypes = tuple(a.dtype for a in arrays)
    elementwise(formula, dtypes, compute, results)(*arrays, *outs)
    launches.add(outs[0].size > 0)
    return outs


def _evaluate_sum(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: tuple[np.dtype[Any], ...],
    shape: Shape,
    summed: int,
) -> Sequence[Array]:
    """Return the formula's outputs, of which one is summed to ``shape``."""
    full, axes = _full(tuple([a.shape for a in arrays]), shape)
    plan = summation.plan(formula, signatures(arrays), compute, results, axes, summed)
    if plan is None:
        return _evaluate_sum_strided(formula, arrays, compute, results, axes, shape, summed)
    outs = [xp.ndarray(shape if k == summed else full, d) for k, d in enumerate(results)]
    launches.add(plan.run(arrays, outs, aligned(arrays)))
    return outs


@functools.lru_cache(maxsize=PLANS)
def _full(shapes: tuple[Shape, ...], shape: Shape) -> tuple[Shape, Shape]:
    """Return what shapes broadcast to, and the axes of it that are summed to leave ``shape``."""
    full = np.broadcast_shapes(*shapes)
    return full, summed_axes(full, shape)


def _evaluate_sum_strided(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    results: tuple[np.dtype[Any], ...],
    axes: Shape,
    shape: Shape,
    summed: int,
) -> Sequence[Array]:
    """Return the formula's outputs, of which one is summed, for operands of any strides."""
    one, used = formula.part((summed,))
    total = _reduced(one, [arrays[k] for k in used], compute, results[summed], axes, shape)
    others = tuple(k for k in range(len(results)) if k != summed)
    if not others:
        return (total,)
    rest, used = formula.part(others)
    found = evaluate(rest, [arrays[k] for k in used], compute, [results[k] for k in others])
    return (*found[:summed], total, *found[summed:])


def _reduced(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    result: np.dtype[Any],
    axes: Shape,
    shape: Shape,
    mean: bool = False,
) -> Array:
    """Return the sum or mean of a formula's one output, for operands of any strides."""
    kernel = reduction(formula, tuple(a.dtype for a in arrays), compute, result, mean)
    total = kernel(*arrays, axis=axes, keepdims=True).reshape(shape)
    launches.add(total.size > 0)
    return total


def _total(
    formula: Formula,
    arrays: Sequence[Array],
    compute: np.dtype[Any],
    result: np.dtype[Any],
    axes: Shape,
    shape: Shape,
    mean: bool = False,
) -> Array:
    """Return the sum or mean of a formula's one output."""
    plan = summation.plan(formula, signatures(arrays), compute, (result,), axes, 0, mean)
    if plan is None:
        return _reduced(formula, arrays, compute, result, axes, shape, mean)
    out = xp.ndarray(shape, result)
    launches.add(plan.run(arrays, (out,), aligned(arrays)))
    return out


def update(
    formula: Formula,
    columns: Sequence[Sequence[Array]],
    targets: Sequence[int],
    numbers: Sequence[float],
) -> None:
    """Write a formula's outputs into some of the arrays that it is of, for each row of arrays.

    One kernel computes all rows; arrays that lie differently are copied, and written back.
    """
    with columns[0][0].device:
        rows = list(zip(*columns, strict=True))
        plain = [[copy(a, "C") for a in row] if not _lie_alike(row) else row for row in rows]
        lines = [[_line(a) for a in column] for column in zip(*plain, strict=True)]
        launches.add(updates.run(formula, lines, targets, numbers))
        for row, own in zip(rows, plain, strict=True):
            if own is not row:
                for k in targets:
                    assign(row[k], own[k])


def _lie_alike(row: Sequence[Array]) -> bool:
    """Tell whether arrays of one shape lie in the order of their indices, or of these reversed."""
    return all(a.flags.c_contiguous for a in row) or all(a.flags.f_contiguous for a in row)


def _line(array: Array) -> Array:
    """Return all that a plain array has, as real numbers."""
    if array.dtype.kind != "c":
        return array
    array = array if array.flags.c_contiguous else array.T
    return array.reshape(-1).view(f"f{array.dtype.itemsize // 2}")


MOST_TERMS = 8


@functools.cache
def _addition(count: int, complex_: bool) -> Formula:
    kind = COMPLEX if complex_ else REAL
    inputs = [variable(f"x{k}", kind) for k in range(count)]
    return Formula(f"add{count}", inputs, [functools.reduce(operator.add, inputs)])


@at_home
def add_all(arrays: Sequence[Array], into_first: bool) -> Array:
    """Return the sum of arrays of one shape, in the memory of the first if it may be used.

    One kernel adds all, 16-bit floats in 32 bits, and rounds once.
    """
    first = arrays[0]
    formula = _addition(len(arrays), first.dtype.kind == "c")
    out = first if into_first else None
    return evaluate(formula, arrays, first.dtype, (first.dtype,), out=out)[0]


# --------------------------------------------------------------------------- arrays


def from_numpy(array: Array, where: device) -> Array:
    """Return a copy of a NumPy array on the device."""
    with on(where):
        array = np.asarray(array)
        if array.ndim:
            return capture.constant(array)
        number = xp.ndarray((), array.dtype)
        _fill(number, array[()])
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
    _report()
    return result


@at_home
def to_pinned(array: Array) -> np.ndarray[Any, Any]:
    """Return a copy in page-locked host memory; waits for the device."""
    capture.refuse("a copy to the host")
    memory = xp.cuda.alloc_pinned_memory(array.nbytes)
    pinned = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
    result: np.ndarray[Any, Any] = xp.asnumpy(array, out=pinned)
    _report()
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


@at_home
def assign(target: Array, source: Array) -> None:
    """Write ``source`` into ``target``, broadcasting and casting."""
    if target.dtype.kind != "c" and getattr(source, "dtype", target.dtype).kind == "c":
        source = source.real
    if isinstance(source, xp.ndarray):
        launches.add(target.size > 0 and not _copied_by_driver(target, source))
        xp.copyto(target, source, casting="unsafe")
    else:
        _fill(target, source)


def _fill(array: Array, value: Any) -> None:
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


# --------------------------------------------------------------------------- reductions


def _launched(result: Array) -> Array:
    """Count one kernel, unless there was nothing to compute."""
    launches.add(result.size > 0)
    return result


@at_home
def sum(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the sum over ``axes`` as ``dtype``; 16-bit floats are added in 32 bits."""
    return _plain(array, axes, keepdims, dtype, False)


@at_home
def mean(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the mean over ``axes`` as ``dtype``."""
    return _plain(array, axes, keepdims, dtype, True)


def _plain(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any], mean: bool) -> Array:
    axes = tuple([k % array.ndim for k in axes])
    if keepdims:
        shape = tuple([1 if k in axes else n for k, n in enumerate(array.shape)])
    else:
        shape = tuple([n for k, n in enumerate(array.shape) if k not in axes])
    if not array.flags.c_contiguous:  # by the order in which the elements lie in memory
        order = sorted(range(array.ndim), key=lambda k: -array.strides[k])
        kept = [k for k in order if k not in axes]
        if kept == sorted(kept):
            array, axes = array.transpose(order), tuple([order.index(k) for k in axes])
    compute = array.dtype if array.dtype.kind == "c" else dtype
    return _total(plain(compute.kind == "c"), (array,), compute, dtype, axes, shape, mean)


@at_home
def prod(array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
    """Return the product over ``axes`` as ``dtype``; 16-bit floats are multiplied in 32 bits."""
    compute = accumulation(dtype)  # CuPy multiplies in the type it is given
    result = _launched(array.prod(axis=axes, dtype=compute, keepdims=keepdims))
    return result if dtype == compute else astype(result, dtype)


def others(array: Array, axes: Shape) -> Array | None:
    """Leave to other operations what depends on values, for which the device would be waited."""
    return None


@at_home
def max(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the maximum over ``axes``; nan wins."""
    return _launched(array.max(axis=axes, keepdims=keepdims))


@at_home
def min(array: Array, axes: Shape, keepdims: bool) -> Array:
    """Return the minimum over ``axes``; nan wins."""
    return _launched(array.min(axis=axes, keepdims=keepdims))


@at_home
def largest(array: Array, axes: Shape, least: bool = False) -> Array:
    """Return the largest or the least size over ``axes``, which stay with length 1."""
    return _launched(size_kernel(array.dtype, least)(array, axis=axes, keepdims=True))


@at_home
def argmax(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first maximum, over all where ``axis`` is None."""
    return _launched(position_kernel(array.dtype, True)(array, axis=axis))


@at_home
def argmin(array: Array, axis: int | None) -> Array:
    """Return the int64 index of the first minimum, over all where ``axis`` is None."""
    return _launched(position_kernel(array.dtype, False)(array, axis=axis))


def argsort(array: Array, axis: int) -> Array:
    """Return the stable order by the device's library, which counts as one kernel."""
    launches.add(1)
    return xp.argsort(array, axis)


@at_home
def order(array: Array, axis: int, descending: bool) -> Array:
    """Return the int64 places of the elements in their order along an axis, which is stable."""
    if not array.size or not array.ndim:
        return xp.zeros(array.shape, np.int64)
    array = _sortable(array)
    if not descending:
        return argsort(array, axis)
    launches.add(1)
    behind = argsort(xp.flip(array, axis), axis)  # of what is equal, the last comes first
    return array.shape[axis] - 1 - xp.flip(behind, axis)


def _sortable(array: Array) -> Array:
    """Return numbers in a type that CuPy sorts: bfloat16 as float32."""
    return astype(array, FLOAT32) if array.dtype.kind == "V" else array


@at_home
def top(array: Array, count: int, axis: int, largest: bool) -> Array:
    """Return the places of so many of the largest or smallest elements, in their order."""
    return order(array, axis, largest)[(*(slice(None),) * axis, slice(count))]


@at_home
def count_at(places: Array, length: int, weights: Array | None, dtype: np.dtype[Any]) -> Array:
    """Return how often each of the numbers below ``length`` occurs, or sums of weights."""
    kind = np.dtype(np.int64) if weights is None else dtype
    result = full((length,), 0, kind, device_of(places))
    values = full(places.shape, 1, kind, device_of(places)) if weights is None else weights
    add_at(result, (places,), values)
    return result if kind == dtype else astype(result, dtype)


@at_home
def kth(array: Array, axis: int, ranks: Shape) -> Sequence[Array]:
    """Return the elements of some ranks along an axis, which stays with length 1."""
    places = order(array, axis, False)
    where = device_of(array)
    ones = [1] * array.ndim
    index = [
        count(n, where).reshape([*ones[:k], n, *ones[k + 1 :]]) if k != axis else None
        for k, n in enumerate(array.shape)
    ]
    before, rows = (slice(None),) * axis, []
    for rank in ranks:
        index[axis] = places[(*before, slice(rank, rank + 1))]
        rows.append(take(array, tuple(index)))
    return rows


@at_home
def order_of_rows(rows: Array) -> Array:
    """Return the places of the rows of a matrix in their order: by the first that differs."""
    rows = _sortable(rows)
    narrow = {1: np.dtype(np.int32), 2: np.dtype(np.float32 if rows.dtype.kind == "f" else "i4")}
    keys = rows.astype(narrow.get(rows.dtype.itemsize, rows.dtype), copy=False)
    launches.add(keys.shape[1])
    return xp.lexsort(keys.T[::-1])


@at_home
def search(bounds: Array, values: Array, right: bool) -> Array:
    """Return the int64 places where values belong among sorted bounds."""
    length = bounds.shape[-1]
    row = 0 if bounds.ndim == 1 else builtins.max(values.shape[-1], 1)  # values for each of bounds
    launches.add(values.size > 0)
    return search_kernel(right)(xp.ascontiguousarray(bounds), values, length, row)


@at_home
def scan(kind: str, arrays: Sequence[Array], axis: int, reverse: bool = False) -> Array:
    """Return at each place what is made of the elements up to it along an axis."""
    (out,) = _scanned(kind, arrays, axis, reverse)
    return out


@at_home
def scan_extreme(array: Array, axis: int, greatest: bool) -> tuple[Array, Array]:
    """Return the maxima or minima up to each place, and where the last of them is."""
    values, indices = _scanned("max" if greatest else "min", [array], axis, False, np.int64)
    return values, indices


def _scanned(
    kind: str, arrays: Sequence[Array], axis: int, reverse: bool, *others: Any
) -> Sequence[Array]:
    plain = [array if array.flags.c_contiguous else copy(array, "C") for array in arrays]
    outs = [xp.ndarray(plain[0].shape, d) for d in (plain[0].dtype, *others)]
    if plain[0].size:
        launches.add(scans.run(kind, plain, axis, reverse, outs))
    return outs


@at_home
def softmax(array: Array, axis: int, log: bool, dtype: np.dtype[Any]) -> Array:
    """Return exp(array) divided by its sum along an axis, or the logarithm of that."""
    return _softmax([array], axis, log, False, dtype)


@at_home
def softmax_gradient(g: Array, out: Array, axis: int, log: bool) -> Array:
    """Return the gradient of what ``softmax`` computed, ``out``."""
    return _softmax([g, out], axis, log, True, g.dtype)


def _softmax(
    arrays: Sequence[Array], axis: int, log: bool, gradient: bool, dtype: np.dtype[Any]
) -> Array:
    plain = [array if array.flags.c_contiguous else copy(array, "C") for array in arrays]
    result = xp.ndarray(plain[0].shape, dtype)
    if result.size:
        softmaxes.run(plain, axis, result, log, gradient)
    return _launched(result)


@at_home
def weigh(array: Array, axis: int, taps: Taps) -> Array:
    """Return the weighted sums of elements along an axis, by one kernel."""
    count, most = taps.places.shape
    result = xp.ndarray((*array.shape[:axis], count, *array.shape[axis + 1 :]), array.dtype)
    if not result.size:
        return result
    if not array.size:
        _fill(result, 0)
        return result
    key = array.device.id, windows.weight_type(array.dtype)
    if key not in taps.copies:
        given = None if taps.weights is None else capture.constant(taps.weights.astype(key[1]))
        taps.copies[key] = capture.constant(taps.places), given
    sizes = most, array.shape[axis], count, math.prod(array.shape[axis + 1 :])
    places, weights = capture.kept(taps.copies[key])
    windows.weigh(_dense(array), places, weights, sizes, result)
    return _launched(result)


@at_home
def largest_in(array: Array, named: Sequence[Taps]) -> tuple[Array, Array]:
    """Return the maxima over windows of the last axes, and their numbers, by one kernel."""
    first = array.ndim - len(named)
    shape = (*array.shape[:first], *map(len, named))
    found, numbers = (xp.ndarray(shape, kind) for kind in (array.dtype, number_type(named)))
    if found.size:
        sizes = (1,) * (3 - len(named)) + array.shape[first:]
        launches.add(1)
        there = _tables(named)
        windows.largest(_dense(array), there, sizes[1:], math.prod(sizes), found, numbers)
    return found, numbers


def _tables(named: Sequence[Taps]) -> list[Array]:
    """Return the places of taps on the current GPU, along three axes, where they are kept."""
    there = []
    for taps in (*[_SINGLE] * (3 - len(named)), *named):
        key = xp.cuda.Device().id, "places"
        if key not in taps.copies:
            taps.copies[key] = capture.constant(taps.places)
        there.append(capture.kept(taps.copies[key]))
    return there


_SINGLE = Taps(np.zeros((1, 1), np.int64), None, 1)


@at_home
def spread(grad: Array, numbers: Array, named: Sequence[Taps]) -> Array:
    """Return zeros with each element added at that of its window whose number is given.

    One kernel gathers them, in a fixed order.
    """
    first = grad.ndim - len(named)
    result = xp.ndarray((*grad.shape[:first], *[taps.length for taps in named]), grad.dtype)
    if grad.size and result.size:
        turned = _tables([taps.turned for taps in named])
        windows.spread(_dense(grad), _dense(numbers), turned, _tables(named), result)
        launches.add(1)
    else:
        _fill(result, 0)
    return result


@at_home
def matmul(a: Array, b: Array) -> Array:
    """Return the matrix product by cuBLAS, stacked over leading dimensions."""
    graph = capture.current()
    if graph is not None and cublas.multiplies(a.dtype):
        launches.add(1)
        return cublas.matmul(a, b, graph)
    if a.dtype.kind == "V" and builtins.max(a.ndim, b.ndim) > 2:  # CuPy stacks no bfloat16
        return astype(matmul(astype(a, FLOAT32), astype(b, FLOAT32)), a.dtype)
    launches.add(1)
    return xp.matmul(a, b)


@at_home
def dot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays, without a temporary."""
    return _total(product(a.dtype.kind == "c"), (a, b), a.dtype, a.dtype, (0,), ())


@at_home
def matrices(name: str, *arrays: Array, **options: Any) -> Any:
    """Return what a function of ``cusolver`` gives of stacks of matrices.

    LAPACK computes what that has not, and where there is nothing to compute or it fails.
    """
    if all(a.size for a in arrays) and not name.startswith("ldl"):
        launches.add(1)
        with contextlib.suppress(np.linalg.LinAlgError):
            return composed.called(cusolver, name, *arrays, **options)
    found = cpu.matrices(name, *(to_numpy(a) for a in arrays), **options)
    where = device_of(arrays[0])
    if isinstance(found, tuple):
        return tuple([from_numpy(f, where) for f in found])
    return from_numpy(found, where)


@at_home
def fft(array: Array, axes: Shape, forward: bool, norm: str) -> Array:
    """Return the Fourier transform along some axes by cuFFT, or its inverse."""
    return _transformed("fftn" if forward else "ifftn", array, None, axes, norm)


@at_home
def rfft(array: Array, axes: Shape, norm: str) -> Array:
    """Return half of the transform of real numbers, along the last of the axes."""
    return _transformed("rfftn", array, None, axes, norm)


@at_home
def irfft(array: Array, axes: Shape, length: int, norm: str) -> Array:
    """Return the real numbers that half of a transform is of, ``length`` along the last axis."""
    sizes = [*(array.shape[k] for k in axes[:-1]), length]
    return _transformed("irfftn", array, sizes, axes, norm)


def _transformed(name: str, array: Array, sizes: Any, axes: Shape, norm: str) -> Array:
    if not array.size:  # which cuFFT refuses
        return xp.asarray(getattr(np.fft, name)(xp.asnumpy(array), sizes, axes, norm))
    return by_cufft(name, array, sizes, axes, norm)


def by_cufft(name: str, array: Array, sizes: Any, axes: Shape, norm: str) -> Array:
    """Return a transform by CuPy; it counts as one kernel, with what is copied and divided."""
    launches.add(1)
    return getattr(xp.fft, name)(array, sizes, axes, norm)


def fused(name: str) -> Callable[..., Any] | None:
    """Return what computes an operation of networks by kernels of its own."""
    from gpugrad.kernels.networks import FUSED

    if name in ("normalize", "normalize_gradient"):
        return normalize if name == "normalize" else normalize_gradient
    found = FUSED.get(name)
    if name.startswith("convolve"):
        found = functools.partial(_convolved, name)
    if name in recurrence.FUSED:
        found = functools.partial(recurrence.FUSED[name], sys.modules[__name__])
    return None if found is None else at_home(found)


def _convolved(name: str, *given: Any) -> Array | None:
    """Return a product with windows by cuDNN, else by a kernel of ours if that is worthwhile."""
    door, found = sys.modules[__name__], None
    if capture.current() is None:  # a first call would plan, which may not be captured
        found = cudnn.convolved(name, door, *given)
    return convolution.convolved(name, door, *given) if found is None else found


def _in_order(array: Array) -> Array:
    return array if array.flags.c_contiguous else copy(array, "C")


@at_home
def normalize(
    array: Array,
    weight: Array | None,
    bias: Array | None,
    axes: Shape,
    eps: float,
    centered: bool,
) -> tuple[Array, Array, Array]:
    """Return an array normalized along axes, with its means and variances there."""
    x, shape = _in_order(array), norms.sizes(array.shape, axes)
    out = xp.ndarray(x.shape, x.dtype)
    mean, var = (xp.ndarray(shape, accumulation(x.dtype)) for _ in range(2))
    if not x.size:
        return out, xp.zeros_like(mean), xp.zeros_like(var)
    w, b = (a if a is None else _in_order(a) for a in (weight, bias))
    kinds = [None if a is None else a.dtype for a in (w, b)]
    kernel = norms.raw(x.dtype, *kinds, centered, False, False)
    arrays = [x, x if w is None else w, x if b is None else b, out, mean, var]
    norms.run(kernel, arrays, norms.rows_of(x.shape, axes), eps)
    launches.add(1)
    return out, mean, var


@at_home
def normalize_gradient(
    g: Array,
    array: Array,
    weight: Array | None,
    mean: Array,
    var: Array,
    axes: Shape,
    eps: float,
    centered: bool,
    shapes: Sequence[Shape | None],
) -> tuple[Array | None, Array | None, Array | None]:
    """Return the gradients of the array, the weights and the biases by that of the result.

    Weights and biases that each row has of its own take no kernel beside that of the array.
    """
    g, x = _in_order(g), _in_order(array)
    if not x.size:
        first = None if shapes[0] is None else xp.zeros_like(x)
        weights, biases = (None if s is None else xp.zeros(s, var.dtype) for s in shapes[1:])
        return first, weights, biases
    rows, wide = norms.rows_of(x.shape, axes), var.dtype
    of_array: Array | None = None
    of_weight: Array | None = None
    of_bias: Array | None = None
    if shapes[0] is not None or rows.own:
        w = None if weight is None else _in_order(weight)
        of_array = xp.ndarray(x.shape, x.dtype)
        kernel = norms.raw(x.dtype, None if w is None else w.dtype, None, centered, True, rows.own)
        arrays = [g, x, x if w is None else w, mean, var, of_array]
        if rows.own:
            of_weight, of_bias = (xp.ndarray(rows.rows, wide) for _ in range(2))
            arrays += [of_weight, of_bias]
        norms.run(kernel, arrays, rows, eps)
        launches.add(1)
    if of_weight is not None and of_bias is not None:
        shaped = zip((of_weight, of_bias), shapes[1:], strict=True)
        of_weight, of_bias = (None if s is None else a.reshape(s) for a, s in shaped)
        return of_array, of_weight, of_bias
    if shapes[1] is not None:
        numbers = (g, x, mean, var, wide.type(eps))
        (of_weight,) = evaluate(norms.weight_formula(), numbers, wide, (wide,), sum_to=shapes[1])
    if shapes[2] is not None:
        of_bias = sum(g, summed_axes(g.shape, shapes[2]), True, wide).reshape(shapes[2])
    return of_array, of_weight, of_bias


@at_home
def vdot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays, of which the first is conjugated."""
    if a.dtype.kind != "c":
        return dot(a, b)
    launches.add(a.size > 0)
    return dot(a.conj(), b)


def source(seed: int, where: device) -> Source:
    """Return a stream of random numbers on a GPU."""
    return Source(seed, functools.partial(on, where))


@at_home
def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined along an existing axis."""
    if capture.current() is not None:
        return _concatenated(arrays, axis)
    result = xp.concatenate(arrays, axis=axis)
    # CuPy copies one array after the other, but many small ones by one kernel
    together = len(arrays) > 8 and result.nbytes < 2**21 * len(arrays)
    launches.add(result.size > 0 if together else builtins.sum(a.size > 0 for a in arrays))
    return result


def _concatenated(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined by copies of each: CuPy copies a list of their addresses first."""
    shape, length = list(arrays[0].shape), builtins.sum(a.shape[axis] for a in arrays)
    shape[axis] = length
    result, begin = xp.ndarray(tuple(shape), xp.result_type(*arrays)), 0
    for array in arrays:
        end = begin + array.shape[axis]
        assign(result[(*(slice(None),) * (axis % array.ndim), slice(begin, end))], array)
        begin = end
    return result


def full(shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array filled with ``value``."""
    with on(where):
        array = xp.ndarray(shape, dtype)
        _fill(array, value)
        return array


def empty(shape: Shape, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array whose values are not defined."""
    with on(where):
        return xp.empty(shape, dtype)


@at_home
def empty_like(array: Array, order: str) -> Array:
    """Return a new array of the shape, type and device of another one."""
    return xp.empty_like(array, order=order)


@at_home
def item(array: Array) -> Any:
    """Return the one element as a Python number; waits for the device."""
    capture.refuse("item()")
    value = array.item()
    _report()
    return value


@at_home
def check_inside(
    indices: Array, low: int, n: int, axis: int, function: str, error: builtins.type[Exception]
) -> None:
    """Have the device look for an index below ``low`` or not below ``n``."""
    _report()
    if not n and indices.size:  # CuPy refuses that itself, and what the device found would be late
        raise out_of_bounds(error, function, int(indices.ravel()[0]), axis, n)
    launches.add(1 + (not indices.flags.c_contiguous))
    bounds.look(indices, low, n, axis, bounds.number(error, function))


def _report() -> None:
    """Raise for an index that the device has found out of bounds.

    Where the device did not have to be waited for, it may not have looked yet.
    """
    found = bounds.found()
    if found is not None:
        index, n, axis, words = found
        error = out_of_bounds(*bounds.words(words), index, axis, n)
        error.add_note("The device found this index in a call before this one, and went on.")
        raise error


@at_home
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


@at_home
def put(array: Array, index: Any, values: Array) -> None:
    """Write ``values`` at ``index``; of what is named twice, the last remains.

    Any of them may remain, but faster, where nobody asks for the same bits each time.
    """
    if (
        are_deterministic_algorithms_enabled()
        and any(getattr(values, "strides", ()))  # not all of them are equal
        and any(isinstance(i, xp.ndarray) and i.dtype.kind != "b" and i.size > 1 for i in index)
    ):
        reduce_at(array, index, values, "last")
        return
    numbered = any(isinstance(i, xp.ndarray) for i in index) and not hasattr(values, "ndim")
    launches.add(_kernels_at(index) + numbered)  # a number becomes an array first
    array[index] = values


def count(stop: int, where: device) -> Array:
    """Return the int64 numbers from 0 up to ``stop``."""
    with on(where):
        launches.add(stop > 0)
        return xp.arange(stop)


@at_home
def add_at(array: Array, index: Any, values: Array) -> None:
    """Add ``values`` at ``index``; what is named twice receives both."""
    reduce_at(array, index, values, "sum")


_ATOMIC = "efdilIL"  # the types of what CuPy adds in no fixed order


@at_home
def reduce_at(array: Array, index: Any, values: Array, way: str) -> None:
    """Put ``values`` together with what is at ``index``, in their order.

    Sums are added up in no fixed order, but faster, where nobody asks for the same bits each time.
    """
    if not values.size or not array.size:
        return
    if way == "sum" and not are_deterministic_algorithms_enabled():
        parts = [(array, values)]
        if array.dtype.kind == "c":  # CuPy adds atomically to real numbers only
            parts = [(array.real, values.real), (array.imag, values.imag)]
        if parts[0][0].dtype.char in _ATOMIC:
            for part, added in parts:
                launches.add(_kernels_at(index))
                xp.add.at(part, index, added)
            return
    dense = _dense(array)
    numbers, row = _numbered(array.shape, index)
    width = math.prod(row)
    step = int(any(values.strides))
    rows = values
    if step:
        rows = _dense(xp.broadcast_to(values, (*numbers.shape, *row)))
    if rows.dtype != array.dtype:
        rows = astype(rows, array.dtype)
    numbers = numbers.reshape(-1)
    order = argsort(numbers, 0)
    launches.add(segment.reduce(dense.reshape(-1, width), numbers, order, rows, step, way))
    if dense is not array:
        launches.add(1)
        xp.copyto(array, dense)


def _dense(array: Array) -> Array:
    """Return the array, or a copy that lies in the order of its indices."""
    return array if array.flags.c_contiguous else copy(array, "C")


def _numbered(shape: Shape, index: Any) -> tuple[Array, Shape]:
    """Return the numbers of the rows of a dense array that an index names, and a row's shape."""
    kind = np.dtype(np.int32 if math.prod(shape) < 2**31 else np.int64)  # sorted in half the time

    def part(numbers: Array, length: int, step: int) -> Array:
        launches.add(1)
        return segment.numbered()(numbers, length, step, xp.ndarray(numbers.shape, kind))

    items: list[Any] = []
    for item in index if isinstance(index, tuple) else (index,):
        mask = isinstance(item, xp.ndarray) and item.dtype.kind == "b" and item.ndim
        items += xp.nonzero(item) if mask else [item]
    found = places.places(shape, tuple(items), xp, part)
    if found is None:  # of an index that makes dimensions
        launches.add(2)
        return xp.arange(math.prod(shape), dtype=kind).reshape(shape)[tuple(items)], ()
    slices = len(found.parts) - builtins.sum(isinstance(i, xp.ndarray) for i in items)
    launches.add(len(found.parts) - 1 + slices)
    numbers = functools.reduce(operator.add, found.parts)
    return _dense(xp.broadcast_to(numbers, found.shape)), found.row

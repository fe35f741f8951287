"""NumPy's side of the door."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpugrad._device import CPU, device
from gpugrad._dtype import is_half
from gpugrad.backend import composed, half, places, scans, sorting, taps
from gpugrad.backend.arrays import MOST_TERMS as MOST_TERMS
from gpugrad.backend.arrays import add_all as add_all
from gpugrad.backend.arrays import add_into as add_into
from gpugrad.backend.arrays import add_overlapping as add_overlapping
from gpugrad.backend.arrays import address as address
from gpugrad.backend.arrays import assign as assign
from gpugrad.backend.arrays import astype as astype
from gpugrad.backend.arrays import broadcast_to as broadcast_to
from gpugrad.backend.arrays import bytes_of as bytes_of
from gpugrad.backend.arrays import copy as copy
from gpugrad.backend.arrays import diagonal as diagonal
from gpugrad.backend.arrays import from_numpy as from_numpy
from gpugrad.backend.arrays import laid_out as laid_out
from gpugrad.backend.arrays import lie_apart as lie_apart
from gpugrad.backend.arrays import memory as memory
from gpugrad.backend.arrays import overlap as overlap
from gpugrad.backend.arrays import own as own
from gpugrad.backend.arrays import owns as owns
from gpugrad.backend.arrays import reshape as reshape
from gpugrad.backend.arrays import strided as strided
from gpugrad.backend.arrays import to_numpy as to_numpy
from gpugrad.backend.arrays import to_pinned as to_pinned
from gpugrad.backend.chance import Source
from gpugrad.backend.evaluation import FUNCTIONS as FUNCTIONS
from gpugrad.backend.evaluation import LARGE as LARGE
from gpugrad.backend.evaluation import LARGE_FUNCTIONS as LARGE_FUNCTIONS
from gpugrad.backend.evaluation import NUMBERS as NUMBERS
from gpugrad.backend.evaluation import are_many as are_many
from gpugrad.backend.evaluation import evaluate as evaluate
from gpugrad.backend.evaluation import evaluated as evaluated
from gpugrad.backend.evaluation import function_of as function_of
from gpugrad.backend.evaluation import gains as gains
from gpugrad.backend.evaluation import is_typed as is_typed
from gpugrad.backend.evaluation import number as number
from gpugrad.backend.evaluation import summed as summed
from gpugrad.backend.evaluation import writer_of as writer_of
from gpugrad.backend.large import triangle as triangle
from gpugrad.backend.places import all_inside
from gpugrad.backend.pool import LEAST, made, pooled
from gpugrad.backend.pool import amply as amply
from gpugrad.backend.quiet import QUIET as QUIET
from gpugrad.backend.quiet import enter as enter
from gpugrad.backend.quiet import error_state as error_state
from gpugrad.backend.quiet import quiet as quiet
from gpugrad.backend.quiet import quietly as quietly
from gpugrad.backend.reductions import argmax as argmax
from gpugrad.backend.reductions import argmin as argmin
from gpugrad.backend.reductions import largest as largest
from gpugrad.backend.reductions import length as length
from gpugrad.backend.reductions import max as max
from gpugrad.backend.reductions import mean as mean
from gpugrad.backend.reductions import min as min
from gpugrad.backend.reductions import others as others
from gpugrad.backend.reductions import prod as prod
from gpugrad.backend.reductions import sum as sum
from gpugrad.backend.reductions import sum_to_shape as sum_to_shape
from gpugrad.backend.soft import softmax as softmax
from gpugrad.backend.soft import softmax_gradient as softmax_gradient
from gpugrad.backend.spectrum import fft as fft
from gpugrad.backend.spectrum import irfft as irfft
from gpugrad.backend.spectrum import rfft as rfft
from gpugrad.backend.updates import update as update
from gpugrad.backend.updates import update_by_loop as update_by_loop
from gpugrad.errors import out_of_bounds

xp = np
type = "cpu"

Array = Any
Shape = tuple[int, ...]

FLOAT16, FLOAT32, _BOOL = np.dtype(np.float16), np.dtype(np.float32), np.dtype(bool)
_INT64 = np.dtype(np.int64)


def device_of(array: Array) -> device:
    """Return the device that holds ``array``."""
    return CPU


@quiet
def order(array: Array, axis: int, descending: bool) -> Array:
    """Return the int64 places of the elements in their order along an axis, which is stable."""
    return sorting.ordered(np.asarray(array), axis, descending)


@quiet
def top(array: Array, count: int, axis: int, largest: bool) -> Array:
    """Return the places of so many of the largest or smallest elements, in their order."""
    return sorting.top(array, count, axis, largest)


@quiet
def count_at(places: Array, length: int, weights: Array | None, dtype: np.dtype[Any]) -> Array:
    """Return how often each of the numbers below ``length`` occurs, or sums of weights."""
    return np.bincount(places, weights, length).astype(dtype, copy=False)


@quiet
def kth(array: Array, axis: int, ranks: Shape) -> Sequence[Array]:
    """Return the elements of some ranks along an axis, which stays with length 1."""
    own = array.dtype
    if is_half(own):
        array = half.widened(array)
    found = np.partition(array, ranks, axis)
    rows = [np.take(found, (rank,), axis) for rank in ranks]
    return [half.rounded(r, own) for r in rows] if is_half(own) else rows


@quiet
def order_of_rows(rows: Array) -> Array:
    """Return the places of the rows of a matrix in their order: by the first that differs."""
    return sorting.of_rows(rows)


@quiet
def search(bounds: Array, values: Array, right: bool) -> Array:
    """Return the int64 places where values belong among sorted bounds."""
    return sorting.found(bounds, np.asarray(values), right)


@quiet
def scan(kind: str, arrays: Sequence[Array], axis: int, reverse: bool = False) -> Array:
    """Return at each place what is made of the elements up to it along an axis."""
    return scans.scan(kind, arrays, axis, reverse)


@quiet
def scan_extreme(array: Array, axis: int, greatest: bool) -> tuple[Array, Array]:
    """Return the maxima or minima up to each place, and where the last of them is."""
    return scans.extreme(array, axis, greatest)


@quiet
def matmul(a: Array, b: Array) -> Array:
    """Return the matrix product, stacked over leading dimensions.

    One matrix is multiplied once with all of a stack that lie as one, or that are narrow.
    """
    if is_half(a.dtype):
        return half.rounded(matmul(half.widened(a), half.widened(b)), a.dtype)
    if a.ndim > 2 or b.ndim > 2 or a.shape[-1:] == (1,):
        return _stacked(a, b)
    if b.ndim == 1 and not b.strides[0]:  # of one number, which BLAS does not take
        b = np.ascontiguousarray(b)
    return np.matmul(a, b)


@quiet
def weigh(array: Array, axis: int, named: taps.Taps) -> Array:
    """Return the weighted sums of elements along an axis."""
    return taps.weigh(array, axis, named)


@quiet
def largest_in(array: Array, named: Sequence[taps.Taps]) -> tuple[Array, Array]:
    """Return the maxima over windows of the last axes, and the number of each in its window."""
    return taps.largest(array, named)


@quiet
def spread(grad: Array, numbers: Array, named: Sequence[taps.Taps]) -> Array:
    """Return zeros with each element added at that of its window whose number is given."""
    return taps.spread(grad, numbers, named)


_NARROW = 16  # columns; below, a product with each of a stack reads the other matrix too often


def _stacked(a: Array, b: Array) -> Array:
    if 1 in (a.ndim, b.ndim):
        return np.matmul(a, b)
    rows, length = a.shape[-2:]
    columns = b.shape[-1]
    if length == 1:
        return np.multiply(a, b)  # one term each, for which BLAS takes ten times as long
    if _is_one(b) and not _is_one(a) and (rows <= _NARROW or a.flags.c_contiguous):
        stack = (1,) * (b.ndim - a.ndim) + a.shape[:-2]
        below = a.reshape(math.prod(stack) * rows, length)
        return (below @ b.reshape(length, columns)).reshape(*stack, rows, columns)
    if _is_one(a) and not _is_one(b) and columns <= _NARROW:
        stack = (1,) * (a.ndim - b.ndim) + b.shape[:-2]
        beside = np.moveaxis(b, -2, 0).reshape(length, math.prod(stack) * columns)
        product = (a.reshape(rows, length) @ beside).reshape(rows, *stack, columns)
        return np.ascontiguousarray(np.moveaxis(product, 0, -2))
    return np.matmul(a, b)


def _is_one(matrices: Array) -> bool:
    return math.prod(matrices.shape[:-2]) == 1


@quiet
def dot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays."""
    if is_half(a.dtype):
        return np.dot(half.widened(a), half.widened(b)).astype(a.dtype)
    return np.dot(a, b)


@quiet
def matrices(name: str, *arrays: Array, **options: Any) -> Any:
    """Return what a function of ``lapack`` gives of stacks of matrices."""
    from gpugrad.backend import lapack  # which few programs need

    return composed.called(lapack, name, *arrays, **options)


@functools.cache
def fused(name: str) -> Callable[..., Any] | None:
    """Return what computes an operation of networks in one go."""
    from gpugrad.backend.networks import FUSED

    return FUSED.get(name)


def vdot(a: Array, b: Array) -> Array:
    """Return the sum of the products of two 1-d arrays, of which the first is conjugated."""
    return np.vdot(a, b) if a.dtype.kind == "c" else dot(a, b)


def source(seed: int, where: device) -> Source:
    """Return a stream of random numbers."""
    return Source(seed)


def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    """Return the arrays joined along an existing axis."""
    return np.concatenate(arrays, axis=axis)


def full(shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array filled with ``value``."""
    if isinstance(value, int) and not value:  # in a fifth of the time
        return made(np.zeros, shape, dtype)
    return _full(shape, value, dtype)


@quiet
def _full(shape: Shape, value: complex, dtype: np.dtype[Any]) -> Array:
    array: Array = made(np.empty, shape, dtype)
    array.fill(value)
    return array


def empty(shape: Shape, dtype: np.dtype[Any], where: device) -> Array:
    """Return a new array whose values are not defined."""
    return made(np.empty, shape, dtype)


def empty_like(array: Array, order: str) -> Array:
    """Return a new array of the shape and type of another one."""
    like: Any = np.empty_like
    return like(array, None, order) if array.nbytes < LEAST else pooled(like, array, None, order)


def item(array: Array) -> Any:
    """Return the one element as a Python number."""
    return array.item()


def check_inside(
    indices: Array, low: int, n: int, axis: int, function: str, error: builtins.type[Exception]
) -> None:
    """Raise where an index is below ``low`` or not below ``n``."""
    if all_inside(indices, n):
        return
    least, most = int(indices.min()), int(indices.max())
    if least < low or most >= n:
        raise out_of_bounds(error, function, most if most >= n else least, axis, n)


def take(array: Array, index: Any) -> Array:
    """Return ``array[index]`` where ``index`` has arrays: a copy."""
    return places.taken(np.asarray(array), index)


def put(array: Array, index: Any, values: Array) -> None:
    """Write ``values`` at ``index``."""
    places.put(array, index, values)


def count(stop: int, where: device) -> Array:
    """Return the int64 numbers from 0 up to ``stop``."""
    return np.arange(stop)


def add_at(array: Array, index: Any, values: Array) -> None:
    """Add ``values`` at ``index``; what is named twice receives both."""
    reduce_at(array, index, values, "sum")


@quiet
def reduce_at(array: Array, index: Any, values: Array, way: str) -> None:
    """Put ``values`` together with what is at ``index``."""
    if is_half(array.dtype) and way in ("sum", "prod"):  # each step would round
        total = half.widened(array)
        places.reduce(total, index, half.widened(values), way)
        half.rounded(total, array.dtype, array)
    else:
        places.reduce(array, index, values, way)

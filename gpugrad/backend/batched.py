"""Arrays with axes that operations do not see: how ``vmap`` computes a whole batch at once.

A :class:`Batched` array is an ordinary one whose first axes are hidden, one for each ``vmap`` that
it is an argument of (a :class:`Level`).  Its shape, and every index and axis that an operation
names, are those of one example.  A hidden axis of length 1 stands for examples that are all equal.
:class:`BatchedBackend` has the functions of :class:`gpugrad.backend.Backend` for such arrays: each
calls the function of the same name of NumPy's or CuPy's backend once, with the hidden axes in
front.  What an operation is made from is thus all that ``vmap`` must know of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import ReferenceType, WeakValueDictionary

import numpy as np

from gpugrad._device import device
from gpugrad.backend.taps import Taps
from gpugrad.formulas import Formula

Array = Any
Shape = tuple[int, ...]

NO_MEMORY = "Cannot access data pointer of Tensor that doesn't have storage"
DYNAMIC = (
    "vmap: We do not support batching operators that can support dynamic shape. Attempting to "
    "batch over indexing with a boolean mask."
)
ELEMENT = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling "
    ".item() on a Tensor, please try to rewrite what you're doing with other operations. If error "
    "is occurring somewhere inside PyTorch internals, please file a bug report."
)


def dynamic(operation: str) -> RuntimeError:
    """Return PyTorch's error for an operation whose result's shape may differ by example."""
    return RuntimeError(
        "vmap: We do not support batching operators that can output dynamic shape. Attempted to "
        f"vmap over aten::{operation}. Please file an issue at "
        "https://github.com/pytorch/pytorch/issues if you need this feature."
    )


def no_room(operation: str = "inplace arithmetic") -> RuntimeError:
    """Return PyTorch's error for a write of what differs by example into what does not."""
    return RuntimeError(
        f"vmap: {operation}(self, *extra_args) is not possible because there exists a Tensor "
        "`other` in extra_args that has more elements than `self`. This happened due to `other` "
        "being vmapped over but `self` not being vmapped over in a vmap. Please try to use "
        f"out-of-place operators instead of {operation}. If said operator is being called inside "
        "the PyTorch framework, please file a bug report instead."
    )


class Level:
    """One call of ``vmap``: the axis that it hides has ``size`` examples.

    The numbers grow; the hidden axes of an array are in their order, the outermost first.
    ``randomness`` says what random operations do: raise an "error", or draw numbers that are
    "different" or the "same" for all examples.
    """

    _numbers = itertools.count()
    ended = False
    of_tangents = False  # whether what differs by example are the tangents that jacfwd takes

    def __init__(self, size: int, randomness: str = "error"):
        self.number = next(self._numbers)
        self.size = size
        self.randomness = randomness
        self.lifted: list[ReferenceType[Any]] = []  # tensors that have the axis while it is open


class _Flags(NamedTuple):
    c_contiguous: bool


class Batched:
    """An array of which an operation sees one example; see the module's text.

    The attributes and methods are those of arrays that operations use besides their backend.
    """

    __slots__ = ("array", "door")

    def __init__(self, array: Array, door: BatchedBackend):
        self.array = array
        self.door = door

    def __repr__(self) -> str:
        return f"<Batched array of {self.shape}, {len(self.door.levels)} levels>"

    def without(self, axes: Sequence[int]) -> Array:
        """Return the same memory without some of the hidden axes, which have length 1."""
        shape = tuple([n for k, n in enumerate(self.array.shape) if k not in axes])
        levels = [level for k, level in enumerate(self.door.levels) if k not in axes]
        array = self.array.reshape(shape)
        return door_for(self.door.inner, levels).made(array) if levels else array

    @property
    def shape(self) -> Shape:
        """The shape of one example."""
        shape: Shape = self.array.shape[self.door.depth :]
        return shape

    @property
    def strides(self) -> Shape:
        """The strides of one example, in bytes."""
        strides: Shape = self.array.strides[self.door.depth :]
        return strides

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        return int(self.array.ndim) - self.door.depth

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self.array.dtype

    @property
    def itemsize(self) -> int:
        """The bytes of an element."""
        return int(self.array.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of one example."""
        return self.size * self.itemsize

    @property
    def flags(self) -> _Flags:
        """Whether all examples together lie in the order of their indices, without gaps."""
        return _Flags(self.array.flags.c_contiguous)

    @property
    def T(self) -> Batched:  # noqa: N802  NumPy's name
        """The axes of one example in reverse."""
        return self.transpose(tuple(reversed(range(self.ndim))))

    def transpose(self, axes: Shape) -> Batched:
        """Return a view with the axes in another order."""
        hidden = self.door.depth
        return self.door.made(
            self.array.transpose((*range(hidden), *(hidden + a % self.ndim for a in axes)))
        )

    def swapaxes(self, first: int, second: int) -> Batched:
        """Return a view with two axes exchanged."""
        return self.door.made(self.array.swapaxes(*self._shifted((first, second))))

    def squeeze(self, axes: int | Shape) -> Batched:
        """Return a view without some axes of length 1."""
        axes = (axes,) if isinstance(axes, int) else axes
        return self.door.made(self.array.squeeze(self._shifted(axes))) if axes else self[...]

    def reshape(self, shape: Shape) -> Batched:
        """Return the elements in another shape."""
        return self.door.reshape(self, shape)

    def view(self, dtype: np.dtype[Any]) -> Batched:
        """Return the memory as elements of another type; the last axis grows or shrinks."""
        return self.door.made(self.array.view(dtype))

    def __getitem__(self, index: Any) -> Batched:
        """Return a view at integers and slices."""
        return self.door.made(self.array[self.door.basic(index)])

    def _shifted(self, axes: Sequence[int]) -> Shape:
        return tuple([self.door.depth + a % self.ndim for a in axes])

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse to become an array, which would show the hidden axes."""
        raise RuntimeError(NO_MEMORY)

    def common(self) -> Array | None:
        """Return the one example if all are equal, as those of a lifted array are, else None."""
        if math.prod(self.array.shape[: self.door.depth]) != 1:
            return None
        return self.array.reshape(self.shape)

    def item(self) -> Any:
        """Return the one element where all examples are equal.

        Raises:
            RuntimeError: There is one for each example.
        """
        example = self.common()
        if example is None:
            raise RuntimeError(ELEMENT)
        return example.item()

    __int__ = __float__ = __complex__ = __index__ = item

    def tolist(self) -> Any:
        """Refuse to become a list."""
        raise RuntimeError(NO_MEMORY)


class _Module:
    """What operations name of an array module besides the functions of the door."""

    ndarray = Batched

    def __init__(self, door: BatchedBackend):
        self.door = door

    def expand_dims(self, array: Batched, axis: int) -> Batched:
        """Return a view with a new axis of length 1."""
        axis = self.door.depth + axis % (array.ndim + 1)
        return self.door.made(self.door.inner.xp.expand_dims(array.array, axis))

    def flip(self, array: Batched, axes: Shape) -> Batched:
        """Return a view in reverse along some axes."""
        return self.door.made(self.door.inner.xp.flip(array.array, self.door.axes(axes)))

    def zeros_like(self, array: Batched) -> Batched:
        """Return zeros of the same shape and type."""
        return self.door.made(self.door.inner.xp.zeros_like(array.array))

    def may_share_memory(self, a: Array, b: Array) -> bool:
        """Tell whether two arrays may have an element in common."""
        return bool(self.door.inner.xp.may_share_memory(all_of(a), all_of(b)))

    def cumsum(self, array: Batched, axis: int) -> Batched:
        """Return the sums of all elements up to each."""
        return self.door.made(self.door.inner.xp.cumsum(array.array, self.door.depth + axis))

    def nonzero(self, array: Batched) -> Any:
        """Return the indices of what is not zero, where all examples are equal.

        Raises:
            RuntimeError: There may be another number of them in each example.
        """
        example = array.common()
        if example is not None:
            return self.door.inner.xp.nonzero(example)
        raise dynamic("nonzero")


class BatchedBackend:
    """The backend of batched arrays of certain levels, by way of the one of the hidden arrays.

    The functions take arrays of these levels or of some of them, and ordinary ones, which are the
    same for every example.  Results have all levels.
    """

    def __init__(self, inner: Any, levels: tuple[Level, ...]):
        self.inner = inner
        self.levels = levels
        self.sizes = tuple([level.size for level in levels])
        self.depth = len(levels)
        self.type: str = inner.type
        self.MOST_TERMS = 2

    @property
    def xp(self) -> Any:
        """The array module; made anew, because the two would keep each other alive."""
        return _Module(self)

    # ----------------------------------------------------------------------- hidden axes

    def made(self, array: Array) -> Batched:
        """Return an array whose first axes are those of the levels as a batched one."""
        return Batched(array, self)

    def axes(self, axes: Sequence[int]) -> Shape:
        """Return where axes of one example are."""
        return tuple([self.depth + a for a in axes])

    def basic(self, index: Any) -> tuple[Any, ...]:
        """Return an index of one example as one of all."""
        index = index if isinstance(index, tuple) else (index,)
        return (*(slice(None),) * self.depth, *index)

    def lifted(self, array: Array) -> Batched:
        """Return an array of some of the levels, or an ordinary one, with an axis for each."""
        if array.__class__ is not Batched:
            array = self.inner.own(array)
            return self.made(array.reshape((1,) * self.depth + array.shape))
        if array.door.levels == self.levels:
            return array
        lengths = dict(zip(array.door.levels, array.array.shape, strict=False))
        batch = tuple([lengths.get(level, 1) for level in self.levels])
        return self.made(array.array.reshape((*batch, *array.shape)))

    def _padded(self, array: Array, ndim: int) -> Array:
        """Return all of an array, with axes so that one example has ``ndim``."""
        if array.__class__ is not Batched:
            return array  # broadcasts as it is
        whole = self.lifted(array).array
        missing = ndim - (whole.ndim - self.depth)
        if not missing:
            return whole
        shape = whole.shape
        return whole.reshape((*shape[: self.depth], *(1,) * missing, *shape[self.depth :]))

    def _batch_of(self, arrays: Sequence[Array]) -> Shape:
        """Return the lengths of the hidden axes where arrays are computed together."""
        shapes = [self.lifted(a).array.shape[: self.depth] for a in arrays]
        return np.broadcast_shapes(*shapes)

    def _full(self, array: Array, batch: Shape) -> Array:
        """Return all of an array, with hidden axes of these lengths."""
        whole = self.lifted(array).array
        if whole.shape[: self.depth] == batch:
            return whole
        return self.inner.broadcast_to(whole, (*batch, *whole.shape[self.depth :]))

    def _check_room(self, target: Batched, sources: Sequence[Array]) -> None:
        """Raise where sources differ by example and the memory to write is one for all."""
        if not all(has_room(target, a) for a in sources):
            raise no_room()

    # ----------------------------------------------------------------------- one array

    def own(self, array: Batched) -> Batched:
        """Return the array, which is an array object."""
        return array

    def owns(self, array: Batched) -> bool:
        """Tell whether the memory belongs to this array alone."""
        return bool(self.inner.owns(array.array))

    def device_of(self, array: Array) -> device:
        """Return the device that holds the array."""
        found: device = self.inner.device_of(all_of(array))
        return found

    def astype(self, array: Batched, dtype: np.dtype[Any]) -> Batched:
        """Return a copy with another element type."""
        return self.made(self.inner.astype(array.array, dtype))

    def copy(self, array: Batched, order: str = "K") -> Batched:
        """Return a copy with memory of its own."""
        return self.made(self.inner.copy(array.array, order))

    def to_numpy(self, array: Batched) -> Any:
        """Refuse to hand out an array that would show the hidden axes."""
        raise RuntimeError(NO_MEMORY)

    to_pinned = to_numpy

    def item(self, array: Batched) -> Any:
        """Return the one element as a Python number."""
        return array.item()

    def address(self, array: Batched) -> int:
        """Return the address of the first element of the first example."""
        return int(self.inner.address(array.array))

    def overlap(self, a: Array, b: Array) -> bool:
        """Tell whether two arrays have an element in common."""
        return bool(self.inner.overlap(all_of(a), all_of(b)))

    def strided(
        self, memory: Batched, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
    ) -> Batched:
        """Return an array that lies in each example of the memory in the same way."""
        whole = memory.array
        steps = whole.strides[: self.depth]
        shape = (*whole.shape[: self.depth], *shape)
        return self.made(self.inner.strided(whole, shape, dtype, offset, (*steps, *strides)))

    def memory(self, array: Batched) -> tuple[int, int]:
        """Return the address of the memory that an array lies in, and the one behind it."""
        low, high = self.inner.memory(array.array)
        return int(low), int(high)

    def bytes_of(self, array: Batched) -> Any:
        """Refuse to show memory that has the hidden axes."""
        raise RuntimeError(NO_MEMORY)

    def laid_out(self, array: Batched, shape: Shape, offset: int, strides: Shape) -> Batched:
        """Return a view that lies in each example as it does, by ``offset``, in the first one."""
        whole = array.array
        shape = (*whole.shape[: self.depth], *shape)
        strides = (*whole.strides[: self.depth], *strides)
        return self.made(self.inner.laid_out(whole, shape, offset, strides))

    def broadcast_to(self, array: Batched, shape: Shape) -> Batched:
        """Return a view of another shape, with stride 0 where it repeats."""
        whole = self._padded(array, len(shape))
        return self.made(self.inner.broadcast_to(whole, (*whole.shape[: self.depth], *shape)))

    def diagonal(self, array: Batched, offset: int, first: int, second: int) -> Batched:
        """Return a view of the diagonals over two axes, which a last one replaces."""
        axes = self.axes((first, second))
        return self.made(self.inner.diagonal(array.array, offset, *axes))

    def triangle(self, array: Batched, diagonal: int, upper: bool) -> Batched:
        """Return matrices with zeros below a diagonal, or above it."""
        return self.made(self.inner.triangle(array.array, diagonal, upper))

    def reshape(self, array: Batched, shape: Shape) -> Batched:
        """Return a view where strides allow, else a copy."""
        return self.made(
            self.inner.reshape(array.array, (*array.array.shape[: self.depth], *shape))
        )

    # ----------------------------------------------------------------------- new arrays

    def full(self, shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Batched:
        """Return a new array with memory for every example."""
        return self.made(self.inner.full((*self.sizes, *shape), value, dtype, where))

    def empty(self, shape: Shape, dtype: np.dtype[Any], where: device) -> Batched:
        """Return a new array whose values are not defined, with memory for every example."""
        return self.made(self.inner.empty((*self.sizes, *shape), dtype, where))

    def empty_like(self, array: Batched, order: str) -> Batched:
        """Return an array as ``empty`` does, laid out like another one."""
        return self.made(self.inner.empty_like(self._full(array, self.sizes), order))

    def from_numpy(self, array: Array, where: device) -> Array:
        """Return a copy of a NumPy array, the same for every example."""
        return self.inner.from_numpy(array, where)

    def count(self, stop: int, where: device) -> Array:
        """Return the numbers from 0 up to ``stop``, the same for every example."""
        return self.inner.count(stop, where)

    # ----------------------------------------------------------------------- writing

    def assign(self, target: Batched, source: Array) -> None:
        """Write ``source`` into ``target``, broadcasting and casting."""
        if source.__class__ is Batched:
            self._check_room(target, (source,))
            source = self._padded(source, target.ndim)
        self.inner.assign(target.array, source)

    def add_into(self, target: Batched, source: Array) -> None:
        """Add ``source`` to ``target`` in its memory."""
        self._check_room(target, (source,))
        self.inner.add_into(target.array, self._padded(source, target.ndim))

    def add_overlapping(self, view: Batched, values: Array) -> bool:
        """Add values to a view whose elements may lie on each other, in a fixed order."""
        self._check_room(view, [values])
        found = self._padded(self.lifted(values), view.ndim)
        added: bool = self.inner.add_overlapping(view.array, found)
        return added

    def add_all(self, arrays: Sequence[Array], into_first: bool) -> Batched:
        """Return the sum of arrays of one shape, in the memory of the first if it may be used."""
        batch = self._batch_of(arrays)
        first = self.lifted(arrays[0]).array
        full = [self._full(a, batch) for a in arrays]
        return self.made(self.inner.add_all(full, into_first and first is full[0]))

    # ----------------------------------------------------------------------- formulas and sums

    def evaluate(
        self,
        formula: Formula,
        arrays: Sequence[Array],
        compute: np.dtype[Any],
        results: Sequence[np.dtype[Any]],
        sum_to: Shape | None = None,
        out: Batched | None = None,
        summed: int = 0,
    ) -> Sequence[Batched]:
        """Return the formula's outputs, computed in ``compute`` and stored as ``results``."""
        ndim = max(a.ndim for a in arrays)
        whole = [self._padded(a, ndim) for a in arrays]
        if out is not None:
            self._check_room(out, arrays)
            self.inner.evaluate(formula, whole, compute, results, out=out.array)
            return (out,)
        if sum_to is None:
            found = self.inner.evaluate(formula, whole, compute, results)
            return [self.made(self.inner.own(a)) for a in found]
        batch = self._batch_of([a for a in arrays if a.__class__ is Batched])
        if len(results) > 1:  # the output that is summed may be made of operands without a batch
            first = formula.part((summed,))[1][0]
            operand = self._padded(self.lifted(arrays[first]), ndim)
            shape = (*batch, *operand.shape[self.depth :])
            whole[first] = self.inner.broadcast_to(operand, shape)
        target = (*batch, *(1,) * (ndim - len(sum_to)), *sum_to)
        found = self.inner.evaluate(formula, whole, compute, results, target, summed=summed)
        outs = [self.made(a) for a in found]
        outs[summed] = self.reshape(outs[summed], sum_to)
        return outs

    def _reduced(
        self, function: Callable[..., Array], array: Batched, axes: Shape, *args: Any
    ) -> Batched:
        """Return what a reduction gives for each example; over no axes, one of length 1."""
        if axes:
            return self.made(function(array.array, self.axes(axes), *args))
        single = self.inner.xp.expand_dims(array.array, -1)
        return self.made(function(single, (single.ndim - 1,), False, *args[1:]))

    def sum(self, array: Batched, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Batched:
        """Return the sum over ``axes`` as ``dtype``."""
        return self._reduced(self.inner.sum, array, axes, keepdims, dtype)

    def mean(self, array: Batched, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Batched:
        """Return the mean over ``axes`` as ``dtype``."""
        return self._reduced(self.inner.mean, array, axes, keepdims, dtype)

    def prod(self, array: Batched, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Batched:
        """Return the product over ``axes`` as ``dtype``."""
        return self._reduced(self.inner.prod, array, axes, keepdims, dtype)

    def others(self, array: Batched, axes: Shape) -> Batched | None:
        """Return at each element the product of all others along ``axes``, where that is known."""
        found = self.inner.others(array.array, self.axes(axes))
        return None if found is None else self.made(found)

    def max(self, array: Batched, axes: Shape, keepdims: bool) -> Batched:
        """Return the maximum over ``axes``; nan wins."""
        return self._reduced(self.inner.max, array, axes, keepdims)

    def min(self, array: Batched, axes: Shape, keepdims: bool) -> Batched:
        """Return the minimum over ``axes``; nan wins."""
        return self._reduced(self.inner.min, array, axes, keepdims)

    def largest(self, array: Batched, axes: Shape, least: bool = False) -> Batched:
        """Return the largest or the least size over ``axes``, which stay with length 1."""
        return self.made(self.inner.largest(array.array, self.axes(axes), least))

    def argmax(self, array: Batched, axis: int | None) -> Batched:
        """Return the int64 index of the first maximum, over all where axis is None."""
        return self._position(self.inner.argmax, array, axis)

    def argmin(self, array: Batched, axis: int | None) -> Batched:
        """Return the int64 index of the first minimum, over all where axis is None."""
        return self._position(self.inner.argmin, array, axis)

    def _position(
        self, function: Callable[..., Array], array: Batched, axis: int | None
    ) -> Batched:
        if axis is None:
            array, axis = array.reshape((array.size,)), 0
        return self.made(function(array.array, self.depth + axis))

    def order(self, array: Batched, axis: int, descending: bool) -> Batched:
        """Return the places of the elements in their order along an axis."""
        if not array.ndim:
            return self.made(self.inner.xp.zeros(array.array.shape, np.int64))
        return self.made(self.inner.order(array.array, self.depth + axis, descending))

    def top(self, array: Batched, count: int, axis: int, largest: bool) -> Batched:
        """Return the places of so many of the largest or smallest elements, in their order."""
        return self.made(self.inner.top(array.array, count, self.depth + axis, largest))

    def order_of_rows(self, rows: Array) -> Array:
        """Refuse what is only asked for to find rows that differ, of which there may be any number.

        Raises:
            RuntimeError: Always.
        """
        raise dynamic("unique_dim")

    def count_at(
        self, places: Array, length: int, weights: Array | None, dtype: np.dtype[Any]
    ) -> Batched:
        """Refuse: what is counted, and how far, is another thing in each example."""
        raise RuntimeError(DYNAMIC)

    def kth(self, array: Batched, axis: int, ranks: Shape) -> Sequence[Batched]:
        """Return the elements of some ranks along an axis, which stays with length 1."""
        return [self.made(row) for row in self.inner.kth(array.array, self.depth + axis, ranks)]

    def search(self, bounds: Array, values: Array, right: bool) -> Batched:
        """Return where values belong among sorted bounds."""
        values = self.lifted(values)
        if bounds.__class__ is not Batched and bounds.ndim == 1:
            return self.made(self.inner.search(bounds, values.array, right))
        bounds = self.lifted(bounds)
        shape = values.shape
        if not values.ndim or (bounds.ndim == 1 and values.ndim > 1):
            values = values.reshape((values.size,))
        batch = self._batch_of((bounds, values))
        found = self.inner.search(self._full(bounds, batch), self._full(values, batch), right)
        return self.made(found.reshape((*batch, *shape)))

    def scan(self, kind: str, arrays: Sequence[Array], axis: int, reverse: bool = False) -> Batched:
        """Return at each place what is made of the elements up to it along an axis."""
        batch = self._batch_of(arrays)
        whole = [self._full(a, batch) for a in arrays]
        return self.made(self.inner.scan(kind, whole, self.depth + axis, reverse))

    def scan_extreme(self, array: Batched, axis: int, greatest: bool) -> tuple[Batched, Batched]:
        """Return the maxima or minima up to each place, and where the last of them is."""
        values, indices = self.inner.scan_extreme(array.array, self.depth + axis, greatest)
        return self.made(values), self.made(indices)

    def softmax(self, array: Batched, axis: int, log: bool, dtype: np.dtype[Any]) -> Batched:
        """Return exp(array) divided by its sum along an axis, or the logarithm of that."""
        return self.made(self.inner.softmax(array.array, self.depth + axis, log, dtype))

    def softmax_gradient(self, g: Array, out: Array, axis: int, log: bool) -> Batched:
        """Return the gradient of what ``softmax`` computed, ``out``."""
        batch = self._batch_of((g, out))
        whole = (self._full(g, batch), self._full(out, batch))
        return self.made(self.inner.softmax_gradient(*whole, self.depth + axis, log))

    # ----------------------------------------------------------------------- products

    def fused(self, name: str) -> None:
        """Return nothing: the plain definition is computed for all examples at once."""

    def matmul(self, a: Array, b: Array) -> Batched:
        """Return the matrix product, stacked over leading axes.

        A matrix that is the same for every example is multiplied once, by all examples together.
        """
        a, b = self.lifted(a), self.lifted(b)
        if b.ndim == 1:
            return self.matmul(a, b[..., None])[..., 0]
        if b.ndim == a.ndim == 2:
            if math.prod(b.array.shape[: self.depth]) == 1:
                return self._one_product(a, b)
            if math.prod(a.array.shape[: self.depth]) == 1:
                return self._one_product(b.T, a.T).T
        ndim = max(a.ndim, b.ndim)
        return self.made(self.inner.matmul(self._padded(a, ndim), self._padded(b, ndim)))

    def weigh(self, array: Batched, axis: int, taps: Taps) -> Batched:
        """Return the weighted sums of elements along an axis."""
        return self.made(self.inner.weigh(array.array, self.depth + axis, taps))

    def largest_in(self, array: Batched, named: Sequence[Taps]) -> tuple[Batched, Batched]:
        """Return the maxima over windows of the last axes, and the number of each in its window."""
        values, numbers = self.inner.largest_in(array.array, named)
        return self.made(values), self.made(numbers)

    def spread(self, grad: Array, numbers: Array, named: Sequence[Taps]) -> Batched:
        """Return zeros with each element added at that of its window whose number is given."""
        batch = self._batch_of((grad, numbers))
        whole = (self._full(grad, batch), self._full(numbers, batch))
        return self.made(self.inner.spread(*whole, named))

    def _one_product(self, a: Batched, b: Batched) -> Batched:
        """Return a @ b where ``b`` is one matrix, with the rows of all examples as one matrix."""
        rows, whole = a.array, b.array.reshape(b.shape)
        count = math.prod(rows.shape[:-1])
        found = self.inner.matmul(self.inner.reshape(rows, (count, rows.shape[-1])), whole)
        return self.made(found.reshape((*rows.shape[:-1], whole.shape[-1])))

    def dot(self, a: Array, b: Array) -> Batched:
        """Return the sum of the products of two 1-d arrays."""
        return self.matmul(self.lifted(a)[None, :], b)[0]

    def vdot(self, a: Array, b: Array) -> Batched:
        """Return the sum of the products of two 1-d arrays, of which the first is conjugated."""
        first = self.lifted(a)
        return self.dot(self.made(first.array.conj()), b)

    def source(self, seed: int, where: device) -> Any:
        """Return a stream of random numbers."""
        return self.inner.source(seed, where)

    def fft(self, array: Batched, axes: Shape, forward: bool, norm: str) -> Batched:
        """Return the Fourier transform along some axes, or its inverse."""
        return self.made(self.inner.fft(array.array, self.axes(axes), forward, norm))

    def rfft(self, array: Batched, axes: Shape, norm: str) -> Batched:
        """Return half of the transform of real numbers, along the last of the axes."""
        return self.made(self.inner.rfft(array.array, self.axes(axes), norm))

    def irfft(self, array: Batched, axes: Shape, length: int, norm: str) -> Batched:
        """Return the real numbers that half of a transform is of."""
        return self.made(self.inner.irfft(array.array, self.axes(axes), length, norm))

    def matrices(self, name: str, *arrays: Array, **options: Any) -> Any:
        """Return what a function gives of stacks of matrices, of which the examples are one."""
        ndim = max(a.ndim for a in arrays)
        whole = [self._padded(self.lifted(a), ndim) for a in arrays]
        found = self.inner.matrices(name, *whole, **options)
        return tuple(map(self.made, found)) if isinstance(found, tuple) else self.made(found)

    def concatenate(self, arrays: Sequence[Array], axis: int) -> Batched:
        """Return the arrays joined along an existing axis."""
        batch = self._batch_of(arrays)
        full = [self._full(a, batch) for a in arrays]
        return self.made(self.inner.concatenate(full, self.depth + axis))

    # ----------------------------------------------------------------------- indices

    def check_inside(
        self, indices: Array, low: int, n: int, axis: int, function: str, error: type[Exception]
    ) -> None:
        """Raise where an index of one of the examples is below ``low`` or not below ``n``."""
        self.inner.check_inside(all_of(indices), low, n, axis, function, error)

    def take(self, array: Array, index: Any) -> Batched:
        """Return ``array[index]`` where ``index`` has arrays: a copy."""
        place = self._place(self.lifted(array), index)
        found = self.inner.take(place.view, place.arrays)
        start, count = self.depth + place.first, len(place.shape)
        order = [k for k in range(found.ndim) if not self.depth <= k < self.depth + count]
        order[start:start] = range(self.depth, self.depth + count)
        return self.made(found.transpose(order))

    def put(self, array: Batched, index: Any, values: Array) -> None:
        """Write ``values`` at ``index``."""
        self._write(self.inner.put, array, index, values)

    def add_at(self, array: Batched, index: Any, values: Array) -> None:
        """Add ``values`` at ``index``; what is named twice receives both."""
        self._write(self.inner.add_at, array, index, values)

    def reduce_at(self, array: Batched, index: Any, values: Array, way: str) -> None:
        """Put ``values`` together with what is at ``index``."""

        def write(array: Array, index: Any, values: Array) -> None:
            self.inner.reduce_at(array, index, values, way)

        self._write(write, array, index, values)

    def _write(
        self, function: Callable[..., None], array: Batched, index: Any, values: Array
    ) -> None:
        indices = index if isinstance(index, tuple) else (index,)
        arrays = [i for i in (*indices, values) if i.__class__ is Batched]
        self._check_room(array, arrays)
        place = self._place(array, index)
        if not hasattr(values, "ndim"):
            function(place.view, place.arrays, values)
            return
        rest = place.view.shape[self.depth + place.used :]
        shape = (*rest[: place.first], *place.shape, *rest[place.first :])
        whole = self._padded(self.lifted(values), len(shape))
        whole = self.inner.broadcast_to(whole, (*whole.shape[: self.depth], *shape))
        start, count = self.depth + place.first, len(place.shape)
        order = [k for k in range(whole.ndim) if not start <= k < start + count]
        order[self.depth : self.depth] = range(start, start + count)
        whole = whole.transpose(order)
        function(place.view, place.arrays, whole)

    def _place(self, array: Batched, index: Any) -> _Place:
        """Take an index with arrays apart: first what is a view of the array, then the arrays."""
        items = list(index) if isinstance(index, tuple) else [index]
        if any(i.__class__ is Batched and i.dtype.kind == "b" for i in items):
            raise RuntimeError(DYNAMIC)
        spans = [_span(i) for i in items]
        at = next((k for k, i in enumerate(items) if i is Ellipsis), len(items))
        whole = [slice(None)] * (array.ndim - sum(spans))
        items[at : at + 1] = whole
        basic: list[Any] = []
        arrays: list[Array] = []
        axes: list[int] = []
        axis = 0  # of what the slices and integers leave
        for item in items:
            if not hasattr(item, "dtype"):
                basic.append(item)
                axis += not isinstance(item, int)
                continue
            for part in self._integers(item):
                basic.append(slice(None) if item.ndim or item.dtype.kind != "b" else None)
                arrays.append(part)
                axes.append(axis)
                axis += 1
        view = array[tuple(basic)]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        others = [k for k in range(view.ndim) if k not in axes]
        first = axes[0] if _one_run(items) else 0
        moved = view.transpose((*axes, *others)).array
        if any(a.__class__ is Batched for a in arrays):
            # the examples become one more array that the index names, so that all go together
            ndim = self.depth + len(shape)
            found = [self._padded(self.lifted(a), len(shape)) for a in arrays]
            for k, n in enumerate(moved.shape[: self.depth]):
                ones = [1] * ndim
                ones[k] = n
                numbers = self.inner.count(n, self.inner.device_of(moved)).reshape(ones)
                found.insert(k, numbers)
            return _Place(moved, tuple(found), shape, first, len(axes))
        return _Place(moved, self.basic(tuple(arrays)), shape, first, len(axes))

    def _integers(self, item: Array) -> Sequence[Array]:
        """Return a part of an index as arrays of integers, one for each axis that it names."""
        if item.__class__ is Batched or item.dtype.kind != "b":
            return (item,)
        return tuple(self.inner.xp.nonzero(item.reshape(item.shape or (1,))))


class _Place(NamedTuple):
    """Where an index with arrays leads."""

    view: Array  # the hidden axes, those that the arrays index, the others
    arrays: tuple[Any, ...]  # an index of the view
    shape: Shape  # of the arrays, broadcast
    first: int  # where that stands in an example's result
    used: int  # how many axes the arrays index


def _span(item: Any) -> int:
    """Return how many axes a part of an index uses."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if hasattr(item, "dtype") and item.dtype.kind == "b" else 1


def _one_run(items: Sequence[Any]) -> bool:
    """Tell whether the arrays of an index stand together: NumPy then leaves them in their place."""
    places = [k for k, item in enumerate(items) if hasattr(item, "dtype")]
    return bool(places) and places[-1] - places[0] + 1 == len(places)


def all_of(array: Array) -> Array:
    """Return the array with its hidden axes."""
    return array.array if array.__class__ is Batched else array


# --------------------------------------------------------------------------- levels

_doors: WeakValueDictionary[tuple[int, tuple[int, ...]], BatchedBackend] = WeakValueDictionary()


def door_for(door: Any, levels: Sequence[Level]) -> BatchedBackend:
    """Return the backend of a backend's arrays with these levels, in any order, and no others."""
    inner, _ = _parts(door)
    ordered = tuple(sorted(set(levels), key=lambda level: level.number))
    key = id(inner), tuple([level.number for level in ordered])
    found = _doors.get(key)
    if found is None:
        found = _doors[key] = BatchedBackend(inner, ordered)
    return found


def hidden(array: Array, door: Any, axis: int, level: Level) -> Batched:
    """Return a view of an array, of the backend ``door``, with one of its axes hidden."""
    inner, levels = _parts(door)
    other = door_for(inner, (*levels, level))
    place = other.levels.index(level)
    return other.made(inner.xp.moveaxis(inner.own(all_of(array)), len(levels) + axis, place))


def shown(array: Array, door: Any, axis: int, level: Level) -> Array:
    """Return a view of an array, of the backend ``door``, with the axis of a level at ``axis``."""
    lifted = with_levels(array, door, (level,))
    door = lifted.door
    place = door.levels.index(level)
    rest = [other for other in door.levels if other is not level]
    whole = lifted.array
    if whole.shape[place] != level.size:
        shape = list(whole.shape)
        shape[place] = level.size
        whole = door.inner.broadcast_to(whole, tuple(shape))
    whole = door.inner.xp.moveaxis(whole, place, len(rest) + axis)
    return door_for(door.inner, rest).made(whole) if rest else whole


def with_levels(array: Array, door: Any, levels: Sequence[Level]) -> Batched:
    """Return a view of an array, of the backend ``door``, as the same for every example."""
    inner, known = _parts(door)
    return door_for(inner, (*known, *levels)).lifted(array)


def summed(array: Array, door: Any, levels: Sequence[Level]) -> Array:
    """Return the sum over the examples of some levels, which disappear."""
    inner, known = _parts(door)
    wide = door_for(inner, (*known, *levels))
    places = [wide.levels.index(level) for level in levels]
    batch = list(wide.lifted(array).array.shape[: wide.depth])
    for place in places:
        batch[place] = wide.sizes[place]
    found = inner.sum(wide._full(array, tuple(batch)), tuple(sorted(places)), False, array.dtype)
    rest = [level for level in wide.levels if level not in levels]
    return door_for(inner, rest).made(found) if rest else found


def differs(array: Array, level: Level) -> bool:
    """Tell whether an array may differ by example of a level: not where it was lifted to it.

    Of a level with one example an array shows no difference; it is taken for lifted where only
    tangents differ.
    """
    if level not in levels_of(array):
        return False
    length = array.array.shape[array.door.levels.index(level)]
    return bool(length != 1 or (level.size == 1 and not level.of_tangents))


def one_of(array: Batched, door: Any, level: Level) -> Array:
    """Return a view without the axis of a level that an array was lifted to."""
    place = door.levels.index(level)
    rest = [other for other in door.levels if other is not level]
    whole = array.array[(*(slice(None),) * place, 0)]
    return door_for(door.inner, rest).made(whole) if rest else whole


def levels_of(array: Array) -> tuple[Level, ...]:
    """Return the levels of an array; an ordinary one has none."""
    return array.door.levels if array.__class__ is Batched else ()


def _parts(door: Any) -> tuple[Any, tuple[Level, ...]]:
    """Return the backend of the hidden arrays of a backend, and its levels."""
    return (door.inner, door.levels) if isinstance(door, BatchedBackend) else (door, ())


def copy_to_write(array: Array, door: Any, values: Sequence[Array]) -> Array:
    """Return a copy of an array with room for values that differ by example."""
    if not isinstance(door, BatchedBackend):
        return door.copy(array)
    batch = door._batch_of([array, *(v for v in values if v.__class__ is Batched)])
    return door.made(door.inner.copy(door._full(array, batch)))


def has_room(target: Array, source: Array) -> bool:
    """Tell whether an array has memory for each example that differs of what is written to it."""
    if source.__class__ is not Batched:
        return True
    room = dict(zip(levels_of(target), all_of(target).shape, strict=False))
    lengths = zip(source.door.levels, source.array.shape, strict=False)
    return all(n in (1, room.get(level)) for level, n in lengths)

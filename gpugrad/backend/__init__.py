"""The one door to arrays: which backend an array belongs to.

A backend is a module with the functions of :class:`Backend`; ``cpu`` speaks NumPy, ``cuda`` CuPy.
The look-up is by the array's type, made once per operation; CuPy is imported when a CUDA device
is first asked for, and not before.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast

import numpy as np

from gpugrad._device import device
from gpugrad.backend import cpu
from gpugrad.backend.batched import Batched, BatchedBackend, all_of, door_for
from gpugrad.backend.taps import Taps
from gpugrad.formulas import Formula

Array = Any  # numpy.ndarray, numpy.generic, cupy.ndarray or Batched
Shape = tuple[int, ...]


class Backend(Protocol):
    """The array functions that everything is made from.

    Reductions take ``axes`` as a tuple; 16-bit floats accumulate in 32 bits.
    """

    type: str

    @property
    def xp(self) -> Any:
        """The array module."""

    def own(self, array: Array) -> Array:
        """Return ``array`` as an array object: NumPy's scalars become 0-d arrays."""

    def owns(self, array: Array) -> bool:
        """Tell whether ``array`` is no view, and on CUDA, that no other array shares its memory."""

    def device_of(self, array: Array) -> device:
        """Return the device that holds ``array``."""

    def evaluate(
        self,
        formula: Formula,
        arrays: Sequence[Array],
        compute: np.dtype[Any],
        results: Sequence[np.dtype[Any]],
        sum_to: Shape | None = None,
        out: Array | None = None,
        summed: int = 0,
    ) -> Sequence[Array]:
        """Return the formula's outputs, computed in ``compute`` and stored as ``results``.

        With ``sum_to`` the output ``summed`` is summed to that shape, without a full-size temporary
        where that is large; with ``out`` the one output is written there.
        """

    def from_numpy(self, array: Array, where: device) -> Array:
        """Return a copy of a NumPy array on this backend's device ``where``."""

    def to_numpy(self, array: Array) -> np.ndarray[Any, Any]:
        """Return the array itself or its copy in host memory."""

    def to_pinned(self, array: Array) -> np.ndarray[Any, Any]:
        """Return a copy in host memory that a GPU copies from and to without a detour."""

    def astype(self, array: Array, dtype: np.dtype[Any]) -> Array:
        """Return a copy with another element type; complex to real keeps the real part."""

    def copy(self, array: Array, order: str = "K") -> Array:
        """Return a copy with memory of its own; order "K" keeps the layout, "C" makes it plain."""

    def assign(self, target: Array, source: Array) -> None:
        """Write ``source`` (an array or a number) into ``target``, broadcasting and casting."""

    def add_into(self, target: Array, source: Array) -> None:
        """Add ``source`` to ``target`` in its memory."""

    def add_overlapping(self, view: Array, values: Array) -> bool:
        """Add values to a view whose elements may lie on each other, in a fixed order.

        False where they must be added at indices instead.
        """

    MOST_TERMS: int  # how many arrays `add_all` adds at once

    def add_all(self, arrays: Sequence[Array], into_first: bool) -> Array:
        """Return the sum of arrays of one shape, in the memory of the first if it may be used."""

    def address(self, array: Array) -> int:
        """Return the address of the first element."""

    def overlap(self, a: Array, b: Array) -> bool:
        """Tell whether two arrays have an element in common; true where that is not known."""

    def strided(
        self, memory: Array, shape: Shape, dtype: np.dtype[Any], offset: int, strides: Shape
    ) -> Array:
        """Return an array that begins ``offset`` bytes after another one, in its memory."""

    def memory(self, array: Array) -> tuple[int, int]:
        """Return the address of the memory that an array lies in, and the one behind it.

        It is that of the array of which others are views, as far as this is known.
        """

    def bytes_of(self, array: Array) -> Array:
        """Return a view of all of the memory that an array lies in, as bytes."""

    def laid_out(self, array: Array, shape: Shape, offset: int, strides: Shape) -> Array:
        """Return a view of an array's memory, which begins ``offset`` bytes after that does."""

    def broadcast_to(self, array: Array, shape: Shape) -> Array:
        """Return a view of another shape, with stride 0 where it repeats."""

    def diagonal(self, array: Array, offset: int, first: int, second: int) -> Array:
        """Return a view of the diagonals over two axes, which a last one replaces."""

    def triangle(self, array: Array, diagonal: int, upper: bool) -> Array:
        """Return matrices with zeros below a diagonal, or above it."""

    def reshape(self, array: Array, shape: Shape) -> Array:
        """Return a view where strides allow, else a copy."""

    def sum(self, array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
        """Return the sum over ``axes`` as ``dtype``."""

    def mean(self, array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
        """Return the mean over ``axes`` as ``dtype``."""

    def prod(self, array: Array, axes: Shape, keepdims: bool, dtype: np.dtype[Any]) -> Array:
        """Return the product over ``axes`` as ``dtype``."""

    def others(self, array: Array, axes: Shape) -> Array | None:
        """Return at each element the product of all others along ``axes``.

        ``None`` where that is not faster than by other operations, or would not be right.
        """

    def max(self, array: Array, axes: Shape, keepdims: bool) -> Array:
        """Return the maximum over ``axes``; nan wins."""

    def min(self, array: Array, axes: Shape, keepdims: bool) -> Array:
        """Return the minimum over ``axes``; nan wins."""

    def largest(self, array: Array, axes: Shape, least: bool = False) -> Array:
        """Return the largest size over ``axes``, which stay with length 1, or the least one.

        Of no elements it is 0, or infinite.
        """

    def argmax(self, array: Array, axis: int | None) -> Array:
        """Return the int64 index of the first maximum (nan wins), over all where axis is None."""

    def argmin(self, array: Array, axis: int | None) -> Array:
        """Return the int64 index of the first minimum (nan wins), over all where axis is None."""

    def order(self, array: Array, axis: int, descending: bool) -> Array:
        """Return the int64 places of the elements in their order along an axis, which is stable.

        nan is greater than all numbers.
        """

    def top(self, array: Array, count: int, axis: int, largest: bool) -> Array:
        """Return the places of so many of the largest or smallest elements, in their order."""

    def count_at(
        self, places: Array, length: int, weights: Array | None, dtype: np.dtype[Any]
    ) -> Array:
        """Return how often each of the numbers below ``length`` occurs, or sums of weights."""

    def kth(self, array: Array, axis: int, ranks: Shape) -> Sequence[Array]:
        """Return the elements of some ranks along an axis, which stays with length 1.

        nan is greater than all numbers.
        """

    def order_of_rows(self, rows: Array) -> Array:
        """Return the places of the rows of a matrix in their order: by the first that differs."""

    def search(self, bounds: Array, values: Array, right: bool) -> Array:
        """Return the int64 places where values belong among sorted bounds.

        These are one row, or one for each row of the values; ``right`` is behind what is equal.
        """

    def scan(self, kind: str, arrays: Sequence[Array], axis: int, reverse: bool = False) -> Array:
        """Return at each place what is made of the elements up to it along an axis.

        A "sum", "prod" or "logaddexp" of one array; or the "recurrence" of two, a factor and a
        term: ``y[k] = factor[k] * y[k - 1] + term[k]``, where ``y[-1]`` is 0.  In ``reverse`` it
        is made of the elements from there on.
        """

    def scan_extreme(self, array: Array, axis: int, greatest: bool) -> tuple[Array, Array]:
        """Return the maxima or minima up to each place, and the int64 index of the last of them.

        nan wins.
        """

    def softmax(self, array: Array, axis: int, log: bool, dtype: np.dtype[Any]) -> Array:
        """Return exp(array) divided by its sum along an axis, or the logarithm of that."""

    def softmax_gradient(self, g: Array, out: Array, axis: int, log: bool) -> Array:
        """Return the gradient of what ``softmax`` computed, ``out``."""

    def fused(self, name: str) -> Callable[..., Any] | None:
        """Return what computes an operation of networks in one go, ``None`` if nothing does.

        See :mod:`gpugrad.backend.networks`.
        """

    def weigh(self, array: Array, axis: int, taps: Taps) -> Array:
        """Return the weighted sums of elements along an axis that ``taps`` name."""

    def largest_in(self, array: Array, named: Sequence[Taps]) -> tuple[Array, Array]:
        """Return the maxima over windows of the last axes, and the number of each in its window.

        The elements along each of these axes are named.  Of equal ones the first is found, and of
        those that are nan the last.
        """

    def spread(self, grad: Array, numbers: Array, named: Sequence[Taps]) -> Array:
        """Return zeros with each element added at that of its window whose number is given."""

    def matmul(self, a: Array, b: Array) -> Array:
        """Return the matrix product, stacked over leading dimensions."""

    def dot(self, a: Array, b: Array) -> Array:
        """Return the sum of the products of two 1-d arrays."""

    def vdot(self, a: Array, b: Array) -> Array:
        """Return the sum of the products of two 1-d arrays, of which the first is conjugated."""

    def source(self, seed: int, where: device) -> Any:
        """Return a stream of random numbers; see :class:`gpugrad.backend.chance.Source`."""

    def fft(self, array: Array, axes: Shape, forward: bool, norm: str) -> Array:
        """Return the Fourier transform along some axes, or its inverse; ``norm`` is NumPy's."""

    def rfft(self, array: Array, axes: Shape, norm: str) -> Array:
        """Return half of the transform of real numbers, along the last of the axes."""

    def irfft(self, array: Array, axes: Shape, length: int, norm: str) -> Array:
        """Return the real numbers that half of a transform is of, ``length`` along the last."""

    def matrices(self, name: str, *arrays: Array, **options: Any) -> Any:
        """Return what a function of :mod:`gpugrad.backend.lapack` gives of stacks of matrices.

        It may be one of :mod:`gpugrad.backend.composed`, too.  The axes before the last two
        broadcast.
        """

    def concatenate(self, arrays: Sequence[Array], axis: int) -> Array:
        """Return the arrays joined along an existing axis."""

    def full(self, shape: Shape, value: complex, dtype: np.dtype[Any], where: device) -> Array:
        """Return a new array filled with ``value``."""

    def empty(self, shape: Shape, dtype: np.dtype[Any], where: device) -> Array:
        """Return a new array whose values are not defined."""

    def empty_like(self, array: Array, order: str) -> Array:
        """Return an array as ``empty`` does, of the shape, type and device of another one."""

    def item(self, array: Array) -> Any:
        """Return the one element as a Python number."""

    def check_inside(
        self,
        indices: Array,
        low: int,
        n: int,
        axis: int,
        function: str,
        error: builtins.type[Exception],
    ) -> None:
        """Raise where an index is below ``low`` or not below ``n``.

        A GPU looks itself, without being waited for: what brings numbers to the host, waits for the
        GPU or looks at other indices afterwards, raises.
        """

    def take(self, array: Array, index: Any) -> Array:
        """Return ``array[index]`` where ``index`` has arrays: a copy."""

    def put(self, array: Array, index: Any, values: Array) -> None:
        """Write ``values`` at ``index``; of what is named twice, the last remains."""

    def count(self, stop: int, where: device) -> Array:
        """Return the int64 numbers from 0 up to ``stop``."""

    def add_at(self, array: Array, index: Any, values: Array) -> None:
        """Add ``values`` at ``index``; what is named twice receives both."""

    def reduce_at(self, array: Array, index: Any, values: Array, way: str) -> None:
        """Put ``values`` together with what is at ``index``, and with each other.

        The ``way`` is "sum", "prod", "amax" or "amin"; nan is greater, and less, than all numbers.
        """


cpu_backend = cast("Backend", cpu)

# By the type of the array; CUDA's entry is made when CuPy is imported for the first time.
BACKENDS: dict[type, Backend] = {
    np.ndarray: cpu_backend,
    **dict.fromkeys((
        np.float16, np.float32, np.float64, np.complex64, np.complex128, np.bool_, np.uint8,
        np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64, np.intp,
        np.longlong,
    ), cpu_backend),
}  # fmt: skip
SCALARS = {kind for kind in BACKENDS if issubclass(kind, np.generic)}  # bfloat16's comes later


def of(array: Array) -> Backend:
    """Return the backend of an array."""
    found = BACKENDS.get(array.__class__)
    if found is None:
        found = array.door if array.__class__ is Batched else _registered(array)
    return found


def joined(doors: Sequence[Backend]) -> Backend | None:
    """Return the backend that arrays of several are computed with together, if there is one."""
    inner = [door.inner if isinstance(door, BatchedBackend) else door for door in doors]
    if any(other is not inner[0] for other in inner):
        plain = [getattr(door, "plain", door) for door in inner]  # of those that record
        if any(other is not plain[0] for other in plain):
            return None
        inner = [door for door in inner if door is not plain[0]]
    levels = [level for door in doors if isinstance(door, BatchedBackend) for level in door.levels]
    return door_for(inner[0], levels) if levels else inner[0]


def on(where: device, door: Backend) -> Backend:
    """Return a device's backend for arrays that are batched as those of ``door`` are."""
    inner = of_device(where)
    if isinstance(door, BatchedBackend):
        return door_for(inner, door.levels)
    return inner


def at(where: device) -> AbstractContextManager[Any]:
    """Return a context in which arrays of ``where`` are computed with by their own operators.

    CuPy's kernels run on its current GPU, whichever their arrays are on.
    """
    return nullcontext() if where.type == "cpu" else cast("Any", cuda_backend()).on(where)


def moved(array: Array, where: device) -> Array:
    """Return a copy of an array on another device."""
    whole, door = all_of(array), of_device(where)
    if where.type == "cuda" and isinstance(whole, np.ndarray) and capturing():
        found = cast("Any", door).copied_by_replays(whole, where)
    else:
        found = door.from_numpy(of(whole).to_numpy(whole), where)
    if array.__class__ is Batched:
        return door_for(door, array.door.levels).made(found)
    return found


def on_host(function: Callable[[Array], Array], array: Array) -> Array:
    """Return what a NumPy function over an array's last axes gives, on the array's device."""
    whole = all_of(array)
    door = of(whole)
    found = door.from_numpy(function(door.to_numpy(whole)), door.device_of(whole))
    return array.door.made(found) if array.__class__ is Batched else found


def is_array(value: object) -> bool:
    """Tell whether ``value`` is NumPy's or CuPy's array, or one recorded; imports neither."""
    if isinstance(value, np.ndarray | np.generic):
        return True
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(value, cupy.ndarray):
        return True
    return bool(recorders) and value.__class__ in BACKENDS


def exposed(array: Array) -> Array:
    """Return an array for others than this library; a program that is recorded ends there."""
    return array.exposed() if recorders and hasattr(array, "exposed") else array


def is_recorded(array: Array) -> bool:
    """Tell whether a program is recorded of an array: a choice by its values would be for all."""
    return bool(recorders) and hasattr(all_of(array), "recorder")


def unrecorded(array: Array) -> Array:
    """Return the ordinary array of one that is recorded, for what runs of a program ask anew."""
    return array.array if recorders and hasattr(array, "recorder") else array


def interrupt(what: str) -> None:
    """Say that something is done which no program can do; one that is recorded ends there."""
    if recorders:
        recorders[-1].interrupt(what)


def asked(tensor: object) -> None:
    """Say that somebody asks what a tensor is like, on which a program that is recorded depends."""
    if recorders:
        recorders[-1].asked(tensor)


def reveal(tensor: object, hooked: bool = False) -> None:
    """Have hooks on what computed a tensor run, those there are or, ``hooked``, that come."""
    if recorders:
        recorders[-1].reveal(tensor, hooked)


def check(function: Callable[..., None], *arrays: Array) -> None:
    """Call what raises for some values, on the device of the first array.

    All runs of a program that is recorded do, too.
    """

    def there(*arrays: Array) -> None:
        with at(of(arrays[0]).device_of(arrays[0])):
            function(*arrays)

    if recorders:
        recorders[-1].check(there, arrays)
    elif of(arrays[0]) is cpu_backend:
        function(*arrays)
    else:
        there(*arrays)


def check_all(holds: Array, sentence: str, error: builtins.type[Exception] = RuntimeError) -> None:
    """Raise unless all of an array is true; of a CUDA graph, when the device is waited for."""
    if capturing():
        of(holds).check_inside(holds.astype(np.int64), 1, 2, 0, sentence, error)
    elif not bool(holds.all()):
        raise error(sentence)


def update(
    formula: Formula,
    columns: Sequence[Sequence[Array]],
    targets: Sequence[int],
    numbers: Sequence[float],
) -> None:
    """Write a formula's outputs into some of the arrays that it is of, for each row of arrays.

    All are of one type and device, and have no hidden axes.  A column is a list of the arrays at
    one place of the rows, whose arrays have one shape; numbers are the formula's last inputs.
    ``targets`` are the places in a row that the outputs are written to.
    """
    door: Any = of(columns[0][0])
    door.update(formula, columns, targets, numbers)


def place() -> Callable[[], None]:
    """Return what has another thread compute where this one does: on its GPU and in its stream."""
    cuda = sys.modules.get("gpugrad.backend.cuda")
    return cuda.place() if cuda is not None and cuda.device_count() else lambda: None


def capturing() -> bool:
    """Tell whether what this thread computes on a GPU is captured as a CUDA graph."""
    cuda = sys.modules.get("gpugrad.backend.cuda")
    return cuda is not None and cuda.capture.current() is not None


def _registered(array: Array) -> Backend:
    if isinstance(array, np.ndarray | np.generic):
        found = cpu_backend
        if isinstance(array, np.generic):
            SCALARS.add(array.__class__)
    elif is_array(array):
        found = cuda_backend()
    else:
        raise TypeError(f"expected a NumPy or CuPy array, got {type(array).__name__}")
    BACKENDS[array.__class__] = found
    return found


def cuda_problem() -> str | None:
    """Return in one sentence what is missing for CUDA, or ``None`` if it works."""
    try:
        from gpugrad.backend import cuda
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise
        return (
            "gpugrad not compiled with CUDA enabled: CuPy is not installed; get it with "
            "pip install 'gpugrad[cuda12]' or 'gpugrad[cuda13]', by your driver's CUDA version."
        )
    except ImportError as error:
        return (
            f"gpugrad not compiled with CUDA enabled: CuPy is installed but fails to load: {error}"
        )
    if not cuda.device_count():
        return (
            "Found no NVIDIA driver on your system: please check that you have an NVIDIA GPU and "
            "installed a driver from http://www.nvidia.com/Download/index.aspx"
        )
    return None


def cuda_version() -> str | None:
    """Return the version of CUDA that CuPy uses, such as "12.8"; ``None`` if there is no GPU."""
    if cuda_problem() is not None:
        return None
    number = cuda_backend().xp.cuda.runtime.runtimeGetVersion()
    return f"{number // 1000}.{number % 1000 // 10}"


def cudnn_version() -> int | None:
    """Return the version of cuDNN that convolves on GPUs, ``None`` if none does."""
    if cuda_problem() is not None:
        return None
    from gpugrad.backend.cuda import cudnn

    return cudnn.version()


def cuda_backend() -> Backend:
    """Return CUDA's backend, importing CuPy.

    Raises:
        AssertionError: CuPy is not installed, or does not load (PyTorch's class for a build
            without CUDA).
        RuntimeError: There is no GPU or no driver.
    """
    problem = cuda_problem()
    if problem is not None:
        raise (RuntimeError if problem.startswith("Found") else AssertionError)(problem)
    from gpugrad.backend import cuda

    BACKENDS[cuda.xp.ndarray] = backend = cast("Backend", cuda)
    return backend


def of_device(where: device) -> Backend:
    """Return the backend of a device; see :func:`cuda_backend` for what it raises."""
    found = cpu_backend if where.type == "cpu" else cuda_backend()
    return recorders[-1].door(found) if recorders else found


# While some thread records a program: what gives the backend for new arrays of each thread, and
# the streams that random numbers are drawn from.
recorders: list[Any] = []

"""How operands lie over the elements of a full shape, which are numbered in row-major order.

An operand whose memory is one run of dimensions, repeated along those outside and inside of the
run, is read at ``number / inside % length``: a whole array, a row, a column, the channels of a
batch of images, a number.  Kernels for such operands need two divisions for 16 bytes at most, where
others need one for each dimension of each element.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import cupy
import numpy as np

from gpugrad.kernels.source import DType, c_type

Shape = tuple[int, ...]

# The ways of reading an operand.
WHOLE = "whole"  # an element of its own for each
ROW = "row"  # repeated along the outer dimensions
HELD = "held"  # repeated along inner dimensions, and perhaps along outer ones
ONE = "one"  # a single element in the device's memory
VALUE = "value"  # a number that is passed to the kernel
PACKED = (WHOLE, ROW)  # neighbours lie side by side

BYTES = 16  # the widest load
THREADS = 256
BLOCK = (THREADS,)
PLANS = 4096  # that are remembered: programs call the same operations on the same shapes


class Way(NamedTuple):
    """What the text of a kernel depends on: an operand without its sizes."""

    name: str
    dtype: DType


# What a plan depends on: type, element type, shape and strides of an operand, not its memory.
Signature = tuple[type, DType, Shape, Shape]


def signatures(arrays: Sequence[Any]) -> tuple[Signature, ...]:
    """Return the signatures of arrays and NumPy scalars."""
    return tuple([(a.__class__, a.dtype, a.shape, a.strides) for a in arrays])


Order = tuple[int, ...]


@lru_cache(maxsize=PLANS)
def order(found: tuple[Signature, ...]) -> Order | None:
    """Return the dimensions by how far apart their neighbours lie, as PyTorch sorts them.

    Results lie in memory in that order: of a transposed operand they are transposed, too.  The
    first operands count most.  None stands for row-major order.
    """
    full = np.broadcast_shapes(*(shape for _, _, shape, _ in found))
    operands = [_broadcast(s, full) for s in found if s[2]]
    dimensions = list(range(len(full)))
    for k in range(len(full) - 2, -1, -1):
        place = k
        for other in range(k + 1, len(full)):
            turn = _compared(operands, dimensions[place], dimensions[other])
            if turn > 0:
                break
            if turn < 0:
                dimensions[other], dimensions[place] = dimensions[place], dimensions[other]
                place = other
    return None if dimensions == sorted(dimensions) else tuple(dimensions)


def _compared(operands: Sequence[tuple[Shape, Shape]], outer: int, inner: int) -> int:
    """Return 1 if two dimensions are in the right order, -1 if not, and 0 if nothing tells."""
    for sizes, strides in operands:
        far, near = strides[outer], strides[inner]
        if 0 in (far, near):
            continue
        if far != near:
            return 1 if far > near else -1
        if sizes[outer] < sizes[inner]:
            return -1
    return 0


def _broadcast(signature: Signature, full: Shape) -> tuple[Shape, Shape]:
    """Return an operand's sizes and strides over all dimensions, 0 where it repeats."""
    _, _, shape, strides = signature
    missing = len(full) - len(shape)
    sizes = (1,) * missing + shape
    strides = (0,) * missing + strides
    return sizes, tuple(0 if m != n else s for m, n, s in zip(sizes, full, strides, strict=True))


def permuted(signature: Signature, full: Shape, order: Order) -> Signature:
    """Return the signature of an operand whose dimensions are taken in another order."""
    type_, dtype, shape, _ = signature
    if not shape:
        return signature
    sizes, strides = _broadcast(signature, full)
    return type_, dtype, tuple(sizes[k] for k in order), tuple(strides[k] for k in order)


def empty(shape: Shape, dtype: Any, order: Order | None) -> Any:
    """Return a new array whose dimensions lie in memory in that order."""
    if order is None:
        return cupy.ndarray(shape, dtype)
    array = cupy.ndarray(tuple([shape[k] for k in order]), dtype)
    return array.transpose([order.index(k) for k in range(len(order))])


class Operand(NamedTuple):
    """How one operand is read."""

    way: Way
    inside: int
    length: int

    def fits(self, width: int) -> bool:
        """Tell whether ``width`` neighbours lie side by side, or all share one element."""
        if self.way.name == ROW:
            return self.length % width == 0
        return self.way.name != HELD or self.inside % width == 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """The kernel's parameters besides the memory."""
        if self.way.name == ROW:
            return (self.length,)
        return (self.inside, self.length) if self.way.name == HELD else ()

    def touched(self, address: int, start: int, end: int) -> bool:
        """Tell whether writing from ``start`` to ``end`` changes its memory, at ``address``.

        An element that is written where it was read, by the thread that read it, does not count.
        """
        size = self.length * self.way.dtype.itemsize
        same = self.way.name == WHOLE and (address, address + size) == (start, end)
        return not same and start < address + size and address < end


def operand(signature: Signature, full: Shape) -> Operand | None:
    """Return how an operand that broadcasts to ``full`` is read; None: its strides forbid it."""
    type_, dtype, own_shape, own_strides = signature
    if issubclass(type_, np.generic):
        return Operand(Way(VALUE, dtype), 1, 1)
    missing = (0,) * (len(full) - len(own_shape))
    sizes, strides = (*missing, *own_shape), (*missing, *own_strides)
    inside = length = 1
    complete = False
    for n, size, stride in zip(full[::-1], sizes[::-1], strides[::-1], strict=True):
        if n == 1:
            continue
        if size != n or stride == 0:  # it repeats
            if length == 1:
                inside *= n
            complete = length > 1
        elif complete or stride != length * dtype.itemsize:
            return None
        else:
            length *= n
    if length == 1:
        return Operand(Way(ONE, dtype), 1, 1)
    if inside > 1:
        return Operand(Way(HELD, dtype), inside, length)
    return Operand(Way(ROW if complete else WHOLE, dtype), 1, length)


def operands(found: Sequence[Signature], full: Shape) -> tuple[Operand, ...] | None:
    """Return how all operands are read; None if one of them cannot be."""
    result = [operand(s, full) for s in found]
    return None if None in result else tuple(o for o in result if o is not None)


def width(found: Sequence[Operand], results: Sequence[DType]) -> int:
    """Return how many neighbouring elements a thread takes at once: a power of two."""
    sizes = [o.way.dtype.itemsize for o in found if o.way.name in PACKED]
    result = max(1, BYTES // max([*sizes, *(d.itemsize for d in results)], default=BYTES))
    while not all(o.fits(result) for o in found):
        result //= 2
    return result


def ways(found: Sequence[Operand]) -> tuple[Way, ...]:
    """Return the ways in which operands are read."""
    return tuple(o.way for o in found)


class Launch(NamedTuple):
    """A kernel and what it is always given."""

    kernel: cupy.RawKernel
    blocks: tuple[int]
    numbers: tuple[int, ...]


def aligned(arrays: Sequence[Any]) -> bool:
    """Tell whether the memory of all arrays begins where the widest load may."""
    addresses = 0
    for a in arrays:
        if a.__class__ is cupy.ndarray:
            addresses |= a.data.ptr
    return not addresses % BYTES


# --------------------------------------------------------------------------- text


def index_type(long: bool) -> str:
    """Return the C++ type in which elements are numbered."""
    return "unsigned long long" if long else "unsigned"


_NUMBERS = {ROW: ("length",), HELD: ("inside", "length")}  # as Operand.numbers gives them


def head(name: str, ways: Sequence[Way], results: Sequence[DType], numbers: Sequence[str]) -> str:
    """Return the head of a kernel: what it is given, in the order in which a plan passes it.

    That is the memory or the value of each operand, the memory of each result, the sizes by which
    operands are read, and what else it counts with.
    """
    sizes = [f"{n}{k}" for k, w in enumerate(ways) for n in _NUMBERS.get(w.name, ())]
    parameters = [
        *(
            f"const {c_type(w.dtype)} {f'value{k}' if w.name == VALUE else f'*x{k}'}"
            for k, w in enumerate(ways)
        ),
        *(f"{c_type(d)} *out{k}" for k, d in enumerate(results)),
        *(f"const gpugrad::int64 {n}" for n in (*sizes, *numbers)),
    ]
    return f"""extern "C" __global__ void __launch_bounds__({THREADS}) {name}(
    {", ".join(parameters)})"""


_PLACES = {
    WHOLE: "at",
    ROW: "at % Index(length{k})",
    HELD: "at / Index(inside{k}) % Index(length{k})",
    ONE: "0",
}


def loads(ways: Sequence[Way], results: Mapping[int, DType], width: int) -> list[str]:
    """Return the statements that read ``width`` elements of each operand from number ``at`` on.

    They also make room for as many of each output.
    """
    lines = []
    for k, w in enumerate(ways):
        if w.name == VALUE:
            continue
        place = _PLACES[w.name].format(k=k)
        if width > 1 and w.name in PACKED:
            lines.append(f"const auto values{k} = gpugrad::load<{width}>(x{k} + {place});")
        else:
            lines.append(f"const {c_type(w.dtype)} value{k} = x{k}[{place}];")
    if width > 1:
        lines += [f"gpugrad::Pack<{c_type(d)}, {width}> outs{j};" for j, d in results.items()]
    return lines


def call(ways: Sequence[Way], results: Iterable[int], width: int) -> str:
    """Return the call of the formula for the ``k``-th of the elements that were read."""
    values = [
        f"values{j}.at[k]" if width > 1 and w.name in PACKED else f"value{j}"
        for j, w in enumerate(ways)
    ]
    targets = [f"outs{j}.at[k]" if width > 1 else f"out{j}[at]" for j in results]
    return f"formula({', '.join([*values, *targets])})"


def stores(results: Iterable[int], width: int) -> list[str]:
    """Return the statements that write ``width`` elements of each output from number ``at`` on."""
    return [f"gpugrad::store(out{j} + at, outs{j});" for j in results if width > 1]

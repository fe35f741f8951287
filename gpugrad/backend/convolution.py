"""Convolutions of NumPy's arrays, by loops in C++ where there is a compiler.

The three products with windows are sums of ``x[position + term]`` times a weight of each term.
Here the tables of positions and terms are made; ``kernels/convolution.cpp`` adds up.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Array = Any
Shape = tuple[int, ...]
Triple = tuple[int, int, int]

# Products of two numbers from which calls take a loop.  It takes 2 s to build once, and 0.2 ms to
# plan for each shape.
LEAST = 1 << 13
TYPES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_SHORT = 32  # terms; sums of fewer take as long as to write them, which is faster along rows
_GAIN = 1.4  # by how much more of a vector must be of use for lanes to be neighbours in x
_TOGETHER = 256  # positions that are summed over at a time
_MANY = 1 << 16  # positions; tables of more take much memory, and little time beside the sums
_SLACK = 64  # bytes, so that memory can begin where a vector may


@functools.cache
def library(text: str, real: str) -> ctypes.CDLL | None:
    """Return the loops of a text for numbers of a type, ``None`` where none can be built."""
    from gpugrad.backend import compiler
    from gpugrad.kernels import host

    try:
        return compiler.built(f"#define REAL {real}\n{getattr(host, text)}")
    except compiler.BuildError:
        return None


@functools.cache
def _sized(real: str) -> tuple[ctypes.CDLL, Triple] | None:
    """Return the loops for numbers of a type, with their sizes; ``None`` if none can be built."""
    loops = library("CONVOLUTION", real)
    if loops is None:
        return None
    sizes = (ctypes.c_long * 3)()
    loops.gpugrad_sizes(sizes)
    lanes, positions, results = sizes
    return loops, (lanes, positions, results)


def _loops(x: Array, products: int, windows: Any, groups: int) -> tuple[ctypes.CDLL, Triple] | None:
    """Return the loops for so many products, ``None`` where matrices are to be taken."""
    real = TYPES.get(x.dtype)
    if real is None or products < LEAST or groups == windows.elements == 1:
        return None
    return _sized(real)


@functools.cache
def _numbers_of(count: int) -> Any:
    """Return the type of so many numbers; ctypes makes it anew where none is there, in 0.1 ms."""
    return ctypes.c_long * count


def address(array: Array) -> int:
    """Return where the elements of an array begin, as the first field of NumPy's objects says."""
    found: int = ctypes.c_size_t.from_address(id(array) + object.__basicsize__).value
    return found


class _Job(NamedTuple):
    """Some results, which are sums of the same terms."""

    positions: Array  # in a framed image
    places: Array  # in a plane of the result
    lanes: Array  # how many results there are at each position
    offsets: Array  # of the terms of one plane
    taps: Array  # the elements of a filter that these are multiplied by


_ADDRESSES = ctypes.c_void_p * 5


class _Plan:
    """The tables of a product, as the loops ask for them."""

    def __init__(
        self,
        frame: _Frame,
        jobs: Sequence[_Job],
        groups: int,
        inputs: int,
        outputs: int,
        weights: tuple[int, int, int],
        target: int,
        along: bool,
        step: int,
        sizes: Triple,
        batch: int = 1,
    ):
        lanes, most, results = sizes
        group, each, per_input = weights
        image = groups * inputs * frame.plane
        planes = np.arange(inputs)[:, None]
        terms = [(planes * frame.plane + job.offsets).ravel() for job in jobs]
        indices = [(planes * per_input + job.taps).ravel() for job in jobs]
        images = np.arange(batch)[:, None] * image
        positions = [(images + job.positions).ravel() for job in jobs]
        self.tables = [
            np.ascontiguousarray(np.concatenate(parts), np.int64)
            for parts in (
                positions, [j.places for j in jobs], [j.lanes for j in jobs], terms, indices,
            )
        ]  # fmt: skip
        self.addresses = _ADDRESSES(*map(address, self.tables))
        numbers = []
        first_position = first_term = 0
        for job, some in zip(jobs, terms, strict=True):
            numbers += [len(job.positions), len(some), first_position, first_term]
            first_position += len(job.positions)
            first_term += len(some)
        self.jobs = _numbers_of(len(numbers))(*numbers)
        self.along = along
        self.batch = batch
        self.room = 0 if frame.direct else batch * image
        wide = outputs if along else -(-outputs // lanes) * lanes
        self.packed_weights = 2 * most * lanes + groups * wide * first_term
        together = first_position if batch > 1 else min(first_position, results)
        sums = groups * first_term * (outputs * lanes if along else wide)
        self.packed_results = batch * together * 2 * lanes + sums
        rest = (
            groups, inputs, outputs, *frame.sizes, *frame.before, *frame.framed, frame.phases,
            frame.pitch, frame.direct, group, each, target, along, step, self.room, batch,
            len(jobs),
        )  # fmt: skip
        self.numbers = rest

    def run(self, function: Any, packed: int, x: Array, *others: Array | None, images: int) -> None:
        """Call one of the loops."""
        numbers = (images, *self.numbers)
        room = np.empty(self.room + packed + 2 * _SLACK, x.dtype)
        begin = address(room)
        arrays = [None if a is None else ctypes.c_void_p(address(a)) for a in (x, *others)]
        function(
            _numbers_of(len(numbers))(*numbers), self.jobs, self.addresses, *arrays,
            ctypes.c_void_p(begin),
            ctypes.c_void_p(begin + (self.room + _SLACK) * x.itemsize),
        )  # fmt: skip


class _Frame(NamedTuple):
    """How an image lies where it is read: with zeros around it, and its columns in phases."""

    sizes: Triple
    before: Triple
    framed: Triple
    phases: int
    pitch: int
    direct: bool  # it is read where it is

    @property
    def strides(self) -> Triple:
        _, high, wide = self.sizes if self.direct else self.framed
        row = wide if self.direct else self.phases * self.pitch
        return high * row, row, 1

    @property
    def plane(self) -> int:
        depth = self.sizes[0] if self.direct else self.framed[0]
        return depth * self.strides[0]

    def column(self, place: Array) -> Array:
        """Return where a column of what is framed lies in a row."""
        return place % self.phases * self.pitch + place // self.phases


def _triple(numbers: Sequence[int], rest: int) -> Triple:
    first, second, third = (rest,) * (3 - len(numbers)) + tuple(numbers)
    return first, second, third


def _at(frame: _Frame, *indices: Array) -> Array:
    """Return the places of all combinations of indices of three dimensions."""
    depth, height, width = (i * s for i, s in zip(indices, frame.strides, strict=True))
    return (depth[:, None, None] + height[:, None] + width).ravel()


def _vectors(counts: Triple, lanes: int) -> tuple[list[Array], Array]:
    """Return the first indices of vectors along rows, and how many elements each has."""
    columns = np.arange(0, counts[2], lanes)
    indices = [np.arange(counts[0]), np.arange(counts[1]), columns]
    valid = np.minimum(lanes, counts[2] - columns)
    return indices, np.tile(valid, counts[0] * counts[1])


def _places(shape: Triple, *indices: Array) -> Array:
    depth, height, width = indices
    return ((depth[:, None, None] * shape[1] + height[:, None]) * shape[2] + width).ravel()


def _is_along(outputs: int, columns: int, terms: int, lanes: int) -> bool:
    """Tell whether lanes of a vector should be neighbours in x, and not filters."""
    filters = outputs / (-(-outputs // lanes) * lanes)
    neighbours = columns / (-(-columns // lanes) * lanes)
    return neighbours > filters * (1 if terms < _SHORT else _GAIN)


@functools.lru_cache(256)
def _forward(
    windows: Any, groups: int, inputs: int, outputs: int, sizes: Triple, images: int, weighs: bool
) -> _Plan:
    """Return the plan of the products of windows with filters, or with results."""
    lanes = sizes[0]
    counts, steps = _triple(windows.counts, 1), _triple(windows.stride, 1)
    kernel, apart = _triple(windows.kernel, 1), _triple(windows.dilation, 1)
    shape = _triple(windows.sizes, 1)
    before = _triple([a for a, _ in windows.pads], 0)
    reached = [
        (m - 1) * s + d * (k - 1) + 1
        for m, s, k, d in zip(counts, steps, kernel, apart, strict=True)
    ]
    framed = reached[0], reached[1], reached[2]
    terms = math.prod(counts) if weighs else inputs * windows.elements
    along = _is_along(outputs, counts[2], terms, lanes)
    inside = all(a == 0 and n >= f for a, n, f in zip(before, shape, framed, strict=True))
    phases = steps[2] if along else 1
    pitch = -(-framed[2] // phases) + lanes if along else framed[2]
    frame = _Frame(shape, before, framed, phases, pitch, inside and not along)
    if along:
        found, valid = _vectors(counts, lanes)
        positions = _at(frame, found[0] * steps[0], found[1] * steps[1], found[2])
    else:
        found, valid = [np.arange(m) for m in counts], np.ones(math.prod(counts), int)
        positions = _at(frame, *[i * s for i, s in zip(found, steps, strict=True)])
    reach = [np.arange(k) * d for k, d in zip(kernel, apart, strict=True)]
    offsets = _at(frame, reach[0], reach[1], frame.column(reach[2]))
    elements = windows.elements
    job = _Job(positions, _places(counts, *found), valid, offsets, np.arange(elements))
    batch = min(max(1, _TOGETHER // len(positions)), images) if weighs else 1
    weights = (outputs * inputs * elements, inputs * elements, elements)
    target = math.prod(counts)
    return _Plan(frame, [job], groups, inputs, outputs, weights, target, along, 1, sizes, batch)


class _Class(NamedTuple):
    """The elements of a dimension whose windows have the same elements there."""

    firsts: Array  # indices in results that these elements' places are counted from
    places: Array
    taps: Array
    offsets: Array  # of the results that are multiplied by these, from the former


def _classes(n: int, m: int, k: int, s: int, d: int, a: int) -> list[_Class]:
    """Return the classes of n elements under m windows: as many as windows are apart."""
    found = []
    for rest in range(s):
        places = np.arange((rest - a) % s, n, s)
        taps = np.array([q for q in range(k) if q * d % s == rest], int)
        offsets = -((taps * d - rest) // s)
        found.append(_Class((places + a - rest) // s, places, taps, offsets))
    return [c for c in found if len(c.places)]


@functools.lru_cache(256)
def _backward(windows: Any, groups: int, inputs: int, outputs: int, sizes: Triple) -> _Plan:
    """Return the plan of zeros with windows added: sums of results that have an element."""
    lanes = sizes[0]
    shape, counts = _triple(windows.sizes, 1), _triple(windows.counts, 1)
    kernel, steps = _triple(windows.kernel, 1), _triple(windows.stride, 1)
    apart, pads = _triple(windows.dilation, 1), _triple([a for a, _ in windows.pads], 0)
    found = [
        _classes(*numbers)
        for numbers in zip(shape, counts, kernel, steps, apart, pads, strict=True)
    ]
    before, framed = [], []
    for classes in found:
        least = [c.firsts[0] + c.offsets.min() for c in classes if len(c.taps)]
        most = [c.firsts[-1] + c.offsets.max() for c in classes if len(c.taps)]
        low = max(0, -int(min(least, default=0)))
        before.append(low)
        framed.append(low + max(int(max(most, default=0)), 0) + 1)
    inside = not any(before) and all(f <= m for f, m in zip(framed, counts, strict=True))
    elements = math.prod(kernel)
    along = _is_along(outputs, -(-shape[2] // steps[2]), inputs * elements, lanes)
    pitch = framed[2] + lanes if along else framed[2]
    frame = _Frame(counts, _triple(before, 0), _triple(framed, 1), 1, pitch, inside and not along)
    jobs = []
    for chosen in itertools.product(*found):
        depth, height, width = chosen
        columns = slice(None, None, lanes if along else 1)
        firsts = [c.firsts + b for c, b in zip(chosen, before, strict=True)]
        positions = _at(frame, firsts[0], firsts[1], firsts[2][columns])
        places = _places(shape, depth.places, height.places, width.places[columns])
        offsets = _at(frame, *[c.offsets for c in chosen])
        taps = _places(kernel, *[c.taps for c in chosen])
        rows = len(depth.places), len(height.places), len(width.places)
        valid = _vectors(rows, lanes)[1] if along else np.ones(len(places), int)
        jobs.append(_Job(positions, places, valid, offsets, taps))
    weights = (inputs * outputs * elements, elements, outputs * elements)
    target = math.prod(shape)
    return _Plan(frame, jobs, groups, inputs, outputs, weights, target, along, steps[2], sizes)


def _kept(planned: Any, places: Shape) -> Any:
    """Return what makes a plan for so many places, or looks one up that was made."""
    return planned if math.prod(places) < _MANY else planned.__wrapped__


def convolve(
    windows: Any, groups: int, x: Array, weight: Array, bias: Array | None = None
) -> Array | None:
    """Return the products of windows with filters, ``None`` where matrices are to be taken."""
    filters, each = weight.shape[:2]
    shape = (len(x), filters, *windows.counts)
    found = _loops(x, math.prod(shape) * each * windows.elements, windows, groups)
    if found is None:
        return None
    loops, sizes = found
    plan = _kept(_forward, windows.counts)(
        windows, groups, each, filters // groups, sizes, 1, False
    )
    out = np.empty(shape, x.dtype)
    x, weight = np.ascontiguousarray(x), np.ascontiguousarray(weight)
    bias = None if bias is None else np.ascontiguousarray(bias)
    packed = plan.packed_weights
    plan.run(loops.gpugrad_convolve, packed, x, weight, bias, out, images=len(x))
    return out


def transposed(
    windows: Any, groups: int, y: Array, weight: Array, bias: Array | None = None
) -> Array | None:
    """Return zeros with windows added, ``None`` where matrices are to be taken."""
    filters, each = weight.shape[:2]
    found = _loops(y, y.size * each * windows.elements, windows, groups)
    if found is None:
        return None
    loops, sizes = found
    plan = _kept(_backward, windows.sizes)(windows, groups, filters // groups, each, sizes)
    out = np.empty((len(y), each * groups, *windows.sizes), y.dtype)
    y, weight = np.ascontiguousarray(y), np.ascontiguousarray(weight)
    bias = None if bias is None else np.ascontiguousarray(bias)
    packed = plan.packed_weights
    plan.run(loops.gpugrad_convolve, packed, y, weight, bias, out, images=len(y))
    return out


def weigh(windows: Any, groups: int, x: Array, y: Array) -> Array | None:
    """Return the products of windows with results, ``None`` where matrices are to be taken."""
    filters, each = y.shape[1], x.shape[1] // groups
    found = _loops(x, y.size * each * windows.elements, windows, groups)
    if found is None:
        return None
    loops, sizes = found
    plan = _kept(_forward, windows.counts)(
        windows, groups, each, filters // groups, sizes, len(x), True
    )
    out = np.empty((filters, each, *windows.kernel), x.dtype)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    plan.run(loops.gpugrad_weigh, plan.packed_results, x, y, out, images=len(x))
    # a lane beyond a row is 0 times what is there, which is not 0 for all numbers
    return None if plan.along and not np.isfinite(out).all() else out

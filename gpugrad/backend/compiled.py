"""Formulas over large arrays of NumPy's, by loops of their own where there is a C++ compiler.

Whether a call takes a loop depends on its formula, types and sizes, never on what is built already.
A loop is built when it is first needed, with those of the formula's gradients.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import math
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad.backend import large
from gpugrad.errors import summed_axes
from gpugrad.formulas import FUNCTIONS, Formula
from gpugrad.kernels import host

Array = Any
Shape = tuple[int, ...]
DType = np.dtype[Any]

# Elements from which calls take a loop.  It is ahead of NumPy from some thousands on; but it takes
# 0.1 s to build once, and a program whose arrays are small may never have that to win.
LEAST = 1 << 15
_SHARE = 1 << 17  # elements that are worth a thread, where there is work for several
_SHARED = 1 << 19


class Kernel(NamedTuple):
    """The loop of a formula, and what it reads and writes."""

    loop: int
    inputs: tuple[DType, ...]
    outputs: tuple[DType, ...]
    items: bytes  # the bytes of an element of each


class Frames(NamedTuple):
    """What runs loops over arrays, and what stands above their text."""

    run: Any
    header: str


_kernels: dict[tuple[Formula, DType], Kernel | None] = {}
_building = threading.RLock()


@functools.cache
def frames() -> Frames | str:
    """Return what runs loops, or why there are none: building it shows what the compiler can."""
    from gpugrad.backend import compiler

    try:
        made = compiler.library(f"#define HEAD {object.__basicsize__}\n{host.FRAMES}")
        header = host.header(compiler.found().vectors)
    except compiler.BuildError as error:
        return str(error)
    run = made.gpugrad_run
    pointer, long, int_ = ctypes.c_void_p, ctypes.c_long, ctypes.c_int
    run.argtypes = (
        pointer, int_, int_, pointer, ctypes.c_char_p, int_, long, long, long, int_
    )  # fmt: skip
    run.restype = int_
    checked = _checked(run)
    return checked or Frames(run, header)


def described() -> str:
    """Return which compiler builds loops, and where they are kept, or why there are none."""
    from gpugrad.backend import compiler

    known = frames() if frames.cache_info().currsize else None
    try:
        version = compiler.version()
    except compiler.BuildError as error:
        known = str(error)
    if isinstance(known, str) or _refused:
        return f"none but NumPy's. {known if isinstance(known, str) else _refused[0]}"
    count = f"{threads()} thread{'s' * (threads() > 1)}"
    return f"{version}, from {LEAST} elements on, {count}, kept in {compiler.folder()}"


def _checked(run: Any) -> str:
    """Return what is wrong if a sum of an array is not what it must be."""
    array = np.arange(6, dtype=np.float64).reshape(3, 2)
    out = np.zeros(2)
    objects = (ctypes.c_void_p * 2)(id(array), id(out))
    run(None, 1, 1, objects, bytes((8, 8)), 0, 1, 3, 2, 1)
    return "" if out.tolist() == [6.0, 9.0] else "NumPy's arrays lie differently in memory"


def kernel(formula: Formula, compute: DType) -> Kernel | None:
    """Return the loop of a formula; ``None`` if there is none."""
    key = formula, compute
    try:
        return _kernels[key]
    except KeyError:
        pass
    with _building:
        if key not in _kernels:
            _kernels[key] = None
            if host.printable(formula, compute):
                _try([formula, *_gradients(formula)], compute)
        return _kernels[key]


_refused: list[str] = []  # what the compiler said of loops that it could not build


def _try(formulas: Iterable[Formula], compute: DType) -> None:
    """Build loops; where that fails NumPy computes, as it does without a compiler."""
    from gpugrad.backend import compiler

    try:
        build(formulas, compute)
    except compiler.BuildError as error:
        _refused.append(str(error))


def build(formulas: Iterable[Formula], compute: DType) -> None:
    """Build the loops of formulas in one library; those that can have none are left out.

    Raises:
        BuildError: The compiler fails.
    """
    from gpugrad.backend import compiler

    known = frames()
    if isinstance(known, str):
        return
    new = [
        f for f in dict.fromkeys(formulas)
        if _kernels.get((f, compute)) is None and host.printable(f, compute)
    ]  # fmt: skip
    texts = [host.loop(f"loop{k}", f, compute) for k, f in enumerate(new)]
    made = compiler.library(known.header + "".join(texts))
    for k, f in enumerate(new):
        inputs, outputs = host.dtypes(f, compute)
        items = bytes([d.itemsize for d in (*inputs, *outputs)])
        loop = ctypes.cast(getattr(made, f"loop{k}"), ctypes.c_void_p).value
        assert loop is not None
        _kernels[f, compute] = Kernel(loop, inputs, outputs, items)


def _gradients(formula: Formula) -> Iterator[Formula]:
    """Return the formulas of the gradients that a call is likely to be followed by."""
    count = len(formula.inputs)
    if "_vjp" in formula.name or "_jvp" in formula.name or count > 3:
        return
    defined = (True,) * len(formula.outputs)
    for needs in itertools.product((False, True), repeat=count):
        found = formula.vjp(needs, defined).formula if any(needs) else None
        if found is None:
            continue
        computed = [k for k, e in enumerate(found.outputs) if e.function != "variable"]
        if computed:
            yield found.part(tuple(computed))[0]
            if len(found.outputs) == 1:
                yield found


# --------------------------------------------------------------------------- calls

_POINTERS = [ctypes.c_void_p * k for k in range(host.OPERANDS + 1)]
_threads: int | None = None


def threads() -> int:
    """Return among how many threads large arrays are shared out."""
    global _threads
    if _threads is None:
        asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
        affinity = getattr(os, "sched_getaffinity", None)
        cores = len(affinity(0)) if affinity else os.cpu_count() or 1
        _threads = int(asked) if asked.isdecimal() and int(asked) else cores
    return _threads


def set_threads(count: int) -> None:
    """Share large arrays out to so many threads."""
    global _threads
    _threads = count


def evaluate(
    formula: Formula,
    arrays: Sequence[Array],
    compute: DType,
    sum_to: Shape | None = None,
    summed: int = 0,
    out: Array | None = None,
) -> Sequence[Array] | None:
    """Return a formula's outputs in the types it computes in; ``None``: it takes no loop.

    ``out`` is where the one output may be written, but need not be.
    """
    shape = _shape(arrays)
    if math.prod(shape) < LEAST or not _pays(formula, arrays, shape, compute, sum_to):
        return None
    made = kernel(formula, compute)
    if made is None or (sum_to is not None and made.outputs[summed] != compute):
        return None
    return _computed(made, arrays, shape, sum_to, summed, out)


def _computed(
    made: Kernel,
    arrays: Sequence[Array],
    shape: Shape,
    sum_to: Shape | None,
    summed: int,
    out: Array | None,
) -> list[Array]:
    """Return what a loop gives, over arrays that lie in any way."""
    arrays = [
        a if a.dtype is d and a.__class__ is np.ndarray and a.flags.aligned else _ready(a, d)
        for a, d in zip(arrays, made.inputs, strict=True)
    ]
    turn = _turn(arrays, shape)
    if turn is not None:
        arrays = [np.broadcast_to(a, shape).transpose(turn) if a.ndim else a for a in arrays]
        full = tuple([shape[k] for k in turn])
    else:
        full = shape
    if sum_to is None:
        outs = [np.empty(full, d) for d in made.outputs]
        if turn is None and out is not None and _receives(out, outs[0], arrays):
            outs = [out]
        _run(made, arrays, outs, full)
        return outs if turn is None else [_turned_back(o, turn) for o in outs]
    axes = summed_axes(shape, sum_to)
    found = _sums(
        made, arrays, full, tuple(axes if turn is None else map(turn.index, axes)), summed
    )
    if turn is not None:
        found = [_turned_back(o, turn) for o in found]
    found[summed] = found[summed].reshape(sum_to)
    return found


def gains(formula: Formula) -> bool:
    """Tell whether :func:`evaluate` may be faster than NumPy, on any machine."""
    return host.gains(formula)


def _pays(
    formula: Formula, arrays: Sequence[Array], shape: Shape, compute: DType, sum_to: Shape | None
) -> bool:
    """Tell whether a loop is faster than what NumPy has for many elements."""
    for exponent in host.exponents(formula):  # 2, 3, 4 and whole numbers are known there
        if all(arrays[k].ndim == 0 for k in exponent):
            return False
    if sum_to is None:
        return _gains(formula, compute)
    return not _adds_up(formula, arrays, shape, sum_to)


@functools.cache
def _gains(formula: Formula, compute: DType) -> bool:
    """Tell whether a loop is faster: NumPy has vector loops for some functions, if the CPU has."""
    if not host.gains(formula):
        return False
    output = formula.outputs[0]
    alone = len(formula.outputs) == 1 and output.args == formula.inputs
    numpys = FUNCTIONS[output.function].python.partition("(")[0] if alone else ""
    return not (numpys and large.vectorised(numpys, compute.name))


def _adds_up(formula: Formula, arrays: Sequence[Array], shape: Shape, sum_to: Shape) -> bool:
    """Tell whether NumPy sums without writing what is summed: an array, or a product of two."""
    output, *others = formula.outputs
    if others or not output.args:
        return not others
    if output.function != "mul" or output.args != formula.inputs:
        return False
    if not all(a.shape == shape and a.flags.c_contiguous for a in arrays):
        return False
    axes = summed_axes(shape, sum_to)
    count = len(axes)
    return axes in (tuple(range(count)), tuple(range(len(shape) - count, len(shape))))


def _shape(arrays: Sequence[Array]) -> Shape:
    shape: Shape = arrays[0].shape
    for a in arrays:
        if a.shape != shape and a.shape:
            return np.broadcast_shapes(*[a.shape for a in arrays]) if shape else _shape(arrays[1:])
    return shape


def _ready(array: Array, dtype: DType) -> Array:
    found = np.asarray(array, dtype)
    return found if found.flags.aligned else found.copy()


def _turn(arrays: Sequence[Array], shape: Shape) -> tuple[int, ...] | None:
    """Return the dimensions as they lie in the memory of results; ``None``: in row-major order."""
    for a in arrays:
        if not (a.flags.c_contiguous or a.shape != shape) and any(a.strides):
            break
    else:
        return None
    flags: Any = [["readonly"]] * len(arrays) + [["writeonly", "allocate"]]
    with np.nditer([*arrays, None], [], flags, order="K") as numpys:
        strides = numpys.operands[-1].strides
    turn = tuple(sorted(range(len(shape)), key=lambda k: -strides[k]))
    return None if turn == tuple(range(len(shape))) else turn


def _turned_back(array: Array, turn: tuple[int, ...]) -> Array:
    return array.transpose([turn.index(k) for k in range(len(turn))])


def _receives(out: Array, made: Array, arrays: Sequence[Array]) -> bool:
    """Tell whether a result may be written into ``out``: nothing is read there afterwards."""
    return (
        out.dtype is made.dtype
        and out.shape == made.shape
        and out.flags.c_contiguous
        and out.flags.aligned
        and all(
            (a.shape == out.shape and a.ctypes.data == out.ctypes.data and a.flags.c_contiguous)
            or not np.may_share_memory(a, out)
            for a in arrays
        )
    )


def _run(
    made: Kernel,
    arrays: Sequence[Array],
    outs: Sequence[Array],
    shape: Shape,
    summed: int = -1,
    sizes: tuple[int, int, int] = (0, 0, 0),
) -> None:
    known = frames()
    assert isinstance(known, Frames)
    operands = (*arrays, *outs)
    objects = _POINTERS[len(operands)](*map(id, operands))
    size = math.prod(shape)
    count = min(threads(), size // _SHARE) if size >= _SHARED else 1
    if not known.run(made.loop, len(arrays), len(outs), objects, made.items, summed, *sizes, count):
        raise MemoryError


def _sums(
    made: Kernel, arrays: Sequence[Array], shape: Shape, axes: tuple[int, ...], summed: int
) -> list[Array]:
    """Return the outputs, of which one is summed over axes, which stay with length 1."""
    first, stop, rest = _run_of_axes(shape, axes)
    own = [1 if first <= k < stop else n for k, n in enumerate(shape)]
    sizes = math.prod(shape[:first]), math.prod(shape[first:stop]), math.prod(shape[stop:])
    outs = [np.empty(own if k == summed else shape, d) for k, d in enumerate(made.outputs)]
    _run(made, arrays, outs, shape, summed, sizes)
    if rest:
        outs[summed] = np.add.reduce(outs[summed], axis=rest, keepdims=True)
    return outs


@functools.lru_cache(maxsize=4096)
def _run_of_axes(shape: Shape, axes: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    """Return the first and the last of the neighbouring axes with most elements, and the others.

    Axes of length 1 do not part neighbours.
    """
    runs: list[list[int]] = []
    for k, n in enumerate(shape):
        if k not in axes and n != 1:
            runs.append([])
        elif n != 1:
            if not runs:
                runs.append([])
            runs[-1].append(k)
    longest = max(runs, key=lambda run: math.prod([shape[k] for k in run]), default=[])
    if not longest:
        return 0, 0, ()
    rest = tuple(k for run in runs for k in run if run is not longest)
    return longest[0], longest[-1] + 1, rest

"""Formulas over large arrays of NumPy's, by loops of their own where there is a C++ compiler.

Whether a call takes one depends on its formula, types and shapes, not on what is there already.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad._dtype import accumulation, is_half
from gpugrad.backend import large, loops
from gpugrad.backend.quiet import BUFFER
from gpugrad.errors import summed_axes
from gpugrad.formulas import FUNCTIONS, Formula, variable
from gpugrad.kernels import host

Array = Any
Shape = tuple[int, ...]
DType = np.dtype[Any]

# Elements from which calls take a loop.  It is ahead of NumPy from some thousands on; but it takes
# 0.1 s to build once, and a program whose arrays are small may never have that to win.
LEAST = 1 << 15
_SHARE = 1 << 17  # elements that are worth a thread, where there is work for several
_SHARED = 1 << 19


class Plan(NamedTuple):
    """How a formula is computed over operands of certain shapes, strides and types."""

    kernel: loops.Kernel
    call: bytes  # what the frames are told
    plain: bool  # operands are NumPy's own arrays, of the types that the loop reads
    turn: tuple[int, ...] | None  # the dimensions as they lie in memory; None: in their order
    shape: Shape  # of all elements, in that order
    outs: tuple[tuple[Shape, DType], ...]
    rest: tuple[int, ...]  # other axes, over which its sums are
    most: int  # threads


_plans: dict[Any, Plan | None] = {}
_MOST_PLANS = 4096


def evaluate(
    formula: Formula,
    arrays: Sequence[Array],
    compute: DType,
    sum_to: Shape | None = None,
    summed: int = 0,
    out: Array | None = None,
) -> Sequence[Array] | None:
    """Return a formula's outputs in the types it computes in; ``None``: it takes no loop.

    A sum of halves is returned in single precision.

    ``out`` is where the one output may be written, but need not be.
    """
    seen = [(a.__class__, a.shape, a.strides, a.dtype) for a in arrays]
    key = formula, compute, sum_to, summed, *seen
    try:
        plan = _plans[key]
    except KeyError:
        plan = _planned(formula, arrays, compute, sum_to, summed)
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        _plans[key] = plan
    if plan is None:
        return None
    if not plan.plain:
        arrays = _ready(arrays, plan)
    turn, full = plan.turn, plan.shape
    if turn is not None:
        ndim = len(full)
        arrays = [
            a.reshape((1,) * (ndim - a.ndim) + a.shape).transpose(turn) if a.ndim else a
            for a in arrays
        ]
    outs = [np.empty(shape, d) for shape, d in plan.outs]
    if out is not None and turn is None and _receives(out, outs[0], arrays):
        outs = [out]
    if _run(plan, arrays, outs) == _UNALIGNED:
        _run(plan, _ready(arrays, plan), outs)
    if plan.rest:
        outs[summed] = np.add.reduce(outs[summed], axis=plan.rest, keepdims=True)
    if turn is not None:
        back = [turn.index(k) for k in range(len(turn))]
        outs = [o.transpose(back) for o in outs]
    if sum_to is not None:
        outs[summed] = outs[summed].reshape(sum_to)
    return outs


def _ready(arrays: Sequence[Array], plan: Plan) -> list[Array]:
    """Return operands as NumPy's arrays, of the types that a loop reads, and aligned."""
    pairs = zip(arrays, plan.kernel.inputs, strict=True)
    return [np.require(a, d, "A") for a, d in pairs]


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


def copied(array: Array) -> Array | None:
    """Return a copy in row-major order; ``None``: it takes no loop."""
    compute = _OF_BYTES.get(array.itemsize)
    if compute is None:
        return None
    found = evaluate(_COPY, (array.view(compute),), compute)
    if found is None or not found[0].flags.c_contiguous:
        return None
    return found[0].view(array.dtype)


_X = variable("x")
_COPY = Formula("copy", (_X,), [_X])
_OF_BYTES: dict[int, np.dtype[Any]] = {4: np.dtype(np.float32), 8: np.dtype(np.float64)}

_NO_MEMORY, _UNALIGNED = 0, 2  # what the frames may return


def _run(plan: Plan, arrays: Sequence[Array], outs: Sequence[Array]) -> int:
    known = loops.frames()
    assert isinstance(known, loops.Frames)
    count = plan.most if plan.most == 1 else min(plan.most, loops.threads())
    done: int = known.run(plan.call, [*arrays, *outs], count)
    if done == _NO_MEMORY:
        raise MemoryError
    return done


# --------------------------------------------------------------------------- plans


def _planned(
    formula: Formula,
    arrays: Sequence[Array],
    compute: DType,
    sum_to: Shape | None,
    summed: int,
) -> Plan | None:
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    size = math.prod(shape)
    if size < LEAST or not _pays(formula, arrays, shape, compute, sum_to):
        return None
    made = loops.kernel(formula, compute, _types(formula, arrays, compute, sum_to, summed))
    if made is None or (sum_to is not None and made.outputs[summed] != accumulation(compute)):
        return None
    turn = _turn(arrays, shape)
    full = shape if turn is None else tuple([shape[k] for k in turn])
    most = size // _SHARE if size >= _SHARED else 1
    plain = all(
        a.__class__ is np.ndarray and a.dtype is d for a, d in zip(arrays, made.inputs, strict=True)
    )
    count = len(arrays)
    if sum_to is None:
        outs = tuple([(full, d) for d in made.outputs])
        call = loops.described_call(made.loop, made.items, count, -1, (0, 0, 0))
        return Plan(made, call, plain, turn, full, outs, (), most)
    axes = summed_axes(shape, sum_to)
    first, stop, rest = _run_of_axes(full, axes if turn is None else [turn.index(k) for k in axes])
    own = tuple([1 if first <= k < stop else n for k, n in enumerate(full)])
    sizes = math.prod(full[:first]), math.prod(full[first:stop]), math.prod(full[stop:])
    outs = tuple([(own if k == summed else full, d) for k, d in enumerate(made.outputs)])
    call = loops.described_call(made.loop, made.items, count, summed, sizes)
    return Plan(made, call, plain, turn, full, outs, rest, most)


def _types(
    formula: Formula, arrays: Sequence[Array], compute: DType, sum_to: Shape | None, summed: int
) -> loops.Types:
    """Return what a loop of halves reads and writes where that are not all halves.

    Numbers may be of a wider type, and halves are added up in single precision.
    """
    wide = accumulation(compute)
    if wide is compute:
        return ()
    inputs, outputs = host.dtypes(formula, compute)
    read = [
        wide if d is compute and a.dtype != compute else d
        for a, d in zip(arrays, inputs, strict=True)
    ]
    written = [
        wide if sum_to is not None and k == summed and d is compute else d
        for k, d in enumerate(outputs)
    ]
    types = tuple(read), tuple(written)
    return () if types == (inputs, outputs) else types


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
    if is_half(compute):  # of which NumPy has no vectors
        return True
    if sum_to is None:
        return _gains(formula, compute) or _apart(arrays, shape)
    return not _adds_up(formula, arrays, shape, sum_to)


def _apart(arrays: Sequence[Array], shape: Shape) -> bool:
    """Tell whether some are repeated along short rows, or read in reverse, which NumPy is slow at.

    NumPy's loops are of a row, and of one thread.
    """
    size = math.prod(shape)
    long = shape[-1:] > (BUFFER // 2,) and size < _SHARED
    return any(
        (1 < a.size < size and not long) or (a.ndim and a.strides[-1] == -a.itemsize)
        for a in arrays
    )


@functools.cache
def _gains(formula: Formula, compute: DType) -> bool:
    """Tell whether a loop is faster: NumPy has vector loops for some functions, if the CPU has."""
    if not host.gains(formula):
        return False
    output = formula.outputs[0]
    alone = len(formula.outputs) == 1 and output.args == formula.inputs
    numpys = FUNCTIONS[output.function].python.partition("(")[0] if alone else ""
    if numpys in _SLOW[compute.itemsize]:
        return True
    if numpys in _QUICK[compute.itemsize]:
        return False
    return not (numpys and large.vectorised(numpys, compute.name, wide=True))


# By the bytes of a number, NumPy's loops of vectors that take longer: those of logic, which read
# bools that are written first, ten times.
_LOGICAL = frozenset({"logical_and", "logical_not", "logical_or", "logical_xor"})
_SLOW = {
    2: frozenset[str](),
    4: _LOGICAL | {"cos", "exp", "expm1", "log", "sin"},
    8: _LOGICAL | {"cos", "expm1", "sin"},
}
# Those that take less than a loop without being vector loops of NumPy's: bounds half of it.
_QUICK = {2: frozenset[str](), 4: frozenset({"clip", "lgamma"}), 8: frozenset({"clip"})}


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
    turn = tuple(sorted(range(len(shape)), key=lambda k: -abs(strides[k])))
    return None if turn == tuple(range(len(shape))) else turn


def _run_of_axes(shape: Shape, axes: Sequence[int]) -> tuple[int, int, tuple[int, ...]]:
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

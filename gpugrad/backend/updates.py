"""Formulas written into arrays that they are of, for many arrays at once."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from gpugrad._dtype import accumulation, is_half
from gpugrad.backend import compiled, half, loops
from gpugrad.backend.evaluation import FUNCTIONS
from gpugrad.backend.quiet import quiet
from gpugrad.formulas import Formula, ordered
from gpugrad.kernels import host

Array = Any

BLOCK = 1 << 14  # elements whose temporaries stay in the second-level cache


@cache
def _step(formula: Formula) -> Callable[..., Any] | None:
    """Return a function of all arrays but the first one, from which its first result is subtracted.

    ``None``: the formula is not of that form.
    """
    x, *inputs = formula.inputs
    first, *others = formula.outputs
    if first.function == "sub" and first.args[0] is x:
        outputs = [first.args[1], *others]
        if x not in ordered(outputs):
            return Formula(formula.name, inputs, outputs).compiled(FUNCTIONS)
    return None


@cache
def _whole(formula: Formula) -> Callable[..., Any]:
    return formula.compiled(FUNCTIONS)


class _Computation:
    """What is computed of rows of arrays, and where it goes."""

    def __init__(
        self, formula: Formula, kind: np.dtype[Any], targets: Sequence[int], numbers: Sequence[Any]
    ):
        self.kind, self.targets = kind, targets
        self.real = real = np.dtype(f"f{kind.itemsize // 2}") if kind.kind == "c" else kind
        self.half = is_half(real)
        step = None if self.half else _step(formula)  # of halves all is rounded once
        self.subtracts = step is not None
        self.function = step or _whole(formula)
        self.numbers = [np.array(n, accumulation(real)) for n in numbers]

    def of(self, arrays: Sequence[Array]) -> Sequence[Array]:
        """Return the results for arrays of real numbers."""
        if self.half:
            arrays = [half.widened(a) for a in arrays]
        found = self.function(*arrays, *self.numbers)
        found = found if found.__class__ is tuple else (found,)
        return [half.rounded(f, self.real) for f in found] if self.half else found

    def some(self, columns: Sequence[Sequence[Array]]) -> None:
        """Compute rows together."""
        outs = self.of([self.joined(arrays) for arrays in columns[self.subtracts :]])
        for k, out in zip(self.targets, outs, strict=True):
            values = out if self.real is self.kind else out.view(self.kind)
            (_subtract if self.subtracts and k == 0 else _divide)(columns[k], values)

    def joined(self, arrays: Sequence[Array]) -> Array:
        """Return arrays one after the other, as real numbers."""
        one = arrays[0].reshape(-1) if len(arrays) == 1 else np.concatenate(arrays, axis=None)
        return one if self.real is self.kind else one.view(self.real)

    def large(self, row: Sequence[Array]) -> None:
        """Compute one row block by block, where it lies if it lies plainly and apart."""
        order = "F" if all(a.flags.f_contiguous for a in row) else "C"
        if (order == "C" and not all(a.flags.c_contiguous for a in row)) or not _lie_apart(row):
            self.some([[a] for a in row])
            return
        lines = [a.reshape(-1, order=order).view(self.real) for a in row]
        for start in range(0, lines[0].size, BLOCK):
            block = slice(start, start + BLOCK)
            outs = self.of([a[block] for a in lines[self.subtracts :]])
            for k, out in zip(self.targets, outs, strict=True):
                if self.subtracts and k == 0:
                    part = lines[0][block]
                    np.subtract(part, out, part)
                else:
                    lines[k][block] = out


@quiet
def update(
    formula: Formula,
    columns: Sequence[Sequence[Array]],
    targets: Sequence[int],
    numbers: Sequence[float],
) -> None:
    """Write a formula's outputs into some of the arrays that it is of, for each row of arrays.

    Small rows are put together, computed at once, and written back; large ones are computed in
    blocks.  Complex arrays are written as arrays of twice as many real numbers.
    """
    computation = _Computation(formula, columns[0][0].dtype, targets, numbers)
    sizes = [a.size for a in columns[0]]
    for some in _portions(sizes):
        if sizes[some.start] <= BLOCK:
            computation.some([arrays[some] for arrays in columns])
        else:
            computation.large([arrays[some.start] for arrays in columns])


def _portions(sizes: Sequence[int]) -> Iterator[slice]:
    """Return rows in portions: some small ones together, and large ones alone."""
    start = total = 0
    for k, size in enumerate(sizes):
        if total + size > BLOCK and k > start:
            yield slice(start, k)
            start, total = k, 0
        total += size
    yield slice(start, len(sizes))


def _divide(arrays: Sequence[Array], values: Array) -> None:
    """Write what follows each other in ``values`` to arrays."""
    start = 0
    for array in arrays:
        end = start + array.size
        if array.ndim == 1:
            array[:] = values[start:end]
        else:
            array[...] = values[start:end].reshape(array.shape)
        start = end


def _subtract(arrays: Sequence[Array], values: Array) -> None:
    """Subtract what follows each other in ``values`` from arrays."""
    start = 0
    for array in arrays:
        end = start + array.size
        part = values[start:end]
        np.subtract(array, part if array.ndim == 1 else part.reshape(array.shape), array)
        start = end


def _lie_apart(row: Sequence[Array]) -> bool:
    """Tell whether no two arrays of a row share memory."""
    viewing = [a.base is not None for a in row]
    return not any(viewing) or not any(
        np.may_share_memory(a, b) for a, b in itertools.combinations(row, 2)
    )


# --------------------------------------------------------------------------- by a loop


@cache
def _loop(formula: Formula, targets: tuple[int, ...], columns: int, kind: np.dtype[Any]) -> Any:
    """Return the loop over rows, ``None`` where there can be none."""
    from gpugrad.backend import compiler

    known = loops.frames()
    if isinstance(known, str) or not host.printable(formula, kind):
        return None
    text = host.rows("update", formula, targets, columns, kind)
    try:
        made = compiler.built(known.header + text).update
    except compiler.BuildError:
        return None
    made.argtypes = ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p
    return made


@cache
def _objects(count: int) -> Any:
    return ctypes.c_void_p * count


def update_by_loop(
    formula: Formula,
    columns: Sequence[Sequence[Array]],
    targets: tuple[int, ...],
    numbers: Sequence[float],
) -> bool:
    """Do what :func:`update` does by one loop, which looks itself whether arrays are plain.

    False where it is not worth building one, or there is no compiler, or arrays are not alike;
    then nothing is written.
    """
    first = columns[0]
    kind = first[0].dtype
    if kind.char not in "fd" or sum([a.size for a in first]) < compiled.LEAST:
        return False
    loop = _loop(formula, targets, len(columns), kind)
    if loop is None:
        return False
    objects = _objects(len(columns) * len(first))(*map(id, itertools.chain(*columns)))
    values = (ctypes.c_double * len(numbers))(*numbers)
    return bool(loop(len(first), objects, values))

"""Formulas as kernels: of elements, summed, and written into many arrays."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from gpugrad.backend.cuda.arrays import assign, copy
from gpugrad.backend.cuda.devices import at_home
from gpugrad.errors import summed_axes
from gpugrad.formulas import COMPLEX, REAL, Formula, variable
from gpugrad.kernels import dense, launches, layout, summation
from gpugrad.kernels import update as updates
from gpugrad.kernels.elementwise import elementwise
from gpugrad.kernels.layout import PLANS, aligned, signatures
from gpugrad.kernels.reduction import reduction

xp = cupy
Array = Any
Shape = tuple[int, ...]


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


def evaluated(formula: Formula, arrays: Sequence[Array], leading: int = 0) -> Sequence[Array]:
    """Return a formula's outputs, of the one real type of all arrays.

    It is that of the ``leading``: numbers may be of another.
    """
    kind = arrays[leading].dtype
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


def total_of(
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

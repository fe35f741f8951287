"""Norms and distances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import accumulation
from gpugrad.backend import cpu
from gpugrad.op import OPS, composite
from gpugrad.ops import pointwise as pw
from gpugrad.ops.extremum import shared_among_equals
from gpugrad.ops.reduction import along_slope, restored
from gpugrad.ops.scale import divided, in_range, squares_in_range, without

if TYPE_CHECKING:
    pass

Array = Any
Shape = tuple[int, ...]
Dim = int | Sequence[int] | None


def _norm(door: backend.Backend, input: Array, axes: Shape, keepdims: bool, order: float) -> Array:
    kind = input.dtype
    if order == 2 and input.__class__ is np.ndarray and kind.kind == "f" and kind.itemsize > 2:
        found = cpu.length(input, axes, keepdims, *squares_in_range(kind))
        if found is not None:
            return found
    real = _dtype.of(kind).to_real().numpy
    size = input
    if kind.kind == "c" or order != 2:  # a square needs no sign
        formula = OPS["abs"].of_kind(kind.kind == "c").formula
        (size,) = door.evaluate(formula, (input,), kind, (real,))
    if order == math.inf:
        return door.max(size, axes, keepdims)
    if order == -math.inf:
        return door.min(size, axes, keepdims)
    wide = accumulation(real)
    shape = tuple([1 if k in axes else n for k, n in enumerate(input.shape)])
    if wide != real:
        size = door.astype(size, wide)

    def summed(*largest: Array) -> Array:
        terms, exponent = pw.with_exponent("reduced_power" if largest else "power", order)
        operands = (size, *largest, *map(wide.type, exponent))
        (total,) = door.evaluate(terms, operands, wide, (wide,), shape)
        return total

    total, largest = in_range(door, size, axes, order, real, summed)
    root, exponent = pw.with_exponent("enlarged_power" if largest else "power", 1 / order)
    operands = (*largest, total, *map(wide.type, exponent))
    (out,) = door.evaluate(root, operands, wide, (real,))
    return without(door, out, axes, keepdims)


@composite("LinalgVectorNormBackward0")
def norm_of(
    door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool, order: float
) -> Array:
    return _norm(door, input, axes, keepdims, order)


@composite("DistBackward0")
def distance_of(door: backend.Backend, input: Array, other: Array, *, order: float) -> Array:
    """Return the norm of a difference, of any order but 0."""
    kind = input.dtype
    formula = OPS["minus"].of_kind(kind.kind == "c").formula
    (difference,) = door.evaluate(formula, (input, other), kind, (kind,))
    return _norm(door, difference, tuple(range(difference.ndim)), False, order)


@composite("LinalgVectorNormBackward0")
def count_of_nonzero(door: backend.Backend, input: Array, *, axes: Shape, keepdims: bool) -> Array:
    """Return the norm of order 0, which has no gradient, not even zeros."""
    kind = input.dtype
    formula = OPS["nonzero_as_one"].of_kind(kind.kind == "c").formula
    real = _dtype.of(kind).to_real().numpy
    wide = accumulation(real)
    (ones,) = door.evaluate(formula, (input,), kind, (wide,))
    return door.sum(ones, axes, keepdims, real)


@norm_of.gradient
def input(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool, order: float) -> Any:
    return _slope(g, input, out, axes, keepdims, order)


@distance_of.gradient
def input(g: Any, input: Any, other: Any, out: Any, order: float) -> Any:
    difference = input - other
    return _slope(g, difference, out, tuple(range(difference.ndim)), False, order)


@distance_of.gradient
def other(g: Any, input: Any, other: Any, out: Any, order: float) -> Any:
    difference = other - input
    return _slope(g, difference, out, tuple(range(difference.ndim)), False, order)


def _slope(g: Any, input: Any, out: Any, axes: Shape, keepdims: bool, order: float) -> Any:
    """Return the gradient of a norm by what it is of."""
    ndim = input._array.ndim
    g, out = restored(g, axes, keepdims, ndim), restored(out, axes, keepdims, ndim)
    if order == 2:
        return along_slope(g, lambda g: divided(pw.along, out, g, input))
    direction = pw.sgn(input)
    if order == 1:
        return direction * g
    size = pw.abs(input)
    if abs(order) == math.inf:
        return direction * shared_among_equals(g, size, out, axes, keepdims=True)
    scale = pw.where(out == 0, 1, out.detach())  # relative to it, powers are in their type's range
    size, unit = size / scale, out / scale
    if order < 1:
        inner = direction * pw.where(size == 0, 0, size ** (order - 1))
        return along_slope(g, lambda g: inner * (g * pw.where(out == 0, 0, unit ** (1 - order))))
    inner = direction * size ** (order - 1)
    slope = pw.along if order < 2 else pw.along_or_flat
    return along_slope(g, lambda g: slope(unit ** (order - 1), g, inner))

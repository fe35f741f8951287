"""What is computed with the values of sparse matrices: products and solutions of equations.

The gradient of a product is a product by the values at the pattern's places, and the gradient of
that is the product again, so that there is one of every order.  A solution's is that of the
adjoint equation, by the same method (the implicit function theorem).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from gpugrad import backend
from gpugrad._dtype import is_half
from gpugrad.backend.batched import Batched, all_of
from gpugrad.op import OPS, bilinear, composite
from gpugrad.ops.pointwise import conjugate
from gpugrad.scipy.sparse.pattern import Pattern

Array = Any


def _times(door: Any, a: Array, b: Array, sum_to: Any = None) -> Array:
    kind = a.dtype
    formula = OPS["mul"].of_kind(kind.kind == "c").formula
    (found,) = door.evaluate(formula, (a, b), kind, (kind,), sum_to)
    return found


def conj(tensor: Any) -> Any:
    """Return the conjugate of a tensor; of a real one itself."""
    return conjugate(tensor) if tensor._array.dtype.kind == "c" else tensor


@bilinear("SparseMmBackward0")
def product(door: backend.Backend, values: Array, other: Array, *, pattern: Pattern) -> Array:
    """Multiply a sparse matrix by a vector, or by the columns of a matrix."""
    kind = values.dtype
    if values.__class__ is np.ndarray and not is_half(kind):
        return np.asarray(pattern.filled(values) @ other, dtype=kind)
    rows, columns = pattern.on(door, door.device_of(values))
    taken = door.take(other, (columns,))
    column = values if other.ndim == 1 else values.reshape((pattern.count, 1))
    terms = _times(door, taken, column)
    shape = (pattern.shape[0], *other.shape[1:])
    found = door.full(shape, 0, kind, door.device_of(values))
    door.add_at(found, (rows,), terms)
    return found


@product.gradient
def values(g: Any, other: Any, pattern: Pattern) -> Any:
    return sampled(g, conj(other), pattern=pattern)


@product.gradient
def other(g: Any, values: Any, pattern: Pattern) -> Any:
    return product(conj(values), g, pattern=pattern.transposed)


@bilinear("SparseSampledMmBackward0")
def sampled(door: backend.Backend, left: Array, right: Array, *, pattern: Pattern) -> Array:
    """Return the outer product of vectors, or its sum over columns, at the places of a pattern."""
    rows, columns = pattern.on(door, door.device_of(left))
    a, b = door.take(left, (rows,)), door.take(right, (columns,))
    if left.ndim == 1:
        return _times(door, a, b)
    return _times(door, a, b, (pattern.count, 1)).reshape((pattern.count,))


@sampled.gradient
def left(g: Any, right: Any, pattern: Pattern) -> Any:
    return product(g, conj(right), pattern=pattern)


@sampled.gradient
def right(g: Any, left: Any, pattern: Pattern) -> Any:
    return product(g, conj(left), pattern=pattern.transposed)


class Way(Protocol):
    """How equations with a sparse matrix are solved, on the host."""

    def solve(self, pattern: Pattern, values: Any, other: Any, adjoint: bool) -> Any:
        """Return the solution for a vector, or for columns, by a matrix or by its adjoint."""


@composite("SparseSolveBackward0")
def solved(
    door: backend.Backend, values: Array, other: Array, *, pattern: Pattern, way: Way, adjoint: bool
) -> Array:
    """Solve equations with a sparse matrix, or with its adjoint, on the host."""
    where = door.device_of(values)
    if values.__class__ is not Batched:
        host = backend.cpu_backend if where.type == "cpu" else door
        found = way.solve(pattern, host.to_numpy(values), host.to_numpy(other), adjoint)
        return door.from_numpy(found, where) if where.type != "cpu" else found
    whole = [all_of(a) for a in (values, other)]
    inner = backend.of(whole[0])
    a, b = (inner.to_numpy(w) for w in whole)
    hidden = a.ndim - 1
    batch = np.broadcast_shapes(a.shape[:hidden], b.shape[:hidden])
    a = np.broadcast_to(a, (*batch, *a.shape[hidden:]))
    b = np.broadcast_to(b, (*batch, *b.shape[hidden:]))
    result = np.empty(b.shape, b.dtype)
    for place in np.ndindex(*batch):
        result[place] = way.solve(pattern, a[place], b[place], adjoint)
    made: Any = door
    return made.made(inner.from_numpy(result, where))


@solved.gradient
def inputs(
    g: Any, values: Any, out: Any, needs: Sequence[bool], pattern: Pattern, way: Way, adjoint: bool
) -> list[Any]:
    back = solved(values, g, pattern=pattern, way=way, adjoint=not adjoint)
    by_values = None
    if needs[0]:
        pair = (out, conj(back)) if adjoint else (back, conj(out))
        by_values = -sampled(*pair, pattern=pattern)
    return [by_values, back]

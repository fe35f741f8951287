"""Products of vectors, matrices and arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpugrad.graph import TensorBase
from gpugrad.numpy.operands import (
    array_of,
    cast,
    door,
    dtype_of,
    on_host,
    plain,
    promoted,
    sent,
    written,
)
from gpugrad.numpy.shapes import diagonal
from gpugrad.numpy.table import UFUNCS
from gpugrad.numpy.ufuncs import normal_axes, op
from gpugrad.ops import pointwise as pw
from gpugrad.ops import shape as shapes

_matmul = UFUNCS["matmul"]


@door
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """Return the product of matrices or vectors, or the sum over the last axis and one before."""
    x, y = promoted(a, b)
    if not x._array.ndim or not y._array.ndim:
        found = UFUNCS["multiply"](array_of(x), array_of(y))
    elif x._array.ndim <= 2 and y._array.ndim <= 2:
        _check_inner("shapes", x, y, x._array.ndim - 1, max(y._array.ndim - 2, 0))
        found = _matmul(array_of(x), array_of(y))
    else:
        found = tensordot(x, y, ((x._array.ndim - 1,), (max(y._array.ndim - 2, 0),)))
    return written("dot", out, found)


def _check_inner(what: str, x: Any, y: Any, first: int, second: int) -> None:
    n, m = x._array.shape[first], y._array.shape[second]
    if n != m:
        raise ValueError(
            f"shapes {tuple(x._array.shape)} and {tuple(y._array.shape)} not aligned: {n} (dim "
            f"{first}) != {m} (dim {second})"
        )


@door
def vdot(a: Any, b: Any, /) -> Any:
    x, y = (shapes.reshape(p, (-1,)) for p in promoted(a, b))
    if x._array.shape != y._array.shape:
        raise ValueError("cannot reshape: vdot needs as many elements of both")
    return _matmul(UFUNCS["conjugate"](array_of(x)), array_of(y))


@door
def inner(a: Any, b: Any, /) -> Any:
    x, y = promoted(a, b)
    if not x._array.ndim or not y._array.ndim:
        return UFUNCS["multiply"](array_of(x), array_of(y))
    _check_inner("inner", x, y, x._array.ndim - 1, y._array.ndim - 1)
    return tensordot(x, y, ((-1,), (-1,)))


@door
def outer(a: Any, b: Any, out: Any = None) -> Any:
    x, y = (shapes.reshape(p, (-1,)) for p in promoted(a, b))
    product = UFUNCS["multiply"](
        array_of(shapes.reshape(x, (-1, 1))), array_of(shapes.reshape(y, (1, -1)))
    )
    return written("outer", out, product)


@door
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the sum of products over pairs of axes: so many of the last and first, or given."""
    x, y = promoted(a, b)
    n, m = x._array.ndim, y._array.ndim
    axes = on_host(axes)
    if hasattr(axes, "__len__"):
        first, second = axes
        first = tuple(first) if hasattr(first, "__len__") else (first,)
        second = tuple(second) if hasattr(second, "__len__") else (second,)
    else:
        count = int(axes)
        first, second = tuple(range(n - count, n)), tuple(range(count))
    if len(first) != len(second):
        raise ValueError("shape-mismatch for sum")
    first, second = normal_axes(first, n), normal_axes(second, m)
    if any(x._array.shape[j] != y._array.shape[k] for j, k in zip(first, second, strict=True)):
        raise ValueError("shape-mismatch for sum")
    left = [k for k in range(n) if k not in first]
    right = [k for k in range(m) if k not in second]
    inner_ = math.prod(x._array.shape[k] for k in first)
    rows = [x._array.shape[k] for k in left]
    columns = [y._array.shape[k] for k in right]
    x = shapes.reshape(shapes.permute(x, (*left, *first)), (math.prod(rows), inner_))
    y = shapes.reshape(shapes.permute(y, (*second, *right)), (inner_, math.prod(columns)))
    return shapes.reshape(plain(_matmul(array_of(x), array_of(y))), (*rows, *columns))


@door
def kron(a: Any, b: Any) -> Any:
    x, y = promoted(a, b)
    if not x._array.ndim or not y._array.ndim:
        return UFUNCS["multiply"](array_of(x), array_of(y))
    return op("kron")(x, y)


@door
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Any:
    diagonals = diagonal(plain(a), offset, axis1, axis2)
    return UFUNCS["add"].reduce(array_of(diagonals), -1, dtype, out)


@door
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Return the cross product of vectors of three components; of two, the third one of it."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = promoted(a, b)
    (j,), (k,) = normal_axes(axisa, x._array.ndim), normal_axes(axisb, y._array.ndim)
    x, y = shapes.movedim(x, j, -1), shapes.movedim(y, k, -1)
    lengths = x._array.shape[-1], y._array.shape[-1]
    if not set(lengths) <= {2, 3}:
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, but they are "
            f"{lengths[0]} and {lengths[1]} dimensional instead."
        )

    def part(t: Any, n: int) -> Any:
        if n >= t._array.shape[-1]:
            return None
        return t[..., n]

    def product(n: int, m: int) -> Any:
        p, q = part(x, n), part(y, m)
        return None if p is None or q is None else pw.mul(p, q)

    def difference(n: int, m: int) -> Any:
        p, q = product(n, m), product(m, n)
        if p is None:
            return pw.neg(q)
        return p if q is None else pw.sub(p, q)

    if lengths == (2, 2):
        return difference(0, 1)
    found = op("stack")([difference(1, 2), difference(2, 0), difference(0, 1)], -1)
    (c,) = normal_axes(axisc, found._array.ndim)
    return shapes.movedim(found, -1, c)


def _equation(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Return the equation and the operands, which may be given as lists of numbers of axes."""
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), list(operands[1:])
    parts, arrays, k = [], [], 0
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    def written_(axes: Any) -> str:
        return "".join("..." if s is Ellipsis else letters[s] for s in axes)

    while k + 1 < len(operands):
        arrays.append(operands[k])
        parts.append(written_(operands[k + 1]))
        k += 2
    output = f"->{written_(operands[k])}" if k < len(operands) else ""
    return ",".join(parts) + output, arrays


@door
def einsum(
    *operands: Any, out: Any = None, optimize: Any = False, dtype: Any = None, order: str = "K",
    casting: str = "safe",
) -> Any:  # fmt: skip
    """Return a sum of products over indices, by an equation or by lists of axes."""
    equation, arrays = _equation(operands)
    tensors = promoted(*arrays, kind=None if dtype is None else dtype_of(dtype))
    kind = tensors[0]._array.dtype
    if len(arrays) == 1 and isinstance(arrays[0], TensorBase) and arrays[0]._array.dtype == kind:
        tensors = arrays  # of which the result may be a view
    try:
        if kind.kind in "biu":
            found = _of_integers(equation, tensors, kind)
        else:
            found = op("einsum")(equation, *tensors)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    return written("einsum", out, cast(found, kind))


def _of_integers(equation: str, tensors: list[Any], kind: Any) -> Any:
    """Return the sum of products of integers, for which there may be no matrix product."""
    host = [np.asarray(on_host(t)) for t in tensors]
    return sent(np.asarray(np.einsum(equation, *host), kind), tensors[0].device)


@door
def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    equation, arrays = _equation(operands)
    shapes_ = [np.empty(plain(a)._array.shape) for a in arrays]
    return np.einsum_path(equation, *shapes_, optimize=optimize)

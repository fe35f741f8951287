"""Distances of rows, each with each, and of tensors; slices that are shortened to a norm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._dtype import FLOATING, INEXACT
from gpugrad.backend.batched import all_of
from gpugrad.errors import normal_dim
from gpugrad.op import OPS, composite, pointwise, public, result_type
from gpugrad.op.promotion import as_operand
from gpugrad.ops import pointwise as pw
from gpugrad.ops.distance import distance_of
from gpugrad.ops.indexing import add_at, taken
from gpugrad.ops.joining import cat
from gpugrad.ops.matrices import constant, nothing
from gpugrad.ops.norms import norm
from gpugrad.ops.pointwise import Number
from gpugrad.ops.products import matmul
from gpugrad.ops.reduction import mean, sum
from gpugrad.ops.shape import reshape, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@pointwise("abs(x - y)")
def distance() -> None:
    pass


@pointwise("where(eq(x, y), 0, 1)")
def differs() -> None:
    pass


@pointwise("pow(abs(x - y), p)", promotion="float", parameters=("input", "other", "p"))
def power_of_distance() -> None:
    pass


@pointwise(
    "where(eq(size, 0), 0, g * ((x - y) / where(eq(size, 0), 1, size)))",
    "MulBackward0",
    parameters=("size", "grad", "input", "other"),
)
def along_difference() -> None:
    """Return a gradient times the direction of x - y, whose size this is; 0 where that is 0."""


# --------------------------------------------------------------------------- each with each

_BY_PRODUCTS = 25  # rows; for more, PyTorch takes products of matrices


@composite("CdistBackward0")
def _distances(
    door: backend.Backend, x1: Array, x2: Array, *, order: float, multiplies: bool
) -> Array:
    """Return the distances of all rows of one matrix from all of another one."""
    kind, shape = x1.dtype, (*_batch(x1, x2), x1.shape[-2], x2.shape[-2])
    if not math.prod(shape) or not x1.shape[-1]:
        return door.full(shape, 0, kind, door.device_of(x1))
    if multiplies:
        return _by_products(door, x1, x2)
    operands, sizes = (x1[..., :, None, :], x2[..., None, :, :]), (*shape, 1)
    if order == math.inf:
        (found,) = door.evaluate(OPS["distance"].formula, operands, kind, (kind,))
        return door.max(found, (len(shape),), False)
    exponent: tuple[Any, ...] = ()
    if order in (0, 1, 2):
        op = OPS[("differs", "distance", "squared_distance")[int(order)]]
        terms = (op.of_kind(False) if order == 2 else op).formula
    else:
        terms, exponent = OPS["power_of_distance"].formula, (kind.type(order),)
    if door.type == "cpu" and math.prod(shape) >= _MANY:
        total = _column_by_column(door, terms, x1, x2, exponent)
    else:
        (total,) = door.evaluate(terms, (*operands, *exponent), kind, (kind,), sizes)
        total = door.reshape(total, shape)
    if order in (0, 1):
        return total
    root, exponent = pw.with_exponent("power", 1 / order)
    (out,) = door.evaluate(root, (total, *map(kind.type, exponent)), kind, (kind,))
    return out


_MANY = 4096  # distances that are worth a pass for each column


def _column_by_column(
    door: backend.Backend, terms: Any, x1: Array, x2: Array, exponent: tuple[Any, ...]
) -> Array:
    """Return sums of terms, of which a cache holds those of one column."""
    kind, total = x1.dtype, None
    for k in range(x1.shape[-1]):
        operands = x1[..., :, None, k], x2[..., None, :, k]
        (found,) = door.evaluate(terms, (*operands, *exponent), kind, (kind,))
        if total is None:
            total = found
        else:
            door.add_into(total, found)
    return total


def _batch(x1: Array, x2: Array) -> tuple[int, ...]:
    return errors.broadcast_shape(x1.shape[:-2], x2.shape[:-2])


def _by_products(door: backend.Backend, x1: Array, x2: Array) -> Array:
    """Return the roots of |x|² - 2 x·y + |y|²."""
    kind = x1.dtype
    multiply = OPS["mul"].of_kind(False).formula
    first, second = (
        door.evaluate(multiply, (x, x), kind, (kind,), (*x.shape[:-1], 1))[0] for x in (x1, x2)
    )
    inner = door.matmul(x1, x2.swapaxes(-1, -2))
    formula = OPS["distance_by_products"].formula
    (out,) = door.evaluate(formula, (inner, first, second.swapaxes(-1, -2)), kind, (kind,))
    return out


@pointwise(
    "sqrt(maximum(x * -2 + (y + z), 0))", promotion="float", parameters=("input", "other", "third")
)
def distance_by_products() -> None:
    pass


@_distances.gradient
def x1(g: Any, x1: Any, x2: Any, out: Any, order: float, multiplies: bool) -> Any:
    if multiplies:
        ratio = along_difference(out, g, 1, 0)
        return x1 * sum(ratio, -1, True) - matmul(ratio, x2)
    return sum(_slopes(g, x1, x2, out, order), -2)


@_distances.gradient
def x2(g: Any, x1: Any, x2: Any, out: Any, order: float, multiplies: bool) -> Any:
    if multiplies:
        ratio = along_difference(out, g, 1, 0).transpose(-1, -2)
        return x2 * sum(ratio, -1, True) - matmul(ratio, x1)
    return -sum(_slopes(g, x1, x2, out, order), -3)


def _slopes(g: Any, x1: Any, x2: Any, out: Any, order: float) -> Any:
    """Return the gradients of all distances by the rows of the first matrix."""
    g, out = unsqueeze(g, -1), unsqueeze(out, -1)
    x, y = unsqueeze(x1, -2), unsqueeze(x2, -3)
    if order == 0:
        return pw.where(pw.eq(x, x), 0, g * (x - y))
    if order == 2:
        return along_difference(out, g, x, y)
    difference = x - y
    if order == 1:
        return g * pw.sign(difference)
    size = pw.abs(difference)
    if order == math.inf:
        return pw.where(pw.eq(size, out), g * pw.sign(difference), 0)
    scale = pw.where(pw.eq(out, 0), 1, out)
    relative = pw.where(pw.eq(size, 0), 1, size / scale) ** (order - 1)
    return pw.where(pw.eq(size, 0), 0, g * (pw.sign(difference) * relative))


_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)  # fmt: skip


@public(method=False)
def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:  # fmt: skip
    """Return the distances of all rows of matrices from all rows of others, by a norm.

    Args:
        x1: Rows, with leading dimensions that broadcast with those of ``x2``.
        x2: Rows of the same length.
        p: The order of the norm, from 0 to inf.
        compute_mode: Whether Euclidean distances of more than 25 rows are computed by a product of
            matrices, which is fast and rounds more; always, or never.

    Raises:
        RuntimeError: The types are not floating point, or differ; or shapes do not fit.
        ValueError: There is no such mode.
    """
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, x in ("X1", x1), ("X2", x2):
        if x._array.dtype.kind not in FLOATING:
            title = _dtype.of(x._array.dtype).title
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {title}")
    for name, x in ("X1", x1), ("X2", x2):
        if x._array.ndim < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {x._array.ndim}D"
            )
    columns = [x._array.shape[-1] for x in (x1, x2)]
    if columns[0] != columns[1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {columns[0]} X2: {columns[1]}"
        )
    if not p >= 0:
        raise RuntimeError("cdist only supports non-negative p values")
    kinds = [_dtype.of(x._array.dtype) for x in (x1, x2)]
    if kinds[0] is not kinds[1]:
        raise RuntimeError(f"expected scalar type {kinds[0].title} but found {kinds[1].title}")
    if kinds[0].itemsize < 4:
        raise NotImplementedError(f"\"cdist\" not implemented for '{kinds[0].title}'")
    rows = max(x._array.shape[-2] for x in (x1, x2))
    mode = _MODES.index(compute_mode)
    multiplies = p == 2 and (mode == 1 or (mode == 0 and rows > _BY_PRODUCTS))
    _batch(x1._array, x2._array)
    return _distances(x1, x2, order=float(p), multiplies=multiplies)


@composite("PdistBackward0")
def _distances_of_pairs(door: backend.Backend, input: Array) -> Array:
    """Return the Euclidean distances of the rows of a matrix from those behind them."""
    if door.type == "cpu":
        found: Array = door.matrices("distances_of_pairs", input)
        return found
    count = input.shape[0]
    whole = _distances.op.forward(door, input, input, order=2.0, multiplies=False)
    places = np.flatnonzero(np.tri(count, k=-1, dtype=np.bool_).T)
    flat = door.reshape(whole, (count * count,))
    return door.take(flat, (door.from_numpy(places, door.device_of(input)),))


@_distances_of_pairs.gradient
def input(g: Any, input: Any, out: Any) -> Any:
    count = input._array.shape[0]
    pairs = np.triu_indices(count, 1)
    near = _near_pairs(input, out, pairs)
    ratio = along_difference(out, g, 1, 0)
    grad: Any = None
    if len(near) < len(pairs[0]):
        if len(near):
            kept = np.ones(len(pairs[0]), np.bool_)
            kept[near] = False
            ratio = pw.where(constant(kept, input), ratio, 0)
        place = np.full((count, count), len(pairs[0]))  # of each pair, and of a 0 behind all
        place[pairs] = place.T[pairs] = np.arange(len(pairs[0]))
        both = taken(
            cat([ratio, nothing(input, (1,), input._array.dtype)], 0), index=_index(place, input)
        )
        centred = input - mean(input.detach(), 0)
        grad = centred * sum(both, -1, True) - matmul(both, centred)
    if len(near):
        first, second = (_index(rows[near], input) for rows in pairs)
        some = _index(near, input)
        size, g = (unsqueeze(taken(x, index=some), -1) for x in (out, g))
        slope = along_difference(size, g, taken(input, index=first), taken(input, index=second))
        shape = input._array.shape
        apart = add_at(slope, shape=shape, index=first) - add_at(slope, shape=shape, index=second)
        grad = apart if grad is None else grad + apart
    return grad


def _index(places: Array, like: Any) -> tuple[Array]:
    """Return places as an index of another tensor."""
    door = backend.of(like._array)
    return (door.from_numpy(places, door.device_of(like._array)),)


_NEAR = 1 / 16  # part of the size of two rows, below which their difference is taken itself


def _near_pairs(input: Any, out: Any, pairs: tuple[Array, Array]) -> Array:
    """Return which pairs are so near that products of matrices would lose their difference.

    On a GPU these are all, as it would have to be waited for.
    """
    rows, distances = all_of(input._array), all_of(out._array)
    if backend.of(rows).type != "cpu":
        return np.arange(len(pairs[0]))
    size = np.sqrt(np.square(rows - rows.mean(-2, keepdims=True)).sum(-1))
    near = ~(distances >= _NEAR * (size[..., pairs[0]] + size[..., pairs[1]]))
    return np.flatnonzero(near.any(axis=tuple(range(near.ndim - 1))))


@public(method=False, names="nn.functional.pdist")
def pdist(input: Tensor, p: float = 2) -> Tensor:
    """Return the distances of the rows of a matrix from those behind them.

    Raises:
        NotImplementedError: It is of 16 bits.
        RuntimeError: It is no matrix, or not floating point.
    """
    if input._array.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input._array.ndim}D")
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError("pdist only supports floating-point dtypes")
    if not p >= 0:
        raise RuntimeError("pdist only supports non-negative p values")
    kind = _dtype.of(input._array.dtype)
    if kind.itemsize < 4:
        raise NotImplementedError(f"\"pdist\" not implemented for '{kind.title}'")
    if p == 2:
        found: Tensor = _distances_of_pairs(input)
        return found
    count, width = input._array.shape
    door = backend.of(input._array)
    where = door.device_of(input._array)
    first, second = (
        taken(input, index=(door.from_numpy(rows, where),)) for rows in np.triu_indices(count, 1)
    )
    pairs = count * (count - 1) // 2
    first, second = (reshape(x, (pairs, 1, width)) for x in (first, second))
    return reshape(_distances(first, second, order=float(p), multiplies=False), (pairs,))


# --------------------------------------------------------------------------- whole tensors


@pointwise(
    "where(size > most, most / (size + 1e-7), 1)",
    "DivBackward0",
    "float",
    parameters=("size", "most"),
)
def shortening() -> None:
    """Return by how much vectors of a size are multiplied to be no longer than ``most``."""


@public()
def dist(input: Tensor, other: Tensor, p: Number = 2) -> Tensor:
    """Return the norm of input - other, of any order."""
    ends: list[Any] = [input, as_operand("dist", "other", 2, other)]
    if any(t._array.dtype.kind == "b" for t in ends):
        ends[0] - ends[1]  # which is refused
    kind = result_type(ends)
    if kind.category < _dtype.FLOAT:
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{kind.title} instead."
        )
    if isinstance(p, complex) or not p or not all(t._array.size for t in ends):
        return norm(ends[0] - ends[1], p)  # type: ignore[arg-type]
    errors.broadcast_shape(*(t._array.shape for t in ends))  # or an error of ours
    a, b = (t.to(kind) for t in ends)
    result: Tensor = distance_of(a, b, order=float(p))
    return result


@public(inplace="values", out=True)
def renorm(input: Tensor, p: Number, dim: int, maxnorm: Number) -> Tensor:
    """Return the slices along ``dim``, shortened to ``maxnorm`` where their norm is larger.

    Raises:
        RuntimeError: A norm is not positive, or there are not two dimensions.
    """
    if isinstance(p, complex):
        raise RuntimeError("renorm: p must be real-valued")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if isinstance(maxnorm, complex):
        raise RuntimeError("renorm: maxnorm must be real-valued")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    ndim = input._array.ndim
    if ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {ndim} dimensions")
    axis = normal_dim(dim, ndim)
    if input._array.dtype.kind not in INEXACT:
        title = _dtype.of(input._array.dtype).title
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {title}"
        )
    size = norm(input, p, tuple([k for k in range(ndim) if k != axis]), True)
    return input * shortening(size, float(maxnorm))

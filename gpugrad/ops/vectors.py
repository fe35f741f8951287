"""Products of vectors along one dimension, powers of numbers as rows, diagonals of matrices."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT, is_half
from gpugrad.errors import broadcast_shape, normal_dim
from gpugrad.op import OPS, bilinear, composite, expand_to, pointwise, public
from gpugrad.op.promotion import of_one_type
from gpugrad.ops import pointwise as pw
from gpugrad.ops.matrices import constant
from gpugrad.ops.part import diagonal, narrow
from gpugrad.ops.products import vdot
from gpugrad.ops.reduction import sum as summed
from gpugrad.ops.shape import unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@pointwise("x * y - z * w", parameters=("x", "y", "z", "w"))
def difference_of_products() -> None:
    """Return x * y - z * w."""


@bilinear("LinalgCrossBackward0")
def _cross(door: backend.Backend, input: Array, other: Array, *, axis: int) -> Array:
    kind = input.dtype
    formula = OPS["difference_of_products"].of_kind(kind.kind == "c").formula
    parts: list[Array] = []
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        operands = (
            _element(input, axis, i), _element(other, axis, j),
            _element(input, axis, j), _element(other, axis, i),
        )  # fmt: skip
        parts += door.evaluate(formula, operands, kind, (kind,))
    return door.concatenate(parts, axis)


def _element(array: Array, axis: int, k: int) -> Array:
    return array[(*(slice(None),) * axis, slice(k, k + 1))]


@_cross.gradient
def input(g: Any, other: Any, axis: int) -> Any:
    return _cross(pw.conjugate(other), g, axis=axis)


@_cross.gradient
def other(g: Any, input: Any, axis: int) -> Any:
    return _cross(g, pw.conjugate(input), axis=axis)


@public(name="linalg.cross", method=False, out=True)
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Return the cross products of vectors of three elements, along one dimension.

    Raises:
        RuntimeError: They have not as many dimensions, or not three elements.
    """
    a, b = input._array.shape, other._array.shape
    if len(a) != len(b):
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if not a:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = normal_dim(dim, len(a))
    if a[axis] != 3 or b[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a[axis]} and {b[axis]}"
        )
    shape = broadcast_shape(a, b)
    if input._array.dtype != other._array.dtype:
        input, other = of_one_type([input, other])
    if input._array.dtype.kind == "b":
        raise NotImplementedError("\"cross\" not implemented for 'Bool'")
    wide = [t if t._array.shape == shape else expand_to(t, shape=shape) for t in (input, other)]
    found: Tensor = _cross(*wide, axis=axis)
    return found


@public(out=True)
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Return :func:`linalg.cross`, by default along the first dimension of three elements."""
    if dim is None:
        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass "
            "the dim explicitly or simply use torch.linalg.cross.\nThe default value of dim will "
            "change to agree with that of linalg.cross in a future release.",
            UserWarning,
            stacklevel=2,
        )
        dim = next((k for k, n in enumerate(input._array.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return linalg_cross(input, other, dim=dim)


@public(name="linalg.vecdot", method=False, out=True)
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Return the sums of the products of vectors along one dimension, the first one conjugated.

    Raises:
        RuntimeError: The type is no floating point or complex one, or the types differ.
    """
    a, b = x._array.dtype, y._array.dtype
    if a.kind not in INEXACT:
        raise RuntimeError(
            "linalg.vecdot: Expected a floating point or complex tensor as input. Got "
            f"{_dtype.of(a).title}"
        )
    if a != b:
        raise RuntimeError(
            "linalg.vecdot: Expected vectors of same type, got "
            f"{_dtype.of(a).title} and {_dtype.of(b).title}"
        )
    if x._array.ndim == 1 and x._array.shape == y._array.shape:
        normal_dim(dim, 1)
        return vdot(x, y)
    first = pw.conjugate(x) if a.kind == "c" else x
    return summed(pw.mul(first, y), dim)


@public(name="linalg.diagonal", method=False)
def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return a view of the diagonals of matrices, the last two dimensions by default."""
    return diagonal(A, offset, dim1, dim2)


@public(name="linalg.vander", method=False)
def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Return the powers of each number, from 0 up to the one before ``N``, as a last dimension.

    By default there are as many as numbers.

    Raises:
        RuntimeError: ``N`` is no larger than 1, or the type is bool or of 16 bits.
    """
    array = x._array
    if array.dtype.kind == "b" or is_half(array.dtype):
        raise RuntimeError(
            "linalg.vander supports floating point, complex, and integer tensors, but got "
            f"{_dtype.of(array.dtype).title}"
        )
    if not array.ndim:
        x = unsqueeze(x, 0)
    count = N if N is not None else array.shape[-1] if array.ndim else 1
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    if array.dtype.kind in "iu":
        x = x.to(_dtype.int64)
    found: Tensor = _powers(x, count=count)
    return found


@composite("CumprodBackward0")
def _powers(door: backend.Backend, input: Array, *, count: int) -> Array:
    """Return the powers from 0 on as a last axis."""
    shape, kind = input.shape, input.dtype
    one = door.full((*shape, 1), 1, kind, door.device_of(input))
    if input.__class__ is np.ndarray:  # along the first axis, where a step is one of all numbers
        rows = np.empty((count, *shape), kind)
        rows[0], rows[1:] = 1, input
        with np.errstate(all="ignore"):
            np.multiply.accumulate(rows, 0, out=rows)
        return np.ascontiguousarray(np.moveaxis(rows, 0, -1))
    repeated = door.broadcast_to(door.reshape(input, (*shape, 1)), (*shape, count - 1))
    return door.concatenate([one, door.scan("prod", [door.copy(repeated)], len(shape))], len(shape))


@_powers.gradient
def input(g: Any, input: Any, out: Any, count: int) -> Any:
    degrees = constant(np.arange(1, count).astype(input._array.dtype), input)
    slopes = narrow(out, -1, 0, count - 1) * degrees
    return summed(narrow(g, -1, 1, count - 1) * pw.conjugate(slopes), -1)

"""Affine maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gpugrad import backend
from gpugrad.backend.batched import BatchedBackend
from gpugrad.op import OPS, bilinear, composite, public
from gpugrad.op.operation import Declared
from gpugrad.ops import pointwise as pw
from gpugrad.ops.added import same_types
from gpugrad.ops.products import _adjoint, _mm, do_not_fit, matmul, no_bools, same_type
from gpugrad.ops.shape import expand, permute, reshape

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


def _product(door: backend.Backend, input: Array, weight: Array) -> Array:
    """Return ``input @ weight.T`` as one product of two matrices."""
    shape = input.shape
    if len(shape) == 2:
        return door.matmul(input, weight.T)
    found = door.matmul(door.reshape(input, (math.prod(shape[:-1]), shape[-1])), weight.T)
    return door.reshape(found, (*shape[:-1], weight.shape[0]))


@bilinear("MmBackward0")
def _rows(door: backend.Backend, input: Array, weight: Array) -> Array:
    return _product(door, input, weight)


@composite("AddmmBackward0")
def _affine(door: backend.Backend, input: Array, weight: Array, bias: Array) -> Array:
    found = _product(door, input, weight)
    kind = found.dtype
    formula = OPS["plus"].of_kind(kind.kind == "c").formula
    room = None if isinstance(door, BatchedBackend) else found  # the bias may have more examples
    return door.evaluate(formula, (found, bias), kind, (kind,), out=room)[0]


def _flat(rows: Any) -> Any:
    shape = rows._array.shape
    return rows if len(shape) == 2 else reshape(rows, (math.prod(shape[:-1]), shape[-1]))


def _differentiated(operation: Declared) -> None:
    @operation.gradient
    def input(g: Any, weight: Any) -> Any:
        shape = g._array.shape
        found = _mm(_flat(g), pw.conjugate(weight) if weight._array.dtype.kind == "c" else weight)
        return found if len(shape) == 2 else reshape(found, (*shape[:-1], found._array.shape[1]))

    @operation.gradient
    def weight(g: Any, input: Any) -> Any:
        found = _mm(_adjoint(_flat(g)), _flat(input))
        return pw.conjugate(found) if found._array.dtype.kind == "c" else found


_differentiated(_rows)
_differentiated(_affine)


@_affine.gradient
def bias(g: Any) -> Any:
    return g  # `fit` adds it up


_stacked_rows, _row = _rows.named("UnsafeViewBackward0"), _rows.named("SqueezeBackward4")
_stacked_affine = _affine.named("ViewBackward0")


@public(method=False, name="nn.functional.linear")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias``, by one product of two matrices.

    Args:
        input: Of shape (..., features).
        weight: Of shape (results, features), or (features,).
        bias: Of shape (results,), or none.

    Raises:
        RuntimeError: Shapes or types do not fit.
    """
    x, w = input._array, weight._array
    if not (x.ndim and w.ndim):
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D"
        )
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D")
    whole = bias is not None and (bias._array.ndim == 1 or x.ndim == 2)
    if w.ndim == 1:
        if whole:
            raise RuntimeError("mat2 must be a matrix, got 1-D tensor")
        found = matmul(input, weight)
    elif x.shape[-1] != w.shape[1]:
        raise do_not_fit(math.prod(x.shape[:-1]), x, w.T)
    elif bias is None or not whole:
        same_type("mm", input, weight)
        no_bools("addmm_impl_cpu_", input)
        operation = _rows if x.ndim == 2 else _row if x.ndim == 1 else _stacked_rows
        found = operation(input, weight)
    else:
        same_types("self", bias, "mat2", weight)
        same_types("mat1", input, "mat2", weight)
        no_bools("addmm_impl_cpu_", input)
        if bias._array.shape not in ((w.shape[0],), (1,), ()):
            bias = expand(bias, math.prod(x.shape[:-1]), w.shape[0])
        operation = _affine if x.ndim == 2 else _stacked_affine
        return operation(input, weight, bias)
    return found if bias is None else found + bias


@public(method=False, names="nn.functional.bilinear")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input1 @ weight[k] @ input2 + bias[k]`` for each ``k``, for vectors of two inputs.

    Args:
        input1: Of shape (..., features1).
        input2: Of shape (..., features2), the first dimensions as those of ``input1``.
        weight: Of shape (results, features1, features2).
        bias: Of shape (results,), or none.

    Raises:
        RuntimeError: The shapes do not fit.
    """
    _check(input1, input2, weight, bias)
    results, first, second = weight.shape
    left = matmul(input1, reshape(permute(weight, (1, 0, 2)), (first, results * second)))
    left = reshape(left, (*input1.shape[:-1], results, second))
    out = matmul(left, reshape(input2, (*input2.shape, 1)))
    out = reshape(out, (*input1.shape[:-1], results))
    return out if bias is None else out + bias


def _check(a: Tensor, b: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if a.dim() != b.dim():
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {a.dim()} and {b.dim()}"
        )
    for k, (m, n) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=True)):
        if m != n:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {k}: got {m} and {n}"
            )
    for name, got, expected in (
        ("input1", a.shape[-1], weight.shape[1]),
        ("input2", b.shape[-1], weight.shape[2]),
        ("bias", weight.shape[0] if bias is None else bias.shape[0], weight.shape[0]),
    ):
        if got != expected:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {got} but expected "
                f"{expected}"
            )

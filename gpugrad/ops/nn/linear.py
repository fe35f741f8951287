"""Affine and bilinear maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.backend.batched import Batched
from gpugrad.op import OPS, composite, public, sum_to
from gpugrad.op import bilinear as bilinear_operation
from gpugrad.op.saved import Like
from gpugrad.ops import pointwise as pw
from gpugrad.ops.added import addmm
from gpugrad.ops.products import matmul, no_bools
from gpugrad.ops.shape import permute, reshape, t

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@public(method=False, out=True, name="nn.functional.linear")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias``.

    Args:
        input: Of shape (..., features).
        weight: Of shape (results, features), or (features,).
        bias: Of shape (results,), or none.

    Raises:
        RuntimeError: Shapes or types do not fit.
    """
    x, w = input._array, weight._array
    if w.ndim != 2 or not x.ndim or x.shape[-1] != w.shape[1] or x.dtype != w.dtype:
        return _unusual(input, weight, bias)
    if x.dtype.kind == "b":
        return _unusual(input, weight, bias)
    if bias is None:
        product = _product if x.ndim == 2 else _of_one if x.ndim == 1 else _of_stacks
        return product(input, weight)
    b = bias._array
    if b.shape != w.shape[:1] or b.dtype != w.dtype:
        return _unusual(input, weight, bias)
    return (_affine if x.ndim == 2 else _affine_of_others)(input, weight, bias)


def _unusual(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return the affine map as PyTorch composes it: with a bias of another shape, or an error."""
    shape = input._array.shape
    if not shape or not weight._array.ndim:
        raise RuntimeError(
            "both arguments to linear need to be at least 1D, but they are "
            f"{len(shape)}D and {weight._array.ndim}D"
        )
    other = t(weight)
    if bias is None or (len(shape) != 2 and bias._array.ndim != 1):
        out = matmul(input, other)
        return out if bias is None else out + bias
    out = addmm(bias, reshape(input, _rows(shape)), other)
    return out if len(shape) == 2 else reshape(out, (*shape[:-1], out._array.shape[-1]))


def _rows(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the shape of a stack of vectors as a matrix."""
    return math.prod(shape[:-1]), shape[-1]


# Three products are each other's gradients: of stacks of vectors x and y, and a matrix w.


@bilinear_operation("MmBackward0")
def _product(door: backend.Backend, input: Array, weight: Array) -> Array:
    """``x @ w.T``, the rows of a stack as one matrix."""
    if input.ndim == 2:
        return door.matmul(input, weight.T)
    out = door.matmul(door.reshape(input, _rows(input.shape)), weight.T)
    return door.reshape(out, (*input.shape[:-1], weight.shape[0]))


@bilinear_operation("MmBackward0")
def _back(door: backend.Backend, input: Array, weight: Array) -> Array:
    """``y @ w``."""
    if input.ndim == 2:
        return door.matmul(input, weight)
    out = door.matmul(door.reshape(input, _rows(input.shape)), weight)
    return door.reshape(out, (*input.shape[:-1], weight.shape[1]))


@bilinear_operation("MmBackward0")
def _summed(door: backend.Backend, first: Array, second: Array) -> Array:
    """``y.T @ x``, added up over the stack."""
    if first.ndim != 2:
        first, second = (door.reshape(a, _rows(a.shape)) for a in (first, second))
    return door.matmul(first.T, second)


def _conjugate(tensor: Any) -> Any:
    return pw.conjugate(tensor) if tensor._array.dtype.kind == "c" else tensor


@_product.gradient
def input(g: Any, weight: Any) -> Any:
    return _back(g, _conjugate(weight))


@_product.gradient
def weight(g: Any, input: Any) -> Any:
    return _summed(g, _conjugate(input))


@_back.gradient
def input(g: Any, weight: Any) -> Any:
    return _product(g, _conjugate(weight))


@_back.gradient
def weight(g: Any, input: Any) -> Any:
    return _summed(_conjugate(input), g)


@_summed.gradient
def first(g: Any, second: Any) -> Any:
    return _product(_conjugate(second), g)


@_summed.gradient
def second(g: Any, first: Any) -> Any:
    return _back(_conjugate(first), g)


@composite("AddmmBackward0")
def _affine(door: backend.Backend, input: Array, weight: Array, bias: Array) -> Array:
    """``x @ w.T + b``: the sum is written into the product."""
    out = _product.op.forward(door, input, weight)
    if Batched in (out.__class__, bias.__class__):  # the sum may differ by more examples
        return door.evaluate(OPS["plus"].formula, (out, bias), out.dtype, (out.dtype,))[0]
    door.add_into(out, bias)
    return out


@_affine.gradient
def input(g: Any, weight: Any) -> Any:
    return _back(g, _conjugate(weight))


@_affine.gradient
def weight(g: Any, input: Any) -> Any:
    return _summed(g, _conjugate(input))


@_affine.gradient
def bias(g: Any, like: Like) -> Any:
    return sum_to(g, shape=like.shape)


# PyTorch's node is that of the last of the steps that it takes.
_of_one, _of_stacks = _product.named("SqueezeBackward4"), _product.named("UnsafeViewBackward0")
_affine_of_others = _affine.named("ViewBackward0")


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
    sizes = [("input1", a.size(-1), weight.size(1)), ("input2", b.size(-1), weight.size(2))]
    named = {"input1": a, "input2": b, "weight": weight}
    if bias is not None:
        sizes.append(("bias", bias.size(0), weight.size(0)))
        named["bias"] = bias
    for name, got, expected in sizes:
        if got != expected:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {got} but expected "
                f"{expected}"
            )
    kinds = {name: _dtype.of(t._array.dtype).c_name for name, t in named.items()}
    if len(set(kinds.values())) > 1:
        told = ", ".join([f"{name}: {kind}" for name, kind in kinds.items()])
        raise RuntimeError(f"All tensors must have the same dtype, got {told}")
    no_bools("bmm", a)

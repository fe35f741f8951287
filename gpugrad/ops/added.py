"""Products of matrices and vectors that are added to a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype
from gpugrad.errors import normal_dim
from gpugrad.graph import TensorBase
from gpugrad.op import OPS, Pointwise, function_of, public, result_type
from gpugrad.op.number import checked_number
from gpugrad.ops.inplace import zeroed
from gpugrad.ops.pointwise.multiples import OPERANDS, added_product, scaled_product, scaled_sum
from gpugrad.ops.pointwise.operand import Number
from gpugrad.ops.products import _bmm, _mm, _mv, check_stacks, do_not_fit, no_bools, same_type
from gpugrad.ops.shape import expand, reshape, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _named(name: str, op: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
    node = f"{name.title()}Backward0"
    return function_of(Pointwise(node, name, OPS[op].build, "default", parameters))


_ADDING = ("addmm", "addmv", "addbmm", "baddbmm")
_SUMS = {name: _named(name, "plus", OPERANDS[::2]) for name in _ADDING}
_SCALED_SUMS = {name: _named(name, "scaled_sum", OPERANDS) for name in _ADDING[1:]}
_SCALED_SUMS["addmm"] = scaled_sum


def _factor(value: Any, kind: dtype) -> Any:
    """Return ``beta`` or ``alpha`` as a number of a type; integers cut off what is no integer."""
    value = backend.of(value._array).item(value._array) if isinstance(value, TensorBase) else value
    number = checked_number(value, kind)
    return int(number) if isinstance(number, bool) else number


def _ready(input: Any, shape: tuple[int, ...], beta: Any, alpha: Any) -> tuple[Any, Any, Any]:
    """Return the tensor that a product of a shape is added to, and both factors.

    Where ``beta`` is 0 the tensor is not seen, also where it is ``nan`` or infinite.
    """
    if (beta, alpha) != (1, 1):
        kind = _dtype.of(input._array.dtype)
        beta, alpha = _factor(beta, kind), _factor(alpha, kind)
    if input._array.shape != shape:
        input = expand(input, *shape)
    return zeroed(input) if beta == 0 else input, beta, alpha


def _added(
    name: str, input: Any, product: Callable[[], Any], shape: tuple[int, ...], beta: Any, alpha: Any
) -> Any:
    """Return ``beta * input + alpha * product()``, where ``input`` broadcasts to ``shape``."""
    input, beta, alpha = _ready(input, shape, beta, alpha)
    if beta == alpha == 1:
        return _SUMS[name](input, product())
    return _SCALED_SUMS[name](input, beta, product(), alpha)


def same_types(first: str, a: Any, second: str, b: Any) -> None:
    one, other = (_dtype.of(t._array.dtype) for t in (a, b))
    if one is not other:
        raise RuntimeError(
            f"{first} and {second} must have the same dtype, but got {one.title} and {other.title}"
        )


@public(inplace="values alike", out=True)
def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * input + alpha * (mat1 @ mat2)``.

    Where ``beta`` is 0 what is ``nan`` or infinite in ``input`` is not seen.

    Raises:
        RuntimeError: A matrix is none, or sizes or types do not fit.
    """
    a, b = mat1._array, mat2._array
    for name, array in ("mat1", a), ("mat2", b):
        if array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {array.ndim}-D tensor")
    if a.shape[1] != b.shape[0]:
        raise do_not_fit(a.shape[0], a, b)
    if input._array.shape != (a.shape[0], b.shape[1]):
        input = expand(input, a.shape[0], b.shape[1])
    same_types("self", input, "mat2", mat2)
    same_types("mat1", mat1, "mat2", mat2)
    no_bools("addmm_impl_cpu_", input)
    shape = a.shape[0], b.shape[1]
    return _added("addmm", input, lambda: _mm(mat1, mat2), shape, beta, alpha)


@public(inplace="values function alike", out=True)
def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * input + alpha * (mat @ vec)``; see :func:`addmm`."""
    x, a, b = input._array, mat._array, vec._array
    if a.ndim != 2 or b.ndim != 1 or x.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {x.ndim}, {a.ndim}, {b.ndim}")
    if a.shape[1] != b.shape[0] or x.size not in (1, a.shape[0]):
        raise RuntimeError(
            f"size mismatch, got input ({x.size}), mat ({a.shape[0]}x{a.shape[1]}), "
            f"vec ({b.shape[0]})"
        )
    if not x.dtype == a.dtype == b.dtype:
        x_type, a_type, b_type = (_dtype.of(array.dtype).title for array in (x, a, b))
        raise RuntimeError(
            "addmv input tensors must have the same dtype, but got "
            f"{x_type}, {a_type}, and {b_type}"
        )
    no_bools("addmv_impl_cpu", input)
    return _added("addmv", input, lambda: _mv(mat, vec), (a.shape[0],), beta, alpha)


def _at(tensor: Any, dim: int) -> int:
    length: int = tensor._array.shape[normal_dim(dim, tensor._array.ndim)]
    return length


@public(inplace="values", out=True)
def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * input`` and ``alpha`` times the sum of the products of two stacks.

    They are added inside of one product; see :func:`addmm`.
    """
    input = expand(input, _at(batch1, 1), _at(batch2, 2))
    for name, t in ("batch1", batch1), ("batch2", batch2):
        if t._array.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    (n, rows, length), other = batch1._array.shape, batch2._array.shape
    if other[0] != n:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {n} and {other[0]}"
        )
    if other[1] != length:
        raise RuntimeError(
            f"Incompatible matrix sizes for bmm ({rows}x{length} and {other[1]}x{other[2]})"
        )
    same_types("self", input, "mat2", batch2)
    same_types("mat1", batch1, "mat2", batch2)
    no_bools("addmm_impl_cpu_", input)

    def product() -> Any:
        beside = reshape(batch1.permute(1, 0, 2), rows, n * length)
        return _mm(beside, reshape(batch2, n * length, other[2]))

    return _added("addbmm", input, product, (rows, other[2]), beta, alpha)


@public(inplace="values alike", out=True)
def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * input + alpha * (batch1 @ batch2)`` for stacks of matrices.

    See :func:`addmm`.
    """
    shape = _at(batch1, 0), _at(batch1, 1), _at(batch2, 2)
    input = expand(input, *shape)
    check_stacks(batch1._array, batch2._array)
    if input._array.dtype != batch1._array.dtype:
        types = [_dtype.of(t._array.dtype).c_name for t in (input, batch1, batch2)]
        raise RuntimeError(
            "Input dtypes must be the same, got: input {}, batch1: {}, batch2: {}".format(*types)
        )
    no_bools("baddbmm_with_gemm", input)
    same_type("bmm", batch1, batch2)
    return _added("baddbmm", input, lambda: _bmm(batch1, batch2), shape, beta, alpha)


@public(inplace="values", out=True)
def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * input + alpha * outer(vec1, vec2)``, in the type that all promote to.

    See :func:`addmm`.
    """
    for name, t in ("vec1", vec1), ("vec2", vec2):
        if t._array.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {t._array.ndim}-D")
    kind = result_type([input, vec1, vec2])
    for argument, value in ("beta", beta), ("alpha", alpha):
        if isinstance(value, float) and kind.category < _dtype.FLOAT:
            raise RuntimeError(
                f"For integral input tensors, argument {argument} must not be a floating point "
                "number."
            )
    shape = vec1._array.size, vec2._array.size
    if kind is _dtype.bool_:
        wide = [t.to(_dtype.uint8) for t in (input, vec1, vec2)]
        return addr(*wide, beta=int(bool(beta)), alpha=int(bool(alpha))).to(kind)
    input, vec1, vec2 = (t.to(kind) for t in (input, vec1, vec2))
    input, beta, alpha = _ready(input, shape, beta, alpha)
    if beta == alpha == 1:
        return added_product(input, unsqueeze(vec1, 1), vec2)
    return scaled_product(input, beta, unsqueeze(vec1, 1), vec2, alpha)

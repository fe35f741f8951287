"""Products of vectors and matrices."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad.errors import broadcast_shape, size
from gpugrad.graph import TensorBase, inferring, mark, mode, record
from gpugrad.op import (
    OPS,
    Pointwise,
    bilinear,
    composite,
    defined,
    public,
    saved,
    together,
)
from gpugrad.op.generated.pointwise import NONE
from gpugrad.op.observed import watcher
from gpugrad.op.promotion import of_one_type
from gpugrad.op.rule import recorded_total
from gpugrad.op.saved import Like, edges, versions_of, wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.shape import adjoint, matrices_transposed, reshape, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


# The product of two vectors is the sum of a formula; its gradient is the fused one of that formula.
_PRODUCT = Pointwise("DotBackward0", "dot", OPS["mul"].build, "default", ("input", "tensor"))
_PRODUCT.total = np.dot


def _dot(input: Tensor, tensor: Tensor) -> Tensor:
    a, b = input._array, tensor._array
    door = saved.door_of(a)
    if backend.of(b) is not door:
        door, (input, tensor), (a, b) = together((input, tensor))
    op = _PRODUCT.of_kind(a.dtype.kind == "c")
    enabled = mode.enabled
    if enabled is not True and enabled and (calls := watcher(op.name, (input, tensor))):
        found = calls.kept(op.name)
        out = wrap(door.dot(a, b) if found is None else found[0])
        if found is None and mode.replay is not None:
            mode.replay.made(out, (input, tensor))
        op.finish((input, tensor), (a, b), [out], a.dtype)
        calls.made(op.name, (input, tensor), {}, out)
        return out
    out = wrap(door.dot(a, b))
    if mode.replay is not None:
        mode.replay.made(out, (input, tensor))
    if mode.levels or not (input.__class__ is tensor.__class__ is saved.tensor_class):
        out = saved.descended(out, (input, tensor))
        op.finish((input, tensor), (a, b), [out], a.dtype)
        return out
    inputs = edges((input, tensor))
    if inputs is None:
        if inferring:
            mark(out)
        return out
    plain = enabled is True and a.__class__ is b.__class__ and a.__class__ in backend.BACKENDS
    if plain and op is _PRODUCT and a.dtype.itemsize > 2:
        # as for plain factors of a product, of which every element has the same gradient
        first, second = inputs[0] is not None, inputs[1] is not None
        kept = (input if second else None, tensor if first else None, None)
        params = recorded_total(a.dtype, a.shape)
        rule = op.plain_rule((first, second), False, None if door.type == "cpu" else door)
        out._edge = record(rule, inputs, kept, versions_of(kept), params)
    else:
        op.record((input, tensor), (a, b), inputs, [out], a.dtype)
    return out


def _adjoint(matrix: Any) -> Any:
    """Return the adjoint of a matrix in a gradient, as a view that nobody will write to."""
    if matrix._array.dtype.kind == "c":
        return adjoint(matrix)
    if mode.enabled:
        return matrices_transposed(matrix)
    return wrap(matrix._array.swapaxes(-1, -2))


@bilinear("MmBackward0")
def _mm(door: backend.Backend, input: Array, mat2: Array) -> Array:
    return door.matmul(input, mat2)


@_mm.gradient
def input(g: Any, mat2: Any) -> Any:
    return _mm(g, _adjoint(mat2))


@_mm.gradient
def mat2(g: Any, input: Any) -> Any:
    return _mm(_adjoint(input), g)


@bilinear("MvBackward0")
def _mv(door: backend.Backend, input: Array, vec: Array) -> Array:
    return door.matmul(input, vec)


@_mv.gradient
def input(g: Any, vec: Any) -> Any:
    return unsqueeze(g, 1) * (pw.conjugate(vec) if vec._array.dtype.kind == "c" else vec)


@_mv.gradient
def vec(g: Any, input: Any) -> Any:
    return _mv(_adjoint(input), g)


@bilinear("BmmBackward0")
def _bmm(door: backend.Backend, input: Array, mat2: Array) -> Array:
    return door.matmul(input, mat2)


@_bmm.gradient
def input(g: Any, like: Like, mat2: Any) -> Any:
    return _added_products(g, _adjoint(mat2), like.shape[:-2])


@_bmm.gradient
def mat2(g: Any, like: Like, input: Any) -> Any:
    return _added_products(_adjoint(input), g, like.shape[:-2])


def _added_products(a: Any, b: Any, stack: tuple[int, ...]) -> Any:
    """Return the matrix products for the gradient of an operand whose stack is ``stack``.

    Where one of its matrices took part in several products, those are added inside of one product:
    its rows and columns are the longer, and no product is written by itself.
    """
    whole = broadcast_shape(a._array.shape[:-2], b._array.shape[:-2])
    count = len(whole)
    kept = (1,) * (count - len(stack)) + stack
    added = tuple([k for k in range(count) if kept[k] < whole[k]])
    if not added:
        return _bmm(a, b)
    rest = tuple([k for k in range(count) if k not in added])
    left = _leading(a, count).permute((*rest, count, *added, count + 1))
    right = _leading(b, count).permute((*rest, *added, count, count + 1))
    x, y = left._array, right._array
    rows, columns = x.shape[len(rest)], y.shape[-1]
    views = _run(x, len(rest) + 1) and _run(y, len(rest), 1)
    if not views and math.prod(whole) * rows * columns <= x.size + y.size:
        return _bmm(a, b)  # to copy both costs more than to write the products
    length = math.prod(x.shape[len(rest) + 1 :])
    left = reshape(left, (*x.shape[: len(rest)], rows, length))
    right = reshape(right, (*y.shape[: len(rest)], length, columns))
    product = _bmm(left, right) if rest else _mm(left, right)
    return reshape(product, (*stack, rows, columns))


def _leading(stack: Any, count: int) -> Any:
    """Return a stack of matrices with ``count`` dimensions before theirs."""
    shape = stack._array.shape
    missing = count + 2 - len(shape)
    return reshape(stack, (1,) * missing + shape) if missing else stack


def _run(array: Array, first: int, last: int = 0) -> bool:
    """Tell whether the axes from ``first`` on, but the ``last`` ones, are one without a copy."""
    end = array.ndim - last
    steps = [(n, s) for n, s in zip(array.shape, array.strides, strict=True)][first:end]
    steps = [(n, s) for n, s in steps if n != 1]
    return all(s == m * t for (_, s), (m, t) in itertools.pairwise(steps))


def _tensors(function: str, second: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Return two operands as tensors.

    Arrays are operands too, and then both have the type that they promote to.

    Raises:
        TypeError: One is neither.
    """
    if isinstance(a, TensorBase) and isinstance(b, TensorBase):
        return a, b
    for k, (name, value) in enumerate((("input", a), (second, b)), 1):
        if not isinstance(value, TensorBase) and not backend.is_array(value):
            raise errors.must_be_tensor(function, name, k, value)
    first, other = of_one_type([v if isinstance(v, TensorBase) else wrap(v) for v in (a, b)])
    return first, other


def same_type(name: str, a: Tensor, b: Tensor) -> None:
    first, second = a._array.dtype, b._array.dtype
    if first is second or first == second:
        return
    if name == "bmm":
        no_bools("bmm", a)
    one, other = _dtype.of(first), _dtype.of(second)
    f, s = one.title, other.title
    if name == "dot":
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {f} and {s}")
    if name == "mv":
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {s}, {f}, and {s}"
        )
    if name == "bmm":
        raise RuntimeError(f"expected scalar type {f} but found {s}")
    raise RuntimeError(
        f"expected m1 and m2 to have the same dtype, but got: {one.c_name} != {other.c_name}"
    )


def no_bools(function: str, *tensors: Any) -> None:
    """Raise PyTorch's error for products of truth values.

    Raises:
        NotImplementedError: All are.
    """
    if tensors[0]._array.dtype.kind == "b" and all(t._array.dtype.kind == "b" for t in tensors):
        raise NotImplementedError(f"\"{function}\" not implemented for 'Bool'")


def _dot_of_any(input: Tensor, tensor: Tensor) -> Tensor:
    return _dot(*_vectors("dot", "tensor", input, tensor))


plain_dot = defined(_PRODUCT, _dot_of_any, NONE)
plain_dot.op = _PRODUCT


@public(out=True, promotes=True, formula=plain_dot, numbers=NONE)
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Return the inner product of two vectors, without conjugation.

    Raises:
        RuntimeError: One is not a vector, or lengths or types differ.
    """
    return plain_dot(input, tensor)


def _vectors(function: str, second: str, input: Tensor, other: Tensor) -> tuple[Any, Any]:
    """Return two operands as vectors of one length and type."""
    input, other = _tensors(function, second, input, other)
    a, b = input._array, other._array
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    same_type("dot", input, other)
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor {size(a.shape)} and src {size(b.shape)} to "
            f"have the same number of elements, but got {a.size} and {b.size} elements respectively"
        )
    no_bools("dot", input)
    return input, other


@public(out=True, promotes=True)
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix and a vector."""
    input, vec = _tensors("mv", "vec", input, vec)
    a, b = input._array, vec._array
    if not a.ndim:
        raise IndexError(errors.NO_DIMENSIONS)
    if a.ndim != 2 or b.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {1}, {a.ndim}, {b.ndim}")
    same_type("mv", input, vec)
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[1]}), "
            f"vec ({b.shape[0]})"
        )
    no_bools("addmv_impl_cpu", input)
    return _mv(input, vec)


@public(out=True, promotes=True)
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices.

    Raises:
        RuntimeError: One is not a matrix, or sizes or types do not fit.
    """
    input, mat2 = _tensors("mm", "mat2", input, mat2)
    a, b = input._array, mat2._array
    if a.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if b.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    return _of_matrices(input, mat2)


def _of_matrices(input: Any, mat2: Any) -> Tensor:
    """Return the product of two matrices whose sizes and types are still to be checked."""
    a, b = input._array, mat2._array
    if a.shape[1] != b.shape[0]:
        raise do_not_fit(a.shape[0], a, b)
    same_type("mm", input, mat2)
    no_bools("addmm_impl_cpu_", input)
    return _mm(input, mat2)


def do_not_fit(rows: int, a: Array, b: Array) -> RuntimeError:
    return RuntimeError(
        "mat1 and mat2 shapes cannot be multiplied "
        f"({rows}x{a.shape[-1]} and {b.shape[0]}x{b.shape[1]})"
    )


@public(out=True, promotes=True)
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the products of two stacks of matrices."""
    input, mat2 = _tensors("bmm", "mat2", input, mat2)
    check_stacks(input._array, mat2._array)
    same_type("bmm", input, mat2)
    no_bools("bmm", input)
    return _bmm(input, mat2)


def check_stacks(a: Array, b: Array) -> None:
    for name, array in ("batch1", a), ("batch2", b):
        if array.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise _other_rows(a.shape[0], a.shape[2], *b.shape[:2])


@public(
    out=True, names="linalg.matmul", operators="__matmul__", reflected="__rmatmul__", promotes=True
)
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product: of vectors, matrices, or stacks of matrices that broadcast.

    On the CPU the last bits depend on how many threads NumPy's BLAS has.

    Raises:
        RuntimeError: A 0-d tensor, or sizes or types that do not fit.
    """
    input, other = _tensors("matmul", "other", input, other)
    a, b = input._array, other._array
    match a.ndim, b.ndim:
        case (0, _) | (_, 0):
            raise RuntimeError(
                "both arguments to matmul need to be at least 1D, but they are "
                f"{a.ndim}D and {b.ndim}D"
            )
        case 1, 1:
            return plain_dot(input, other)
        case 2, 1:
            return mv(input, other)
        case 1, 2:
            return mm(unsqueeze(input, 0), other).squeeze(0)
        case 2, 2:
            return _of_matrices(input, other)
    if a.ndim == 1:
        return matmul(unsqueeze(input, 0), other).squeeze(-2)
    rows, columns = math.prod(a.shape[:-1]), a.shape[-1]
    if b.ndim == 1:
        if columns != b.shape[0]:
            raise RuntimeError(
                f"size mismatch, got input ({rows}), mat ({rows}x{columns}), vec ({b.shape[0]})"
            )
        same_type("mv", input, other)
        return matmul(input, unsqueeze(other, 1)).squeeze(-1)
    if b.ndim == 2:
        if columns != b.shape[0]:
            raise do_not_fit(rows, a, b)
        same_type("mm", input, other)
        return _bmm(input, other)
    count = math.prod(broadcast_shape(a.shape[:-2], b.shape[:-2]))
    if columns != b.shape[-2]:
        raise _other_rows(count, columns, count, b.shape[-2])
    same_type("bmm", input, other)
    return _bmm(input, other)


def _other_rows(count: int, columns: int, other: int, rows: int) -> RuntimeError:
    return RuntimeError(
        f"Expected size for first two dimensions of batch2 tensor to be: [{count}, {columns}] but "
        f"got: [{other}, {rows}]."
    )


@public(out=True, names="ger")
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the products of each element of one vector with each of another."""
    input, vec2 = _tensors("outer", "vec2", input, vec2)
    for name, t in ("self", input), ("vec2", vec2):
        if t._array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {t._array.ndim}-D")
    return pw.mul(unsqueeze(input, 1), vec2)


@public(out=True, promotes=True)
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Return the inner product of two vectors, of which the first is conjugated."""
    input, other = _vectors("vdot", "other", input, other)
    return _vdot(input, other)


@composite("VdotBackward0")
def _vdot(door: backend.Backend, input: Array, other: Array) -> Array:
    return door.vdot(input, other)


@_vdot.gradient
def input(g: Any, other: Any) -> Any:
    return pw.mul(pw.conjugate(g), other)


@_vdot.gradient
def other(g: Any, input: Any) -> Any:
    return pw.mul(g, input)

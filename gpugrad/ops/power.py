"""Powers and exponentials of matrices, and products of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.graph import TensorBase
from gpugrad.op import composite, expand_to, public
from gpugrad.ops.copy import clone
from gpugrad.ops.joining import cat
from gpugrad.ops.matrices import adjoint, check_floating, check_square, eye
from gpugrad.ops.part import narrow
from gpugrad.ops.products import matmul
from gpugrad.ops.shape import squeeze, unsqueeze
from gpugrad.ops.solving import inverse

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@public(out=True, names="linalg.matrix_power")
def matrix_power(input: Tensor, n: int) -> Tensor:
    """Return square matrices multiplied ``n`` times; their inverses, ``-n`` times, if negative.

    Raises:
        LinAlgError: A matrix to be inverted is singular.
    """
    check_square("linalg.matrix_power", input)
    if n == 0:
        found: Tensor = clone(expand_to(eye(input), shape=input._array.shape))
        return found
    if n < 0:
        return matrix_power(inverse(input), -n)
    result: Any = None
    power: Any = input
    while True:
        if n & 1:
            result = power if result is None else matmul(result, power)
        n >>= 1
        if not n:
            break
        power = matmul(power, power)
    return clone(result) if result is input else result


@composite("LinalgMatrixExpBackward0")
def _exponential(door: backend.Backend, input: Array) -> Array:
    return door.matrices("exponential", input)


@_exponential.gradient
def input(g: Any, input: Any) -> Any:
    return _moved(adjoint(input), g)


@composite("LinalgMatrixExpBackwardBackward0")
def _moved(door: backend.Backend, input: Array, direction: Array) -> Array:
    """Return how exponentials move where the matrices move in a direction.

    It stands in a corner of the exponential of a matrix of blocks.
    """
    n = input.shape[-1]
    where = door.device_of(input)
    nothing = door.full(input.shape, 0, input.dtype, where)
    above = door.concatenate([input, direction], input.ndim - 1)
    below = door.concatenate([nothing, input], input.ndim - 1)
    blocks = door.matrices("exponential", door.concatenate([above, below], input.ndim - 2))
    return blocks[..., :n, n:]


@_moved.gradient
def input(g: Any, input: Any, direction: Any) -> Any:
    n = input._array.shape[-1]
    nothing = input.detach() * 0
    blocks = _blocks(input, direction, nothing)
    grad = _moved(adjoint(blocks), _blocks(nothing, g, nothing, nothing))
    first, second = (narrow(narrow(grad, -2, k, n), -1, k, n) for k in (0, n))
    return first + second


@_moved.gradient
def direction(g: Any, input: Any) -> Any:
    return _moved(adjoint(input), g)


def _blocks(first: Any, corner: Any, nothing: Any, last: Any = None) -> Any:
    above = cat([first, corner], -1)
    return cat([above, cat([nothing, first if last is None else last], -1)], -2)


@public(names="linalg.matrix_exp")
def matrix_exp(input: Tensor) -> Tensor:
    """Return the exponentials of square matrices.

    Raises:
        RuntimeError: They are not square, or of no floating point or complex type.

    Source: of the gradient, R. Mathias, "A chain rule for matrix functions and applications", SIAM
    Journal on Matrix Analysis and Applications, 1996.
    """
    check_square("linalg.matrix_exp", input)
    check_floating("linalg.matrix_exp", input)
    kind = _dtype.of(input._array.dtype)
    if kind.itemsize == 2:
        found: Tensor = matrix_exp(input.to(_dtype.float32)).to(kind)
        return found
    result: Tensor = _exponential(input)
    return result


# --------------------------------------------------------------------------- products of many


@public(name="linalg.multi_dot", method=False, out=True)
def linalg_multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """Return the product of two or more matrices, in the order that takes the fewest steps.

    The first and the last may be vectors: a row and a column.
    """
    given = list(tensors)
    if len(given) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(given)}")
    for k, t in enumerate(given):
        if not isinstance(t, TensorBase):
            raise TypeError(
                f"expected Tensor as element {k} in argument 0, but got {type(t).__name__}"
            )
    for name, t in ("first", given[0]), ("last", given[-1]):
        if t._array.ndim not in (1, 2):
            raise RuntimeError(
                f"multi_dot(): the {name} tensor must be 1D or 2D but got {t._array.ndim}D"
            )
    for k, t in enumerate(given[1:-1], 1):
        if t._array.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {k} must be 2D but got {t._array.ndim}D")
    kind = given[0]._array.dtype
    for k, t in enumerate(given):
        if t._array.dtype != kind:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{_dtype.of(kind).c_name} and tensor {k} {_dtype.of(t._array.dtype).c_name}"
            )
    row, column = given[0]._array.ndim == 1, given[-1]._array.ndim == 1
    if row:
        given[0] = unsqueeze(given[0], 0)
    if column:
        given[-1] = unsqueeze(given[-1], 1)
    for k in range(len(given) - 1):
        a, b = given[k]._array.shape, given[k + 1]._array.shape
        if a[1] != b[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {k} and {k + 1} with shapes {list(a)} and {list(b)} cannot "
                "be multiplied"
            )
    found = multiplied(given)
    if row:
        found = squeeze(found, 0)
    return squeeze(found, -1) if column else found


@public(method=False, out=True)
def chain_matmul(*matrices: Any) -> Tensor:
    """Return the product of matrices, in the order that takes the fewest steps.

    Raises:
        RuntimeError: There is none, one is no matrix, or sizes or types do not fit.
    """
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for t in matrices:
        if t._array.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {t._array.ndim}, expected 2 instead.")
    return linalg_multi_dot(matrices) if len(matrices) > 1 else matrices[0]


def multiplied(matrices: Sequence[Any]) -> Any:
    """Return the product of matrices that fit, in the order that takes the fewest operations.

    Source: T. H. Cormen et al., "Introduction to Algorithms", section 15.2.
    """
    sizes = [matrices[0]._array.shape[0], *(t._array.shape[1] for t in matrices)]
    return _divided(matrices, _cuts(sizes), 0, len(matrices) - 1)


def _divided(matrices: Sequence[Any], cut: dict[tuple[int, int], int], start: int, end: int) -> Any:
    """Return the product of those from one to another, divided where ``cut`` says."""
    if start == end:
        return matrices[start]
    k = cut[start, end]
    return matmul(_divided(matrices, cut, start, k), _divided(matrices, cut, k + 1, end))


def _cuts(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return behind which matrix the product of those from one to another is divided at best."""
    count = len(sizes) - 1
    cost = {(k, k): 0 for k in range(count)}
    cut: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for start in range(count - length):
            end = start + length
            costs = {
                k: cost[start, k] + cost[k + 1, end] + sizes[start] * sizes[k + 1] * sizes[end + 1]
                for k in range(start, end)
            }
            cut[start, end] = best = min(costs, key=costs.__getitem__)
            cost[start, end] = costs[best]
    return cut

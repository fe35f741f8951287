"""Determinants of square matrices, one by one or stacked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import backend
from gpugrad.backend.batched import all_of
from gpugrad.backend.composed import REGULAR
from gpugrad.op import composite, public
from gpugrad.op.results import results
from gpugrad.op.saved import like, wrap, zeros
from gpugrad.ops import pointwise as pw
from gpugrad.ops.complex import complex as make_complex
from gpugrad.ops.complex import imag
from gpugrad.ops.indexing import add_at, getitem
from gpugrad.ops.matrices import (
    adjoint,
    check_floating,
    check_kernel,
    check_square,
    is_complex,
)
from gpugrad.ops.norms import linalg_vector_norm
from gpugrad.ops.products import matmul
from gpugrad.ops.reduction import sum as summed
from gpugrad.ops.shape import matrices_transposed, unsqueeze
from gpugrad.ops.solving import linalg_inv_ex

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@composite("LinalgDetBackward0")
def _det(door: backend.Backend, input: Array) -> Array:
    return door.matrices("det", input)


@_det.gradient
def input(g: Any, input: Any) -> Any:
    return unsqueeze(unsqueeze(g, -1), -1) * pw.conjugate(_cofactors(input))


@composite("LinalgCofactorsBackward0")
def _cofactors(door: backend.Backend, input: Array) -> Array:
    return door.matrices("cofactors", input)


@_cofactors.gradient
def input(g: Any, input: Any, out: Any) -> Any:
    array = input._array
    inverse = linalg_inv_ex(input).inverse
    scale = linalg_vector_norm(input, 2, (-2, -1)) * linalg_vector_norm(inverse, 2, (-2, -1))
    if bool((all_of(scale._array) < REGULAR[scale._array.itemsize]).all()):
        back = adjoint(inverse)
        along = summed(g * pw.conjugate(out), (-2, -1), True)
        turned = matmul(pw.conjugate(out), matrices_transposed(g))
        return along * back - matmul(turned, back)
    # each cofactor is the determinant of a minor, up to its sign, and so on to any order
    n = array.shape[-1]
    if n < 2:
        return g * 0
    door = backend.of(array)
    where = door.device_of(array)
    others = np.array([[k for k in range(n) if k != left_out] for left_out in range(n)])
    rows = door.from_numpy(others[:, None, :, None], where)
    columns = door.from_numpy(others[None, :, None, :], where)
    index = (Ellipsis, rows, columns)
    signs = wrap(door.from_numpy((-1.0) ** np.add.outer(range(n), range(n)), where))
    inner = pw.conjugate(_cofactors(getitem(input, index)))
    signed = pw.mul(g, signs.to(g._kind))
    grad = unsqueeze(unsqueeze(signed, -1), -1) * inner
    return add_at(grad, shape=array.shape, index=index)


def _check(function: str, A: Tensor, low: bool = True) -> None:
    check_square(function, A)
    check_floating(function, A, low)


@public(names="linalg.det", out=True)
def det(input: Tensor) -> Tensor:
    """Return the determinants of square matrices, the last two dimensions.

    The gradient is the matrix of cofactors, right for singular matrices as well, for which
    PyTorch's is 0, and so are its derivatives; near a singular matrix the second derivative takes
    memory for n**4 numbers.

    Raises:
        RuntimeError: The type is no floating point or complex one, or the matrices are not square.
    """
    _check("linalg.det", input)
    check_kernel("lu_cpu", input)
    found: Tensor = _det(input)
    return found


# --------------------------------------------------------------------------- logarithms

SLOGDET = results("slogdet", "sign", "logabsdet")
LINALG_SLOGDET = results("linalg_slogdet", "sign", "logabsdet")


@composite("LinalgSlogdetBackward0", outputs=("sign", "logabsdet"))
def _slogdet(door: backend.Backend, input: Array) -> tuple[Array, Array]:
    return door.matrices("slogdet", input)


@_slogdet.gradient
def input(g_sign: Any, g_logabsdet: Any, input: Any, sign: Any) -> Any:
    if g_logabsdet is None and not is_complex(input):
        return zeros(like(input))
    back = adjoint(linalg_inv_ex(input).inverse)
    if not is_complex(back):
        return unsqueeze(unsqueeze(g_logabsdet, -1), -1) * back
    turn: Any = None if g_sign is None else imag(pw.conjugate(sign) * g_sign)
    part: Any = turn * 0 if g_logabsdet is None else g_logabsdet
    factor = make_complex(part, part * 0 if turn is None else turn)
    return unsqueeze(unsqueeze(factor, -1), -1) * back


@public(name="linalg.slogdet", method=False, out=True)
def linalg_slogdet(A: Tensor) -> Any:
    """Return the signs of determinants, for complex ones numbers of size 1, and logarithms.

    Of a singular matrix they are 0 and ``-inf``.

    Raises:
        RuntimeError: The type is no floating point or complex one, or the matrices are not square.
    """
    _check("linalg.slogdet", A, low=False)
    return LINALG_SLOGDET(*_slogdet(A))


@public(out=True)
def slogdet(input: Tensor) -> Any:
    """Return what :func:`linalg.slogdet` does."""
    return SLOGDET(*linalg_slogdet(input))


@public()
def logdet(input: Tensor) -> Tensor:
    """Return the logarithms of determinants, ``nan`` of negative ones."""
    _check("logdet", input, low=False)
    sign, size = _slogdet(input)
    if is_complex(sign):
        return pw.log(sign) + size
    return pw.where(pw.eq(sign, -1), math.nan, size)

"""Products of Householder reflections, which QR decompositions consist of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad.op import composite, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops.joining import cat
from gpugrad.ops.matrices import (
    adjoint,
    check_kernel,
    constant,
    diagonals,
    eye,
    lower,
    upper,
)
from gpugrad.ops.part import narrow
from gpugrad.ops.products import matmul
from gpugrad.ops.shape import unsqueeze
from gpugrad.ops.triangular import substitute_right

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


@composite("LinalgHouseholderProductBackward0")
def _first_columns(door: backend.Backend, input: Array, tau: Array) -> Array:
    found: Array = door.matrices("householder", input, tau[..., None, :])
    return found


@_first_columns.gradient
def inputs(g: Any, input: Any, tau: Any, needs: Sequence[bool]) -> list[Any]:
    (rows, columns), count = input._array.shape[-2:], tau._array.shape[-1]
    V, N, row = _vectors(input, tau)
    inverse = substitute_right(N * row, eye(input, count), upper=True, unit=True)
    T = unsqueeze(tau, -1) * inverse
    W = narrow(V, -2, 0, columns)
    inner = -matmul(matmul(adjoint(V), matmul(g, W)), adjoint(inverse))
    through = matmul(adjoint(T), inner)
    g_tau = diagonals(inner - matmul(adjoint(N), through)) if needs[1] else None
    if not needs[0]:
        return [None, g_tau]
    g_N = -upper(through * pw.conjugate(row), 1)
    g_V = matmul(V, g_N + adjoint(g_N)) - matmul(g, matmul(W, adjoint(T)))
    g_W = matmul(adjoint(g), matmul(V, T))
    above = narrow(g_V, -2, 0, columns) - g_W
    g_V = cat([above, narrow(g_V, -2, columns, rows - columns)], -2) if rows > columns else above
    grad = lower(g_V, -1)
    if columns > count:
        grad = cat([grad, narrow(input, -1, count, columns - count) * 0], -1)
    return [grad, g_tau]


def _vectors(input: Any, tau: Any) -> tuple[Any, Any, Any]:
    """Return the vectors V of reflections, what is above the diagonal of V^H V, and the factors."""
    rows, count = input._array.shape[-2], tau._array.shape[-1]
    given = narrow(input, -1, 0, count)
    V = lower(given, -1) + constant(np.eye(rows, count, dtype=input._array.dtype), input)
    return V, upper(matmul(adjoint(V), V), 1), unsqueeze(tau, -2)


def _parts(input: Any, tau: Any) -> tuple[Any, Any]:
    """Return V and T of the product 1 - V T V^H of the reflections 1 - tau v v^H.

    Source: R. Schreiber and C. Van Loan, "A storage-efficient WY representation for products of
    Householder transformations", SIAM Journal on Scientific and Statistical Computing, 1989; here
    T = D (1 + N D)^-1, where D has the factors on its diagonal and N what is above that of V^H V,
    so that a factor may be 0.
    """
    V, N, row = _vectors(input, tau)
    scaled = eye(input, tau._array.shape[-1]) * row
    return V, substitute_right(N * row, scaled, upper=True, unit=True)


def _check(function: str, input: Tensor, tau: Tensor, kernel: str) -> None:
    a, t = input._array, tau._array
    if a.ndim < 2:
        raise RuntimeError(f"{function}: input must have at least 2 dimensions.")
    if a.shape[-2] < a.shape[-1]:
        raise RuntimeError(
            f"{function}: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if a.shape[-1] < t.shape[-1]:
        raise RuntimeError(
            f"{function}: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if a.ndim - t.ndim != 1:
        raise RuntimeError(
            f"{function}: Expected tau to have one dimension less than input, but got tau.ndim "
            f"equal to {t.ndim} and input.ndim is equal to {a.ndim}"
        )
    if a.shape[:-2] != t.shape[:-1]:
        raise RuntimeError(
            f"{function}: Expected batch dimensions of tau to be equal to input.shape[:-2], but "
            f"got {list(t.shape[:-1])}"
        )
    if a.dtype != t.dtype:
        raise RuntimeError(
            f"{function}: tau dtype {_dtype.of(t.dtype).title} does not match input dtype "
            f"{_dtype.of(a.dtype).title}"
        )
    check_kernel(kernel, input)


@public(name="linalg.householder_product", method=False, out=True)
def linalg_householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """Return the first columns of the product of reflections, as :func:`geqrf` returns them.

    Their vectors are below the diagonal of ``input``, with 1 on it, and their factors ``tau``.
    """
    _check("torch.linalg.householder_product", input, tau, "householder_product_out_cpu")
    found: Tensor = _first_columns(input, tau)
    return found


@public(out=True)
def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """Return :func:`linalg.householder_product`."""
    return linalg_householder_product(input, input2)


@public(out=True)
def ormqr(
    input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Return the product of reflections, or with ``transpose`` its adjoint, times ``input3``.

    The reflections stand on the right of it if not ``left``.
    """
    a, t, other = input._array, input2._array, input3._array
    side = -2 if left else -1
    if a.ndim < 2:
        raise RuntimeError("torch.ormqr: input must have at least 2 dimensions.")
    if other.ndim < 2:
        raise RuntimeError("torch.ormqr: other must have at least 2 dimensions.")
    if other.shape[side] < t.shape[-1]:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{side}] must be greater than or equal to tau.shape[-1]"
        )
    if other.shape[side] != a.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if t.shape[-1] != min(other.shape[side], a.shape[-1]):
        raise RuntimeError(
            f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
        )
    if a.ndim - t.ndim != 1:
        raise RuntimeError(
            "torch.ormqr: Expected tau to have one dimension less than input, but got tau.ndim "
            f"equal to {t.ndim} and input.ndim is equal to {a.ndim}"
        )
    if a.ndim != other.ndim:
        raise RuntimeError(
            "torch.ormqr: Expected other to have the same number of dimensions as input, but got "
            f"other.ndim equal to {other.ndim} and input.ndim is equal to {a.ndim}"
        )
    if a.shape[:-2] != t.shape[:-1]:
        raise RuntimeError(
            "torch.ormqr: Expected batch dimensions of tau to be equal to input.shape[:-2], but "
            f"got {list(t.shape[:-1])}"
        )
    if a.shape[:-2] != other.shape[:-2]:
        raise RuntimeError(
            "torch.ormqr: Expected batch dimensions of other to be equal to input.shape[:-2], but "
            f"got {list(other.shape[:-2])}"
        )
    for name, kind in ("tau", t.dtype), ("other", other.dtype):
        if kind != a.dtype:
            raise RuntimeError(
                f"torch.ormqr: Expected input and {name} to have the same dtype, but input has "
                f"dtype {_dtype.of(a.dtype).title} and {name} has dtype {_dtype.of(kind).title}"
            )
    check_kernel("ormqr_cpu", input)
    V, T = _parts(input, input2)
    T = adjoint(T) if transpose else T
    if left:
        return input3 - matmul(V, matmul(T, matmul(adjoint(V), input3)))
    return input3 - matmul(matmul(matmul(input3, V), T), adjoint(V))

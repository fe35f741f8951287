"""What is computed of matrices, one by one or stacked: determinants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT, accumulation
from gpugrad.backend import cpu
from gpugrad.op import composite, public
from gpugrad.op.saved import wrap
from gpugrad.ops import pointwise as pw
from gpugrad.ops.indexing import add_at, getitem
from gpugrad.ops.shape import unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


def _on_host(function: Callable[[Array], Array], input: Array) -> Array:
    """Return a function of matrices, computed by NumPy in single precision at least."""
    kind = input.dtype
    wide = accumulation(kind)
    quiet = cpu.quiet(function)
    return backend.on_host(lambda a: np.asarray(quiet(a.astype(wide, copy=False)), kind), input)


@composite("LinalgDetBackward0")
def _det(door: backend.Backend, input: Array) -> Array:
    return _on_host(np.linalg.det, input)


@_det.gradient
def input(g: Any, input: Any) -> Any:
    return unsqueeze(unsqueeze(g, -1), -1) * pw.conjugate(_cofactors(input))


@composite("LinalgCofactorsBackward0")
def _cofactors(door: backend.Backend, input: Array) -> Array:
    return _on_host(_cofactors_of, input)


@_cofactors.gradient
def input(g: Any, input: Any) -> Any:
    # each cofactor is the determinant of a minor, up to its sign, and so on to any order
    array = input._array
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
    signed = pw.mul(g, signs.to(g.dtype))
    grad = unsqueeze(unsqueeze(signed, -1), -1) * inner
    return add_at(grad, shape=array.shape, index=index)


def _cofactors_of(matrix: Array) -> Array:
    """Return the matrix of cofactors, which is the gradient of the determinant, by the SVD.

    It divides by nothing, so that singular matrices are no exception.
    """
    n = matrix.shape[-1]
    known = np.isfinite(matrix).all((-2, -1))[..., None, None]
    u, s, vh = np.linalg.svd(np.where(known, matrix, 0))
    ones = np.ones((*s.shape[:-1], 1), s.dtype)
    before = np.cumprod(np.concatenate([ones, s[..., :-1]], -1), -1)[..., :n]
    after = np.cumprod(np.concatenate([ones, s[..., :0:-1]], -1), -1)[..., n - 1 :: -1][..., :n]
    sign = np.linalg.det(u) * np.linalg.det(vh)
    scaled = (sign[..., None] * before * after)[..., None, :]
    return np.where(known, (u.conj() * scaled) @ vh.conj(), np.nan)


@public(names="linalg.det")
def det(input: Tensor) -> Tensor:
    """Return the determinants of square matrices, the last two dimensions.

    The gradient is the matrix of cofactors, right for singular matrices as well, for which
    PyTorch's is 0, and so are its derivatives; the second derivative takes memory for n**4 numbers.
    It is computed on the host, on CUDA too.

    Raises:
        RuntimeError: The type is no floating point or complex one, or the matrices are not square.

    Source: G. W. Stewart, "On the adjugate matrix", Linear Algebra and its Applications, 1998.
    """
    array = input._array
    if array.ndim < 2:
        raise RuntimeError("linalg.det: The input tensor A must have at least 2 dimensions.")
    rows, columns = array.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            "linalg.det: A must be batches of square matrices, but they are "
            f"{rows} by {columns} matrices"
        )
    if array.dtype.kind not in INEXACT:
        raise RuntimeError(
            "linalg.det: Expected a floating point or complex tensor as input. Got "
            f"{_dtype.of(array.dtype).title}"
        )
    return _det(input)

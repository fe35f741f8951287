"""How variables vary together: their covariances and correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad.backend.batched import levels_of
from gpugrad.graph import warn
from gpugrad.op import public
from gpugrad.op.saved import read
from gpugrad.ops import pointwise as pw
from gpugrad.ops.complex import complex, imag, real
from gpugrad.ops.part import diagonal
from gpugrad.ops.products import mm
from gpugrad.ops.reduction import sum
from gpugrad.ops.shape import matrices_transposed, reshape, squeeze, unsqueeze

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public()
def cov(
    input: Tensor, *, correction: int = 1, fweights: Any = None, aweights: Any = None
) -> Tensor:
    """Return the covariances of variables, which are rows; their observations are columns.

    Args:
        input: A matrix, a vector or a number.
        correction: What the number of observations is reduced by.
        fweights: How often each was made.
        aweights: How much each counts.

    Raises:
        RuntimeError: The input has more dimensions, or weights do not fit.
    """
    if input._array.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input._array.ndim} dimensions"
        )
    if input._array.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows: Any = reshape(input, (1, -1)) if input._array.ndim < 2 else input
    count = rows._array.shape[1]
    weights = None
    if fweights is not None:
        _check_weights("fweights", fweights, count)
        weights = fweights
    if aweights is not None:
        _check_weights("aweights", aweights, count)
        weights = aweights if weights is None else weights * aweights
    total: Any = count
    if weights is not None:
        total = sum(weights)
        if not levels_of(total._array) and total.item() == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    center = sum(rows if weights is None else rows * weights, 1) / total
    if aweights is not None and correction:
        degrees = total - correction * sum(weights * aweights) / total
    else:
        degrees = total - correction
    known = degrees if isinstance(degrees, int) else degrees.detach()
    if isinstance(known, int) or not levels_of(known._array):
        if not known > 0:
            warn(
                "cov(): degrees of freedom is <= 0. Correction should be strictly less than the "
                "number of observations."
            )
            degrees = degrees * 0
    else:
        degrees = pw.where(degrees > 0, degrees, 0)
    rows = rows - unsqueeze(center, 1)
    weighted = rows if weights is None else rows * weights
    return squeeze(mm(rows, pw.conj(matrices_transposed(weighted))) / degrees)


def _check_weights(name: str, weights: Any, count: int) -> None:
    kind, shape = _dtype.of(weights._array.dtype), weights._array.shape
    if len(shape) > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{len(shape)} dimensions"
        )
    integral = name == "fweights"
    if (kind.category == _dtype.INTEGER) is not integral or (
        not integral and not kind.is_floating_point
    ):
        what = "integral" if integral else "floating point"
        raise RuntimeError(
            f"cov(): expected {name} to have {what} dtype but got {name} with {kind.title} dtype"
        )
    if weights._array.size != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input "
            f"but got {weights._array.size} != {count}"
        )
    read(weights)
    if count and not levels_of(weights._array):
        door = backend.of(weights._array)
        if door.item(door.min(weights._array, tuple(range(len(shape))), False)) < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")


@public()
def corrcoef(input: Tensor) -> Tensor:
    """Return the correlations of variables, which are rows; their observations are columns.

    Raises:
        RuntimeError: The input has more than two dimensions.
    """
    if input._array.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input._array.ndim} dimensions"
        )
    found: Any = cov(input)
    if not found._array.ndim:
        return found / found
    of_complex = found._array.dtype.kind == "c"
    deviation = pw.sqrt(real(diagonal(found)) if of_complex else diagonal(found))
    found = found / unsqueeze(deviation, 1) / unsqueeze(deviation, 0)
    if of_complex:
        return complex(*(pw.clamp(part(found), -1, 1) for part in (real, imag)))
    return pw.clamp(found, -1, 1)

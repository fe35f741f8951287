"""What operations of matrices have in common: what they take, their parts, how they fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._dtype import INEXACT
from gpugrad.backend.batched import all_of
from gpugrad.errors import LinAlgError
from gpugrad.op.saved import Like, wrap, zeros
from gpugrad.ops import pointwise as pw
from gpugrad.ops.creation import finish
from gpugrad.ops.matrix import above, below
from gpugrad.ops.part import diagonal, put_diagonal
from gpugrad.ops.shape import matrices_transposed

Array = Any
Shape = tuple[int, ...]

# --------------------------------------------------------------------------- what they take


def check_stack(function: str, input: Any, name: str = "A") -> None:
    """Raise unless a tensor is a matrix or a stack of them."""
    if input._array.ndim < 2:
        raise RuntimeError(f"{function}: The input tensor {name} must have at least 2 dimensions.")


def check_square(function: str, input: Any, name: str = "A") -> None:
    """Raise unless a tensor is a square matrix or a stack of them."""
    check_stack(function, input, name)
    rows, columns = input._array.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"{function}: {name} must be batches of square matrices, but they are "
            f"{rows} by {columns} matrices"
        )


def check_floating(function: str, input: Any, low: bool = True) -> None:
    """Raise unless the elements are floating point or complex; ``low`` allows 16 bits."""
    kind = input._array.dtype
    title = _dtype.of(kind).title
    if kind.kind not in INEXACT:
        raise RuntimeError(
            f"{function}: Expected a floating point or complex tensor as input. Got {title}"
        )
    if not low and kind.itemsize == 2:
        raise RuntimeError(f"{function}: Low precision dtypes not supported. Got {title}")


def check_kernel(kernel: str, input: Any) -> None:
    """Raise for a type that LAPACK does not know, in the words of PyTorch's table of kernels."""
    kind = input._array.dtype
    if kind.kind not in INEXACT or kind.itemsize == 2:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{_dtype.of(kind).title}'")


# --------------------------------------------------------------------------- how they fail


def failure(info: Any) -> tuple[str, int] | None:
    """Return which matrix of a stack failed first, as PyTorch says it, and at which pivot.

    A GPU is waited for.
    """
    whole = all_of(info._array)
    codes = np.asarray(backend.of(whole).to_numpy(whole))
    if not codes.any():
        return None
    place = int(np.flatnonzero(codes)[0])
    return (f"(Batch element {place}): " if codes.ndim else ""), int(codes.reshape(-1)[place])


def check_info(function: str, info: Any, words: Callable[[int], str]) -> None:
    """Raise where a matrix has no factorization; ``words`` says what is wrong at a pivot.

    Raises:
        LinAlgError: There is such a matrix.
    """
    failed = failure(info)
    if failed is not None:
        raise LinAlgError(f"{function}: {failed[0]}{words(failed[1])}")


def singular(pivot: int) -> str:
    """Return PyTorch's words for a matrix that has no inverse."""
    return (
        f"The diagonal element {pivot} is zero, the inversion could not be completed because the "
        "input matrix is singular."
    )


def converged(function: str, door: Any, name: str, *arrays: Array, **options: Any) -> Any:
    """Return what the backend computes by steps that need not converge.

    Raises:
        LinAlgError: They do not.
    """
    try:
        return door.matrices(name, *arrays, **options)
    except np.linalg.LinAlgError:
        whole = all_of(arrays[0])
        finite = np.isfinite(backend.of(whole).to_numpy(whole)).all()
        reason = (
            "it had repeated or ill-conditioned values" if finite
            else "the input matrix contained non-finite values"
        )  # fmt: skip
        raise LinAlgError(
            f"{function}: The algorithm failed to converge because {reason}."
        ) from None


# --------------------------------------------------------------------------- their parts


def lower(input: Any, offset: int = 0) -> Any:
    """Return the elements on a diagonal and below it, and 0 above."""
    return below(input, diagonal=offset)


def upper(input: Any, offset: int = 0) -> Any:
    """Return the elements on a diagonal and above it, and 0 below."""
    return above(input, diagonal=offset)


def constant(array: Array, like: Any) -> Any:
    """Return an array of NumPy's as a tensor on another one's device."""
    door = backend.of(like._array)
    return wrap(door.from_numpy(array, door.device_of(like._array)))


def nothing(like: Any, shape: Shape, kind: np.dtype[Any]) -> Any:
    """Return zeros on another tensor's device, for a result."""
    array = like._array
    return finish(zeros(Like(shape, kind, backend.of(array).device_of(array))), False)


def eye(like: Any, n: int | None = None) -> Any:
    """Return an identity matrix of another one's type and device, by default of its columns."""
    return constant(
        np.eye(like._array.shape[-1] if n is None else n, dtype=like._array.dtype), like
    )


def diagonals(input: Any) -> Any:
    """Return the diagonals of matrices as a view."""
    return diagonal(input, 0, -2, -1)


def on_diagonals(input: Any) -> Any:
    """Return square matrices with the last dimension on their diagonals."""
    shape = input._array.shape
    last = len(shape)
    return put_diagonal(input, shape=(*shape, shape[-1]), offset=0, first=last - 1, second=last)


def adjoint(input: Any) -> Any:
    """Return conjugate transposes of matrices, for a product."""
    swapped = matrices_transposed(input)
    return pw.conjugate(swapped) if input._array.dtype.kind == "c" else swapped


def is_complex(input: Any) -> bool:
    """Tell whether the elements of a tensor are complex numbers."""
    return bool(input._array.dtype.kind == "c")

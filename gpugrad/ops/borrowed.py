"""Methods that NumPy's arrays have and PyTorch's tensors have not: CuPy's functions call them.

Those that are more than a copy are the functions of their names in :mod:`gpugrad.numpy`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpugrad import _dtype
from gpugrad._layout import contiguous_format, preserve_format
from gpugrad.op import public
from gpugrad.op.numpys import called
from gpugrad.ops.copy import clone, to

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


@public(function=False)
def astype(
    input: Tensor,
    dtype: Any,
    order: str = "K",
    casting: str = "unsafe",
    subok: bool = True,
    copy: bool = True,
) -> Tensor:
    """Return a copy as another type, NumPy's or ours; ``copy=False`` makes it only where it must.

    Raises:
        TypeError: The ``casting`` does not allow it, or tensors have no such type.
    """
    kind = dtype.numpy if isinstance(dtype, _dtype.dtype) else np.dtype(dtype)
    wanted, found = _dtype.of(kind), input._array.dtype
    if not np.can_cast(found, kind, casting):  # type: ignore[arg-type]
        raise TypeError(
            f"Cannot cast array data from {found!r} to {kind!r} according to the rule {casting!r}"
        )
    return to(input, wanted, copy=copy)


@public(function=False)
def copy(input: Tensor, order: str = "C") -> Tensor:
    """Return a copy with its history and memory of its own; order "K" keeps the layout."""
    return clone(
        input, memory_format=preserve_format if order in ("K", "A", None) else contiguous_format
    )


@public(function=False)
def ptp(input: Tensor, axis: Any = None, out: Any = None, keepdims: bool = False) -> Tensor:
    """Return the difference of maximum and minimum along axes, of all by default."""
    return called("ptp", input, (axis, out, keepdims), {})


@public(function=False)
def compress(input: Tensor, condition: Any, axis: Any = None, out: Any = None) -> Tensor:
    """Return the slices along an axis for which a condition is true, of all elements by default."""
    return called("compress", input, (condition, axis, out), {})


@public(function=False)
def choose(input: Tensor, choices: Any, out: Any = None, mode: str = "raise") -> Tensor:
    """Return at each place the element of the one of several tensors that the input names."""
    return called("choose", input, (choices, out, mode), {})


@public(function=False)
def partition(input: Tensor, kth: Any, axis: int = -1) -> None:
    """Sort in place along an axis so far that the ``kth`` element is where it belongs."""
    return called("partition", input, (kth, axis), {})


@public(function=False)
def argpartition(input: Tensor, kth: Any, axis: Any = -1) -> Tensor:
    """Return the places of the elements in an order that puts the ``kth`` where it belongs."""
    return called("argpartition", input, (kth, axis), {})

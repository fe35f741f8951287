"""Softmax as networks call it, by chance, and classes as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype
from gpugrad.backend.batched import Batched, all_of
from gpugrad.errors import normal_dim
from gpugrad.graph import warn
from gpugrad.op import cast, public
from gpugrad.ops import pointwise as pw
from gpugrad.ops import soft
from gpugrad.ops.counted import arange

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor


def _chosen(name: str, dim: int | None, ndim: int) -> int:
    """Return a dimension, in the place of none the one that PyTorch takes, which it warns of."""
    if dim is not None:
        return dim
    warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument."
    )
    return 0 if ndim in (0, 1, 3) else 1


@public(method=False, name="nn.functional.softmax")
def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype | None = None
) -> Tensor:
    """Return exp(input) / exp(input).sum(dim), without overflow.

    Of numbers that are all -inf it is nan.

    Raises:
        NotImplementedError: The type is not floating point.
    """
    return soft.softmax(input, _chosen("softmax", dim, input._array.ndim), dtype)


@public(method=False, name="nn.functional.log_softmax")
def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype | None = None
) -> Tensor:
    """Return the logarithm of ``softmax``, also where that is 0.

    Raises:
        NotImplementedError: The type is not floating point.
    """
    return soft.log_softmax(input, _chosen("log_softmax", dim, input._array.ndim), dtype)


@public(method=False, name="nn.functional.softmin")
def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype | None = None
) -> Tensor:
    """Return ``softmax`` of -input."""
    return soft.softmax(pw.neg(input), _chosen("softmin", dim, input._array.ndim), dtype)


def named(places: Any, shape: Sequence[int], dim: int) -> Any:
    """Return a tensor of a shape that is true where places name an element along a dimension."""
    axis = normal_dim(dim, len(shape))
    each = [-1 if k == axis else 1 for k in range(len(shape))]
    count = shape[axis] if shape else 1
    return pw.eq(places, arange(count, device=places.device).reshape(each))


@public(method=False, name="nn.functional.one_hot")
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return at each element a vector with a 1 at the place that it names, and else 0.

    Args:
        tensor: Integers of 64 bits, from 0 on.
        num_classes: The length of the vectors; -1 for one more than the largest integer.

    Raises:
        RuntimeError: The type is another, an integer is negative or not below ``num_classes``, or
            there are no integers and ``num_classes`` is not given.
    """
    array = tensor._array
    if _dtype.of(array.dtype) is not _dtype.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if isinstance(array, Batched) and num_classes <= 0:
        raise RuntimeError(
            "When vmap-ing gpugrad.nn.functional.one_hot, please provide an explicit positive "
            "num_classes argument."
        )
    whole = all_of(array)
    if not whole.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    else:
        words = "Class values must be smaller than num_classes."
        with backend.at(backend.of(whole).device_of(whole)):
            backend.check_all(whole >= 0, "Class values must be non-negative.")
            if num_classes == -1:
                num_classes = int(backend.of(whole).item(whole.max())) + 1
            backend.check_all(whole < num_classes, words)
    one = named(tensor.unsqueeze(-1), (*array.shape, num_classes), -1)
    return cast(one, dtype=_dtype.int64.numpy)

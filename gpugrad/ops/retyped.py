"""The memory of a tensor seen as elements of another type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpugrad import _dtype, backend
from gpugrad._dtype import dtype
from gpugrad.op.follower import follower_of
from gpugrad.op.saved import descended, own_array, shared_counter, wrap

if TYPE_CHECKING:
    from gpugrad._tensor import Tensor

Array = Any


def reinterpreted(input: Tensor, kind: dtype) -> Any:
    """Return a tensor of another type on the same memory, without history.

    Raises:
        RuntimeError: The memory of neighbours along the last dimension does not hold whole elements
            of that type, or ``input`` is a conjugate that is a view.
    """
    if follower_of(input) is not None:
        raise RuntimeError(
            "gpugrad.Tensor.view is not supported for conjugate view tensors when converting to a "
            "different dtype."
        )
    array = own_array(input)
    before = _dtype.of(array.dtype)
    if kind.itemsize != before.itemsize:
        _check_sizes(array, before, kind)
    result = wrap(array.view(kind.numpy))
    result._counter = shared_counter(input)
    return descended(result, (input,))


def _check_sizes(array: Array, before: dtype, kind: dtype) -> None:
    what = f"to view {before.title} as {kind.title} (different element sizes)"
    if not array.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {what}")
    strides = [s // array.itemsize for s in array.strides]
    if strides[-1] != 1 and array.shape[-1] != 1 and array.size:  # NumPy's steps of nothing are 0
        raise RuntimeError(f"self.stride(-1) must be 1 {what}, but got {strides[-1]}")
    ratio = kind.itemsize // before.itemsize
    if ratio < 2:
        return
    if array.shape[-1] % ratio:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {ratio} {what}, but got {array.shape[-1]}"
        )
    door = backend.of(array)
    offset = (door.address(array) - door.memory(array)[0]) // array.itemsize
    if offset % ratio:
        raise RuntimeError(
            f"self.storage_offset() must be divisible by {ratio} {what}, but got {offset}"
        )
    for k, stride in enumerate(strides[:-1]):
        if stride % ratio:
            raise RuntimeError(
                f"self.stride({k}) must be divisible by {ratio} {what}, but got {stride}"
            )

"""Whether a tensor may be written: where it belongs, and what else lies in its memory."""

from __future__ import annotations

from typing import Any

from gpugrad import backend, errors
from gpugrad.graph import Inference, TensorBase, mode
from gpugrad.op.dual import tangent_of
from gpugrad.op.follower import follower_of
from gpugrad.op.saved import door_of, shared_counter, up_to_date

Array = Any


def check_scope(self: TensorBase) -> None:
    """Raise where what is written belongs elsewhere.

    The function of a derivative may write what was made in it and what it was given: what it
    computes would otherwise become part of what is outside.

    Raises:
        RuntimeError: It was neither, or it belongs to inference mode, or to a ``vmap`` that has
            ended.
    """
    scope = mode.scope
    if follower_of(self) is not None:
        raise RuntimeError(
            "a conjugate (conj, adjoint, mH, H), or a part of one, is being modified inplace. It "
            "shows what its tensor is, but does not lie in its memory. Write into the tensor, or "
            "into a clone() of the conjugate."
        )
    if isinstance(self._counter, Inference) and not (
        mode.inference or (scope is not None and scope.inference)
    ):
        raise RuntimeError(errors.INFERENCE_WRITE)
    door_of(self._array)
    up_to_date(self)
    if scope is None or scope.given is None or mode.walk is not None:
        return
    counter = shared_counter(self)
    if getattr(counter, "born", 0) > scope.start or any(counter is c for c in scope.given):
        return
    base = self if self._view is None else self._view.base
    moves = self._edge if scope.level is None else tangent_of(self, scope.level)
    outside = moves is None and any(t is self or t is base for t in scope.outer)
    if outside or all(t._counter is not counter for t in scope.outer):
        raise RuntimeError(errors.CAPTURED)


def check_memory(self: TensorBase, *operands: Any) -> None:
    """Raise where elements of ``self``, or of it and an operand, share memory.

    Raises:
        RuntimeError: They do.
    """
    array = self._array
    if (
        array.ndim
        and 0 in array.strides
        and array.size
        and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True))
    ):
        raise RuntimeError(ON_EACH_OTHER)
    for o in operands:
        # the memory of a tensor and its views is known by their counter
        if (
            isinstance(o, TensorBase)
            and o is not self
            and o._counter is not None
            and o._counter is self._counter
            and _overlap_partly(array, o._array)
        ):
            raise RuntimeError(SHARED)


def share_memory(self: TensorBase, other: TensorBase, size: int = 0) -> bool:
    """Tell whether two tensors, of which one is a view of the other, lie upon each other.

    Or whether they would if the first had ``size`` bytes.
    """
    if self._counter is None or self._counter is not other._counter:
        return False
    first, second = addresses(self._array), addresses(other._array)
    if first is None or second is None:
        return False
    return first[0] < second[1] and second[0] < max(first[1], first[0] + size)


ON_EACH_OTHER = (
    "unsupported operation: more than one element of the written-to tensor refers to a single "
    "memory location. Please clone() the tensor before performing the operation."
)
SHARED = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
    "single memory location. Please clone() the tensor before performing the operation."
)


def _overlap_partly(a: Array, b: Array) -> bool:
    first, second = addresses(a), addresses(b)
    if first is None or second is None:
        return False  # PyTorch does not look further either
    if first == second:
        return bool(a.strides != b.strides)
    return first[0] < second[1] and second[0] < first[1]


def addresses(array: Array) -> tuple[int, int] | None:
    """Return where an array begins and ends in memory, ``None`` where it has gaps."""
    expected = array.itemsize
    for stride, n in sorted(zip(array.strides, array.shape, strict=True)):
        if n != 1:
            if stride != expected:
                return None
            expected *= n
    start = backend.of(array).address(array)
    return start, start + array.nbytes

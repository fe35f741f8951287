"""Tensors as the operations see them: made from arrays, saved for backward, shared by views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad import _dtype, backend, errors
from gpugrad._device import device
from gpugrad.graph import Counter, Node, Output, SavedOutput, TensorBase, edge_of, mode

Array = Any
Shape = tuple[int, ...]

# The one place where the circle between tensors and operations is closed: ``_tensor`` gives its
# class to ``close_circle``, and results are made with it.
tensor_class: type[TensorBase] = TensorBase
dual_class: type[TensorBase] = TensorBase  # of tensors that have tangents; a subclass of the other
_new = object.__new__  # not the public constructor, which converts data


def close_circle(cls: type[TensorBase], dual: type[TensorBase]) -> None:
    """Make the results of all operations objects of ``cls``, or of ``dual`` if they move."""
    global tensor_class, dual_class
    tensor_class, dual_class = cls, dual


def wrap(array: Array) -> Any:
    """Return a new tensor around an array, which needs no gradient."""
    t: Any = _new(tensor_class)
    t._array = array
    t._edge = None
    t._grad = None
    t._counter = None
    t._view = None
    return t


class Like(NamedTuple):
    """What a rule may know of an input without the input being saved."""

    shape: Shape
    dtype: np.dtype[Any]
    device: device


def like(tensor: TensorBase) -> Like:
    """Return the shape, type and device of a tensor."""
    array = tensor._array
    return Like(array.shape, array.dtype, backend.of(array).device_of(array))


# --------------------------------------------------------------------------- saving


def shared_counter(tensor: TensorBase) -> Counter:
    """Return the tensor's counter of in-place writes, made if it has none."""
    if tensor._counter is None:
        tensor._counter = Counter()
    return tensor._counter


def saved_output(tensor: TensorBase) -> SavedOutput:
    """Return what the node of a new tensor keeps of it: its array, and its counter of writes."""
    kept: SavedOutput = _new(SavedOutput)
    kept.value = 0
    kept.array = tensor._array
    tensor._counter = kept
    return kept


def _writes(saved: Any) -> int:
    """Return how often the memory of a saved value was written."""
    counter = saved._counter if isinstance(saved, TensorBase) else saved
    return counter.value if isinstance(counter, Counter) else 0


def versions_of(saved: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the state of each saved value, ``None`` where none was ever written in place."""
    versions = tuple([_writes(s) for s in saved])
    return versions if any(versions) else None


def unpack(node: Node, outputs_from: int) -> tuple[Any, ...]:
    """Return a node's saved values; from ``outputs_from`` on they are its own outputs.

    Raises:
        RuntimeError: They were freed, or written in place since.
    """
    saved = node.saved
    if saved is None:
        raise RuntimeError(errors.SECOND_BACKWARD)
    for k, s in enumerate(saved):
        expected = 0 if node.versions is None else node.versions[k]
        if _writes(s) != expected:
            raise _overwritten(node, k, k >= outputs_from, expected)
    return (
        *saved[:outputs_from],
        *(_rewrapped(node, k, s) for k, s in enumerate(saved[outputs_from:])),
    )


def _rewrapped(node: Node, index: int, saved: Any) -> Any:
    """Return a saved output as a tensor with the history it had, for a recorded backward."""
    if saved is None:
        return None
    t = wrap(saved.array)
    t._counter = saved
    if mode.enabled:
        t._edge = node if node.outputs == 1 else Output(node, index)
    if mode.levels and hasattr(saved, "tangents"):
        t.__class__ = dual_class
        t._tangents = saved.tangents
    return t


def _overwritten(node: Node, index: int, own: bool, expected: int) -> RuntimeError:
    assert node.saved is not None
    saved = node.saved[index]
    writes = _writes(saved)
    if own:
        saved = wrap(saved.array)
    maker = node if own else saved._edge
    maker = maker.node if isinstance(maker, Output) else maker
    origin = (
        f", which is output 0 of {maker.name().removesuffix('Backward0')},"
        if isinstance(maker, Node) else ","
    )  # fmt: skip
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{type_name(saved)} {errors.size(saved._array.shape)}]{origin} is at version "
        f"{writes}; expected version {expected} instead. Hint: enable anomaly "
        "detection to find the operation that failed to compute its gradient, with "
        "gpugrad.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def type_name(tensor: TensorBase) -> str:
    """Return PyTorch's old name of a tensor's type: ``gpugrad.FloatTensor``."""
    where = "" if backend.of(tensor._array).type == "cpu" else "cuda."
    return f"gpugrad.{where}{_dtype.of(tensor._array.dtype).title}Tensor"


def check_view(tensor: TensorBase) -> None:
    """Refuse a view whose base got another history, by an in-place write, after it was taken.

    Raises:
        RuntimeError: It is such a view.
    """
    view = tensor._view
    if view is not None and view.base._edge is not view.edge:
        raise RuntimeError(
            "a view of a tensor was used after the tensor was modified by an inplace operation: "
            f"[{type_name(tensor)} {errors.size(tensor._array.shape)}] shows the new values of its "
            "base, but its history is that of the old ones. Take the view again after the inplace "
            "operation."
        )


def edges(tensors: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the edges of the operands, ``None`` where nothing is to be recorded."""
    if not mode.enabled:
        return None
    found = False
    result = []
    for t in tensors:
        edge = None
        if isinstance(t, TensorBase):
            if t._view is not None:
                check_view(t)
            if t._edge is not None:
                edge = edge_of(t)
                found = True
        result.append(edge)
    return tuple(result) if found else None


def own_array(tensor: TensorBase) -> Array:
    """Return the tensor's array as an array object that views and writes can share."""
    array = tensor._array
    if isinstance(array, np.generic):
        array = tensor._array = np.asarray(array)
    return array


def zeros(o: Like) -> Any:
    """Return a tensor of zeros like the one that ``o`` describes."""
    return wrap(backend.of_device(o.device).full(o.shape, 0, o.dtype, o.device))

"""What the methods of a user's ``Function`` may return: errors in PyTorch's words."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from gpugrad import backend, errors
from gpugrad._dtype import INEXACT
from gpugrad.graph import TensorBase, ends
from gpugrad.op.history import check_rewritable
from gpugrad.op.saved import Like

# --------------------------------------------------------------------------- forward


def marked(dirty: Sequence[Any], non_differentiable: Sequence[Any]) -> None:
    """Refuse to mark something else than tensors.

    Raises:
        RuntimeError: One is none.
    """
    for k, t in enumerate(dirty):
        if not isinstance(t, TensorBase):
            raise RuntimeError(
                f"mark_dirty can only accept variables, but argument {k} is of type "
                f"{type(t).__name__}"
            )
    for t in non_differentiable:
        if not isinstance(t, TensorBase):
            raise RuntimeError(
                "mark_non_differentiable only accepts variable arguments, but got "
                f"{type(t).__name__}"
            )


def dirty(
    written: Sequence[Any], constant: Sequence[Any], outs: Sequence[Any], recorded: bool
) -> None:
    """Refuse tensors that may not be marked as written to; ``constant`` are without gradient.

    Raises:
        RuntimeError: One was not returned, is a leaf that requires grad or a view that may not be
            written, or is a view and one of several outputs.
    """
    for t in written:
        if not any(t is o for o in outs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )
        if any(t is c for c in constant):
            continue
        if recorded and t._edge is not None and ends(t._edge):
            raise RuntimeError(
                "a leaf Variable that requires grad has been used in an in-place operation."
            )
        if recorded and t._view is not None:
            if len(outs) > 1:
                raise RuntimeError(_VIEW_AMONG_OTHERS)
            check_rewritable(t)


_VIEW_AMONG_OTHERS = (
    "If your Function modifies inplace an input that is a view of another Tensor, your Function "
    "cannot return more than one Tensor. This is not supported by the current autograd engine. You "
    "should either make sure the input is not a view (using .clone() for example) or make your "
    "Function only return one Tensor (potentially splitting it into two Functions: one doing the "
    "inplace that returns a single Tensor and a second one that does the other operations). You "
    "can ask on the forum https://discuss.pytorch.org/ if you need help to do this change."
)


def outputs(name: str, found: Sequence[Any]) -> None:
    """Refuse an array among the outputs of a call that is differentiated: it has no history.

    Raises:
        TypeError: One is an array of a type that has gradients.
    """
    for k, out in enumerate(found):
        if backend.is_array(out) and out.dtype.kind in INEXACT:
            raise TypeError(
                f"the forward of {name.removesuffix('Backward')} returned an array as output {k}, "
                "which would have no gradient. Return a tensor, as of gpugrad.as_tensor(array), or "
                "array.tolist() of what is no function of the arguments."
            )


def saved(position: int, value: Any) -> None:
    """Refuse to save something else than a tensor or ``None`` for backward.

    Raises:
        TypeError: It is neither.
    """
    if value is not None and not isinstance(value, TensorBase):
        raise TypeError(
            f"save_for_backward can only save variables, but argument {position} is of type "
            f"{type(value).__name__}"
        )


# --------------------------------------------------------------------------- backward


def one_backward(own: Set[str]) -> None:
    """Refuse a class that defines its backward twice.

    Raises:
        RuntimeError: ``backward`` and ``vjp`` are both among its own methods.
    """
    if own >= {"backward", "vjp"}:
        raise RuntimeError(
            "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
            "should only implement one of them."
        )


def gradients(name: str, found: Sequence[Any], count: int, places: Sequence[int]) -> None:
    """Refuse what are not the gradients of ``count`` arguments, with tensors in some places.

    Raises:
        RuntimeError: There are fewer, or more and these are not ``None``; one is neither a tensor
            nor ``None``, or belongs to an argument that is no tensor.
    """
    if len(found) < count or any(g is not None for g in found[count:]):
        raise RuntimeError(
            f"function {name} returned an incorrect number of gradients (expected {count}, got "
            f"{len(found)})"
        )
    for k, g in enumerate(found[:count]):
        if g is not None and k not in places:
            raise RuntimeError(
                f"function {name} returned a gradient different than None at position {k + 1}, but "
                "the corresponding forward input was not a Variable"
            )
        if g is not None and not isinstance(g, TensorBase):
            raise RuntimeError(f"expected Variable or None (got {type(g).__name__})")


def gradient(name: str, index: int, grad: TensorBase, wanted: Like) -> None:
    """Refuse a gradient that does not fit its argument.

    Raises:
        RuntimeError: It is on another device, or its shape cannot be summed to the argument's.
    """
    array = grad._array
    where = backend.of(array).device_of(array)
    if where != wanted.device:
        raise RuntimeError(
            f"Function {name} returned an invalid gradient at index {index} - expected device "
            f"{wanted.device} but got {where}"
        )
    extra = len(array.shape) - len(wanted.shape)
    if extra < 0 or any(
        n not in (1, m) for n, m in zip(wanted.shape, array.shape[extra:], strict=True)
    ):
        raise RuntimeError(
            f"Function {name} returned an invalid gradient at index {index} - got "
            f"{errors.size(array.shape)} but expected shape compatible with "
            f"{errors.size(wanted.shape)}"
        )


# --------------------------------------------------------------------------- jvp


def tangents(found: Sequence[Any], count: int) -> None:
    """Refuse what are not the tangents of ``count`` outputs.

    Raises:
        RuntimeError: There is another number, or one is neither a tensor nor ``None``.
    """
    for k, t in enumerate(found):
        if t is not None and not isinstance(t, TensorBase):
            raise RuntimeError(
                f"expected Variable or None (got {type(t).__name__}) for grad output {k}."
            )
    if len(found) != count:
        raise RuntimeError(
            f"Function's jvp returned an invalid number of forward gradients (expected {count} but "
            f"got {len(found)})"
        )


def tangent(index: int, found: TensorBase, output: TensorBase | None) -> None:
    """Refuse a tensor that is no tangent of an output, ``None`` for one that has no derivative.

    Raises:
        RuntimeError: The output has none, or another shape.
    """
    if output is None:
        raise RuntimeError(
            f"Function's jvp returned a gradient at position {index}, but  the corresponding "
            "forward output is not a differentiable Tensor.You should return None at that position "
            "instead."
        )
    if found._array.shape != output._array.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            "Tensor, this is not supported. Tensor is of size "
            f"{errors.size(output._array.shape)} while the given forward gradient is of size "
            f"{errors.size(found._array.shape)}."
        )


def written_tangent(found: Any, tangent: Any, version: int | None) -> None:
    """Refuse what is not the tangent of an argument that was written, itself written since.

    Raises:
        RuntimeError: It was not written after that version, or is another tensor.
    """
    rule = "If the forward is modifying an input inplace, then the jvp function must modify the "
    if found is None or tangent._version == version:
        raise RuntimeError(
            "An inplace custom Function is not modifying the forward mode gradients inplace. "
            f"{rule}corresponding gradient inplace."
        )
    if found is not tangent:
        raise RuntimeError(
            "An inplace custom Function is not returning the forward mode gradients as-is. "
            f"{rule}gradient inplace and return it as-is."
        )


NO_VIEW = (
    "A custom Function's forward is returning a view (or an input as-is) but the jvp is not "
    "returning a view."
)
FIXED = (
    " The memory that its output shares with an argument may not be modified inplace in forward "
    "mode. Return a view of the argument's tangent from jvp, or clone() the output."
)

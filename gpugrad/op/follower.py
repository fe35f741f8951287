"""Copies that follow what they are of: where PyTorch has a view that computes what it shows.

The conjugate of a tensor does not lie in its memory.
It is a copy of which all views know the base, a :class:`Follower`; where one of them is used after
the tensor was written, or given another history, the copy is made anew, in the same memory.
What is shown thus follows what is written; to write into it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpugrad import backend
from gpugrad.graph import UNRECORDED, Following, Inference, TensorBase, View, mode, rehang
from gpugrad.op.saved import check_view, is_dual, own_array, settle, shared_counter, wrap

Function = Callable[[Any], Any]


class Follower(TensorBase):
    """The base of the views of a copy of ``source``, which ``function`` computes."""

    __slots__ = ("function", "seen", "source", "version")

    source: Any
    function: Function
    seen: Any  # the history of the source that its own belongs to
    version: int  # how often the source had been written


def following(function: Function, source: Any, view: Any) -> Any:
    """Return ``function(source)``, memory of its own, as a view that follows the source.

    It follows by a ``view`` of the whole source, as other views do, since the source itself may be
    given another shape, or other memory.
    """
    out = function(source)
    settle(out)
    counter = out._counter = Following() if out._counter is None else out._counter
    base: Any = object.__new__(Follower)
    base._array, base._edge = own_array(out), out._edge
    base._grad = base._view = None
    if is_dual(out):
        base._tangents = dict(out._tangents)
    base._counter = counter
    base.source, base.function = view, function
    base.seen, base.version = view._edge, shared_counter(view).value
    if mode.enabled:
        out._view = View(base, "", base._edge, counter.value)
    else:
        base.seen = UNRECORDED
        out._view = View(base, "no_grad", UNRECORDED, counter.value)
    return out


def follower_of(tensor: TensorBase) -> Follower | None:
    """Return the base of a tensor if that is a copy which follows another tensor."""
    base = None if tensor._view is None else tensor._view.base
    return base if isinstance(base, Follower) else None


def brought_up(base: Follower) -> Any:
    """Bring a copy that follows another tensor up to date, and its history.

    Return the copy that this was made of, with the tangents of the source; ``None`` where the
    source was not written.
    """
    source = base.source
    if source._view is not None:
        check_view(source)
    counter = shared_counter(source)
    written = counter.value != base.version or isinstance(counter, Inference)
    if not (written or (mode.enabled and source._edge is not base.seen)):
        return None
    made = base.function(source)
    if written:
        backend.of(base._array).assign(base._array, own_array(made))
        base.version = counter.value
        shared_counter(base).value += not isinstance(counter, Inference)
    if mode.enabled:
        rehang(base, made._edge)
        base.seen = source._edge
    return made if written else None


def detached(tensor: TensorBase, base: Follower) -> Any:
    """Return a view of a copy without history, which follows the source without history."""
    own: Any = object.__new__(Follower)
    own._array, own._counter = base._array, base._counter
    own._edge = own._grad = own._view = None
    own.source, own.function = base.source.detach(), base.function
    own.seen, own.version = None, base.version
    out = wrap(own_array(tensor))
    out._counter = shared_counter(tensor)
    out._view = View(own, "", None, out._counter.value)
    return out

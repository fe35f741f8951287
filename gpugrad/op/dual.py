"""Dual tensors: forward mode, which carries tangents through every operation.

A dual tensor is a tensor that knows how it moves, for each level of forward mode that is open in
this thread; levels lie within each other, so that forward mode can be differentiated in forward
mode.  Operations on dual tensors take the general way.  When one has computed its results,
:func:`carry` has its own rule compute their tangents, with the operands as the outer levels see
them: what is differentiated twice is never mixed up.

Source: the levels are those of J. M. Siskind and B. Pearlmutter, "Perturbation confusion and
referential transparency", 2005.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any
from weakref import WeakValueDictionary

from gpugrad._dtype import INEXACT
from gpugrad.graph import LEAF, SavedOutput, SeenView, TensorBase, below, edge_of, mark, mode
from gpugrad.op import saved

_next_level = itertools.count().__next__

Moved = Callable[[Sequence[Any], Sequence[Any], int], Sequence[Any]]


def open_level() -> int:
    """Begin a level of forward mode inside those that are open, and return its number."""
    level = _next_level()
    mode.levels = (*mode.levels, level)
    return level


def close_level(level: int) -> None:
    """End a level: from now on nothing has a tangent at it."""
    mode.levels = tuple([k for k in mode.levels if k != level])


@contextmanager
def forward_level() -> Iterator[int]:
    """Open a level of forward mode for the block, and yield its number."""
    level = open_level()
    try:
        yield level
    finally:
        close_level(level)


@contextmanager
def outside_of(level: float) -> Iterator[None]:
    """Compute as the levels outside of ``level`` do: with their tangents only."""
    before = mode.levels
    mode.levels = tuple([k for k in before if k < level])
    try:
        yield
    finally:
        mode.levels = before


def has_tangents(operands: Sequence[Any]) -> bool:
    """Tell whether one of them is a dual tensor."""
    return any(isinstance(o, TensorBase) and tangents_of(o) for o in operands)


def has_histories(tensors: Sequence[Any]) -> bool:
    """Tell whether what is computed of tensors, or of how they move, can be differentiated."""
    given = [t for t in tensors if t is not None]
    return saved.edges(given) is not None or any(
        has_histories([*tangents_of(t).values()]) for t in given
    )


def tangents_of(tensor: Any) -> dict[int, Any]:
    """Return the tangents of a tensor by their levels.

    A tangent belongs to memory: a view has those that its base was given since.
    """
    view = tensor._view
    if view is not None and saved.is_dual(view.base):
        saved.check_view(tensor)
    return tensor._tangents if saved.is_dual(tensor) else {}


def tangent_of(tensor: Any, level: int) -> Any:
    """Return the tangent of a tensor, ``None`` where it does not move."""
    return tangents_of(tensor).get(level) if isinstance(tensor, TensorBase) else None


def attach(tensor: Any, level: int, tangent: Any) -> None:
    """Give a tensor a tangent."""
    if not saved.is_dual(tensor):
        tensor._tangents = {}
    if tensor.__class__ in saved.moving:
        tensor.__class__ = saved.moving[tensor.__class__]
    tensor._tangents[level] = tangent


def primal(tensor: Any, level: int) -> Any:
    """Return the tensor as the levels outside of ``level`` see it: with their tangents only."""
    moving = isinstance(tensor, TensorBase) and tangents_of(tensor)
    return seen_from(tensor, level) if moving else tensor


def seen_from(tensor: Any, level: float) -> Any:
    """Return another tensor that is as the levels outside of ``level`` see this one."""
    tangents = tangents_of(tensor)
    edge = None if tensor._edge is None else edge_of(tensor)
    return _alias(tensor, edge, {k: t for k, t in tangents.items() if k < level}, level)


def plain(value: Any) -> Any:
    """Return a tensor as one of no class of the user's, whose methods gradients must not call."""
    if saved.subclasses and isinstance(value, TensorBase) and not saved.is_plain(value):
        return seen_from(value, inf)
    return value


def variable(tensor: Any) -> Any:
    """Return the tensor as a leaf that requires grad, with its tangents and on its memory."""
    return _alias(tensor, LEAF, tangents_of(tensor))


def _alias(tensor: Any, edge: Any, tangents: dict[int, Any], level: float = inf) -> Any:
    alias = saved.wrap(saved.own_array(tensor))
    alias._edge = edge
    alias._counter = saved.shared_counter(tensor)
    view = tensor._view
    if edge is not LEAF and view is not None:
        alias._view = SeenView(view, level)
    for level, tangent in tangents.items():
        attach(alias, level, tangent)
    return alias


def with_bases(values: Sequence[Any]) -> list[Any]:
    """Return the tensors among some values, and those that they are views of."""
    found = [t for t in values if isinstance(t, TensorBase)]
    return found + [t._view.base for t in found if t._view is not None]


def leave(values: Sequence[Any]) -> None:
    """Take from tensors the tangents that they were given in levels that have ended."""
    for t in with_bases(values):
        if saved.is_dual(t):
            t._tangents = {k: v for k, v in t._tangents.items() if k in mode.levels}
            if not t._tangents:
                del t._tangents
                t.__class__ = saved.at_rest(t.__class__)


def unrecorded(tensor: Any) -> Any:
    """Return a tensor and its tangents without their histories."""
    found = saved.wrap(tensor._array)
    if mode.scope is not None:  # what a transform returns belongs to the one around it
        mark(tensor)
        found._counter = tensor._counter
    for level, tangent in tangents_of(tensor).items():
        attach(found, level, unrecorded(tangent))
    return found


def outside(tensor: Any, own: Sequence[Any]) -> Any:
    """Return a tensor without its history where that leads to no other leaves than ``own``."""
    edge = None if tensor._edge is None else edge_of(tensor)
    tangents = tangents_of(tensor)
    if mode.scope is not None:
        mark(tensor)
    if edge is None and not tangents:
        return tensor
    if edge is not None and not leads_elsewhere([edge], own):
        edge = None
    return _alias(tensor, edge, {level: outside(t, own) for level, t in tangents.items()})


# Leaves that nothing is differentiated by, by their ids: what func.linearize walks from.
_starts: WeakValueDictionary[int, TensorBase] = WeakValueDictionary()


def note_starts(variables: Sequence[TensorBase]) -> None:
    """Note that nothing is differentiated by those of some tensors that are leaves."""
    _starts.update({id(t): t for t in variables if t._edge is LEAF})


def leads_elsewhere(edges: Sequence[Any], own: Sequence[Any]) -> bool:
    """Tell whether the graph below some edges has other leaves than ``own``."""
    known = set(map(id, own))
    ends = [*edges, *(edge for node in below(edges).values() for edge in node.inputs)]
    found = {id(e) for e in ends if isinstance(e, TensorBase)}
    return any(e not in known and e not in _starts for e in found)


def carry(operands: Sequence[Any], outs: Sequence[Any], moved: Moved) -> None:
    """Give the outputs of a call the tangents that those of its operands lead to.

    ``moved(values, tangents, level)`` is the rule of forward mode at a level: from the operands and
    outputs, and the tangents of the operands, it computes those of the outputs, ``None`` where one
    does not move.
    """
    if not any(out._array.dtype.kind in INEXACT for out in outs):
        return
    # a view has the counter of its base, whose tangents are others
    saving = [out for out in outs if getattr(out._counter, "array", None) is out._array]
    for level in mode.levels:
        tangents = [tangent_of(o, level) for o in operands]
        if any(t is not None for t in tangents):
            # not the outputs themselves: what the rule saves must not become a dual tensor later
            values = [primal(o, level) for o in operands]
            values += [seen_from(out, level) for out in outs]
            for out, tangent in zip(outs, moved(values, tangents, level), strict=True):
                if tangent is not None and out._array.dtype.kind in INEXACT:
                    attach(out, level, tangent)
    for out in saving:
        counter: SavedOutput = out._counter
        if saved.is_dual(out):
            if not hasattr(counter, "tangents"):
                counter.tangents = {}
            counter.tangents.update(out._tangents)  # for a backward in forward mode

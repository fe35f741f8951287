"""What else happens when a call is recorded: saved tensors are packed, the line is remembered.

While a thread has none of this its ``mode.enabled`` is ``True``, which is all that a recorded call
asks for.  Otherwise it is an :class:`Observer`, and calls take the general way.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpugrad.formulas import TORCH
from gpugrad.graph import (
    Node,
    Rule,
    SavedOutput,
    TensorBase,
    edge_of,
    mode,
    output_of,
    record,
    recording,
    restore,
    restoring,
)
from gpugrad.op.attribute import Named
from gpugrad.op.dual import attach
from gpugrad.op.hooked import call_user
from gpugrad.op.saved import checked, edges, wrap

_LIBRARY = os.path.dirname(os.path.dirname(__file__)) + os.sep  # its own lines say nothing

Hooks = tuple[Callable[[Any], Any], Callable[[Any], Any]]


class Observer:
    """What is done with each recorded call: its saved tensors are packed, its line is kept."""

    __slots__ = ("anomaly", "hooks", "replay")

    def __init__(self, hooks: Hooks | None, anomaly: bool, replay: Any):
        self.hooks = hooks
        self.anomaly = anomaly
        self.replay = replay

    def recorded(self, node: Node) -> None:
        """Look at a new node."""
        if self.replay is not None:
            self.replay.recorded(node)
        if self.anomaly:
            node.metadata["traceback_"] = users_stack()
            if mode.node is not None:
                node.metadata["parent_"] = mode.node
        if self.hooks is not None and node.saved:
            first = len(node.saved) - node.outputs
            node.saved = PackedValues(
                [_packed(s, k - first, self.hooks) for k, s in enumerate(node.saved)]
            )


def users_stack() -> list[str]:
    """Return the lines of the stack that are not the library's own, as text."""
    lines = [f for f in traceback.extract_stack() if not f.filename.startswith(_LIBRARY)]
    return traceback.format_list(lines)


class Calls:
    """What is told of this thread's recorded calls while it is entered, and may answer them.

    Of several that are entered only the last is told.
    """

    def __enter__(self) -> None:
        mode.calls = (*mode.calls, self)
        begin()

    def __exit__(self, *exception: object) -> None:
        mode.calls = mode.calls[:-1]
        begin()

    def kept(self, name: str) -> tuple[Any, ...] | None:
        """Return the arrays of a call's results, ``None`` where it is to compute them."""
        return None

    def made(
        self, name: str, operands: Sequence[Any], params: Mapping[str, Any], results: Any
    ) -> None:
        """Look at the tensor or tensors that a call returns."""


def watcher(name: str, operands: Sequence[Any]) -> Calls | None:
    """Return who is told of a call, if it is recorded and its operation has a gradient."""
    if not mode.calls or not name or edges(operands) is None:
        return None
    found: Calls = mode.calls[-1]
    return found


def title(name: str) -> str:
    """Return the name of an operation from that of its nodes.

    >>> title("MmBackward0"), title("SplitWithSizesBackward0"), title("Log1PBackward0")
    ('mm', 'split_with_sizes', 'log1p')
    """
    return re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", re.sub(r"Backward\d+$", "", name)).lower()


def observe(hooks: tuple[Hooks, ...], anomaly: bool) -> None:
    """Let this thread have these hooks on saved tensors, of which the last counts, and this mode.

    Raises:
        RuntimeError: Hooks on saved tensors are disabled.
    """
    if hooks and mode.disabled is not None:
        raise RuntimeError(mode.disabled)
    before = mode.__dict__.copy()
    try:
        mode.hooks, mode.anomaly = hooks, anomaly
        begin()
    except BaseException:
        restore(before)
        raise


def follow(conventions: tuple[str, ...]) -> None:
    """Let this thread have these conventions at points without a derivative; the last counts."""
    mode.conventions = conventions
    begin()


def begin() -> None:
    """Have recorded calls observed where there is something to observe."""
    plain = mode.conventions[-1] == TORCH
    ordinary = plain and not (mode.hooks or mode.calls or mode.anomaly or mode.replay)
    hooks = mode.hooks[-1] if mode.hooks else None
    mode.on = True if ordinary else Observer(hooks, mode.anomaly, mode.replay)
    if mode.enabled:
        mode.enabled = mode.on


class PackedValues(tuple[Any, ...]):
    """The saved values of a node, where a user's function made something else of the tensors."""

    __slots__ = ()

    def unpacked(
        self, node: Node, outputs_from: int, outputs: Mapping[int, int] | None
    ) -> tuple[Any, ...]:
        """Return the values that were saved; see :func:`gpugrad.op.saved.unpack`.

        Raises:
            RuntimeError: One that no function packed was written in place since.
        """
        packed = [s.__class__ is Packed for s in self]
        rest = tuple([None if p else s for s, p in zip(self, packed, strict=True)])
        versions = node.versions and [
            0 if p else v for v, p in zip(node.versions, packed, strict=True)
        ]
        found = checked(node, rest, versions, outputs_from, outputs)
        return tuple([
            s.unpacked(node) if p else f for s, p, f in zip(self, packed, found, strict=True)
        ])  # fmt: skip


class Packed:
    """What a user's function made of a saved tensor, and where that stood in the graph."""

    __slots__ = ("edge", "number", "output", "tangents", "unpack", "value")

    value: Any
    unpack: Callable[[Any], Any]
    edge: Any
    number: bool  # whether it is to be one again, which goes with tensors of any device
    output: int  # negative where it was no output of the node
    tangents: dict[int, Any]  # kept as they are, as PyTorch does

    def unpacked(self, node: Node) -> Any:
        """Return the tensor that was saved, with its history where gradients are recorded."""
        unpack, value = self.unpack, self.value
        found = call_user(unpack, value)
        if not isinstance(found, TensorBase):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(found).__name__}"
            )
        if self.number:
            return found._array.dtype.type(found._array.item())
        moves = bool(mode.levels and self.tangents)
        if found is self.edge or not (mode.enabled or moves):
            return found
        t = wrap(found._array)
        t._counter = found._counter
        if moves:
            for level, tangent in self.tangents.items():
                attach(t, level, tangent)
        if not mode.enabled:
            return t
        if self.output >= 0:
            t._edge = output_of(node, self.output)
        elif isinstance(self.edge, TensorBase):  # a leaf, of whose values this may be a copy
            t._edge = record(_ALIAS, (self.edge,), (), None, None)
        else:
            t._edge = self.edge
        return t


def repack(node: Node, place: int, hooks: Hooks) -> None:
    """Let hooks have one of the values that a node saved.

    Raises:
        RuntimeError: It has hooks; or the one that packs writes into its argument.
    """
    saved: Any = node.saved
    value = saved[place]
    if value.__class__ is Packed:
        raise RuntimeError(
            "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
            "only one pair of hooks is allowed at a time."
        )
    number = isinstance(value, np.generic)  # a number among the operands is a tensor to PyTorch
    packed = _packed(wrap(value) if number else value, place - len(saved) + node.outputs, hooks)
    packed.number = number
    node.saved = PackedValues((*saved[:place], packed, *saved[place + 1 :]))


def _packed(saved: Any, output: int, hooks: Hooks) -> Any:
    """Return a saved value packed, if it is a tensor."""
    pack, unpack = hooks
    made = Packed()
    made.unpack, made.output, made.edge, made.number = unpack, output, None, False
    if isinstance(saved, SavedOutput):
        tensor = wrap(saved.array)  # without its history: the node must not lead to itself
        tensor._counter = saved
        made.tangents = saved.tangents = {}  # op.dual.carry fills them
    elif isinstance(saved, TensorBase):
        tensor = saved
        made.edge = edge_of(saved)
        made.tangents = getattr(saved, "_tangents", {})
    else:
        return saved
    before = tensor._version
    made.value = _silently(pack, tensor)
    if tensor._version != before:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input "
            "to pack hook cannot be modified by in-place operations as this can lead to "
            "unexpected side-effects. Please open an issue if you need to perform in-place "
            "operations on the input to a pack hook."
        )
    return made


@restoring
def _silently(pack: Callable[[Any], Any], tensor: Any) -> Any:
    with recording(False):
        return call_user(pack, tensor)


class _Alias:
    """The rule of what is the same tensor under another name."""

    op = Named("AliasBackward0")
    always = False
    needs: tuple[bool, ...] = (True,)
    outputs = 1

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Hand the gradient on."""
        return (g,)

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule itself: there is one input."""
        return self


_ALIAS = _Alias()

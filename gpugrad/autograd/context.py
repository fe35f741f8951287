"""``ctx``: what the methods of a user's ``Function`` share in one call."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gpugrad.graph import Node, TensorBase, output_of
from gpugrad.op.dual import attach
from gpugrad.op.saved import unpack, wrap


class Shared:
    """What a node keeps of the context of its call: all but the object itself, while nobody does.

    Args:
        ctx: The context.
    """

    __slots__ = ("_ctx", "attributes", "kind")

    def __init__(self, ctx: FunctionCtx):
        self.kind = type(ctx)
        self.attributes = ctx.__dict__
        self._ctx = weakref.ref(ctx)

    def of(self, node: Node) -> FunctionCtx:
        """Return the context of a node, the same object as long as the user has it."""
        ctx = self._ctx()
        if ctx is None:
            ctx = self.kind()
            ctx.__dict__ = self.attributes
            ctx._node = node
            self._ctx = weakref.ref(ctx)
        return ctx


class FunctionCtx:
    """What ``forward`` and ``backward`` of a :class:`Function` share; attributes may be added.

    It keeps the node of the call, which keeps its attributes but not it.
    """

    __slots__ = ("__dict__", "__weakref__", "_node")

    _node: Node
    needs_input_grad: tuple[bool, ...] = ()
    saved_for_forward: tuple[Any, ...] = ()
    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _materializes = True
    _kept: tuple[int | None, ...] = ()  # for each saved tensor where the node has it
    _outputs: dict[int, int]  # which of the node's values are its outputs
    _tangents: Mapping[int, dict[int, Any]] = MappingProxyType({})  # of outputs, by their index
    _moving = False  # while ``jvp`` runs

    def save_for_backward(self, *tensors: Any) -> None:
        """Save tensors, or ``None``, for ``backward``; what was written to since is refused."""
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Save tensors for ``jvp``.

        Raises:
            AssertionError: One is neither a tensor nor ``None``.
        """
        for t in tensors:
            if not isinstance(t, TensorBase) and t is not None:
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors; you should save "
                    "non-tensors as attributes on ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        """Say which inputs ``forward`` writes to; it must return them."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say which outputs have no gradient."""
        self._non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether ``backward`` receives zeros, or ``None``, where no gradient arrived."""
        self._materializes = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that were saved, empty while ``forward`` runs; in ``jvp`` those for it.

        Raises:
            RuntimeError: They were freed, or written to since.
        """
        if self._moving:
            return self.saved_for_forward
        node: Node | None = getattr(self, "_node", None)
        if node is None or not self._kept:
            return ()
        found = unpack(node, len(self._kept), self._outputs)
        return tuple(
            [None if k is None else self._with_history(node, k, found) for k in self._kept]
        )

    def _with_history(self, node: Node, index: int, found: Sequence[Any]) -> Any:
        """Return a saved tensor; those that are outputs are kept without their history."""
        if index not in self._outputs:
            return found[index]
        t = wrap(found[index]._array)
        t._counter = found[index]._counter
        t._edge = output_of(node, self._outputs[index])
        for level, tangent in self._tangents.get(self._outputs[index], {}).items():
            attach(t, level, tangent)
        return t

"""The backward of a compiled call: a program of its own, recorded with that of the call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import backend
from gpugrad.backend.batched import Batched
from gpugrad.graph import Node, SavedOutput, mode, recording
from gpugrad.op.attribute import Named
from gpugrad.op.saved import own_array, unpack, wrap

Array = Any


class Gradient:
    """How compiled calls of one plan are differentiated: the rule of their nodes.

    Args:
        run: Of the gradients and the saved arrays; returns the gradients of the inputs.
        cotangents: Shape, type and device of each result that has a gradient.
        given: Which of the inputs have one.
        again: What computes the gradients by the function itself, as tensors.
    """

    op = Named("CompiledFunctionBackward")
    always = False

    def __init__(
        self,
        run: Callable[[list[Array]], list[Array]],
        cotangents: Sequence[tuple[Any, Any, Any]],
        given: Sequence[bool],
        again: Callable[[Node, Sequence[Any]], Sequence[Any]],
    ):
        """Make the rule."""
        self.run = run
        self.cotangents = tuple(cotangents)
        self.given = tuple(given)
        self.needs = (True,) * len(given)
        self.outputs = len(self.cotangents)
        self.again = again

    def narrowed(self, needs: tuple[bool, ...]) -> Any:
        """Return the rule itself, which computes all gradients together."""
        return self

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Return the gradients of the inputs: arrays, or tensors where these are recorded."""
        grads = [g] if self.outputs == 1 else g
        saved = unpack(node, len(node.saved or ()))
        if mode.enabled:
            return self.again(node, grads)
        if any(a.__class__ is Batched for a in grads):
            with recording(False):
                found = self.again(node, [None if a is None else wrap(a) for a in grads])
            return [None if t is None else t._array for t in found]
        arrays = [self._whole(a, k) for k, a in enumerate(grads)]
        arrays += [s.array if isinstance(s, SavedOutput) else own_array(s) for s in saved]
        results = iter(self.run(arrays))
        return [next(results) if there else None for there in self.given]

    def _whole(self, grad: Array, place: int) -> Array:
        """Return the gradient of a result in memory of its own, in the order of its indices."""
        shape, dtype, where = self.cotangents[place]
        door = backend.of_device(where)
        if grad is None:
            return door.full(shape, 0, dtype, where)
        grad = backend.of(grad).own(grad)
        return grad if grad.flags.c_contiguous else door.copy(grad, "C")

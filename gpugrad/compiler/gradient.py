"""The backward of a compiled call: a program of its own, recorded with that of the call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import backend
from gpugrad.backend.batched import Batched
from gpugrad.compiler.capture import entry
from gpugrad.graph import Node, SavedOutput, mode, recording
from gpugrad.op.attribute import Named
from gpugrad.op.saved import own_array, unpack, wrap
from gpugrad.tree import leaves

Array = Any


class Gradient:
    """How compiled calls of one plan are differentiated: the rule of their nodes.

    Args:
        run: Of the gradients and the saved arrays; returns the gradients of the inputs.
        cotangents: Shape, type and device of each result that has a gradient.
        given: Which of the inputs have one.
    """

    op = Named("CompiledFunctionBackward")
    always = False

    def __init__(
        self,
        run: Callable[[list[Array]], list[Array]],
        cotangents: Sequence[tuple[Any, Any, Any]],
        given: Sequence[bool],
    ):
        """Make the rule."""
        self.run = run
        self.cotangents = tuple(cotangents)
        self.given = tuple(given)
        self.needs = (True,) * len(given)
        self.outputs = len(self.cotangents)
        self.again: Any = None  # how they are differentiated more than once, or in vmap

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
        found = self.run(arrays)
        partly = any(a is None for a in grads) and not backend.capturing()
        if partly and self.again.may(node) and not all(map(_finite, found)):
            # a zero in the place of no gradient has met what is infinite
            with recording(False):
                exact = self.again(node, [None if a is None else wrap(a) for a in grads])
            return [None if t is None else t._array for t in exact]
        results = iter(found)
        return [next(results) if there else None for there in self.given]

    def _whole(self, grad: Array, place: int) -> Array:
        """Return the gradient of a result in memory of its own, in the order of its indices."""
        shape, dtype, where = self.cotangents[place]
        door = backend.of_device(where)
        if grad is None:
            return door.full(shape, 0, dtype, where)
        grad = backend.of(grad).own(grad)
        return grad if grad.flags.c_contiguous else door.copy(grad, "C")


def _finite(array: Array) -> bool:
    return bool(backend.of(array).xp.isfinite(array).all())


class Made:
    """A call: its arguments, their leaves, and what there was when it was made."""

    __slots__ = ("call", "leaves", "states", "versions")

    def __init__(
        self,
        call: tuple[Any, dict[str, Any]],
        leaves: Sequence[Any],
        states: Sequence[tuple[Any, bytes]],
        versions: Sequence[tuple[Any, int]],
    ):
        """Note the arguments, the states of generators, and counters with their values."""
        self.call, self.leaves, self.states, self.versions = call, leaves, states, versions


class Again:
    """The gradients of a call by the function itself, which is called once more, as tensors.

    Args:
        function: What was compiled.
        ends: The sources of the inputs.
        outputs: For each leaf of a result, which output of the node it is; -1 for none.
        once: Why the function may not be called again, or empty.
    """

    def __init__(
        self, function: Callable[..., Any], ends: Sequence[Any], outputs: Sequence[int], once: str
    ):
        """Note how the function is called."""
        self.function, self.ends, self.outputs, self.once = function, ends, outputs, once
        self.unchanged: Callable[[], bool] = lambda: True  # whether it finds by name what it found

    def may(self, node: Node) -> bool:
        """Tell whether a call can be repeated."""
        versions = node.params.versions
        return not self.once and all(c.value == v for c, v in versions) and self.unchanged()

    def __call__(self, node: Node, grads: Sequence[Any]) -> Sequence[Any]:
        """Return the gradients of the node's inputs, recorded where that is asked for.

        Raises:
            RuntimeError: The call cannot be repeated, or what it read was written since.
        """
        from gpugrad.autograd import grad

        made = node.params
        if self.once:
            raise RuntimeError(
                f"compile: a call of {self.function!r} cannot be differentiated more than once, or "
                f"in vmap, since the function {self.once}. Compute these derivatives inside of the "
                "compiled function, or call it without compile."
            )
        if any(counter.value != value for counter, value in made.versions):
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an "
                "inplace operation: an argument of a compiled function, which is called again "
                "for a gradient that is differentiated."
            )
        if not self.unchanged():
            raise RuntimeError(
                f"compile: a call of {self.function!r} cannot be differentiated more than once, or "
                "in vmap, since what the function finds by name has changed after the call. "
                "Compute these derivatives before, or inside of the compiled function."
            )
        recorded = mode.enabled
        tensors = [source.tensor(made.leaves) for source in self.ends]
        before = [t._edge for t in tensors]
        states = [(g, g._state) for g, _ in made.states]
        try:
            for t, edge in zip(tensors, node.inputs, strict=True):
                t._edge = entry(edge)
            for g, state in made.states:
                g._state = state
            args, kwargs = made.call
            with recording(True):
                results = leaves(self.function(*args, **kwargs))
                outs = [t for t, k in zip(results, self.outputs, strict=True) if k >= 0]
                pairs = [(o, g) for o, g in zip(outs, grads, strict=True) if g is not None]
                found = grad(
                    [o for o, _ in pairs],
                    tensors,
                    [g for _, g in pairs],
                    create_graph=bool(recorded),
                    allow_unused=True,
                )
        finally:
            for t, edge in zip(tensors, before, strict=True):
                t._edge = edge
            for g, state in states:
                g._state = state
        return found

"""How a recorded call is differentiated: the operation, and which inputs need a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpugrad import errors
from gpugrad.graph import Node, mode
from gpugrad.op.saved import wrap

Shape = tuple[int, ...]


class Recorded(NamedTuple):
    """What the backward of an elementwise call must know besides what it saved."""

    compute: np.dtype[Any]
    shape: Shape
    shapes: tuple[Shape, ...] | None  # of the inputs; None: all have ``shape``
    dtypes: tuple[np.dtype[Any], ...]
    results: tuple[tuple[Shape, np.dtype[Any]], ...]  # shape and type of each output


def recorded_total(dtype: np.dtype[Any], shape: Shape) -> Recorded:
    """Return what is known of a call that adds a formula of two plain operands up."""
    return Recorded(dtype, shape, None, (dtype, dtype), (((), dtype),))


class Rule:
    """The backward of an operation for the inputs in ``needs``; one object for all its calls.

    ``backward`` may be replaced by a function that was generated for plain operands.
    """

    __slots__ = ("backward", "needs", "op", "outputs", "rules")

    always = False

    def __init__(self, op: Any, needs: tuple[bool, ...], outputs: int, rules: Callable[..., Rule]):
        """Make the rule of an operation; ``rules(needs, outputs)`` gives it for other inputs."""
        self.op = op
        self.needs = needs
        self.outputs = outputs
        self.rules = rules
        self.backward: Callable[[Node, Any], Sequence[Any]] = self.general

    def general(self, node: Node, g: Any) -> Sequence[Any]:
        """Return the gradients by way of tensors, recorded where that is asked for."""
        if mode.enabled:
            return self.op.backward(node, g if self.outputs != 1 else [g], self.needs)
        if self.outputs == 1:
            grads = [wrap(g)]
        else:
            grads = [None if array is None else wrap(array) for array in g]
        found = self.op.backward(node, grads, self.needs)
        return [None if t is None else t._array for t in found]

    def narrowed(self, needs: tuple[bool, ...]) -> Rule | _Unneeded:
        """Return the rule for some of these inputs."""
        return self.rules(needs, self.outputs) if True in needs else _Unneeded(self)


def nothing(node: Node) -> Sequence[Any]:
    """Return the gradients of a node's inputs where it is run, and there is nothing to compute.

    Raises:
        RuntimeError: What it saved was freed.
    """
    if node.saved is None:
        raise RuntimeError(errors.SECOND_BACKWARD)
    return (None,) * len(node.inputs)


class _Unneeded:
    """The rule of a node that runs though nothing that is wanted lies below it."""

    __slots__ = ("needs", "op", "outputs")

    always = False

    def __init__(self, rule: Rule) -> None:
        self.op, self.needs, self.outputs = rule.op, (False,) * len(rule.needs), rule.outputs

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Return no gradients."""
        return nothing(node)

    def narrowed(self, needs: tuple[bool, ...]) -> _Unneeded:
        """Return the rule itself."""
        return self

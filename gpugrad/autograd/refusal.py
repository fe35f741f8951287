"""``once_differentiable``: gradients that refuse to be differentiated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad.graph import Node, Rule, mode, record, recording
from gpugrad.op.attribute import Named
from gpugrad.op.dual import attach
from gpugrad.op.saved import edges, shared_counter, wrap


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward that is not recorded: to differentiate its gradients is an error.

    Inside of transforms it is one, too, where no incoming gradient depends on anything: PyTorch
    takes the gradients for constants there, and gives 0.

    Args:
        fn: A ``backward`` of a :class:`Function`, which may compute with anything.

    Raises:
        RuntimeError: When a walk differentiates a gradient that it returned.
    """

    @functools.wraps(fn)
    def backward(ctx: Any, *grads: Any) -> Any:
        with recording(False):
            found = fn(ctx, *grads)
        inputs = edges(grads)
        if inputs is None and mode.enabled and mode.transforms:
            inputs = ctx._node.inputs
        if inputs is None:
            return found
        refused = tuple([
            _refusing(g, inputs) for g in (found if isinstance(found, tuple) else (found,))
        ])  # fmt: skip
        return refused if isinstance(found, tuple) else refused[0]

    return backward


def _refusing(grad: Any, inputs: tuple[Any, ...]) -> Any:
    if grad is None:
        return None
    made = wrap(grad._array)
    made._counter = shared_counter(grad)
    for level, tangent in getattr(grad, "_tangents", {}).items():
        attach(made, level, tangent)  # it was moved by the operations that computed it
    made._edge = record(_Refusal(tuple([e is not None for e in inputs])), inputs, (), None, None)
    return made


class _Refusal:
    """The rule of a gradient that may not be differentiated."""

    op = Named("torch::autograd::Error")
    always = True
    outputs = 1

    def __init__(self, needs: tuple[bool, ...]):
        self.needs = needs

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Refuse.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the refusal for some of these inputs."""
        return _Refusal(needs)

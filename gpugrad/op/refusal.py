"""Tensors whose history refuses to be differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpugrad.graph import Node, Rule, TensorBase, mode, record
from gpugrad.op.attribute import Named
from gpugrad.op.dual import attach, has_tangents
from gpugrad.op.saved import edges, shared_counter, wrap


def refusing(tensor: Any, inputs: tuple[Any, ...], error: Exception) -> Any:
    """Return a tensor in the same memory whose history is that of ``inputs``, but refuses."""
    made = wrap(tensor._array)
    made._counter = shared_counter(tensor)
    for level, tangent in getattr(tensor, "_tangents", {}).items():
        attach(made, level, tangent)  # it was moved by the operations that computed it
    needs = tuple([e is not None for e in inputs])
    made._edge = record(_Refusal(needs, error), inputs, (), None, None)
    return made


def without_derivative(operand: Any, what: str) -> Any:
    """Return an operand by which nothing is known to be differentiated: a gradient is refused.

    Raises:
        NotImplementedError: It has a tangent.
    """
    if not isinstance(operand, TensorBase):
        return operand
    error = NotImplementedError(f"the derivative for '{what}' is not implemented.")
    if mode.levels and has_tangents((operand,)):
        raise error
    inputs = edges((operand,))
    return operand if inputs is None else refusing(operand, inputs, error)


class _Refusal:
    """The rule of what may not be differentiated."""

    op = Named("torch::autograd::Error")
    always = True
    outputs = 1

    def __init__(self, needs: tuple[bool, ...], error: Exception):
        self.needs = needs
        self.error = error

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Refuse.

        Raises:
            Exception: Always.
        """
        raise type(self.error)(*self.error.args)

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the refusal for some of these inputs."""
        return _Refusal(needs, self.error)

"""How a walk finds the call of the forward that made a backward fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gpugrad import errors
from gpugrad.backend.batched import all_of
from gpugrad.graph import Node, Rule, TensorBase, below, mode


class _Checked:
    """A rule whose errors tell where the call was recorded, and whose gradients must not be nan."""

    __slots__ = ("always", "needs", "op", "outputs", "rule")

    def __init__(self, rule: Rule):
        self.rule = rule
        self.op, self.needs, self.outputs = rule.op, rule.needs, rule.outputs
        self.always = rule.always

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Return what the rule gives."""
        outer, mode.node = mode.node, node
        try:
            grads = self.rule.backward(node, g)
            if mode.check_nan:
                _check(node, grads)
        except Exception as error:
            error.add_note(_story(node, g if g.__class__ is list else [g]))
            raise
        finally:
            mode.node = outer
        return grads

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule for some of these inputs, checked."""
        return _Checked(self.rule.narrowed(needs))


def checked(
    edges: Iterable[Any], rules: Mapping[float, Rule | None] | None
) -> dict[float, Rule | None]:
    """Return the rules of a walk from these edges, or all nodes' own, checked."""
    if rules is None:
        rules = {sequence: node.rule for sequence, node in below(edges).items()}
    return {k: None if rule is None else _Checked(rule) for k, rule in rules.items()}


def _array(grad: Any) -> Any:
    return grad._array if isinstance(grad, TensorBase) else grad


def _check(node: Node, grads: Sequence[Any]) -> None:
    for k, grad in enumerate(grads):
        if grad is not None:
            array = _array(grad)
            whole = all_of(array)
            if bool((whole != whole).any()):  # nan alone differs from itself
                raise RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {k}th output."
                )


def _story(node: Node, grads: Sequence[Any]) -> str:
    """Return where a node was recorded, and for a gradient of a gradient where that was."""
    shapes = ", ".join("none" if g is None else errors.size(_array(g).shape) for g in grads)
    text = f"Error detected in {node.name()}, which received gradients of shape {shapes}. "
    found: Node | None = node
    words = "Traceback of forward call that caused the error:"
    while found is not None:
        lines = found.metadata.get("traceback_")
        if lines is None:
            return text + (
                f"No forward pass information of {found.name()} is available. Enable anomaly "
                "detection during the forward pass for more information."
            )
        text += f"{words}\n{''.join(lines)}"
        found = found.metadata.get("parent_")
        if found is not None:
            words = f"It was made in the backward of {found.name()}, whose forward call was:"
    return text.rstrip()

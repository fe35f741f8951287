"""PyTorch's attributes of a node: what the call saved, under the names of its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpugrad.graph import Node
from gpugrad.op.saved import unpack, wrap

_PREFIX = "_saved_"
_NAMES = {"input": "self", "out": "result"}  # as PyTorch's formulas call them


def missing(node: Node, name: str) -> AttributeError:
    """Return the error for an attribute that a node does not have."""
    return AttributeError(f"'{node.name()}' object has no attribute '{name}'")


class Named:
    """What stands for an operation where a node has nothing but a name."""

    def __init__(self, name: str):
        self.name = name

    def attribute(self, node: Node, name: str) -> Any:
        """Return no attribute.

        Raises:
            AttributeError: Always.
        """
        raise missing(node, name)


def saved_value(node: Node, name: str, arguments: Sequence[str | None], inputs: int) -> Any:
    """Return the saved value of a node that ``name`` stands for, ``None`` where it was not needed.

    ``arguments`` are the names of what a call may save, first those of the ``inputs``; ``None``
    stands for what no call of the operation saves.

    Raises:
        AttributeError: Nothing of this name is saved.
        RuntimeError: The values were freed, or written in place since.
    """
    for k, argument in enumerate(arguments):
        if argument is not None and name == _PREFIX + _NAMES.get(argument, argument):
            values = unpack(node, inputs)
            value = values[k] if values else None
            if isinstance(value, np.generic):  # PyTorch's powers have numbers, its factors tensors
                return value.item() if node.name().startswith("Pow") else wrap(value)
            return value
    raise missing(node, name)

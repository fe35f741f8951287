"""PyTorch's attributes of a node: what the call saved, under the names of its arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpugrad.graph import Node
from gpugrad.op.saved import wrap

SAVED, RAW = "_saved_", "_raw_saved_"
_NAMES = {"input": "self", "out": "result"}  # as PyTorch's formulas call them

# Those that are numbers to PyTorch; other numbers among the operands it keeps as tensors.
_NUMBERS = {"_saved_alpha", "_saved_exponent", "_saved_min", "_saved_max"}

# Which inputs of a call have an edge in PyTorch, where not all have: others are always numbers, or
# conditions.
_EDGES = {
    "AddBackward0": (0, 1),
    "ClampBackward1": (0,),
    "IndexFillBackward0": (0,),
    "MaskedFillBackward0": (0,),
    "PowBackward2": (1,),
    "RsubBackward1": (1,),
    "ScatterBackward1": (0,),
    "SubBackward0": (0, 1),
    "WhereBackward0": (1, 2),
}

# What nodes know besides, by PyTorch's names: a parameter, or a property of the first input.
_REDUCED = {"dim": "axes", "keepdim": "keepdims"}
_SIZED = {"self_sym_sizes": "input shape"}
_FACTS: dict[str, dict[str, str]] = {
    "AmaxBackward0": _REDUCED,
    "AminBackward0": _REDUCED,
    "CatBackward0": {"dim": "axis"},
    "DiagonalBackward0": {"offset": "offset", "dim1": "first", "dim2": "second", **_SIZED},
    "ExpandBackward0": _SIZED,
    "FlipBackward0": {"dims": "axes"},
    "IndexBackward0": {"indices": "index", **_SIZED},
    "LinalgVectorNormBackward0": {**_REDUCED, "ord": "order"},
    "LogsumexpBackward0": _REDUCED,
    "MaxBackward0": {"dim": "axis", "keepdim": "keepdims", **_SIZED},
    "MeanBackward0": {**_SIZED, "self_sym_numel": "input size"},
    "MeanBackward1": {**_REDUCED, **_SIZED, "self_sym_numel": "input size"},
    "MinBackward0": {"dim": "axis", "keepdim": "keepdims", **_SIZED},
    "PermuteBackward0": {"dims": "axes"},
    "ProdBackward1": {"dim": "axes", "keepdim": "keepdims"},
    "SelectBackward0": {"dim": "axis", "index": "index", **_SIZED},
    "SliceBackward0": _SIZED,
    "SplitBackward0": {"dim": "axis", **_SIZED},
    "SplitWithSizesBackward0": {"dim": "axis", "split_sizes": "sizes", **_SIZED},
    "SqueezeBackward0": _SIZED,
    "SqueezeBackward1": {"dim": "axes", **_SIZED},
    "SqueezeBackward2": {"dim": "axes", **_SIZED},
    "StackBackward0": {"dim": "axis"},
    "StdBackward0": _REDUCED,
    "SumBackward0": _SIZED,
    "SumBackward1": {**_REDUCED, **_SIZED},
    "TransposeBackward0": {"dim0": "first", "dim1": "second"},
    "UnbindBackward0": {"dim": "axis"},
    "UnfoldBackward0": {"dimension": "axis", "size": "length", "step": "step", **_SIZED},
    "UnsafeViewBackward0": _SIZED,
    "UnsqueezeBackward0": {"dim": "axis"},
    "VarBackward0": _REDUCED,
    "ViewBackward0": _SIZED,
}
_ONE_DIMENSION = {"ProdBackward1", "SqueezeBackward1"}  # which they name without a tuple


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

    def saved_names(self, node: Node) -> Sequence[str | None]:
        """Return that no values are saved."""
        return ()

    def facts(self, node: Node) -> Mapping[str, Any]:
        """Return that nothing is known."""
        return {}


def pytorchs(names: Sequence[str | None]) -> list[str | None]:
    """Return PyTorch's names of attributes for saved arguments and results."""
    return [None if name is None else SAVED + _NAMES.get(name, name) for name in names]


def place_of(node: Node, name: str) -> int | None:
    """Return which of the values that a node saved has this name, ``None`` where none has."""
    names = node.rule.op.saved_names(node)
    return names.index(name) if name in names else None


def attributes_of(node: Node) -> list[str]:
    """Return the names of all that a node knows of its call."""
    saved = [name for name in node.rule.op.saved_names(node) if name is not None]
    raw = [name.replace(SAVED, RAW, 1) for name in saved]
    return [*saved, *raw, *node.rule.op.facts(node)]


def attribute(node: Node, name: str) -> Any:
    """Return what a node saved, or knows besides, under a name; ``None`` where it was not needed.

    Raises:
        AttributeError: Nothing of this name is saved.
        RuntimeError: The values were freed, or written in place since.
    """
    op = node.rule.op
    place = place_of(node, name)
    if place is None:
        facts = op.facts(node)
        if name not in facts:
            raise missing(node, name)
        return facts[name]
    values = op.unpacked(node)
    value = values[place] if values else None
    if not isinstance(value, np.generic):
        return value
    if name not in _NUMBERS and not node.name().startswith("Pow"):
        return wrap(value)
    number = value.item()
    whole = isinstance(number, float) and number.is_integer()
    return int(number) if whole else number


def edges_of(node: Node) -> Sequence[int]:
    """Return which inputs of a node have an edge that is shown, and a gradient for hooks."""
    return _EDGES.get(node.name()) or range(len(node.inputs))


def facts_of(node: Node) -> dict[str, Any]:
    """Return what the node of a call knows besides what it saved."""
    likes, _, params = node.params
    shape = tuple(likes[0][0])
    known = {**params, "input shape": shape, "input size": math.prod(shape)}
    facts = {name: known[own] for name, own in _FACTS.get(node.name(), {}).items() if own in known}
    if node.name() in _ONE_DIMENSION and len(facts["dim"]) == 1:
        facts["dim"] = facts["dim"][0]
    if "indices" in facts:  # PyTorch has tensors
        facts["indices"] = tuple([wrap(i) if hasattr(i, "dtype") else i for i in facts["indices"]])
    return {SAVED + name: value for name, value in facts.items()}

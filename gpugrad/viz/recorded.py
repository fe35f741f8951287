"""A recorded graph as boxes and arrows: what is to be drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpugrad.backend.batched import all_of
from gpugrad.graph import (
    LEAF,
    Node,
    Output,
    SavedOutput,
    TensorBase,
    below,
    edge_of,
    leads_nowhere,
    place_of,
)
from gpugrad.op.history import Placed
from gpugrad.op.inventory import line_of, saved_arrays, size
from gpugrad.op.observed import title
from gpugrad.viz.picture import sample, short

FEW = 4  # numbers that are written out


@dataclass
class Box:
    """What is drawn of a leaf, of a call or of a result.

    Attributes:
        kind: ``"leaf"``, ``"call"`` or ``"result"``.
        title: The name.
        lines: What is written below it.
        tags: ``"view"``, ``"in place"``, ``"freed"``.
        value: The array that it has or computed, if it is known.
        grad: The gradient of that, if there is one.
    """

    kind: str
    title: str
    lines: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    value: Any = None
    grad: Any = None


@dataclass
class Recorded:
    """Boxes by number, and arrows from lower numbers to higher ones, each with a label.

    ``number`` has the box of each leaf and node, by their identities.
    """

    boxes: dict[int, Box] = field(default_factory=dict)
    arrows: list[tuple[int, int, str]] = field(default_factory=list)
    number: dict[int, int] = field(default_factory=dict)


def described(array: Any) -> str:
    """Return the numbers of an array where they are few, and its type and shape otherwise."""
    array = all_of(array)
    shape = ", ".join(map(str, array.shape))
    if not array.size or array.size > FEW or array.ndim > 1:
        return f"{array.dtype.name}[{shape}]"
    found = sample(array)
    if found.magnitudes:
        return f"{array.dtype.name}[{shape}]"
    numbers = ", ".join(map(short, found.values.reshape(-1).tolist()))
    return f"[{numbers}]" if array.ndim else numbers


def names_of_leaves(params: Mapping[str, Any] | None) -> dict[int, str]:
    """Return the names of tensors, by their identity.

    Raises:
        TypeError: One is no tensor.
    """
    for name, tensor in (params or {}).items():
        if not isinstance(tensor, TensorBase):
            raise TypeError(f"params: {name!r} is no tensor, but {type(tensor).__name__}")
    return {id(t): name for name, t in (params or {}).items()}


def collected(roots: Mapping[str, Any], params: Mapping[str, Any] | None) -> Recorded:
    """Return the graph below some tensors, which are given by their names."""
    names = names_of_leaves(params)
    edges = {name: edge_of(t) for name, t in roots.items()}
    starts = [e for e in edges.values() if e is not None]
    nodes = [n for _, n in sorted(below(starts).items()) if not leads_nowhere(n)]
    leaves: dict[int, TensorBase] = {}
    for edge in [*(e for n in nodes for e in n.inputs), *starts]:
        if isinstance(edge, TensorBase):
            leaves.setdefault(id(edge), edge)
    found = Recorded()
    number = found.number
    for k, leaf in enumerate(leaves.values()):
        number[id(leaf)] = k
        name = names.get(id(leaf), "a leaf")
        found.boxes[k] = _of_tensor("leaf", name, leaf)
    known = _known([*nodes], [*roots.values()])
    for node in nodes:
        number[id(node)] = k = len(found.boxes)
        found.boxes[k] = _of_call(node, known)
        for j, edge in enumerate(node.inputs):
            _arrow(found, number, edge, k, argument(node, j))
    for name, tensor in roots.items():
        edge = edges[name]
        if isinstance(edge, TensorBase) or edge is None:
            if edge is None:
                found.boxes[len(found.boxes)] = _of_tensor("result", name, tensor)
            continue
        k = len(found.boxes)
        found.boxes[k] = _of_tensor("result", names.get(id(tensor), name), tensor)
        _arrow(found, number, edge, k, "")
    return found


def _arrow(found: Recorded, number: Mapping[int, int], edge: Any, to: int, label: str) -> None:
    if edge is None:
        return
    node = edge.node if isinstance(edge, Output) else edge
    if id(node) in number:
        if isinstance(edge, Output):
            label = f"output {edge.index}" + (f" as {label}" if label else "")
        start = number[id(node)]
        for k in range(len(found.arrows) - 1, -1, -1):  # x * x has one arrow
            a, b, known = found.arrows[k]
            if b != to:
                break
            if a == start:
                found.arrows[k] = (a, b, f"{known}, {label}" if known else label)
                return
        found.arrows.append((start, to, label))


def argument(node: Node, place: int) -> str:
    """Return what an operation calls an input, where it has several."""
    if sum(e is not None for e in node.inputs) < 2:
        return ""
    names = inputs_of(node.rule.op)
    return names[place] if place < len(names) else ""


def inputs_of(op: Any) -> tuple[str, ...]:
    """Return what an operation calls its inputs, as far as it does."""
    formula = getattr(op, "formula", None)
    if formula is not None:
        return tuple([str(v.value) for v in formula.inputs])
    return tuple(getattr(op, "input_names", ()))


def called(node: Node) -> str:
    """Return the name of the operation that a node is of."""
    name = node.name().split("::")[-1]
    if name == "CopySlices":
        return name
    return title(name.removesuffix("s") + "0") if name.endswith("Backwards") else title(name)


def _known(nodes: list[Node], tensors: list[Any]) -> dict[tuple[int, int], Any]:
    found: dict[tuple[int, int], Any] = {}
    for node in nodes:
        saved = tuple(node.saved or ())
        for k, value in enumerate(saved):
            if isinstance(value, SavedOutput):
                index = k - (len(saved) - node.outputs)
                place = (id(node), max(index, 0)) if node.outputs > 1 else (id(node), 0)
                found.setdefault(place, value.array)
            elif isinstance(value, TensorBase) and isinstance(value._edge, Node | Output):
                found[place_of(value._edge)] = value
    for t in tensors:
        if isinstance(t._edge, Node | Output):
            found[place_of(t._edge)] = t
    return found


def _of_tensor(kind: str, name: str, tensor: TensorBase) -> Box:
    array = all_of(tensor._array)
    box = Box(kind, name, [described(array)], value=array)
    if array.size <= FEW and array.ndim <= 1:
        box.lines[0] = f"{array.dtype.name} {described(array)}"
    counter = tensor._counter
    if counter is not None and counter.value > 0:
        times = "once" if counter.value == 1 else f"{counter.value} times"
        box.tags.append(f"written in place {times}")
    if tensor._view is not None:
        box.tags.append("view")
    if isinstance(tensor._grad, TensorBase):
        box.grad = all_of(tensor._grad._array)
        box.lines.append(f"grad {described(box.grad)}")
    elif kind == "leaf" and tensor._edge is LEAF:
        box.lines.append("grad None")
    return box


def _of_call(node: Node, known: Mapping[tuple[int, int], Any]) -> Box:
    name = node.name().split("::")[-1]
    box = Box("call", called(node))
    for index in range(node.outputs):
        value = known.get((id(node), index))
        if value is None:
            continue
        grad = getattr(value, "_grad", None)
        array = value._array if isinstance(value, TensorBase) else value
        if index == 0:
            box.value = all_of(array)
        label = f"output {index}" if node.outputs > 1 else "="
        box.lines.append(f"{label} {described(array)}")
        if isinstance(grad, TensorBase):
            box.grad = all_of(grad._array)
            box.lines.append(f"grad {described(box.grad)}")
    if node.saved is None:
        box.tags.append("freed")
    for label, array, _ in saved_arrays(node):
        box.lines.append(f"saved {label or 'value'} {described(array)}, {size(array.nbytes)}")
    if isinstance(node.rule, Placed) or name == "CopySlices":
        box.tags.append("in place")
    elif getattr(node.rule.op, "view", False):
        box.tags.append("view")
    line = line_of(node)
    if line:
        box.lines.append("at " + line.rsplit("/", 1)[-1].rsplit("\\", 1)[-1])
    return box

"""The recorded graph: nodes, the grad mode, and the backward walk.

Nothing here knows an array library or an operation.
A tensor carries an edge: ``None`` (needs no gradient), :data:`LEAF` (is one), the node that made
it, or one output of a node that has several.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

Array = Any  # numpy.ndarray, numpy.generic or cupy.ndarray


class TensorBase:
    """What the engine needs of a tensor: its array, its place in the graph, its gradient."""

    __slots__ = ("__weakref__", "_array", "_counter", "_edge", "_grad", "_tangents", "_view")

    _array: Array
    _edge: Edge | _Leaf | None
    _grad: TensorBase | None
    _counter: Counter | None  # None: never written in place, and shared with no other tensor
    _view: View | None
    _tangents: dict[int, TensorBase]  # of dual tensors only: by the level of forward mode


class Counter:
    """How often the memory behind some tensors was written in place; they share one counter."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class SavedOutput(Counter):
    """The array of an output that its own node saved, and the counter of the writes to it.

    The node must not keep its own output alive (that would be a cycle), only its memory.
    """

    __slots__ = ("array", "tangents")

    array: Array
    tangents: dict[int, TensorBase]  # of the output of an operation on dual tensors only


class View:
    """That a tensor was made as a view: of which base, and of which history of it."""

    __slots__ = ("base", "edge", "multiple", "recorded")

    def __init__(self, base: TensorBase, multiple: str, recorded: bool):
        self.base = base
        self.edge = base._edge
        self.multiple = multiple  # the name of the operation that returned several views, or ""
        self.recorded = recorded


class _Leaf:
    """The edge of a tensor that requires grad and was not computed."""

    def __repr__(self) -> str:
        return "LEAF"


LEAF = _Leaf()


class Output:
    """One output of a node that has several; a node by itself stands for its output 0."""

    __slots__ = ("index", "node")

    def __init__(self, node: Node, index: int):
        self.node = node
        self.index = index


class Rule(Protocol):
    """How the gradients of an operation's calls are computed, for the inputs in ``needs``."""

    op: Any
    needs: tuple[bool, ...]
    outputs: int
    # backward(node, g) -> the gradient of each input that ``needs`` marks.  ``g`` is the gradient
    # of the one output, or a list with that of each of several, ``None`` where none arrived.
    # Gradients are tensors where they are recorded, and arrays where they are not.
    backward: Callable[[Node, Any], Sequence[Any]]

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule for some of these inputs."""


class Node:
    """One recorded call of an operation.

    ``inputs`` holds an edge for each input (a leaf tensor itself stands for its accumulation),
    ``saved`` what the backward formula reads, ``params`` what else the operation must know.
    """

    __slots__ = (
        "__weakref__", "hooks", "inputs", "params", "rule", "saved", "sequence", "versions",
    )  # fmt: skip

    rule: Rule
    inputs: tuple[Node | Output | TensorBase | None, ...]
    params: Any
    saved: tuple[Any, ...] | None
    sequence: int
    versions: tuple[int, ...] | None
    hooks: list[Callable[[Sequence[TensorBase | None]], None]] | None

    @property
    def op(self) -> Any:
        """The operation that was called."""
        return self.rule.op

    @property
    def outputs(self) -> int:
        """How many outputs the call had."""
        return self.rule.outputs

    def release(self) -> None:
        """Forget the saved values; nothing happens where there are none."""
        if self.saved:
            self.saved = None

    def name(self) -> str:
        """Return PyTorch's name of the operation's backward, as in ``MulBackward0``."""
        return self.rule.op.name

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """Return, for each input, the node that made it and which of its outputs it was."""
        return tuple(map(_function_of, self.inputs))

    def __repr__(self) -> str:
        return f"<{self.rule.op.name} object at {id(self):#x}>"


Edge = Node | Output


class AccumulateGrad:
    """Where a gradient ends: the addition to the ``.grad`` of a leaf (its ``variable``)."""

    __slots__ = ("variable",)

    def __init__(self, variable: TensorBase):
        self.variable = variable

    def name(self) -> str:
        """Return PyTorch's name of this function."""
        return "torch::autograd::AccumulateGrad"

    @property
    def next_functions(self) -> tuple[()]:
        """Return nothing: this is an end of the graph."""
        return ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash((AccumulateGrad, id(self.variable)))

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def _function_of(
    edge: Node | Output | TensorBase | None,
) -> tuple[Node | AccumulateGrad | None, int]:
    if isinstance(edge, Output):
        return edge.node, edge.index
    if isinstance(edge, TensorBase):
        return AccumulateGrad(edge), 0
    return edge, 0


# --------------------------------------------------------------------------- recording


class _Mode(threading.local):
    """Whether this thread records what it computes, and its levels of forward mode."""

    enabled = True
    levels: tuple[int, ...] = ()  # ascending: an inner level has the larger number


mode = _Mode()


@contextmanager
def recording(enabled: bool) -> Iterator[None]:
    """Record, or do not, while the block runs."""
    before = mode.enabled
    mode.enabled = enabled
    try:
        yield
    finally:
        mode.enabled = before


next_sequence = itertools.count().__next__  # one call: threads never share a number


def edge_of(tensor: TensorBase) -> Node | Output | TensorBase | None:
    """Return where a gradient of ``tensor`` is to be delivered."""
    edge = tensor._edge
    return tensor if edge is LEAF else edge  # type: ignore[return-value]


def record(
    rule: Rule,
    inputs: tuple[Node | Output | TensorBase | None, ...],
    saved: tuple[Any, ...],
    versions: tuple[int, ...] | None,
    params: Any,
) -> Node:
    """Return a new node; ``inputs`` are edges."""
    node = Node.__new__(Node)
    node.rule = rule
    node.inputs = inputs
    node.saved = saved
    node.versions = versions
    node.params = params
    node.hooks = None
    node.sequence = next_sequence()
    return node


# --------------------------------------------------------------------------- the walk

Target = Node | Output | TensorBase


class Terms:
    """Gradients that met at one tensor: what is still to be added up."""

    __slots__ = ("added", "grads")

    def __init__(self, grad: Any):
        self.grads = [grad]
        self.added = False  # whether the first of them is a sum, in memory of the walk's own


class Captured:
    """The gradients of wanted tensors, caught on their way instead of being accumulated."""

    def __init__(self, wanted: Sequence[TensorBase]):
        self.wanted = wanted
        self.edges = [edge_of(t) for t in wanted]
        self.keys = [_key(edge) for edge in self.edges]
        self.grads: dict[tuple[int, int], Any] = {}

    def catch(self, node: Node, grads: Sequence[Any]) -> None:
        """Keep the complete gradients of a node's outputs that are wanted."""
        for index, grad in enumerate(grads):
            if grad is not None and (id(node), index) in self.keys:
                self.grads[id(node), index] = grad

    def results(self, leaves: dict[TensorBase, Any]) -> list[Any]:
        """Return the gradient of each wanted tensor, ``None`` where none arrived."""
        return [
            leaves.get(edge) if isinstance(edge, TensorBase) else self.grads.get(key)
            for edge, key in zip(self.edges, self.keys, strict=True)
        ]


def _key(edge: Target | None) -> tuple[int, int]:
    return (id(edge.node), edge.index) if isinstance(edge, Output) else (id(edge), 0)


class Pending:
    """Gradients on their way: to nodes that have not run, and to leaves.

    The arithmetic of gradients is left to a subclass that knows arrays.
    """

    __slots__ = ("leaves", "nodes", "order", "unfinished")

    def __init__(self) -> None:
        self.leaves: dict[TensorBase, Any] = {}
        self.nodes: dict[int, tuple[Node, Any]] = {}  # by their sequence number
        self.order: list[int] = []  # a heap of the negative sequence numbers
        self.unfinished: Sequence[Any] = ()  # edges to which an error left gradients undelivered

    def meet(self, total: Any, grad: Any) -> Any:
        """Return the sum of two gradients, or its terms; ``total`` may be terms already."""
        raise NotImplementedError

    def total(self, terms: Terms) -> Any:
        """Return the sum of all terms."""
        raise NotImplementedError

    def call(self, hook: Callable[[Sequence[Any]], None], grads: Sequence[Any]) -> None:
        """Call a user's function with the gradients as tensors."""
        raise NotImplementedError

    def deliver(self, edge: Target, grad: Any) -> None:
        """Take ``grad`` to the node or leaf behind ``edge``, adding to what is there."""
        if isinstance(edge, TensorBase):
            before = self.leaves.get(edge)
            self.leaves[edge] = grad if before is None else self.meet(before, grad)
        elif isinstance(edge, Output):
            self._to_output(edge.node, edge.index, grad)
        else:
            before = self.nodes.get(edge.sequence)
            self.put(edge, grad if before is None else self.meet(before[1], grad))

    def _to_output(self, node: Node, index: int, grad: Any) -> None:
        before = self.nodes.get(node.sequence)
        grads = [None] * node.outputs if before is None else before[1]
        grads[index] = grad if grads[index] is None else self.meet(grads[index], grad)
        self.put(node, grads)

    def put(self, node: Node, grad: Any) -> None:
        """Let a node wait with what it has received so far."""
        if node.sequence not in self.nodes:
            heapq.heappush(self.order, -node.sequence)
        self.nodes[node.sequence] = node, grad

    def youngest(self) -> tuple[Node, Any]:
        """Take out the node that was recorded last: all who use it have run."""
        return self.nodes.pop(-heapq.heappop(self.order))

    def complete(self) -> dict[TensorBase, Any]:
        """Return the leaves that no node which has not run leads to, with their gradients."""
        edges = [*self.unfinished, *(node for node, _ in self.nodes.values())]
        ends = {id(e) for n in below(edges).values() for e in n.inputs} | set(map(id, edges))
        return {t: self.settled(g) for t, g in self.leaves.items() if id(t) not in ends}

    def settled(self, grad: Any) -> Any:
        """Return a gradient, or those of several outputs, with the terms added up."""
        if grad.__class__ is Terms:
            return self.total(grad)
        if grad.__class__ is list:
            return [self.settled(g) for g in grad]
        return grad


def walk(
    edges: Sequence[Any],
    grads: Sequence[Any],
    pending: Pending,
    keep: bool,
    captured: Captured | None = None,
) -> None:
    """Carry gradients from the edges down to ``pending.leaves``, the youngest node first.

    Every user of a node is younger than the node, so a node that is taken out has received all
    that it will: no recursion, no topological sort, any number of roots.  A node that waits alone
    is not queued: ``node`` and ``g`` hold it while the others receive.
    ``keep`` leaves the saved values in place for another walk.
    """
    waiting, order = pending.nodes, pending.order
    needed: Any = None if captured is None else _needed(edges, captured)
    node: Any = None
    g: Any = None
    try:
        while True:
            for edge, grad in zip(edges, grads):  # noqa: B905  to be strict costs as much again
                if grad is None:
                    continue
                if edge.__class__ is not Node:
                    if edge is not None:
                        pending.deliver(edge, grad)
                elif edge is node:
                    g = pending.meet(g, grad)
                elif node is None and edge.sequence not in waiting:
                    node, g = edge, grad
                else:
                    pending.deliver(edge, grad)
            edges = ()
            if order and (node is None or order[0] < -node.sequence):
                if node is not None:
                    pending.put(node, g)
                node, g = pending.youngest()
            elif node is None:
                return
            if g.__class__ is Terms or g.__class__ is list:
                g = pending.settled(g)
            if node.hooks is not None:
                for hook in node.hooks:
                    pending.call(hook, g if g.__class__ is list else [g])
            rule = node.rule
            if captured is not None:
                captured.catch(node, g if g.__class__ is list else [g])
                rule = needed[node.sequence]
            if rule is not None:
                grads = rule.backward(node, g)
                if not keep and node.saved:
                    node.saved = None
                edges = node.inputs
            node = None
    except BaseException:
        pending.unfinished = [node, *edges]
        raise


def _needed(edges: Sequence[Target], captured: Captured) -> dict[int, Rule | None]:
    """Return each node's rule for the inputs that lead to a wanted tensor; ``None`` for no such.

    The nodes are those below the edges, given by their sequence numbers.
    """
    nodes = below(edges)
    reached = {key[0] for key in captured.keys}
    rules: dict[int, Rule | None] = {}
    for sequence in sorted(nodes):  # inputs before their users
        node = nodes[sequence]
        needs = tuple(
            [
                edge is not None and id(edge.node if edge.__class__ is Output else edge) in reached
                for edge in node.inputs
            ]
        )
        if True in needs:
            reached.add(id(node))
            rules[sequence] = node.rule if needs == node.rule.needs else node.rule.narrowed(needs)
        else:
            rules[sequence] = None
    return rules


def below(edges: Iterable[Any]) -> dict[int, Node]:
    """Return the nodes that a walk from these edges runs, by their sequence numbers."""
    nodes: dict[int, Node] = {}
    stack = list(edges)
    while stack:
        edge = stack.pop()
        if edge.__class__ is Output:
            edge = edge.node
        if edge.__class__ is Node and edge.sequence not in nodes:
            nodes[edge.sequence] = edge
            stack.extend(edge.inputs)
    return nodes


def retain(node: Node, index: int, tensor: TensorBase) -> None:
    """Have every walk put the gradient of a node's output into the ``.grad`` of its tensor."""
    node.hooks = [*(node.hooks or []), _Retain(index, weakref.ref(tensor))]


class _Retain:
    """The hook that ``retain_grad`` puts on a node; it must not keep the node's output alive."""

    __slots__ = ("index", "owner")

    def __init__(self, index: int, owner: weakref.ref[TensorBase]):
        self.index = index
        self.owner = owner

    def __call__(self, grads: Sequence[TensorBase | None]) -> None:
        tensor, grad = self.owner(), cast("Any", grads[self.index])
        if tensor is not None and grad is not None:
            # out of place, and in memory of its own: what arrived goes on to others
            tensor._grad = grad.clone() if tensor._grad is None else tensor._grad + grad

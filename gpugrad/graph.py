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

    __slots__ = ("__weakref__", "_array", "_counter", "_edge", "_grad", "_view")

    _array: Array
    _edge: Edge | _Leaf | None
    _grad: TensorBase | None
    _counter: Counter | None  # None: never written in place, and shared with no other tensor
    _view: View | None


class Counter:
    """How often the memory behind some tensors was written in place; they share one counter."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


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
    """What a node needs of the operation that made it."""

    name: str

    def backward(
        self, node: Node, grads: Sequence[TensorBase | None], needs: Sequence[bool]
    ) -> Sequence[TensorBase | None]:
        """Return the gradient of each input that ``needs`` marks."""


class Node:
    """One recorded call of an operation.

    ``inputs`` holds an edge for each input (a leaf tensor itself stands for its accumulation),
    ``saved`` what the backward formula reads, ``params`` what else the operation must know.
    """

    __slots__ = (
        "__weakref__", "hooks", "inputs", "needs", "op", "outputs", "params", "saved", "sequence",
        "versions",
    )  # fmt: skip

    op: Rule
    inputs: tuple[Node | Output | TensorBase | None, ...]
    needs: tuple[bool, ...]
    outputs: int
    params: Any
    saved: tuple[Any, ...] | None
    sequence: int
    versions: tuple[int, ...] | None
    hooks: list[Callable[[Sequence[TensorBase | None]], None]] | None

    def release(self) -> None:
        """Forget the saved values; nothing happens where there are none."""
        if self.saved:
            self.saved = None

    def name(self) -> str:
        """Return PyTorch's name of the operation's backward, as in ``MulBackward0``."""
        return self.op.name

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """Return, for each input, the node that made it and which of its outputs it was."""
        return tuple(map(_function_of, self.inputs))

    def __repr__(self) -> str:
        return f"<{self.op.name} object at {id(self):#x}>"


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
    """Whether this thread records what it computes."""

    enabled = True


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
    op: Rule,
    inputs: tuple[Node | Output | TensorBase | None, ...],
    saved: tuple[Any, ...],
    versions: tuple[int, ...] | None,
    params: Any,
    outputs: int = 1,
) -> Node:
    """Return a new node; ``inputs`` are edges."""
    node = Node.__new__(Node)
    node.op = op
    node.inputs = inputs
    node.needs = tuple([edge is not None for edge in inputs])
    node.saved = saved
    node.versions = versions
    node.params = params
    node.outputs = outputs
    node.hooks = None
    node.sequence = next_sequence()
    return node


# --------------------------------------------------------------------------- the walk

Target = Node | Output | TensorBase


class Engine(Protocol):
    """The arithmetic of gradients, which the walk leaves to whoever knows arrays."""

    def add(self, total: Any, grad: Any, owned: bool) -> Any:
        """Return the sum of two gradients, in the memory of the first if it is ``owned``."""

    def accumulate(self, leaf: Any, grad: Any, fresh: bool) -> None:
        """Add to the ``.grad`` of a leaf; a ``fresh`` gradient's memory may be kept."""


class Captured:
    """The gradients of wanted tensors, caught on their way instead of being accumulated."""

    def __init__(self, wanted: Sequence[TensorBase]):
        self.edges = [edge_of(t) for t in wanted]
        self.keys = [_key(edge) for edge in self.edges]
        self.grads: dict[tuple[int, int], Any] = {}

    def catch(self, node: Node, grads: Sequence[TensorBase | None]) -> None:
        """Keep the complete gradients of a node's outputs that are wanted."""
        for index, grad in enumerate(grads):
            if grad is not None and (id(node), index) in self.keys:
                self.grads[id(node), index] = grad

    def results(self) -> list[Any]:
        """Return the gradient of each wanted tensor, ``None`` where none arrived."""
        return [self.grads.get(key) for key in self.keys]


def _key(edge: Target | None) -> tuple[int, int]:
    return (id(edge.node), edge.index) if isinstance(edge, Output) else (id(edge), 0)


class _Pending:
    """Gradients on their way: to nodes that have not run, and to leaves."""

    __slots__ = ("captured", "engine", "grads", "heap", "reached")

    def __init__(self, engine: Engine, captured: Captured | None, reached: set[int] | None):
        self.engine = engine
        self.captured = captured
        self.reached = reached  # ids of the nodes that lead to a wanted tensor; None: all do
        self.grads: dict[Node, list[Any]] = {}  # per output: the sum so far, and whether it is ours
        self.heap: list[tuple[int, Node]] = []

    def deliver(self, edge: Any, grad: TensorBase, fresh: bool) -> None:
        """Take ``grad`` to the node or leaf behind ``edge``, adding to what is there."""
        if edge.__class__ is Node:
            node, at = edge, 0
        elif edge.__class__ is Output:
            node, at = edge.node, 2 * edge.index
        else:
            self._to_leaf(edge, grad, fresh)
            return
        slots = self.grads.get(node)
        if slots is None:
            if self.reached is not None and id(node) not in self.reached:
                return
            slots = self.grads[node] = [None, False] * node.outputs
            heapq.heappush(self.heap, (-node.sequence, node))
        if slots[at] is None:
            slots[at], slots[at + 1] = grad, fresh
        else:
            slots[at] = self.engine.add(slots[at], grad, slots[at + 1])
            slots[at + 1] = True

    def _to_leaf(self, leaf: TensorBase, grad: TensorBase, fresh: bool) -> None:
        captured = self.captured
        if captured is None:
            self.engine.accumulate(leaf, grad, fresh)
            return
        key = (id(leaf), 0)
        if key in captured.keys:
            before = captured.grads.get(key)
            captured.grads[key] = grad if before is None else self.engine.add(before, grad, False)

    def youngest(self) -> tuple[Node, Sequence[Any]]:
        """Take out the node that was recorded last: all who use it have run."""
        node = heapq.heappop(self.heap)[1]
        return node, self.grads.pop(node)[::2]

    def needs(self, node: Node) -> tuple[bool, ...]:
        """Tell for which of its inputs a node must compute a gradient."""
        reached = self.reached
        if reached is None:
            return node.needs
        return tuple([e is not None and _key(e)[0] in reached for e in node.inputs])


def walk(
    roots: Iterable[tuple[Target, TensorBase]],
    engine: Engine,
    keep: bool,
    captured: Captured | None = None,
) -> None:
    """Carry gradients from the roots to the leaves, the youngest node first.

    Every user of a node is younger than the node, so a node that is taken out has received all
    that it will: no recursion, no topological sort, any number of roots.
    ``keep`` leaves the saved values in place for another walk.
    """
    roots = list(roots)
    pending = _Pending(engine, captured, _reaching(roots, captured))
    for edge, grad in roots:
        pending.deliver(edge, grad, False)
    while pending.heap:
        node, grads = pending.youngest()
        if node.hooks is not None:
            for hook in node.hooks:
                hook(grads)
        if captured is not None:
            captured.catch(node, grads)
        needs = pending.needs(node)
        if True not in needs:
            continue
        results = node.op.backward(node, grads, needs)
        if not keep:
            node.release()
        for target, result in zip(node.inputs, results, strict=True):
            if result is not None and target is not None:
                pending.deliver(target, result, _fresh(result, grads))


def _fresh(result: TensorBase, grads: Sequence[TensorBase | None]) -> bool:
    """Tell whether a gradient is memory of its own: no view, and not one that was handed on."""
    return result._array.base is None and not any(result is g for g in grads)


def _reaching(
    roots: Sequence[tuple[Target, TensorBase]], captured: Captured | None
) -> set[int] | None:
    """Return the ids of the wanted tensors' edges and of all nodes that lead to them."""
    if captured is None:
        return None
    reached = {key[0] for key in captured.keys}
    nodes: dict[int, Node] = {}
    stack: list[Target] = [edge for edge, _ in roots]
    while stack:  # every node below the roots, once
        edge = stack.pop()
        node = edge.node if isinstance(edge, Output) else edge
        if isinstance(node, Node) and id(node) not in nodes:
            nodes[id(node)] = node
            stack.extend(e for e in node.inputs if e is not None)
    for node in sorted(nodes.values(), key=lambda n: n.sequence):  # inputs before their users
        if any(edge is not None and _key(edge)[0] in reached for edge in node.inputs):
            reached.add(id(node))
    return reached


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

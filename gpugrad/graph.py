"""The recorded graph: nodes, the grad mode, and the backward walk.

Nothing here knows an array library or an operation.
A tensor carries an edge: ``None`` (needs no gradient), :data:`LEAF` (is one), the node that made
it, or one output of a node that has several.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from types import CodeType
from typing import Any, Protocol, TypeVar

from gpugrad import hooks
from gpugrad.hooks import Hook, Hooks, RemovableHandle

Array = Any  # numpy.ndarray, numpy.generic or cupy.ndarray


class TensorBase:
    """What the engine needs of a tensor: its array, its place in the graph, its gradient."""

    __slots__ = (
        "__weakref__",
        "_array",
        "_counter",
        "_edge",
        "_grad",
        "_hooks",
        "_tangents",
        "_view",
    )

    _array: Array
    _edge: Edge | _Leaf | None
    _grad: TensorBase | None
    _counter: Counter | None  # None: never written in place, and shared with no other tensor
    _view: View | None
    _hooks: Hooks  # only where a leaf has some
    _tangents: dict[int, TensorBase]  # of dual tensors only: by the level of forward mode


class Counter:
    """How often the memory behind some tensors was written in place; they share one counter.

    ``writes`` says which parts of the memory the latest writes were of.
    """

    __slots__ = ("born", "fixed", "latest", "value", "writes")

    born: float  # of memory that was made in a derivative of func's: when, as nodes have it
    fixed: str  # only where the memory may not be written in forward mode: the reason
    writes: list[Write]  # not there before the first write
    latest: Write | None  # of which the next one may be a part; None after something was saved

    def __init__(self) -> None:
        self.value = 0
        self.latest = None

    def since(self, version: int) -> list[Write] | None:
        """Return the writes after a version, ``None`` where they are not all known."""
        found, known = list[Write](), 0
        for w in reversed(getattr(self, "writes", ())):
            if w.last <= version:
                break
            found.append(w)
            known += w.last - max(w.first, version + 1) + 1
        return found[::-1] if known == self.value - version else None

    def written_since(self, version: int) -> bool:
        """Tell whether the memory was written after a version."""
        if self.value == version:
            return False
        last = getattr(self, "writes", (None,))[-1]
        if last.__class__ is Write and last.last > version:
            return True
        writes = self.since(version)
        return writes is None or any(not isinstance(w, Detachment) for w in writes)


# Of a program: its code, and the place in it.  A frame would keep all that it computed alive.
Line = tuple[CodeType, int]


class Write:
    """One or several writes in place of one array: their versions, and when and where it was."""

    __slots__ = ("__weakref__", "array", "first", "last", "line", "time")

    array: Array
    first: int
    last: int
    line: Line
    time: float  # as nodes have it: their sequence number

    MOST = 4096  # what a counter remembers; beyond that, it knows no parts
    apart = -1.0  # what was written before this time is no one write with what is written after it


class Detachment(Write):
    """That a tensor lost its history: it counts as a write, of nothing.

    What was saved of this tensor, and of no other on the memory, is then found to have changed.
    """

    __slots__ = ("tensor",)

    tensor: weakref.ref[TensorBase]


class Inference(Counter):
    """The counter of memory that was made in inference mode.

    Its value is negative, so that saving asks what it is, and with each write one less.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self.value = -1


class Following(Counter):
    """The counter of memory that follows other memory, and may not be written itself."""

    __slots__ = ()


class SavedOutput(Counter):
    """The array of an output that its own node saved, and the counter of the writes to it.

    The node must not keep its own output alive (that would be a cycle), only its memory.
    """

    __slots__ = ("array", "tangents")

    array: Array
    tangents: dict[int, TensorBase]  # of the output of an operation on dual tensors only


class View:
    """That a tensor was made as a view: of which base, and of which history of it.

    ``edge`` is that history, :data:`UNRECORDED` for a view that was made without recording and
    :data:`FAR` for a :class:`FarView`, and ``version`` says how often the memory had been written
    then.
    ``origin`` says why it may not be written while recording: it is one of "multiple" views that
    one function returned, was made under "no_grad", in "inference" mode or in a "function" of the
    user's, is the "argument" by which a function is differentiated, or is a view of such; "" where
    it may.
    """

    __slots__ = ("base", "edge", "known", "origin", "region", "version")

    region: Any  # where it lies in its base; not there before that was asked for
    known: Any  # the history of the base, where ``edge`` is FAR
    outside: float = inf  # from which level of forward mode on it has no tangents of its base

    def __init__(self, base: TensorBase, origin: str, edge: Any, version: int):
        self.base = base
        self.edge = edge
        self.origin = origin
        self.version = version


# Never the edge of a base: whoever records such a view asks what its history is.
UNRECORDED = object()
FAR = object()


class FarView(View):
    """That of a view which may reach beyond the view that it was taken of, and of its own views.

    Its history says nothing of what lies there, and holds until the memory is written, also where
    the history of the base remains: by then it is made of the base, as PyTorch does by versions.
    """

    __slots__ = ()


def reach_far(view: View) -> None:
    """Make a view one that may reach beyond what it was taken of, if it was recorded."""
    if view.edge is not UNRECORDED and view.edge is not FAR:
        view.known, view.edge = view.edge, FAR
        if view.__class__ is View:
            view.__class__ = FarView


class SeenView(View):
    """That of a view as the levels of forward mode outside of one see it."""

    __slots__ = ("outside",)

    def __init__(self, view: View, outside: float):
        # each view is renewed by itself
        super().__init__(view.base, view.origin, view.edge, view.version)
        if view.edge is FAR:
            self.known = view.known
        self.outside = min(outside, view.outside)


class _Leaf:
    """The edge of a tensor that requires grad and was not computed."""

    def __repr__(self) -> str:
        return "LEAF"


LEAF = _Leaf()


class _Nowhere:
    """The rule of what requires grad although no gradient goes further.

    That is a view which was made without recording, of a tensor that requires grad.
    """

    name = "Nowhere"
    needs: tuple[bool, ...] = ()
    outputs = 1
    always = False

    def __init__(self) -> None:
        self.op: Any = self

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Drop the gradient."""
        return ()

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule itself: it has no inputs."""
        return self


NOWHERE: Rule = _Nowhere()


def leads_nowhere(edge: Any) -> bool:
    """Tell whether a gradient that arrives at an edge goes no further, not even into a leaf."""
    return isinstance(edge, Node) and edge.rule is NOWHERE


def ends(edge: Any) -> bool:
    """Tell whether an edge is that of a leaf, or of what requires grad and leads nowhere."""
    return edge is None or edge is LEAF or leads_nowhere(edge)


class Output:
    """One output of a node that has several; a node by itself stands for its output 0."""

    __slots__ = ("index", "node")

    def __init__(self, node: Node, index: int):
        self.node = node
        self.index = index


def output_of(node: Node, index: int) -> Node | Output:
    """Return what stands for an output of a node."""
    return node if node.outputs == 1 else Output(node, index)


def place_of(edge: Any) -> tuple[int, int]:
    """Return what tells an edge from others: whose it is, and which output."""
    return (id(edge.node), edge.index) if isinstance(edge, Output) else (id(edge), 0)


class Rule(Protocol):
    """How the gradients of an operation's calls are computed, for the inputs in ``needs``.

    It ``always`` runs, also where no gradient arrived, if it calls a function of the user's.
    """

    always: bool
    op: Any
    needs: tuple[bool, ...]
    outputs: int

    @property
    def backward(self) -> Callable[[Node, Any], Sequence[Any]]:
        """The function of a node and ``g`` that gives the gradient of each input.

        ``g`` is the gradient of the one output, or a list with that of each of several, ``None``
        where none arrived.  Gradients are tensors where they are recorded, and arrays where they
        are not.
        """

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule for some of these inputs."""


class Node:
    """One recorded call of an operation.

    ``inputs`` holds an edge for each input (a leaf tensor itself stands for its accumulation),
    ``saved`` what the backward formula reads, ``params`` what else the operation must know.
    """

    __slots__ = (
        "__weakref__", "_line", "_metadata", "hooks", "inputs", "params", "rule", "saved",
        "sequence", "versions",
    )  # fmt: skip

    rule: Rule
    inputs: tuple[Node | Output | TensorBase | None, ...]
    params: Any
    saved: tuple[Any, ...] | None
    sequence: float  # whole, but for the accumulations that a walk puts between two nodes
    versions: tuple[int, ...] | None
    hooks: Hooks | None
    _metadata: dict[str, Any]  # made when it is asked for
    _line: Line  # of the user's, that saved the values; only where it was noted

    @property
    def op(self) -> Any:
        """The operation that was called."""
        return self.rule.op

    @property
    def outputs(self) -> int:
        """How many outputs the call had."""
        return self.rule.outputs

    def name(self) -> str:
        """Return PyTorch's name of the operation's backward, as in ``MulBackward0``."""
        return self.rule.op.name

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for whatever is to be kept with the node."""
        try:
            return self._metadata
        except AttributeError:
            self._metadata = {}
            return self._metadata

    def register_prehook(self, hook: Hook) -> RemovableHandle:
        """Have walks call ``hook(grad_outputs)`` just before they run this node.

        What it returns, a tuple of as many gradients or ``None``, takes the place of the argument.
        """
        return hooks.of_node(self).before.add(hook)

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """Have walks call ``hook(grad_inputs, grad_outputs)`` when they have run this node.

        What it returns, a tuple of as many gradients or ``None``, takes the place of
        ``grad_inputs``.
        """
        return hooks.of_node(self).after.add(hook)

    def _sequence_nr(self) -> int:
        return int(self.sequence)

    def __repr__(self) -> str:
        return f"<{self.name().split('::')[-1]} object at {id(self):#x}>"


Edge = Node | Output


# --------------------------------------------------------------------------- recording


class _Mode(threading.local):
    """Whether this thread records what it computes, and what else happens in it.

    ``enabled`` is ``on`` while the thread records, and ``False`` while it does not.
    """

    enabled: Any = True
    on: Any = True  # or an op.observed.Observer, where there is more to do than to record
    hooks: tuple[Any, ...] = ()  # on saved tensors: those that are entered
    calls: tuple[Any, ...] = ()  # op.observed.Calls that are entered, the innermost last
    disabled: str | None = None  # why hooks on saved tensors may not be entered
    anomaly = False
    check_nan = True  # in anomaly mode
    multithreading = True  # whether walks that lie deep in others may run in other threads
    keeps_layout = True  # whether a .grad has the strides of its leaf, whatever the gradient had
    walk: Pending | None = None  # the walk that is under way
    node: Node | None = None  # in anomaly mode, the node that the walk is at
    replay: Any = None  # the op.replay.Replay of what is being computed again, the innermost
    inference = False
    threads: Any = None  # those in which walks of this one go on, the innermost last
    group: Any = None  # the utils.checkpoint.GraphExecGroup that is entered
    dual_level: int | None = None  # of autograd.forward_ad, which is entered
    reasons: tuple[object, ...] = ()  # why what operations make has to be marked
    conventions: tuple[str, ...] = ("torch",)  # at points without derivative; the last counts
    levels: tuple[int, ...] = ()  # ascending: an inner level has the larger number
    batches: tuple[Any, ...] = ()  # the levels of vmap that are open, the innermost last
    # the transforms of func that run, the innermost last: a level of vmap, the number of a level of
    # forward mode, or None for a derivative in reverse
    transforms: tuple[Any, ...] = ()
    derivative: object = None  # the call of func.grad or vjp that runs, or whose gradients do
    scope: Scope | None = None  # the innermost derivative of func's whose function runs
    reaching = False  # whether hidden axes of a vmap that has ended may be computed with
    linearizing = False  # whether func.linearize runs, which walks what is recorded forward


mode = _Mode()
# An element for each block of inference mode, each checkpoint that is computed again, and each
# derivative of func's, that some thread is in: what operations make has to be marked.
inferring: list[object] = []


def begin_marking(reason: object) -> None:
    """Have what operations make marked; the reason is one of this thread."""
    mode.reasons = (*mode.reasons, reason)
    inferring.append(reason)


def end_marking(reason: object) -> None:
    """No longer have it marked for this reason."""
    mode.reasons = tuple([r for r in mode.reasons if r is not reason])
    if reason in inferring:
        inferring.remove(reason)


def restore(before: dict[str, Any]) -> None:
    """Give this thread the modes that it had, of which ``before`` is a copy.

    An exception may have come while one was being entered or left, as those of signals do.
    """
    reasons = mode.reasons
    defaults = {name: getattr(type(mode), name) for name in mode.__dict__}
    mode.__dict__.update(defaults | before)  # at once: an interrupt may come here, too
    for reason in reasons:
        if reason not in mode.reasons:
            end_marking(reason)


F = TypeVar("F", bound=Callable[..., Any])


def restoring(function: F) -> F:
    """Return the function; where it raises, the thread's modes are as they were before."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        before = mode.__dict__.copy()
        try:
            return function(*args, **kwargs)
        except BaseException:
            restore(before)
            raise

    return guarded  # type: ignore[return-value]


def mark(tensor: TensorBase, *operands: Any) -> None:
    """Mark a new tensor as one of inference mode, or as a view that was made there.

    While something is computed again, note what it was computed from, and while the function of a
    derivative runs, that the memory was made in it.
    """
    if mode.replay is not None:
        mode.replay.made(tensor, operands)
    if tensor._view is not None:
        if mode.inference:
            tensor._view.origin = "inference"
    elif tensor._counter is None and (mode.inference or mode.scope is not None):
        tensor._counter = counter = Inference() if mode.inference else Counter()
        counter.born = next_sequence()


class Scope:
    """The function of a derivative of func's, while it runs: it may write what it made itself.

    ``given`` are the counters of other memory that it may write, ``None`` for all, as inside of a
    user's Function, whose derivatives are its own.  It sees its arguments as tensors that move, at
    a ``level`` of forward mode, or require grad; ``outer`` are those outside, on the same memory.
    """

    __slots__ = ("given", "inference", "level", "outer", "start")

    def __init__(
        self,
        given: Sequence[Counter] | None,
        outer: Sequence[TensorBase] = (),
        level: int | None = None,
    ):
        self.given = given
        self.outer = outer
        self.level = level
        self.start = next_sequence()
        around = mode.scope
        self.inference: bool = mode.inference or (around is not None and around.inference)


@contextmanager
def scoped(scope: Scope | None) -> Iterator[None]:
    """Run the block as the function of a derivative, in normal mode, or as none of one."""
    before = mode.scope, mode.inference
    reason = object()
    begin_marking(reason)
    try:
        mode.scope, mode.inference = scope, mode.inference and scope is None
        yield
    finally:
        mode.scope, mode.inference = before
        end_marking(reason)


@contextmanager
def recording(enabled: bool) -> Iterator[None]:
    """Record, or do not, while the block runs."""
    before = mode.enabled
    mode.enabled = enabled and mode.on
    try:
        yield
    finally:
        mode.enabled = before and mode.on


@contextmanager
def reaching_back() -> Iterator[None]:
    """Compute also with what has hidden axes of a ``vmap`` that has ended, as a walk does."""
    before = mode.reaching
    try:
        mode.reaching = True
        yield
    finally:
        mode.reaching = before


def users_line() -> Line:
    """Return which line called us, the innermost outside of this library."""
    frame: Any = sys._getframe(2)
    while frame.f_globals.get("__name__", _OURS).startswith(_OURS) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


def warn(sentence: str, category: type[Warning] = UserWarning) -> None:
    """Give a warning that points at the user's line, however deep in this library it is found."""
    frame: Any = sys._getframe(1)
    level = 2  # where that frame is, counted from warnings.warn
    while frame.f_globals.get("__name__", _OURS).startswith(_OURS) and frame.f_back is not None:
        frame = frame.f_back
        level += 1
    warnings.warn(sentence, category, stacklevel=level)


_OURS = "gpugrad."  # generated functions have no module's name


@contextmanager
def transforming(level: Any = None) -> Iterator[None]:
    """Note that a transform of ``func`` runs, given its level, or a derivative in reverse."""
    before = mode.transforms
    mode.transforms = (*before, level)
    try:
        yield
    finally:
        mode.transforms = before


def of_derivative(hook: Hook) -> Hook:
    """Return a hook that runs only in walks of the transform in which it is registered, if any.

    The graphs of transforms within each other are one graph here.
    """
    own = mode.derivative
    return hook if own is None else lambda grad: hook(grad) if mode.derivative is own else None


next_sequence = itertools.count().__next__  # one call: threads never share a number


class Moment:
    """A time in the order of nodes and writes, which may be asked about while this is kept."""

    __slots__ = ("__weakref__", "time")

    time: float


moments: list[weakref.ref[Moment]] = []  # those that are kept


def moment() -> Moment:
    """Return the present time; no write lasts from before it to after."""
    now = Moment()
    now.time = Write.apart = next_sequence()
    moments.append(weakref.ref(now, moments.remove))
    return now


def asked_times() -> list[float]:
    """Return the times of the moments that are kept, the earliest first."""
    if not moments:
        return []
    return sorted([m.time for known in tuple(moments) if (m := known()) is not None])


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
    if saved:
        node._line = users_line()
    if mode.enabled is not True and mode.enabled:
        mode.enabled.recorded(node)
    return node


# --------------------------------------------------------------------------- the walk

Target = Node | Output | TensorBase


class Terms:
    """Gradients that met at one tensor: what is still to be added up."""

    __slots__ = ("grads", "own")

    def __init__(self, grad: Any, own: bool):
        self.grads = [grad]
        self.own = own  # whether the first of them is in memory of the walk's own


class Captured:
    """The gradients at wanted edges, caught on their way instead of being accumulated."""

    def __init__(self, edges: Sequence[Any]):
        self.edges = edges
        self.nodes = {e.node if isinstance(e, Output) else e for e in edges}  # and leaves
        self.hooked: set[Any] = set(self.nodes)  # whose hooks run, whether they do or not
        self.grads: dict[tuple[Any, int], Any] = {}

    def catch(self, node: Node, grads: Sequence[Any]) -> None:
        """Keep the complete gradients of a node's outputs."""
        for index, grad in enumerate(grads):
            self.grads[node, index] = grad

    def at(self, edge: Any, leaves: dict[TensorBase, Any]) -> Any:
        """Return the gradient at a wanted edge, ``None`` where none arrived."""
        if isinstance(edge, TensorBase):
            return leaves.get(edge)
        return self.grads.get((edge.node, edge.index) if isinstance(edge, Output) else (edge, 0))


class Pending:
    """Gradients on their way: to nodes that have not run, and to leaves.

    The arithmetic of gradients is left to a subclass that knows arrays.
    """

    __slots__ = (
        "__weakref__", "accumulates", "captured", "forgets", "leaves", "nodes", "order", "recorded",
        "roots", "rules", "taken", "unfinished",
    )  # fmt: skip

    accumulates: bool  # whether it ends in the .grad of leaves
    captured: Captured | None  # if only some gradients are wanted
    roots: Sequence[Any]  # the edges that the walk starts from
    rules: Mapping[float, Rule | None] | None  # what it runs, if not all nodes
    unfinished: Sequence[Any]  # edges to which an error left gradients undelivered
    taken: Node | None  # the last that waited; an exception may come before it is run

    def __init__(self, recorded: bool, forgets: bool) -> None:
        self.recorded = recorded  # whether gradients are tensors
        self.taken = None
        self.forgets = forgets  # whether the record is not to outlive the walk
        self.leaves: dict[TensorBase, Any] = {}
        self.nodes: dict[float, list[Any]] = {}  # and what they received, by their sequence number
        self.order: list[float] = []  # a heap of the negative sequence numbers

    def meet(self, total: Any, grad: Any) -> Any:
        """Return the sum of two gradients, or its terms; ``total`` may be terms already."""
        raise NotImplementedError

    def total(self, terms: Terms) -> Any:
        """Return the sum of all terms."""
        raise NotImplementedError

    def nothing(self, node: Node) -> Sequence[Any]:
        """Return the gradients of a node's inputs where none arrived."""
        raise NotImplementedError

    def hooked(self, node: Node, grad: Any, rule: Rule | None) -> tuple[Any, Rule | None]:
        """Call the hooks on a node's outputs; return the gradients, and the rule with its hooks."""
        raise NotImplementedError

    def deliver(self, edge: Target, grad: Any) -> None:
        """Take ``grad`` to the node or leaf behind ``edge``, adding to what is there."""
        if isinstance(edge, TensorBase):
            before = self.leaves.get(edge)
            self.leaves[edge] = grad if before is None else self.meet(before, grad)
        elif isinstance(edge, Output):
            self._to_output(edge.node, edge.index, grad)
        else:
            waiting = self.nodes.get(edge.sequence)
            if waiting is None:
                self.put(edge, grad)
            else:
                waiting[1] = grad if waiting[1] is None else self.meet(waiting[1], grad)

    def _to_output(self, node: Node, index: int, grad: Any) -> None:
        if node.sequence not in self.nodes:
            self.put(node, [None] * node.outputs)
        grads = self.nodes[node.sequence][1]
        grads[index] = grad if grads[index] is None else self.meet(grads[index], grad)

    def expect(self, edge: Target, waiting: Any) -> None:
        """Let the node behind ``edge`` run though it may receive nothing; ``waiting`` does so."""
        node: Any = edge.node if isinstance(edge, Output) else self.end_of(edge)
        if node is None or node is waiting or node.sequence in self.nodes:
            return
        rules, captured = self.rules, self.captured
        if (
            rules is None
            or rules[node.sequence] is not None
            or (captured is not None and node in captured.hooked)
        ):
            self.put(node, None if node.outputs == 1 else [None] * node.outputs)

    def end_of(self, edge: Node | TensorBase) -> Node | None:
        """Return the node that an edge is or, of a leaf, that runs for it."""
        return None if isinstance(edge, TensorBase) else edge

    def put(self, node: Any, grad: Any) -> None:
        """Let a node wait with what it has received so far."""
        self.nodes[node.sequence] = [node, grad]
        heapq.heappush(self.order, -node.sequence)

    def youngest(self) -> list[Any]:
        """Take out the node that was recorded last, with its gradient: all who use it have run."""
        sequence = -self.order[0]
        self.taken = self.nodes[sequence][0]
        heapq.heappop(self.order)
        return self.nodes.pop(sequence)

    def complete(self) -> dict[TensorBase, Any]:
        """Return the leaves that no node which has not run leads to, with their gradients."""
        edges = [self.taken, *self.unfinished, *(node for node, _ in self.nodes.values())]
        ends = {id(e) for n in below(edges).values() for e in n.inputs} | set(map(id, edges))
        return {t: self.settled(g) for t, g in self.leaves.items() if id(t) not in ends}

    def settled(self, grad: Any) -> Any:
        """Return a gradient, or those of several outputs, with the terms added up."""
        if grad.__class__ is Terms:
            return self.total(grad)
        if grad.__class__ is list:
            return [self.total(g) if g.__class__ is Terms else g for g in grad]
        return grad


def walk(
    edges: Sequence[Any],
    grads: Iterable[Any],
    pending: Pending,
    keep: bool,
) -> None:
    """Carry gradients from the edges down to ``pending.leaves``, the youngest node first.

    Every user of a node is younger than the node, so a node that is taken out has received all
    that it will: no recursion, no topological sort, any number of roots.  A node that waits alone
    is not queued: ``node`` and ``g`` hold it while the others receive.
    ``keep`` leaves the saved values in place for another walk.  ``pending.rules`` has, by the
    sequence numbers, what takes the place of the nodes' own rules; ``None`` is not run.
    """
    waiting, order = pending.nodes, pending.order
    captured, rules = pending.captured, pending.rules
    node: Any = None
    g: Any = None
    try:
        while True:
            for edge, grad in zip(edges, grads):  # noqa: B905  to be strict costs as much again
                if grad is None or edge is None:
                    if edge is not None:
                        pending.expect(edge, node)
                    continue
                if edge is node:
                    g = grad if g is None else pending.meet(g, grad)
                elif edge.__class__ is Node and node is None and edge.sequence not in waiting:
                    node, g = edge, grad
                elif edge.__class__ is Output and (
                    edge.node is node or (node is None and edge.node.sequence not in waiting)
                ):
                    if node is None:
                        node = edge.node
                        g = [None] * node.outputs
                    before = g[edge.index]
                    g[edge.index] = grad if before is None else pending.meet(before, grad)
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
            rule = node.rule if rules is None else rules[node.sequence]
            if node.hooks is not None and (
                rule is not None or (captured is not None and node in captured.hooked)
            ):
                g, rule = pending.hooked(node, g, rule)
            if captured is not None and node in captured.nodes:
                captured.catch(node, g if g.__class__ is list else [g])
            if rule is not None:
                if (g is None or g.__class__ is list) and not (rule.always or _any(g)):
                    grads = pending.nothing(node)
                else:
                    grads = rule.backward(node, g)
                if not keep and node.saved:
                    node.saved = None
                edges = node.inputs
            node = None
    except BaseException:
        pending.unfinished = [node, *edges]
        raise


def _any(grads: Any) -> bool:
    """Tell whether there is a gradient of an output."""
    return grads is not None and any(g is not None for g in grads)


def needed(
    edges: Sequence[Any], captured: Captured, accumulates: bool
) -> dict[float, Rule | None] | None:
    """Return each node's rule for the inputs that lead to a wanted edge; ``None`` for no such.

    The nodes are those below the edges, given by their sequence numbers.  Those that are wanted are
    run where gradients are accumulated.  Where all leaves are wanted, the nodes' own rules are
    those: then there are no others.
    """
    if _lead_only_to(captured.nodes, edges):
        return None
    nodes = below(edges)
    reached = set(captured.nodes)
    rules: dict[float, Rule | None] = {}
    for sequence in sorted(nodes):  # inputs before their users
        node = nodes[sequence]
        needs = tuple([(e.node if e.__class__ is Output else e) in reached for e in node.inputs])
        if True in needs:
            reached.add(node)
            rules[sequence] = node.rule if needs == node.rule.needs else node.rule.narrowed(needs)
        elif accumulates and node in reached:
            rules[sequence] = node.rule.narrowed(needs)
        else:
            rules[sequence] = None
    return rules


def _lead_only_to(leaves: set[Any], edges: Iterable[Any]) -> bool:
    """Tell whether all that gradients from some edges arrive at are these leaves, and no nodes."""
    seen = set()
    stack = list(edges)
    while stack:
        edge = stack.pop()
        if edge.__class__ is Output:
            edge = edge.node
        if edge is None or edge in seen:
            continue
        if isinstance(edge, Node):
            if edge in leaves or not edge.inputs:
                return False
            seen.add(edge)
            stack += edge.inputs
        elif edge not in leaves:
            return False
    return True


def below(edges: Iterable[Any]) -> dict[float, Node]:
    """Return the nodes that a walk from these edges runs, by their sequence numbers."""
    nodes: dict[float, Node] = {}
    stack = list(edges)
    while stack:
        edge = stack.pop()
        if edge.__class__ is Output:
            edge = edge.node
        if isinstance(edge, Node) and edge.sequence not in nodes:
            nodes[edge.sequence] = edge
            stack.extend(edge.inputs)
    return nodes


def rehang(tensor: TensorBase, edge: Node | Output | None) -> None:
    """Give a tensor another history; that its gradient is to be retained goes along."""
    old, tensor._edge = tensor._edge, edge
    if edge is None or old is None or old is LEAF:
        return
    node, index = (old.node, old.index) if isinstance(old, Output) else (old, 0)
    if not isinstance(node, Node) or node.hooks is None:
        return
    owner = node.hooks.retained.get(index)
    if owner is not None and owner() is tensor:
        del node.hooks.retained[index]
        new, index = (edge.node, edge.index) if isinstance(edge, Output) else (edge, 0)
        hooks.of_node(new).retained[index] = owner

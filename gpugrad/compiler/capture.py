"""What a call of a function computes, and what it does beside that, as a program.

Tensors that were there before the call are found by the garbage collector's list: while the call is
recorded each holds a recorded array, so that nothing is computed around the recording.
"""

from __future__ import annotations

import gc
import types
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gpugrad.compiler.recorded import Recorded, Recorder, current, nothing_known, recording
from gpugrad.graph import LEAF, Node, Output, SavedOutput, TensorBase, Write, next_sequence
from gpugrad.op.attribute import Named
from gpugrad.op.saved import version_of

Array = Any


class Given:
    """The tensor at a place among the leaves of the arguments."""

    __slots__ = ("place",)
    is_given = True

    def __init__(self, place: int):
        self.place = place

    def tensor(self, leaves: Sequence[Any]) -> Any:
        """Return the tensor, of a call with these leaves."""
        return leaves[self.place]


class Captured:
    """A tensor that the function finds by itself; ``None`` once it is no more."""

    __slots__ = ("found",)
    is_given = False

    def __init__(self, tensor: TensorBase):
        self.found = weakref.ref(tensor)

    def tensor(self, leaves: Sequence[Any]) -> Any:
        """Return the tensor."""
        return self.found()


class GradOf:
    """The ``.grad`` of a tensor."""

    __slots__ = ("source",)
    is_given = False

    def __init__(self, source: Any):
        self.source = source

    def tensor(self, leaves: Sequence[Any]) -> Any:
        """Return the gradient, ``None`` where there is none."""
        tensor = self.source.tensor(leaves)
        return None if tensor is None else tensor._grad


class _Entry:
    """The rule of the node at which the history begins that a recorded call has.

    A gradient goes on into the history from before: that is no step of a program.
    """

    op = Named("CompiledFunctionInput")
    always = False
    needs: tuple[bool, ...] = (True,)
    outputs = 1

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Hand the gradient on."""
        if current.recorder is not None:
            current.recorder.end("a backward into what was computed before the call")
        return [g]

    def narrowed(self, needs: tuple[bool, ...]) -> Any:
        """Return the rule itself."""
        return self


ENTRY: Any = _Entry()


class Before:
    """What a tensor was before a call."""

    __slots__ = (
        "array", "counter", "edge", "end", "entry", "grad", "recorded", "tensor", "value", "view",
    )  # fmt: skip

    def __init__(self, tensor: Any, recorder: Recorder, source: Any):
        self.tensor = tensor
        self.array = tensor._array
        self.counter = tensor._counter
        self.value = 0 if self.counter is None else self.counter.value
        self.edge, self.view, self.grad = tensor._edge, tensor._view, tensor._grad
        self.end = end_of(tensor)
        self.entry: Any = None
        self.recorded = tensor._array = recorder.lifted(tensor._array, source)
        if self.edge is not None and self.edge is not LEAF and self.view is None:
            self.entry = tensor._edge = entry(self.edge)

    @property
    def source(self) -> Any:
        """How the tensor is found in another call."""
        return self.recorded.source


def end_of(tensor: Any) -> tuple[bool, bool, bool]:
    """Return what a program depends on of where a tensor's history ends."""
    edge = tensor._edge
    if edge is None or edge is LEAF:
        return edge is None, edge is LEAF, hasattr(tensor, "_hooks")
    return False, False, _has_hooks(edge)


def _has_hooks(edge: Any) -> bool:
    node = edge.node if isinstance(edge, Output) else edge
    return node.hooks is not None


def entry(edge: Any) -> Node:
    """Return a node at which a history begins anew, and that hands gradients on to an edge."""
    node = Node.__new__(Node)
    node.rule = ENTRY
    node.inputs = (edge,)
    node.saved, node.versions, node.params, node.hooks = (), None, None, None
    node.sequence = next_sequence()
    return node


def _live() -> Iterator[Any]:
    for found in gc.get_objects():
        kind = type(found)
        if issubclass(kind, TensorBase):
            yield found


def _plain(array: Any) -> Any:
    while isinstance(array, Recorded):
        array = array.array
    return array


class Capture:
    """A call while it is recorded, and what was before it.

    Args:
        recorder: What takes the steps.
        leaves: Those of the arguments.
    """

    def __init__(self, recorder: Recorder, leaves: Sequence[Any]):
        """Find all tensors that there are."""
        self.recorder = recorder
        self.before: dict[int, Before] = {}
        self.survivors: list[Any] = []
        self.begin = next_sequence()
        self.views: list[tuple[Any, Any, Any]] = []  # with their edges before, and meanwhile
        places = {id(leaf): k for k, leaf in reversed(list(enumerate(leaves)))}
        tensors = [t for t in _live() if hasattr(t, "_array")]
        owners = {id(t._grad): t for t in tensors if t._grad is not None}
        # arguments that are gradients, too: in which way the function has them is not known
        self.gradients = [
            (k, weakref.ref(owners[id(leaf)]))
            for k, leaf in enumerate(leaves)
            if id(leaf) in owners
        ]

        def source(tensor: Any) -> Any:
            place = places.get(id(tensor))
            if place is not None:
                return Given(place)
            owner = owners.get(id(tensor))
            return Captured(tensor) if owner is None else GradOf(source(owner))

        for tensor in tensors:
            self.before[id(tensor)] = Before(tensor, recorder, source(tensor))
        for known in self.before.values():
            self._enter(known)
        recorder.versions = self._versions
        recorder.reveal = self._reveal

    def _versions(self) -> dict[int, int]:
        counters = [known.tensor._counter for known in self.before.values()]
        return {id(c): c.value for c in counters if c is not None}

    def _reveal(self, tensor: Any, hooked: bool) -> None:
        """Give a tensor the history that it had, if hooks are to run there; the recording ends."""
        known = self.before.get(id(tensor))
        if known is None or known.entry is None or tensor._edge is not known.entry:
            return
        if self.recorder.closed or not (hooked or _has_hooks(known.edge)):
            return
        self.recorder.end("hooks of a tensor that was computed before the call")
        tensor._edge = known.edge
        for other in self.before.values():
            if other.view is not None and other.view.edge is known.entry:
                other.view.edge = known.edge

    @contextmanager
    def without_hooks(self) -> Iterator[None]:
        """Have the leaves from before no hooks: these run where a program's gradients arrive."""
        tensors = [known.tensor for known in self.before.values()]
        hooks = [(t, t._hooks) for t in tensors if hasattr(t, "_hooks")]
        for t, _ in hooks:
            del t._hooks
        try:
            yield
        finally:
            for t, found in hooks:
                t._hooks = found

    def _enter(self, known: Before) -> None:
        """Have the history of a view begin anew, too, where it is that of its base."""
        tensor, view = known.tensor, known.view
        if view is None or not isinstance(known.edge, Node | Output):
            return
        base = self.before.get(id(view.base))
        if base is None or view.edge is not base.edge:
            return
        known.entry = tensor._edge = entry(known.edge)
        if view.edge is not view.base._edge:
            self.views.append((view, view.edge, view.base._edge))
            view.edge = view.base._edge

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Return what the function gives, recorded."""
        with recording(self.recorder):
            return function(*args, **kwargs)

    def ends_of(self, edges: Sequence[Any]) -> list[Before]:
        """Return the tensors from before that results with these edges were computed from."""
        entries = {id(b.entry): b for b in self.before.values() if b.entry is not None}
        found: dict[int, Before] = {}
        seen: set[int] = set()
        stack = list(edges)
        while stack:
            edge = stack.pop()
            edge = edge.node if isinstance(edge, Output) else edge
            if edge is None or id(edge) in seen:
                continue
            seen.add(id(edge))
            if isinstance(edge, TensorBase):
                known = self.before.get(id(edge))
                if known is None:
                    raise UnknownError("a result that depends on a leaf made in the function")
                found[id(edge)] = known
            elif id(edge) in entries:
                known = entries[id(edge)]
                found[id(known.tensor)] = known
            elif edge.sequence < self.begin:
                raise UnknownError("the history of a view whose base has another one")
            else:
                stack.extend(edge.inputs)
        return list(found.values())

    def restore(self) -> None:
        """Give all tensors ordinary arrays, whatever became of them."""
        self.recorder.versions, self.recorder.reveal = dict, nothing_known  # of a cycle
        for view, edge, meanwhile in self.views:
            if view.edge is meanwhile:
                view.edge = edge
        for known in self.before.values():
            tensor = known.tensor
            if known.entry is not None and tensor._edge is known.entry:
                tensor._edge = known.edge
            if tensor._array is known.recorded:
                # what was a scalar is memory now if it was written
                written = version_of(tensor) != known.value or isinstance(known.array, Recorded)
                tensor._array = known.recorded.array if written else known.array
        for found in gc.get_objects():
            kind = type(found)
            if issubclass(kind, TensorBase):
                if hasattr(found, "_array") and isinstance(found._array, Recorded):
                    found._array = _plain(found._array)
                    if id(found) not in self.before:
                        self.survivors.append(found)
            elif (kind is SavedOutput or issubclass(kind, Write)) and isinstance(
                getattr(found, "array", None), Recorded
            ):
                found.array = _plain(found.array)


# --------------------------------------------------------------------------- what a call did


class UnknownError(Exception):
    """What a call did that a program does not do: the reason why it is not compiled.

    It may be another call's turn where the function only ``begins``: it made what it keeps.
    """

    def __init__(self, reason: str, begins: bool = False):
        """Make the exception."""
        super().__init__(reason)
        self.begins = begins


class Effects:
    """What a call did to tensors that were there before.

    ``grads`` are what it gave as ``.grad`` and ``arrays`` as memory, as pairs of a source and a
    value (or ``None`` for no gradient); ``writes`` how often it wrote, by sources.
    """

    def __init__(self) -> None:
        self.grads: list[tuple[Any, Any]] = []
        self.before: list[tuple[Any, Any]] = []  # the gradients that there were
        self.arrays: list[tuple[Any, Any]] = []
        self.writes: list[tuple[Any, int]] = []


def effects_of(capture: Capture) -> Effects:
    """Return what a recorded call did, before the tensors are restored.

    Raises:
        UnknownError: It did something that is no part of a program.
    """
    found = Effects()
    counters: set[int] = set()
    # of tensors that are written together an argument is there at each call, others perhaps not
    there = sorted(capture.before.values(), key=lambda k: _nearness(k.recorded))
    for known in there:
        tensor = known.tensor
        edge = known.edge if known.entry is None else known.entry
        if tensor._edge is not edge or tensor._view is not known.view:
            raise UnknownError("changing the history of a tensor from outside of the function")
        if tensor._grad is not known.grad:
            found.grads.append((known.source, tensor._grad))
        if tensor._grad is not known.grad or id(tensor) in capture.recorder.absent:
            found.before.append((known.source, known.grad))
        if tensor._array is not known.recorded:
            found.arrays.append((known.source, tensor._array))
            continue
        counter = tensor._counter
        if counter is not None and id(counter) not in counters:
            before = known.value if counter is known.counter else 0
            before += capture.recorder.apart[id(counter)]
            if counter.value != before:
                counters.add(id(counter))
                found.writes.append((known.source, counter.value - before))
    return found


def _nearness(recorded: Recorded) -> int:
    if isinstance(recorded.source, Given):
        return 0
    return 1 if recorded.value is not None else 2


def reachable(roots: Sequence[Any]) -> set[int]:
    """Return the identities of the tensors that results keep alive, their histories included."""
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        found = stack.pop()
        if id(found) in seen or isinstance(found, _WORLD):
            continue
        seen.add(id(found))
        stack.extend(gc.get_referents(found))
    return seen


_WORLD = (
    type, types.ModuleType, types.FunctionType, types.FrameType, types.CodeType,
    types.BuiltinFunctionType,
)  # fmt: skip


def check_survivors(capture: Capture, results: Sequence[Any]) -> None:
    """See that no tensor of the call's outlives it but its results, and what these need.

    Raises:
        UnknownError: One does: the function keeps it somewhere.
    """
    known = reachable(results)
    others = [weakref.ref(t) for t in capture.survivors if id(t) not in known]
    capture.survivors.clear()
    if not others or all(r() is None for r in others):
        return
    gc.collect()
    if any(r() is not None for r in others):
        raise UnknownError("a tensor that the function makes and keeps", begins=True)

"""How gradients are added: on their way, and into the ``.grad`` of a leaf."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from operator import attrgetter
from sys import getrefcount
from typing import Any

import numpy as np

from gpugrad import backend, errors, hooks
from gpugrad.backend import cpu
from gpugrad.backend.batched import Batched
from gpugrad.graph import (
    Captured,
    Inference,
    Node,
    Output,
    Pending,
    Rule,
    Target,
    TensorBase,
    Terms,
    below,
    mode,
    moments,
    needed,
    place_of,
    record,
    walk,
)
from gpugrad.op import hooked
from gpugrad.op.anomaly import checked
from gpugrad.op.attribute import Named
from gpugrad.op.depth import in_another_thread, is_deep
from gpugrad.op.dual import unrecorded
from gpugrad.op.exhaustion import tell
from gpugrad.op.rule import nothing
from gpugrad.op.saved import note, own_array, shared_counter, wrap

Array = Any

# Several threads may add to one leaf; a recorded sum may call the user's hooks on saved tensors,
# and these may walk in the same thread.
_ACCUMULATING = threading.RLock()

_array_of = attrgetter("_array")


class _Gradients(Pending):
    """The gradients of a walk: tensors where they are recorded, and arrays where not."""

    __slots__ = ("error_state",)

    error_state: Any  # NumPy's, outside of the walk

    def meet(self, total: Any, grad: Any) -> Any:
        """Return the sum of two gradients, or its terms while they are few enough for a kernel."""
        if self.recorded:
            return total + grad
        if grad.__class__ is Batched or total.__class__ is Batched:
            return (wrap(self.settled(total)) + wrap(grad))._array
        door = backend.of(grad)
        if total.__class__ is not Terms:
            own = _holders(total) <= _ONE + 1 and door.owns(total)  # + the caller's
            if door.MOST_TERMS == 2:
                return door.add_all((total, grad), own)
            total = Terms(total, own)
        total.grads.append(grad)
        if len(total.grads) == door.MOST_TERMS:
            total.grads = [door.add_all(total.grads, total.own)]
            total.own = True
        return total

    def total(self, terms: Terms) -> Array:
        """Return the sum of all terms."""
        first, *others = terms.grads
        return backend.of(first).add_all(terms.grads, terms.own) if others else first

    nothing = staticmethod(nothing)

    def hooked(self, node: Node, grad: Any, rule: Rule | None) -> tuple[Any, Rule | None]:
        """Call the hooks on a node's outputs; return the gradients, and the rule with its hooks."""
        return hooked.on_outputs(node, grad), hooked.surrounded(node, rule)


class _HookedGradients(_Gradients):
    """The gradients of a walk to leaves with hooks, which run as soon as a gradient is complete.

    Such a leaf is reached by way of a node of its own, which comes just after its last user.
    """

    __slots__ = ("ends",)

    def __init__(self, recorded: bool, forgets: bool, ends: dict[TensorBase, Node]) -> None:
        super().__init__(recorded, forgets)
        self.ends = ends

    def deliver(self, edge: Target, grad: Any) -> None:
        """Take ``grad`` to the node or leaf behind ``edge``, adding to what is there."""
        end = self.ends.get(edge) if isinstance(edge, TensorBase) else None
        if end is None:
            super().deliver(edge, grad)
            return
        grad = hooked.converted(edge, grad)
        waiting = self.nodes.get(end.sequence)
        if (
            waiting is None
            or waiting[1] is None
            or self.recorded
            or _dtype_of(waiting[1]) == grad.dtype
        ):
            super().deliver(end, grad)
        else:
            waiting[1] = self._mixed(waiting, grad)

    def end_of(self, edge: Node | TensorBase) -> Node | None:
        """Return the node that an edge is or, of a leaf, that runs for it."""
        return self.ends.get(edge) if isinstance(edge, TensorBase) else edge

    def _mixed(self, waiting: list[Any], grad: Array) -> Array:
        """Return the sum of gradients of two types, which a leaf may allow.

        It is of the type of what waits if that is memory of the walk's own, where PyTorch adds in
        place, and of the type that the two promote to otherwise.
        """
        own = waiting[1].__class__ is Terms or _holders(waiting[1]) <= _ONE
        first = self.settled(waiting[1])
        total = wrap(first) + wrap(grad)
        if own and backend.of(first).owns(first):
            total = total.to(wrap(first)._kind)
        return total._array


def _dtype_of(grad: Any) -> Any:
    """Return the element type of a gradient, or of terms."""
    return (grad.grads[0] if grad.__class__ is Terms else grad).dtype


class _End:
    """How the node of a leaf with hooks ends a walk: by adding to the ``.grad``, or by keeping."""

    __slots__ = ("forgets", "kept")

    op = Named("torch::autograd::AccumulateGrad")
    always = True
    needs: tuple[bool, ...] = ()
    outputs = 1

    def __init__(self, kept: dict[TensorBase, Any] | None, forgets: bool) -> None:
        self.kept = kept
        self.forgets = forgets

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Take the complete gradient; nothing is below a leaf."""
        leaf = node.params
        if self.kept is not None:
            self.kept[leaf] = g
        else:
            if g is not None and leaf._edge is not None:
                with _ACCUMULATING:
                    if self.forgets:
                        _accumulate(leaf, g._array)
                    else:
                        (_accumulate_recorded if mode.enabled else _accumulate)(leaf, g)
            hooked.on_accumulated(leaf)
        return ()

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule itself: it has no inputs."""
        return self


def _ends(
    edges: Sequence[Any], rules: Mapping[float, Rule | None] | None
) -> list[tuple[TensorBase, float]]:
    """Return the leaves with hooks that a walk leads to, and when each has all of its gradient.

    That is after the last node to use it, and in the order of that node's inputs.
    """
    nodes = below(edges)
    found: dict[TensorBase, float] = {}
    start = max(nodes, default=0) + 1  # a leaf that is a root
    for position, edge in enumerate(edges):
        if isinstance(edge, TensorBase) and hasattr(edge, "_hooks"):
            found.setdefault(edge, start - (position + 1) / (len(edges) + 2))
    for sequence, node in nodes.items():
        if rules is None or rules[sequence] is not None:
            for position, edge in enumerate(node.inputs):
                if isinstance(edge, TensorBase) and hasattr(edge, "_hooks"):
                    after = sequence - (position + 1) / (len(node.inputs) + 2)
                    found[edge] = min(after, found.get(edge, after))
    return list(found.items())


def differentiate(
    edges: Sequence[Target],
    grads: Sequence[Any],
    keep: bool,
    recorded: bool,
    wanted: Sequence[Target] | None,
    accumulates: bool,
) -> list[Any]:
    """Walk from the edges of roots, whose gradients are tensors, and return those at ``wanted``.

    With ``accumulates`` those of leaves are added to ``.grad`` instead; ``wanted=None`` stands for
    all leaves.
    After an error those leaves have received their gradients to which nothing else would have come;
    after an interrupt, which may come between any two steps, none has.
    Deep within other walks it runs in another thread.
    """
    around = mode.walk
    if around is not None and mode.multithreading and is_deep():
        lock: Any = _ACCUMULATING  # what adds to leaves has it, and no other thread then can
        if not lock._is_owned():
            given = edges, grads, keep, recorded, wanted, accumulates
            return in_another_thread(lambda: differentiate(*given))
    before = mode.enabled
    if mode.linearizing:  # whoever walks the record forward needs that of gradients, too
        keep = recorded = True
    forgets = bool(mode.levels) and not recorded  # in forward mode gradients move, as tensors
    recorded = recorded or forgets
    captured = rules = None
    if wanted is not None:
        captured = Captured(wanted)
        rules = needed(edges, captured, accumulates)
        if len(edges) == 1:  # which runs its hooks whether it leads to what is wanted or not
            (root,) = edges
            captured.hooked.add(root.node if isinstance(root, Output) else root)
    if mode.anomaly:
        rules = checked(edges, rules)
    if hooks.of_leaves:
        pending, rules = _with_ends(edges, rules, recorded, forgets, captured, accumulates)
    else:
        pending = _Gradients(recorded, forgets)
    pending.error_state = cpu.error_state()
    pending.roots, pending.rules = edges, rules
    pending.unfinished = edges
    pending.captured, pending.accumulates = captured, accumulates
    try:
        cpu.enter(cpu.QUIET)
        mode.enabled = recorded and mode.on
        mode.walk = pending
        found = _walked(grads if recorded else map(_array_of, grads), pending, keep, wanted)
        mode.walk = around
        mode.enabled = before
        cpu.enter(pending.error_state)
    except BaseException as error:  # which may have come on any of these lines
        mode.walk = around
        mode.enabled = before
        cpu.enter(pending.error_state)
        if isinstance(error, MemoryError):
            tell(error)
        raise
    return found


def _walked(
    grads: Any, pending: _Gradients, keep: bool, wanted: Sequence[Target] | None
) -> list[Any]:
    """Walk, accumulate if it is to, and return the gradients at ``wanted`` otherwise."""
    captured = pending.captured
    try:
        walk(pending.roots, grads, pending, keep)
    except Exception:
        if pending.accumulates:
            complete = pending.complete()
            _accumulate_all(pending, complete if captured is None else _some(complete, captured))
        raise
    if pending.accumulates:
        leaves = pending.leaves
        _accumulate_all(pending, leaves if captured is None else _some(leaves, captured))
        return []
    assert captured is not None
    assert wanted is not None
    ended: dict[tuple[int, int], Any] = {}  # one gradient of a place that is wanted twice
    for edge in wanted:
        place = place_of(edge)
        if place not in ended:
            ended[place] = _ended(pending, captured.at(edge, pending.leaves))
    return [ended[place_of(e)] for e in wanted]


def _ended(pending: _Gradients, grad: Any) -> Any:
    """Return a gradient that a walk caught as a tensor, ``None`` where none arrived."""
    if grad is None:
        return None
    total = pending.settled(grad)
    if pending.forgets:
        return unrecorded(total)
    return total if pending.recorded else wrap(total)


def _with_ends(
    edges: Sequence[Any],
    rules: dict[float, Rule | None] | None,
    recorded: bool,
    forgets: bool,
    captured: Captured | None,
    accumulates: bool,
) -> tuple[_Gradients, dict[float, Rule | None] | None]:
    """Return what waits in a walk, and its rules, where there may be leaves with hooks."""
    found = [
        (leaf, after)
        for leaf, after in _ends(edges, rules)
        if captured is None or leaf in captured.hooked
    ]
    if not found:
        return _Gradients(recorded, forgets), rules
    backend.interrupt("hooks of leaves")
    ends: dict[TensorBase, Node] = {}
    pending = _HookedGradients(recorded, forgets, ends)
    rule = _End(None if accumulates else pending.leaves, forgets)
    for leaf, after in found:
        node = ends[leaf] = record(rule, (), (), None, leaf)
        node.sequence = after
        node.hooks = leaf._hooks if accumulates else leaf._hooks.of_the_tensor()
        if rules is not None:
            rules[after] = rule if captured is None or leaf in captured.nodes else None
        if captured is not None:
            captured.hooked.add(node)
    return pending, rules


def add_to_leaf(leaf: Any, grad: Any) -> None:
    """Add a tensor, or nothing, to the ``.grad`` of a leaf as the end of a walk does.

    Where gradients are recorded, this is, and the sum is a new tensor.
    """
    with _ACCUMULATING:
        if grad is not None and mode.enabled:
            _accumulate_recorded(leaf, grad)
        elif grad is not None:
            _accumulate(leaf, grad._array)
    if hasattr(leaf, "_hooks"):
        hooked.on_accumulated(leaf)


def _some(leaves: dict[TensorBase, Any], captured: Captured) -> dict[TensorBase, Any]:
    """Return the leaves that are wanted, of those that received a gradient."""
    return {t: leaves[t] for t in captured.edges if t in leaves}


def _accumulate_all(pending: _Gradients, leaves: dict[TensorBase, Any]) -> None:
    add = _accumulate_recorded if pending.recorded and not pending.forgets else _accumulate
    with _ACCUMULATING:
        for leaf in tuple(leaves):
            # no name for the gradient: whom only the call holds, the leaf keeps without a copy
            if leaf._edge is None:  # it was frozen meanwhile
                continue
            if pending.forgets:
                add(leaf, pending.settled(leaves.pop(leaf))._array)
            else:
                add(leaf, pending.settled(leaves.pop(leaf)))


def _accumulate(leaf: Any, grad: Array) -> None:
    """Add to the ``.grad`` of a leaf, in place.

    The first gradient is kept if nobody else holds its memory, and copied otherwise.
    """
    total = leaf._grad
    if total is None:
        door = backend.of(grad)
        own = _holders(grad) <= _ONE and door.owns(grad)
        laid_out = grad.strides == leaf._array.strides and (own or grad.flags.c_contiguous)
        if grad.ndim > 1 and grad.size and not laid_out:
            leaf._grad = wrap(_laid_out(grad, leaf._array, own))
        else:
            leaf._grad = wrap(grad if own else door.copy(grad))
        return
    counter = shared_counter(total)
    if isinstance(counter, Inference):
        if not mode.inference:
            raise RuntimeError(errors.INFERENCE_WRITE)
    elif moments:  # a checkpoint may ask whether what it read was written since
        note(counter, own_array(total))
    else:
        counter.value += 1
    if isinstance(total._array, np.generic):
        total._array = total._array + grad
    else:
        backend.of(total._array).add_into(total._array, grad)


def _accumulate_recorded(leaf: Any, grad: Any) -> None:
    """Add to the ``.grad`` of a leaf, out of place and so that it can be differentiated."""
    own = leaf._grad is not None or (
        _holders(grad) <= _ONE
        and _holders(grad._array) <= _ONE
        and backend.of(grad._array).owns(grad._array)
    )
    total = grad if leaf._grad is None else leaf._grad + grad
    if _has_layout_for(leaf._array, total._array):
        leaf._grad = total if own else total.clone()
    else:
        leaf._grad = wrap(_empty_for(leaf._array, total._array)).copy_(total)


def _holders(value: Any) -> int:
    """Return how many references there are to a value, its own included."""
    return getrefcount(value)


def _held_once(value: Any) -> int:
    return _holders(value)


_ONE = _held_once(object())  # what a value counts that only a caller's variable holds


def _laid_out(array: Array, leaf: Array, own: bool) -> Array:
    """Return a gradient in memory of its own, in the layout that it is to have at its leaf."""
    if own and (_has_layout_for(leaf, array) or not mode.keeps_layout):
        return array
    result = _empty_for(leaf, array)
    backend.of(result).assign(result, array)
    return result


def _has_layout_for(leaf: Array, array: Array) -> bool:
    """Tell whether a gradient has the strides of its leaf, or plain ones if that has gaps."""
    if not _is_dense(leaf):
        return bool(array.flags.c_contiguous)
    return all(
        n == 1 or s * leaf.itemsize == t * array.itemsize
        for n, s, t in zip(leaf.shape, array.strides, leaf.strides, strict=True)
    )


def _empty_for(leaf: Array, array: Array) -> Array:
    """Return an empty gradient in the layout that it is to have, of the type of ``array``."""
    door = backend.of(array)
    if leaf.shape != array.shape or not _is_dense(leaf):
        return door.empty(array.shape, array.dtype, door.device_of(array))
    result = door.empty_like(leaf, "K")
    return result if result.dtype == array.dtype else door.astype(result, array.dtype)


def _is_dense(array: Array) -> bool:
    """Tell whether the elements fill a piece of memory, in whatever order."""
    expected = array.itemsize
    for stride, n in sorted(zip(array.strides, array.shape, strict=True)):
        if n != 1:
            if stride != expected:
                return False
            expected *= n
    return True

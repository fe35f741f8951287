"""Nodes as the user sees them: by PyTorch's names, with what the call saved, and to be called."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from gpugrad import hooks
from gpugrad.backend import cpu
from gpugrad.graph import Node, Output, TensorBase, leads_nowhere
from gpugrad.hooks import Hook, RemovableHandle
from gpugrad.op import accumulation, hooked, observed
from gpugrad.op.attribute import RAW, SAVED, attributes_of, edges_of, place_of
from gpugrad.op.rule import Rule


class ShownNode(Node):
    """A node that was handed to the user, of a class that bears its name.

    A class with ``__getattr__`` is slower at all attributes, so that a node gets it when it is
    shown, and the walk runs it as one that is out of the ordinary.
    """

    __slots__ = ()

    def __new__(cls) -> ShownNode:
        """Refuse: calls make nodes.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"cannot create '{cls.__name__}' instances")

    @property
    def next_functions(self) -> tuple[tuple[ShownNode | AccumulateGrad | None, int], ...]:
        """Return, for each input, the node that made it and which of its outputs it was."""
        return tuple([_function_of(self.inputs[k]) for k in edges_of(self)])

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for whatever is to be kept with the node."""
        found = super().metadata
        if isinstance(found.get("parent_"), Node):  # which anomaly mode noted
            shown(found["parent_"])
        return found

    @property
    def requires_grad(self) -> bool:
        """True: what needs no gradient has no node."""
        return True

    def __call__(self, *grads: Any) -> Any:
        """Return the gradients of the inputs for those of the outputs, without hooks.

        They are recorded where gradients are, and nothing that was saved is freed.

        Raises:
            TypeError: There are too few or too many, or one is neither a tensor nor ``None``.
            RuntimeError: What was saved is freed, or was written to since.
        """
        _check(grads, self.outputs)
        given = hooked.untensored(grads)
        before = cpu.error_state()
        try:
            cpu.enter(cpu.QUIET)
            nothing = all(g is None for g in given) and not self.rule.always
            found = [None] * len(self.inputs) if nothing else self.rule.backward(
                self, hooked.arrived(self, given)
            )  # fmt: skip
        finally:
            cpu.enter(before)
        results = hooked.tensors([found[k] for k in edges_of(self)])
        return results[0] if len(results) == 1 else results

    def __getattr__(self, name: str) -> Any:
        raw = name.startswith(RAW)
        place = place_of(self, name.replace(RAW, SAVED, 1)) if raw else None
        if place is not None:
            return SavedTensor(self, place)
        return self.rule.op.attribute(self, name)

    def __dir__(self) -> list[str]:
        slots = set(Node.__slots__) | {"op", "outputs"}
        return sorted({*object.__dir__(self), *attributes_of(self)} - slots)


@functools.cache
def _class_of(name: str) -> type[ShownNode]:
    return type(name.split("::")[-1], (ShownNode,), {"__slots__": ()})


def shown(node: Node) -> ShownNode:
    """Return a node, made ready for the user."""
    if not isinstance(node, ShownNode):
        node.__class__ = _class_of(node.name())
    return node  # type: ignore[return-value]


def _check(grads: Sequence[Any], expected: int) -> None:
    if len(grads) != expected:
        raise TypeError(f"expected {expected} arguments, got {len(grads)} instead")
    for k, g in enumerate(grads):
        if g is not None and not isinstance(g, TensorBase):
            raise TypeError(f"argument {k} is not a Variable")


class SavedTensor:
    """One of the values that a node saved, to which hooks can be given."""

    __slots__ = ("_node", "_place")

    def __init__(self, node: Node, place: int):
        self._node = node
        self._place = place

    @property
    def data(self) -> Any:
        """The tensor, or what ``pack_hook`` made of it."""
        value = self._value()
        return value.value if isinstance(value, observed.Packed) else self.unpack()

    @property
    def unpack_hook(self) -> Callable[[Any], Any] | None:
        """The function that unpacks it, if there is one."""
        value = self._value()
        return value.unpack if isinstance(value, observed.Packed) else None

    def _value(self) -> Any:
        if self._node.saved is None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor after it has been freed. Saved "
                "intermediate values of the graph are freed when you call .backward() or "
                "autograd.grad(). Specify retain_graph=True if you need to backward through the "
                "graph a second time or if you need to access saved variables after calling "
                "backward."
            )
        return self._node.saved[self._place] if self._node.saved else None

    def register_hooks(
        self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]
    ) -> None:
        """Keep ``pack_hook(tensor)`` in the place of the tensor; unpack it where it is needed.

        Raises:
            RuntimeError: There is no tensor, it was freed, or it has hooks; or ``pack_hook``
                writes into it.
            TypeError: A hook is no function.
        """
        if not callable(pack_hook) or not callable(unpack_hook):
            raise TypeError("register_hooks(): incompatible function arguments: give two functions")
        node, value = self._node, self._value()
        if value is None:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor with value None is forbidden"
            )
        observed.repack(node, self._place, (pack_hook, unpack_hook))
        if isinstance(node.rule, Rule):  # what is generated for plain operands takes no others
            node.rule = node.rule.op.rule(node.rule.needs, node.outputs)

    def unpack(self) -> Any:
        """Return the tensor.

        Raises:
            RuntimeError: It was freed, or written to since.
        """
        return self._node.rule.op.unpacked(self._node)[self._place]


class AccumulateGrad:
    """Where a gradient ends: the addition to the ``.grad`` of a leaf (its ``variable``)."""

    __slots__ = ("__weakref__", "variable")

    requires_grad = True

    def __init__(self, variable: TensorBase):
        self.variable = variable

    def __call__(self, *grads: Any) -> tuple[()]:
        """Add a gradient to the ``.grad`` of the leaf, and return that nothing is below it.

        Raises:
            TypeError: There is not one argument, or it is neither a tensor nor ``None``.
        """
        _check(grads, 1)
        accumulation.add_to_leaf(self.variable, *grads)
        return ()

    def name(self) -> str:
        """Return PyTorch's name of this function."""
        return "torch::autograd::AccumulateGrad"

    @property
    def next_functions(self) -> tuple[()]:
        """Return nothing: this is an end of the graph."""
        return ()

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for whatever is to be kept with the leaf."""
        found = hooks.about(self.variable)
        if not hasattr(found, "metadata"):
            found.metadata = {}
        return found.metadata

    def register_prehook(self, hook: Hook) -> RemovableHandle:
        """Have walks call ``hook(grad_outputs)`` just before they add to the ``.grad``."""
        return hooks.of_leaf(self.variable).before.add(hook)

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """Have walks call ``hook((), grad_outputs)`` when they have added to the ``.grad``."""
        return hooks.of_leaf(self.variable).after.add(hook)

    def _sequence_nr(self) -> int:
        return 2**64 - 1  # it runs as soon as its gradient is complete

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def accumulation_of(leaf: TensorBase) -> AccumulateGrad:
    """Return where the gradients of a leaf end: one object, as long as someone holds it."""
    about = hooks.about(leaf)
    found = about.accumulation() if hasattr(about, "accumulation") else None
    if found is None:
        found = AccumulateGrad(leaf)
        about.accumulation = weakref.ref(found)
    return found


def _function_of(
    edge: Node | Output | TensorBase | None,
) -> tuple[ShownNode | AccumulateGrad | None, int]:
    if isinstance(edge, Output):
        return shown(edge.node), edge.index
    if isinstance(edge, TensorBase):
        return accumulation_of(edge), 0
    return None if edge is None or leads_nowhere(edge) else shown(edge), 0

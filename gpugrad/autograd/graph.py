"""``torch.autograd.graph``: nodes, gradient edges, and hooks on what a graph saves."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from gpugrad import backend, graph
from gpugrad._device import device as Device  # noqa: N812  a field has its name
from gpugrad._tensor import Tensor
from gpugrad.graph import LEAF, TensorBase, below, edge_of, leads_nowhere, mode
from gpugrad.hooks import RemovableHandle
from gpugrad.op.history import renew
from gpugrad.op.node import AccumulateGrad, accumulation_of
from gpugrad.op.observed import observe
from gpugrad.op.saved import note_write, wrap

Node = graph.Node | AccumulateGrad


class Metadata(NamedTuple):
    """What a gradient must be like to arrive at a tensor."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    device: Device
    door: backend.Backend


def metadata(tensor: TensorBase) -> Metadata:
    """Return what a gradient of a tensor must be like."""
    array = tensor._array
    door = backend.of(array)
    return Metadata(tuple(array.shape), array.dtype, door.device_of(array), door)


class GradientEdge(NamedTuple):
    """A place in the graph through which a gradient passes: an output of a node.

    ``backward`` and ``grad`` take it in place of the tensor; it keeps the node, but not the tensor.
    The node itself keeps the graph, for which PyTorch has the ``ownership_token``; here that says
    what a gradient must be like.  An edge made without it takes any gradient, and needs one.
    """

    node: Node
    output_nr: int
    ownership_token: Metadata | None = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the edge at which the gradient of a tensor arrives.

    Raises:
        RuntimeError: The tensor does not require grad.
    """
    renew(tensor)
    if tensor._edge is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
    backend.reveal(tensor)
    node = accumulation_of(tensor) if tensor._edge is LEAF else tensor.grad_fn
    assert node is not None, "Expected gradient function to be set"
    return GradientEdge(node, tensor.output_nr, metadata(tensor))


def target(place: TensorBase | GradientEdge) -> Any:
    """Return where a walk delivers the gradient of a tensor, or of an edge."""
    if isinstance(place, TensorBase):
        edge = edge_of(place)  # what leads nowhere receives no gradient either
        return wrap(place._array) if leads_nowhere(edge) else edge
    node, index, _ = place
    if isinstance(node, AccumulateGrad):
        return node.variable
    return graph.output_of(node, index)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Note that the memory of a tensor, or of several, was written by what gpugrad cannot see.

    A backward that needs the old values then fails instead of being wrong.
    """
    for t in (tensor,) if isinstance(tensor, TensorBase) else tensor:
        note_write(t)


# --------------------------------------------------------------------------- saved tensors


class saved_tensors_hooks:  # noqa: N801  PyTorch's name
    """While the block runs, save ``pack_hook(tensor)`` instead of tensors that backward needs.

    Where a value is needed, ``unpack_hook`` is called with what was saved and returns a tensor of
    the same shape, type and device.  Of nested blocks the innermost counts, in this thread.
    What ``pack_hook`` returns must not be written to; an output of the operation that saves it
    comes without its ``grad_fn``, so that to return it as it is makes no reference cycle.

    Raises:
        RuntimeError: Hooks are disabled; ``pack_hook`` writes into its argument.
        TypeError: In the walk, ``unpack_hook`` did not return a tensor.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]):
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        observe((*mode.hooks, (self.pack_hook, self.unpack_hook)), mode.anomaly)

    def __exit__(self, *exception: object) -> None:
        observe(mode.hooks[:-1], mode.anomaly)


class save_on_cpu(saved_tensors_hooks):  # noqa: N801  PyTorch's name
    """While the block runs, keep what backward needs in the memory of the host.

    Args:
        pin_memory: Use page-locked memory, to and from which CUDA copies faster.
    """

    def __init__(self, pin_memory: bool = False):
        def pack(tensor: Tensor) -> tuple[Any, Any]:
            door = backend.of(tensor._array)
            if pin_memory:
                return tensor.device, wrap(door.to_pinned(tensor._array))
            return tensor.device, tensor.cpu()

        super().__init__(pack, lambda packed: packed[1].to(packed[0]))


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """While the block runs, raise a RuntimeError with this message where such hooks are entered.

    Raises:
        RuntimeError: There are hooks already.
    """
    if mode.hooks:
        raise RuntimeError(error_message)
    before = mode.disabled
    mode.disabled = error_message
    try:
        yield
    finally:
        mode.disabled = before


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """While the block runs, save copies, so that what was saved may be written to in place.

    PyTorch copies only at the write; here each value that is saved is copied.
    """
    with saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        yield


# --------------------------------------------------------------------------- several tensors


class _Handles(RemovableHandle):
    """What removes several hooks at once."""

    __slots__ = ("_handles",)

    def __init__(self, handles: Sequence[RemovableHandle]):
        self._handles = tuple(handles)

    def remove(self) -> None:
        """Remove all of them."""
        for handle in self._handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: str = "all"
) -> RemovableHandle:
    """Have each walk call a function once for several tensors.

    With ``mode="all"`` it is called as ``fn(grads)``, when the gradients of all those tensors are
    complete which the walk leads to, ``None`` for the others; with "any" as ``fn(grad)``, with the
    first that is complete.

    Raises:
        ValueError: There is no such mode.
        AssertionError: A tensor does not require grad, with "all"; with "any" it does not count.
        RuntimeError: In the walk, with "all": ``autograd.grad`` wants the gradient of a leaf.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "any":
        tensors = [t for t in tensors if t.requires_grad]
    elif not all(t.requires_grad for t in tensors):
        raise AssertionError("Expected gradient function to be set")
    met = _Met(tensors, fn, mode == "all")
    return _Handles([t.register_hook(met.hook(k)) for k, t in enumerate(tensors)])


class _Met:
    """The gradients of several tensors that the walk of each thread has completed."""

    def __init__(self, tensors: Sequence[Tensor], function: Callable[[Any], None], all_: bool):
        self.places = [target(t) for t in tensors]
        self.function = function
        self.all = all_
        self.found = threading.local()

    def hook(self, index: int) -> Callable[[Any], None]:
        """Return the hook on one of the tensors."""

        def arrived(grad: Any) -> None:
            found, walk = self.found, mode.walk
            new = found.__dict__.get("walk", _nothing)() is not walk
            if new or (self.all and not found.met):
                found.walk, found.grads, found.met = weakref.ref(walk), [None] * len(self.places), 0
                found.expected = _reached(walk, self.places) if self.all else 1
            found.grads[index] = grad
            found.met += 1
            if found.met == found.expected:
                grads = found.grads
                if self.all:
                    found.grads, found.met = None, 0
                self.function(grads if self.all else grad)

        return arrived


def _nothing() -> None:
    """Stand for a walk that is gone."""


def _reached(walk: Any, places: Sequence[Any]) -> int:
    """Return at how many of these places gradients of a walk arrive; one root does not count.

    Raises:
        RuntimeError: Such a place is a leaf, whose gradient ``autograd.grad`` wants.
    """
    edges = list(walk.roots) if len(walk.roots) > 1 else []
    for sequence, node in below(walk.roots).items():
        rule = node.rule if walk.rules is None else walk.rules[sequence]
        if rule is not None:
            edges += [e for e, needed in zip(node.inputs, rule.needs, strict=True) if needed]
    keys = {graph.place_of(e) for e in edges}
    found = [p for p in places if graph.place_of(p) in keys]
    if not walk.accumulates and any(
        isinstance(p, TensorBase) and p in walk.captured.nodes for p in found
    ):
        raise RuntimeError(
            "A leaf node was passed to _will_engine_execute_node but we are currently running "
            "autograd.grad(). This is currently not supported."
        )
    return len(found)


__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks",
    "get_gradient_edge", "increment_version", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks",
]  # fmt: skip

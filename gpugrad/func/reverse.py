"""Derivatives in reverse mode: ``grad``, ``vjp`` and ``jacrev``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from gpugrad import tree
from gpugrad._tensor import Tensor
from gpugrad.autograd import engine
from gpugrad.autograd.basis import along_basis
from gpugrad.graph import (
    UNRECORDED,
    Scope,
    edge_of,
    mode,
    recording,
    restoring,
    scoped,
    transforming,
)
from gpugrad.op.batching import in_every_example
from gpugrad.op.dual import leads_elsewhere, outside, tangents_of, unrecorded, variable, with_bases
from gpugrad.op.saved import counters_of
from gpugrad.ops.filled import zeros_like
from gpugrad.tree import Argnums

Function = Callable[..., Any]


class Level:
    """One call of a function whose arguments are made the ends of a graph of its own.

    What the arguments were computed from stays behind them, so that derivatives can be taken of
    derivatives, also later than of values that are not recorded; nothing of the call's own is seen
    from outside.
    """

    def __init__(self, tensors: Sequence[Any], recorded: bool, others: Sequence[Any] = ()):
        """Take the arguments; ``recorded`` is whether the caller records.

        The function may write into ``others``, which are not differentiated.
        """
        for t in tensors:
            if not isinstance(t, Tensor):
                raise ValueError(f"Thing passed to transform API must be Tensor, got {type(t)}")
            if not (t.is_floating_point() or t.is_complex()):
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
        self.recorded = recorded
        self.inputs = [
            _argument(t) if t.requires_grad else variable(t) for t in map(in_every_example, tensors)
        ]
        self.scope = Scope(counters_of(others), tensors)
        self.plain = [t for t in with_bases(others) if t._edge is None]
        self.token = object()  # what the hooks of this call refer to: they keep nothing alive

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have hooks that are registered in the block run only in walks of this call."""
        before = mode.derivative
        mode.derivative = self.token
        try:
            yield
        finally:
            mode.derivative = before

    def call(self, function: Callable[[], Any]) -> Any:
        """Call the function; tensors that it wrote get no history of this call's own."""
        try:
            with self.running(), scoped(self.scope):
                result = function()
            return tree.mapped(self._own, result)
        finally:
            for t in self.plain:
                if t._edge is not None and not leads_elsewhere([edge_of(t)], self.inputs):
                    t._edge = None
            for t in self.plain:
                view = t._view
                if view is not None and t._edge is None and view.edge is not UNRECORDED:
                    view.edge = view.base._edge

    def _own(self, result: Any) -> Any:
        """Return what a function returned, another tensor where it is an argument that it wrote."""
        written = any(result is t for t in self.plain) and result._edge is not None
        return result.view_as(result) if written else result

    def outside(self, result: Any) -> Any:
        """Return the results in a tree as the caller may see them."""
        if self.recorded:
            return tree.mapped(lambda t: outside(t, self.inputs), result)
        return tree.mapped(unrecorded, result)

    def grads(
        self, outputs: Sequence[Any], weights: Sequence[Any], recorded: bool, keep: bool = False
    ) -> list[Any]:
        """Return the gradients of the inputs, zero where there is none."""
        for w in weights:
            if w is not None and not isinstance(w, Tensor):
                raise TypeError(
                    f"gradients can be either Tensors or None, but got {type(w).__name__}"
                )
        pairs = [(t, w) for t, w in zip(outputs, weights, strict=True) if t.requires_grad]
        if not pairs:
            return [zeros_like(x) for x in self.inputs]
        known = [t for pair in pairs for t in pair if t is not None]
        create = recorded and leads_elsewhere(_histories(known), self.inputs)
        with self.running():
            grads = engine.grad(
                [t for t, _ in pairs], self.inputs, [w for _, w in pairs],
                retain_graph=keep or create, create_graph=create, allow_unused=True,
            )  # fmt: skip
        found = [zeros_like(x) if g is None else g for g, x in zip(grads, self.inputs, strict=True)]
        if not recorded:
            return [unrecorded(g) for g in found]
        return [outside(g, self.inputs) for g in found]


def _argument(tensor: Any) -> Any:
    """Return a view of a tensor that may not be written: it is what gradients are taken by."""
    view = tensor.view_as(tensor)
    if view._edge is None:  # the tensor is a view that was taken while nothing was recorded
        return variable(tensor)
    view._view.origin = "argument"
    return view


def _histories(tensors: Sequence[Any]) -> list[Any]:
    """Return the edges of tensors and of their tangents."""
    found = []
    for t in tensors:
        if t._edge is not None:
            found.append(edge_of(t))
        found += _histories(list(tangents_of(t).values()))
    return found


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return a function that computes the gradient of ``func``, a scalar.

    Args:
        func: It returns a tensor without dimensions; with ``has_aux`` a tuple of that and others.
        argnums: By which arguments: one, or a tuple.
        has_aux: Return also what ``func`` returns besides.

    Returns:
        A function of the same arguments.  It returns a gradient like the argument (nested tuples,
        lists and dictionaries of tensors are taken as they are), or a tuple of them; with
        ``has_aux`` a tuple of that and the rest.

    Raises:
        RuntimeError: When called: ``func`` returned something else, or writes a tensor that it
            neither made nor was given; ``argnums`` does not fit.
        ValueError: When called: an argument holds something else than tensors.
    """

    @functools.wraps(func)
    @restoring
    def gradient(*args: Any, **kwargs: Any) -> Any:
        grads, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return gradient


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return a function that computes the gradient and the value of ``func``.

    Args:
        func: It returns a tensor without dimensions; with ``has_aux`` a tuple of that and others.
        argnums: By which arguments: one, or a tuple.
        has_aux: ``func`` returns something besides.

    Returns:
        A function of the same arguments that returns the gradient as :func:`grad` does, and what
        ``func`` returned.

    Raises:
        RuntimeError: When called: ``func`` returned something else, or writes a tensor that it
            neither made nor was given; ``argnums`` does not fit.
        ValueError: When called: an argument holds something else than tensors.
    """
    name = "grad_and_value(f)(*args)"

    @functools.wraps(func)
    @restoring
    def gradient(*args: Any, **kwargs: Any) -> Any:
        recorded = mode.enabled
        with recording(True), transforming():
            wanted = tree.chosen(args, argnums)
            level = Level(tree.leaves(wanted), recorded, tree.others(args, kwargs, argnums))
            inputs = tree.rebuilt(wanted, level.inputs)
            result = level.call(lambda: func(*tree.replaced(args, argnums, inputs), **kwargs))
            output, _ = tree.with_aux(result, has_aux, name)
            if not isinstance(output, Tensor):
                raise RuntimeError(
                    f"{name}: Expected f(*args) to return a Tensor, got {type(output)}"
                )
            if output.ndim:
                raise RuntimeError(
                    f"{name}: Expected f(*args) to return a scalar Tensor, got tensor with "
                    f"{output.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            grads = level.grads([output], [None], recorded)
            return tree.rebuilt(wanted, grads), level.outside(result)

    return gradient


@restoring
def vjp(func: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return ``func(*primals)``, and the function that multiplies vectors with its Jacobian.

    Args:
        func: It returns tensors, in nested tuples, lists and dictionaries or alone.
        primals: Tensors, likewise.
        has_aux: ``func`` returns a tuple of that and of what is not differentiated.

    Returns:
        The outputs; a function of something like them, which returns a tuple of gradients like the
        primals and can be called again; with ``has_aux`` also the rest.

    Raises:
        RuntimeError: ``func`` returned something else, or writes a tensor that it neither made nor
            was given; when the function is called: its argument has another structure or shape.
        ValueError: A primal is no tensor.
    """
    return _vjp(func, primals, (), has_aux)


def _vjp(
    func: Function, primals: tuple[Any, ...], others: Sequence[Any], has_aux: bool
) -> tuple[Any, ...]:
    """Do what :func:`vjp` does; ``others`` are tensors that the function may write."""
    name = "vjp(f, *primals)"
    recorded = mode.enabled
    with recording(True), transforming():
        level = Level(tree.leaves(primals), recorded, others)
        result = level.call(lambda: func(*tree.rebuilt(primals, level.inputs)))
        output, aux = tree.with_aux(result, has_aux, name)
        tree.check_tensors(output, name)
        outputs = tree.leaves(output)

    @restoring
    def pullback(cotangents: Any, retain_graph: bool = True, create_graph: Any = None) -> Any:
        create = mode.enabled if create_graph is None else create_graph
        if not tree.same_structure(cotangents, output):
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {tree.outline(cotangents)}, primal output: "
                f"{tree.outline(output)}"
            )
        with recording(True):
            grads = level.grads(outputs, tree.leaves(cotangents), create, retain_graph)
        return tree.rebuilt(primals, grads)

    value = level.outside(output)
    return (value, pullback, level.outside(aux)) if has_aux else (value, pullback)


def jacrev(
    func: Function, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Function:
    """Return a function that computes the Jacobian of ``func`` in reverse mode.

    One walk through the graph computes all rows together, or ``chunk_size`` of them, as
    :func:`vmap` does; with 1 it is a loop, for backwards that ``vmap`` cannot run.

    Args:
        func: It returns tensors, in nested tuples, lists and dictionaries or alone.
        argnums: By which arguments: one, or a tuple.
        has_aux: ``func`` returns a tuple of that and of what is not differentiated.
        chunk_size: How many rows are computed together at most, to save memory; all by default.

    Returns:
        A function of the same arguments.  In the place of each output it returns something like
        the argument, or a tuple for several, of tensors of shape ``output.shape + input.shape``.

    Raises:
        RuntimeError: When called: as :func:`vjp`.
        ValueError: ``chunk_size`` is not positive.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    @restoring
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        wanted = tree.chosen(args, argnums)
        tree.check_real(wanted, "jacrev", "inputs")
        output, pullback, *aux = _vjp(
            lambda values: func(*tree.replaced(args, argnums, values), **kwargs),
            (wanted,),
            tree.others(args, kwargs, argnums),
            has_aux,
        )
        tree.check_real(output, "jacrev", "outputs")
        outputs, inputs = tree.leaves(output), tree.leaves(wanted)

        def along(vectors: Sequence[Any]) -> Sequence[Any]:
            with nullcontext() if chunk_size == 1 else transforming(mode.batches[-1]):
                return tree.leaves(pullback(tree.rebuilt(output, vectors)))

        rows = along_basis(along, outputs, chunk_size)
        blocks = zip(*[r.split([t.numel() for t in outputs]) for r in rows], strict=True)
        found = tree.rebuilt(output, [
            tree.rebuilt(wanted, [
                r.reshape(t.shape + x.shape) for r, x in zip(block, inputs, strict=True)
            ])
            for t, block in zip(outputs, blocks, strict=True)
        ])  # fmt: skip
        return (found, aux[0]) if has_aux else found

    return jacobian

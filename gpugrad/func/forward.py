"""Derivatives in forward mode: ``jvp``, ``jacfwd``, ``hessian`` and ``linearize``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from gpugrad import tree
from gpugrad.autograd.basis import along_basis
from gpugrad.autograd.forward_ad import dual_at
from gpugrad.func.batch import check_randomness
from gpugrad.func.reverse import Level, jacrev
from gpugrad.graph import (
    Scope,
    TensorBase,
    below,
    edge_of,
    mode,
    place_of,
    reaching_back,
    recording,
    restoring,
    scoped,
    transforming,
)
from gpugrad.op.dual import (
    forward_level,
    leads_elsewhere,
    leave,
    note_starts,
    outside,
    primal,
    tangent_of,
    unrecorded,
)
from gpugrad.op.saved import check_view, counters_of
from gpugrad.ops.filled import zeros_like
from gpugrad.tree import Argnums

Function = Callable[..., Any]


@restoring
def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return ``func(*primals)``, and how it moves when the primals move by the tangents.

    Args:
        func: It returns tensors, in nested tuples, lists and dictionaries or alone.
        primals: A tuple of arguments: tensors, likewise.
        tangents: For each tensor in them one of the same shape.
        strict: Raise where an output does not move, instead of giving zeros.
        has_aux: ``func`` returns a tuple of that and of what is not differentiated.

    Returns:
        The outputs, and something like them; with ``has_aux`` also the rest.

    Raises:
        RuntimeError: ``primals`` is no tuple, the tangents have another structure or shape,
            ``func`` returned something else, or writes a tensor that it neither made nor was given,
            or ``strict`` found that an output does not move.
        ValueError: A primal is not floating point or complex.
    """
    return _jvp(func, primals, tangents, (), strict, has_aux)


def _jvp(
    func: Function, primals: Any, tangents: Any, others: Sequence[Any], strict: bool, has_aux: bool
) -> tuple[Any, ...]:
    """Do what :func:`jvp` does; ``others`` are tensors that the function may write."""
    name = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    if not tree.same_structure(primals, tangents):
        raise RuntimeError(
            f"{name}: Expected primals and tangents to have the same python structure. For example,"
            " if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {tree.structure(primals)} and tangents with structure "
            f"{tree.structure(tangents)}"
        )
    moving, directions = tree.leaves(primals), tree.leaves(tangents)
    for what, values in ("primals", moving), ("tangents", directions):
        for t in values:
            if not isinstance(t, TensorBase):
                raise RuntimeError(
                    f"{name}: Expected {what} to only contain Tensors, got {type(t)}"
                )
    given = counters_of([*directions, *others])
    with (
        forward_level() as level,
        transforming(level),
        scoped(Scope(given, moving, level)),
    ):
        pairs = zip(moving, directions, strict=True)
        duals = tree.rebuilt(primals, [dual_at(level, p, t) for p, t in pairs])
        output, aux = tree.with_aux(func(*duals), has_aux, name)
        for t in tree.leaves(output):
            tree.check_tensors(t, "jvp(f, primals, tangents)")
            if strict and tangent_of(t, level) is None:
                raise RuntimeError(
                    "jvp(f, primals, tangents, strict=True): The output of f is independent of the "
                    "inputs. This is not allowed with strict=True."
                )
        value = tree.mapped(lambda t: primal(t, level), output)
        moved = tree.mapped(lambda t: _moved(t, level), output)
        rest = tree.mapped(lambda t: primal(t, level), aux) if has_aux else None
    return (value, moved, rest) if has_aux else (value, moved)


def _moved(output: Any, level: int) -> Any:
    tangent = tangent_of(output, level)
    return zeros_like(output) if tangent is None else tangent


def jacfwd(
    func: Function,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Function:
    """Return a function that computes the Jacobian of ``func`` in forward mode.

    One call of ``func`` computes all columns together, as :func:`vmap` does.

    Args:
        func: It returns tensors, in nested tuples, lists and dictionaries or alone.
        argnums: By which arguments: one, or a tuple.
        has_aux: ``func`` returns a tuple of that and of what is not differentiated.
        chunk_size: How many columns are computed together at most, to save memory; all by default.
            With 1 it is a loop, for functions that ``vmap`` cannot run.
        randomness: What random functions do, as for :func:`vmap`.

    Returns:
        A function of the same arguments.  In the place of each output it returns something like
        the argument, or a tuple for several, of tensors of shape ``output.shape + input.shape``.

    Raises:
        RuntimeError: ``randomness`` is something else; when called: as :func:`jvp`.
        ValueError: ``chunk_size`` is not positive.
    """
    check_randomness(randomness)
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacfwd: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    @restoring
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        wanted = tree.chosen(args, argnums)
        tree.check_real(wanted, "jacfwd", "inputs")
        inputs = tree.leaves(wanted)
        for t in inputs:
            if not isinstance(t, TensorBase):
                raise ValueError(f"Thing passed to transform API must be Tensor, got {type(t)}")
        results: list[Any] = []

        def along(tangents: Sequence[Any]) -> Sequence[Any]:
            with nullcontext() if chunk_size == 1 else _transforming_tangents():
                results[:] = _jvp(
                    lambda values: func(*tree.replaced(args, argnums, values), **kwargs),
                    (wanted,),
                    (tree.rebuilt(wanted, tangents),),
                    tree.others(args, kwargs, argnums),
                    False,
                    has_aux,
                )
            return tree.leaves(results[1])

        try:
            columns = along_basis(along, inputs, chunk_size, randomness)
        finally:
            leave(tree.leaves((args, kwargs)))
        output, _, *aux = results
        tree.check_real(output, "jacfwd", "outputs")
        found = tree.rebuilt(output, [
            tree.rebuilt(wanted, [
                block.movedim(0, -1).reshape((*block.shape[1:], *x.shape))
                for block, x in zip(c.split([x.numel() for x in inputs]), inputs, strict=True)
            ])
            for c in columns
        ])  # fmt: skip
        return (found, aux[0]) if has_aux else found

    return jacobian


@contextmanager
def _transforming_tangents() -> Iterator[None]:
    level = mode.batches[-1]
    level.of_tangents = True
    with transforming(level):
        yield


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """Return a function that computes the second derivatives of ``func``.

    It is ``jacfwd(jacrev(func, argnums), argnums)``: forward mode over reverse mode.

    Args:
        func: It returns tensors, in nested tuples, lists and dictionaries or alone.
        argnums: By which arguments: one, or a tuple.

    Returns:
        A function of the same arguments, whose results have the shape
        ``output.shape + input.shape + input.shape``.
    """
    return jacfwd(jacrev(func, argnums), argnums)


@restoring
def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """Return ``func(*primals)``, and the function that moves it along tangents.

    ``func`` is called once; its record is then walked from the inputs to the outputs for each
    vector, which is faster than :func:`jvp` for several of them at one point.

    Args:
        func: It returns tensors, in nested tuples, lists and dictionaries or alone.
        primals: Tensors, likewise.

    Returns:
        The outputs; a function of as many tangents, of the shapes of the primals, that returns
        something like the outputs, and is differentiated by the tangents, in which it is linear,
        and by what the primals and the function depend on.

    Raises:
        RuntimeError: ``func`` returned something else, or writes a tensor that it neither made nor
            was given; when the function is called: the tangents have another structure or shape.
    """
    name = "linearize(f, *primals)"
    recorded = mode.enabled
    with recording(True), _linearizing():
        level = Level(tree.leaves(primals), recorded)
        with scoped(Scope(counters_of(level.inputs))):
            output = func(*tree.rebuilt(primals, [_writable(x) for x in level.inputs]))
        tree.check_tensors(output, name)
    note_starts(level.inputs)
    outputs = tree.leaves(output)

    @restoring
    def pushforward(*tangents: Any) -> Any:
        if not tree.same_structure(tangents, primals):
            raise RuntimeError(
                f"Expected the tangents {tree.structure(tangents)} to have the same argspec as the "
                f"primals {tree.structure(primals)}"
            )
        given = tree.leaves(tangents)
        for k, (t, x) in enumerate(zip(given, level.inputs, strict=True)):
            for what in ("shape", "dtype"):
                if getattr(t, what) != getattr(x, what):
                    raise RuntimeError(
                        f"tangent:{k} with {what} {getattr(t, what)} in flattened pytree doesn't "
                        f"match the {what} {getattr(x, what)} of the corresponding primal."
                    )
        recorded = mode.enabled and (
            any(t.requires_grad for t in given)
            or leads_elsewhere([edge_of(t) for t in outputs if t._edge is not None], level.inputs)
        )
        found = walk_forward(outputs, level.inputs, given, recorded)
        results = [zeros_like(t) if m is None else m for t, m in zip(outputs, found, strict=True)]
        if recorded:
            results = [outside(t, level.inputs) for t in results]
        return tree.rebuilt(output, results if recorded else [unrecorded(t) for t in results])

    return level.outside(output), pushforward


@contextmanager
def _linearizing() -> Iterator[None]:
    before = mode.linearizing
    mode.linearizing = True
    try:
        yield
    finally:
        mode.linearizing = before


def _writable(variable: Any) -> Any:
    """Return a tensor on the memory of a leaf that may be written, as it is not a leaf's view."""
    if not variable.is_leaf:
        return variable
    alias = variable.view_as(variable)
    alias._view = None
    return alias


def walk_forward(
    outputs: Sequence[Any], inputs: Sequence[Any], tangents: Sequence[Any], recorded: bool
) -> list[Any]:
    """Return how recorded outputs move when the inputs move by the tangents.

    With ``recorded`` that can be differentiated by the tangents.
    The graph is walked in the order in which it was recorded, each operation by its own rule.  A
    tangent may be ``None``, as are those of outputs that do not move.
    """
    found = {
        place_of(edge_of(x)): t for x, t in zip(inputs, tangents, strict=True) if t is not None
    }
    for t in outputs:
        check_view(t)
    edges = [None if t._edge is None else edge_of(t) for t in outputs]
    nodes = below(edges)
    with recording(recorded), reaching_back():
        for sequence in sorted(nodes):
            node = nodes[sequence]
            moving = [found.get(place_of(edge)) for edge in node.inputs]
            if (id(node), 0) not in found and any(t is not None for t in moving):
                for k, t in enumerate(node.op.jvp(node, moving)):
                    found[id(node), k] = t
    return [found.get(place_of(edge)) for edge in edges]

"""A user's ``Function`` as an operation of the graph: its nodes, their backward, its tangents."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence, Set
from contextlib import nullcontext
from functools import cached_property
from typing import Any, NamedTuple

from gpugrad._dtype import INEXACT
from gpugrad.autograd import batch, check
from gpugrad.autograd.context import FunctionCtx, Shared
from gpugrad.backend.batched import Level
from gpugrad.graph import Node, Rule, TensorBase, mode, output_of, record
from gpugrad.op.attribute import missing
from gpugrad.op.dual import carry, outside_of
from gpugrad.op.history import still
from gpugrad.op.hooked import call_user, tensors, untensored
from gpugrad.op.node import SavedTensor
from gpugrad.op.operation import fit
from gpugrad.op.saved import Like, like, shared_counter, unpack, versions_of, wrap, zeros
from gpugrad.ops.copy import clone
from gpugrad.ops.inplace import copy_

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class FunctionOperation:
    """What the nodes of a user's function have as their operation.

    Args:
        cls: The class, with the methods of a :class:`gpugrad.autograd.Function`.
        own: The names of the methods that it defines.
        kind: What the names of its nodes have between that of the class and "Backward".
    """

    def __init__(self, cls: Any, own: Set[str], kind: str):
        self.cls = cls
        self.own = own
        self.name = f"{cls.__name__}{kind}Backward"
        self.context: type[FunctionCtx] = type(self.name, (FunctionCtx,), {})

    @cached_property
    def signature(self) -> inspect.Signature:
        """The parameters of ``forward``."""
        return inspect.signature(self.cls.forward)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of a call by position, where their gradients belong.

        With ``setup_context`` defaults are filled in.

        Raises:
            TypeError: They are not those of ``forward``, or one can be given by keyword only.
        """
        parameters = list(self.signature.parameters.values())
        if "setup_context" in self.own:
            bound = self.signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        else:
            del parameters[:1]  # ctx
        names = [p.name for p in parameters if p.kind in _BY_POSITION]
        for name in kwargs:
            if name not in names:
                raise TypeError(f"forward() got an unexpected keyword argument '{name}'")
            if names.index(name) < len(args):
                raise TypeError(f"forward() got multiple values for argument '{name}'")
        left = dict(kwargs)
        found = list(args)
        while left:
            name = names[len(found)]
            if name not in left:
                raise TypeError(
                    f"forward() missing required argument: '{name}' (position {len(found)})"
                )
            found.append(left.pop(name))
        return tuple(found)

    def attribute(self, node: Node, name: str) -> Any:
        """Return an attribute of the call's ``ctx``."""
        ctx = node.params.shared.of(node)
        if name in vars(ctx) or hasattr(FunctionCtx, name):
            return getattr(ctx, name)
        if name == "_raw_saved_tensors":
            return tuple([None if k is None else SavedTensor(node, k) for k in ctx._kept])
        raise missing(node, name)

    def saved_names(self, node: Node) -> Sequence[str | None]:
        """Return that saved values have no names of their own."""
        return ()

    def facts(self, node: Node) -> Mapping[str, Any]:
        """Return the names of the attributes of the call's ``ctx``."""
        known = ("_raw_saved_tensors", "saved_tensors", *vars(node.params.shared.of(node)))
        names = [n for n in known if n == "_raw_saved_tensors" or not n.startswith("_")]
        return dict.fromkeys(names)

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """Return what a call saved."""
        ctx = node.params.shared.of(node)
        return unpack(node, len(ctx._kept), ctx._outputs)

    def record(
        self,
        ctx: FunctionCtx,
        args: Sequence[Any],
        inputs: Sequence[Any],
        outs: Sequence[Any],
        made: Sequence[Any],
        levels: tuple[Level, ...],
    ) -> None:
        """Make the node of a call and attach it to the outputs that have gradients."""
        ends = _differentiable(ctx, outs, made)
        if not ends:
            return
        saved = _saved(ctx, ends)
        places = tuple([k for k, a in enumerate(args) if isinstance(a, TensorBase)])
        call = _Call(
            Shared(ctx),
            len(args),
            places,
            tuple([like(args[k]) for k in places]),
            tuple([like(o) if isinstance(o, TensorBase) else None for o in made]),
            levels if mode.transforms else (),
        )
        needs = tuple([inputs[k] is not None for k in places])
        values = (*saved, *(None for _ in made)) if saved else ()
        node = record(
            _FunctionRule(self, needs, len(made)),
            tuple([inputs[k] for k in places]),
            values,
            versions_of(values),
            call,
        )
        ctx._node = node
        for k, t in ends.items():
            t._edge = output_of(node, k)

    def carry(
        self,
        ctx: FunctionCtx,
        args: Sequence[Any],
        outs: Sequence[Any],
        made: Sequence[Any],
        wanted: Set[int],
    ) -> None:
        """Give the outputs of a call the tangents that the class's ``jvp`` makes of the arguments'.

        Only those of the levels that are wanted.

        Raises:
            RuntimeError: It returns something that is no tangent of an output, or, of one that
                shares the memory of an argument, a tangent that does not share that one's.
        """
        likes = [like(a) if isinstance(a, TensorBase) else None for a in args]
        places = [k for k, t in enumerate(made) if isinstance(t, TensorBase)]
        moving = _differentiable(ctx, outs, made)

        def moved(_: Sequence[Any], tangents: Sequence[Any], level: int) -> list[Any]:
            if level not in wanted:
                return [None for _ in places]
            writes = [None if t is None else t._version for t in tangents]
            with outside_of(level):
                found = self.moved(ctx, likes, len(made), tangents)
            for k in places:
                if found[k] is not None:
                    check.tangent(k, found[k], moving.get(k))
                if k not in moving:
                    continue
                at = _memory_of(made[k], args)
                if at is None:
                    if any(_same_memory(found[k], t) for t in tangents):
                        found[k] = clone(found[k])  # a write of the output is none of the argument
                    continue
                if tangents[at] is None:  # the argument begins to move
                    found[k] = None if found[k] is None else _begun(made[k], level, found[k])
                elif any(made[k] is t for t in ctx._dirty):
                    check.written_tangent(found[k], tangents[at], writes[at])
                elif not _shares(found[k], tangents[at]):
                    if level not in mode.transforms:
                        raise RuntimeError(check.NO_VIEW)
                    if found[k] is not tangents[at]:
                        shared_counter(made[k]).fixed = check.NO_VIEW + check.FIXED
            return [found[k] for k in places]

        carry(args, [made[k] for k in places], moved)
        ctx._tangents = {k: dict(getattr(made[k], "_tangents", {})) for k in places}

    def moved(
        self,
        ctx: FunctionCtx,
        likes: Sequence[Like | None],
        outputs: int,
        tangents: Sequence[Any],
    ) -> list[Any]:
        """Return what ``jvp`` gives for the tangents of the arguments, one for each output.

        Raises:
            RuntimeError: It returns another number, or something else than tensors and ``None``.
        """
        given = [
            zeros(o)
            if t is None and o is not None and o.dtype.kind in INEXACT and ctx._materializes
            else t
            for t, o in zip(tangents, likes, strict=True)
        ]
        ctx._moving = True
        try:
            found = self.cls.jvp(ctx, *given)
        finally:
            ctx._moving = False
        results = list(found) if isinstance(found, tuple) else [found]
        check.tangents(results, outputs)
        return results

    def jvp(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a node's outputs from those of its tensor arguments."""
        call: _Call = node.params
        given: list[Any] = [None] * call.arguments
        likes: list[Like | None] = [None] * call.arguments
        for k, t, o in zip(call.places, tangents, call.likes, strict=True):
            given[k], likes[k] = t, o
        return self.moved(call.shared.of(node), likes, len(call.out_likes), given)

    def backward(
        self, node: Node, ctx: FunctionCtx, grads: Sequence[Any], needs: Sequence[bool]
    ) -> list[Any]:
        """Return the gradients of the tensor arguments, as tensors that fit them.

        Raises:
            RuntimeError: The user's backward returned something else, or the class has two.
        """
        check.one_backward(self.own)
        call: _Call = node.params
        user = self.cls.vjp if "vjp" in self.own else self.cls.backward
        with batch.reopened(call.levels) if call.levels else nullcontext():
            found = call_user(user, ctx, *grads)
        if not isinstance(found, tuple):
            found = (found,)
        check.gradients(self.name, found, call.arguments, call.places)
        results: list[Any] = []
        for j, (k, o) in enumerate(zip(call.places, call.likes, strict=True)):
            if not needs[j] or found[k] is None:
                results.append(None)
            else:
                check.gradient(self.name, j, found[k], o)
                results.append(fit(found[k], o.shape, o.dtype, node.inputs[j]))
        return results


def _differentiable(
    ctx: FunctionCtx, outs: Sequence[Any], made: Sequence[Any]
) -> dict[int, TensorBase]:
    """Return those of the outputs that have derivatives, by their index."""
    return {
        k: t
        for k, (out, t) in enumerate(zip(outs, made, strict=True))
        if isinstance(t, TensorBase)
        and t._array.dtype.kind in INEXACT
        and not any(out is n for n in ctx._non_differentiable)
    }


def _memory_of(out: TensorBase, args: Sequence[Any]) -> int | None:
    """Return which argument an output is, or shares its memory with as a view."""
    base = out if out._view is None else out._view.base
    for k, a in enumerate(args):
        if isinstance(a, TensorBase) and (
            a is out or a is base or (a._view is not None and a._view.base is base)
        ):
            return k
    return None


def _shares(tangent: Any, other: Any) -> bool:
    """Tell whether a tangent is a view of another one, or both of a third."""
    if tangent is None or tangent._view is None:
        return False
    base = other if other._view is None else other._view.base
    return tangent._view.base is base


def _same_memory(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return False
    return a is b or (a._counter is not None and a._counter is b._counter)


def _begun(tensor: Any, level: int, tangent: Any) -> Any:
    """Give a tensor, and what shares its memory, a tangent; return that."""
    return copy_(still(tensor, level, tangent), tangent)


def _saved(ctx: FunctionCtx, ends: dict[int, TensorBase]) -> list[Any]:
    """Return the tensors that a node keeps, and note in ``ctx`` where it has them.

    Raises:
        TypeError: Something else was saved.
    """
    saved: list[Any] = []
    kept: list[int | None] = []
    outputs: dict[int, int] = {}
    for position, t in enumerate(ctx._to_save):
        check.saved(position, t)
        if t is None:
            kept.append(None)
            continue
        kept.append(len(saved))
        for k, end in ends.items():
            if t is end:  # the node must not lead to its own output
                outputs[len(saved)] = k
                t = wrap(end._array)
                t._counter = shared_counter(end)
        saved.append(t)
    ctx._kept, ctx._outputs = tuple(kept), outputs
    return saved


class _Call(NamedTuple):
    """What the backward of a user's function must know of a call."""

    shared: Shared
    arguments: int  # how many
    places: tuple[int, ...]  # of the tensors among them
    likes: tuple[Like, ...]  # of these tensors
    out_likes: tuple[Like | None, ...]  # None: no tensor
    levels: tuple[Level, ...]  # of vmap, in which it was made


class _FunctionRule:
    """The rule of a user's function, for the tensor arguments in ``needs``."""

    __slots__ = ("needs", "op", "outputs")

    always = True

    def __init__(self, op: FunctionOperation, needs: tuple[bool, ...], outputs: int):
        self.op = op
        self.needs = needs
        self.outputs = outputs

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Return what the user's backward gives for the needed arguments."""
        call: _Call = node.params
        grads = tensors([g] if self.outputs == 1 else g)
        ctx = call.shared.of(node)
        if ctx._materializes:
            grads = tuple([
                zeros(o) if t is None and o is not None else t
                for t, o in zip(grads, call.out_likes, strict=True)
            ])  # fmt: skip
        return untensored(self.op.backward(node, ctx, grads, self.needs))

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule for some of these arguments."""
        return _FunctionRule(self.op, needs, self.outputs)

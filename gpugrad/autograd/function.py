"""``Function``: an operation whose backward the user writes."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from gpugrad.autograd import batch, check
from gpugrad.autograd.context import FunctionCtx as FunctionCtx
from gpugrad.autograd.operation import FunctionOperation
from gpugrad.autograd.refusal import once_differentiable as once_differentiable
from gpugrad.backend.batched import Level
from gpugrad.graph import UNRECORDED, TensorBase, View, mode, recording, restoring
from gpugrad.op.dual import has_tangents, outside_of, seen_from, unrecorded
from gpugrad.op.history import rewrite
from gpugrad.op.saved import edges, note_write, own_array, shared_counter, wrap
from gpugrad.ops.copy import detach


class Function:
    """An operation with a backward of its own.

    A subclass defines static methods: ``forward(ctx, *args)``, or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)``; and ``backward(ctx, *grads)``, which receives the
    gradient of each output and returns that of each argument, ``None`` where there is none.
    It is called by ``apply``.

    Inside the transforms of :mod:`gpugrad.func` it needs a ``setup_context``.  Inside ``vmap`` it
    also needs either ``generate_vmap_rule = True``, if its methods are written with operations on
    tensors, or a static method ``vmap(info, in_dims, *args)``.

    >>> import gpugrad
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * g * x**2
    >>> x = gpugrad.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    def __call__(self, *args: Any) -> Any:
        """Refuse what PyTorch allowed before its methods were static.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method. (Example: "
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result, a tensor or a tuple; gradients are not recorded meanwhile."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Keep in ``ctx`` what ``backward`` needs, where ``forward`` does not take ``ctx``."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradients of the arguments."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward  # PyTorch's other name

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return the tangents of the outputs."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    generate_vmap_rule = False

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """Return what ``forward`` gives for all examples, and where these are in each output.

        Args:
            info: ``info.batch_size`` is the number of examples, ``info.randomness`` the word that
                was given to :func:`gpugrad.func.vmap`.
            in_dims: For each argument the dimension that counts its examples, or ``None`` where it
                is no tensor or the same for all; in the place of a tuple, list or dictionary one
                of those.
            args: The arguments, of all examples together.

        Returns:
            The outputs, and a dimension or ``None`` for each: one for all, or a tuple.
        """
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )

    @classmethod
    @restoring
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` returns, its tensors with the class's backward.

        Raises:
            RuntimeError: The class lacks what the transforms that run need; something else than a
                tensor was marked; a leaf that requires grad was marked as written to, or what was
                is not returned, or is a view and one of several outputs; an argument that is
                returned was saved by ``setup_context``; in the walk, ``backward`` returns too many
                or too few gradients, or one that fits no argument, and so for ``jvp``.
            TypeError: Something else than tensors was saved; ``forward`` returns an array where a
                tensor would have a gradient; keywords that name no argument of it, or one that was
                given, or leave one out between others.
        """
        op = _operation(cls)
        has_setup, has_rule = "setup_context" in op.own, "vmap" in op.own
        if has_rule and kwargs:
            batch.check_keywords(kwargs)
        if kwargs or (has_setup and len(args) != len(op.signature.parameters)):
            args = op.arguments(args, kwargs)
        if mode.transforms:
            batch.check_class(cls.__name__, has_setup, cls.generate_vmap_rule, has_rule)
        levels = batch.levels(args)
        ruled = has_rule and bool(levels or mode.transforms)
        level = batch.differing(args, levels) if ruled else None
        if level is not None and not batch.differentiated_in(level):
            return batch.by_rule(cls, level, args)
        inputs = edges(batch.in_levels(args, levels) if levels else args)
        ctx = op.context()
        ctx.needs_input_grad = _required(args)
        with recording(False), outside_of(-1):  # tangents, too, are left to the class
            if ruled:
                result = batch.by_rule(cls, level, args)
            elif mode.transforms:
                with batch.outside_of_derivatives():
                    result = cls.forward(*args)
            else:
                result = cls.forward(*(() if has_setup else (ctx,)), *args)
            if has_setup:
                if levels and inputs is not None:
                    result = batch.in_every(result, levels, args)
                cls.setup_context(ctx, args, result)
        outs = result if isinstance(result, tuple) else (result,)
        check.marked(ctx._dirty, ctx._non_differentiable)
        check.dirty(ctx._dirty, ctx._non_differentiable, outs, inputs is not None)
        if inputs is not None or (mode.levels and has_tangents(args)):
            check.outputs(op.name, outs)
        for t in ctx._dirty:
            note_write(t, *args)
        made = tuple([_renamed(ctx, o, args, has_setup, inputs is not None) for o in outs])
        written = [(t, t._edge) for t in ctx._dirty]
        if inputs is not None:
            op.record(ctx, args, inputs, outs, made, levels)
        if mode.levels and has_tangents(args):
            op.carry(ctx, args, outs, made, set(mode.levels).difference(mode.transforms))
        ctx._to_save = ctx._dirty = ctx._non_differentiable = ()  # they would lead back to ctx
        if ctx.saved_for_forward:  # and so would outputs
            ctx.saved_for_forward = tuple([
                unrecorded(t) if any(t is o for o in made) else t for t in ctx.saved_for_forward
            ])  # fmt: skip
        returned = made if isinstance(result, tuple) else made[0]
        if mode.transforms:
            _differentiate(cls, args, inputs, returned, levels)
        _mark_views([t for t in made if not any(t is d for d, _ in written)], len(made))
        for t, edge in written:
            if t._edge is not edge:
                new, t._edge = t._edge, edge
                rewrite(t, new)
        return returned


def _required(args: Sequence[Any]) -> tuple[bool, ...]:
    return tuple([isinstance(a, TensorBase) and a._edge is not None for a in args])


def _differentiate(
    cls: type[Function],
    args: tuple[Any, ...],
    inputs: Sequence[Any] | None,
    returned: Any,
    levels: tuple[Level, ...],
) -> None:
    """Take the derivatives of a call that the transforms ask for, the outermost first.

    Each has a context of its own.  What ``setup_context`` computes for it is differentiated by
    those outside of it.
    """
    made = returned if isinstance(returned, tuple) else (returned,)
    forward = [level for level in mode.levels if level in mode.transforms]
    op = _operation(cls, generated=True)
    for transform in mode.transforms:
        if transform is None and inputs is None:
            continue
        if transform is not None and (transform not in forward or not has_tangents(args)):
            continue
        ctx = op.context()
        ctx.needs_input_grad = _required(args)
        inner = forward[0] if forward else inf
        # not the outputs themselves: what is saved must not become a dual tensor later
        outs = tuple([seen_from(t, inner) if isinstance(t, TensorBase) else t for t in made])
        with outside_of(inner):
            cls.setup_context(ctx, args, outs if isinstance(returned, tuple) else outs[0])
        if transform is None:
            assert inputs is not None
            op.record(ctx, args, inputs, outs, made, levels)
        else:
            op.carry(ctx, args, outs, made, {transform})
            forward.remove(transform)
        ctx._to_save = ctx._dirty = ctx._non_differentiable = ()


def _mark_views(outs: Sequence[Any], count: int) -> None:
    """Have those of the outputs that are views refuse writes, which would pass by the backward."""
    for t in outs:
        view = t._view if isinstance(t, TensorBase) else None
        if view is not None:
            view.origin = "function"
            if t._edge is not None:
                view.origin = "multiple" if count > 1 else "function"
                view.edge, view.version = view.base._edge, shared_counter(t).value


def _renamed(
    ctx: FunctionCtx, out: Any, args: Sequence[Any], has_setup: bool, recorded: bool
) -> Any:
    """Return an output; one that has a history already, as another tensor on the same memory.

    An argument comes back as a view of itself; one that requires grad, and gets no history here, as
    a tensor that is detached from it, also where it was written: the argument itself keeps its own.

    Raises:
        RuntimeError: ``setup_context`` saved it, and it is an argument.
    """
    if not isinstance(out, TensorBase):
        return out
    given = any(out is a for a in args)
    differs = recorded and not any(out is t for t in ctx._non_differentiable)
    if given and not differs and out.requires_grad:  # type: ignore[attr-defined]
        return detach(out)  # type: ignore[arg-type]
    if any(out is t for t in ctx._dirty):
        return out
    if out._edge is None and not given:
        return out
    if given and has_setup and any(out is t for t in (*ctx._to_save, *ctx.saved_for_forward)):
        raise RuntimeError(
            "An input that has been returned as-is as output is being saved for backward. This is "
            "not supported if you override setup_context. You should return and save a view of the "
            "input instead, e.g. with x.view_as(x) or setup ctx inside the forward function itself."
        )
    made = wrap(own_array(out))
    made._counter = shared_counter(out)
    base = out if out._view is None else out._view.base
    made._view = View(base, "function", UNRECORDED, made._counter.value)
    return made


_METHODS = ("setup_context", "backward", "vjp", "vmap")  # which a class may define, or not


def _operation(cls: type[Function], generated: bool = False) -> FunctionOperation:
    """Return the operation of a class, made when it is first applied.

    The one that transforms record is "generated", as PyTorch calls it.
    """
    name = "_generated_op" if generated else "_op"
    found: FunctionOperation | None = cls.__dict__.get(name)
    if found is None:
        own = {
            method for method in _METHODS if getattr(cls, method) is not getattr(Function, method)
        }
        found = FunctionOperation(cls, own, "Generated" if generated else "")
        setattr(cls, name, found)
    return found


__all__ = ["Function", "FunctionCtx", "once_differentiable"]

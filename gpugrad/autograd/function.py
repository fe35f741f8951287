"""``Function``: an operation whose backward the user writes."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

from gpugrad import backend, errors
from gpugrad.autograd import batch
from gpugrad.backend.batched import Level
from gpugrad.graph import LEAF, Node, Rule, TensorBase, View, mode, output_of, record, recording
from gpugrad.op.attribute import Named, missing
from gpugrad.op.dual import attach, carry, has_tangents, outside_of, seen_from, unrecorded
from gpugrad.op.history import check_rewritable, rewrite
from gpugrad.op.hooked import call_user, tensors, untensored
from gpugrad.op.operation import fit
from gpugrad.op.saved import (
    Like,
    edges,
    like,
    note_write,
    own_array,
    shared_counter,
    unpack,
    versions_of,
    wrap,
    zeros,
)


class FunctionCtx:
    """What ``forward`` and ``backward`` of a :class:`Function` share; attributes may be added."""

    needs_input_grad: tuple[bool, ...] = ()
    saved_for_forward: tuple[Any, ...] = ()
    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _materializes = True
    _kept: tuple[int | None, ...] = ()  # for each saved tensor where the node has it
    _outputs: dict[int, int]  # which of the node's values are its outputs
    _tangents: Mapping[int, dict[int, Any]] = MappingProxyType({})  # of outputs, by their index
    _node: Callable[[], Node | None] | None = None
    _moving = False  # while ``jvp`` runs

    def save_for_backward(self, *tensors: Any) -> None:
        """Save tensors, or ``None``, for ``backward``; what was written to since is refused."""
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Save tensors for ``jvp``.

        Raises:
            AssertionError: One is neither a tensor nor ``None``.
        """
        for t in tensors:
            if not isinstance(t, TensorBase) and t is not None:
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors; you should save "
                    "non-tensors as attributes on ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        """Say which inputs ``forward`` writes to; it must return them."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say which outputs have no gradient."""
        self._non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether ``backward`` receives zeros, or ``None``, where no gradient arrived."""
        self._materializes = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that were saved, empty while ``forward`` runs; in ``jvp`` those for it.

        Raises:
            RuntimeError: They were freed, or written to since.
        """
        if self._moving:
            return self.saved_for_forward
        node = None if self._node is None else self._node()
        if node is None or not self._kept:
            return ()
        found = unpack(node, len(self._kept), self._outputs)
        return tuple(
            [None if k is None else self._with_history(node, k, found) for k in self._kept]
        )

    def _with_history(self, node: Node, index: int, found: Sequence[Any]) -> Any:
        """Return a saved tensor; those that are outputs are kept without their history."""
        if index not in self._outputs:
            return found[index]
        t = wrap(found[index]._array)
        t._counter = found[index]._counter
        t._edge = output_of(node, self._outputs[index])
        for level, tangent in self._tangents.get(self._outputs[index], {}).items():
            attach(t, level, tangent)
        return t


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
                is no tensor or the same for all.
            args: The arguments, of all examples together.

        Returns:
            The outputs, and a dimension or ``None`` for each: one for all, or a tuple.
        """
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` returns, its tensors with the class's backward.

        Raises:
            RuntimeError: A leaf that requires grad was marked as written to, or what was marked is
                not returned; in the walk, ``backward`` returns too many or too few gradients, or
                one that fits no argument.
            TypeError: Something else than tensors was saved.
        """
        op = _operation(cls)
        has_setup, has_rule = op.signature is not None, op.has_rule
        if op.signature is not None and (kwargs or len(args) < len(op.signature.parameters)):
            bound = op.signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        if mode.transforms:
            batch.check_class(cls.__name__, has_setup, cls.generate_vmap_rule, has_rule)
        levels = batch.levels(args)
        ruled = has_rule and bool(levels or mode.transforms)
        level = batch.differing(args, levels) if ruled else None
        if level is not None and not batch.differentiated_in(level):
            return batch.by_rule(cls, level, args, kwargs)
        inputs = edges(batch.in_levels(args, levels) if levels else args)
        ctx = op.context()
        ctx.needs_input_grad = _required(args)
        with recording(False), outside_of(-1):  # tangents, too, are left to the class
            if ruled:
                result = batch.by_rule(cls, level, args, kwargs)
            elif mode.transforms:
                with batch.outside_of_derivatives():
                    result = cls.forward(*args, **kwargs)
            else:
                result = cls.forward(*(() if has_setup else (ctx,)), *args, **kwargs)
            if has_setup:
                if levels and inputs is not None:
                    result = batch.in_every(result, levels, args)
                cls.setup_context(ctx, args, result)
        outs = result if isinstance(result, tuple) else (result,)
        _check_dirty(ctx, outs, inputs is not None)
        made = tuple([_renamed(ctx, o, args, has_setup) for o in outs])
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


def _check_dirty(ctx: FunctionCtx, outs: Sequence[Any], recorded: bool) -> None:
    """Note the writes to the tensors that were marked.

    Raises:
        RuntimeError: One was not returned, or is a leaf that requires grad.
        TypeError: One is no tensor.
    """
    for t in ctx._dirty:
        if not isinstance(t, TensorBase):
            raise TypeError(f"mark_dirty can only accept variables, but got {type(t).__name__}")
        if not any(t is o for o in outs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )
        untracked = (  # as a view that was made under no_grad
            mode.enabled
            and t._edge is None
            and t._view is not None
            and t._view.base._edge is not None
        )
        if untracked or (recorded and t._edge is LEAF):
            raise RuntimeError(
                "a leaf Variable that requires grad has been used in an in-place operation."
            )
        if recorded and t._view is not None:
            if len(outs) > 1:
                raise RuntimeError(_VIEW_AMONG_OTHERS)
            check_rewritable(t)
        note_write(t)


_VIEW_AMONG_OTHERS = (
    "If your Function modifies inplace an input that is a view of another Tensor, your Function "
    "cannot return more than one Tensor. This is not supported by the current autograd engine. You "
    "should either make sure the input is not a view (using .clone() for example) or make your "
    "Function only return one Tensor (potentially splitting it into two Functions: one doing the "
    "inplace that returns a single Tensor and a second one that does the other operations). You "
    "can ask on the forum https://discuss.pytorch.org/ if you need help to do this change."
)


def _renamed(ctx: FunctionCtx, out: Any, args: Sequence[Any], has_setup: bool) -> Any:
    """Return an output; one that has a history already, as another tensor on the same memory.

    Raises:
        RuntimeError: ``setup_context`` saved it, and it is an argument.
    """
    if not isinstance(out, TensorBase) or any(out is t for t in ctx._dirty):
        return out
    given = any(out is a for a in args)
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
    made._view = View(out, "no_grad")
    return made


def _operation(cls: type[Function], generated: bool = False) -> _Operation:
    """Return the operation of a class, made when it is first applied.

    The one that transforms record is "generated", as PyTorch calls it.
    """
    name = "_generated_op" if generated else "_op"
    found: _Operation | None = cls.__dict__.get(name)
    if found is None:
        found = _Operation(cls, "Generated" if generated else "")
        setattr(cls, name, found)
    return found


class _Operation:
    """A user's function as an operation of the graph."""

    def __init__(self, cls: type[Function], kind: str):
        self.cls = cls
        self.has_rule = cls.vmap is not Function.vmap
        has_setup = cls.setup_context is not Function.setup_context
        self.signature = inspect.signature(cls.forward) if has_setup else None
        self.name = f"{cls.__name__}{kind}Backward"
        self.context: type[FunctionCtx] = type(self.name, (FunctionCtx,), {})

    def attribute(self, node: Node, name: str) -> Any:
        """Return an attribute of the call's ``ctx``."""
        ctx = node.params.ctx
        if name in vars(ctx) or hasattr(FunctionCtx, name):
            return getattr(ctx, name)
        raise missing(node, name)

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
        ends = {
            k: t for k, t in enumerate(made)
            if isinstance(t, TensorBase) and t._array.dtype.kind in "fc"
            and not any(outs[k] is n for n in ctx._non_differentiable)
        }  # fmt: skip
        if not ends:
            return
        saved: list[Any] = []
        kept: list[int | None] = []
        outputs: dict[int, int] = {}
        for k, t in enumerate(ctx._to_save):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {k} is of type "
                    f"{type(t).__name__}"
                )
            kept.append(None if t is None else len(saved))
            if t is None:
                continue
            for j, end in ends.items():
                if t is end:  # the node must not lead to its own output
                    outputs[len(saved)] = j
                    t = wrap(t._array)
                    t._counter = shared_counter(end)
            saved.append(t)
        ctx._kept, ctx._outputs = tuple(kept), outputs
        places = tuple([k for k, a in enumerate(args) if isinstance(a, TensorBase)])
        call = _Call(
            ctx,
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
        ctx._node = weakref.ref(node)
        for k, t in ends.items():
            t._edge = output_of(node, k)

    def carry(
        self,
        ctx: FunctionCtx,
        args: Sequence[Any],
        outs: Sequence[Any],
        made: Sequence[Any],
        wanted: set[int],
    ) -> None:
        """Give the outputs of a call the tangents that the class's ``jvp`` makes of the arguments'.

        Only those of the levels that are wanted.

        Raises:
            RuntimeError: It returns something that is no tangent of an output.
        """
        likes = [like(a) if isinstance(a, TensorBase) else None for a in args]
        places = [k for k, t in enumerate(made) if isinstance(t, TensorBase)]
        moving = [
            k for k in places
            if made[k]._array.dtype.kind in "fc"
            and not any(outs[k] is n for n in ctx._non_differentiable)
        ]  # fmt: skip

        def moved(_: Sequence[Any], tangents: Sequence[Any], level: int) -> list[Any]:
            if level not in wanted:
                return [None for _ in places]
            with outside_of(level):
                found = self.moved(ctx, likes, len(made), tangents)
            for k, t in enumerate(found):
                if t is not None and k in places and k not in moving:
                    raise RuntimeError(
                        f"Function's jvp returned a gradient at position {k}, but  the "
                        "corresponding forward output is not a differentiable Tensor.You should "
                        "return None at that position instead."
                    )
                if t is not None and k in moving and t._array.shape != made[k]._array.shape:
                    raise RuntimeError(
                        "Trying to set a forward gradient that has a different size than that of "
                        "the original Tensor, this is not supported. Tensor is of size "
                        f"{errors.size(made[k]._array.shape)} while the given forward gradient is "
                        f"of size {errors.size(t._array.shape)}."
                    )
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
            if t is None and o is not None and o.dtype.kind in "fc" and ctx._materializes
            else t
            for t, o in zip(tangents, likes, strict=True)
        ]
        ctx._moving = True
        try:
            found = self.cls.jvp(ctx, *given)
        finally:
            ctx._moving = False
        results = list(found) if isinstance(found, tuple) else [found]
        for k, t in enumerate(results):
            if t is not None and not isinstance(t, TensorBase):
                raise RuntimeError(
                    f"expected Variable or None (got {type(t).__name__}) for grad output {k}."
                )
        if len(results) != outputs:
            raise RuntimeError(
                "Function's jvp returned an invalid number of forward gradients (expected "
                f"{outputs} but got {len(results)})"
            )
        return results

    def jvp(self, node: Node, tangents: Sequence[Any]) -> list[Any]:
        """Return the tangents of a node's outputs from those of its tensor arguments."""
        call: _Call = node.params
        given: list[Any] = [None] * call.arguments
        likes: list[Like | None] = [None] * call.arguments
        for k, t, o in zip(call.places, tangents, call.likes, strict=True):
            given[k], likes[k] = t, o
        return self.moved(call.ctx, likes, len(call.out_likes), given)

    def backward(
        self, call: _Call, grads: Sequence[Any], needs: Sequence[bool], inputs: Sequence[Any]
    ) -> list[Any]:
        """Return the gradients of the tensor arguments, as tensors that fit them.

        Raises:
            RuntimeError: The user's backward returned something else.
        """
        cls = self.cls
        own, other = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if own and other:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only implement one of them."
            )
        with batch.reopened(call.levels) if call.levels else nullcontext():
            found = call_user(cls.vjp if other else cls.backward, call.ctx, *grads)
        if not isinstance(found, tuple):
            found = (found,)
        count = call.arguments
        if len(found) < count or any(g is not None for g in found[count:]):
            raise RuntimeError(
                f"function {self.name} returned an incorrect number of gradients (expected "
                f"{count}, got {len(found)})"
            )
        for k, g in enumerate(found[:count]):
            if g is not None and k not in call.places:
                raise RuntimeError(
                    f"function {self.name} returned a gradient different than None at position "
                    f"{k + 1}, but the corresponding forward input was not a Variable"
                )
            if g is not None and not isinstance(g, TensorBase):
                raise RuntimeError(f"expected Variable or None (got {type(g).__name__})")
        return [
            self._fitted(j, found[k], o, inputs[j]) if needed and found[k] is not None else None
            for j, (k, o, needed) in enumerate(zip(call.places, call.likes, needs, strict=True))
        ]

    def _fitted(self, index: int, grad: Any, o: Like, edge: Any) -> Any:
        array = grad._array
        where = backend.of(array).device_of(array)
        if where != o.device:
            raise RuntimeError(
                f"Function {self.name} returned an invalid gradient at index {index} - expected "
                f"device {o.device} but got {where}"
            )
        extra = len(array.shape) - len(o.shape)
        if extra < 0 or any(
            n not in (1, m) for n, m in zip(o.shape, array.shape[extra:], strict=True)
        ):
            raise RuntimeError(
                f"Function {self.name} returned an invalid gradient at index {index} - got "
                f"{errors.size(array.shape)} but expected shape compatible with "
                f"{errors.size(o.shape)}"
            )
        return fit(grad, o.shape, o.dtype, edge)


class _Call(NamedTuple):
    """What the backward of a user's function must know of a call."""

    ctx: FunctionCtx
    arguments: int  # how many
    places: tuple[int, ...]  # of the tensors among them
    likes: tuple[Like, ...]  # of these tensors
    out_likes: tuple[Like | None, ...]  # None: no tensor
    levels: tuple[Level, ...]  # of vmap, in which it was made


class _FunctionRule:
    """The rule of a user's function, for the tensor arguments in ``needs``."""

    __slots__ = ("needs", "op", "outputs")

    def __init__(self, op: _Operation, needs: tuple[bool, ...], outputs: int):
        self.op = op
        self.needs = needs
        self.outputs = outputs

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Return what the user's backward gives for the needed arguments."""
        call: _Call = node.params
        grads = tensors([g] if self.outputs == 1 else g)
        if call.ctx._materializes:
            grads = tuple([
                zeros(o) if t is None and o is not None else t
                for t, o in zip(grads, call.out_likes, strict=True)
            ])  # fmt: skip
        return untensored(self.op.backward(call, grads, self.needs, node.inputs))

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule for some of these arguments."""
        return _FunctionRule(self.op, needs, self.outputs)


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward that is not recorded: to differentiate its gradients is an error.

    Inside of transforms it is one, too, where no incoming gradient depends on anything; the
    gradients would be taken for constants.
    """

    @functools.wraps(fn)
    def backward(ctx: Any, *grads: Any) -> Any:
        with recording(False):
            found = fn(ctx, *grads)
        inputs = edges(grads)
        if inputs is None and mode.enabled and mode.transforms:
            inputs = ctx._node().inputs
        if inputs is None:
            return found
        refused = tuple([
            _refusing(g, inputs) for g in (found if isinstance(found, tuple) else (found,))
        ])  # fmt: skip
        return refused if isinstance(found, tuple) else refused[0]

    return backward


def _refusing(grad: Any, inputs: tuple[Any, ...]) -> Any:
    if grad is None:
        return None
    made = wrap(grad._array)
    made._counter = shared_counter(grad)
    for level, tangent in getattr(grad, "_tangents", {}).items():
        attach(made, level, tangent)  # it was moved by the operations that computed it
    made._edge = record(_Refusal(tuple([e is not None for e in inputs])), inputs, (), None, None)
    return made


class _Refusal:
    """The rule of a gradient that may not be differentiated."""

    op = Named("torch::autograd::Error")
    outputs = 1

    def __init__(self, needs: tuple[bool, ...]):
        self.needs = needs

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Refuse.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the refusal for some of these inputs."""
        return _Refusal(needs)


__all__ = ["Function", "FunctionCtx", "once_differentiable"]

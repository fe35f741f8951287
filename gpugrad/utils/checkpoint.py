"""Computing a part of the forward again in backward, instead of keeping what it saved."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from gpugrad import random
from gpugrad.autograd.engine import backward
from gpugrad.autograd.function import Function
from gpugrad.autograd.grad_mode import enable_grad, is_grad_enabled
from gpugrad.autograd.graph import saved_tensors_hooks
from gpugrad.graph import TensorBase, mode
from gpugrad.op.convention import conventions
from gpugrad.op.saved import wrap

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointError(RuntimeError):
    """What was computed again is not what was computed first."""


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    context_fn: Callable[[], Contexts] | None = None,
    determinism_check: str = "default",
    **kwargs: Any,
) -> Any:
    """Return ``function(*args, **kwargs)``, and compute it again in backward.

    With ``use_reentrant=False`` what the function saves is computed again when the first of it is
    needed, as far as it is needed; the graph is the same as without checkpointing.
    With ``use_reentrant=True`` the call is one node, whose backward runs the function again with
    recording on and then backward through it: no ``autograd.grad``, no keyword arguments, no
    second derivatives.

    Args:
        function: Computes the same, each time that it is called.
        args: What it is called with.
        use_reentrant: Which variant; PyTorch asks to say so, and takes the second otherwise.
        preserve_rng_state: Draw the same random numbers again.  On CUDA they are not those that
            are drawn without checkpointing.
        context_fn: Returns two contexts, for the first and for the second computation; not for the
            reentrant variant.
        determinism_check: "default" compares shapes, types and devices of what is computed again,
            "none" does not.
        kwargs: What it is called with, too.

    Raises:
        ValueError: Keyword arguments or ``context_fn`` with ``use_reentrant=True``.
        CheckpointError: In the walk, something else was computed.
    """
    if use_reentrant is None:
        warnings.warn(
            "gpugrad.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended, but if you need to preserve the current default "
            "behavior, you can pass use_reentrant=True.",
            stacklevel=2,
        )
        use_reentrant = True
    if not use_reentrant:
        frame = _Frame(function, args, kwargs, preserve_rng_state, context_fn, determinism_check)
        return frame.run()
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not None or determinism_check != "default":
        raise ValueError(
            "Passing `context_fn` or `determinism_check` is only supported when "
            "use_reentrant=False."
        )
    return CheckpointFunction.apply(function, preserve_rng_state, *args)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Return the functions applied one after the other, all segments but the last checkpointed.

    Args:
        functions: A sequence of functions of one argument.
        segments: Into how many parts of equal length it is divided.
        input: The argument of the first.
        use_reentrant: As in :func:`checkpoint`.
        preserve_rng_state: As in :func:`checkpoint`.
    """
    functions = list(functions)

    def chain(some: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
        def run(value: Any) -> Any:
            for f in some:
                value = f(value)
            return value

        return run

    length = len(functions) // segments
    for k in range(segments - 1):
        input = checkpoint(
            chain(functions[k * length : (k + 1) * length]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
    return chain(functions[length * (segments - 1) :])(input)


class CheckpointFunction(Function):
    """The reentrant variant: a call as one node."""

    @staticmethod
    def forward(ctx: Any, function: Any, preserve: bool, *args: Any) -> Any:
        """Compute without recording."""
        ctx.function = function
        ctx.convention = mode.conventions[-1]
        ctx.randomness = random.Replay(args) if preserve else None
        ctx.args = [None if isinstance(a, TensorBase) else a for a in args]
        ctx.places = [k for k, a in enumerate(args) if isinstance(a, TensorBase)]
        ctx.save_for_backward(*(args[k] for k in ctx.places))
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Compute again, with recording, and walk through it."""
        if mode.walk is not None and mode.walk.limited:
            raise RuntimeError(
                "When use_reentrant=True, gpugrad.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        args = list(ctx.args)
        for k, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[k] = t.detach()
            args[k].requires_grad = t.requires_grad
        with enable_grad(), conventions(ctx.convention), _replayed(ctx.randomness):
            found = ctx.function(*args)
        outs = found if isinstance(found, tuple) else (found,)
        pairs = [
            (o, g)
            for o, g in zip(outs, grads, strict=True)
            if isinstance(o, TensorBase) and o._edge is not None
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        backward([o for o, _ in pairs], [g for _, g in pairs])  # type: ignore[misc]
        return (None, None, *(a._grad if isinstance(a, TensorBase) else None for a in args))


class _Holder:
    """The place of a saved tensor, which has it between its computation and its use."""

    __slots__ = ("__weakref__", "tensor")

    tensor: Any


class _StopError(Exception):
    """All that is needed has been computed again."""


class _Frame:
    """A checkpointed call: what it was, and the places of the tensors that it saved."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        preserve: bool,
        context_fn: Callable[[], Contexts] | None,
        determinism_check: str,
    ):
        self.call = function, args, kwargs
        self.randomness = random.Replay((*args, *kwargs.values())) if preserve else None
        self.contexts: Contexts = (
            (nullcontext(), nullcontext()) if context_fn is None else context_fn()
        )
        self.convention = mode.conventions[-1]
        self.checks = determinism_check == "default"
        self.holders: list[weakref.ref[_Holder]] = []
        self.first: list[dict[str, Any]] = []  # what was known of each saved tensor
        self.unpacking = threading.RLock()  # threads may walk one graph; the function may walk

    def run(self) -> Any:
        """Return the result, with a graph that keeps nothing but places."""
        function, args, kwargs = self.call
        if not is_grad_enabled():
            return function(*args, **kwargs)
        with self.contexts[0], saved_tensors_hooks(self._pack, self._unpack):
            return function(*args, **kwargs)

    def _pack(self, tensor: Any) -> _Holder:
        holder = _Holder()
        self.holders.append(weakref.ref(holder))
        self.first.append(_metadata(tensor))
        return holder

    def _unpack(self, holder: _Holder) -> Any:
        with self.unpacking:
            if not hasattr(holder, "tensor"):
                self._compute_again()
            found = holder.tensor
            del holder.tensor  # a second use in the same graph computes again: nothing is kept
            return found

    def _compute_again(self) -> None:
        function, args, kwargs = self.call
        again: list[dict[str, Any]] = []

        def pack(tensor: Any) -> Any:
            number = len(again)
            if number == len(self.holders):
                raise _StopError
            again.append(_metadata(tensor))
            kept: Any = wrap(tensor._array)
            kept._counter = tensor._counter
            holder = self.holders[number]()
            if holder is not None:
                holder.tensor = kept
            return kept  # for walks in the function itself

        with (
            enable_grad(),
            conventions(self.convention),
            self.contexts[1],
            _replayed(self.randomness),
            saved_tensors_hooks(pack, lambda packed: packed),
            suppress(_StopError),
        ):
            function(*args, **kwargs)
        self._check(again)

    def _check(self, again: list[dict[str, Any]]) -> None:
        """Compare what was saved with what was saved first.

        Raises:
            CheckpointError: They differ.
        """
        if len(again) != len(self.first):
            raise CheckpointError(
                "gpugrad.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.first)}\n"
                f"Number of tensors saved during recomputation: {len(again)}."
            )
        different = [
            f"tensor at position {k}:\nsaved metadata: {old}\nrecomputed metadata: {new}"
            for k, (old, new) in enumerate(zip(self.first, again, strict=True))
            if old != new
        ]
        if self.checks and different:
            raise CheckpointError(
                "gpugrad.utils.checkpoint: Recomputed values for the following tensors have "
                "different metadata than during the forward pass.\n" + "\n".join(different)
            )


@contextmanager
def _replayed(randomness: random.Replay | None) -> Iterator[None]:
    with nullcontext() if randomness is None else randomness.again():
        yield


def _metadata(tensor: Any) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential"]

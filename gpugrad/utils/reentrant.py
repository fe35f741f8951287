"""The reentrant variant of a checkpoint: a call as one node."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from gpugrad import random
from gpugrad.autograd.engine import backward
from gpugrad.autograd.function import Function
from gpugrad.autograd.grad_mode import enable_grad
from gpugrad.graph import TensorBase, mode, warn
from gpugrad.op import autocast
from gpugrad.op.convention import conventions
from gpugrad.op.replay import replayable


def check_backward_validity(inputs: Sequence[Any]) -> None:
    """Warn where none of the inputs requires grad."""
    if not any(isinstance(t, TensorBase) and t._edge is not None for t in inputs):
        warn("None of the inputs have requires_grad=True. Gradients will be None")


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs with each tensor as a leaf, which requires grad as it did.

    Raises:
        RuntimeError: They are no tuple.
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    found: list[Any] = list(inputs)
    for k, t in enumerate(found):
        if isinstance(t, TensorBase):
            found[k] = t.detach()  # type: ignore[attr-defined]
            found[k].requires_grad = t._edge is not None
    return tuple(found)


class CheckpointFunction(Function):
    """A checkpointed call, whose backward runs the function again and walks through it."""

    @staticmethod
    def forward(ctx: Any, function: Any, preserve: bool, *args: Any) -> Any:
        """Compute without recording."""
        check_backward_validity(args)
        ctx.function = function
        ctx.convention = mode.conventions[-1]
        ctx.regions = autocast.entered()
        ctx.replayed = random.Replay(args).again if preserve else nullcontext
        ctx.args = [None if isinstance(a, TensorBase) else a for a in args]
        ctx.places = [k for k, a in enumerate(args) if isinstance(a, TensorBase)]
        ctx.again = replayable()
        ctx.save_for_backward(*(args[k] for k in ctx.places))
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Compute again, with recording, and walk through it."""
        if mode.walk is not None and mode.walk.captured is not None:
            raise RuntimeError(
                "When use_reentrant=True, gpugrad.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        args = list(ctx.args)
        for k, t in zip(ctx.places, detach_variable(ctx.saved_tensors), strict=True):
            args[k] = t
        regions = ctx.regions()
        with enable_grad(), conventions(ctx.convention), regions, ctx.again(), ctx.replayed():
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

"""Computing a part of the forward again in backward, instead of keeping what it saved."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from gpugrad import random
from gpugrad.autograd.engine import backward
from gpugrad.autograd.function import Function
from gpugrad.autograd.grad_mode import enable_grad, is_grad_enabled
from gpugrad.autograd.graph import saved_tensors_hooks
from gpugrad.graph import TensorBase, mode
from gpugrad.op.convention import conventions
from gpugrad.op.observed import title, users_stack
from gpugrad.op.saved import wrap
from gpugrad.utils.selective import CheckpointPolicy as CheckpointPolicy
from gpugrad.utils.selective import Contexts, Watched
from gpugrad.utils.selective import SelectiveCheckpointContext as SelectiveCheckpointContext
from gpugrad.utils.selective import (
    create_selective_checkpoint_contexts as create_selective_checkpoint_contexts,
)


class CheckpointError(RuntimeError):
    """What was computed again is not what was computed first."""


def noop_context_fn() -> Contexts:
    """Return two contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
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
        context_fn: Returns two contexts, for the first and for the second computation, such as
            :func:`create_selective_checkpoint_contexts`; not for the reentrant variant.
        determinism_check: "default" compares shapes, types and devices of what is computed again,
            "none" does not; the reentrant variant never does.
        debug: Whether a ``CheckpointError`` lists the operations of both computations; not for the
            reentrant variant.
        early_stop: Whether the second computation ends when it has all that is needed; the
            reentrant variant computes all.
        kwargs: What it is called with, too.

    Raises:
        ValueError: Keyword arguments, ``context_fn`` or ``debug`` with ``use_reentrant=True``;
            ``context_fn`` and ``debug``; there is no such ``determinism_check``.
        CheckpointError: In the walk, something else was computed.
    """
    if use_reentrant is None:
        use_reentrant = _reentrant("")
    if not use_reentrant:
        asked = _settings.debug if _settings.debug is not None else debug
        early = _settings.early_stop if _settings.early_stop is not None else early_stop
        log = None
        if asked:
            if context_fn is not noop_context_fn:
                raise ValueError("debug=True is incompatible with non-default context_fn")
            log = _Log(), _Log()
        if determinism_check not in ("default", "none"):
            raise ValueError(
                "determinism_check should be one of ['default', 'none'], but got "
                f"{determinism_check}"
            )
        contexts = context_fn() if log is None else log
        checks = determinism_check == "default"
        frame = _Frame((function, args, kwargs), preserve_rng_state, contexts, checks, early, log)
        return frame.run()
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug is not False:
        raise ValueError(
            "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
        )
    return CheckpointFunction.apply(function, preserve_rng_state, *args)


def _reentrant(function: str) -> bool:
    """Return True, which PyTorch takes where it is not said, and warn."""
    name = f"gpugrad.utils.checkpoint.{function}".removesuffix(".")
    warnings.warn(
        f"{name}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
        "recommended, but if you need to preserve the current default behavior, you can pass "
        "use_reentrant=True.",
        stacklevel=3,
    )
    return True


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Return the functions applied one after the other, all segments but the last checkpointed.

    Args:
        functions: A sequence of functions of one argument.
        segments: Into how many parts of equal length it is divided.
        input: The argument of the first.
        use_reentrant: As in :func:`checkpoint`.
        preserve_rng_state: As in :func:`checkpoint`.
        kwargs: None.

    Raises:
        ValueError: There are ``kwargs``.
    """
    if use_reentrant is None:
        use_reentrant = _reentrant("checkpoint_sequential")
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
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


class _Settings:
    """What holds for every checkpoint, whatever its call says; ``None`` leaves it to the call."""

    debug: bool | None = None
    early_stop: bool | None = None


_settings = _Settings()


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """While the block runs, say for every checkpoint whether it has ``debug``.

    Args:
        enabled: ``None`` leaves it to the calls of :func:`checkpoint`.
    """
    before, _settings.debug = _settings.debug, enabled
    try:
        yield
    finally:
        _settings.debug = before


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """While the block runs, say for every checkpoint that is made in it whether it stops early."""
    before, _settings.early_stop = _settings.early_stop, enable
    try:
        yield
    finally:
        _settings.early_stop = before


def check_backward_validity(inputs: Sequence[Any]) -> None:
    """Warn where none of the inputs requires grad."""
    if not any(isinstance(t, TensorBase) and t._edge is not None for t in inputs):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


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
    """The reentrant variant: a call as one node."""

    @staticmethod
    def forward(ctx: Any, function: Any, preserve: bool, *args: Any) -> Any:
        """Compute without recording."""
        check_backward_validity(args)
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
        for k, t in zip(ctx.places, detach_variable(ctx.saved_tensors), strict=True):
            args[k] = t
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

    __slots__ = ("__weakref__", "tensor", "user")

    tensor: Any
    user: GraphExecGroup  # in which it was used


class _StopError(Exception):
    """All that is needed has been computed again."""


class _Frame:
    """A checkpointed call: what it was, and the places of the tensors that it saved."""

    def __init__(
        self,
        call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]],
        preserve: bool,
        contexts: Contexts,
        checks: bool,
        early_stop: bool,
        log: tuple[_Log, _Log] | None,
    ):
        _, args, kwargs = self.call = call
        self.randomness = random.Replay((*args, *kwargs.values())) if preserve else None
        self.contexts = contexts
        self.convention = mode.conventions[-1]
        self.checks = checks
        self.early_stop = early_stop
        self.log = log
        self.complete = False  # whether the first computation has ended
        self.holders: list[weakref.ref[_Holder]] = []
        self.first: list[dict[str, Any]] = []  # what was known of each saved tensor
        self.unpacking = threading.RLock()  # threads may walk one graph; the function may walk

    def run(self) -> Any:
        """Return the result, with a graph that keeps nothing but places."""
        function, args, kwargs = self.call
        if not is_grad_enabled():
            return function(*args, **kwargs)
        with saved_tensors_hooks(self._pack, self._unpack), self.contexts[0]:
            result = function(*args, **kwargs)
            self.complete = True
            return result
        raise RuntimeError(
            "gpugrad.utils.checkpoint: the forward context provided by context_fn suppressed an "
            "exception raised during the checkpointed forward. This is not supported because "
            "checkpoint cannot return a value for a failed forward."
        )

    def _pack(self, tensor: Any) -> _Holder:
        holder = _Holder()
        self.holders.append(weakref.ref(holder))
        self.first.append(_metadata(tensor))
        return holder

    def _unpack(self, holder: _Holder) -> Any:
        with self.unpacking:
            group = _group.current
            if group is not None and getattr(holder, "user", None) is group:
                raise CheckpointError(_OVERLAP)
            if not hasattr(holder, "tensor"):
                self._compute_again()
            found = holder.tensor
            del holder.tensor  # a second use in the same graph computes again: nothing is kept
            if group is not None:
                holder.user = group
            return found

    def _compute_again(self) -> None:
        function, args, kwargs = self.call
        again: list[dict[str, Any]] = []

        def pack(tensor: Any) -> Any:
            number = len(again)
            kept: Any = wrap(tensor._array)
            kept._counter = tensor._counter
            if number >= len(self.holders):
                if self.complete:
                    raise CheckpointError(_TOO_MANY + _TIP)
                return kept
            again.append(_metadata(tensor))
            holder = self.holders[number]()
            if holder is not None:
                holder.tensor = kept
            if self.early_stop and number + 1 == len(self.holders):
                raise _StopError
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
        if self.log is None:
            self._check(again)
            return
        try:
            self._check(again)
        except CheckpointError as error:
            raise CheckpointError(_story(*self.log)) from error

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
                f"Number of tensors saved during recomputation: {len(again)}.\n{_TIP}"
            )
        different = [
            f"tensor at position {k}:\nsaved metadata: {old}\nrecomputed metadata: {new}"
            for k, (old, new) in enumerate(zip(self.first, again, strict=True))
            if old != new
        ]
        if self.checks and different:
            raise CheckpointError(
                "gpugrad.utils.checkpoint: Recomputed values for the following tensors have "
                "different metadata than during the forward pass.\n"
                + "\n".join(different)
                + f"\n.\n{_TIP}"
            )


@contextmanager
def _replayed(randomness: random.Replay | None) -> Iterator[None]:
    with nullcontext() if randomness is None else randomness.again():
        yield


def _metadata(tensor: Any) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


_TIP = """
Tip: To see a more detailed error message, either pass `debug=True` to
`gpugrad.utils.checkpoint.checkpoint(...)` or wrap the code block
with `with gpugrad.utils.checkpoint.set_checkpoint_debug_enabled(True):` to
enable checkpoint-debug mode globally.
"""
_TOO_MANY = (
    "gpugrad.utils.checkpoint: trying to save more tensors during recomputation than during the "
    "original forward pass.\n"
)
_OVERLAP = (
    "gpugrad.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked "
    "once. Performing two backward calls that overlap (i.e. require the same saved activation in "
    "order to compute gradients) is not allowed while under the "
    "gpugrad.utils.checkpoint.GraphExecGroup context. If you are calling ctx.saved_tensors in "
    "backward, make sure to do so only once. Otherwise please open an issue with details on your "
    "use case."
)


# --------------------------------------------------------------------------- groups of backwards


class _Group(threading.local):
    current: GraphExecGroup | None = None


_group = _Group()


class GraphExecGroup:
    """While the block runs, let several backwards share what one of them computes again.

    They must not need the same saved value, also with ``retain_graph=True``.  For the variant
    ``use_reentrant=False``; what a backward has computed again and not used is there for the next
    one without a group, too, so that the group only makes sure of it.

    Raises:
        RuntimeError: Groups are nested.
        CheckpointError: In the walk, a saved value is needed twice.
    """

    def __enter__(self) -> GraphExecGroup:
        if _group.current is not None:
            raise RuntimeError(
                f"GraphExecGroup contexts cannot be nested. Already inside group {_group.current}"
            )
        _group.current = self
        return self

    def __exit__(self, *exception: object) -> None:
        _group.current = None


# --------------------------------------------------------------------------- what was computed


class _Log(Watched):
    """The calls that are recorded while the context is entered, each with the lines it is from."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def kept(self, name: str) -> None:
        """Have every call computed."""

    def made(self, name: str, operands: Sequence[Any], params: Any, results: Any) -> None:
        """Note a call."""
        text = f"{_described(results)} = {title(name)}({_described(tuple(operands))})"
        self.calls.append((text, "".join(users_stack())))


def _described(values: Any) -> str:
    """Return tensors by type and shape, as ``float32[2, 3]``."""
    if isinstance(values, tuple):
        return ", ".join(map(_described, values))
    if isinstance(values, TensorBase):
        return f"{values._array.dtype.name}{list(values._array.shape)}"
    return str(values)


def _story(first: _Log, second: _Log) -> str:
    """Return the text of an error that lists the calls of both computations."""
    parts = [
        "An error happened while unpacking tensors; dumping logs of latest computation because "
        "you passed `debug=True` to `gpugrad.utils.checkpoint.checkpoint()`."
    ]
    both = (("the original forward", first), ("recomputation", second))
    for name, log in both:
        parts.append(f"Stack traces of the operators that ran during {name}:")
        total = len(log.calls)
        parts += [
            f"{call}   ({k} of {total} during {name})\n{lines}"
            for k, (call, lines) in enumerate(log.calls, 1)
        ]
    for name, log in both:
        calls = "\n".join(call for call, _ in log.calls)
        parts.append(f"Operations executed during {name}:\n\n{calls}")
    parts.append("ERROR: Detected non-determinism while running activation checkpointing")
    return "\n\n".join(parts)


__all__ = [
    "CheckpointError", "CheckpointFunction", "CheckpointPolicy", "GraphExecGroup",
    "SelectiveCheckpointContext", "check_backward_validity", "checkpoint", "checkpoint_sequential",
    "create_selective_checkpoint_contexts", "detach_variable", "noop_context_fn",
    "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip

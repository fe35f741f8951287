"""Computing a part of the forward again in backward, instead of keeping what it saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from gpugrad import random
from gpugrad._device import device
from gpugrad.graph import TensorBase, warn
from gpugrad.utils.recomputation import CheckpointError as CheckpointError
from gpugrad.utils.recomputation import Frame, Log
from gpugrad.utils.recomputation import GraphExecGroup as GraphExecGroup
from gpugrad.utils.reentrant import CheckpointFunction as CheckpointFunction
from gpugrad.utils.reentrant import check_backward_validity as check_backward_validity
from gpugrad.utils.reentrant import detach_variable as detach_variable
from gpugrad.utils.selective import CheckpointPolicy as CheckpointPolicy
from gpugrad.utils.selective import Contexts
from gpugrad.utils.selective import SelectiveCheckpointContext as SelectiveCheckpointContext
from gpugrad.utils.selective import (
    create_selective_checkpoint_contexts as create_selective_checkpoint_contexts,
)


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
        preserve_rng_state: Draw the same random numbers again.
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
        RuntimeError: The first of the contexts suppressed an exception; in the walk, the reentrant
            variant is in ``autograd.grad``, or an argument was overwritten, or older memory that
            the function reads and of which the gradient depends.  (PyTorch compares arguments
            only.)
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
            log = Log(), Log()
        if determinism_check not in ("default", "none"):
            raise ValueError(
                "determinism_check should be one of ['default', 'none'], but got "
                f"{determinism_check}"
            )
        contexts = context_fn() if log is None else log
        checks = determinism_check == "default"
        frame = Frame((function, args, kwargs), preserve_rng_state, contexts, checks, early, log)
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
    warn(
        f"{name}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
        "recommended, but if you need to preserve the current default behavior, you can pass "
        "use_reentrant=True."
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


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """Return the numbers of the GPUs of some tensors, and the states of their generators."""
    tensors: list[Any] = [t for t in args if isinstance(t, TensorBase)]
    places = [t.device for t in tensors if t.device.type == "cuda"]
    return [p.index or 0 for p in places], [random.default_of(p).get_state() for p in places]


def set_device_states(
    devices: Sequence[int], states: Sequence[Any], *, device_type: str | None = None
) -> None:
    """Let the generators of some GPUs stand where they once stood."""
    for number, state in zip(devices, states, strict=False):
        random.default_of(device("cuda", number)).set_state(state)


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


__all__ = [
    "CheckpointError", "CheckpointFunction", "CheckpointPolicy", "GraphExecGroup",
    "SelectiveCheckpointContext", "check_backward_validity", "checkpoint", "checkpoint_sequential",
    "create_selective_checkpoint_contexts", "detach_variable", "get_device_states",
    "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
    "set_device_states",
]  # fmt: skip

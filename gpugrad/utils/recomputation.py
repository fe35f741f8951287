"""The variant of a checkpoint that is not reentrant: places of saved tensors, filled when asked."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any

from gpugrad import random
from gpugrad.autograd.grad_mode import enable_grad, is_grad_enabled
from gpugrad.autograd.graph import saved_tensors_hooks
from gpugrad.graph import Node, Rule, TensorBase, mode, record, recording, restoring
from gpugrad.op import autocast
from gpugrad.op.attribute import Named
from gpugrad.op.convention import conventions
from gpugrad.op.observed import Calls, title, users_stack
from gpugrad.op.replay import replayable
from gpugrad.op.saved import shared_counter, unpack, versions_of, wrap
from gpugrad.utils.selective import Contexts


class CheckpointError(RuntimeError):
    """What was computed again is not what was computed first."""


class _Holder:
    """The place of a saved tensor, which has it between its computation and its use."""

    __slots__ = ("__weakref__", "tensor", "user")

    tensor: Any
    user: GraphExecGroup  # in which it was used


class _StopError(Exception):
    """All that is needed has been computed again."""


class Frame:
    """A checkpointed call: what it was, and the places of the tensors that it saved."""

    def __init__(
        self,
        call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]],
        preserve: bool,
        contexts: Contexts,
        checks: bool,
        early_stop: bool,
        log: tuple[Log, Log] | None,
    ):
        _, args, kwargs = self.call = call
        self.replayed = random.Replay((*args, *kwargs.values())).again if preserve else nullcontext
        self.arguments = _saved([a for a in args if isinstance(a, TensorBase)])
        self.again = replayable()
        self.contexts = contexts
        self.convention = mode.conventions[-1]
        self.regions = autocast.entered()
        self.checks = checks
        self.early_stop = early_stop
        self.log = log
        self.complete = False  # whether the first computation has ended
        self.holders: list[weakref.ref[_Holder]] = []
        self.first: list[dict[str, Any]] = []  # what was known of each saved tensor
        self.unpacking = threading.RLock()  # threads may walk one graph; the function may walk

    @restoring
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
            group = mode.group
            if group is not None and getattr(holder, "user", None) is group:
                raise CheckpointError(_OVERLAP)
            if not hasattr(holder, "tensor"):
                self._compute_again()
            found = holder.tensor
            del holder.tensor  # a second use in the same graph computes again: nothing is kept
            if group is not None:
                holder.user = group
            return found

    @restoring
    def _compute_again(self) -> None:
        function, args, kwargs = self.call
        again: list[dict[str, Any]] = []

        def pack(tensor: Any) -> Any:
            number = len(again)
            kept: Any = wrap(tensor._array)
            kept._counter = shared_counter(tensor)  # a recorded backward saves it in its turn
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

        unpack(self.arguments, len(self.arguments.saved or ()))
        with (
            enable_grad(),
            conventions(self.convention),
            self.regions(),
            self.again(),
            self.contexts[1],
            self.replayed(),
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


@restoring
def _saved(tensors: Sequence[Any]) -> Node:
    """Return a node that has saved tensors: their versions are compared as others are."""
    with recording(False):  # in which no hooks of the user's see them
        return record(_ARGUMENTS, (), tuple(tensors), versions_of(tensors), None)


class _Arguments:
    """The rule of a node that is in no graph."""

    op = Named("CheckpointBackward")
    always = False
    needs: tuple[bool, ...] = ()
    outputs = 1

    def backward(self, node: Node, g: Any) -> Sequence[Any]:
        """Return nothing: there are no inputs."""
        return ()

    def narrowed(self, needs: tuple[bool, ...]) -> Rule:
        """Return the rule itself."""
        return self


_ARGUMENTS = _Arguments()


def _metadata(tensor: Any) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor._kind, "device": tensor.device}


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
        if mode.group is not None:
            raise RuntimeError(
                f"GraphExecGroup contexts cannot be nested. Already inside group {mode.group}"
            )
        mode.group = self
        return self

    def __exit__(self, *exception: object) -> None:
        mode.group = None


# --------------------------------------------------------------------------- what was computed


class Log(Calls):
    """The calls that are recorded while the context is entered, each with the lines it is from."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

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


def _story(first: Log, second: Log) -> str:
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

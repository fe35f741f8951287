"""Checkpoints that keep some results: a policy says which."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from gpugrad.graph import recording
from gpugrad.op.observed import Calls, title
from gpugrad.op.saved import own_array, shared_counter, wrap

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointPolicy(enum.Enum):
    """What becomes of the result of a call in a selective checkpoint.

    ``SAVE`` keeps it, ``RECOMPUTE`` computes it again, ``CPU_OFFLOAD`` keeps it in the memory of
    the host.  ``MUST`` and ``PREFER`` differ for PyTorch's compiler, and not here.
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_SAVES = (CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE)
_OFFLOADS = (CheckpointPolicy.MUST_CPU_OFFLOAD, CheckpointPolicy.PREFER_CPU_OFFLOAD)


class SelectiveCheckpointContext:
    """What a policy knows of a call besides its arguments.

    Attributes:
        is_recompute: False: policies are asked in the first computation only.
        op_output: What the call returns, without history: a tensor, or a tuple of them.
    """

    def __init__(self, *, is_recompute: bool, op_output: Any = None):
        self.is_recompute = is_recompute
        self.op_output = op_output


class _Kept(NamedTuple):
    """A result that is not computed again: on the CPU where it was offloaded."""

    tensor: Any
    version: int
    where: Any  # the device that it is handed out on

    def array(self, allow_mutation: bool) -> Any:
        """Return the array that was the result.

        Raises:
            RuntimeError: It was written in place since, which is not allowed.
        """
        if not allow_mutation and shared_counter(self.tensor).written_since(self.version):
            raise RuntimeError(
                "Tensor cached during selective activation checkpoint has been mutated"
            )
        with recording(False):
            return self.tensor.to(self.where)._array


_Entry = tuple[_Kept, ...] | None  # the results of a call; None where it is computed again
_Storage = dict[str, list[_Entry]]  # by the operation, in the order of the calls


class _Caching(Calls):
    """The first computation: a policy says which results are kept."""

    def __init__(self, policy: Callable[..., Any], storage: _Storage):
        self.policy = policy
        self.storage = storage

    def made(
        self, name: str, operands: Sequence[Any], params: Mapping[str, Any], results: Any
    ) -> None:
        """Ask the policy, and keep the results if it says so."""
        several = isinstance(results, tuple)
        outs = tuple([_detached(t) for t in (results if several else (results,))])
        context = SelectiveCheckpointContext(
            is_recompute=False, op_output=outs if several else outs[0]
        )
        args = [o.item() if isinstance(o, np.generic) else o for o in operands]
        with recording(False):
            answer = self.policy(context, title(name), *args, **params)
        entry: _Entry = None
        if answer is True or answer in _SAVES:
            entry = tuple([_keep(t, t) for t in outs])
        elif answer in _OFFLOADS:
            with recording(False):
                entry = tuple([_keep(t.to("cpu"), t) for t in outs])
        self.storage[name].append(entry)


def _detached(tensor: Any) -> Any:
    result = wrap(own_array(tensor))
    result._counter = shared_counter(tensor)
    return result


def _keep(tensor: Any, result: Any) -> _Kept:
    return _Kept(tensor, shared_counter(tensor).value, result.device)


class _Cached(Calls):
    """The second computation: what was kept is handed out, once."""

    def __init__(self, storage: _Storage, allow_mutation: bool):
        self.storage = storage
        self.allow_mutation = allow_mutation
        self.handed_out: set[tuple[str, int]] = set()
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> None:
        self.counts.clear()
        super().__enter__()

    def kept(self, name: str) -> tuple[Any, ...] | None:
        """Return what was kept of a call, ``None`` where it is computed again."""
        if name not in self.storage:
            raise RuntimeError(
                f"{title(name)} encountered during backward but not found in storage. {_MISMATCH}"
            )
        number, entries = self.counts[name], self.storage[name]
        self.counts[name] += 1
        if number >= len(entries):
            raise RuntimeError(
                f"{title(name)} invocation index {number} encountered during backward but not "
                f"found in storage. {_MISMATCH}"
            )
        if (name, number) in self.handed_out:
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward once on any "
                "region computed under selective activation checkpoint."
            )
        entry = entries[number]
        if entry is None:
            return None
        self.handed_out.add((name, number))
        entries[number] = None  # its memory is free when the node has used it
        return tuple([k.array(self.allow_mutation) for k in entry])


_MISMATCH = (
    "This can happen if the operations in the checkpointed region are nondeterministic or depend "
    "on global state that changed between forward and backward."
)


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Callable[..., Any] | list[str], allow_cache_entry_mutation: bool = False
) -> Contexts:
    """Return two contexts for ``context_fn``, so that some results are kept, not computed again.

    A policy is called as ``policy_fn(ctx, op, *args, **kwargs)`` when a call has been computed for
    the first time, and returns a :class:`CheckpointPolicy`, or True for ``MUST_SAVE`` and False
    for ``PREFER_RECOMPUTE``.  A list names the operations of which the results are kept.

    Where PyTorch's policies receive an ``OpOverload``, such as ``torch.ops.aten.mm.default``,
    ``op`` is here the name of the operation, such as ``"mm"``: that of its nodes, ``MmBackward0``,
    in PyTorch's spelling of functions.  ``args`` are its tensors and numbers, ``kwargs`` its other
    parameters.  Only calls that are recorded are told to a policy; what has no gradient, writes in
    place and what a :class:`gpugrad.autograd.Function` computes are computed again.  On the CPU
    elementwise operations of plain tensors compute their results in any case.

    >>> from functools import partial
    >>> import gpugrad
    >>> from gpugrad.utils.checkpoint import checkpoint
    >>> x = gpugrad.ones(2, 2, requires_grad=True)
    >>> contexts = partial(create_selective_checkpoint_contexts, ["mm"])
    >>> y = checkpoint(lambda x: (x @ x).exp(), x, use_reentrant=False, context_fn=contexts)

    Args:
        policy_fn_or_list: A policy, or the names of operations.
        allow_cache_entry_mutation: Whether what is kept may be written in place.

    Raises:
        TypeError: ``policy_fn_or_list`` is neither.
        ValueError: The list holds something else than names.
        RuntimeError: In the walk: what was kept has been written in place, other operations are
            called than before, or it is the second backward through what was kept.
    """
    policy: Callable[..., Any]
    if isinstance(policy_fn_or_list, list):
        names = policy_fn_or_list
        for op in names:
            if not isinstance(op, str):
                raise ValueError(
                    "Expected op in `op_list` to be the name of an operation but got: "
                    f"{op} of type {type(op)}."
                )

        def policy(ctx: Any, op: str, *args: Any, **kwargs: Any) -> bool:
            return op in names

    elif callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    storage: _Storage = defaultdict(list)
    return _Caching(policy, storage), _Cached(storage, allow_cache_entry_mutation)

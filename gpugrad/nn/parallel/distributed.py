"""A module that several processes train, each on examples of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from gpugrad import distributed, tree
from gpugrad._device import device
from gpugrad._tensor import Tensor
from gpugrad.autograd.grad_mode import is_grad_enabled
from gpugrad.distributed.group import chosen
from gpugrad.futures import Future
from gpugrad.nn.modules.module import Module
from gpugrad.nn.parallel.joining import Joined
from gpugrad.nn.parallel.reducer import Reducer, broadcast_together

_FORWARD_SYNC = (
    "`broadcast_buffers` is deprecated. Use `forward_sync_buffers` instead. IMPORTANT: unlike "
    "`broadcast_buffers=False`, `forward_sync_buffers=False` still syncs buffers at init. If you "
    "rely on buffers NOT being synced at init (e.g. rank-local buffers), keep using "
    "`broadcast_buffers=False` until `init_sync_buffers` is available."
)
_BOTH_SYNCS = (
    "Both `broadcast_buffers` and `forward_sync_buffers` were specified. `broadcast_buffers` is "
    "deprecated and its value is ignored when `forward_sync_buffers` is provided."
)


class DistributedDataParallel(Module):
    """Train a module in several processes, as if one had all of their examples.

    Each process calls it with its part of a batch, of the same size in all, and runs backward on
    a mean; each gradient becomes the mean of those of all processes.  It is on its way as soon as
    all gradients of its bucket are there, while backward goes on.  All processes begin with the
    parameters and buffers of the first.

    Args:
        module: What is trained; it stays reachable as ``.module``.
        device_ids: The one GPU that inputs are moved to; by default they stay where they are.
        output_device: Of no effect: outputs stay where the module puts them.
        dim: Of no effect.
        broadcast_buffers: The older name of ``forward_sync_buffers``, which counts at the
            beginning, too.
        init_sync: Whether parameters and buffers of all become those of the first process.
        process_group: Which processes; all by default.
        bucket_cap_mb: How many MiB of gradients go together, 25 by default.
        find_unused_parameters: Whether outputs may not lead to all parameters in each process:
            those that no process used keep their gradients as they are.
        check_reduction: Of no effect.
        gradient_as_bucket_view: Whether gradients stay in the memory of the buckets, so that there
            are no copies of them.
        static_graph: As ``find_unused_parameters``.
        forward_sync_buffers: Whether buffers of all become those of the first process before each
            forward, where they may have changed; by default they do.

    Raises:
        RuntimeError: No parameter requires grad, or the processes have different modules.
        ValueError: There is no group of processes, or parameters are on several kinds of devices.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool | None = None,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        *,
        forward_sync_buffers: bool | None = None,
    ):
        super().__init__()
        self.process_group = chosen(process_group)
        params = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
        if not params:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter "
                "that requires a gradient."
            )
        if device_ids is not None and len(device_ids) > 1:
            raise ValueError("device_ids can only be None or contain a single element.")
        kinds = {p.device.type for p in module.parameters()}
        if len(kinds) != 1:
            raise ValueError(
                "DistributedDataParallel's input module must be on the same type of devices, but "
                f"input module parameters locate in {kinds}."
            )
        if kinds == {"cpu"} and (device_ids or output_device):
            devices = {p.device for p in module.parameters()}
            raise ValueError(
                "DistributedDataParallel device_ids and output_device arguments only work with "
                "single-device/multiple-device GPU modules or CPU modules, but got device_ids "
                f"{device_ids}, output_device {output_device}, and module parameters {devices}."
            )
        self.device_ids = list(device_ids) if device_ids else None
        self.module = module
        if broadcast_buffers is not None:
            both = forward_sync_buffers is not None
            warnings.warn(_BOTH_SYNCS if both else _FORWARD_SYNC, FutureWarning, stacklevel=2)
        at_start = forward_sync_buffers is not None or broadcast_buffers is not False
        self.forward_sync_buffers = (
            broadcast_buffers is not False if forward_sync_buffers is None else forward_sync_buffers
        )
        self.require_backward_grad_sync = True
        self.require_forward_param_sync = True
        self._joined: Joined | None = None
        _check_same(module, self.process_group)
        if init_sync:
            values: list[Tensor] = list(module.parameters())
            broadcast_together([*values, *(module.buffers() if at_start else ())],
                               self.process_group)  # fmt: skip
        cap = 25 if bucket_cap_mb is None else bucket_cap_mb
        self._reducer = Reducer(
            params,
            self.process_group,
            int(cap * 2**20),
            find_unused_parameters or static_graph,
            gradient_as_bucket_view,
        )

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return what the module does."""
        syncs = is_grad_enabled() and self.require_backward_grad_sync
        sends = self.require_forward_param_sync and self.forward_sync_buffers
        root = 0 if self._joined is None else self._joined.begin(syncs, sends)
        if syncs:
            self._reducer.begin()
        if sends:
            broadcast_together(list(self.module.buffers()), self.process_group, root)
        if self.device_ids is not None:
            inputs, kwargs = tree.mapped(self._moved, (inputs, kwargs))
        output = self.module(*inputs, **kwargs)
        if syncs:
            self._reducer.expect(_tensors_in(output))
        elif is_grad_enabled():
            self._reducer.syncs = False
        self.require_forward_param_sync = syncs
        return output

    def _moved(self, value: Any) -> Any:
        assert self.device_ids is not None
        (where,) = self.device_ids
        place = device("cuda", where) if isinstance(where, int) else device(where)
        return value.to(place) if isinstance(value, Tensor) else value

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Have gradients add up in each process, for forwards in a block.

        The first backward of a forward after the block averages what has added up.
        """
        before = self.require_backward_grad_sync
        self.require_backward_grad_sync = False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def join(
        self,
        divide_by_initial_world_size: bool = True,
        enable: bool = True,
        throw_on_early_termination: bool = False,
    ) -> AbstractContextManager[Any]:
        """Have processes with different numbers of batches train together, in a block.

        Those that are done first take part in the averages of the others, with zeros.  At the end
        all have the parameters and buffers of the last one.  Other collectives in the block, as
        those of ``SyncBatchNorm``, need ``throw_on_early_termination``.

        Args:
            divide_by_initial_world_size: Whether gradients are divided by the number of all
                processes, so that each example weighs the same, else by that of those left.
            enable: Whether anything is done.
            throw_on_early_termination: Whether all raise as soon as one is done.

        Raises:
            RuntimeError: One is done, and that is to be an error.
        """
        if not enable:
            return nullcontext()
        return Joined(self, divide_by_initial_world_size, throw_on_early_termination)

    def register_comm_hook(
        self, state: Any, hook: Callable[[Any, distributed.GradBucket], Future[Tensor]]
    ) -> None:
        """Have gradients go between processes in another way.

        The hook is called with the state and with each bucket of gradients as soon as they are
        there, and returns a future of what comes into its place, a tensor of that size; it divides
        by the number of processes itself.  ``distributed.algorithms.ddp_comm_hooks`` has some.

        Raises:
            RuntimeError: There is one.
            TypeError: It cannot be called.
        """
        if not callable(hook):
            raise TypeError("Communication hook must be callable.")
        if self._reducer.carry is not None:
            raise RuntimeError(
                "register_comm_hook or register_builtin_comm_hook can only be called once."
            )
        self._reducer.carry = partial(hook, state)


def _tensors_in(output: Any) -> list[Tensor]:
    """Return the tensors of an output, in whatever containers and objects."""
    found = []
    for leaf in tree.leaves(output):
        if isinstance(leaf, Tensor):
            found.append(leaf)
        elif hasattr(leaf, "__dict__"):
            found += [v for v in tree.leaves(list(vars(leaf).values())) if isinstance(v, Tensor)]
    return found


def _check_same(module: Module, group: Any) -> None:
    """Raise where modules of other processes have other parameters.

    Raises:
        RuntimeError: They have.
    """
    mine = [tuple(p.shape) for p in module.parameters()]
    found: list[Any] = [None] * group.size()
    distributed.all_gather_object(found, mine, group=group)
    for rank, theirs in enumerate(found):
        if len(theirs) != len(mine):
            raise RuntimeError(
                f"DDP expects same model across all ranks, but Rank {group.rank()} has {len(mine)} "
                f"params, while rank {rank} has inconsistent {len(theirs)} params."
            )
    for k, (shape, first) in enumerate(zip(mine, found[0], strict=True)):
        if shape != first:
            raise RuntimeError(
                f"[{group.rank()}]: params[{k}] in this process with sizes {list(shape)} appears "
                "not to match sizes of the same param in process 0."
            )
